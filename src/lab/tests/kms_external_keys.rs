//! Tests of keys in external key stores.

use super::xks_proxy::{Proxy, lab_and_proxy, store};
use super::*;

const REGION: &str = "eu-west-3";
const STATE: &str = "KMSInvalidStateException";

/// A lab, its proxy, and the id of a connected store.
async fn connected() -> (Lab, Proxy, String) {
    let (lab, proxy) = lab_and_proxy().await;
    let kms = lab.kms(REGION);
    let id = kms.new_store(store("a")).await;
    assert_eq!(kms.connect(&id).await["ConnectionState"], "CONNECTED");
    proxy.take_seen();
    (lab, proxy, id)
}

fn key(store: &str, xks_key_id: &str) -> Value {
    json!({ "CustomKeyStoreId": store, "Origin": "EXTERNAL_KEY_STORE", "XksKeyId": xks_key_id })
}

fn calls(seen: &[(String, Value)]) -> Vec<&str> {
    seen.iter().map(|(call, _)| call.as_str()).collect()
}

#[tokio::test]
async fn a_key_is_described_with_its_store_and_external_key() {
    let (lab, proxy, store) = connected().await;
    let kms = lab.kms(REGION);
    let made = kms.create(key(&store, "key-1")).await;
    let seen = proxy.take_seen();
    assert_eq!(calls(&seen), ["/keys/key-1/metadata"]);
    let metadata = &seen[0].1["requestMetadata"];
    assert_eq!(metadata["awsPrincipalArn"], "arn:aws:iam::123456789012:user/user1");
    assert_eq!((&metadata["kmsOperation"], &metadata["kmsKeyArn"]), (&json!("CreateKey"), &Value::Null));
    for (member, value) in [
        ("CustomKeyStoreId", json!(store)),
        ("XksKeyConfiguration", json!({ "Id": "key-1" })),
        ("Origin", json!("EXTERNAL_KEY_STORE")),
        ("KeyState", json!("Enabled")),
        ("KeySpec", json!("SYMMETRIC_DEFAULT")),
        ("CurrentKeyMaterialId", Value::Null),
        ("CloudHsmClusterId", Value::Null),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    let id = made["KeyId"].as_str().expect("an id");
    assert_eq!(kms.call("DescribeKey", json!({ "KeyId": id })).await["KeyMetadata"], made);
    let delete = json!({ "KeyId": id, "PendingWindowInDays": 7 });
    kms.call("ScheduleKeyDeletion", delete).await;
    kms.disconnect(&store).await;
    assert_eq!(kms.described(id, "KeyState").await, "PendingDeletion");
    let of_store = json!({ "CustomKeyStoreId": store });
    assert_eq!(kms.code("DeleteCustomKeyStore", of_store.clone()).await, "CustomKeyStoreHasCMKsException");
    lab.days_ahead(8).await;
    kms.call("DeleteCustomKeyStore", of_store).await;
    assert!(proxy.take_seen().is_empty());
}

#[tokio::test]
async fn a_new_key_needs_a_fit_external_key_of_its_own() {
    let (lab, proxy, store) = connected().await;
    let kms = lab.kms(REGION);
    kms.create(key(&store, "key-1")).await;
    assert_eq!(kms.code("CreateKey", key(&store, "key-1")).await, "XksKeyAlreadyInUseException");
    assert_eq!(kms.code("CreateKey", key(&store, "key-9")).await, "XksKeyNotFoundException");
    let unfit = "XksKeyInvalidConfigurationException";
    let answer =
        |spec: &str, usage: Value, status: &str| json!({ "keySpec": spec, "keyUsage": usage, "keyStatus": status });
    let both = json!(["ENCRYPT", "DECRYPT"]);
    let error = |name: &str| json!({ "errorName": name });
    for (status, body, code) in [
        (200, answer("RSA_2048", both.clone(), "ENABLED"), unfit),
        (200, answer("AES_256", json!(["ENCRYPT"]), "ENABLED"), unfit),
        (200, answer("AES_256", both.clone(), "DISABLED"), unfit),
        (200, json!({}), "CustomKeyStoreInvalidStateException"),
        (400, error("InvalidStateException"), unfit),
        (401, error("AuthenticationFailedException"), "CustomKeyStoreInvalidStateException"),
        (403, error("AccessDeniedException"), STATE),
    ] {
        proxy.answer_with("metadata", status, body.clone());
        assert_eq!(kms.code("CreateKey", key(&store, "key-2")).await, code, "{body}");
    }
    proxy.answer_rightly();
    proxy.take_seen();
    let with = |members: Value| super::xks_proxy::with(key(&store, "key-2"), members);
    for (members, code) in [
        (json!({ "XksKeyId": null }), "ValidationException"),
        (json!({ "XksKeyId": "a/b" }), "ValidationException"),
        (json!({ "XksKeyId": "x".repeat(129) }), "ValidationException"),
        (json!({ "CustomKeyStoreId": null, "Origin": null }), "ValidationException"),
        (json!({ "CustomKeyStoreId": null, "XksKeyId": null }), "ValidationException"),
        (json!({ "Origin": null }), "ValidationException"),
        (json!({ "Origin": "AWS_CLOUDHSM" }), "ValidationException"),
        (json!({ "CustomKeyStoreId": "cks-0" }), "CustomKeyStoreNotFoundException"),
        (json!({ "KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT" }), "UnsupportedOperationException"),
        (json!({ "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC" }), "UnsupportedOperationException"),
        (json!({ "MultiRegion": true }), "UnsupportedOperationException"),
    ] {
        assert_eq!(kms.code("CreateKey", with(members.clone())).await, code, "{members}");
    }
    assert!(proxy.take_seen().is_empty(), "what is refused is not asked");
    // The same external key twice at once: the second is found when the proxy has answered.
    let closed = proxy.gate.acquire_many(1000).await.expect("the gate");
    let made = [kms.post("CreateKey", key(&store, "key-2")), kms.post("CreateKey", key(&store, "key-2"))];
    let opened = async {
        while proxy.behaviour().seen.len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(closed);
    };
    let (mut made, ()) = futures_util::join!(futures_util::future::join_all(made), opened);
    made.sort_by_key(|(status, _)| *status);
    assert_eq!((made[0].0, &made[1].1["__type"]), (200, &json!("XksKeyAlreadyInUseException")));
}

#[tokio::test]
async fn kms_and_the_proxy_encrypt_one_after_the_other() {
    let (lab, proxy, store) = connected().await;
    let kms = lab.kms(REGION);
    let made = kms.create(key(&store, "key-1")).await;
    let (id, arn) = (made["KeyId"].as_str().expect("an id"), made["Arn"].clone());
    proxy.take_seen();
    let context = json!({ "purpose": "test" });
    let plaintext = "p".repeat(4096);
    let encrypt = json!({ "KeyId": id, "Plaintext": encoded(&plaintext), "EncryptionContext": context });
    let sealed = kms.call("Encrypt", encrypt).await;
    assert_eq!(sealed["KeyId"], arn);
    let seen = proxy.take_seen();
    assert_eq!(calls(&seen), ["/keys/key-1/encrypt"]);
    let metadata = &seen[0].1["requestMetadata"];
    assert_eq!((&metadata["kmsOperation"], &metadata["kmsKeyArn"]), (&json!("Encrypt"), &arn));
    // The proxy sees a ciphertext of KMS, and the encryption context.
    let inner = decoded(&seen[0].1["plaintext"]);
    assert!((4097..=4300).contains(&inner.len()) && !inner.windows(8).any(|part| part == b"pppppppp"));
    let authenticated = decoded(&seen[0].1["additionalAuthenticatedData"]);
    assert!(authenticated.ends_with(br#"{"purpose":"test"}"#));
    let blob = decoded(&sealed["CiphertextBlob"]);
    assert!(blob.len() <= 6144 && !blob.windows(inner.len()).any(|part| part == inner));

    let decrypt = json!({ "CiphertextBlob": sealed["CiphertextBlob"], "EncryptionContext": context });
    let opened = kms.call("Decrypt", decrypt.clone()).await;
    assert_eq!((decoded(&opened["Plaintext"]), &opened["KeyId"]), (plaintext.into_bytes(), &arn));
    assert_eq!(calls(&proxy.take_seen()), ["/keys/key-1/decrypt"]);
    assert_eq!(kms.code("Decrypt", json!({ "CiphertextBlob": sealed["CiphertextBlob"] })).await, STATE);
    for place in [60, 80, blob.len() - 1] {
        let mut changed = blob.clone();
        changed[place] ^= 1;
        let changed = json!({ "CiphertextBlob": encoded(&changed), "EncryptionContext": context });
        assert_eq!(kms.code("Decrypt", changed).await, STATE, "byte {place}");
    }

    for (operation, has_plaintext) in [("GenerateDataKey", true), ("GenerateDataKeyWithoutPlaintext", false)] {
        proxy.take_seen();
        let data_key = kms.call(operation, json!({ "KeyId": id, "KeySpec": "AES_256" })).await;
        assert_eq!(proxy.take_seen()[0].1["requestMetadata"]["kmsOperation"], operation);
        let opened = kms.call("Decrypt", json!({ "CiphertextBlob": data_key["CiphertextBlob"], "KeyId": id })).await;
        assert_eq!(decoded(&opened["Plaintext"]).len(), 32);
        assert_eq!(data_key["Plaintext"].is_string(), has_plaintext);
        assert!(!has_plaintext || data_key["Plaintext"] == opened["Plaintext"]);
    }

    let ordinary = kms.id(json!({})).await;
    let other = kms.create(key(&store, "key-2")).await["KeyId"].clone();
    proxy.take_seen();
    let mut blob =
        kms.call("Encrypt", json!({ "KeyId": ordinary, "Plaintext": encoded("text") })).await["CiphertextBlob"].clone();
    let mut all = Vec::new();
    for to in [&json!(id), &other, &json!(ordinary)] {
        let answer = kms.call("ReEncrypt", json!({ "CiphertextBlob": blob, "DestinationKeyId": to })).await;
        blob = answer["CiphertextBlob"].clone();
        all.extend(proxy.take_seen());
    }
    assert_eq!(
        calls(&all),
        ["/keys/key-1/encrypt", "/keys/key-1/decrypt", "/keys/key-2/encrypt", "/keys/key-2/decrypt"]
    );
    assert!(all.iter().all(|(_, body)| body["requestMetadata"]["kmsOperation"] == "ReEncrypt"));
    assert_eq!(decoded(&kms.call("Decrypt", json!({ "CiphertextBlob": blob })).await["Plaintext"]), b"text");
}

#[tokio::test]
async fn old_ciphertexts_open_after_a_rotation_of_the_external_key() {
    let (lab, proxy, store) = connected().await;
    let kms = lab.kms(REGION);
    let id = kms.id(key(&store, "key-1")).await;
    let encrypt = json!({ "KeyId": id, "Plaintext": encoded("text") });
    let old = kms.call("Encrypt", encrypt.clone()).await;
    proxy.behaviour().keys.get_mut("key-1").expect("a key").push([9; 32]);
    let new = kms.call("Encrypt", encrypt).await;
    for sealed in [old, new] {
        let opened = kms.call("Decrypt", json!({ "CiphertextBlob": sealed["CiphertextBlob"] })).await;
        assert_eq!(decoded(&opened["Plaintext"]), b"text");
    }
}

#[tokio::test]
async fn keys_are_unavailable_while_their_store_is_not_connected() {
    let (lab, proxy, store) = connected().await;
    let kms = lab.kms(REGION);
    let id = kms.id(key(&store, "key-1")).await;
    let encrypt = json!({ "KeyId": id, "Plaintext": encoded("text") });
    let sealed = kms.call("Encrypt", encrypt.clone()).await;
    let decrypt = json!({ "CiphertextBlob": sealed["CiphertextBlob"] });
    proxy.take_seen();
    kms.call("DisconnectCustomKeyStore", json!({ "CustomKeyStoreId": store })).await;
    for _ in 0..2 {
        assert_eq!(kms.described(&id, "KeyState").await, "Unavailable");
        assert_eq!(kms.described(&id, "Enabled").await, false);
        let (code, message) = kms.refusal("Encrypt", encrypt.clone()).await;
        assert_eq!(code, STATE);
        assert!(message.contains("not connected to its external key store proxy"), "{message}");
        assert_eq!(kms.code("Decrypt", decrypt.clone()).await, STATE);
        kms.settled(&store, "DISCONNECTING").await;
    }
    assert!(proxy.take_seen().is_empty());
    // The key can be managed, and is what it was made when the store is connected.
    kms.call("DisableKey", json!({ "KeyId": id })).await;
    kms.call("CreateAlias", json!({ "AliasName": "alias/a", "TargetKeyId": id })).await;
    assert_eq!(kms.described(&id, "KeyState").await, "Unavailable");
    kms.connect(&store).await;
    assert_eq!(kms.described(&id, "KeyState").await, "Disabled");
    proxy.take_seen();
    assert_eq!(kms.code("Encrypt", encrypt.clone()).await, "DisabledException");
    assert_eq!(kms.code("Decrypt", decrypt.clone()).await, "DisabledException");
    assert!(proxy.take_seen().is_empty(), "a disabled key is not asked for");
    kms.call("EnableKey", json!({ "KeyId": id })).await;
    kms.call("Decrypt", decrypt).await;
}

#[tokio::test]
async fn a_key_is_judged_again_when_the_proxy_has_answered() {
    let (lab, proxy, store) = connected().await;
    let kms = lab.kms(REGION);
    let id = kms.id(key(&store, "key-1")).await;
    proxy.take_seen();
    let closed = proxy.gate.acquire_many(1000).await.expect("the gate");
    let disabled = async {
        while proxy.behaviour().seen.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        kms.call("DisableKey", json!({ "KeyId": id })).await;
        drop(closed);
    };
    let encrypt = kms.code("Encrypt", json!({ "KeyId": id, "Plaintext": encoded("text") }));
    assert_eq!(futures_util::join!(encrypt, disabled).0, "DisabledException");
}

#[tokio::test]
async fn failures_of_the_proxy_become_invalid_states() {
    let (lab, proxy, store) = connected().await;
    let kms = lab.kms(REGION);
    let id = kms.id(key(&store, "key-1")).await;
    let encrypt = json!({ "KeyId": id, "Plaintext": encoded("text") });
    let sealed = kms.call("Encrypt", encrypt.clone()).await;
    let decrypt = json!({ "CiphertextBlob": sealed["CiphertextBlob"] });
    for (fault, part) in [
        (json!({ "answer": "drop" }), "cannot communicate"),
        (json!({ "delay_ms": 6000 }), "did not respond in time"),
        (json!({ "answer": "garbage" }), "cannot interpret"),
        (json!({ "answer": "wrong_cdiv" }), "cannot interpret"),
        (json!({ "answer": "deny" }), "denied access"),
        (json!({ "answer": "throttle" }), "very high request rate"),
        (json!({ "answer": "unavailable" }), "in the time allotted"),
        (json!({ "answer": "internal" }), "external key manager"),
    ] {
        for (operation, call, parameters) in [("Encrypt", "encrypt", &encrypt), ("Decrypt", "decrypt", &decrypt)] {
            if operation == "Decrypt" && fault["answer"] == "wrong_cdiv" {
                continue;
            }
            let named = json!({ "service": "kms-xks-proxy", "operation": call });
            lab.faults(json!([super::xks_proxy::with(named, fault.clone())])).await;
            let (code, message) = kms.refusal(operation, parameters.clone()).await;
            assert_eq!(code, STATE, "{fault}");
            assert!(message.contains(part), "{fault}: {message}");
        }
    }
    assert_eq!(lab.control(Method::GET, "/_lab/faults", &Value::Null).await.1, json!([]));
    for name in ["InvalidStateException", "InvalidKeyUsageException", "ValidationException"] {
        proxy.answer_with("encrypt", 400, json!({ "errorName": name, "errorMessage": "told to nobody" }));
        let (code, message) = kms.refusal("Encrypt", encrypt.clone()).await;
        assert!(code == STATE && !message.contains("nobody"), "{code} {message}");
    }
    // A plaintext of the right length that KMS has not encrypted.
    let length = decoded(&sealed["CiphertextBlob"]).len() - 54 - 1 - 1 - 12 - 16;
    proxy.answer_with("decrypt", 200, json!({ "plaintext": encoded(vec![7; length]) }));
    let (code, message) = kms.refusal("Decrypt", decrypt.clone()).await;
    assert!(code == STATE && message.contains("submitted for decryption"), "{code} {message}");
    proxy.answer_with("decrypt", 200, json!({ "plaintext": encoded("short") }));
    assert_eq!(kms.code("Decrypt", decrypt.clone()).await, STATE);
    proxy.answer_rightly();
    kms.call("Decrypt", decrypt).await;
}

#[tokio::test]
async fn external_keys_lack_what_aws_lacks() {
    let (lab, proxy, store) = connected().await;
    let kms = lab.kms(REGION);
    let id = kms.id(key(&store, "key-1")).await;
    proxy.take_seen();
    let unsupported = "UnsupportedOperationException";
    let of_key = json!({ "KeyId": id });
    let pair = json!({ "KeyId": id, "KeyPairSpec": "ECC_NIST_P256" });
    let import = json!({ "KeyId": id, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048" });
    for (operation, parameters) in [
        ("EnableKeyRotation", &of_key),
        ("DisableKeyRotation", &of_key),
        ("RotateKeyOnDemand", &of_key),
        ("GenerateDataKeyPair", &pair),
        ("GenerateDataKeyPairWithoutPlaintext", &pair),
        ("GetParametersForImport", &import),
        ("ReplicateKey", &json!({ "KeyId": id, "ReplicaRegion": "eu-west-1" })),
        ("GenerateRandom", &json!({ "NumberOfBytes": 8, "CustomKeyStoreId": store })),
    ] {
        assert_eq!(kms.code(operation, parameters.clone()).await, unsupported, "{operation}");
    }
    let rotation = kms.call("GetKeyRotationStatus", of_key).await;
    assert_eq!(rotation["KeyRotationEnabled"], false);
    assert!(proxy.take_seen().is_empty());
}

#[tokio::test]
async fn a_dry_run_does_not_call_the_proxy() {
    let (lab, proxy, store) = connected().await;
    let kms = lab.kms(REGION);
    let id = kms.id(key(&store, "key-1")).await;
    let sealed = kms.call("Encrypt", json!({ "KeyId": id, "Plaintext": encoded("text") })).await;
    proxy.take_seen();
    let blob = &sealed["CiphertextBlob"];
    for (operation, parameters) in [
        ("Encrypt", json!({ "KeyId": id, "Plaintext": encoded("text"), "DryRun": true })),
        ("Decrypt", json!({ "CiphertextBlob": blob, "DryRun": true })),
        ("ReEncrypt", json!({ "CiphertextBlob": blob, "DestinationKeyId": id, "DryRun": true })),
        ("GenerateDataKey", json!({ "KeyId": id, "KeySpec": "AES_256", "DryRun": true })),
    ] {
        assert_eq!(kms.code(operation, parameters).await, "DryRunOperationException", "{operation}");
    }
    assert!(proxy.take_seen().is_empty());
}

/// A call that needs a key pair runs on another thread, and calls the proxy from there.
#[tokio::test]
async fn a_ciphertext_of_a_key_pair_is_encrypted_again_with_an_external_key() {
    let (lab, _proxy, store) = connected().await;
    let kms = lab.kms(REGION);
    let id = kms.id(key(&store, "key-1")).await;
    let rsa = kms.id(json!({ "KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT" })).await;
    let algorithm = "RSAES_OAEP_SHA_256";
    let sealed =
        kms.call("Encrypt", json!({ "KeyId": rsa, "Plaintext": encoded("text"), "EncryptionAlgorithm": algorithm }));
    let again = json!({
        "CiphertextBlob": sealed.await["CiphertextBlob"],
        "SourceKeyId": rsa,
        "SourceEncryptionAlgorithm": algorithm,
        "DestinationKeyId": id,
    });
    let sealed = kms.call("ReEncrypt", again).await;
    let opened = kms.call("Decrypt", json!({ "CiphertextBlob": sealed["CiphertextBlob"] })).await;
    assert_eq!(decoded(&opened["Plaintext"]), b"text");
}
