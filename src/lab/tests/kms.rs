//! Tests of keys, aliases, policies and permissions.

use super::*;

const REGION: &str = "eu-west-3";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn a_key_is_described_as_it_was_created() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let key = kms.create(json!({ "Description": "d", "Tags": [{ "TagKey": "a", "TagValue": "" }] })).await;
    let id = key["KeyId"].as_str().expect("an id").to_owned();
    let arn = format!("arn:aws:kms:eu-west-3:123456789012:key/{id}");
    let expected = json!({
        "AWSAccountId": "123456789012",
        "KeyId": id,
        "Arn": arn,
        "CreationDate": key["CreationDate"],
        "CurrentKeyMaterialId": key["CurrentKeyMaterialId"],
        "Enabled": true,
        "Description": "d",
        "KeyState": "Enabled",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "MultiRegion": false,
    });
    assert_eq!(key, expected);
    for name in [&id, &arn] {
        assert_eq!(kms.call("DescribeKey", json!({ "KeyId": name })).await["KeyMetadata"], key);
    }
    assert_eq!(
        kms.call("ListResourceTags", json!({ "KeyId": id })).await,
        json!({ "Tags": [{ "TagKey": "a", "TagValue": "" }], "Truncated": false })
    );
    assert_eq!(kms.call("UpdateKeyDescription", json!({ "KeyId": id, "Description": "e" })).await, Value::Null);
    assert_eq!(kms.described(&id, "Description").await, json!("e"));
    assert_eq!(kms.call("DisableKey", json!({ "KeyId": id })).await, Value::Null);
    assert_eq!(kms.described(&id, "KeyState").await, json!("Disabled"));
    kms.call("EnableKey", json!({ "KeyId": arn })).await;
    assert_eq!(kms.described(&id, "Enabled").await, json!(true));
    assert_eq!(kms.call("ListGrants", json!({ "KeyId": id })).await, json!({ "Grants": [], "Truncated": false }));
}

#[tokio::test]
async fn specs_and_usages_combine_as_in_aws() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    for (spec, usage, member, first) in [
        ("RSA_2048", "SIGN_VERIFY", "SigningAlgorithms", "RSASSA_PKCS1_V1_5_SHA_256"),
        ("RSA_4096", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", "RSAES_OAEP_SHA_1"),
        ("ECC_NIST_P384", "SIGN_VERIFY", "SigningAlgorithms", "ECDSA_SHA_384"),
        ("ECC_NIST_P256", "KEY_AGREEMENT", "KeyAgreementAlgorithms", "ECDH"),
        ("ECC_SECG_P256K1", "SIGN_VERIFY", "SigningAlgorithms", "ECDSA_SHA_256"),
        ("HMAC_384", "GENERATE_VERIFY_MAC", "MacAlgorithms", "HMAC_SHA_384"),
        ("ML_DSA_65", "SIGN_VERIFY", "SigningAlgorithms", "ML_DSA_SHAKE_256"),
    ] {
        let key = kms.create(json!({ "KeySpec": spec, "KeyUsage": usage })).await;
        assert_eq!((&key["KeySpec"], &key["KeyUsage"]), (&json!(spec), &json!(usage)));
        assert_eq!(key[member][0], json!(first));
        assert_eq!(key["CurrentKeyMaterialId"], Value::Null);
    }
    for (parameters, part) in [
        (json!({ "KeySpec": "RSA_2048" }), "You must specify a KeyUsage value"),
        (json!({ "KeyUsage": "SIGN_VERIFY" }), "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT"),
        (json!({ "KeySpec": "HMAC_256", "KeyUsage": "ENCRYPT_DECRYPT" }), "is not compatible with"),
        (json!({ "KeySpec": "RSA_1024" }), "Value 'RSA_1024' at 'keySpec' failed to satisfy constraint"),
        (json!({ "KeySpec": "RSA_2048", "CustomerMasterKeySpec": "RSA_2048" }), "You cannot specify KeySpec and"),
        (json!({ "Origin": "AWS_CLOUDHSM" }), "custom key store"),
        (json!({ "Description": "x".repeat(8193) }), "length less than or equal to 8192"),
    ] {
        let (code, message) = kms.refusal("CreateKey", parameters).await;
        assert!(code == "ValidationException" && message.contains(part), "{code} {message}");
    }
    let sm2 = json!({ "KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY" });
    assert_eq!(kms.code("CreateKey", sm2.clone()).await, "UnsupportedOperationException");
    let china = lab.kms_as(Keys::of("cn-user"), "cn-north-1");
    let id = china.id(sm2).await;
    assert_eq!(china.code("GetPublicKey", json!({ "KeyId": id })).await, "UnsupportedOperationException");
    assert_eq!(kms.code("CreateKey", json!({ "Description": 5 })).await, "SerializationException");
}

#[tokio::test]
async fn keys_are_found_by_id_arn_alias_and_alias_arn() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({})).await;
    kms.call("CreateAlias", json!({ "AliasName": "alias/a", "TargetKeyId": id })).await;
    for name in ["alias/a", "arn:aws:kms:eu-west-3:123456789012:alias/a"] {
        assert_eq!(kms.described(name, "KeyId").await, json!(id));
    }
    for (operation, name, code) in [
        ("DescribeKey", UNKNOWN.to_owned(), "NotFoundException"),
        ("DescribeKey", "nonsense".to_owned(), "NotFoundException"),
        ("DescribeKey", "alias/none".to_owned(), "NotFoundException"),
        ("EnableKey", "alias/a".to_owned(), "InvalidArnException"),
        ("EnableKey", "arn:aws:kms:eu-west-3:123456789012:alias/a".to_owned(), "InvalidArnException"),
        ("DescribeKey", "arn:aws:kms".to_owned(), "InvalidArnException"),
        ("DescribeKey", format!("arn:aws:kms:eu-west-1:123456789012:key/{id}"), "NotFoundException"),
        ("DescribeKey", format!("arn:aws:kms:eu-west-3:789012123456:key/{id}"), "AccessDeniedException"),
    ] {
        assert_eq!(kms.code(operation, json!({ "KeyId": name })).await, code, "{operation} {name}");
    }
    assert_eq!(lab.kms("eu-west-1").code("DescribeKey", json!({ "KeyId": id })).await, "NotFoundException");
    let (_, message) = kms.refusal("DescribeKey", json!({ "KeyId": UNKNOWN })).await;
    assert_eq!(message, format!("Key 'arn:aws:kms:eu-west-3:123456789012:key/{UNKNOWN}' does not exist"));
    let session = lab.assume(&Keys::of("user1"), OPEN_ROLE, None).await.expect("a session");
    let other = lab.kms_as(session, REGION);
    assert_eq!(other.code("DescribeKey", json!({ "KeyId": id })).await, "NotFoundException");
}

#[tokio::test]
async fn aliases_are_created_moved_and_deleted() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let (one, two) = (kms.id(json!({})).await, kms.id(json!({})).await);
    let rsa = kms.id(json!({ "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY" })).await;
    let to = |name: &str, id: &str| json!({ "AliasName": name, "TargetKeyId": id });
    kms.call("CreateAlias", to("alias/a", &one)).await;
    kms.call("CreateAlias", to("alias/b", &one)).await;
    let (code, message) = kms.refusal("CreateAlias", to("alias/a", &two)).await;
    assert_eq!(code, "AlreadyExistsException");
    assert_eq!(message, "An alias with the name arn:aws:kms:eu-west-3:123456789012:alias/a already exists");
    kms.call("UpdateAlias", to("alias/a", &two)).await;
    assert_eq!(kms.described("alias/a", "KeyId").await, json!(two));
    assert_eq!(kms.code("UpdateAlias", to("alias/a", &rsa)).await, "ValidationException");
    assert_eq!(kms.code("UpdateAlias", to("alias/none", &one)).await, "NotFoundException");
    assert_eq!(kms.code("CreateAlias", to("alias/c", UNKNOWN)).await, "NotFoundException");
    assert_eq!(kms.code("CreateAlias", to("alias/aws/mine", &one)).await, "InvalidAliasNameException");
    for name in ["name", "alias/", "alias/ä", "alias/a b", ""] {
        assert_eq!(kms.code("CreateAlias", to(name, &one)).await, "ValidationException", "{name}");
    }
    let listed = kms.call("ListAliases", json!({ "KeyId": one })).await;
    assert_eq!(listed["Aliases"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["Aliases"][0]["AliasArn"], json!("arn:aws:kms:eu-west-3:123456789012:alias/b"));
    assert_eq!(listed["Aliases"][0]["TargetKeyId"], json!(one));
    kms.call("DeleteAlias", json!({ "AliasName": "alias/b" })).await;
    assert_eq!(kms.code("DeleteAlias", json!({ "AliasName": "alias/b" })).await, "NotFoundException");
    kms.call("ScheduleKeyDeletion", json!({ "KeyId": two })).await;
    assert_eq!(kms.code("CreateAlias", to("alias/d", &two)).await, "KMSInvalidStateException");
    // The alias of a key with a pending deletion still exists.
    assert_eq!(kms.code("CreateAlias", to("alias/a", &one)).await, "AlreadyExistsException");
}

#[tokio::test]
async fn a_key_has_one_policy() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({})).await;
    let policy = kms.call("GetKeyPolicy", json!({ "KeyId": id })).await;
    let default = policy["Policy"].as_str().expect("a policy");
    assert!(default.contains("\"AWS\" : \"arn:aws:iam::123456789012:root\""), "{default}");
    kms.call("PutKeyPolicy", json!({ "KeyId": id, "Policy": default })).await;
    assert_eq!(kms.call("GetKeyPolicy", json!({ "KeyId": id })).await["Policy"], default);
    assert_eq!(kms.call("ListKeyPolicies", json!({ "KeyId": id })).await["PolicyNames"], json!(["default"]));
    // The operation declares no exception for an invalid marker.
    let marked = kms.call("ListKeyPolicies", json!({ "KeyId": id, "Marker": "nonsense" })).await;
    assert_eq!(marked["PolicyNames"], json!(["default"]));
    assert_eq!(kms.code("GetKeyPolicy", json!({ "KeyId": id, "PolicyName": "x" })).await, "NotFoundException");
}

#[tokio::test]
async fn permissions_follow_from_the_plan() {
    let lab = Lab::start().await;
    let id = lab.kms(REGION).id(json!({})).await;
    let powerless = lab.kms_as(Keys::of("powerless"), REGION);
    let (code, message) = powerless.refusal("DescribeKey", json!({ "KeyId": id })).await;
    assert_eq!(code, "AccessDeniedException");
    assert_eq!(
        message,
        format!(
            "User: arn:aws:iam::123456789012:user/powerless is not authorized to perform: kms:DescribeKey on resource: \
             arn:aws:kms:eu-west-3:123456789012:key/{id} because no identity-based policy allows the kms:DescribeKey \
             action"
        )
    );
    for operation in ["CreateKey", "ListKeys", "ListAliases"] {
        assert_eq!(powerless.code(operation, json!({})).await, "AccessDeniedException");
    }
    assert_eq!(powerless.code("NoSuchThing", json!({})).await, "UnknownOperationException");
}

#[tokio::test]
async fn aws_managed_keys_exist_in_every_region_and_cannot_be_changed() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let listed = kms.call("ListAliases", json!({ "Limit": 100 })).await;
    let aliases = listed["Aliases"].as_array().expect("aliases");
    assert!(aliases.iter().any(|alias| alias["AliasName"] == "alias/aws/ebs" && alias["TargetKeyId"].is_string()));
    assert!(aliases.iter().any(|alias| alias["AliasName"] == "alias/aws/ssm" && alias["TargetKeyId"].is_null()));
    let key = kms.call("DescribeKey", json!({ "KeyId": "alias/aws/ebs" })).await["KeyMetadata"].clone();
    assert_eq!((&key["KeyManager"], &key["KeyState"]), (&json!("AWS"), &json!("Enabled")));
    let id = key["KeyId"].as_str().expect("an id");
    let rotation = kms.call("GetKeyRotationStatus", json!({ "KeyId": id })).await;
    assert_eq!((&rotation["KeyRotationEnabled"], &rotation["RotationPeriodInDays"]), (&json!(true), &json!(365)));
    assert!(kms.call("GetKeyPolicy", json!({ "KeyId": id })).await["Policy"].is_string());
    for operation in ["ScheduleKeyDeletion", "DisableKey", "EnableKeyRotation", "RotateKeyOnDemand"] {
        assert_eq!(kms.code(operation, json!({ "KeyId": id })).await, "AccessDeniedException", "{operation}");
    }
    // DescribeKey creates the key of a predefined alias.
    let made = kms.described("alias/aws/ssm", "KeyId").await;
    assert_eq!(kms.described("alias/aws/ssm", "KeyId").await, made);
    assert_ne!(lab.kms("eu-west-1").described("alias/aws/ebs", "KeyId").await, json!(id));
}
