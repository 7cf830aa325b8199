//! What a user may do, for clients that show only what will be permitted. The checks themselves are not made here: each
//! call makes its own.

use super::{
    Administer, KeyRight, ManageAlarms, ManageConnections, ManageKms, ManageSchedules, ManageSourceKeys, ManageUsers,
    RequiredRight, Right, Update, ViewConnections, ViewSourceKeys, administers_kms, check, check_kms, granted, sees,
};
use crate::domain::action::Action;
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::Origin;
use crate::domain::kms::Kms;
use crate::domain::state::State;
use crate::domain::user::User;
use std::sync::Arc;

/// Returns the rights of a user that do not depend on a KMS.
pub fn own_rights(user: &User, state: &State) -> Vec<RequiredRight> {
    fn one<R: Right>(user: &User, state: &State) -> Option<RequiredRight> {
        check::<R>(user, state).is_ok().then_some(R::REQUIRED)
    }
    let all = [
        one::<Administer>,
        one::<ManageUsers>,
        one::<ManageConnections>,
        one::<ViewConnections>,
        one::<ManageKms>,
        one::<ManageSourceKeys>,
        one::<ViewSourceKeys>,
        one::<ManageSchedules>,
        one::<ManageAlarms>,
    ];
    all.into_iter().filter_map(|right| right(user, state)).collect()
}

/// Returns the KMSs that a user may view, by name.
pub fn own_kms<'s>(user: &User, state: &'s State) -> Vec<&'s Arc<Kms>> {
    let mut seen: Vec<_> = state.kms.iter().filter(|kms| sees(user, kms)).collect();
    seen.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
    seen
}

/// Returns whether a user may change a KMS itself and its permissions.
pub fn may_update(user: &User, kms: &Kms) -> bool {
    check_kms::<Update>(user, kms).is_ok()
}

/// Returns the actions that a user may do on a KMS. The old action `view` shows as the two that it stands for.
pub fn own_actions(user: &User, kms: &Kms) -> Vec<Action> {
    let (administers, granted) = (administers_kms(user), granted(user, kms));
    let may = |action: &Action| *action != Action::View && (administers || granted.permits(*action));
    Action::ALL.iter().copied().filter(may).collect()
}

/// Returns the actions that a user may do on a key, of those that are about keys of its kind.
pub fn own_actions_on_key(user: &User, kms: &Kms, key: &Key) -> Vec<Action> {
    let of_kind = actions_about(key);
    own_actions(user, kms).into_iter().filter(|action| of_kind.contains(action)).collect()
}

fn actions_about(key: &Key) -> Vec<Action> {
    let mut actions =
        vec![key.view_action(), Action::KeyUpdate, super::DeleteKey::action(key), Action::KeyBulkOperation];
    if key.is_unlinked() {
        actions.extend([Action::HyokKeyBlockUnblock, Action::HyokKeyLink]);
        return actions;
    }
    actions.extend([Action::KeyCancelDelete, Action::KeySynchronize]);
    match key.metadata.origin {
        Origin::AwsKms | Origin::Other(_) => actions.push(Action::KeyRotate),
        Origin::External => {
            actions.extend([Action::KeyRotate, Action::KeyMaterialImport, Action::KeyMaterialDelete]);
        }
        Origin::ExternalKeyStore => actions.push(Action::HyokKeyBlockUnblock),
        Origin::AwsCloudHsm => {}
    }
    actions
}
