//! Tests of automatic and on-demand rotation.

use super::*;

const REGION: &str = "eu-west-3";

#[tokio::test]
async fn a_key_decrypts_old_ciphertexts_after_a_rotation() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({})).await;
    let before = kms.described(&id, "CurrentKeyMaterialId").await;
    let sealed = kms.call("Encrypt", json!({ "KeyId": id, "Plaintext": encoded("text") })).await;
    assert_eq!(kms.call("ListKeyRotations", json!({ "KeyId": id })).await["Rotations"], json!([]));
    let answer = kms.call("RotateKeyOnDemand", json!({ "KeyId": id })).await;
    assert_eq!(answer["KeyId"], json!(format!("arn:aws:kms:eu-west-3:123456789012:key/{id}")));
    let after = kms.described(&id, "CurrentKeyMaterialId").await;
    assert_ne!(before, after);
    let opened = kms.call("Decrypt", json!({ "CiphertextBlob": sealed["CiphertextBlob"] })).await;
    assert_eq!((decoded(&opened["Plaintext"]), &opened["KeyMaterialId"]), (b"text".to_vec(), &before));
    let rotations = kms.call("ListKeyRotations", json!({ "KeyId": id })).await["Rotations"].clone();
    assert_eq!(rotations.as_array().map(Vec::len), Some(1));
    assert_eq!((&rotations[0]["RotationType"], &rotations[0]["KeyMaterialId"]), (&json!("ON_DEMAND"), &after));
    let all = json!({ "KeyId": id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL" });
    let all = kms.call("ListKeyRotations", all).await["Rotations"].clone();
    assert_eq!(all.as_array().map(Vec::len), Some(2));
    assert_eq!((&all[0]["KeyMaterialState"], &all[1]["KeyMaterialState"]), (&json!("NON_CURRENT"), &json!("CURRENT")));
    assert_eq!(all[0]["RotationDate"], Value::Null);
    for _ in 1..25 {
        kms.call("RotateKeyOnDemand", json!({ "KeyId": id })).await;
    }
    let (code, message) = kms.refusal("RotateKeyOnDemand", json!({ "KeyId": id })).await;
    assert_eq!(code, "LimitExceededException");
    let arn = answer["KeyId"].as_str().expect("an ARN");
    assert_eq!(
        message,
        format!(
            "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be \
             performed for this key: {arn}"
        )
    );
    let page = kms.call("ListKeyRotations", json!({ "KeyId": id, "Limit": 20 })).await;
    let rest = json!({ "KeyId": id, "Marker": page["NextMarker"] });
    assert_eq!(kms.call("ListKeyRotations", rest).await["Rotations"].as_array().map(Vec::len), Some(5));
}

#[tokio::test]
async fn a_key_rotates_automatically_for_each_elapsed_period() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({})).await;
    let status = || kms.call("GetKeyRotationStatus", json!({ "KeyId": id }));
    assert_eq!(status().await["KeyRotationEnabled"], json!(false));
    kms.call("EnableKeyRotation", json!({ "KeyId": id, "RotationPeriodInDays": 90 })).await;
    let on = status().await;
    assert_eq!((&on["KeyRotationEnabled"], &on["RotationPeriodInDays"]), (&json!(true), &json!(90)));
    lab.days_ahead(200).await;
    let rotations = kms.call("ListKeyRotations", json!({ "KeyId": id })).await["Rotations"].clone();
    assert_eq!(rotations.as_array().map(Vec::len), Some(2));
    assert_eq!(rotations[0]["RotationType"], json!("AUTOMATIC"));
    assert_eq!(rotations[0]["RotationDate"], on["NextRotationDate"]);
    let days = |later: &Value| later.as_f64().zip(on["NextRotationDate"].as_f64()).map(|(l, n)| (l - n) / 86_400.0);
    assert_eq!(days(&rotations[1]["RotationDate"]), Some(90.0));
    assert_eq!(days(&status().await["NextRotationDate"]), Some(180.0));
    // A disabled key does not rotate; the overdue rotation follows when it is enabled.
    kms.call("DisableKey", json!({ "KeyId": id })).await;
    lab.days_ahead(300).await;
    let count =
        || async { kms.call("ListKeyRotations", json!({ "KeyId": id })).await["Rotations"].as_array().map(Vec::len) };
    assert_eq!(count().await, Some(2));
    kms.call("EnableKey", json!({ "KeyId": id })).await;
    assert_eq!(count().await, Some(3));
    kms.call("DisableKeyRotation", json!({ "KeyId": id })).await;
    assert_eq!(status().await["NextRotationDate"], Value::Null);
    lab.days_ahead(900).await;
    assert_eq!(count().await, Some(3));
}

#[tokio::test]
async fn only_symmetric_keys_without_imported_material_rotate_automatically() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let hmac = kms.id(json!({ "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC" })).await;
    let brought = kms.id(json!({ "Origin": "EXTERNAL" })).await;
    let unsupported = "UnsupportedOperationException";
    for (operation, id) in [
        ("EnableKeyRotation", &hmac),
        ("RotateKeyOnDemand", &hmac),
        ("ListKeyRotations", &hmac),
        ("EnableKeyRotation", &brought),
        ("DisableKeyRotation", &brought),
        ("GetPublicKey", &hmac),
    ] {
        assert_eq!(kms.code(operation, json!({ "KeyId": id })).await, unsupported, "{operation}");
    }
    // AWS accepts this, because the key does not rotate anyway.
    kms.call("DisableKeyRotation", json!({ "KeyId": hmac })).await;
    let message = kms.refusal("RotateKeyOnDemand", json!({ "KeyId": hmac })).await.1;
    assert_eq!(message, "");
    kms.call("DisableKey", json!({ "KeyId": hmac })).await;
    for operation in ["EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"] {
        assert_eq!(kms.code(operation, json!({ "KeyId": hmac })).await, "DisabledException", "{operation}");
    }
    kms.call("EnableKey", json!({ "KeyId": hmac })).await;
    for days in [89, 2561] {
        let parameters = json!({ "KeyId": hmac, "RotationPeriodInDays": days });
        assert_eq!(kms.code("EnableKeyRotation", parameters).await, "ValidationException");
    }
    assert_eq!(kms.call("GetKeyRotationStatus", json!({ "KeyId": hmac })).await["KeyRotationEnabled"], json!(false));
}
