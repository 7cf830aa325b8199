//! The rights, as types and as values. Permits carry the types; the rows of routes name the values. Each type names its
//! value, so a test can compare the guard of a handler with the row of its route.

use super::{granted, may_somewhere};
use crate::domain::action::Action;
use crate::domain::group::SystemGroup;
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::Origin;
use crate::domain::kms::Kms;
use crate::domain::state::State;
use crate::domain::user::User;
use crate::service::failure::MissingRight;
use std::marker::PhantomData;
use std::sync::Arc;

/// The right that a call needs. Members of `admin` have every right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequiredRight {
    Nothing,
    /// Nothing, or membership in `admin`, depending on the settings.
    AsConfigured,
    SignedIn,
    ManageKms,
    ManageConnections,
    ViewConnections,
    ManageSourceKeys,
    ViewSourceKeys,
    ManageUsers,
    ManageSchedules,
    /// To manage webhooks, and to acknowledge and clear alarms.
    ManageAlarms,
    Administer,
    /// Any action on the KMS.
    ViewKms,
    UpdateKms,
    /// The action on the KMS that the path or the body names.
    OnKms(Action),
    /// The action on every KMS that the body names.
    OnEveryKms(Action),
    /// The action on at least one KMS.
    OnSomeKms(Action),
    ViewKey,
    /// The action on the KMS of the key, in addition to the right to view the key.
    OnKey(Action),
    /// The action on at least one of the keys that the body names, in addition to the right to view that key.
    OnSomeKey(Action),
    ViewKeyStore,
    /// The action on the KMS of the key store, in addition to the right to view the store.
    OnKeyStore(Action),
    /// Any action on a KMS of the template's account.
    ViewTemplate,
    /// The action on a KMS of the template's account.
    OnTemplate(Action),
    /// The right to start the job.
    ViewSyncJob,
    /// The right to start the job, or to be the user who started it.
    ViewBulkJob,
    /// `reportview` on every KMS of the report.
    ViewReport,
    /// The action on every KMS of the report, in addition to the right to view the report.
    OnReport(Action),
}

impl RequiredRight {
    /// The groups, besides `admin`, whose members have the right.
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
            | Self::ManageAlarms
            | Self::ViewKms
            | Self::UpdateKms
            | Self::OnKms(_)
            | Self::OnEveryKms(_)
            | Self::OnSomeKms(_)
            | Self::ViewKey
            | Self::OnKey(_)
            | Self::OnSomeKey(_)
            | Self::ViewKeyStore
            | Self::OnKeyStore(_)
            | Self::ViewTemplate
            | Self::OnTemplate(_)
            | Self::ViewSyncJob
            | Self::ViewBulkJob
            | Self::ViewReport
            | Self::OnReport(_) => &[SystemGroup::CckmAdmins],
        }
    }

    /// The names of `admin` and of [`RequiredRight::groups`].
    pub fn group_names(self) -> Vec<&'static str> {
        let others = self.groups().iter().filter(|group| **group != SystemGroup::Admin);
        [SystemGroup::Admin].iter().chain(others).map(|group| group.name()).collect()
    }

    /// Returns whether the use case checks the right. This is so if the right depends on the body or on an entry that
    /// must be found first. The guard of the handler then admits every signed-in user.
    pub const fn is_checked_by_the_use_case(self) -> bool {
        match self {
            Self::ViewKms
            | Self::OnKms(_)
            | Self::OnEveryKms(_)
            | Self::ViewKey
            | Self::OnSomeKey(_)
            | Self::ViewTemplate
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
            | Self::ManageAlarms
            | Self::Administer
            | Self::OnSomeKms(_)
            | Self::UpdateKms
            | Self::OnKey(_)
            | Self::ViewKeyStore
            | Self::OnKeyStore(_)
            | Self::ViewReport
            | Self::OnReport(_) => false,
        }
    }
}

/// A right that does not depend on a single KMS.
pub trait Right: 'static {
    const REQUIRED: RequiredRight;

    /// Authorizes a user who is in none of the groups.
    ///
    /// # Errors
    /// The missing right.
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
    /// The right to add KMSs and to probe accounts.
    ManageKms,
    ManageConnections,
    /// The right to view connections, which managing KMSs also requires.
    ViewConnections,
    /// The right to create, change, export and delete source keys.
    ManageSourceKeys,
    /// The right to manage users and groups.
    ManageUsers,
    ManageSchedules,
    /// The right to manage webhooks, and to acknowledge and clear alarms.
    ManageAlarms,
    /// The right of members of `admin` only.
    Administer,
}

/// The right to view source keys, without their material. A user who may use a source key on any KMS also has it, so
/// that the user can choose one.
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

/// The right to do `A` on at least one KMS.
pub struct OnSomeKms<A>(PhantomData<A>);

impl<A: KmsRight> Right for OnSomeKms<A> {
    const REQUIRED: RequiredRight = match A::ACTION {
        Some(action) => RequiredRight::OnSomeKms(action),
        None => RequiredRight::ManageKms,
    };

    fn otherwise(user: &User, state: &State) -> Result<(), MissingRight> {
        match A::ACTION {
            Some(action) if may_somewhere(user, state, action) => Ok(()),
            Some(action) => Err(MissingRight::ActionOnSomeKms(action)),
            None => Err(MissingRight::Membership(Self::REQUIRED.group_names())),
        }
    }
}

/// A right on a single KMS.
pub trait KmsRight: 'static {
    /// The action that must be permitted; `None` if only administrators of KMSs have the right.
    const ACTION: Option<Action>;

    fn required() -> RequiredRight {
        match Self::ACTION {
            Some(Action::View) => RequiredRight::ViewKms,
            Some(action) => RequiredRight::OnKms(action),
            None => RequiredRight::UpdateKms,
        }
    }

    /// The required right on a custom key store, which belongs to a KMS.
    fn required_on_key_store() -> RequiredRight {
        match Self::ACTION {
            None | Some(Action::ViewKeyStore) => RequiredRight::ViewKeyStore,
            Some(action) => RequiredRight::OnKeyStore(action),
        }
    }

    /// The required right on a report, which can be of several KMSs.
    fn required_on_report() -> RequiredRight {
        match Self::ACTION {
            None | Some(Action::ReportView) => RequiredRight::ViewReport,
            Some(action) => RequiredRight::OnReport(action),
        }
    }

    /// The required right on a policy template, which belongs to an account.
    fn required_on_template() -> RequiredRight {
        match Self::ACTION {
            Some(Action::View) => RequiredRight::ViewTemplate,
            Some(action) => RequiredRight::OnTemplate(action),
            None => RequiredRight::ManageKms,
        }
    }
}

/// The right to view a KMS. Any permitted action on it is sufficient.
pub struct View;
/// The right to change the KMS itself.
pub struct Update;

impl KmsRight for View {
    const ACTION: Option<Action> = Some(Action::View);
}
impl KmsRight for Update {
    const ACTION: Option<Action> = None;
}

/// Rights that are one action on a KMS, or on the KMS of a custom key store or a report.
macro_rules! kms_actions {
    ($($right:ident = $action:ident,)*) => {
        $(pub struct $right;

        impl KmsRight for $right {
            const ACTION: Option<Action> = Some(Action::$action);
        })*
    };
}

kms_actions! {
    ViewKeyStore = ViewKeyStore,
    AddKeyStore = KeyStoreAdd,
    UpdateKeyStore = KeyStoreUpdate,
    DeleteKeyStore = KeyStoreDelete,
    BlockKeyStore = KeyStoreBlock,
    UnblockKeyStore = KeyStoreUnblock,
    ConnectKeyStore = KeyStoreConnect,
    DisconnectKeyStore = KeyStoreDisconnect,
    LinkKeyStore = KeyStoreLink,
    CreateReport = ReportCreate,
    ViewReport = ReportView,
    DownloadReport = ReportDownload,
    DeleteReport = ReportDelete,
}

/// A right on a single key.
pub trait KeyRight: 'static {
    const REQUIRED: RequiredRight;
    /// The action that must be permitted on the key's KMS.
    fn action(key: &Key) -> Action;
}

/// The right to view a key. The required action depends on the key.
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
    /// The right to change a key: state, policy, description, tags, aliases, automatic rotation.
    UpdateKey = KeyUpdate,
    RotateKey = KeyRotate,
    CancelKeyDeletion = KeyCancelDelete,
    ImportMaterial = KeyMaterialImport,
    DeleteMaterial = KeyMaterialDelete,
    CreateCloudHsmKey = CloudHsmKeyCreate,
    ViewHyokKey = ViewHyokKey,
    CreateHyokKey = HyokKeyCreate,
    DeleteHyokKey = HyokKeyDelete,
    /// The right to block and unblock a HYOK key.
    BlockHyokKey = HyokKeyBlockUnblock,
    LinkHyokKey = HyokKeyLink,
    /// The right to read keys from AWS.
    Synchronize = KeySynchronize,
    RunBulkJobs = KeyBulkOperation,
}

/// The right to schedule a key's deletion, and to remove the entry of a key that AWS no longer has or does not know
/// yet. The required action depends on the key.
pub struct DeleteKey;

impl KeyRight for DeleteKey {
    const REQUIRED: RequiredRight = RequiredRight::OnKey(Action::KeyDelete);

    fn action(key: &Key) -> Action {
        match key.metadata.origin {
            _ if key.is_unlinked() => Action::HyokKeyDelete,
            Origin::AwsCloudHsm => Action::CloudHsmKeyDelete,
            Origin::AwsKms | Origin::External | Origin::ExternalKeyStore | Origin::Other(_) => Action::KeyDelete,
        }
    }
}
