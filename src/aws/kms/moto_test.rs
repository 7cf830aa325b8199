//! Tests of the client against moto's KMS. They are skipped as `aws/moto_test.rs` says.

use std::fmt::Debug;

use std::sync::Arc;

use super::calls::{
    CancelKeyDeletion, CreateAlias, CreateKey, DeleteAlias, DeleteImportedKeyMaterial, DescribeKey, DisableKey,
    DisableKeyRotation, EnableKey, EnableKeyRotation, GetKeyPolicy, GetKeyRotationStatus, GetParametersForImport,
    GetPublicKey, ImportKeyMaterial, ListAliases, ListKeyRotations, ListKeys, ListResourceTags, PutKeyPolicy,
    ReplicateKey, RotateKeyOnDemand, ScheduleKeyDeletion, TagResource, UntagResource, UpdateAlias,
    UpdateKeyDescription, UpdatePrimaryRegion, WrappingAlgorithm,
};
use super::port::AwsKms;
use crate::aws::failure::AwsFailure;
use crate::aws::moto_test::{access, moto};
use crate::aws::page::Paging;
use crate::aws::port::Access;
use crate::aws::rusoto::RusotoAws;
use crate::aws::settings::AwsSettings;
use crate::domain::key::aws_enums::{KeyManager, KeyState, MultiRegionKind, Origin};
use crate::domain::key::days::{DeletionWindow, RotationPeriod};
use crate::domain::key::material::RotationKind;
use crate::domain::key::name::{AliasName, AwsKeyId};
use crate::domain::key::operation::{NewKey, NewReplica};
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::KeySpec;
use crate::domain::key::tag::Tag;
use crate::domain::place::{Partition, Region};

/// moto's KMS with credentials and a region.
struct Moto {
    kms: Arc<dyn AwsKms>,
    access: Access,
    region: Region,
}

impl Moto {
    fn open() -> Option<Self> {
        // moto generates RSA keys of 4096 bits within the call.
        let (read_timeout_ms, deadline_ms) = (120_000, 120_000);
        let settings = AwsSettings { max_attempts: 1, read_timeout_ms, deadline_ms, ..moto()? };
        let kms = Arc::new(RusotoAws::new(&settings).expect("the settings are in order"));
        let region = Region::parse("eu-west-3").expect("a region");
        Some(Self { kms, access: access(Partition::Aws), region })
    }

    async fn key(&self, new: NewKey) -> AwsKeyId {
        let metadata = self.kms.call(&self.access, &self.region, CreateKey::of(new)).await.expect("moto answers");
        metadata.key_id().clone()
    }
}

fn plain() -> NewKey {
    CreateKey::plain().new
}

/// Whether moto lacks an operation. The output of the test names it, because a later version of moto may have it.
fn lacks<T: Debug>(what: &str, outcome: &Result<T, AwsFailure>) -> bool {
    match outcome {
        Ok(_) => false,
        Err(failure) => {
            let answered = matches!(failure, AwsFailure::Faulty { .. } | AwsFailure::Unintelligible { .. });
            assert!(answered, "{what}: {failure:?}");
            eprintln!("moto lacks {what}: {failure}");
            true
        }
    }
}

#[tokio::test]
async fn keys_of_every_spec_that_moto_knows_are_made_and_described() {
    let Some(Moto { kms, access, region }) = Moto::open() else { return };
    for spec in KeySpec::KNOWN {
        let new = NewKey {
            description: "from claviger".to_owned(),
            tags: vec![Tag::new("team", "ops")],
            spec: spec.clone(),
            usage: spec.usages()[0].clone(),
            ..plain()
        };
        let made = match kms.call(&access, &region, CreateKey::of(new.clone())).await {
            Ok(made) => made,
            Err(failure) => {
                assert_eq!(failure.code(), Some("ValidationException"), "{failure}");
                eprintln!("moto lacks the key spec {spec}: {failure}");
                continue;
            }
        };
        let described = kms.call(&access, &region, DescribeKey::of(made.key_id().clone())).await.expect("moto answers");
        assert_eq!(described, made);
        assert_eq!((described.spec.as_str(), &described.usage), (spec.as_str(), &new.usage));
        assert_eq!((described.state, described.manager), (KeyState::Enabled, KeyManager::Customer));
        assert_eq!((described.description.as_str(), described.origin), ("from claviger", Origin::AwsKms));
        assert!(described.created_at.is_some() && described.enabled);
        assert_eq!((described.arn.account().to_string().as_str(), described.arn.region()), ("123456789012", &region));
        if spec.is_asymmetric() {
            let der = kms.call(&access, &region, GetPublicKey { key: made.key_id().clone() }).await;
            if !lacks(&format!("GetPublicKey for {spec}"), &der) {
                assert_eq!(der.expect("answered")[0], 0x30, "a DER sequence");
            }
        }
    }
}

#[tokio::test]
async fn keys_are_listed_over_pages_and_unknown_ones_are_not_found() {
    let Some(moto) = Moto::open() else { return };
    let made = [moto.key(plain()).await, moto.key(plain()).await, moto.key(plain()).await];
    let Moto { kms, access, region } = moto;
    let (mut paging, mut listed) = (Paging::first(2), Vec::new());
    loop {
        let page = kms.call(&access, &region, ListKeys { paging: paging.clone() }).await.expect("moto answers");
        listed.extend(page.items.iter().map(|arn| arn.id().clone()));
        match page.next {
            Some(next) => paging.marker = Some(next),
            None => break,
        }
    }
    assert!(made.iter().all(|key| listed.contains(key)));
    let unknown = AwsKeyId::parse("00000000-0000-0000-0000-000000000000").expect("an id");
    let failure = kms.call(&access, &region, DescribeKey::of(unknown.clone())).await.expect_err("there is none");
    assert!(failure.is_not_found() && !failure.may_have_been_done(), "{failure:?}");
}

#[tokio::test]
async fn tags_description_and_state_change() {
    let Some(moto) = Moto::open() else { return };
    let key = moto.key(NewKey { tags: vec![Tag::new("a", "1"), Tag::new("b", "2")], ..plain() }).await;
    let Moto { kms, access, region } = moto;
    kms.call(&access, &region, TagResource { key: key.clone(), tags: vec![Tag::new("b", "3"), Tag::new("ü", "")] })
        .await
        .expect("moto answers");
    kms.call(
        &access,
        &region,
        UntagResource { key: key.clone(), tag_keys: vec!["a".to_owned(), "not there".to_owned()] },
    )
    .await
    .expect("moto answers");
    let mut tags =
        kms.pages(&access, &region, ListResourceTags::of(key.clone())).collect().await.expect("moto answers");
    tags.sort();
    assert_eq!(tags, [Tag::new("b", "3"), Tag::new("ü", "")]);
    kms.call(&access, &region, UpdateKeyDescription { key: key.clone(), description: "for wages".to_owned() })
        .await
        .expect("moto answers");
    kms.call(&access, &region, DisableKey { key: key.clone() }).await.expect("moto answers");
    let metadata = kms.call(&access, &region, DescribeKey::of(key.clone())).await.expect("moto answers");
    assert_eq!(
        (metadata.description.as_str(), metadata.state, metadata.enabled),
        ("for wages", KeyState::Disabled, false)
    );
    kms.call(&access, &region, EnableKey { key: key.clone() }).await.expect("moto answers");
    let metadata = kms.call(&access, &region, DescribeKey::of(key.clone())).await.expect("moto answers");
    assert_eq!((metadata.state, metadata.enabled), (KeyState::Enabled, true));
}

#[tokio::test]
async fn aliases_are_created_moved_listed_and_deleted() {
    let Some(moto) = Moto::open() else { return };
    let (one, other) = (moto.key(plain()).await, moto.key(plain()).await);
    let Moto { kms, access, region } = moto;
    let alias = AliasName::parse_own(&format!("claviger/{one}")).expect("an alias");
    kms.call(&access, &region, CreateAlias { alias: alias.clone(), key: one.clone() }).await.expect("moto answers");
    let again = kms
        .call(&access, &region, CreateAlias { alias: alias.clone(), key: other.clone() })
        .await
        .expect_err("it is taken");
    assert!(again.is_already_there(), "{again:?}");
    kms.call(&access, &region, UpdateAlias { alias: alias.clone(), key: other.clone() }).await.expect("moto answers");
    let of = |key: &AwsKeyId| {
        let (kms, access, region) = (&kms, &access, &region);
        let list = ListAliases { key: Some(key.clone()), paging: Paging::default() };
        async move { kms.call(access, region, list).await.expect("moto answers").items }
    };
    assert_eq!(of(&one).await, []);
    let moved = of(&other).await;
    assert_eq!((moved.len(), &moved[0].name, moved[0].target.as_ref()), (1, &alias, Some(&other)));
    let all =
        kms.call(&access, &region, ListAliases { key: None, paging: Paging::default() }).await.expect("moto answers");
    assert!(all.items.iter().any(|alias| alias.name.is_of_aws()), "AWS's own are listed too");
    let behind = kms.call(&access, &region, DescribeKey::behind(alias.clone())).await.expect("moto answers");
    assert_eq!(behind.key_id(), &other);
    kms.call(&access, &region, DeleteAlias { alias: alias.clone() }).await.expect("moto answers");
    assert!(
        kms.call(&access, &region, DescribeKey::behind(alias.clone())).await.expect_err("it is gone").is_not_found()
    );
    assert!(
        kms.call(&access, &region, DeleteAlias { alias: alias.clone() }).await.expect_err("it is gone").is_not_found()
    );
}

#[tokio::test]
async fn a_policy_is_read_and_replaced() {
    let Some(moto) = Moto::open() else { return };
    let key = moto.key(plain()).await;
    let Moto { kms, access, region } = moto;
    let default = kms.call(&access, &region, GetKeyPolicy { key: key.clone() }).await.expect("moto answers");
    assert!(default.as_str().contains(":root"), "{default}");
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["kms:*"],
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Resource": "*"}]});
    let policy = PolicyText::of(&policy).expect("a policy");
    for bypass_lockout_check in [false, true] {
        kms.call(&access, &region, PutKeyPolicy { key: key.clone(), policy: policy.clone(), bypass_lockout_check })
            .await
            .expect("moto answers");
        assert_eq!(kms.call(&access, &region, GetKeyPolicy { key: key.clone() }).await.expect("moto answers"), policy);
    }
}

#[tokio::test]
async fn rotation_is_enabled_disabled_and_done_on_demand() {
    let Some(moto) = Moto::open() else { return };
    let key = moto.key(plain()).await;
    let Moto { kms, access, region } = moto;
    let period = RotationPeriod::parse(180).expect("days");
    kms.call(&access, &region, EnableKeyRotation { key: key.clone(), period: Some(period) })
        .await
        .expect("moto answers");
    let status = kms.call(&access, &region, GetKeyRotationStatus { key: key.clone() }).await.expect("moto answers");
    assert!(status.enabled);
    match status.period {
        Some(said) => assert_eq!(said, period),
        None => eprintln!("moto lacks RotationPeriodInDays in GetKeyRotationStatus"),
    }
    kms.call(&access, &region, RotateKeyOnDemand { key: key.clone() }).await.expect("moto answers");
    let rotations = kms
        .call(&access, &region, ListKeyRotations { key: key.clone(), paging: Paging::default() })
        .await
        .expect("moto answers")
        .items;
    assert_eq!(rotations.last().and_then(|row| row.kind.clone()), Some(RotationKind::OnDemand), "{rotations:?}");
    if rotations.iter().all(|row| row.material.is_none()) {
        eprintln!("moto lacks KeyMaterialId in ListKeyRotations");
    }
    kms.call(&access, &region, DisableKeyRotation { key: key.clone() }).await.expect("moto answers");
    assert!(
        !kms.call(&access, &region, GetKeyRotationStatus { key: key.clone() }).await.expect("moto answers").enabled
    );
}

#[tokio::test]
async fn deletion_is_scheduled_and_cancelled() {
    let Some(moto) = Moto::open() else { return };
    let key = moto.key(plain()).await;
    let Moto { kms, access, region } = moto;
    let window = DeletionWindow::parse(7).expect("days");
    let scheduled =
        kms.call(&access, &region, ScheduleKeyDeletion { key: key.clone(), window }).await.expect("moto answers");
    let metadata = kms.call(&access, &region, DescribeKey::of(key.clone())).await.expect("moto answers");
    assert!(metadata.is_pending_deletion() && !metadata.enabled);
    let (date, made) = (scheduled.date.expect("moto says when"), metadata.created_at.expect("moto says when"));
    assert!((date.seconds() - made.seconds() - 7 * 86_400).abs() < 60, "{date} {made}");
    kms.call(&access, &region, CancelKeyDeletion { key: key.clone() }).await.expect("moto answers");
    let metadata = kms.call(&access, &region, DescribeKey::of(key.clone())).await.expect("moto answers");
    assert_eq!((metadata.state, metadata.deletion_date), (KeyState::Disabled, None));
}

#[tokio::test]
async fn a_multi_region_key_has_a_replica() {
    let Some(moto) = Moto::open() else { return };
    let key = moto.key(NewKey { multi_region: true, ..plain() }).await;
    let Moto { kms, access, region } = moto;
    assert!(key.is_multi_region());
    let metadata = kms.call(&access, &region, DescribeKey::of(key.clone())).await.expect("moto answers");
    let family = metadata.multi_region.expect("it is of one");
    assert_eq!((family.kind, family.primary.region()), (MultiRegionKind::Primary, &region));
    let replica = ReplicateKey {
        new: NewReplica {
            key: key.clone(),
            primary: region.clone(),
            aliases: Vec::new(),
            description: "there".to_owned(),
            policy: None,
            bypass_lockout_check: false,
            tags: vec![Tag::new("team", "ops")],
        },
        replica_region: Region::parse("eu-west-1").expect("a region"),
    };
    let made = kms.call(&access, &region, replica.clone()).await.expect("moto answers");
    assert_eq!((made.key_id(), made.region()), (&key, &replica.replica_region));
    match made.multi_region.expect("it is of one").kind {
        MultiRegionKind::Replica => {}
        kind => eprintln!("moto lacks REPLICA in the answer of ReplicateKey: it says {kind}"),
    }
    let moved = kms
        .call(&access, &region, UpdatePrimaryRegion { key: key.clone(), new_primary: replica.replica_region.clone() })
        .await;
    lacks("UpdatePrimaryRegion", &moved);
}

#[tokio::test]
async fn material_is_imported_if_moto_can() {
    let Some(moto) = Moto::open() else { return };
    let key = moto.key(NewKey { origin: Origin::External, ..plain() }).await;
    let Moto { kms, access, region } = moto;
    let metadata = kms.call(&access, &region, DescribeKey::of(key.clone())).await.expect("moto answers");
    assert_eq!(metadata.origin, Origin::External);
    if metadata.state != KeyState::PendingImport {
        eprintln!("moto lacks the key state PendingImport: a key without material is {}", metadata.state);
    }
    let wrapping = WrappingAlgorithm::RsaesOaepSha256;
    let parameters = kms.call(&access, &region, GetParametersForImport { key: key.clone(), algorithm: wrapping }).await;
    let import = ImportKeyMaterial::first(key.clone(), b"token".to_vec(), b"wrapped".to_vec());
    if !lacks("GetParametersForImport", &parameters) {
        assert!(!parameters.expect("answered").wrapping_key.is_empty());
    }
    lacks("ImportKeyMaterial", &kms.call(&access, &region, import.clone()).await);
    lacks(
        "DeleteImportedKeyMaterial",
        &kms.call(&access, &region, DeleteImportedKeyMaterial { key: key.clone(), material: None }).await,
    );
}
