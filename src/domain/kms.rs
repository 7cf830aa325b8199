//! A KMS: an AWS account with some of its regions, under management here. Adding, updating, permitting, archiving.

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

/// A KMS as it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Kms {
    pub id: KmsId,
    pub name: KmsName,
    pub account: AccountId,
    /// As whom AWS knows us there.
    pub arn: Arn,
    pub connection: ConnectionId,
    /// The role assumed for it.
    pub role: Option<AssumedRole>,
    /// The regions, in the order given.
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
    /// The external id, if the role wants one. AWS does not count it as a secret.
    pub external_id: Option<ExternalId>,
}

/// A KMS that is to be added.
#[derive(Clone, Debug)]
pub struct NewKms {
    pub id: KmsId,
    pub name: KmsName,
    /// The account that the caller says it is.
    pub account: AccountId,
    pub connection: ConnectionId,
    pub role: Option<AssumedRole>,
    pub regions: Vec<Region>,
}

/// What AWS said of an account when it was asked with the credentials in question.
#[derive(Clone, PartialEq, Debug)]
pub struct AccountProbe {
    /// The account that the credentials belong to.
    pub account: AccountId,
    /// As whom AWS knows us.
    pub arn: Arn,
    /// The regions that are enabled there.
    pub enabled: Vec<Region>,
}

/// What a caller wants changed: at most one of these may differ from what is.
#[derive(Clone, Debug, Default)]
pub struct KmsPatch {
    pub connection: Option<ConnectionId>,
    pub regions: Option<Vec<Region>>,
    /// Another role, or the same again.
    pub role: RoleRequest,
    /// Forget the keys of regions that are taken away?
    pub forget_keys: bool,
}

/// A role as a caller wants it. What is none stays; only with another role the external id does not.
#[derive(Clone, Debug, Default)]
pub struct RoleRequest {
    pub arn: Option<RoleArn>,
    pub external_id: Option<ExternalId>,
}

/// The one change that a patch asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum KmsChange {
    None,
    Connection(ConnectionId),
    Regions {
        /// All of them, as they are to be.
        to: Vec<Region>,
        /// Forget the keys of those that are taken away?
        forget_keys: bool,
    },
    Role(AssumedRole),
}

#[derive(Clone, PartialEq, Debug)]
pub enum KmsEvent {
    /// An AWS account, with some of its regions, came under management.
    Added {
        name: KmsName,
        account: AccountId,
        /// As whom AWS knows us there.
        arn: Arn,
        connection: ConnectionId,
        /// The role assumed for it, if any.
        role: Option<AssumedRole>,
        /// The regions, in the order given.
        regions: Vec<Region>,
        cloud: Partition,
    },
    RegionsReplaced {
        /// All of them, as they are now.
        to: Vec<Region>,
    },
    /// Another connection to the same account.
    ConnectionReplaced {
        to: ConnectionId,
        /// As whom AWS knows us now.
        arn: Arn,
    },
    /// Another role in the same account, or none.
    RoleReplaced {
        to: Option<AssumedRole>,
        /// As whom AWS knows us now.
        arn: Arn,
    },
    /// Permissions were given and taken, together.
    AclsChanged {
        /// In this order.
        changes: Vec<AclChange>,
    },
    /// Put away: viewed, recovered or deleted, nothing else.
    Archived,
    Recovered,
    /// No longer under management. AWS itself was not touched.
    Deleted,
}

/// What can be asked of KMSs.
#[derive(Clone, Debug)]
pub enum KmsCommand {
    /// Bring an account under management.
    Add {
        new: NewKms,
        seen: AccountProbe,
    },
    Update {
        id: KmsId,
        update: KmsChange,
        /// The role that it was made out of.
        role: Option<AssumedRole>,
        /// What AWS said, with the credentials as they are to be.
        seen: AccountProbe,
    },
    /// Give and take permissions, all or none.
    UpdateAcls {
        id: KmsId,
        /// In this order.
        changes: Vec<AclChange>,
    },
    Archive {
        id: KmsId,
    },
    Recover {
        id: KmsId,
    },
    /// Forget it. AWS itself is not touched.
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

/// All KMSs, by account too. It reads as the collection does.
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

    /// Puts the collection together from its entries, in their order.
    pub fn restored(entries: Vec<Kms>) -> Self {
        let mut by_account = imbl::HashMap::<_, Vec<_>>::new();
        entries.iter().for_each(|kms| by_account.entry(kms.account).or_default().push(kms.id));
        Self { all: entries.into_iter().collect(), by_account }
    }

    /// Takes in what has happened to a KMS. It cannot fail: an event is a fact, and the log is full of old ones.
    pub(super) fn apply(&mut self, at: Time, id: KmsId, event: &KmsEvent) {
        match event {
            KmsEvent::Added { name, account, arn, connection, role, regions, cloud } => {
                self.by_account.entry(*account).or_default().push(id);
                self.all.insert(Kms {
                    id,
                    name: name.clone(),
                    account: *account,
                    arn: arn.clone(),
                    connection: *connection,
                    role: role.clone(),
                    regions: regions.clone(),
                    cloud: *cloud,
                    acl: Acl::default(),
                    archived: false,
                    created: at,
                    updated: at,
                });
            }
            KmsEvent::Deleted => {
                let Some(kms) = self.all.remove(&id) else { return };
                if let Some(of_account) = self.by_account.get_mut(&kms.account) {
                    of_account.retain(|other| *other != id);
                    if of_account.is_empty() {
                        self.by_account.remove(&kms.account);
                    }
                }
            }
            KmsEvent::RegionsReplaced { .. }
            | KmsEvent::ConnectionReplaced { .. }
            | KmsEvent::RoleReplaced { .. }
            | KmsEvent::AclsChanged { .. }
            | KmsEvent::Archived
            | KmsEvent::Recovered => self.all.change(&id, |kms| kms.apply(at, event)),
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
            KmsEvent::RegionsReplaced { to } => self.regions = to.clone(),
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
            KmsEvent::Added { .. } | KmsEvent::Deleted => return,
        }
        self.updated = at;
    }

    /// The events that take every right away from a principal who will be no more.
    pub fn withdraw_all(&self, principal: &Principal) -> Option<KmsEvent> {
        let held = self.acl.entries().iter().find(|entry| entry.principal == *principal)?;
        let actions = held.actions.iter().collect();
        Some(KmsEvent::AclsChanged {
            changes: vec![AclChange { principal: principal.clone(), actions, permit: false }],
        })
    }

    /// Refuses all but view, recover and delete while the KMS is put away.
    ///
    /// # Errors
    /// When it is.
    pub fn refuse_archived(&self) -> Result<(), Refusal> {
        if self.archived { Err(KmsRefusal::Archived(self.name.clone()).into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
