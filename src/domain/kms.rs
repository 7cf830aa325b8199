//! A KMS: an AWS account with the regions of it that Claviger manages.

pub mod decide;
pub mod refusal;

use super::acl::{Acl, AclChange, Principal};
use super::collection::{Collection, Named};
use super::id::{ConnectionId, KmsId};
use super::name::KmsName;
use super::place::{AccountId, Arn, ExternalId, Partition, Region, RoleArn};
use super::refusal::{KmsRefusal, Refusal};
use super::time::Time;
use std::ops::Deref;
use std::sync::Arc;

#[derive(Clone, PartialEq, Debug)]
pub struct Kms {
    pub id: KmsId,
    pub name: KmsName,
    pub account: AccountId,
    /// The ARN of the principal whose credentials are used in the account.
    pub arn: Arn,
    pub connection: ConnectionId,
    /// Whether the connection was given by its id, not by its name: clients compare the answer with what they sent.
    pub connection_by_id: bool,
    /// The role that is assumed for calls in the account.
    pub role: Option<AssumedRole>,
    /// The managed regions, in the order given.
    pub regions: Vec<Region>,
    pub cloud: Partition,
    pub acl: Acl,
    pub archived: bool,
    pub created: Time,
    /// When it was last changed.
    pub updated: Time,
}

/// A role to assume, and the external id that its trust policy asks for.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct AssumedRole {
    pub arn: RoleArn,
    /// The external id, if the role requires one. AWS does not treat it as a secret.
    pub external_id: Option<ExternalId>,
}

/// The settings of a KMS that is to be added.
#[derive(Clone, Debug)]
pub struct NewKms {
    pub id: KmsId,
    pub name: KmsName,
    /// The account that the caller expects the credentials to belong to.
    pub account: AccountId,
    pub connection: ConnectionReference,
    pub role: Option<AssumedRole>,
    pub regions: Vec<Region>,
}

/// A connection as a client gave it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionReference {
    pub id: ConnectionId,
    /// Whether the client gave the id, not the name.
    pub by_id: bool,
}

/// The account behind some credentials, as AWS reports it.
#[derive(Clone, PartialEq, Debug)]
pub struct AccountProbe {
    /// The account that the credentials belong to.
    pub account: AccountId,
    /// The ARN of the principal whose credentials they are.
    pub arn: Arn,
    /// The regions that are enabled in the account.
    pub enabled: Vec<Region>,
}

/// A change of a KMS. A member that is `None` stays as it is, and at most one of the others may differ from the KMS.
#[derive(Clone, Debug, Default)]
pub struct KmsPatch {
    pub connection: Option<ConnectionReference>,
    pub regions: Option<Vec<Region>>,
    pub role: RoleRequest,
    /// Whether the keys in regions that the KMS does not have any more are removed from the state.
    pub forget_keys: bool,
}

/// A change of an assumed role. A member that is `None` stays as it is. For a KMS, another role drops the external id
/// of the present one.
#[derive(Clone, Debug, Default)]
pub struct RoleRequest {
    pub arn: Option<RoleArn>,
    pub external_id: Option<ExternalId>,
}

/// The single change that a patch requests.
#[derive(Clone, PartialEq, Debug)]
pub enum KmsChange {
    None,
    Connection(ConnectionReference),
    Regions {
        /// The complete new list.
        to: Vec<Region>,
        /// Whether the keys in regions that the KMS does not have any more are removed from the state.
        forget_keys: bool,
    },
    Role(AssumedRole),
}

#[derive(Clone, PartialEq, Debug)]
pub enum KmsEvent {
    Added {
        name: KmsName,
        account: AccountId,
        /// The ARN of the principal whose credentials are used in the account.
        arn: Arn,
        connection: ConnectionId,
        /// The role that is assumed for calls in the account.
        role: Option<AssumedRole>,
        /// The managed regions, in the order given.
        regions: Vec<Region>,
        cloud: Partition,
    },
    /// The regions were replaced, and the keys of other regions are removed from the state.
    RegionsReplaced {
        /// The complete new list.
        to: Vec<Region>,
    },
    /// The KMS uses another connection to the same account.
    ConnectionReplaced {
        to: ConnectionId,
        /// The ARN of the principal whose credentials are used now.
        arn: Arn,
    },
    /// The KMS uses another role in the same account, or none.
    RoleReplaced {
        to: Option<AssumedRole>,
        /// The ARN of the principal whose credentials are used now.
        arn: Arn,
    },
    /// Actions were permitted and withdrawn.
    AclsChanged {
        /// The changes, in the order in which they apply.
        changes: Vec<AclChange>,
    },
    /// The KMS was archived. It can be viewed, recovered or deleted, and nothing else.
    Archived,
    Recovered,
    /// The account is no longer managed. Its keys at AWS did not change.
    Deleted,
    /// A client gave the connection by its id, or by its name.
    ConnectionReferenced {
        by_id: bool,
    },
    /// The regions were replaced, and the keys of removed regions stay. They count as gone until the region is back.
    RegionsReplacedKeepingKeys {
        /// The complete new list.
        to: Vec<Region>,
    },
}

#[derive(Clone, Debug)]
pub enum KmsCommand {
    Add {
        new: NewKms,
        seen: AccountProbe,
    },
    Update {
        id: KmsId,
        update: KmsChange,
        /// The connection of the KMS when the update was prepared.
        connection: ConnectionId,
        /// The role of the KMS when the update was prepared.
        role: Option<AssumedRole>,
        /// The probe with the new credentials.
        seen: AccountProbe,
    },
    /// Permit and withdraw actions, all or none.
    UpdateAcls {
        id: KmsId,
        /// The changes, in the order in which they apply.
        changes: Vec<AclChange>,
    },
    Archive {
        id: KmsId,
    },
    Recover {
        id: KmsId,
    },
    /// Delete the KMS. Its keys at AWS do not change.
    Delete {
        id: KmsId,
        at: Time,
    },
}

impl Named for Kms {
    type Id = KmsId;
    type Name = KmsName;

    fn id(&self) -> KmsId {
        self.id
    }

    fn name(&self) -> KmsName {
        self.name.clone()
    }
}

/// All KMSs, with an index by account. It dereferences to the collection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KmsCollection {
    all: Collection<Kms>,
    by_account: imbl::HashMap<AccountId, Vec<KmsId>>,
}

impl KmsCollection {
    /// Returns the KMSs that manage regions of this account.
    pub fn of_account(&self, account: AccountId) -> impl Iterator<Item = &Arc<Kms>> {
        self.by_account.get(&account).into_iter().flatten().filter_map(|id| self.all.get(id))
    }

    /// Restores the collection from a snapshot.
    pub fn restored(entries: Vec<Kms>) -> Self {
        let mut by_account = imbl::HashMap::<_, Vec<_>>::new();
        entries.iter().for_each(|kms| by_account.entry(kms.account).or_default().push(kms.id));
        Self { all: entries.into_iter().collect(), by_account }
    }

    pub(super) fn apply(&mut self, at: Time, id: KmsId, event: &KmsEvent) {
        match event {
            KmsEvent::Added { name, account, arn, connection, role, regions, cloud } => {
                self.remove(id);
                self.by_account.entry(*account).or_default().push(id);
                self.all.insert(Kms {
                    id,
                    name: name.clone(),
                    account: *account,
                    arn: arn.clone(),
                    connection: *connection,
                    connection_by_id: false,
                    role: role.clone(),
                    regions: regions.clone(),
                    cloud: *cloud,
                    acl: Acl::default(),
                    archived: false,
                    created: at,
                    updated: at,
                });
            }
            KmsEvent::Deleted => self.remove(id),
            KmsEvent::RegionsReplaced { .. }
            | KmsEvent::RegionsReplacedKeepingKeys { .. }
            | KmsEvent::ConnectionReplaced { .. }
            | KmsEvent::RoleReplaced { .. }
            | KmsEvent::AclsChanged { .. }
            | KmsEvent::Archived
            | KmsEvent::Recovered
            | KmsEvent::ConnectionReferenced { .. } => self.all.change(&id, |kms| kms.apply(at, event)),
        }
    }

    fn remove(&mut self, id: KmsId) {
        let Some(kms) = self.all.remove(&id) else { return };
        if let Some(of_account) = self.by_account.get_mut(&kms.account) {
            of_account.retain(|other| *other != id);
            if of_account.is_empty() {
                self.by_account.remove(&kms.account);
            }
        }
    }
}

impl Deref for KmsCollection {
    type Target = Collection<Kms>;

    fn deref(&self) -> &Collection<Kms> {
        &self.all
    }
}

impl Kms {
    fn apply(&mut self, at: Time, event: &KmsEvent) {
        match event {
            KmsEvent::RegionsReplaced { to } | KmsEvent::RegionsReplacedKeepingKeys { to } => {
                self.regions.clone_from(to);
            }
            KmsEvent::ConnectionReplaced { to, arn } => {
                self.connection = *to;
                self.arn = arn.clone();
            }
            KmsEvent::RoleReplaced { to, arn } => {
                self.role = to.clone();
                self.arn = arn.clone();
            }
            KmsEvent::AclsChanged { changes } => changes.iter().for_each(|change| self.acl.apply(change)),
            KmsEvent::Archived => self.archived = true,
            KmsEvent::Recovered => self.archived = false,
            KmsEvent::ConnectionReferenced { by_id } => self.connection_by_id = *by_id,
            KmsEvent::Added { .. } | KmsEvent::Deleted => return,
        }
        self.updated = at;
    }

    /// Returns the event that withdraws all rights of a principal who is removed; `None` if there are none.
    pub fn withdraw_all(&self, principal: &Principal) -> Option<KmsEvent> {
        let held = self.acl.entries().iter().find(|entry| entry.principal == *principal)?;
        let actions = held.actions.iter().collect();
        Some(KmsEvent::AclsChanged {
            changes: vec![AclChange { principal: principal.clone(), actions, permit: false }],
        })
    }

    /// Returns the event that gives all actions of one principal to another one; `None` if the first has none.
    pub fn transfer_all(&self, from: &Principal, to: &Principal) -> Option<KmsEvent> {
        let held = self.acl.entries().iter().find(|entry| entry.principal == *from)?;
        let change = |principal: &Principal, permit| {
            let actions = held.actions.iter().collect();
            AclChange { principal: principal.clone(), actions, permit }
        };
        Some(KmsEvent::AclsChanged { changes: vec![change(from, false), change(to, true)] })
    }

    /// Refuses a change of an archived KMS.
    ///
    /// # Errors
    /// When the KMS is archived.
    pub fn refuse_archived(&self) -> Result<(), Refusal> {
        if self.archived { Err(KmsRefusal::Archived(self.name.clone()).into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
