//! Who is told that a resource has changed: whoever may view it. Of a deleted one, those who may view its past.

use super::{
    Administer, ManageAlarms, Right, ViewConnections, ViewSourceKeys, administers_kms, check, manages_users,
    may_on_all, sees, sees_alarm, sees_key, sees_kms_of, sees_past, sees_report,
};
use crate::domain::action::Action;
use crate::domain::event::Stream;
use crate::domain::id::{JobId, KmsId};
use crate::domain::job::bulk::BulkJob;
use crate::domain::job::sync::SyncJob;
use crate::domain::state::State;
use crate::domain::user::User;
use std::collections::HashMap;

/// Returns whether this user is told that a resource has changed.
pub fn sees_change(user: &User, state: &State, stream: &Stream) -> bool {
    match stream {
        Stream::User(id) => *id == user.id || manages_users(user),
        Stream::Session(id) => {
            has::<Administer>(user, state) || state.sessions.get(id).is_some_and(|session| session.user == user.id)
        }
        Stream::Connection(_) => has::<ViewConnections>(user, state) && sees_past(user, state, stream),
        Stream::SourceKey(_) => has::<ViewSourceKeys>(user, state) && sees_past(user, state, stream),
        Stream::Job(id) => sees_job(user, state, *id),
        Stream::Alarm(number) => match state.alarms.all.get(number) {
            Some(alarm) => sees_alarm(user, state, alarm),
            None => administers_kms(user),
        },
        Stream::Drift(kms) => sees_kms_of(user, state, *kms),
        Stream::Posture => administers_kms(user) || state.kms.iter().any(|kms| sees(user, kms)),
        Stream::Report(id) => match state.reports.get(id) {
            Some(report) => sees_report(user, state, report),
            None => administers_kms(user),
        },
        Stream::Webhook(_) => has::<ManageAlarms>(user, state),
        Stream::Installation | Stream::Backup(_) | Stream::Forwarder(_) => has::<Administer>(user, state),
        Stream::Kms(_)
        | Stream::Key(_)
        | Stream::Template(_)
        | Stream::KeyStore(_)
        | Stream::Group(_)
        | Stream::Schedule(_) => sees_past(user, state, stream),
    }
}

fn has<R: Right>(user: &User, state: &State) -> bool {
    check::<R>(user, state).is_ok()
}

fn sees_job(user: &User, state: &State, id: JobId) -> bool {
    let synchronisation = state.jobs.sync.get(id).map(|job| sees_sync_job(user, state, job));
    let bulk = || state.jobs.bulk.get(id).map(|job| sees_bulk_job(user, state, job));
    synchronisation.or_else(bulk).unwrap_or_else(|| administers_kms(user))
}

/// Returns whether this user may view the synchronisation: users who may start it may.
pub fn sees_sync_job(user: &User, state: &State, job: &SyncJob) -> bool {
    let kms = job.kms();
    kms.iter().all(|id| sees_kms_of(user, state, *id)) && may_on_all(user, state, Action::KeySynchronize, kms)
}

/// Returns whether this user may view the bulk job: the user who started it may, and users who may run bulk jobs on all
/// of its keys.
pub fn sees_bulk_job(user: &User, state: &State, job: &BulkJob) -> bool {
    if job.by == user.id || administers_kms(user) {
        return true;
    }
    // A job may have many keys, and they are of a few KMSs.
    let mut permitted: HashMap<(KmsId, Action), bool> = HashMap::new();
    job.keys.iter().all(|key| {
        // Only administrators see a key that was removed.
        let Some(key) = state.keys.get(&key.id) else { return false };
        *permitted.entry((key.kms, key.view_action())).or_insert_with(|| {
            sees_key(user, state, key) && may_on_all(user, state, Action::KeyBulkOperation, [key.kms])
        })
    })
}
