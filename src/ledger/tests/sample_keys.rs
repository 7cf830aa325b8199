//! One event of every kind that keys have, and one operation of every kind.

use super::sample::{kms, uuid};
use crate::domain::event::Event;
use crate::domain::id::{KeyId, OperationId, ScheduleId, SourceKeyId};
use crate::domain::key::aws_enums::{ExpirationModel, KeyManager, KeyState, MultiRegionKind, Origin};
use crate::domain::key::days::{DeletionWindow, RotationPeriod};
use crate::domain::key::event::{Aspect, KeyEvent, RotationJob, UnmanagedCause};
use crate::domain::key::material::MaterialId;
use crate::domain::key::metadata::{Algorithms, KeyMetadata, MultiRegion, RotationStatus};
use crate::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use crate::domain::key::operation::{EncryptFor, Import, NewKey, NewReplica, Operation, RetiredKey};
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::key::tag::Tag;
use crate::domain::place::Region;
use crate::domain::time::Time;

fn key(n: u128) -> KeyId {
    KeyId::new(uuid(0x600 + n))
}

fn region(name: &str) -> Region {
    Region::parse(name).expect("a region")
}

fn aws_key() -> AwsKeyId {
    AwsKeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").expect("an id")
}

fn alias(name: &str) -> AliasName {
    AliasName::parse(name).expect("an alias")
}

fn policy() -> PolicyText {
    PolicyText::parse(r#"{"Version":"2012-10-17","Statement":[]}"#).expect("a policy")
}

fn import() -> Import {
    Import {
        source: SourceKeyId::new(uuid(0x700)),
        valid_to: Some(Time::from_nanos(1_800_000_000_000_000_000)),
        existing: true,
        material: Some(MaterialId::told(&"0f".repeat(32))),
        description: Some("from here".to_owned()),
    }
}

fn new_key() -> NewKey {
    NewKey {
        aliases: vec![alias("alias/payroll")],
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::External,
        description: "payroll".to_owned(),
        multi_region: true,
        policy: Some(policy()),
        bypass_lockout_check: false,
        tags: vec![Tag::told("team", "платформа")],
    }
}

fn learned() -> Vec<Aspect> {
    let account =
        "123456789012".parse().ok().and_then(|n: u64| crate::domain::place::AccountId::parse(&format!("{n:012}")).ok());
    let arn = KeyArn::of(account.expect("an account"), region("eu-west-1"), aws_key());
    let metadata = KeyMetadata {
        created_at: Some(Time::from_nanos(1_700_000_000_123_000_000)),
        description: "payroll".to_owned(),
        enabled: true,
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        state: KeyState::Enabled,
        origin: Origin::External,
        manager: KeyManager::Customer,
        multi_region: Some(MultiRegion {
            kind: MultiRegionKind::Primary,
            primary: arn.clone(),
            replicas: vec![arn.in_region(region("eu-west-3"))],
        }),
        arn,
        deletion_date: None,
        pending_window: DeletionWindow::parse(7).ok(),
        valid_to: None,
        expiration_model: Some(ExpirationModel::DoesNotExpire),
        algorithms: Algorithms { encryption: vec!["SYMMETRIC_DEFAULT".to_owned()], ..Algorithms::default() },
        current_material: Some(MaterialId::told("0f")),
        custom_key_store_id: None,
        cloud_hsm_cluster_id: None,
        xks_key_id: Some("x".to_owned()),
    };
    vec![
        Aspect::Metadata(Box::new(metadata)),
        Aspect::Aliases(vec![alias("alias/payroll")]),
        Aspect::Tags(vec![Tag::told("a", "b")]),
        Aspect::Policy(policy()),
        Aspect::Rotation(RotationStatus {
            enabled: true,
            period: RotationPeriod::parse(90).ok(),
            next: Some(Time::from_nanos(3)),
            on_demand_started: None,
        }),
    ]
}

fn operations() -> Vec<Operation> {
    let old = RetiredKey { retain_alias: true, disable_encrypt: Some(EncryptFor::AllAccounts) };
    let replica = NewReplica {
        key: aws_key(),
        primary: region("eu-west-1"),
        aliases: vec![],
        description: String::new(),
        policy: None,
        bypass_lockout_check: true,
        tags: vec![],
    };
    vec![
        Operation::Create(new_key()),
        Operation::Upload { new: new_key(), import: import() },
        Operation::Rotate { from: key(0), new: new_key(), import: Some(import()), old },
        Operation::Replicate { of: key(0), new: replica },
        Operation::Enable,
        Operation::Disable,
        Operation::Describe { to: "otherwise".to_owned() },
        Operation::PutPolicy { policy: policy(), template: Some("a template".to_owned()) },
        Operation::Tag { tags: vec![Tag::told("a", "c")] },
        Operation::Untag { keys: vec!["a".to_owned()] },
        Operation::AddAlias { alias: alias("alias/new"), from: Some(key(1)) },
        Operation::DeleteAlias { alias: alias("alias/new") },
        Operation::EnableRotation { period: RotationPeriod::parse(365).ok() },
        Operation::DisableRotation,
        Operation::RotateMaterial,
        Operation::ImportMaterial(import()),
        Operation::DeleteMaterial { material: None },
        Operation::ScheduleDeletion { window: DeletionWindow::parse(30).expect("days") },
        Operation::CancelDeletion,
        Operation::MovePrimary { to: region("eu-west-3") },
    ]
}

pub(super) fn every_kind() -> Vec<Event> {
    let mine = |event| Event::Key(key(0), event);
    let operation = OperationId::new(uuid(0x800));
    let requested = |wanted| {
        let (region, wanted) = (region("eu-west-1"), Box::new(wanted));
        mine(KeyEvent::OperationRequested { operation, kms: kms(0), region, wanted })
    };
    let mut events: Vec<_> = operations().into_iter().map(requested).collect();
    let job = RotationJob {
        schedule: ScheduleId::new(uuid(0x900)),
        key_source: "native".to_owned(),
        disable_encrypt: true,
        disable_encrypt_on_all_accounts: false,
    };
    events.extend([
        mine(KeyEvent::OperationDone { operation, learned: learned() }),
        mine(KeyEvent::OperationFailed { operation, reason: "AccessDeniedException: no".to_owned() }),
        mine(KeyEvent::OperationReconciled { operation, learned: vec![] }),
        mine(KeyEvent::Found { kms: kms(0), region: region("eu-west-1"), learned: learned() }),
        mine(KeyEvent::Observed { learned: learned() }),
        mine(KeyEvent::Vanished),
        mine(KeyEvent::RotationJobSet { job: Some(job) }),
        mine(KeyEvent::RotationJobSet { job: None }),
        mine(KeyEvent::Forgotten),
        mine(KeyEvent::Unmanaged { cause: UnmanagedCause::KmsDeleted }),
        mine(KeyEvent::Unmanaged { cause: UnmanagedCause::RegionRemoved }),
        mine(KeyEvent::Replaced { by: key(1) }),
        mine(KeyEvent::AliasMoved { alias: alias("alias/new"), to: key(1) }),
    ]);
    events
}
