//! The rights there are: as types, which permits carry, and as values, which the rows of routes name. A type says which
//! value it is, so the guard of a handler can be compared with its row.

use super::granted;
use crate::domain::action::Action;
use crate::domain::group::SystemGroup;
use crate::domain::key::aggregate::Key;
use crate::domain::kms::Kms;
use crate::domain::state::State;
use crate::domain::user::User;
use crate::service::failure::MissingRight;
use std::sync::Arc;

/// The right that a call needs. Members of `admin` have every right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequiredRight {
    Nothing,
    /// What the settings say: nothing, or to be an administrator.
    AsConfigured,
    SignedIn,
    ManageKms,
    ManageConnections,
    ViewConnections,
    ManageSourceKeys,
    ViewSourceKeys,
    ManageUsers,
    ManageSchedules,
    Administer,
    /// Any action on the KMS.
    ViewKms,
    UpdateKms,
    /// The action on the KMS that the path or the body names.
    OnKms(Action),
    /// The action on every KMS that the body names.
    OnEveryKms(Action),
    ViewKey,
    /// The action on the KMS of the key, besides the right to view the key.
    OnKey(Action),
    /// The same of at least one of the keys that the body names.
    OnSomeKey(Action),
    /// Any action on a KMS of the template's account.
    ViewTemplate,
    /// The action on a KMS of the template's account.
    OnTemplate(Action),
    /// To have been able to begin the job.
    ViewSyncJob,
    /// The same, or to have begun it.
    ViewBulkJob,
}

impl RequiredRight {
    /// The groups, besides `admin`, whose members have it.
    pub const fn groups(self) -> &'static [SystemGroup] {
        match self {
            Self::Nothing | Self::AsConfigured | Self::SignedIn => &[],
            Self::Administer => &[SystemGroup::Admin],
            Self::ManageUsers => &[SystemGroup::UserAdmins],
            Self::ManageConnections => &[SystemGroup::ConnectionAdmins],
            Self::ViewConnections => &[SystemGroup::ConnectionAdmins, SystemGroup::CckmAdmins],
            Self::ManageKms
            | Self::ManageSourceKeys
            | Self::ViewSourceKeys
            | Self::ManageSchedules
            | Self::ViewKms
            | Self::UpdateKms
            | Self::OnKms(_)
            | Self::OnEveryKms(_)
            | Self::ViewKey
            | Self::OnKey(_)
            | Self::OnSomeKey(_)
            | Self::ViewTemplate
            | Self::OnTemplate(_)
            | Self::ViewSyncJob
            | Self::ViewBulkJob => &[SystemGroup::CckmAdmins],
        }
    }

    /// The names of these groups, `admin` first.
    pub fn group_names(self) -> Vec<&'static str> {
        let others = self.groups().iter().filter(|group| **group != SystemGroup::Admin);
        [SystemGroup::Admin].iter().chain(others).map(|group| group.name()).collect()
    }

    /// Is it about what the body names, or about what is found only after a look at the state? Then the guard of the
    /// handler admits everybody who is signed in, and the use case authorizes.
    pub const fn is_checked_by_the_use_case(self) -> bool {
        match self {
            Self::ViewKms
            | Self::OnKms(_)
            | Self::OnEveryKms(_)
            | Self::OnSomeKey(_)
            | Self::OnTemplate(_)
            | Self::ViewSyncJob
            | Self::ViewBulkJob => true,
            Self::Nothing
            | Self::AsConfigured
            | Self::SignedIn
            | Self::ManageKms
            | Self::ManageConnections
            | Self::ViewConnections
            | Self::ManageSourceKeys
            | Self::ViewSourceKeys
            | Self::ManageUsers
            | Self::ManageSchedules
            | Self::Administer
            | Self::UpdateKms
            | Self::ViewKey
            | Self::OnKey(_)
            | Self::ViewTemplate => false,
        }
    }
}

/// A right that does not depend on a single KMS.
pub trait Right: 'static {
    const REQUIRED: RequiredRight;

    /// Authorizes a user who is in none of the groups.
    ///
    /// # Errors
    /// What is lacking.
    fn otherwise(_: &User, _: &State) -> Result<(), MissingRight> {
        Err(MissingRight::Membership(Self::REQUIRED.group_names()))
    }
}

macro_rules! rights {
    ($($(#[$doc:meta])* $right:ident,)*) => {
        $($(#[$doc])*
        pub struct $right;

        impl Right for $right {
            const REQUIRED: RequiredRight = RequiredRight::$right;
        })*
    };
}

rights! {
    SignedIn,
    /// To add KMSs and to look at accounts.
    ManageKms,
    ManageConnections,
    /// To see connections, which managing KMSs needs as well.
    ViewConnections,
    /// To make, change, export and delete source keys.
    ManageSourceKeys,
    /// To manage users and groups.
    ManageUsers,
    ManageSchedules,
    /// To do what only members of `admin` may.
    Administer,
}

/// To see source keys, without their material: a user who may use one on any KMS must be able to choose it.
pub struct ViewSourceKeys;

impl Right for ViewSourceKeys {
    const REQUIRED: RequiredRight = RequiredRight::ViewSourceKeys;

    fn otherwise(user: &User, state: &State) -> Result<(), MissingRight> {
        let uses_material = |kms: &Arc<Kms>| {
            let granted = granted(user, kms);
            granted.permits(Action::KeyUpload) || granted.permits(Action::KeyMaterialImport)
        };
        match state.kms.iter().any(uses_material) {
            true => Ok(()),
            false => Err(MissingRight::UseOfMaterial(Self::REQUIRED.group_names())),
        }
    }
}

/// A right on a single KMS.
pub trait KmsRight: 'static {
    /// The action that must be permitted; none: only administrators of KMSs may.
    const ACTION: Option<Action>;

    fn required() -> RequiredRight {
        match Self::ACTION {
            Some(Action::View) => RequiredRight::ViewKms,
            Some(action) => RequiredRight::OnKms(action),
            None => RequiredRight::UpdateKms,
        }
    }

    /// The same with a policy template, which belongs to an account.
    fn required_on_template() -> RequiredRight {
        match Self::ACTION {
            Some(Action::View) => RequiredRight::ViewTemplate,
            Some(action) => RequiredRight::OnTemplate(action),
            None => RequiredRight::ManageKms,
        }
    }
}

/// To view the KMS, for which any action on it is enough.
pub struct View;
/// To change the KMS itself.
pub struct Update;

impl KmsRight for View {
    const ACTION: Option<Action> = Some(Action::View);
}
impl KmsRight for Update {
    const ACTION: Option<Action> = None;
}

/// A right on a single key.
pub trait KeyRight: 'static {
    const REQUIRED: RequiredRight;
    /// The action that must be permitted on the key's KMS.
    fn action(key: &Key) -> Action;
}

/// To view a key: which action that takes depends on the key.
pub struct ViewKey;

impl KeyRight for ViewKey {
    const REQUIRED: RequiredRight = RequiredRight::ViewKey;

    fn action(key: &Key) -> Action {
        key.view_action()
    }
}

/// Rights that are one action, on a key as on a KMS.
macro_rules! actions {
    ($($(#[$doc:meta])* $right:ident = $action:ident,)*) => {
        $($(#[$doc])*
        pub struct $right;

        impl KmsRight for $right {
            const ACTION: Option<Action> = Some(Action::$action);
        }

        impl KeyRight for $right {
            const REQUIRED: RequiredRight = RequiredRight::OnKey(Action::$action);

            fn action(_: &Key) -> Action {
                Action::$action
            }
        })*
    };
}

actions! {
    CreateKey = KeyCreate,
    UploadKey = KeyUpload,
    /// To change a key: state, policy, description, tags, aliases, automatic rotation.
    UpdateKey = KeyUpdate,
    RotateKey = KeyRotate,
    /// To schedule a key's deletion, or to forget one that is gone.
    DeleteKey = KeyDelete,
    CancelKeyDeletion = KeyCancelDelete,
    ImportMaterial = KeyMaterialImport,
    DeleteMaterial = KeyMaterialDelete,
    /// To read keys from AWS.
    Synchronize = KeySynchronize,
    RunBulkJobs = KeyBulkOperation,
}
