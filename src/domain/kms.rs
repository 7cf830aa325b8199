//! A KMS: an AWS account with some of its regions, under management here. Adding, updating, permitting, archiving.

pub mod refusal;

use super::acl::{Acl, AclChange, Principal};
use super::cascade;
use super::collection::{Collection, Named};
use super::event::{Event, KmsEvent};
use super::id::{ConnectionId, KmsId};
use super::name::KmsName;
use super::place::{AccountId, Arn, ExternalId, Partition, Region, RoleArn};
use super::refusal::{KmsRefusal, Refusal};
use super::state::State;
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

/// Says what would happen; does nothing. What AWS said comes in with the command.
///
/// # Errors
/// What stands against it.
pub fn decide(state: &State, command: KmsCommand) -> Result<Vec<Event>, Refusal> {
    let (id, events) = match command {
        KmsCommand::Add { new, seen } => (new.id, add(state, new, seen)?),
        KmsCommand::Update { id, update, role, seen } => {
            let kms = state.kms(id)?;
            // Half of the new role may be the old one's.
            if matches!(update, KmsChange::Role(_)) && role != kms.role {
                return Err(KmsRefusal::Changed(kms.name.clone()).into());
            }
            (id, kms.update(state, update, seen)?)
        }
        KmsCommand::UpdateAcls { id, changes } => (id, state.kms(id)?.update_acls(state, changes)?),
        KmsCommand::Archive { id } => (id, state.kms(id)?.archive()?),
        KmsCommand::Recover { id } => (id, state.kms(id)?.recover()?),
        KmsCommand::Delete { id, at } => {
            state.kms(id)?.refuse_busy(state, at)?;
            return Ok(cascade::give_up_operations(state, id).chain([Event::Kms(id, KmsEvent::Deleted)]).collect());
        }
    };
    Ok(events.into_iter().map(|event| Event::Kms(id, event)).collect())
}

/// All that can be said of a new KMS before AWS is asked.
///
/// # Errors
/// What stands against it.
pub fn check_new(state: &State, new: &NewKms) -> Result<(), Refusal> {
    if state.kms_named(&new.name).is_some() {
        return Err(KmsRefusal::NameTaken(new.name.clone()).into());
    }
    let connection = state.connection(new.connection)?;
    check_role(connection.settings.cloud, new.role.as_ref())?;
    if let Some(role) = new.role.as_ref().filter(|role| role.arn.account() != new.account) {
        return Err(KmsRefusal::AccountMismatch { claimed: new.account, actual: role.arn.account() }.into());
    }
    check_regions(state, new.id, new.account, connection.settings.cloud, &new.regions)
}

fn add(state: &State, new: NewKms, seen: AccountProbe) -> Result<Vec<KmsEvent>, Refusal> {
    check_new(state, &new)?;
    check_account(new.account, &seen)?;
    check_enabled(&new.regions, &seen)?;
    let cloud = state.connection(new.connection)?.settings.cloud;
    let NewKms { id: _, name, account, connection, role, regions } = new;
    Ok(vec![KmsEvent::Added { name, account, arn: seen.arn, connection, role, regions, cloud }])
}

fn check_account(claimed: AccountId, seen: &AccountProbe) -> Result<(), Refusal> {
    if seen.account == claimed {
        Ok(())
    } else {
        Err(KmsRefusal::AccountMismatch { claimed, actual: seen.account }.into())
    }
}

fn check_role(cloud: Partition, role: Option<&AssumedRole>) -> Result<(), Refusal> {
    match role {
        Some(role) if role.arn.partition() != cloud => {
            Err(KmsRefusal::RoleElsewhere { role: role.arn.clone(), partition: cloud }.into())
        }
        _ => Ok(()),
    }
}

fn check_regions(
    state: &State,
    id: KmsId,
    account: AccountId,
    cloud: Partition,
    regions: &[Region],
) -> Result<(), Refusal> {
    if regions.is_empty() {
        return Err(KmsRefusal::RegionsEmpty.into());
    }
    for (at, region) in regions.iter().enumerate() {
        if region.partition() != cloud {
            return Err(KmsRefusal::RegionElsewhere { region: region.clone(), partition: cloud }.into());
        }
        if regions[..at].contains(region) {
            return Err(KmsRefusal::RegionDuplicated(region.clone()).into());
        }
    }
    for other in state.kms_of_account(account).filter(|other| other.id != id) {
        if let Some(region) = regions.iter().find(|region| other.regions.contains(region)) {
            return Err(KmsRefusal::RegionTaken { region: region.clone(), account, by: other.name.clone() }.into());
        }
    }
    Ok(())
}

fn check_enabled(regions: &[Region], seen: &AccountProbe) -> Result<(), Refusal> {
    match regions.iter().find(|region| !seen.enabled.contains(region)) {
        Some(region) => Err(KmsRefusal::RegionNotEnabled {
            region: region.clone(),
            account: seen.account,
            enabled: seen.enabled.clone(),
        }
        .into()),
        None => Ok(()),
    }
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
#[derive(Clone, Debug, Default)]
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

/// Equal when the entries are, in the same order: the index follows from them.
impl PartialEq for KmsCollection {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
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

    /// The one change that a patch asks for, after all checks that need no answer of AWS.
    ///
    /// # Errors
    /// When more than one thing would change, or what stands against the one.
    pub fn change(&self, state: &State, patch: KmsPatch) -> Result<KmsChange, Refusal> {
        self.refuse_archived()?;
        let connection = patch.connection.filter(|to| *to != self.connection);
        let regions = patch.regions.filter(|to| *to != self.regions);
        let role = self.patched_role(patch.role)?.filter(|to| Some(to) != self.role.as_ref());
        let change = match (connection, regions, role) {
            (None, None, None) => KmsChange::None,
            (Some(to), None, None) => KmsChange::Connection(to),
            (None, Some(to), None) => KmsChange::Regions { to, forget_keys: patch.forget_keys },
            (None, None, Some(to)) => KmsChange::Role(to),
            _ => return Err(KmsRefusal::SeveralChanges.into()),
        };
        self.check_change(state, &change)?;
        Ok(change)
    }

    fn patched_role(&self, RoleRequest { arn, external_id }: RoleRequest) -> Result<Option<AssumedRole>, Refusal> {
        let now = self.role.as_ref();
        let Some(arn) = arn.or_else(|| now.map(|role| role.arn.clone())) else {
            return match external_id {
                None => Ok(None),
                Some(_) => Err(KmsRefusal::ExternalIdAlone.into()),
            };
        };
        let kept = || now.filter(|role| role.arn == arn)?.external_id.clone();
        let external_id = external_id.or_else(kept);
        Ok(Some(AssumedRole { arn, external_id }))
    }

    /// May the update rest on what AWS said a moment ago? Only one of regions, and only if they were enabled then:
    /// AWS takes longer to disable a region, and a region that was not enabled may be by now.
    pub fn recent_probe_suffices(&self, update: &KmsChange, seen: &AccountProbe) -> bool {
        let KmsChange::Regions { to, .. } = update else { return false };
        check_account(self.account, seen).and_then(|()| check_enabled(to, seen)).is_ok()
    }

    fn check_change(&self, state: &State, update: &KmsChange) -> Result<(), Refusal> {
        match update {
            KmsChange::None => Ok(()),
            KmsChange::Regions { to, forget_keys } => {
                check_regions(state, self.id, self.account, self.cloud, to)?;
                self.refuse_orphans(state, to, *forget_keys)
            }
            KmsChange::Role(role) => check_role(self.cloud, Some(role)),
            KmsChange::Connection(to) => {
                let connection = state.connection(*to)?;
                if connection.settings.cloud != self.cloud {
                    return Err(KmsRefusal::ConnectionElsewhere {
                        connection: connection.name.clone(),
                        partition: self.cloud,
                    }
                    .into());
                }
                Ok(())
            }
        }
    }

    /// Refuses to take a region away whose keys would be forgotten, unless that is what is wanted.
    fn refuse_orphans(&self, state: &State, to: &[Region], forget: bool) -> Result<(), Refusal> {
        if state.operations.values().any(|pending| pending.kms == self.id && !to.contains(&pending.region)) {
            return Err(KmsRefusal::Busy(self.name.clone()).into());
        }
        let removed = self.regions.iter().filter(|region| !to.contains(region));
        for region in removed {
            let count = state.keys.of_region(self.id, region).filter(|key| !key.gone).count();
            if count > 0 && !forget {
                return Err(KmsRefusal::RegionHasKeys { region: region.clone(), count }.into());
            }
        }
        Ok(())
    }

    fn update(&self, state: &State, update: KmsChange, seen: AccountProbe) -> Result<Vec<KmsEvent>, Refusal> {
        self.refuse_archived()?;
        self.check_change(state, &update)?;
        self.check_led_here(&update, &seen)?;
        Ok(match update {
            KmsChange::None => vec![],
            KmsChange::Connection(to) => vec![KmsEvent::ConnectionReplaced { to, arn: seen.arn }],
            KmsChange::Role(to) => vec![KmsEvent::RoleReplaced { to: Some(to), arn: seen.arn }],
            KmsChange::Regions { to, .. } => {
                check_enabled(&to, &seen)?;
                vec![KmsEvent::RegionsReplaced { to }]
            }
        })
    }

    fn check_led_here(&self, update: &KmsChange, seen: &AccountProbe) -> Result<(), Refusal> {
        let member = match update {
            KmsChange::Role(_) => "assume_role_arn",
            KmsChange::None | KmsChange::Connection(_) | KmsChange::Regions { .. } => "connection",
        };
        match seen.account == self.account {
            true => Ok(()),
            false => Err(KmsRefusal::LedElsewhere { member, account: self.account, actual: seen.account }.into()),
        }
    }

    fn update_acls(&self, state: &State, changes: Vec<AclChange>) -> Result<Vec<KmsEvent>, Refusal> {
        self.refuse_archived()?;
        for change in &changes {
            match &change.principal {
                Principal::User(id) => drop(state.user(*id)?),
                Principal::Group(name) => drop(state.group(name)?),
            }
        }
        let mut after = self.acl.clone();
        changes.iter().for_each(|change| after.apply(change));
        Ok(if after == self.acl { vec![] } else { vec![KmsEvent::AclsChanged { changes }] })
    }

    /// The events that take every right away from a principal who will be no more.
    pub fn withdraw_all(&self, principal: &Principal) -> Option<KmsEvent> {
        let held = self.acl.entries().iter().find(|entry| entry.principal == *principal)?;
        let actions = held.actions.iter().collect();
        Some(KmsEvent::AclsChanged {
            changes: vec![AclChange { principal: principal.clone(), actions, permit: false }],
        })
    }

    /// Not while AWS is being asked: what it makes would be known to nobody. What has had no end for a day will have
    /// none: the account or the credentials are gone, and must not keep the KMS here.
    fn refuse_busy(&self, state: &State, at: Time) -> Result<(), Refusal> {
        const GIVEN_UP: i64 = 86_400;
        let mine = state.operations.values().filter(|pending| pending.kms == self.id);
        match mine.map(|pending| pending.since.plus_seconds(GIVEN_UP)).any(|end| end > at) {
            true => Err(KmsRefusal::Busy(self.name.clone()).into()),
            false => Ok(()),
        }
    }

    fn archive(&self) -> Result<Vec<KmsEvent>, Refusal> {
        self.refuse_archived()?;
        Ok(vec![KmsEvent::Archived])
    }

    fn recover(&self) -> Result<Vec<KmsEvent>, Refusal> {
        if self.archived {
            Ok(vec![KmsEvent::Recovered])
        } else {
            Err(KmsRefusal::NotArchived(self.name.clone()).into())
        }
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
