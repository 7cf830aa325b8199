//! The adapter against bytes: what is asked, what is read, what is repeated.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::calls::{
    CancelKeyDeletion, CreateAlias, CreateKey, DeleteAlias, DeleteImportedKeyMaterial, DeletionScheduled, DescribeKey,
    DisableKey, DisableKeyRotation, EnableKey, EnableKeyRotation, GetKeyPolicy, GetKeyRotationStatus,
    GetParametersForImport, GetPublicKey, ImportKeyMaterial, ListAliases, ListKeyRotations, ListKeys, ListResourceTags,
    PutKeyPolicy, ReplicateKey, RotateKeyOnDemand, ScheduleKeyDeletion, TagResource, UntagResource, UpdateAlias,
    UpdateKeyDescription, UpdatePrimaryRegion, WrappingAlgorithm,
};
use super::port::AwsKms;
use crate::aws::failure::AwsFailure;
use crate::aws::fake::{Fake, RecordedCall, Reply};
use crate::aws::page::{Marker, Paging};
use crate::aws::port::{Access, AccessKeys, RoleToAssume, SessionName};
use crate::aws::rusoto::RusotoAws;
use crate::aws::settings::{AwsSettings, EndpointOverride};
use crate::domain::key::aws_enums::{ExpirationModel, KeyManager, KeyState, MultiRegionKind, Origin};
use crate::domain::key::days::{DeletionWindow, RotationPeriod};
use crate::domain::key::material::{ImportState, ImportType, MaterialId, MaterialState, RotationKind};
use crate::domain::key::name::{AliasName, AwsKeyId};
use crate::domain::key::operation::{NewKey, NewReplica};
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::key::tag::Tag;
use crate::domain::place::{Partition, Region, RoleArn};
use crate::domain::time::Time;

const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const FAMILY: &str = "mrk-1234abcd12ab34cd56ef1234567890ab";

fn port(settings: AwsSettings) -> Arc<dyn AwsKms> {
    let opened = RusotoAws::new(&settings).expect("the settings are in order");
    let mut client = Arc::into_inner(opened.client).expect("nobody else has it");
    client.retry.base = Duration::from_millis(5);
    Arc::new(RusotoAws { client: Arc::new(client) })
}

fn settings(fake: &Fake) -> AwsSettings {
    let everything = EndpointOverride { partition: None, service: None, region: None, url: fake.url() };
    AwsSettings { endpoints: vec![everything], ..AwsSettings::default() }
}

fn access() -> Access {
    let secret = "wJalrXUtnFEMI".to_owned().into();
    Access::with_keys(Partition::Aws, AccessKeys { id: "AKIA1".to_owned(), secret, session_token: None })
}

fn paris() -> Region {
    Region::parse("eu-west-3").expect("a region")
}

fn key() -> AwsKeyId {
    AwsKeyId::parse(ID).expect("an id")
}

fn alias() -> AliasName {
    AliasName::parse_own("payroll").expect("an alias")
}

fn policy() -> PolicyText {
    PolicyText::of(&json!({"Statement": []})).expect("a policy")
}

fn metadata() -> Value {
    json!({
        "AWSAccountId": "123456789012", "KeyId": ID, "Arn": format!("arn:aws:kms:eu-west-3:123456789012:key/{ID}"),
        "CreationDate": 1_700_000_000.125, "Enabled": true, "Description": "", "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled", "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "KeySpec": "SYMMETRIC_DEFAULT",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "MultiRegion": false
    })
}

/// A sane answer to every operation.
fn answer(asked: &RecordedCall) -> Reply {
    let body = match asked.target().as_str() {
        "CreateKey" | "DescribeKey" => json!({"KeyMetadata": metadata()}),
        "ReplicateKey" => json!({"ReplicaKeyMetadata": metadata(), "ReplicaPolicy": "{}", "ReplicaTags": []}),
        "GetKeyPolicy" => json!({"Policy": "{}"}),
        "GetKeyRotationStatus" => json!({"KeyRotationEnabled": false}),
        "GetParametersForImport" => {
            json!({"KeyId": ID, "ImportToken": "dG9rZW4=", "PublicKey": "a2V5", "ParametersValidTo": 1_700_086_400.0})
        }
        "GetPublicKey" => json!({"KeyId": ID, "PublicKey": "a2V5"}),
        _ => return Reply::Http(200, String::new()),
    };
    Reply::Http(200, body.to_string())
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::Http(status, json!({"__type": code, "message": message}).to_string())
}

#[tokio::test]
async fn every_operation_asks_in_awss_own_words() {
    let fake = Fake::answering(|asked, _| answer(asked)).await;
    let (kms, access, paris, key, alias) = (port(settings(&fake)), access(), paris(), key(), alias());
    let tags = [Tag::told("team", "ops")];
    let third = Paging { marker: Some(Marker::new("m2")), limit: Some(1_000) };
    let new = NewKey {
        spec: KeySpec::Hmac256,
        usage: KeyUsage::GenerateVerifyMac,
        origin: Origin::External,
        description: "d".to_owned(),
        multi_region: true,
        policy: Some(policy()),
        bypass_lockout_check: true,
        tags: tags.to_vec(),
        ..CreateKey::plain().new
    };
    let new = CreateKey { new, custom_key_store_id: Some("cks-1".to_owned()), xks_key_id: Some("xks".to_owned()) };
    let replica = ReplicateKey {
        new: NewReplica {
            key: key.clone(),
            primary: paris.clone(),
            aliases: Vec::new(),
            description: "".to_owned(),
            policy: None,
            bypass_lockout_check: false,
            tags: tags.to_vec(),
        },
        replica_region: Region::parse("eu-west-1").expect("a region"),
    };
    let first = ImportKeyMaterial::first(key.clone(), b"token".to_vec(), b"wrapped".to_vec());
    let again = ImportKeyMaterial {
        expires: Some(Time::from_nanos(1_800_000_000_900_000_000)),
        import_type: Some(ImportType::ExistingKeyMaterial),
        material: Some(MaterialId::told("0f")),
        description: Some("batch 7".to_owned()),
        ..first.clone()
    };
    let plain = CreateKey::plain();
    let window = DeletionWindow::parse(7).expect("days");

    kms.call(&access, &paris, plain.clone()).await.expect("answered");
    kms.call(&access, &paris, new.clone()).await.expect("answered");
    kms.call(&access, &paris, DescribeKey::of(key.clone())).await.expect("answered");
    kms.call(&access, &paris, DescribeKey::behind(alias.clone())).await.expect("answered");
    kms.call(&access, &paris, ListKeys { paging: third.clone() }).await.expect("answered");
    kms.call(&access, &paris, ListAliases { key: None, paging: Paging::default() }).await.expect("answered");
    kms.call(&access, &paris, ListAliases { key: Some(key.clone()), paging: Paging::first(100) })
        .await
        .expect("answered");
    kms.call(&access, &paris, GetKeyPolicy { key: key.clone() }).await.expect("answered");
    kms.call(&access, &paris, PutKeyPolicy { key: key.clone(), policy: policy(), bypass_lockout_check: false })
        .await
        .expect("answered");
    kms.call(&access, &paris, PutKeyPolicy { key: key.clone(), policy: policy(), bypass_lockout_check: true })
        .await
        .expect("answered");
    kms.pages(&access, &paris, ListResourceTags::of(key.clone())).collect().await.expect("answered");
    kms.call(&access, &paris, TagResource { key: key.clone(), tags: tags.to_vec() }).await.expect("answered");
    kms.call(&access, &paris, UntagResource { key: key.clone(), tag_keys: vec!["team".to_owned()] })
        .await
        .expect("answered");
    kms.call(&access, &paris, CreateAlias { alias: alias.clone(), key: key.clone() }).await.expect("answered");
    kms.call(&access, &paris, UpdateAlias { alias: alias.clone(), key: key.clone() }).await.expect("answered");
    kms.call(&access, &paris, DeleteAlias { alias: alias.clone() }).await.expect("answered");
    kms.call(&access, &paris, EnableKey { key: key.clone() }).await.expect("answered");
    kms.call(&access, &paris, DisableKey { key: key.clone() }).await.expect("answered");
    kms.call(&access, &paris, UpdateKeyDescription { key: key.clone(), description: "for wages".to_owned() })
        .await
        .expect("answered");
    kms.call(&access, &paris, EnableKeyRotation { key: key.clone(), period: None }).await.expect("answered");
    kms.call(&access, &paris, EnableKeyRotation { key: key.clone(), period: RotationPeriod::parse(90).ok() })
        .await
        .expect("answered");
    kms.call(&access, &paris, DisableKeyRotation { key: key.clone() }).await.expect("answered");
    kms.call(&access, &paris, GetKeyRotationStatus { key: key.clone() }).await.expect("answered");
    kms.call(&access, &paris, RotateKeyOnDemand { key: key.clone() }).await.expect("answered");
    kms.call(&access, &paris, ListKeyRotations { key: key.clone(), paging: third.clone() }).await.expect("answered");
    let wrapping = WrappingAlgorithm::RsaAesKeyWrapSha256;
    kms.call(&access, &paris, GetParametersForImport { key: key.clone(), algorithm: wrapping })
        .await
        .expect("answered");
    kms.call(&access, &paris, first.clone()).await.expect("answered");
    kms.call(&access, &paris, again.clone()).await.expect("answered");
    kms.call(&access, &paris, DeleteImportedKeyMaterial { key: key.clone(), material: None }).await.expect("answered");
    kms.call(&access, &paris, DeleteImportedKeyMaterial { key: key.clone(), material: Some(MaterialId::told("0f")) })
        .await
        .expect("answered");
    kms.call(&access, &paris, ScheduleKeyDeletion { key: key.clone(), window }).await.expect("answered");
    kms.call(&access, &paris, CancelKeyDeletion { key: key.clone() }).await.expect("answered");
    kms.call(&access, &paris, replica.clone()).await.expect("answered");
    kms.call(&access, &paris, UpdatePrimaryRegion { key: key.clone(), new_primary: replica.replica_region.clone() })
        .await
        .expect("answered");
    kms.call(&access, &paris, GetPublicKey { key: key.clone() }).await.expect("answered");

    let all = fake.calls();
    for asked in &all {
        let signature = asked.header("authorization").expect("it is signed");
        assert!(signature.contains("Credential=AKIA1/") && signature.contains("/eu-west-3/kms/aws4_request"));
        assert_eq!(asked.header("content-type"), Some("application/x-amz-json-1.1"));
    }
    let shown = all.iter().map(|asked| {
        let body: Value = serde_json::from_str(&asked.body).expect("JSON");
        format!("{} {body}", asked.target()).replace(&format!("\"KeyId\":\"{ID}\""), "ID")
    });
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
    CreateKey {"Description":"","KeySpec":"SYMMETRIC_DEFAULT","KeyUsage":"ENCRYPT_DECRYPT","MultiRegion":false,"Origin":"AWS_KMS"}
    CreateKey {"BypassPolicyLockoutSafetyCheck":true,"CustomKeyStoreId":"cks-1","Description":"d","KeySpec":"HMAC_256","KeyUsage":"GENERATE_VERIFY_MAC","MultiRegion":true,"Origin":"EXTERNAL","Policy":"{\"Statement\":[]}","Tags":[{"TagKey":"team","TagValue":"ops"}],"XksKeyId":"xks"}
    DescribeKey {ID}
    DescribeKey {"KeyId":"alias/payroll"}
    ListKeys {"Limit":1000,"Marker":"m2"}
    ListAliases {}
    ListAliases {ID,"Limit":100}
    GetKeyPolicy {ID,"PolicyName":"default"}
    PutKeyPolicy {ID,"Policy":"{\"Statement\":[]}","PolicyName":"default"}
    PutKeyPolicy {"BypassPolicyLockoutSafetyCheck":true,ID,"Policy":"{\"Statement\":[]}","PolicyName":"default"}
    ListResourceTags {ID}
    TagResource {ID,"Tags":[{"TagKey":"team","TagValue":"ops"}]}
    UntagResource {ID,"TagKeys":["team"]}
    CreateAlias {"AliasName":"alias/payroll","TargetKeyId":"1234abcd-12ab-34cd-56ef-1234567890ab"}
    UpdateAlias {"AliasName":"alias/payroll","TargetKeyId":"1234abcd-12ab-34cd-56ef-1234567890ab"}
    DeleteAlias {"AliasName":"alias/payroll"}
    EnableKey {ID}
    DisableKey {ID}
    UpdateKeyDescription {"Description":"for wages",ID}
    EnableKeyRotation {ID}
    EnableKeyRotation {ID,"RotationPeriodInDays":90}
    DisableKeyRotation {ID}
    GetKeyRotationStatus {ID}
    RotateKeyOnDemand {ID}
    ListKeyRotations {"IncludeKeyMaterial":"ALL_KEY_MATERIAL",ID,"Limit":1000,"Marker":"m2"}
    GetParametersForImport {ID,"WrappingAlgorithm":"RSA_AES_KEY_WRAP_SHA_256","WrappingKeySpec":"RSA_4096"}
    ImportKeyMaterial {"EncryptedKeyMaterial":"d3JhcHBlZA==","ExpirationModel":"KEY_MATERIAL_DOES_NOT_EXPIRE","ImportToken":"dG9rZW4=",ID}
    ImportKeyMaterial {"EncryptedKeyMaterial":"d3JhcHBlZA==","ExpirationModel":"KEY_MATERIAL_EXPIRES","ImportToken":"dG9rZW4=","ImportType":"EXISTING_KEY_MATERIAL",ID,"KeyMaterialDescription":"batch 7","KeyMaterialId":"0f","ValidTo":1800000000}
    DeleteImportedKeyMaterial {ID}
    DeleteImportedKeyMaterial {ID,"KeyMaterialId":"0f"}
    ScheduleKeyDeletion {ID,"PendingWindowInDays":7}
    CancelKeyDeletion {ID}
    ReplicateKey {"Description":"",ID,"ReplicaRegion":"eu-west-1","Tags":[{"TagKey":"team","TagValue":"ops"}]}
    UpdatePrimaryRegion {ID,"PrimaryRegion":"eu-west-1"}
    GetPublicKey {ID}
    "#);
}

#[tokio::test]
async fn a_key_is_read_with_all_that_aws_says_of_it() {
    let arn = |region: &str| format!("arn:aws:kms:{region}:123456789012:key/{FAMILY}");
    let body = json!({"KeyMetadata": {
        "AWSAccountId": "123456789012", "KeyId": FAMILY, "Arn": arn("eu-west-3"), "CreationDate": 1_700_000_000.125,
        "Enabled": false, "Description": "for wages", "KeyUsage": "KEY_AGREEMENT", "KeyState": "PendingReplicaDeletion",
        "ValidTo": 1_800_000_000, "Origin": "EXTERNAL", "ExpirationModel": "KEY_MATERIAL_EXPIRES", "KeyManager": "CUSTOMER",
        "KeySpec": "ECC_NIST_P521", "CustomerMasterKeySpec": "ECC_NIST_P521", "KeyAgreementAlgorithms": ["ECDH"],
        "MultiRegion": true, "PendingDeletionWindowInDays": 7, "CurrentKeyMaterialId": "0f", "SomethingNew": [1],
        "MultiRegionConfiguration": {
            "MultiRegionKeyType": "PRIMARY", "PrimaryKey": {"Arn": arn("eu-west-3"), "Region": "eu-west-3"},
            "ReplicaKeys": [{"Arn": arn("eu-west-1"), "Region": "eu-west-1"}]},
        "CustomKeyStoreId": "cks-1", "CloudHsmClusterId": "cluster-1", "XksKeyConfiguration": {"Id": "x1"}}});
    let fake = Fake::answering(move |_, _| Reply::Http(200, body.to_string())).await;
    let metadata = port(settings(&fake)).call(&access(), &paris(), DescribeKey::of(key())).await.expect("answered");
    assert_eq!((metadata.key_id().as_str(), metadata.region().as_str()), (FAMILY, "eu-west-3"));
    assert_eq!(metadata.created_at.expect("known").to_string(), "2023-11-14T22:13:20.125Z");
    assert_eq!((metadata.spec.clone(), metadata.usage.clone()), (KeySpec::EccNistP521, KeyUsage::KeyAgreement));
    assert_eq!((metadata.state.clone(), metadata.origin.clone()), (KeyState::PendingReplicaDeletion, Origin::External));
    assert_eq!((metadata.manager.clone(), metadata.enabled), (KeyManager::Customer, false));
    assert_eq!(metadata.expiration_model, Some(ExpirationModel::Expires));
    assert_eq!(metadata.valid_to.map(Time::seconds), Some(1_800_000_000));
    assert_eq!(metadata.pending_window.map(DeletionWindow::days), Some(7));
    assert_eq!(metadata.algorithms.key_agreement, ["ECDH"]);
    assert_eq!(metadata.current_material, Some(MaterialId::told("0f")));
    assert_eq!(metadata.custom_key_store_id.as_deref(), Some("cks-1"));
    assert_eq!(metadata.cloud_hsm_cluster_id.as_deref(), Some("cluster-1"));
    assert_eq!(metadata.xks_key_id.as_deref(), Some("x1"));
    let family = metadata.multi_region.expect("it is of one");
    assert_eq!((family.kind, family.primary.to_string()), (MultiRegionKind::Primary, arn("eu-west-3")));
    assert_eq!(family.replicas.iter().map(ToString::to_string).collect::<Vec<_>>(), [arn("eu-west-1")]);
}

#[tokio::test]
async fn words_that_aws_adds_survive() {
    let mut key_metadata = metadata();
    for (member, word) in [("KeySpec", "SLH_DSA_1"), ("KeyState", "Resting"), ("KeyUsage", "THINK"), ("Origin", "MOON")]
    {
        key_metadata[member] = word.into();
    }
    let fake = Fake::answering(move |_, _| Reply::Http(200, json!({"KeyMetadata": key_metadata}).to_string())).await;
    let metadata = port(settings(&fake)).call(&access(), &paris(), DescribeKey::of(key())).await.expect("answered");
    let words = [metadata.spec.as_str(), metadata.state.as_str(), metadata.usage.as_str(), metadata.origin.as_str()];
    assert_eq!(words, ["SLH_DSA_1", "Resting", "THINK", "MOON"]);
}

#[tokio::test]
async fn lists_come_in_pages_and_odd_entries_hide_no_others() {
    let entry = |id: &str| json!({"KeyId": id, "KeyArn": format!("arn:aws:kms:eu-west-3:123456789012:key/{id}")});
    let keys =
        json!({"Keys": [entry(ID), entry("of-a-new-shape"), entry(FAMILY)], "Truncated": true, "NextMarker": "m2"});
    let aliases = json!({"Truncated": false, "Aliases": [
        {"AliasName": "alias/aws/s3", "AliasArn": "arn:aws:kms:eu-west-3:123456789012:alias/aws/s3"},
        {"AliasName": "alias/a", "TargetKeyId": ID, "CreationDate": 1.5}]});
    let fake = Fake::answering(move |asked, _| match asked.target().as_str() {
        "ListKeys" => Reply::Http(200, keys.to_string()),
        _ => Reply::Http(200, aliases.to_string()),
    })
    .await;
    let kms = port(settings(&fake));
    let page = kms.call(&access(), &paris(), ListKeys { paging: Paging::default() }).await.expect("answered");
    assert_eq!(page.items.iter().map(|arn| arn.id().as_str()).collect::<Vec<_>>(), [ID, FAMILY]);
    assert_eq!(page.next, Some(Marker::new("m2")));
    let page =
        kms.call(&access(), &paris(), ListAliases { key: None, paging: Paging::default() }).await.expect("answered");
    assert!(page.items[0].name.is_of_aws() && page.items[0].target.is_none());
    assert_eq!((page.items[1].target.clone(), page.next), (Some(key()), None));
}

#[tokio::test]
async fn tags_are_read_over_all_pages() {
    let fake = Fake::answering(|asked, _| {
        let last = asked.body.contains("\"m2\"");
        let tags = json!([{"TagKey": if last { "b" } else { "a" }, "TagValue": "ü"}]);
        Reply::Http(200, json!({"Tags": tags, "Truncated": !last, "NextMarker": "m2"}).to_string())
    })
    .await;
    let tags = port(settings(&fake))
        .pages(&access(), &paris(), ListResourceTags::of(key()))
        .collect()
        .await
        .expect("answered");
    assert_eq!(tags, [Tag::told("a", "ü"), Tag::told("b", "ü")]);
    let endless = json!({"Tags": [], "Truncated": true, "NextMarker": "m"});
    let fake = Fake::answering(move |_, _| Reply::Http(200, endless.to_string())).await;
    let outcome = port(settings(&fake)).pages(&access(), &paris(), ListResourceTags::of(key())).collect().await;
    assert!(matches!(outcome, Err(AwsFailure::Unintelligible { .. })), "{outcome:?}");
}

#[tokio::test]
async fn rotations_and_materials_are_read() {
    let status = json!({"KeyId": ID, "KeyRotationEnabled": true, "RotationPeriodInDays": 365,
        "NextRotationDate": 1_700_000_000.0, "OnDemandRotationStartDate": 1_600_000_000.0});
    let rotations = json!({"Truncated": false, "Rotations": [
        {"KeyId": ID, "KeyMaterialId": "0a", "KeyMaterialState": "CURRENT", "RotationDate": 1_700_000_000.5,
         "RotationType": "ON_DEMAND", "ImportState": "IMPORTED", "ExpirationModel": "KEY_MATERIAL_EXPIRES",
         "ValidTo": 1_800_000_000.0, "KeyMaterialDescription": "second"},
        {"KeyId": ID, "KeyMaterialId": "0b", "KeyMaterialState": "NON_CURRENT"}]});
    let fake = Fake::answering(move |asked, _| match asked.target().as_str() {
        "GetKeyRotationStatus" => Reply::Http(200, status.to_string()),
        "ListKeyRotations" => Reply::Http(200, rotations.to_string()),
        "ImportKeyMaterial" => Reply::Http(200, json!({"KeyId": ID, "KeyMaterialId": "0c"}).to_string()),
        "ScheduleKeyDeletion" => Reply::Http(
            200,
            json!({"KeyId": ID, "DeletionDate": 1_700_000_000.0, "KeyState": "PendingDeletion"}).to_string(),
        ),
        _ => answer(asked),
    })
    .await;
    let (kms, access, paris) = (port(settings(&fake)), access(), paris());
    let status = kms.call(&access, &paris, GetKeyRotationStatus { key: key() }).await.expect("answered");
    assert_eq!((status.enabled, status.period.map(RotationPeriod::days)), (true, Some(365)));
    assert_eq!(status.next.map(Time::seconds), Some(1_700_000_000));
    assert_eq!(status.on_demand_started.map(Time::seconds), Some(1_600_000_000));
    let page =
        kms.call(&access, &paris, ListKeyRotations { key: key(), paging: Paging::default() }).await.expect("answered");
    let [second, first] = page.items.as_slice() else { panic!("two materials: {page:?}") };
    assert_eq!(
        (second.state.clone(), second.kind.clone()),
        (Some(MaterialState::Current), Some(RotationKind::OnDemand))
    );
    assert_eq!(
        (second.import_state.clone(), second.description.as_deref()),
        (Some(ImportState::Imported), Some("second"))
    );
    assert_eq!(
        (first.material.clone(), first.rotated_at, first.kind.clone()),
        (Some(MaterialId::told("0b")), None, None)
    );
    let import = ImportKeyMaterial::first(key(), vec![1], vec![2]);
    let material = kms.call(&access, &paris, import.clone()).await.expect("answered");
    assert_eq!(material, Some(MaterialId::told("0c")));
    let parameters = kms
        .call(&access, &paris, GetParametersForImport { key: key(), algorithm: WrappingAlgorithm::RsaesOaepSha256 })
        .await;
    let parameters = parameters.expect("answered");
    assert_eq!((parameters.token.as_slice(), parameters.wrapping_key.as_slice()), (&b"token"[..], &b"key"[..]));
    let scheduled = kms
        .call(&access, &paris, ScheduleKeyDeletion { key: key(), window: DeletionWindow::default() })
        .await
        .expect("answered");
    let date = Some(Time::from_nanos(1_700_000_000_000_000_000));
    assert_eq!(scheduled, DeletionScheduled { date, state: Some(KeyState::PendingDeletion) });
}

#[tokio::test]
async fn what_makes_something_each_time_is_sent_again_only_if_nothing_was_done() {
    type Case = (fn() -> Reply, usize, usize);
    let cases: [Case; 5] = [
        (|| error(400, "ThrottlingException", "Rate exceeded"), 4, 4),
        (|| error(500, "KMSInternalException", ""), 4, 1),
        (|| error(503, "DependencyTimeoutException", ""), 4, 1),
        (|| Reply::Raw(Vec::new()), 4, 1),
        (|| error(400, "LimitExceededException", "10000 keys"), 1, 1),
    ];
    for (reply, always, once) in cases {
        let fake = Fake::answering(move |_, _| reply()).await;
        let (kms, access, paris, key) = (port(settings(&fake)), access(), paris(), key());
        let import = ImportKeyMaterial::first(key.clone(), vec![1], vec![2]);
        let plain = CreateKey::plain();
        let sent = |before: usize| fake.calls().len() - before;

        let failure = kms.call(&access, &paris, DescribeKey::of(key.clone())).await.expect_err("it fails");
        assert_eq!(sent(0), always, "{failure}");
        let before = fake.calls().len();
        let failure = kms.call(&access, &paris, DisableKey { key: key.clone() }).await.expect_err("it fails");
        assert_eq!(sent(before), always, "{failure}");
        for outcome in [
            (fake.calls().len(), kms.call(&access, &paris, plain.clone()).await.map(drop)),
            (fake.calls().len(), kms.call(&access, &paris, RotateKeyOnDemand { key: key.clone() }).await),
            (fake.calls().len(), kms.call(&access, &paris, import.clone()).await.map(drop)),
            (fake.calls().len(), kms.call(&access, &paris, CreateAlias { alias: alias(), key: key.clone() }).await),
        ] {
            let failure = outcome.1.expect_err("it fails");
            assert_eq!(failure.may_have_been_done(), once == 1 && always == 4, "{failure}");
        }
        assert_eq!(sent(before), always + 4 * once);
    }
}

#[tokio::test]
async fn awss_code_and_message_are_kept() {
    let fake = Fake::answering(|asked, _| match asked.target().as_str() {
        "EnableKey" => error(400, "KMSInvalidStateException", "arn is pending deletion."),
        "DescribeKey" => error(400, "com.amazonaws.kms#NotFoundException", "Key 'x' does not exist"),
        "ListKeys" => Reply::Http(200, "<html>Welcome to the hotel</html>".to_owned()),
        _ => Reply::Http(200, "[1]".to_owned()),
    })
    .await;
    let (kms, access, paris, key) = (port(settings(&fake)), access(), paris(), key());
    let failure = kms.call(&access, &paris, EnableKey { key: key.clone() }).await.expect_err("refused");
    assert!(failure.is_invalid_state());
    assert_eq!(failure.to_string(), "kms:EnableKey refused by AWS: KMSInvalidStateException: arn is pending deletion.");
    assert!(kms.call(&access, &paris, DescribeKey::of(key.clone())).await.expect_err("refused").is_not_found());
    let garbled = kms.call(&access, &paris, ListKeys { paging: Paging::default() }).await;
    assert!(matches!(garbled, Err(AwsFailure::Unintelligible { .. })), "{garbled:?}");
    let garbled = kms.call(&access, &paris, DisableKey { key: key.clone() }).await;
    assert!(matches!(garbled, Err(AwsFailure::Unintelligible { .. })), "a page of a proxy is no success: {garbled:?}");
}

#[tokio::test]
async fn an_answer_about_another_key_is_no_answer() {
    for (member, value) in [("KeyId", FAMILY), ("AWSAccountId", "210987654321"), ("Arn", "arn:aws:s3:::bucket")] {
        let mut key_metadata = metadata();
        key_metadata[member] = value.into();
        let fake =
            Fake::answering(move |_, _| Reply::Http(200, json!({"KeyMetadata": key_metadata}).to_string())).await;
        let outcome = port(settings(&fake)).call(&access(), &paris(), DescribeKey::of(key())).await;
        assert!(matches!(outcome, Err(AwsFailure::Unintelligible { .. })), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_region_of_another_partition_is_not_asked() {
    let fake = Fake::answering(|asked, _| answer(asked)).await;
    let beijing = Region::parse("cn-north-1").expect("a region");
    let outcome = port(settings(&fake)).call(&access(), &beijing, DescribeKey::of(key())).await;
    assert!(matches!(outcome, Err(AwsFailure::NotSent { .. })), "{outcome:?}");
    assert!(fake.calls().is_empty());
}

fn session() -> Reply {
    let credentials = "<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>secret-of-it</SecretAccessKey>\
                       <SessionToken>token-of-it</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>";
    let result = format!("<AssumeRoleResult><Credentials>{credentials}</Credentials></AssumeRoleResult>");
    let metadata = "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>";
    Reply::Http(200, format!("<AssumeRoleResponse>{result}{metadata}</AssumeRoleResponse>"))
}

#[tokio::test]
async fn a_role_is_assumed_once_for_all_regions_and_again_when_its_session_has_ended() {
    let fake = Fake::answering(|asked, before| match (asked.action().as_str(), asked.target().as_str(), before) {
        ("AssumeRole", ..) => session(),
        (_, "CreateKey", 3) => {
            error(400, "ExpiredTokenException", "The security token included in the request is expired")
        }
        _ => answer(asked),
    })
    .await;
    let role = RoleToAssume {
        arn: RoleArn::parse("arn:aws:iam::123456789012:role/keys").expect("a role"),
        external_id: None,
        session_name: SessionName::shaped_from("claviger"),
    };
    let (kms, access) = (port(settings(&fake)), Access { roles: vec![role], ..access() });
    let plain = CreateKey::plain();
    for region in ["eu-west-3", "eu-west-1"] {
        let region = Region::parse(region).expect("a region");
        kms.call(&access, &region, DescribeKey::of(key())).await.expect("answered");
    }
    kms.call(&access, &paris(), plain.clone()).await.expect("answered at the second time");
    let calls: Vec<String> = fake.calls().iter().map(|asked| asked.action() + &asked.target()).collect();
    assert_eq!(calls, ["AssumeRole", "DescribeKey", "DescribeKey", "CreateKey", "AssumeRole", "CreateKey"]);
    assert_eq!(fake.calls()[1].header("x-amz-security-token"), Some("token-of-it"));
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_allowed() {
    let fake = Fake::answering(|asked, _| match asked.target().as_str() {
        "EnableKey" => Reply::Stall(Vec::new()),
        _ => answer(asked),
    })
    .await;
    let kms = port(AwsSettings { max_in_flight_per_region: 1, ..settings(&fake) });
    let (hanging, access, paris, key) = (Arc::clone(&kms), access(), paris(), key());
    let call = tokio::spawn({
        let (access, paris, key) = (access.clone(), paris.clone(), key.clone());
        async move { hanging.call(&access, &paris, EnableKey { key: key.clone() }).await }
    });
    while fake.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let waiting = kms.call(&access, &paris, DescribeKey::of(key.clone()));
    assert!(tokio::time::timeout(Duration::from_millis(50), waiting).await.is_err(), "it waits for its turn");
    assert_eq!(fake.calls().len(), 1, "and was not sent");
    let elsewhere = Region::parse("eu-west-1").expect("a region");
    assert!(kms.call(&access, &elsewhere, DescribeKey::of(key.clone())).await.is_ok(), "another region does not wait");
    call.abort();
    assert!(
        kms.call(&access, &paris, DescribeKey::of(key.clone())).await.is_ok(),
        "a call that was given up makes room"
    );
}
