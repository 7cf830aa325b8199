//! What a user may view. Of what was removed, only administrators of KMSs see the id.

use super::{Right, ViewConnections, administers_kms, granted, may_on_report};
use crate::domain::action::Action;
use crate::domain::alarm::{Alarm, Subject};
use crate::domain::drift::DriftEntry;
use crate::domain::id::{KeyId, KmsId};
use crate::domain::key::aggregate::Key;
use crate::domain::key_store::KeyStore;
use crate::domain::kms::Kms;
use crate::domain::report::Report;
use crate::domain::state::State;
use crate::domain::template::Template;
use crate::domain::user::User;
use crate::service::caller::is_one_of;
use std::sync::Arc;

/// Returns whether this user may view the KMS.
pub fn sees(user: &User, kms: &Kms) -> bool {
    administers_kms(user) || !granted(user, kms).is_empty()
}

/// Returns whether this user may view the KMS of this id. Only administrators see the id of a deleted KMS.
pub fn sees_kms_of(user: &User, state: &State, kms: KmsId) -> bool {
    state.kms.get(&kms).map_or_else(|| administers_kms(user), |kms| sees(user, kms))
}

/// Returns whether this user may view the key.
pub fn sees_key(user: &User, state: &State, key: &Key) -> bool {
    administers_kms(user) || state.kms.get(&key.kms).is_some_and(|kms| granted(user, kms).permits(key.view_action()))
}

/// Returns whether this user may view the key of this id. Only administrators see the id of a key that was removed.
pub fn sees_key_of(user: &User, state: &State, key: KeyId) -> bool {
    state.keys.get(&key).map_or_else(|| administers_kms(user), |key| sees_key(user, state, key))
}

/// Returns whether this user may view the key store.
pub fn sees_key_store(user: &User, state: &State, store: &KeyStore) -> bool {
    let views = |kms: &Arc<Kms>| granted(user, kms).permits(Action::ViewKeyStore);
    administers_kms(user) || state.kms.get(&store.kms).is_some_and(views)
}

/// Returns whether this user may view the template.
pub fn sees_template(user: &User, state: &State, template: &Template) -> bool {
    administers_kms(user) || state.kms_of_account(template.account).any(|kms| sees(user, kms))
}

/// Returns whether this user may view the report.
pub fn sees_report(user: &User, state: &State, report: &Report) -> bool {
    may_on_report(user, state, report, Action::ReportView)
}

/// Returns whether this user may view the alarm: one of a key or a key store with the right to view that, and one of a
/// connection with the right to view connections.
pub fn sees_alarm(user: &User, state: &State, alarm: &Alarm) -> bool {
    match &alarm.facts.subject {
        Subject::Key { key, .. } => sees_key_of(user, state, *key),
        Subject::KeyStore { store, .. } => match state.key_stores.get(store) {
            Some(store) => sees_key_store(user, state, store),
            None => administers_kms(user),
        },
        Subject::Connection { .. } => is_one_of(user, ViewConnections::REQUIRED.groups()),
    }
}

/// Returns whether this user may view an entry of the drift watch: one with the right to view its key. One about a key
/// that is not known here is for administrators of KMSs.
pub fn sees_drift(user: &User, state: &State, entry: &DriftEntry) -> bool {
    entry.facts.key.map_or_else(|| administers_kms(user), |key| sees_key_of(user, state, key))
}
