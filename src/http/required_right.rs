//! The texts of required rights for the description of the API and for docs/api.md.

use super::query::quoted;
use crate::service::access::RequiredRight;

impl RequiredRight {
    /// A sentence for the description of the API; `None` if the call needs no token, or any token will do.
    pub fn sentence(self) -> Option<String> {
        let users = match self {
            Self::Nothing | Self::SignedIn => return None,
            Self::AsConfigured => {
                return Some(
                    "The settings can require a token of a member of `admin`, or disable the path.".to_owned(),
                );
            }
            Self::ManageKms
            | Self::ManageConnections
            | Self::ViewConnections
            | Self::ManageSourceKeys
            | Self::ManageUsers
            | Self::ManageSchedules
            | Self::ManageAlarms
            | Self::Administer
            | Self::UpdateKms => None,
            Self::ViewSourceKeys => Some("users with `keyupload` or `keymaterialimport` on any KMS".to_owned()),
            Self::ViewKms => Some("users with any action on the KMS".to_owned()),
            Self::OnKms(action) => Some(format!("users with `{}` on the KMS", action.name())),
            Self::OnEveryKms(action) => Some(format!("users with `{}` on each of the KMSs", action.name())),
            Self::OnSomeKms(action) => Some(format!("users with `{}` on at least one KMS", action.name())),
            Self::ViewKey => Some(
                "users with `viewnative` (for a key with imported material, `viewbyok`) on the key's KMS".to_owned(),
            ),
            Self::OnKey(action) => Some(format!("users who may view the key and have `{}` on its KMS", action.name())),
            Self::OnSomeKey(action) => {
                Some(format!("users who may view one of the keys and have `{}` on its KMS", action.name()))
            }
            Self::ViewKeyStore => Some("users with `viewkeystore` on the KMS of the store".to_owned()),
            Self::OnKeyStore(action) => {
                Some(format!("users who may view the store and have `{}` on its KMS", action.name()))
            }
            Self::ViewTemplate => Some("users with any action on a KMS of the template's account".to_owned()),
            Self::OnTemplate(action) => {
                Some(format!("users with `{}` on a KMS of the template's account", action.name()))
            }
            Self::ViewSyncJob => Some("users with `keysynchronize` on each of the job's KMSs".to_owned()),
            Self::ViewReport => Some("users with `reportview` on each KMS of the report".to_owned()),
            Self::OnReport(action) => {
                Some(format!("users who may view the report and have `{}` on each of its KMSs", action.name()))
            }
            Self::ViewBulkJob => {
                Some("the user who started the job, and users with `keybulkoperation` on each of its keys".to_owned())
            }
        };
        let members = format!("members of {}", quoted(&self.group_names()));
        Some(match users {
            Some(users) => format!("For {members}, and {users}."),
            None => format!("For {members}."),
        })
    }

    /// The name of the right in docs/api.md, which explains each.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::AsConfigured => "none, or admin",
            Self::SignedIn => "signed in",
            Self::ManageKms | Self::UpdateKms => "KMS",
            Self::ManageConnections => "connections",
            Self::ViewConnections => "connections view",
            Self::ManageSourceKeys => "source keys",
            Self::ViewSourceKeys => "source keys view",
            Self::ManageUsers => "users",
            Self::ManageSchedules => "schedules",
            Self::ManageAlarms => "alarms",
            Self::Administer => "admin",
            Self::ViewKms => "KMS view",
            Self::ViewKey => "key view",
            Self::ViewKeyStore => "viewkeystore",
            Self::ViewTemplate => "template view",
            Self::ViewSyncJob | Self::ViewBulkJob => "job view",
            Self::ViewReport => "reportview",
            Self::OnKms(action)
            | Self::OnEveryKms(action)
            | Self::OnSomeKms(action)
            | Self::OnKey(action)
            | Self::OnSomeKey(action)
            | Self::OnKeyStore(action)
            | Self::OnReport(action)
            | Self::OnTemplate(action) => action.name(),
        }
    }

    /// The statuses of the error table with which a call without the right is rejected.
    pub(super) fn failures(self) -> &'static [u16] {
        match self {
            Self::Nothing => &[],
            Self::AsConfigured => &[401, 403, 404],
            Self::SignedIn => &[401],
            Self::ManageKms
            | Self::ManageConnections
            | Self::ViewConnections
            | Self::ManageSourceKeys
            | Self::ViewSourceKeys
            | Self::ManageUsers
            | Self::ManageSchedules
            | Self::ManageAlarms
            | Self::OnSomeKms(_)
            | Self::Administer => &[401, 403],
            Self::ViewKms
            | Self::ViewKeyStore
            | Self::ViewTemplate
            | Self::ViewSyncJob
            | Self::ViewBulkJob
            | Self::ViewReport => &[401, 404],
            // A user who may not view the resource gets 404, as if it did not exist.
            Self::UpdateKms
            | Self::OnKms(_)
            | Self::OnEveryKms(_)
            | Self::ViewKey
            | Self::OnKey(_)
            | Self::OnSomeKey(_)
            | Self::OnKeyStore(_)
            | Self::OnReport(_)
            | Self::OnTemplate(_) => &[401, 403, 404],
        }
    }
}
