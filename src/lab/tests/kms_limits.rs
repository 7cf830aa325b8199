//! Tests of pagination, tags, key states and AWS's limits.

use std::collections::BTreeSet;

use super::*;

const REGION: &str = "eu-west-3";

#[tokio::test]
async fn lists_are_paginated_and_complete() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let mut made = BTreeSet::new();
    for number in 0..25 {
        let id = kms.id(json!({})).await;
        kms.call("CreateAlias", json!({ "AliasName": format!("alias/{number}"), "TargetKeyId": id })).await;
        made.insert(id);
    }
    for (operation, list, member) in [("ListKeys", "Keys", "KeyId"), ("ListAliases", "Aliases", "TargetKeyId")] {
        let (mut seen, mut marker, mut pages) = (BTreeSet::new(), Value::Null, 0);
        loop {
            let page = kms.call(operation, json!({ "Limit": 10, "Marker": marker })).await;
            let items = page[list].as_array().expect("a list");
            seen.extend(items.iter().filter_map(|item| item[member].as_str().map(str::to_owned)));
            pages += 1;
            if page["Truncated"] == json!(false) {
                assert_eq!(page["NextMarker"], Value::Null);
                break;
            }
            assert_eq!(items.len(), 10);
            marker = page["NextMarker"].clone();
        }
        assert!(pages >= 3 && made.is_subset(&seen), "{operation}");
        assert_eq!(kms.code(operation, json!({ "Marker": "nonsense" })).await, "InvalidMarkerException");
        assert_eq!(kms.code(operation, json!({ "Limit": 0 })).await, "ValidationException");
        assert_eq!(kms.code(operation, json!({ "Limit": 1001 })).await, "ValidationException");
    }
}

#[tokio::test]
async fn tags_have_the_limits_of_aws() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({})).await;
    let tags = |names: Vec<String>| -> Vec<Value> {
        names.into_iter().map(|name| json!({ "TagKey": name, "TagValue": "v" })).collect()
    };
    let numbered = |count: usize| tags((0..count).map(|number| format!("t{number:02}")).collect());
    kms.call("TagResource", json!({ "KeyId": id, "Tags": numbered(50) })).await;
    let more = json!({ "KeyId": id, "Tags": tags(vec!["more".into()]) });
    assert_eq!(kms.refusal("TagResource", more).await, ("TagException".into(), "Too many tags".into()));
    assert_eq!(kms.code("CreateKey", json!({ "Tags": numbered(51) })).await, "TagException");
    let page = kms.call("ListResourceTags", json!({ "KeyId": id, "Limit": 49 })).await;
    let next = json!({ "KeyId": id, "Marker": page["NextMarker"] });
    assert_eq!(kms.call("ListResourceTags", next).await["Tags"], json!([{ "TagKey": "t49", "TagValue": "v" }]));
    // A tag with an existing key replaces the value.
    let again = json!({ "KeyId": id, "Tags": [{ "TagKey": "t00", "TagValue": "w" }] });
    kms.call("TagResource", again).await;
    kms.call("UntagResource", json!({ "KeyId": id, "TagKeys": ["t01", "not-there"] })).await;
    let left = kms.call("ListResourceTags", json!({ "KeyId": id })).await;
    assert_eq!(left["Tags"].as_array().map(Vec::len), Some(49));
    assert_eq!(left["Tags"][0], json!({ "TagKey": "t00", "TagValue": "w" }));
    for (wrong, code) in [
        (tags(vec!["aws:x".into()]), "TagException"),
        (tags(vec!["a".into(), "a".into()]), "TagException"),
        (tags(vec!["a,b".into()]), "TagException"),
        (tags(vec![String::new()]), "ValidationException"),
        (tags(vec!["x".repeat(129)]), "ValidationException"),
        (vec![json!({ "TagKey": "a", "TagValue": "x".repeat(257) })], "ValidationException"),
        (vec![json!({ "TagKey": "a" })], "ValidationException"),
    ] {
        assert_eq!(kms.code("TagResource", json!({ "KeyId": id, "Tags": wrong })).await, code, "{wrong:?}");
    }
    assert_eq!(kms.code("TagResource", json!({ "KeyId": id })).await, "ValidationException");
}

#[tokio::test]
async fn key_states_determine_the_allowed_operations() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let disabled = kms.id(json!({})).await;
    kms.call("DisableKey", json!({ "KeyId": disabled })).await;
    let deleted = kms.id(json!({})).await;
    let answer = kms.call("ScheduleKeyDeletion", json!({ "KeyId": deleted, "PendingWindowInDays": 7 })).await;
    assert_eq!((&answer["KeyState"], &answer["PendingWindowInDays"]), (&json!("PendingDeletion"), &json!(7)));
    let empty = kms.id(json!({ "Origin": "EXTERNAL" })).await;
    assert_eq!(kms.described(&empty, "KeyState").await, json!("PendingImport"));
    let invalid = "KMSInvalidStateException";
    let message = json!("eA==");
    for (operation, id, more, expected) in [
        ("Encrypt", &disabled, json!({ "Plaintext": message }), "DisabledException"),
        ("Encrypt", &deleted, json!({ "Plaintext": message }), invalid),
        ("Encrypt", &empty, json!({ "Plaintext": message }), invalid),
        ("EnableKeyRotation", &disabled, json!({}), "DisabledException"),
        ("EnableKeyRotation", &deleted, json!({}), invalid),
        ("EnableKeyRotation", &empty, json!({}), "UnsupportedOperationException"),
        ("RotateKeyOnDemand", &disabled, json!({}), "DisabledException"),
        ("RotateKeyOnDemand", &empty, json!({}), invalid),
        ("EnableKey", &deleted, json!({}), invalid),
        ("DisableKey", &empty, json!({}), invalid),
        ("TagResource", &deleted, json!({ "Tags": [] }), invalid),
        ("UpdateKeyDescription", &deleted, json!({ "Description": "" }), invalid),
        ("ScheduleKeyDeletion", &deleted, json!({}), invalid),
        ("CancelKeyDeletion", &disabled, json!({}), invalid),
        ("ScheduleKeyDeletion", &disabled, json!({ "PendingWindowInDays": 6 }), "ValidationException"),
        ("ScheduleKeyDeletion", &disabled, json!({ "PendingWindowInDays": 31 }), "ValidationException"),
    ] {
        let mut parameters = more;
        parameters["KeyId"] = json!(id);
        assert_eq!(kms.code(operation, parameters.clone()).await, expected, "{operation} {parameters}");
    }
    let (_, message) = kms.refusal("EnableKey", json!({ "KeyId": deleted })).await;
    assert_eq!(message, format!("arn:aws:kms:eu-west-3:123456789012:key/{deleted} is pending deletion."));
    // AWS allows these operations in any state.
    for operation in ["GetKeyPolicy", "ListResourceTags", "GetKeyRotationStatus", "DescribeKey"] {
        kms.call(operation, json!({ "KeyId": deleted })).await;
    }
    kms.call("CancelKeyDeletion", json!({ "KeyId": deleted })).await;
    assert_eq!(kms.described(&deleted, "KeyState").await, json!("Disabled"));
    assert_eq!(kms.described(&deleted, "DeletionDate").await, Value::Null);
}

#[tokio::test]
async fn a_key_and_its_aliases_are_deleted_after_the_waiting_period() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({})).await;
    kms.call("CreateAlias", json!({ "AliasName": "alias/a", "TargetKeyId": id })).await;
    kms.call("ScheduleKeyDeletion", json!({ "KeyId": id, "PendingWindowInDays": 7 })).await;
    lab.days_ahead(6).await;
    assert_eq!(kms.described(&id, "KeyState").await, json!("PendingDeletion"));
    lab.days_ahead(8).await;
    assert_eq!(kms.code("DescribeKey", json!({ "KeyId": id })).await, "NotFoundException");
    assert_eq!(kms.code("CancelKeyDeletion", json!({ "KeyId": id })).await, "NotFoundException");
    let keys = kms.call("ListKeys", json!({})).await;
    assert!(!keys.to_string().contains(&id), "{keys}");
    let other = kms.id(json!({})).await;
    kms.call("CreateAlias", json!({ "AliasName": "alias/a", "TargetKeyId": other })).await;
    assert_eq!(lab.control(Method::PUT, "/_lab/clock", &json!({ "ahead_seconds": -1 })).await.0, 400);
    let (_, clock) = lab.control(Method::GET, "/_lab/clock", &Value::Null).await;
    assert_eq!(clock, json!({ "ahead_seconds": 8 * 86_400 }));
}

#[tokio::test]
async fn refusals_have_the_words_of_aws() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({})).await;
    let pair = kms.id(json!({ "KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT" })).await;
    let (invalid, unsupported) = ("ValidationException", "UnsupportedOperationException");
    let arn = format!("arn:aws:kms:{REGION}:123456789012");
    let bad_set = |member: &str, set: &str| {
        format!(
            "1 validation error detected: Value 'FOO' at '{member}' failed to satisfy constraint: Member must satisfy \
             enum value set: [{set}]"
        )
    };
    let prefix = "Alias must start with the prefix \"alias/\". Please see \
                  https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
    let null = "1 validation error detected: Value at 'message' failed to satisfy constraint: Member must not be null";
    let tag = json!([{ "TagKey": "AWS:x", "TagValue": "v" }]);
    for (operation, parameters, code, message) in [
        ("CreateAlias", json!({ "AliasName": "x", "TargetKeyId": id }), invalid, prefix.to_owned()),
        (
            "CreateAlias",
            json!({ "AliasName": "alias/Service:Test", "TargetKeyId": id }),
            invalid,
            "alias/Service:Test contains invalid characters for an alias".to_owned(),
        ),
        (
            "TagResource",
            json!({ "KeyId": id, "Tags": tag }),
            "TagException",
            "Tags beginning with aws: are reserved".to_owned(),
        ),
        (
            "EnableKey",
            json!({ "KeyId": "alias/not-there" }),
            "InvalidArnException",
            "Key Aliases are not supported for this operation.".to_owned(),
        ),
        (
            "EnableKey",
            json!({ "KeyId": format!("{arn}:alias/not-there") }),
            "InvalidArnException",
            "Key Aliases are not supported for this operation.".to_owned(),
        ),
        (
            "DescribeKey",
            json!({ "KeyId": format!("{arn}:key/foo") }),
            "NotFoundException",
            "Invalid keyId foo".to_owned(),
        ),
        ("GetPublicKey", json!({ "KeyId": id }), unsupported, String::new()),
        (
            "GenerateDataKey",
            json!({ "KeyId": pair, "KeySpec": "AES_256" }),
            "InvalidKeyUsageException",
            "You cannot generate a data key with an asymmetric CMK".to_owned(),
        ),
        ("Sign", json!({ "KeyId": id, "SigningAlgorithm": "ECDSA_SHA_256" }), invalid, null.to_owned()),
        (
            "GenerateMac",
            json!({ "KeyId": id, "Message": "eA==", "MacAlgorithm": "FOO" }),
            invalid,
            bad_set("macAlgorithm", "HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512"),
        ),
        (
            "Encrypt",
            json!({ "KeyId": id, "Plaintext": "eA==", "EncryptionAlgorithm": "FOO" }),
            invalid,
            bad_set("encryptionAlgorithm", "RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE, SYMMETRIC_DEFAULT"),
        ),
    ] {
        assert_eq!(kms.refusal(operation, parameters).await, (code.to_owned(), message), "{operation}");
    }
    // AWS checks the usage before the state.
    kms.call("DisableKey", json!({ "KeyId": pair })).await;
    let sign = json!({ "KeyId": pair, "Message": "eA==", "SigningAlgorithm": "RSASSA_PSS_SHA_256" });
    assert_eq!(kms.code("Sign", sign).await, "InvalidKeyUsageException");
    // A disabled key shows its public key.
    kms.call("GetPublicKey", json!({ "KeyId": pair })).await;
}
