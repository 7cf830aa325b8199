//! Tests of KMS with rusoto's client.

use rusoto_kms::{
    CancelKeyDeletionRequest, CreateAliasRequest, CreateKeyError, CreateKeyRequest, DescribeKeyError,
    DescribeKeyRequest, DisableKeyRequest, EncryptError, EncryptRequest, GetKeyPolicyRequest,
    GetParametersForImportRequest, Kms as _, KmsClient as Client, ListAliasesRequest, ListKeysRequest,
    ScheduleKeyDeletionRequest,
};

use super::*;

const REGION: &str = "eu-west-3";

#[tokio::test]
async fn rusoto_parses_answers() {
    let lab = Lab::start().await;
    let kms = Client::new_with(PlainHttp, Keys::of("user1").provider(), lab.region(REGION));
    let made = kms.create_key(CreateKeyRequest::default()).await.expect("a key").key_metadata.expect("a description");
    let id = made.key_id.clone();
    let described = kms.describe_key(DescribeKeyRequest { key_id: id.clone(), ..Default::default() }).await;
    assert_eq!(described.expect("a key").key_metadata.as_ref(), Some(&made));
    assert!(made.creation_date.is_some_and(|seconds| seconds > 1.7e9) && made.enabled == Some(true));
    let alias = CreateAliasRequest { alias_name: "alias/a".into(), target_key_id: id.clone() };
    kms.create_alias(alias).await.expect("nothing");
    let aliases = kms.list_aliases(ListAliasesRequest { key_id: Some(id.clone()), ..Default::default() }).await;
    assert_eq!(aliases.expect("aliases").aliases.map(|aliases| aliases.len()), Some(1));
    let keys = kms.list_keys(ListKeysRequest { limit: Some(1), marker: None }).await.expect("keys");
    assert!(keys.truncated == Some(true) && keys.next_marker.is_some());
    let policy = GetKeyPolicyRequest { key_id: id.clone(), policy_name: "default".into() };
    assert!(kms.get_key_policy(policy).await.expect("a policy").policy.is_some());
    let schedule = ScheduleKeyDeletionRequest { key_id: id.clone(), pending_window_in_days: Some(7) };
    assert!(kms.schedule_key_deletion(schedule).await.expect("a date").deletion_date.is_some());
    kms.cancel_key_deletion(CancelKeyDeletionRequest { key_id: id }).await.expect("a key");
    let external = CreateKeyRequest { origin: Some("EXTERNAL".into()), ..Default::default() };
    let external = kms.create_key(external).await.expect("a key").key_metadata.expect("a description");
    let parameters = GetParametersForImportRequest {
        key_id: external.key_id,
        wrapping_algorithm: "RSAES_OAEP_SHA_256".into(),
        wrapping_key_spec: "RSA_2048".into(),
    };
    let given = kms.get_parameters_for_import(parameters).await.expect("parameters");
    assert!(given.public_key.is_some() && given.import_token.is_some() && given.parameters_valid_to.is_some());
}

#[tokio::test]
async fn rusoto_parses_refusals() {
    let lab = Lab::start().await;
    let kms = Client::new_with(PlainHttp, Keys::of("user1").provider(), lab.region(REGION));
    let unknown = DescribeKeyRequest { key_id: "alias/none".into(), ..Default::default() };
    let refused = kms.describe_key(unknown).await;
    assert!(matches!(refused, Err(RusotoError::Service(DescribeKeyError::NotFound(_)))), "{refused:?}");
    let malformed = CreateKeyRequest { policy: Some("{".into()), ..Default::default() };
    let refused = kms.create_key(malformed).await;
    assert!(matches!(refused, Err(RusotoError::Service(CreateKeyError::MalformedPolicyDocument(_)))), "{refused:?}");
    let id = kms.create_key(CreateKeyRequest::default()).await.expect("a key").key_metadata.expect("it").key_id;
    kms.disable_key(DisableKeyRequest { key_id: id.clone() }).await.expect("nothing");
    let encrypt = EncryptRequest { key_id: id, plaintext: "x".into(), ..Default::default() };
    let refused = kms.encrypt(encrypt).await;
    assert!(matches!(refused, Err(RusotoError::Service(EncryptError::Disabled(_)))), "{refused:?}");
}
