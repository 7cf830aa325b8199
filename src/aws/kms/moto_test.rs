//! The adapter against moto's KMS, which others wrote. Skipped as `aws/moto_test.rs` says.

use std::fmt::Debug;

use super::port::{AwsKms, LockoutCheck, MaterialImport, NewKey, NewReplica, WrappingAlgorithm};
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
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::key::tag::Tag;
use crate::domain::place::{Partition, Region};

/// moto's KMS, a way in, and a region.
struct Moto {
    kms: RusotoAws,
    access: Access,
    region: Region,
}

impl Moto {
    fn open() -> Option<Self> {
        // moto makes RSA keys of 4096 bits while the caller waits.
        let (read_timeout_ms, deadline_ms) = (120_000, 120_000);
        let settings = AwsSettings { max_attempts: 1, read_timeout_ms, deadline_ms, ..moto()? };
        let kms = RusotoAws::new(&settings).expect("the settings are in order");
        let region = Region::parse("eu-west-3").expect("a region");
        Some(Self { kms, access: access(Partition::Aws), region })
    }

    async fn key(&self, key: &NewKey) -> AwsKeyId {
        let metadata = self.kms.create_key(&self.access, &self.region, key).await.expect("moto answers");
        metadata.key_id().clone()
    }
}

fn plain() -> NewKey {
    NewKey::plain(KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt)
}

/// moto has no such operation, or no such member: the test's output says so by name. A later moto may have it.
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
            tags: vec![Tag::told("team", "ops")],
            ..NewKey::plain(spec.clone(), spec.usages()[0].clone())
        };
        let made = match kms.create_key(&access, &region, &new).await {
            Ok(made) => made,
            Err(failure) => {
                assert_eq!(failure.code(), Some("ValidationException"), "{failure}");
                eprintln!("moto lacks the key spec {spec}: {failure}");
                continue;
            }
        };
        let described = kms.describe_key(&access, &region, made.key_id()).await.expect("moto answers");
        assert_eq!(described, made);
        assert_eq!((described.spec.as_str(), &described.usage), (spec.as_str(), &new.usage));
        assert_eq!((described.state, described.manager), (KeyState::Enabled, KeyManager::Customer));
        assert_eq!((described.description.as_str(), described.origin), ("from claviger", Origin::AwsKms));
        assert!(described.created_at.is_some() && described.enabled);
        assert_eq!((described.arn.account().to_string().as_str(), described.arn.region()), ("123456789012", &region));
        if spec.is_asymmetric() {
            let der = kms.public_key(&access, &region, made.key_id()).await;
            if !lacks(&format!("GetPublicKey for {spec}"), &der) {
                assert_eq!(der.expect("answered")[0], 0x30, "a DER sequence");
            }
        }
    }
}

#[tokio::test]
async fn keys_are_listed_over_pages_and_unknown_ones_are_not_found() {
    let Some(moto) = Moto::open() else { return };
    let made = [moto.key(&plain()).await, moto.key(&plain()).await, moto.key(&plain()).await];
    let Moto { kms, access, region } = moto;
    let (mut paging, mut listed) = (Paging::first(2), Vec::new());
    loop {
        let page = kms.list_keys(&access, &region, &paging).await.expect("moto answers");
        listed.extend(page.items.iter().map(|arn| arn.id().clone()));
        match page.next {
            Some(next) => paging.marker = Some(next),
            None => break,
        }
    }
    assert!(made.iter().all(|key| listed.contains(key)));
    let unknown = AwsKeyId::parse("00000000-0000-0000-0000-000000000000").expect("an id");
    let failure = kms.describe_key(&access, &region, &unknown).await.expect_err("there is none");
    assert!(failure.is_not_found() && !failure.may_have_been_done(), "{failure:?}");
}

#[tokio::test]
async fn tags_description_and_state_change() {
    let Some(moto) = Moto::open() else { return };
    let key = moto.key(&NewKey { tags: vec![Tag::told("a", "1"), Tag::told("b", "2")], ..plain() }).await;
    let Moto { kms, access, region } = moto;
    kms.tag(&access, &region, &key, &[Tag::told("b", "3"), Tag::told("ü", "")]).await.expect("moto answers");
    kms.untag(&access, &region, &key, &["a".to_owned(), "not there".to_owned()]).await.expect("moto answers");
    let mut tags = kms.list_tags(&access, &region, &key).await.expect("moto answers");
    tags.sort();
    assert_eq!(tags, [Tag::told("b", "3"), Tag::told("ü", "")]);
    kms.update_description(&access, &region, &key, "for wages").await.expect("moto answers");
    kms.disable(&access, &region, &key).await.expect("moto answers");
    let metadata = kms.describe_key(&access, &region, &key).await.expect("moto answers");
    assert_eq!(
        (metadata.description.as_str(), metadata.state, metadata.enabled),
        ("for wages", KeyState::Disabled, false)
    );
    kms.enable(&access, &region, &key).await.expect("moto answers");
    let metadata = kms.describe_key(&access, &region, &key).await.expect("moto answers");
    assert_eq!((metadata.state, metadata.enabled), (KeyState::Enabled, true));
}

#[tokio::test]
async fn aliases_are_made_moved_listed_and_taken_away() {
    let Some(moto) = Moto::open() else { return };
    let (one, other) = (moto.key(&plain()).await, moto.key(&plain()).await);
    let Moto { kms, access, region } = moto;
    let alias = AliasName::parse_own(&format!("claviger/{one}")).expect("an alias");
    kms.create_alias(&access, &region, &alias, &one).await.expect("moto answers");
    let again = kms.create_alias(&access, &region, &alias, &other).await.expect_err("it is taken");
    assert!(again.is_already_there(), "{again:?}");
    kms.update_alias(&access, &region, &alias, &other).await.expect("moto answers");
    let of = |key| {
        let (kms, access, region) = (&kms, &access, &region);
        async move { kms.list_aliases(access, region, Some(key), &Paging::default()).await.expect("moto answers").items }
    };
    assert_eq!(of(&one).await, []);
    let moved = of(&other).await;
    assert_eq!((moved.len(), &moved[0].name, moved[0].target.as_ref()), (1, &alias, Some(&other)));
    let all = kms.list_aliases(&access, &region, None, &Paging::default()).await.expect("moto answers");
    assert!(all.items.iter().any(|alias| alias.name.is_of_aws()), "AWS's own are listed too");
    let behind = kms.describe_alias(&access, &region, &alias).await.expect("moto answers");
    assert_eq!(behind.key_id(), &other);
    kms.delete_alias(&access, &region, &alias).await.expect("moto answers");
    assert!(kms.describe_alias(&access, &region, &alias).await.expect_err("it is gone").is_not_found());
    assert!(kms.delete_alias(&access, &region, &alias).await.expect_err("it is gone").is_not_found());
}

#[tokio::test]
async fn a_policy_is_read_and_replaced() {
    let Some(moto) = Moto::open() else { return };
    let key = moto.key(&plain()).await;
    let Moto { kms, access, region } = moto;
    let default = kms.get_key_policy(&access, &region, &key).await.expect("moto answers");
    assert!(default.as_str().contains(":root"), "{default}");
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["kms:*"],
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Resource": "*"}]});
    let policy = PolicyText::of(&policy).expect("a policy");
    for lockout in [LockoutCheck::Kept, LockoutCheck::Bypassed] {
        kms.put_key_policy(&access, &region, &key, &policy, lockout).await.expect("moto answers");
        assert_eq!(kms.get_key_policy(&access, &region, &key).await.expect("moto answers"), policy);
    }
}

#[tokio::test]
async fn rotation_is_switched_on_and_off_and_asked_for() {
    let Some(moto) = Moto::open() else { return };
    let key = moto.key(&plain()).await;
    let Moto { kms, access, region } = moto;
    let period = RotationPeriod::parse(180).expect("days");
    kms.enable_rotation(&access, &region, &key, Some(period)).await.expect("moto answers");
    let status = kms.rotation_status(&access, &region, &key).await.expect("moto answers");
    assert!(status.enabled);
    match status.period {
        Some(said) => assert_eq!(said, period),
        None => eprintln!("moto lacks RotationPeriodInDays in GetKeyRotationStatus"),
    }
    kms.rotate_on_demand(&access, &region, &key).await.expect("moto answers");
    let rotations = kms.list_rotations(&access, &region, &key, &Paging::default()).await.expect("moto answers").items;
    assert_eq!(rotations.last().and_then(|row| row.kind.clone()), Some(RotationKind::OnDemand), "{rotations:?}");
    if rotations.iter().all(|row| row.material.is_none()) {
        eprintln!("moto lacks KeyMaterialId in ListKeyRotations");
    }
    kms.disable_rotation(&access, &region, &key).await.expect("moto answers");
    assert!(!kms.rotation_status(&access, &region, &key).await.expect("moto answers").enabled);
}

#[tokio::test]
async fn deletion_is_scheduled_and_called_off() {
    let Some(moto) = Moto::open() else { return };
    let key = moto.key(&plain()).await;
    let Moto { kms, access, region } = moto;
    let window = DeletionWindow::parse(7).expect("days");
    let scheduled = kms.schedule_deletion(&access, &region, &key, window).await.expect("moto answers");
    let metadata = kms.describe_key(&access, &region, &key).await.expect("moto answers");
    assert!(metadata.is_pending_deletion() && !metadata.enabled);
    let (date, made) = (scheduled.date.expect("moto says when"), metadata.created_at.expect("moto says when"));
    assert!((date.seconds() - made.seconds() - 7 * 86_400).abs() < 60, "{date} {made}");
    kms.cancel_deletion(&access, &region, &key).await.expect("moto answers");
    let metadata = kms.describe_key(&access, &region, &key).await.expect("moto answers");
    assert_eq!((metadata.state, metadata.deletion_date), (KeyState::Disabled, None));
}

#[tokio::test]
async fn a_multi_region_key_has_a_replica() {
    let Some(moto) = Moto::open() else { return };
    let key = moto.key(&NewKey { multi_region: true, ..plain() }).await;
    let Moto { kms, access, region } = moto;
    assert!(key.is_multi_region());
    let metadata = kms.describe_key(&access, &region, &key).await.expect("moto answers");
    let family = metadata.multi_region.expect("it is of one");
    assert_eq!((family.kind, family.primary.region()), (MultiRegionKind::Primary, &region));
    let replica = NewReplica {
        region: Region::parse("eu-west-1").expect("a region"),
        description: "there".to_owned(),
        policy: None,
        lockout: LockoutCheck::Kept,
        tags: vec![Tag::told("team", "ops")],
    };
    let made = kms.replicate(&access, &region, &key, &replica).await.expect("moto answers");
    assert_eq!((made.key_id(), made.region()), (&key, &replica.region));
    match made.multi_region.expect("it is of one").kind {
        MultiRegionKind::Replica => {}
        kind => eprintln!("moto lacks REPLICA in the answer of ReplicateKey: it says {kind}"),
    }
    let moved = kms.update_primary_region(&access, &region, &key, &replica.region).await;
    lacks("UpdatePrimaryRegion", &moved);
}

#[tokio::test]
async fn material_is_imported_if_moto_can() {
    let Some(moto) = Moto::open() else { return };
    let key = moto.key(&NewKey { origin: Origin::External, ..plain() }).await;
    let Moto { kms, access, region } = moto;
    let metadata = kms.describe_key(&access, &region, &key).await.expect("moto answers");
    assert_eq!(metadata.origin, Origin::External);
    if metadata.state != KeyState::PendingImport {
        eprintln!("moto lacks the key state PendingImport: a key without material is {}", metadata.state);
    }
    let wrapping = WrappingAlgorithm::RsaesOaepSha256;
    let parameters = kms.parameters_for_import(&access, &region, &key, wrapping).await;
    let import = MaterialImport::first(b"token".to_vec(), b"wrapped".to_vec());
    if !lacks("GetParametersForImport", &parameters) {
        assert!(!parameters.expect("answered").wrapping_key.is_empty());
    }
    lacks("ImportKeyMaterial", &kms.import_material(&access, &region, &key, &import).await);
    lacks("DeleteImportedKeyMaterial", &kms.delete_material(&access, &region, &key, None).await);
}
