//! The effects of a change of one aggregate on others.
//!
//! As a rule, such a change causes further events, one in the stream of each aggregate that it affects. A stream is
//! then complete by itself, and an event changes its own aggregate only. The first half of this file makes these
//! events. The second half has the exceptions: the events that change the state of another aggregate, and the reasons.

use super::acl::Principal;
use super::drift::difference::Difference;
use super::drift::differences_by;
use super::drift::own::own_aspects;
use super::event::{Event, GroupEvent, KmsEvent, SessionEvent};
use super::id::{JobId, KeyId, KmsId, UserId};
use super::job::event::{JobEvent, SyncEvent};
use super::key::event::{Aspect, KeyEvent};
use super::key::metadata::KeyMetadata;
use super::key::operation::PendingOperation;
use super::key::policy::PolicyContext;
use super::key_store::event::KeyStoreEvent;
use super::name::GroupName;
use super::place::Region;
use super::state::State;
use super::template::TemplateEvent;
use super::time::Time;
use super::user::User;

/// Closes the sessions of a user who is removed or whose password is changed.
pub(super) fn close_sessions(state: &State, user: UserId) -> impl Iterator<Item = Event> {
    state.sessions.of_user(user).map(|id| Event::Session(id, SessionEvent::Closed))
}

/// Removes a user who is removed from all groups.
pub(super) fn leave_groups(user: &User) -> impl Iterator<Item = Event> {
    user.groups.iter().map(|group| Event::Group(group.clone(), GroupEvent::MemberRemoved { user: user.id }))
}

/// Withdraws the rights of a user or group that is removed. A new group of the same name must not inherit them.
pub(super) fn withdraw_rights(state: &State, principal: Principal) -> impl Iterator<Item = Event> {
    state.kms.iter().filter_map(move |kms| Some(Event::Kms(kms.id, kms.withdraw_all(&principal)?)))
}

/// Transfers the rights of a group that is renamed to its new name.
pub(super) fn transfer_rights(state: &State, from: Principal, to: Principal) -> impl Iterator<Item = Event> {
    state.kms.iter().filter_map(move |kms| Some(Event::Kms(kms.id, kms.transfer_all(&from, &to)?)))
}

/// Fails the pending operations on keys of a KMS that is deleted. Their outcome can no longer be read at AWS.
pub(super) fn fail_operations(state: &State, kms: KmsId) -> impl Iterator<Item = Event> {
    let pending = state.operations.iter().filter(move |(_, pending)| pending.kms == kms);
    pending.map(|(operation, pending)| {
        let reason = "the KMS was deleted here before it was known what AWS had done".to_owned();
        Event::Key(pending.key, KeyEvent::OperationFailed { operation: *operation, reason })
    })
}

/// Removes the key stores of other proxies and of CloudHSM clusters in the regions that a KMS manages no more. Nothing
/// is deleted at AWS.
pub(super) fn remove_key_stores(state: &State, kms: KmsId, to: &[Region]) -> impl Iterator<Item = Event> {
    let outside = state.other_stores_of(kms).filter(|store| !to.contains(&store.region));
    outside.map(|store| Event::KeyStore(store.id, KeyStoreEvent::Deleted))
}

/// Verifies the template of a policy that AWS accepted on a key. The tag of the key is no proof that the policy is the
/// template's: a caller may set any tag, and the template may have had another policy when the operation was prepared.
pub(super) fn verify_template(state: &State, done: &PendingOperation, seen: &KeyMetadata) -> Option<Event> {
    let (id, policy) = done.wanted.template()?;
    let template = state.templates.get(&id).filter(|template| !template.verified)?;
    let context = PolicyContext { partition: seen.arn.partition(), account: seen.account(), usage: seen.usage.clone() };
    let is_its_policy = template.policy.for_key(&context).is_ok_and(|own| own == *policy);
    (template.account == seen.account() && is_its_policy).then_some(Event::Template(id, TemplateEvent::Verified))
}

/// Hides the keys of a deleted KMS and of regions that were taken from a KMS together with their keys. There may be
/// 100 000 of them, so they are hidden at once, and their own events follow in batches
/// ([`super::key::command::KeyCommand::RemoveUnmanaged`]).
pub(super) fn hide_keys(state: &mut State, kms: KmsId, event: &KmsEvent) {
    match event {
        KmsEvent::Deleted => state.keys.hide_kms(kms),
        KmsEvent::RegionsReplaced { to } => state.keys.hide_outside(kms, to),
        KmsEvent::Added { .. }
        | KmsEvent::RegionsReplacedKeepingKeys { .. }
        | KmsEvent::ConnectionReplaced { .. }
        | KmsEvent::RoleReplaced { .. }
        | KmsEvent::AclsChanged { .. }
        | KmsEvent::Archived
        | KmsEvent::Recovered
        | KmsEvent::ConnectionReferenced { .. } => {}
    }
}

/// Forgets when the regions of a deleted KMS, and those that were taken from a KMS, were read completely. A region that
/// is added again is read anew, and what is found there is old.
pub(super) fn forget_read_times(state: &mut State, kms: KmsId, event: &KmsEvent) {
    match event {
        KmsEvent::Deleted => state.alarms.forget_regions(kms, &[]),
        KmsEvent::RegionsReplaced { to } | KmsEvent::RegionsReplacedKeepingKeys { to } => {
            state.alarms.forget_regions(kms, to);
        }
        KmsEvent::Added { .. }
        | KmsEvent::ConnectionReplaced { .. }
        | KmsEvent::RoleReplaced { .. }
        | KmsEvent::AclsChanged { .. }
        | KmsEvent::Archived
        | KmsEvent::Recovered
        | KmsEvent::ConnectionReferenced { .. } => {}
    }
}

/// Notes that a synchronisation has read a region completely: alarms are about what happens after it began.
pub(super) fn note_read_times(state: &mut State, job: JobId, event: &JobEvent) {
    let JobEvent::Synchronisation(SyncEvent::RegionFinished { kms, region, .. }) = event else { return };
    let has_region = state.kms.get(kms).is_some_and(|kms| kms.regions.contains(region));
    if let Some(job) = state.jobs.sync.get(job).filter(|_| has_region) {
        let (scope, began) = (job.scope, job.created);
        state.alarms.note_read(*kms, region, scope, began);
    }
}

/// Notes an operation that is concluded, while a schedule watches the KMS. AWS's answer to one of its calls may have been
/// lost, and CloudTrail has the event of that call all the same.
pub(super) fn note_unanswered_change(state: &mut State, at: Time, id: KeyId, event: &KeyEvent) {
    if let KeyEvent::OperationDone { operation, .. }
    | KeyEvent::OperationReconciled { operation, .. }
    | KeyEvent::OperationFailed { operation, .. } = event
        && let Some(pending) = state.operations.get(operation).cloned()
        && state.watched_since(pending.kms).is_some()
    {
        state.drift.note_unanswered(at, id, &pending);
    }
}

/// Returns the differences that an event of a key shows and that no operation of this program made, while a schedule
/// watches the KMS. CloudTrail's event about them may come later than the event here.
pub(super) fn differences_made_outside(state: &State, id: KeyId, event: &KeyEvent) -> Vec<Difference> {
    let (before, kms) = match (state.keys.get(&id), event) {
        (Some(key), _) => (Some(key.as_ref()), key.kms),
        (None, KeyEvent::Found { kms, .. }) => (None, *kms),
        (None, _) => return Vec::new(),
    };
    let Some(since) = state.watched_since(kms) else { return Vec::new() };
    if let KeyEvent::OperationDone { operation, learned } | KeyEvent::OperationReconciled { operation, learned } = event
    {
        let Some(pending) = state.operations.get(operation) else { return Vec::new() };
        let own = own_aspects(&pending.wanted);
        let observed = KeyEvent::Observed { learned: learned.clone() };
        let all = differences_by(before, &observed).into_iter();
        return all.filter(|difference| !own.contains(&difference.aspect)).collect();
    }
    // The first synchronisation finds the keys that were there before.
    if matches!(event, KeyEvent::Found { learned, .. } if !is_younger(learned, since)) {
        return Vec::new();
    }
    differences_by(before, event)
}

fn is_younger(learned: &[Aspect], since: Time) -> bool {
    learned.iter().any(|aspect| match aspect {
        Aspect::Metadata(metadata) => metadata.created_at.is_some_and(|created| created > since),
        Aspect::Aliases(_)
        | Aspect::Tags(_)
        | Aspect::Policy(_)
        | Aspect::Rotation(_)
        | Aspect::ImportedMaterial(_)
        | Aspect::LastUse(_) => false,
    })
}

/// Updates the list of groups at each user. The list is an index: memberships are events in the group's stream. The
/// removal of a group ends all memberships in it, and a new name of the group replaces the old one.
pub(super) fn index_memberships(state: &mut State, name: &GroupName, event: &GroupEvent) {
    match event {
        GroupEvent::MemberAdded { user } => state.users.change(user, |user| user.groups.push(name.clone())),
        GroupEvent::MemberRemoved { user } => {
            state.users.change(user, |user| user.groups.retain(|group| group != name));
        }
        GroupEvent::Removed => {
            change_members(state, name, |groups| groups.retain(|group| group != name));
        }
        GroupEvent::Renamed { to } => change_members(state, name, |groups| {
            groups.iter_mut().filter(|group| *group == name).for_each(|group| *group = to.clone());
        }),
        GroupEvent::Created { .. } | GroupEvent::Described { .. } => {}
    }
}

/// Changes the list of groups of each member of a group.
fn change_members(state: &mut State, name: &GroupName, change: impl Fn(&mut Vec<GroupName>)) {
    let members: Vec<_> = state.users.iter().filter(|user| user.groups.contains(name)).map(|user| user.id).collect();
    for id in members {
        state.users.change(&id, |user| change(&mut user.groups));
    }
}
