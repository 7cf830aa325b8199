//! Events of every kind for keys, and operations of every kind.

use super::sample::{Form, kms, uuid};
use crate::domain::event::Event;
use crate::domain::id::{KeyId, KeyStoreId, OperationId, ScheduleId, SourceKeyId};
use crate::domain::key::aws_enums::{ExpirationModel, KeyManager, KeyState, MultiRegionKind, Origin};
use crate::domain::key::days::{DeletionWindow, RotationPeriod};
use crate::domain::key::event::{Aspect, KeyEvent, RotationJob, UnmanagedCause};
use crate::domain::key::hyok::NewHyokKey;
use crate::domain::key::last_use::{KeyUse, LastUse};
use crate::domain::key::material::MaterialId;
use crate::domain::key::metadata::{Algorithms, KeyMetadata, MultiRegion, RotationStatus};
use crate::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use crate::domain::key::operation::{EncryptFor, Import, NewKey, NewReplica, Operation, RetiredKey};
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::key::tag::Tag;
use crate::domain::key_store::caller_rules::CallerRules;
use crate::domain::place::{AccountId, Region};
use crate::domain::time::Time;
use std::sync::Arc;

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

fn import(form: Form) -> Import {
    Import {
        source: SourceKeyId::new(uuid(0x700)),
        valid_to: form.option(Time::from_nanos(1_800_000_000_000_000_000)),
        existing: form.switch(),
        material: form.option(MaterialId::new(&"0f".repeat(32))),
        description: form.option("from here".to_owned()),
    }
}

fn new_key(form: Form) -> NewKey {
    NewKey {
        aliases: form.list(vec![alias("alias/payroll")]),
        spec: form.option(KeySpec::parse("SOMETHING_NEW")).unwrap_or(KeySpec::SymmetricDefault),
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::External,
        description: form.text("payroll"),
        multi_region: form.switch(),
        policy: form.option(policy()),
        bypass_lockout_check: form.switch(),
        tags: form.list(vec![Tag::new("team", "платформа")]),
    }
}

fn replica(form: Form) -> NewReplica {
    NewReplica {
        key: aws_key(),
        primary: region("eu-west-1"),
        aliases: form.list(vec![alias("alias/payroll")]),
        description: form.text("payroll"),
        policy: form.option(policy()),
        bypass_lockout_check: form.switch(),
        tags: form.list(vec![Tag::new("team", "")]),
    }
}

fn metadata(form: Form) -> KeyMetadata {
    let arn = KeyArn::of(AccountId::parse("123456789012").expect("an account"), region("eu-west-1"), aws_key());
    let replicas = form.list(vec![arn.in_region(region("eu-west-3"))]);
    let names = |name: &str| form.list(vec![name.to_owned()]);
    KeyMetadata {
        created_at: form.option(Time::from_nanos(1_700_000_000_123_000_000)),
        description: form.text("payroll"),
        enabled: form.switch(),
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        state: form.option(KeyState::PendingReplicaDeletion).unwrap_or(KeyState::Enabled),
        origin: Origin::External,
        manager: KeyManager::Customer,
        multi_region: form.option(Box::new(MultiRegion {
            kind: MultiRegionKind::Primary,
            primary: arn.clone(),
            replicas,
        })),
        arn,
        deletion_date: form.option(Time::from_nanos(1_700_000_000_123_000_001)),
        pending_window: form.option(DeletionWindow::parse(7).expect("days")),
        valid_to: form.option(Time::from_nanos(-1)),
        expiration_model: form.option(ExpirationModel::DoesNotExpire),
        algorithms: Arc::new(Algorithms {
            encryption: names("SYMMETRIC_DEFAULT"),
            signing: names("ECDSA_SHA_256"),
            mac: names("HMAC_SHA_256"),
            key_agreement: names("ECDH"),
            encapsulation: names("ML_KEM_768"),
        }),
        current_material: form.option(MaterialId::new("0f")),
        custom_key_store_id: form.option("cks-1234567890abcdef0".to_owned()),
        cloud_hsm_cluster_id: form.option("cluster-1a23b4cdefg".to_owned()),
        xks_key_id: form.option("x".to_owned()),
    }
}

fn learned(form: Form) -> Vec<Aspect> {
    let rotation = RotationStatus {
        enabled: form.switch(),
        period: form.option(RotationPeriod::parse(90).expect("days")),
        next: form.option(Time::from_nanos(3)),
        on_demand_started: form.option(Time::from_nanos(4)),
    };
    vec![
        Aspect::Metadata(Box::new(metadata(form))),
        Aspect::Aliases(form.list(vec![alias("alias/payroll")])),
        Aspect::Tags(form.list(vec![Tag::new("a", "b")])),
        Aspect::Policy(policy()),
        Aspect::Rotation(rotation),
        Aspect::ImportedMaterial(MaterialId::new(&"0e".repeat(32))),
        Aspect::LastUse(LastUse {
            asked: Time::from_nanos(1_700_000_100_000_000_000),
            tracked_since: Time::from_nanos(1_600_000_000_000_000_000),
            last: form.option(KeyUse {
                at: Time::from_nanos(1_700_000_000_123_000_000),
                operation: "Decrypt".to_owned(),
                event_id: form.text("b79603d5-0000-4000-8000-000000000000"),
            }),
        }),
    ]
}

/// The metadata of a multi-Region key without replicas.
fn alone() -> Aspect {
    let mut metadata = metadata(Form::Full);
    metadata.multi_region.iter_mut().for_each(|family| family.replicas.clear());
    Aspect::Metadata(Box::new(metadata))
}

fn operations(form: Form) -> Vec<Operation> {
    let who = form.option(EncryptFor::AllAccounts).unwrap_or(EncryptFor::OwnAccount);
    let old = |disable_encrypt| RetiredKey { retain_alias: form.switch(), disable_encrypt };
    let rotate = |old| {
        let (from, new, import) = (key(0), new_key(form), form.option(import(form)));
        Operation::Rotate { from, new, import, old }
    };
    vec![
        Operation::Create(new_key(form)),
        Operation::Upload { new: new_key(form), import: import(form) },
        rotate(old(None)),
        rotate(old(Some(who))),
        Operation::Replicate { of: key(0), new: replica(form) },
        Operation::Enable,
        Operation::Disable,
        Operation::Describe { to: form.text("otherwise") },
        Operation::PutPolicy { policy: policy(), template: form.option("a template".to_owned()) },
        Operation::Tag { tags: form.list(vec![Tag::new("a", "c")]) },
        Operation::Untag { keys: form.list(vec!["a".to_owned()]) },
        Operation::AddAlias { alias: alias("alias/new"), from: form.option(key(1)) },
        Operation::DeleteAlias { alias: alias("alias/new") },
        Operation::EnableRotation { period: form.option(RotationPeriod::parse(365).expect("days")) },
        Operation::DisableRotation,
        Operation::RotateMaterial,
        Operation::ImportMaterial(import(form)),
        Operation::DeleteMaterial { material: form.option(MaterialId::new(&"0f".repeat(32))) },
        Operation::ScheduleDeletion { window: DeletionWindow::parse(30).expect("days") },
        Operation::CancelDeletion,
        Operation::MovePrimary { to: region("eu-west-3") },
        Operation::CreateInStore { new: new_key(form), store: KeyStoreId::new(uuid(0xb00)) },
        Operation::Link { new: new_key(form), store: KeyStoreId::new(uuid(0xb00)), is_new: form.switch() },
    ]
}

pub(super) fn every_kind(form: Form) -> impl Iterator<Item = Event> {
    let operation = OperationId::new(uuid(0x800));
    let requested = |wanted| {
        let (region, wanted) = (region("eu-west-1"), Box::new(wanted));
        KeyEvent::OperationRequested { operation, kms: kms(0), region, wanted }
    };
    let mut events: Vec<_> = operations(form).into_iter().map(requested).collect();
    let job = RotationJob {
        schedule: ScheduleId::new(uuid(0x900)),
        key_source: "native".to_owned(),
        disable_encrypt: form.switch(),
        disable_encrypt_on_all_accounts: form.switch(),
    };
    events.extend([
        KeyEvent::OperationDone { operation, learned: form.list(learned(form)) },
        KeyEvent::OperationFailed { operation, reason: "AccessDeniedException: no".to_owned() },
        KeyEvent::OperationReconciled { operation, learned: form.list(learned(form)) },
        KeyEvent::Found { kms: kms(0), region: region("eu-west-1"), learned: form.list(learned(form)) },
        KeyEvent::Observed { learned: learned(form) },
        KeyEvent::Observed { learned: form.list(vec![alone()]) },
        KeyEvent::Vanished,
        KeyEvent::RotationJobSet { job: Some(job.clone()) },
        KeyEvent::RotationJobSet { job: form.option(job) },
        KeyEvent::Forgotten,
        KeyEvent::Unmanaged { cause: UnmanagedCause::KmsDeleted },
        KeyEvent::Unmanaged { cause: UnmanagedCause::RegionRemoved },
        KeyEvent::Replaced { by: key(1) },
        KeyEvent::AliasMoved { alias: alias("alias/new"), to: key(1) },
        KeyEvent::MaterialNotRotated { reason: "the disk of the HSM is full".to_owned() },
        KeyEvent::HyokCreated {
            kms: kms(0),
            region: region("eu-west-1"),
            new: Box::new(NewHyokKey {
                store: KeyStoreId::new(uuid(0xb00)),
                source: SourceKeyId::new(uuid(0x700)),
                source_key_tier: "local".to_owned(),
                blocked: form.switch(),
                caller_rules: CallerRules {
                    principals: form.list(vec!["arn:aws:iam::123456789012:role/app-*".to_owned()]),
                    ..CallerRules::default()
                },
                planned: form.list(learned(form)),
            }),
        },
        KeyEvent::HyokBlocked,
        KeyEvent::HyokUnblocked,
        KeyEvent::HyokRotated { source: SourceKeyId::new(uuid(0x701)) },
        KeyEvent::CallerRulesSet { rules: CallerRules::default() },
        KeyEvent::EncryptionsCounted { version: 2, encryptions: 1 << 20 },
        KeyEvent::HyokLinked { learned: form.list(learned(form)) },
    ]);
    let virtual_key = [
        KeyEvent::VirtualKeyMade { source: SourceKeyId::new(uuid(0x700)), source_key_tier: form.text("local") },
        KeyEvent::VirtualKeyDeletable { deletable: form.switch() },
        KeyEvent::VirtualKeyDeleted,
    ];
    let of_keys = events.into_iter().map(|event| Event::Key(key(0), event));
    of_keys.chain(virtual_key.into_iter().map(|event| Event::Key(key(9), event)))
}
