//! Our own users and groups who may change a key, and by which actions.

use crate::domain::acl::Principal;
use crate::domain::action::{Action, ActionSet};
use crate::domain::group::SystemGroup;
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::Origin;
use crate::domain::kms::Kms;
use crate::domain::state::State;

/// Somebody who may change a key through this program.
#[derive(Clone, PartialEq, Debug)]
pub enum Manager {
    User {
        id: String,
        name: Option<String>,
        actions: Vec<&'static str>,
    },
    Group {
        name: String,
        actions: Vec<&'static str>,
        /// Whether its members need the right to view the key from another entry.
        needs_view: bool,
    },
    /// A group whose members may do everything on every KMS.
    Administrators {
        name: String,
    },
}

/// The actions that change keys of any kind.
const CHANGES: [Action; 8] = [
    Action::KeyUpdate,
    Action::KeyRotate,
    Action::KeyDelete,
    Action::KeyCancelDelete,
    Action::KeyMaterialImport,
    Action::KeyMaterialDelete,
    Action::KeyCreate,
    Action::KeyBulkOperation,
];

/// Who may change a key, by the access list of its KMS. A user has the actions of his own entry and of those of his groups,
/// and can change the key only if one of them lets him view it. A group whose entry does not is shown all the same: other
/// entries of its members can.
pub(super) fn of(state: &State, kms: &Kms, key: &Key) -> Vec<Manager> {
    let more: &[Action] = match key.metadata.origin {
        Origin::ExternalKeyStore => &[Action::HyokKeyBlockUnblock, Action::HyokKeyDelete, Action::HyokKeyLink],
        Origin::AwsCloudHsm => &[Action::CloudHsmKeyDelete],
        Origin::AwsKms | Origin::External | Origin::Other(_) => &[],
    };
    let administrators = [SystemGroup::Admin, SystemGroup::CckmAdmins];
    let administrators = administrators.map(|group| Manager::Administrators { name: group.name().to_owned() });
    let changes = |granted: ActionSet| -> Vec<&'static str> {
        let permitted = CHANGES.iter().chain(more).filter(|action| granted.permits(**action));
        permitted.map(|action| action.name()).collect()
    };
    let listed = kms.acl.entries().iter().filter_map(|entry| match &entry.principal {
        Principal::User(id) => {
            let user = state.users.get(id);
            let granted = kms.acl.granted(*id, user.map(|user| user.groups.as_slice()).unwrap_or_default());
            let (name, actions) = (user.map(|user| user.name.to_string()), changes(granted));
            let may_change = !actions.is_empty() && granted.permits(key.view_action());
            may_change.then(|| Manager::User { id: id.subject(), name, actions })
        }
        Principal::Group(name) => {
            let actions = changes(entry.actions);
            let needs_view = !entry.actions.permits(key.view_action());
            (!actions.is_empty()).then(|| Manager::Group { name: name.to_string(), actions, needs_view })
        }
    });
    administrators.into_iter().chain(listed).collect()
}
