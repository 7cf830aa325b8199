//! The vendor's table "APIs and Action Mapping" as data: every action, the APIs that need it, and a description of
//! each. The routes refer to these actions, and `GET /v1/cckm/aws/actions` serves the table.

use std::fmt;

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// An action that can be permitted on a KMS.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Action { $($(#[$doc])* $variant,)* }

        impl Action {
            /// Every action, in the order in which sets of actions are shown.
            pub const ALL: &'static [Action] = &[$(Action::$variant,)*];

            /// The name that clients use.
            pub const fn name(self) -> &'static str {
                match self { $(Action::$variant => $name,)* }
            }
        }
    };
}

actions! {
    /// The old name for [`Action::ViewNative`] and [`Action::ViewByok`] together.
    View = "view",
    /// View the KMS and its native keys.
    ViewNative = "viewnative",
    /// View the KMS and its external keys.
    ViewByok = "viewbyok",
    KeyCreate = "keycreate",
    KeyMaterialImport = "keymaterialimport",
    KeyMaterialDelete = "keymaterialdelete",
    KeyRotate = "keyrotate",
    KeyDelete = "keydelete",
    KeyCancelDelete = "keycanceldelete",
    /// Synchronise keys, and cancel a synchronisation.
    KeySynchronize = "keysynchronize",
    /// Change a key: policy, description, state, tags, aliases, rotation.
    KeyUpdate = "keyupdate",
    KeyUpload = "keyupload",
    ViewCloudHsmKey = "viewcloudhsmkey",
    CloudHsmKeyCreate = "cloudhsmkeycreate",
    CloudHsmKeyDelete = "cloudhsmkeydelete",
    ViewKeyStore = "viewkeystore",
    /// Add a custom key store.
    KeyStoreAdd = "keystoreadd",
    /// Change a custom key store.
    KeyStoreUpdate = "keystoreupdate",
    /// Delete a custom key store.
    KeyStoreDelete = "keystoredelete",
    /// Connect a custom key store.
    KeyStoreConnect = "keystoreconnect",
    /// Disconnect a custom key store.
    KeyStoreDisconnect = "keystoredisconnect",
    /// Block a custom key store.
    KeyStoreBlock = "keystoreblock",
    /// Unblock a custom key store.
    KeyStoreUnblock = "keystoreunblock",
    /// Link a custom key store.
    KeyStoreLink = "keystorelink",
    ViewHyokKey = "viewhyokkey",
    HyokKeyCreate = "hyokkeycreate",
    /// Block and unblock a HYOK key.
    HyokKeyBlockUnblock = "hyokkeyblockunblock",
    /// Delete an unlinked HYOK key.
    HyokKeyDelete = "hyokkeydelete",
    HyokKeyLink = "hyokkeylink",
    ReportCreate = "reportcreate",
    ReportDelete = "reportdelete",
    ReportDownload = "reportdownload",
    ReportView = "reportview",
    /// Run bulk jobs on keys.
    KeyBulkOperation = "keybulkoperation",
}

impl Action {
    /// Returns the action of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }

    /// Returns the actions that permit viewing what this action changes.
    pub const fn needed_views(self) -> &'static [Action] {
        match self {
            Action::KeyCreate
            | Action::KeyMaterialImport
            | Action::KeyMaterialDelete
            | Action::KeyRotate
            | Action::KeyDelete
            | Action::KeyCancelDelete
            | Action::KeySynchronize
            | Action::KeyUpdate
            | Action::KeyUpload
            | Action::KeyBulkOperation => &[Action::ViewNative, Action::ViewByok],
            // The store of a new key is named in the path.
            Action::CloudHsmKeyCreate => &[Action::ViewCloudHsmKey, Action::ViewKeyStore],
            Action::CloudHsmKeyDelete => &[Action::ViewCloudHsmKey],
            Action::KeyStoreAdd
            | Action::KeyStoreUpdate
            | Action::KeyStoreDelete
            | Action::KeyStoreConnect
            | Action::KeyStoreDisconnect
            | Action::KeyStoreBlock
            | Action::KeyStoreUnblock
            | Action::KeyStoreLink => &[Action::ViewKeyStore],
            Action::HyokKeyCreate | Action::HyokKeyBlockUnblock | Action::HyokKeyDelete | Action::HyokKeyLink => {
                &[Action::ViewHyokKey]
            }
            Action::ReportDelete | Action::ReportDownload => &[Action::ReportView],
            Action::View
            | Action::ViewNative
            | Action::ViewByok
            | Action::ViewCloudHsmKey
            | Action::ViewKeyStore
            | Action::ViewHyokKey
            | Action::ReportCreate
            | Action::ReportView => &[],
        }
    }

    const fn bit(self) -> u64 {
        1 << (self as u64)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of actions. `view` stands for two other actions; membership and removal treat the three accordingly.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ActionSet(u64);

const VIEWS: u64 = Action::ViewNative.bit() | Action::ViewByok.bit();

impl ActionSet {
    pub fn of(actions: &[Action]) -> Self {
        Self(actions.iter().fold(0, |bits, action| bits | action.bit()))
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the set has this action itself.
    pub const fn contains(self, action: Action) -> bool {
        self.0 & action.bit() != 0
    }

    /// Whether the set permits an action. Either of the two views permits [`Action::View`].
    pub const fn permits(self, action: Action) -> bool {
        let held = if self.0 & Action::View.bit() != 0 { self.0 | VIEWS } else { self.0 };
        let wanted = if action.bit() == Action::View.bit() { VIEWS } else { action.bit() };
        held & wanted != 0
    }

    #[must_use]
    pub const fn with(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// Returns the set without these actions. Without one of the two views, `view` becomes the other.
    #[must_use]
    pub const fn without(self, less: Self) -> Self {
        let mut held = self.0;
        let mut gone = less.0;
        if gone & Action::View.bit() != 0 {
            gone |= VIEWS;
        }
        if held & Action::View.bit() != 0 && gone & VIEWS != 0 {
            held = (held & !Action::View.bit()) | VIEWS;
        }
        Self(held & !gone)
    }

    /// Returns the actions in the order of [`Action::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL.iter().copied().filter(move |action| self.0 & action.bit() != 0)
    }
}

impl fmt::Debug for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Action::name)).finish()
    }
}

/// One row of the vendor's table: an API, the actions of which any one permits it, and a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiRow {
    /// The API as the table names it.
    pub api: &'static str,
    /// Any one of these is enough.
    pub actions: &'static [Action],
    pub description: &'static str,
}

const fn row(api: &'static str, actions: &'static [Action], description: &'static str) -> ApiRow {
    ApiRow { api, actions, description }
}

const KMS_VIEWS: &[Action] = &[Action::ViewNative, Action::ViewByok];

/// The complete table, in the vendor's order.
pub const API_TABLE: &[ApiRow] = &[
    row("Create", &[Action::KeyCreate], "create an AWS key"),
    row("Import", &[Action::KeyMaterialImport], "import key material into an AWS key"),
    row("Delete key material", &[Action::KeyMaterialDelete], "delete imported key material"),
    row("Rotate", &[Action::KeyRotate], "rotate an AWS key"),
    row("Schedule Deletion", &[Action::KeyDelete], "schedule the deletion of an AWS key"),
    row("Cancel delete", &[Action::KeyCancelDelete], "cancel the deletion of an AWS key"),
    row("Synchronize", &[Action::KeySynchronize], "synchronise AWS keys"),
    row("Cancel", &[Action::KeySynchronize], "cancel a synchronisation job"),
    row("Update key policy", &[Action::KeyUpdate], "change a key's policy"),
    row("Update key description", &[Action::KeyUpdate], "change a key's description"),
    row("Enable key", &[Action::KeyUpdate], "enable a key"),
    row("Disable key", &[Action::KeyUpdate], "disable a key"),
    row("Add tags", &[Action::KeyUpdate], "add tags to a key"),
    row("Remove tags", &[Action::KeyUpdate], "remove tags from a key"),
    row("Add alias", &[Action::KeyUpdate], "add an alias to a key"),
    row("Delete alias", &[Action::KeyUpdate], "delete a key's alias"),
    row("Enable key rotation", &[Action::KeyUpdate], "enable a key's automatic rotation"),
    row("Disable key rotation", &[Action::KeyUpdate], "disable a key's automatic rotation"),
    row("Upload", &[Action::KeyUpload], "upload a key to AWS KMS"),
    row("List", &[Action::ViewNative], "view a KMS and its native keys"),
    row("Get (AWS Keys)", &[Action::View], "get an AWS key"),
    row("List", &[Action::ViewByok], "view a KMS and its external keys"),
    row("Get (AWS Keys)", KMS_VIEWS, "get an AWS key by its id"),
    row("List AWS KMS", KMS_VIEWS, "view a KMS and its keys"),
    row("Get (AWS Kms)", KMS_VIEWS, "get a KMS by its id"),
    row("List (CloudHSM Key)", &[Action::ViewCloudHsmKey], "view CloudHSM keys"),
    row("Create (CloudHSM Key)", &[Action::CloudHsmKeyCreate], "create a CloudHSM key"),
    row("Delete (CloudHSM Key)", &[Action::CloudHsmKeyDelete], "delete a CloudHSM key"),
    row("List (Custom Key Store)", &[Action::ViewKeyStore], "view custom key stores"),
    row("Create (Custom Key Store)", &[Action::KeyStoreAdd], "add a custom key store"),
    row("Update (Custom Key Store)", &[Action::KeyStoreUpdate], "change a custom key store"),
    row("Delete (Custom Key Store)", &[Action::KeyStoreDelete], "delete a custom key store"),
    row("Connect (Custom Key Store)", &[Action::KeyStoreConnect], "connect a custom key store to AWS"),
    row("Disconnect (Custom Key Store)", &[Action::KeyStoreDisconnect], "disconnect a custom key store from AWS"),
    row("Block (Custom Key Store)", &[Action::KeyStoreBlock], "block operations on a custom key store's keys"),
    row("Unblock (Custom Key Store)", &[Action::KeyStoreUnblock], "unblock operations on a custom key store's keys"),
    row("Link (Custom Key Store)", &[Action::KeyStoreLink], "link a custom key store to AWS"),
    row("List (HYOK Key)", &[Action::ViewHyokKey], "view HYOK keys"),
    row("Create (HYOK Key)", &[Action::HyokKeyCreate], "create a HYOK key"),
    row("Block/Unblock (HYOK Key)", &[Action::HyokKeyBlockUnblock], "block or unblock a HYOK key"),
    row("Delete (HYOK Key)", &[Action::HyokKeyDelete], "delete an unlinked HYOK key"),
    row("Link (HYOK Key)", &[Action::HyokKeyLink], "link a HYOK key to one in AWS"),
    row("Create Report", &[Action::ReportCreate], "create a report"),
    row("Delete Report", &[Action::ReportDelete], "delete a report"),
    row("Download Report", &[Action::ReportDownload], "download a report"),
    row("View Report", &[Action::ReportView], "view a report's content"),
    row("Bulk job", &[Action::KeyBulkOperation], "run a bulk job on AWS keys"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_the_33_actions_of_the_table_and_the_bulk_one() {
        assert_eq!(Action::ALL.len(), 34);
        for action in Action::ALL {
            assert_eq!(Action::parse(action.name()), Some(*action));
        }
        let named: Vec<_> = API_TABLE.iter().flat_map(|row| row.actions).collect();
        assert!(Action::ALL.iter().all(|action| *action == Action::View || named.contains(&action)));
    }

    #[test]
    fn view_is_both_views_and_can_be_halved() {
        let view = ActionSet::of(&[Action::View]);
        assert!(view.permits(Action::ViewNative) && view.permits(Action::ViewByok) && view.permits(Action::View));
        let half = view.without(ActionSet::of(&[Action::ViewNative]));
        assert_eq!(half, ActionSet::of(&[Action::ViewByok]));
        assert!(half.without(view).is_empty());
    }
}
