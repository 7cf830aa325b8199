//! Events of every kind for custom key stores.

use super::sample::{Form, kms, uuid};
use crate::domain::event::{Event, Sealed};
use crate::domain::id::{CredentialId, KeyStoreId, OperationId, ScheduleId, SourceKeyId};
use crate::domain::key_store::at_aws::{CloudHsmAtAws, ConnectionState, ProxyAtAws, StoreAtAws};
use crate::domain::key_store::caller_rules::CallerRules;
use crate::domain::key_store::operation::StoreOperation;
use crate::domain::key_store::warning::StoreWarning;
use crate::domain::key_store::{Connectivity, NewCredential, StoreSettings, event::KeyStoreEvent, event::ProxyCall};
use crate::domain::name::KeyStoreName;
use crate::domain::place::Region;
use crate::domain::time::Time;

fn store() -> KeyStoreId {
    KeyStoreId::new(uuid(0xb00))
}

fn name(text: &str) -> KeyStoreName {
    KeyStoreName::parse(text).expect("a name")
}

fn credential(n: u8) -> NewCredential {
    NewCredential {
        id: CredentialId::new(uuid(0xc00 + u128::from(n))),
        access_key_id: "QFQ7ZB4VJ2DK5N3XW6RTYHGM".to_owned(),
        secret: Sealed(vec![n; 60]),
    }
}

fn settings(form: Form, connectivity: Connectivity) -> Box<StoreSettings> {
    let list = |text: &str| form.list(vec![text.to_owned()]);
    Box::new(StoreSettings {
        connectivity,
        endpoint: "https://xks.example.com".to_owned(),
        vpc_service: form.text("com.amazonaws.vpce.eu-west-3.vpce-svc-0e3d8b8c2f6f3c1a0"),
        vpc_service_owner: form.text("123456789012"),
        health_check_key: SourceKeyId::new(uuid(0x700)),
        health_check_ciphertext: "v1.HMrlRw85cAJUd5Ax.ghxkK1txeDNn3q8Y".to_owned(),
        source_key_tier: "local".to_owned(),
        max_credentials: 8,
        mtls_enabled: form.switch(),
        partition_id: form.text("p"),
        reports_success: form.switch(),
        caller_rules: CallerRules {
            principals: list("arn:aws:iam::123456789012:role/app-*"),
            source_vpcs: list("vpc-0a1b2c3d"),
            source_vpces: list("vpce-0a1b2c3d"),
            via_services: list("s3.*.amazonaws.com"),
            operations: list("Decrypt"),
        },
    })
}

fn call(form: Form) -> ProxyCall {
    let text = |text: &str| form.option(text.to_owned());
    ProxyCall {
        at: Time::from_nanos(1_800_000_000_000_000_000),
        operation: "decrypt".to_owned(),
        error: text("AccessDeniedException"),
        message: form.text("the caller rules do not admit the call"),
        rule: text("key: principals"),
        xks_key_id: text("00000000-0000-4000-8000-000000000600"),
        access_key_id: text("QFQ7ZB4VJ2DK5N3XW6RTYHGM"),
        kms_request_id: text("f1b881f8-2048-41f8-b6cc-382b7857ec61"),
        kms_operation: text("Decrypt"),
        kms_key_arn: text("arn:aws:kms:eu-west-3:123456789012:key/0987dcba-09fe-87dc-65ba-ab0987654321"),
        principal: text("arn:aws:iam::123456789012:user/ann"),
        via_service: text("s3"),
        source_vpc: text("vpc-0a1b2c3d"),
        source_vpce: text("vpce-0a1b2c3d"),
    }
}

fn password() -> Sealed {
    Sealed(vec![7; 100])
}

fn operation() -> OperationId {
    OperationId::new(uuid(0xd00))
}

fn requested(wanted: StoreOperation) -> KeyStoreEvent {
    KeyStoreEvent::OperationRequested { operation: operation(), wanted: Box::new(wanted) }
}

fn at_aws(form: Form, state: ConnectionState) -> Box<StoreAtAws> {
    Box::new(StoreAtAws {
        id: "cks-9876543210fedcba9".to_owned(),
        name: "keys".to_owned(),
        connection_state: state,
        connection_error: form.option("XKS_PROXY_TIMED_OUT".to_owned()),
        created_at: form.option(Time::from_nanos(1_800_000_000_000_000_000)),
        proxy: None,
        cloud_hsm: None,
    })
}

fn external(form: Form) -> Box<StoreAtAws> {
    let proxy = Box::new(ProxyAtAws {
        connectivity: "VPC_ENDPOINT_SERVICE".to_owned(),
        access_key_id: "QFQ7ZB4VJ2DK5N3XW6RTYHGM".to_owned(),
        endpoint: "https://xks.example.com".to_owned(),
        path: "/kms/xks/v1".to_owned(),
        vpc_service: form.text("com.amazonaws.vpce.eu-west-3.vpce-svc-0e3d8b8c2f6f3c1a0"),
        vpc_service_owner: form.text("123456789012"),
    });
    Box::new(StoreAtAws { proxy: Some(proxy), ..*at_aws(form, ConnectionState::Failed) })
}

fn cluster(form: Form) -> Box<StoreAtAws> {
    let cluster = CloudHsmAtAws {
        cluster: "cluster-1a23b4cdefg".to_owned(),
        trust_anchor: "PEM".to_owned(),
        hsms: form.option(2),
    };
    let state = ConnectionState::parse(&form.text("CONNECTED"));
    Box::new(StoreAtAws { cloud_hsm: Some(Box::new(cluster)), ..*at_aws(form, state) })
}

pub(super) fn every_kind(form: Form) -> impl Iterator<Item = Event> {
    let events = vec![
        KeyStoreEvent::Created {
            kms: kms(0),
            region: Region::parse("eu-west-3").expect("a region"),
            name: name("ключи"),
            settings: settings(form, Connectivity::VpcEndpointService),
            blocked: form.switch(),
            credential: credential(1),
        },
        KeyStoreEvent::Renamed { to: name("keys") },
        KeyStoreEvent::SettingsChanged { settings: settings(form, Connectivity::PublicEndpoint) },
        KeyStoreEvent::CredentialAdded { credential: credential(2) },
        KeyStoreEvent::CredentialRemoved { id: credential(1).id },
        KeyStoreEvent::Blocked,
        KeyStoreEvent::Unblocked,
        KeyStoreEvent::RotationScheduleSet { schedule: form.option(ScheduleId::new(uuid(0x900))) },
        KeyStoreEvent::CallsReported { calls: form.list(vec![call(form)]), dropped: 3 },
        KeyStoreEvent::CallsReported { calls: vec![call(form)], dropped: 0 },
        requested(StoreOperation::Link {
            settings: settings(form, Connectivity::VpcEndpointService),
            new: form.switch(),
        }),
        KeyStoreEvent::OperationDone { operation: operation(), seen: form.option(external(form)) },
        requested(StoreOperation::Connect),
        KeyStoreEvent::OperationReconciled { operation: operation(), seen: form.option(external(form)) },
        KeyStoreEvent::Observed { seen: cluster(form) },
        requested(StoreOperation::Disconnect),
        KeyStoreEvent::OperationFailed { operation: operation(), reason: "AWS refused it".to_owned() },
        requested(StoreOperation::Update {
            name: name("keys"),
            settings: settings(form, Connectivity::PublicEndpoint),
        }),
        requested(StoreOperation::RotateCredential { credential: credential(2).id }),
        requested(StoreOperation::Delete),
        KeyStoreEvent::Vanished,
        KeyStoreEvent::Deleted,
    ];
    let others = vec![
        KeyStoreEvent::CloudHsmCreated {
            kms: kms(0),
            region: Region::parse("eu-west-3").expect("a region"),
            name: name("hsm"),
            cluster: "cluster-2a34b5cdefg".to_owned(),
            trust_anchor: "PEM".to_owned(),
        },
        requested(StoreOperation::CreateCloudHsm { password: password() }),
        KeyStoreEvent::PasswordTold { password: form.option(password()) },
        KeyStoreEvent::OperationDone { operation: operation(), seen: Some(cluster(form)) },
        requested(StoreOperation::ConnectWith { password: password() }),
        KeyStoreEvent::OperationReconciled { operation: operation(), seen: Some(cluster(form)) },
        requested(StoreOperation::Amend {
            name: name("hsm-2"),
            cluster: form.option("cluster-3a34b5cdefg".to_owned()),
            password: form.option(password()),
        }),
        KeyStoreEvent::Deleted,
        KeyStoreEvent::Found {
            kms: kms(0),
            region: Region::parse("eu-west-3").expect("a region"),
            name: name("theirs"),
            seen: external(form),
        },
        KeyStoreEvent::Linked { seen: external(form) },
        KeyStoreEvent::Warned { warning: StoreWarning::CredentialUnknown { access_key_id: form.text("QFQ7") } },
        KeyStoreEvent::Warned { warning: StoreWarning::ChangedHereOnly },
        KeyStoreEvent::Warned { warning: StoreWarning::MtlsDeprecated },
        KeyStoreEvent::Deleted,
    ];
    events.into_iter().chain(others).map(|event| Event::KeyStore(store(), event))
}
