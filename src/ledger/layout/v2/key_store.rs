//! Custom key stores.

use super::primitives::{Bytes, Moment, Text};
use crate::domain::key_store as live;
use crate::domain::key_store::{at_aws, caller_rules, operation, warning};
use uuid::Uuid;

layout! {
    enum KeyStoreEvent<'a> of live::event::KeyStoreEvent {
        Created {
            kms: Uuid,
            region: Text<'a>,
            name: Text<'a>,
            settings: Box<StoreSettings<'a>>,
            blocked: bool,
            credential: NewCredential<'a>,
        },
        Renamed { to: Text<'a> },
        SettingsChanged { settings: Box<StoreSettings<'a>> },
        CredentialAdded { credential: NewCredential<'a> },
        CredentialRemoved { id: Uuid },
        Blocked,
        Unblocked,
        RotationScheduleSet { schedule: Option<Uuid> },
        CallsReported { calls: Vec<ProxyCall<'a>>, dropped: u64 },
        Deleted,
        OperationRequested { operation: Uuid, wanted: Box<StoreOperation<'a>> },
        OperationDone { operation: Uuid, seen: Option<Box<StoreAtAws<'a>>> },
        OperationFailed { operation: Uuid, reason: Text<'a> },
        OperationReconciled { operation: Uuid, seen: Option<Box<StoreAtAws<'a>>> },
        Observed { seen: Box<StoreAtAws<'a>> },
        Vanished,
        CloudHsmCreated { kms: Uuid, region: Text<'a>, name: Text<'a>, cluster: Text<'a>, trust_anchor: Text<'a> },
        Found { kms: Uuid, region: Text<'a>, name: Text<'a>, seen: Box<StoreAtAws<'a>> },
        Linked { seen: Box<StoreAtAws<'a>> },
        PasswordTold { password: Option<Bytes<'a>> },
        Warned { warning: StoreWarning<'a> },
    }
}

layout! {
    enum StoreWarning<'a> of warning::StoreWarning {
        CredentialUnknown { access_key_id: Text<'a> },
        ChangedHereOnly,
        MtlsDeprecated,
    }
}

layout! {
    enum StoreOperation<'a> of operation::StoreOperation {
        Link { settings: Box<StoreSettings<'a>>, new: bool },
        Connect,
        Disconnect,
        Update { name: Text<'a>, settings: Box<StoreSettings<'a>> },
        RotateCredential { credential: Uuid },
        Delete,
        CreateCloudHsm { password: Bytes<'a> },
        ConnectWith { password: Bytes<'a> },
        Amend { name: Text<'a>, cluster: Option<Text<'a>>, password: Option<Bytes<'a>> },
    }
}

layout! {
    struct ProxyCall<'a> of live::event::ProxyCall {
        at: Moment,
        operation: Text<'a>,
        error: Option<Text<'a>>,
        message: Text<'a>,
        rule: Option<Text<'a>>,
        xks_key_id: Option<Text<'a>>,
        access_key_id: Option<Text<'a>>,
        kms_request_id: Option<Text<'a>>,
        kms_operation: Option<Text<'a>>,
        kms_key_arn: Option<Text<'a>>,
        principal: Option<Text<'a>>,
        via_service: Option<Text<'a>>,
        source_vpc: Option<Text<'a>>,
        source_vpce: Option<Text<'a>>,
    }
}

layout! {
    struct StoreSettings<'a> of live::StoreSettings {
        connectivity: Connectivity,
        endpoint: Text<'a>,
        vpc_service: Text<'a>,
        vpc_service_owner: Text<'a>,
        health_check_key: Uuid,
        health_check_ciphertext: Text<'a>,
        source_key_tier: Text<'a>,
        max_credentials: u16,
        mtls_enabled: bool,
        partition_id: Text<'a>,
        reports_success: bool,
        caller_rules: CallerRules<'a>,
    }
}

layout! {
    enum Connectivity of live::Connectivity {
        PublicEndpoint,
        VpcEndpointService,
    }
}

layout! {
    struct NewCredential<'a> of live::NewCredential {
        id: Uuid,
        access_key_id: Text<'a>,
        secret: Bytes<'a>,
    }
}

layout! {
    struct CallerRules<'a> of caller_rules::CallerRules {
        principals: Vec<Text<'a>>,
        source_vpcs: Vec<Text<'a>>,
        source_vpces: Vec<Text<'a>>,
        via_services: Vec<Text<'a>>,
        operations: Vec<Text<'a>>,
    }
}

layout! {
    struct StoreAtAws<'a> of at_aws::StoreAtAws {
        id: Text<'a>,
        name: Text<'a>,
        connection_state: Text<'a>,
        connection_error: Option<Text<'a>>,
        created_at: Option<Moment>,
        proxy: Option<Box<ProxyAtAws<'a>>>,
        cloud_hsm: Option<Box<CloudHsmAtAws<'a>>>,
    }
}

layout! {
    struct ProxyAtAws<'a> of at_aws::ProxyAtAws {
        connectivity: Text<'a>,
        access_key_id: Text<'a>,
        endpoint: Text<'a>,
        path: Text<'a>,
        vpc_service: Text<'a>,
        vpc_service_owner: Text<'a>,
    }
}

layout! {
    struct CloudHsmAtAws<'a> of at_aws::CloudHsmAtAws {
        cluster: Text<'a>,
        trust_anchor: Text<'a>,
        hsms: Option<u32>,
    }
}
