//! Decides the commands of KMSs. AWS's answers are part of the commands.

use super::{
    AccountProbe, AssumedRole, ConnectionReference, Kms, KmsChange, KmsCommand, KmsPatch, NewKms, RoleRequest,
};
use crate::domain::acl::{AclChange, Principal};
use crate::domain::cascade;
use crate::domain::event::{Event, KmsEvent};
use crate::domain::id::KmsId;
use crate::domain::place::{AccountId, Partition, Region};
use crate::domain::refusal::{KmsRefusal, Refusal};
use crate::domain::state::State;
use crate::domain::time::Time;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: KmsCommand) -> Result<Vec<Event>, Refusal> {
    let (id, events) = match command {
        KmsCommand::Add { new, seen } => (new.id, add(state, new, seen)?),
        KmsCommand::Update { id, update, connection, role, seen } => {
            let kms = state.kms(id)?;
            // The probe used the old role with a new connection, or the old connection with a new role. A new role may
            // also have been completed with the old ARN or external id.
            let is_stale = match update {
                KmsChange::None | KmsChange::Regions { .. } => false,
                KmsChange::Connection(_) => role != kms.role,
                KmsChange::Role(_) => role != kms.role || connection != kms.connection,
            };
            if is_stale {
                return Err(KmsRefusal::Changed(kms.name.clone()).into());
            }
            let events = kms.update(state, update, seen)?;
            let forgetting = events.iter().find_map(|event| {
                let KmsEvent::RegionsReplaced { to } = event else { return None };
                Some(to)
            });
            let mut all: Vec<Event> = match forgetting {
                Some(to) => cascade::remove_key_stores(state, id, to).collect(),
                None => Vec::new(),
            };
            all.extend(events.into_iter().map(|event| Event::Kms(id, event)));
            return Ok(all);
        }
        KmsCommand::UpdateAcls { id, changes } => (id, state.kms(id)?.update_acls(state, changes)?),
        KmsCommand::Archive { id } => (id, state.kms(id)?.archive()?),
        KmsCommand::Recover { id } => (id, state.kms(id)?.recover()?),
        KmsCommand::Delete { id, at } => {
            let kms = state.kms(id)?;
            kms.refuse_busy(state, at)?;
            kms.refuse_key_stores_outside(state, &[])?;
            let stores = cascade::remove_key_stores(state, id, &[]);
            let deleted = [Event::Kms(id, KmsEvent::Deleted)];
            return Ok(cascade::fail_operations(state, id).chain(stores).chain(deleted).collect());
        }
    };
    Ok(events.into_iter().map(|event| Event::Kms(id, event)).collect())
}

/// Checks a new KMS as far as that is possible without AWS.
///
/// # Errors
/// The rule that forbids the new KMS.
pub fn check_new(state: &State, new: &NewKms) -> Result<(), Refusal> {
    if state.kms_named(&new.name).is_some() {
        return Err(KmsRefusal::NameTaken(new.name.clone()).into());
    }
    let connection = state.connection(new.connection.id)?;
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
    let cloud = state.connection(new.connection.id)?.settings.cloud;
    let NewKms { id: _, name, account, connection: ConnectionReference { id: connection, by_id }, role, regions } = new;
    let mut events = vec![KmsEvent::Added { name, account, arn: seen.arn, connection, role, regions, cloud }];
    events.extend(by_id.then_some(KmsEvent::ConnectionReferenced { by_id }));
    Ok(events)
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

impl Kms {
    /// Returns the single change that a patch requests, and checks it as far as that is possible without AWS.
    ///
    /// # Errors
    /// When more than one thing would change, or a rule forbids the change.
    pub fn change(&self, state: &State, patch: KmsPatch) -> Result<KmsChange, Refusal> {
        self.refuse_archived()?;
        let connection = patch.connection.filter(|to| to.id != self.connection);
        // The same connection in its other form is no second change.
        let reference = patch.connection.filter(|to| to.by_id != self.connection_by_id);
        let regions = patch.regions.filter(|to| *to != self.regions);
        let role = self.patched_role(patch.role)?.filter(|to| Some(to) != self.role.as_ref());
        let change = match (connection, regions, role) {
            (None, None, None) => reference.map_or(KmsChange::None, KmsChange::Connection),
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

    /// Whether a recent probe is enough for the update. It is for a change of regions that were all enabled: AWS takes
    /// minutes to disable a region. A region that was not enabled may be enabled by now.
    pub fn recent_probe_suffices(&self, update: &KmsChange, seen: &AccountProbe) -> bool {
        let KmsChange::Regions { to, .. } = update else { return false };
        check_account(self.account, seen).and_then(|()| check_enabled(to, seen)).is_ok()
    }

    fn check_change(&self, state: &State, update: &KmsChange) -> Result<(), Refusal> {
        match update {
            KmsChange::None => Ok(()),
            KmsChange::Regions { to, .. } => {
                check_regions(state, self.id, self.account, self.cloud, to)?;
                self.refuse_key_stores_outside(state, to)?;
                self.refuse_pending_outside(state, to)
            }
            KmsChange::Role(role) => check_role(self.cloud, Some(role)),
            KmsChange::Connection(to) => {
                let connection = state.connection(to.id)?;
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

    /// Refuses the removal of a region while operations on its keys or key stores are pending.
    fn refuse_pending_outside(&self, state: &State, to: &[Region]) -> Result<(), Refusal> {
        match self.pending(state).any(|(region, _)| !to.contains(region)) {
            true => Err(KmsRefusal::Busy(self.name.clone()).into()),
            false => Ok(()),
        }
    }

    /// Refuses the removal of a region with key stores that this program serves: AWS would lose their keys.
    fn refuse_key_stores_outside(&self, state: &State, to: &[Region]) -> Result<(), Refusal> {
        match state.local_stores_of(self.id).find(|store| !to.contains(&store.region)) {
            Some(store) => Err(KmsRefusal::HasKeyStore { kms: self.name.clone(), store: store.name.clone() }.into()),
            None => Ok(()),
        }
    }

    fn update(&self, state: &State, update: KmsChange, seen: AccountProbe) -> Result<Vec<KmsEvent>, Refusal> {
        self.refuse_archived()?;
        self.check_change(state, &update)?;
        self.check_led_here(&update, &seen)?;
        Ok(match update {
            KmsChange::None => vec![],
            KmsChange::Connection(ConnectionReference { id, by_id }) => {
                let replaced =
                    (id != self.connection).then_some(KmsEvent::ConnectionReplaced { to: id, arn: seen.arn });
                let referenced = (by_id != self.connection_by_id).then_some(KmsEvent::ConnectionReferenced { by_id });
                replaced.into_iter().chain(referenced).collect()
            }
            KmsChange::Role(to) => vec![KmsEvent::RoleReplaced { to: Some(to), arn: seen.arn }],
            KmsChange::Regions { to, forget_keys } => {
                check_enabled(&to, &seen)?;
                let keeps_keys = !forget_keys && state.keys.are_outside(self.id, &to);
                vec![match keeps_keys {
                    true => KmsEvent::RegionsReplacedKeepingKeys { to },
                    false => KmsEvent::RegionsReplaced { to },
                }]
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
                Principal::User(id) => drop(state.user(*id).map_err(|refusal| refusal.of("user_id"))?),
                Principal::Group(name) => drop(state.group(name).map_err(|refusal| refusal.of("group"))?),
            }
        }
        let mut after = self.acl.clone();
        let complete = changes.into_iter().map(|change| {
            let change = after.with_needed_views(change);
            after.apply(&change);
            change
        });
        let changes = complete.collect();
        Ok(if after == self.acl { vec![] } else { vec![KmsEvent::AclsChanged { changes }] })
    }

    /// Refuses the deletion while operations on keys or key stores are pending: a key or store that AWS creates
    /// meanwhile would be lost. An operation that has been pending for a day does not count. Its account or credentials
    /// are probably gone, and the KMS must be deletable nonetheless.
    fn refuse_busy(&self, state: &State, at: Time) -> Result<(), Refusal> {
        const GIVEN_UP: i64 = 86_400;
        match self.pending(state).map(|(_, since)| since.plus_seconds(GIVEN_UP)).any(|end| end > at) {
            true => Err(KmsRefusal::Busy(self.name.clone()).into()),
            false => Ok(()),
        }
    }

    /// The pending operations on keys and key stores: the region and the beginning of each.
    fn pending<'a>(&'a self, state: &'a State) -> impl Iterator<Item = (&'a Region, Time)> {
        let keys = state.operations.values().filter(|pending| pending.kms == self.id);
        let stores = state.key_stores.iter().filter(|store| store.kms == self.id);
        let of_stores = stores.filter_map(|store| Some((&store.region, store.operation.as_ref()?.since)));
        keys.map(|pending| (&pending.region, pending.since)).chain(of_stores)
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
}
