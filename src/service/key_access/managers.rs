//! Our own users and groups who may change a key, and by which actions.

use crate::domain::acl::Principal;
use crate::domain::action::Action;
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

/// Who may change a key, by the access list of its KMS. An entry without the right to view the key does not count.
pub(super) fn of(state: &State, kms: &Kms, key: &Key) -> Vec<Manager> {
    let more: &[Action] = match key.metadata.origin {
        Origin::ExternalKeyStore => &[Action::HyokKeyBlockUnblock, Action::HyokKeyDelete, Action::HyokKeyLink],
        Origin::AwsCloudHsm => &[Action::CloudHsmKeyDelete],
        Origin::AwsKms | Origin::External | Origin::Other(_) => &[],
    };
    let administrators = [SystemGroup::Admin, SystemGroup::CckmAdmins];
    let administrators = administrators.map(|group| Manager::Administrators { name: group.name().to_owned() });
    let listed = kms.acl.entries().iter().filter_map(|entry| {
        let changes = CHANGES.iter().chain(more).filter(|action| entry.actions.permits(**action));
        let actions: Vec<&'static str> = changes.map(|action| action.name()).collect();
        if actions.is_empty() || !entry.actions.permits(key.view_action()) {
            return None;
        }
        Some(match &entry.principal {
            Principal::User(id) => {
                let name = state.users.get(id).map(|user| user.name.to_string());
                Manager::User { id: id.subject(), name, actions }
            }
            Principal::Group(name) => Manager::Group { name: name.to_string(), actions },
        })
    });
    administrators.into_iter().chain(listed).collect()
}
