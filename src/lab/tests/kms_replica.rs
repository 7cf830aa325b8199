//! Tests of multi-region keys.

use super::*;

const HOME: &str = "eu-west-3";
const AWAY: &str = "us-east-1";

/// Creates a replica, and waits until it is created.
async fn replicate(home: &KmsClient<'_>, away: &KmsClient<'_>, id: &str, more: Value) -> Value {
    let mut parameters = json!({ "KeyId": id, "ReplicaRegion": away.region });
    parameters.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let answer = home.call("ReplicateKey", parameters).await;
    while away.described(id, "KeyState").await == json!("Creating") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    answer
}

#[tokio::test]
async fn a_replica_is_created_after_the_answer() {
    let lab = Lab::start().await;
    let (home, away) = (lab.kms(HOME), lab.kms(AWAY));
    let id = home.id(json!({ "MultiRegion": true })).await;
    let answer = home.call("ReplicateKey", json!({ "KeyId": id, "ReplicaRegion": AWAY })).await;
    let replica = &answer["ReplicaKeyMetadata"];
    assert_eq!((&replica["KeyState"], &replica["Enabled"]), (&json!("Creating"), &json!(false)));
    assert_eq!((&replica["CurrentKeyMaterialId"], &answer["ReplicaTags"]), (&Value::Null, &Value::Null));
    let (code, message) = away.refusal("Encrypt", json!({ "KeyId": id, "Plaintext": "eA==" })).await;
    assert_eq!(code, "KMSInvalidStateException");
    assert_eq!(message, format!("arn:aws:kms:us-east-1:123456789012:key/{id} is creating."));
    lab.days_ahead(1).await;
    assert_eq!(away.described(&id, "KeyState").await, json!("Enabled"));
    assert_eq!(away.described(&id, "CurrentKeyMaterialId").await, home.described(&id, "CurrentKeyMaterialId").await);
}

#[tokio::test]
async fn replicas_share_id_and_material() {
    let lab = Lab::start().await;
    let (home, away) = (lab.kms(HOME), lab.kms(AWAY));
    let id = home.id(json!({ "MultiRegion": true, "Description": "here" })).await;
    assert!(id.starts_with("mrk-") && id.len() == 36, "{id}");
    let tags = json!([{ "TagKey": "a", "TagValue": "b" }]);
    let parameters = json!({ "KeyId": id, "ReplicaRegion": AWAY, "Description": "there", "Tags": tags });
    let answer = replicate(&home, &away, &id, json!({ "Description": "there", "Tags": tags })).await;
    let replica = &answer["ReplicaKeyMetadata"];
    assert_eq!((&replica["KeyId"], &replica["Description"]), (&json!(id), &json!("there")));
    assert_eq!(replica["Arn"], json!(format!("arn:aws:kms:us-east-1:123456789012:key/{id}")));
    assert_eq!(answer["ReplicaTags"], tags);
    let configuration = home.described(&id, "MultiRegionConfiguration").await;
    assert_eq!(configuration["MultiRegionKeyType"], json!("PRIMARY"));
    assert_eq!(configuration["ReplicaKeys"], json!([{ "Arn": replica["Arn"], "Region": AWAY }]));
    assert_eq!(away.described(&id, "MultiRegionConfiguration").await["MultiRegionKeyType"], json!("REPLICA"));
    let sealed = home.call("Encrypt", json!({ "KeyId": id, "Plaintext": encoded("text") })).await;
    let open = json!({ "CiphertextBlob": sealed["CiphertextBlob"] });
    assert_eq!(decoded(&away.call("Decrypt", open).await["Plaintext"]), b"text");
    away.call("DisableKey", json!({ "KeyId": id })).await;
    assert_eq!(home.described(&id, "KeyState").await, json!("Enabled"));
    assert_eq!(home.code("ReplicateKey", parameters).await, "AlreadyExistsException");
    let single = home.id(json!({})).await;
    for (kms, key, region, code) in [
        (&home, &single, AWAY, "UnsupportedOperationException"),
        (&away, &id, "eu-west-1", "UnsupportedOperationException"),
        (&home, &id, "us-gov-west-1", "UnsupportedOperationException"),
        (&home, &id, "nowhere", "ValidationException"),
    ] {
        assert_eq!(kms.code("ReplicateKey", json!({ "KeyId": key, "ReplicaRegion": region })).await, code, "{region}");
    }
    // AWS checks the state before it looks whether the key is a replica.
    assert_eq!(away.code("EnableKeyRotation", json!({ "KeyId": id })).await, "DisabledException");
    away.call("EnableKey", json!({ "KeyId": id })).await;
    assert_eq!(away.code("EnableKeyRotation", json!({ "KeyId": id })).await, "UnsupportedOperationException");
    home.call("EnableKeyRotation", json!({ "KeyId": id })).await;
    let status = away.call("GetKeyRotationStatus", json!({ "KeyId": id })).await;
    assert_eq!(status["KeyRotationEnabled"], json!(true));
}

#[tokio::test]
async fn a_replica_becomes_the_primary_key() {
    let lab = Lab::start().await;
    let (home, away) = (lab.kms(HOME), lab.kms(AWAY));
    let id = home.id(json!({ "MultiRegion": true })).await;
    let to = |region: &str| json!({ "KeyId": id, "PrimaryRegion": region });
    assert_eq!(home.code("UpdatePrimaryRegion", to(AWAY)).await, "NotFoundException");
    replicate(&home, &away, &id, json!({})).await;
    assert_eq!(away.code("UpdatePrimaryRegion", to(AWAY)).await, "UnsupportedOperationException");
    home.call("UpdatePrimaryRegion", to(AWAY)).await;
    for (kms, kind) in [(&home, "REPLICA"), (&away, "PRIMARY")] {
        let configuration = kms.described(&id, "MultiRegionConfiguration").await;
        assert_eq!(configuration["MultiRegionKeyType"], json!(kind));
        assert_eq!(configuration["PrimaryKey"]["Region"], json!(AWAY));
    }
}

#[tokio::test]
async fn a_primary_key_is_deleted_after_its_replicas() {
    let lab = Lab::start().await;
    let (home, away) = (lab.kms(HOME), lab.kms(AWAY));
    let id = home.id(json!({ "MultiRegion": true })).await;
    replicate(&home, &away, &id, json!({})).await;
    let answer = home.call("ScheduleKeyDeletion", json!({ "KeyId": id, "PendingWindowInDays": 10 })).await;
    assert_eq!(answer["KeyState"], json!("PendingReplicaDeletion"));
    assert_eq!(answer["DeletionDate"], Value::Null);
    assert_eq!(home.described(&id, "PendingDeletionWindowInDays").await, json!(10));
    away.call("ScheduleKeyDeletion", json!({ "KeyId": id, "PendingWindowInDays": 7 })).await;
    lab.days_ahead(8).await;
    assert_eq!(away.code("DescribeKey", json!({ "KeyId": id })).await, "NotFoundException");
    assert_eq!(home.described(&id, "KeyState").await, json!("PendingDeletion"));
    lab.days_ahead(16).await;
    assert_eq!(home.described(&id, "KeyState").await, json!("PendingDeletion"));
    lab.days_ahead(18).await;
    assert_eq!(home.code("DescribeKey", json!({ "KeyId": id })).await, "NotFoundException");
}
