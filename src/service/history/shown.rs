//! What a caller sees of an event: what the resource itself shows to the caller, and no more.

use super::Entry;
use crate::domain::event::{ConnectionEvent, Event, KmsEvent, UserEvent};
use crate::domain::group::SystemGroup;
use crate::domain::schedule::{ScheduleEvent, ScheduleSettings, SynchronizationPlan, Work};
use crate::domain::template::TemplateEvent;
use crate::ledger::{self, Record};
use crate::service::access;
use crate::service::caller::Caller;
use serde_json::{Map, Value};

/// An event as this caller may view it.
pub(super) fn entry(caller: &Caller, record: Record) -> Entry {
    let Record { seq, time, actor, request_id, mut event, .. } = record;
    let is_seen = restrict(caller, &mut event);
    let resource = event.stream().to_string();
    let (event, details) = ledger::name_and_members(&event);
    let details = if is_seen { details } else { Value::Object(Map::new()) };
    Entry { seq, time, actor, request_id, resource, event, details }
}

/// Removes from an event what the caller may not see; returns false if that is all of its members.
fn restrict(caller: &Caller, event: &mut Event) -> bool {
    let (user, state) = (&caller.user, &caller.published.state);
    let administers_kms = access::administers_kms(user);
    match event {
        // A caller who does not administer KMSs sees only the caller's own permissions, and no external id, as in the
        // KMS itself.
        Event::Kms(_, KmsEvent::AclsChanged { changes }) if !administers_kms => {
            changes.retain(|change| change.principal.applies_to(user.id, &user.groups));
        }
        Event::Kms(_, KmsEvent::Added { role: Some(role), .. } | KmsEvent::RoleReplaced { to: Some(role), .. })
            if !administers_kms =>
        {
            role.external_id = None;
        }
        Event::Connection(
            _,
            ConnectionEvent::Created { settings, .. } | ConnectionEvent::SettingsChanged { settings },
        ) if !administers_kms => {
            if let Some(role) = &mut settings.role {
                role.external_id = None;
            }
        }
        // Addresses are for auditors.
        Event::User(_, UserEvent::LoggedIn { source } | UserEvent::LoginFailed { source })
            if !user.is_in(SystemGroup::Admin) =>
        {
            source.clear();
        }
        Event::Template(_, TemplateEvent::Created { kms, .. }) => {
            *kms = kms.filter(|kms| access::sees_kms_of(user, state, *kms));
        }
        Event::Template(_, TemplateEvent::Pushed(push)) => {
            push.done.retain(|key| access::sees_key_of(user, state, *key));
            push.failed.retain(|(key, _)| access::sees_key_of(user, state, *key));
        }
        Event::Schedule(_, ScheduleEvent::KeyTreated { key, .. }) => return access::sees_key_of(user, state, *key),
        Event::Schedule(_, ScheduleEvent::StoreTreated { store, .. }) => {
            let seen = |store: &_| access::sees_key_store(user, state, store);
            return state.key_stores.get(store).map_or(administers_kms, |store| seen(store));
        }
        Event::Schedule(_, ScheduleEvent::Created { settings, .. } | ScheduleEvent::Updated { settings }) => {
            return restrict_settings(caller, settings);
        }
        _ => {}
    }
    true
}

fn restrict_settings(caller: &Caller, settings: &mut ScheduleSettings) -> bool {
    let sees = |kms| access::sees_kms_of(&caller.user, &caller.published.state, kms);
    match &mut settings.work {
        Work::WatchDrift(plan) => sees(plan.kms),
        Work::Synchronize(SynchronizationPlan::Kms(kms)) => {
            kms.retain(|kms| sees(*kms));
            true
        }
        Work::Synchronize(SynchronizationPlan::All)
        | Work::RotateKeys(_)
        | Work::RotateCredentials
        | Work::BackUp(_) => true,
    }
}
