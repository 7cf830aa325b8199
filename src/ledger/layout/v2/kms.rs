//! KMSs and their access control lists.

use super::primitives::{Partition, Text};
use crate::domain::event as live;
use crate::domain::{acl, action, kms};
use uuid::Uuid;

layout! {
    enum KmsEvent<'a> of live::KmsEvent {
        Added {
            name: Text<'a>,
            account: Text<'a>,
            arn: Text<'a>,
            connection: Uuid,
            role: Option<AssumedRole<'a>>,
            regions: Vec<Text<'a>>,
            cloud: Partition,
        },
        RegionsReplaced { to: Vec<Text<'a>> },
        ConnectionReplaced { to: Uuid, arn: Text<'a> },
        RoleReplaced { to: Option<AssumedRole<'a>>, arn: Text<'a> },
        AclsChanged { changes: Vec<AclChange<'a>> },
        Archived,
        Recovered,
        Deleted,
        ConnectionReferenced { by_id: bool },
        RegionsReplacedKeepingKeys { to: Vec<Text<'a>> },
    }
}

layout! {
    struct AssumedRole<'a> of kms::AssumedRole {
        arn: Text<'a>,
        external_id: Option<Text<'a>>,
    }
}

layout! {
    struct AclChange<'a> of acl::AclChange {
        principal: Principal<'a>,
        actions: Vec<Action>,
        permit: bool,
    }
}

layout! {
    enum Principal<'a> of acl::Principal {
        User(id: Uuid),
        Group(name: Text<'a>),
    }
}

layout! {
    #[serde(rename_all = "lowercase")]
    enum Action of action::Action {
        View,
        ViewNative,
        ViewByok,
        KeyCreate,
        KeyMaterialImport,
        KeyMaterialDelete,
        KeyRotate,
        KeyDelete,
        KeyCancelDelete,
        KeySynchronize,
        KeyUpdate,
        KeyUpload,
        ViewCloudHsmKey,
        CloudHsmKeyCreate,
        CloudHsmKeyDelete,
        ViewKeyStore,
        KeyStoreAdd,
        KeyStoreUpdate,
        KeyStoreDelete,
        KeyStoreConnect,
        KeyStoreDisconnect,
        KeyStoreBlock,
        KeyStoreUnblock,
        KeyStoreLink,
        ViewHyokKey,
        HyokKeyCreate,
        HyokKeyBlockUnblock,
        HyokKeyDelete,
        HyokKeyLink,
        ReportCreate,
        ReportDelete,
        ReportDownload,
        ReportView,
        KeyBulkOperation,
    }
}
