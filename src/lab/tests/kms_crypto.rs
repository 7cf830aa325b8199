//! Tests of the cryptographic operations.

use super::*;

const REGION: &str = "eu-west-3";

#[tokio::test]
async fn symmetric_keys_encrypt_with_a_context_and_re_encrypt() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let (one, two) = (kms.id(json!({})).await, kms.id(json!({})).await);
    let context = json!({ "purpose": "test" });
    let parameters = json!({ "KeyId": one, "Plaintext": encoded("text"), "EncryptionContext": context });
    let sealed = kms.call("Encrypt", parameters).await["CiphertextBlob"].clone();
    let open = json!({ "CiphertextBlob": sealed, "EncryptionContext": context });
    assert_eq!(decoded(&kms.call("Decrypt", open.clone()).await["Plaintext"]), b"text");
    let without = json!({ "CiphertextBlob": sealed });
    assert_eq!(kms.code("Decrypt", without).await, "InvalidCiphertextException");
    let other = json!({ "CiphertextBlob": sealed, "EncryptionContext": context, "KeyId": two });
    assert_eq!(kms.code("Decrypt", other).await, "IncorrectKeyException");
    assert_eq!(kms.code("Decrypt", json!({ "CiphertextBlob": "eA==" })).await, "InvalidCiphertextException");
    assert_eq!(lab.kms("eu-west-1").code("Decrypt", open).await, "AccessDeniedException");
    let exchange = json!({
        "CiphertextBlob": sealed, "SourceEncryptionContext": context, "DestinationKeyId": two,
        "DestinationEncryptionContext": { "a": "b" },
    });
    let exchanged = kms.call("ReEncrypt", exchange).await;
    let open = json!({ "CiphertextBlob": exchanged["CiphertextBlob"], "EncryptionContext": { "a": "b" } });
    let opened = kms.call("Decrypt", open).await;
    assert_eq!((decoded(&opened["Plaintext"]), &opened["KeyId"]), (b"text".to_vec(), &exchanged["KeyId"]));
    let dry = json!({ "KeyId": one, "Plaintext": "eA==", "DryRun": true });
    assert_eq!(kms.code("Encrypt", dry).await, "DryRunOperationException");
    let long = json!({ "KeyId": one, "Plaintext": encoded(vec![0; 4097]) });
    let (code, message) = kms.refusal("Encrypt", long).await;
    assert_eq!(code, "ValidationException");
    assert!(message.contains("Value at 'plaintext'"), "{message}");
}

#[tokio::test]
async fn data_keys_are_returned_in_plaintext_and_encrypted() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({})).await;
    for (parameters, length) in [
        (json!({ "KeySpec": "AES_256" }), 32),
        (json!({ "KeySpec": "AES_128" }), 16),
        (json!({ "NumberOfBytes": 1024 }), 1024),
    ] {
        let mut parameters = parameters;
        parameters["KeyId"] = json!(id);
        let key = kms.call("GenerateDataKey", parameters.clone()).await;
        let opened = kms.call("Decrypt", json!({ "CiphertextBlob": key["CiphertextBlob"] })).await;
        assert_eq!((opened["Plaintext"].clone(), decoded(&key["Plaintext"]).len()), (key["Plaintext"].clone(), length));
        assert_eq!(kms.call("GenerateDataKeyWithoutPlaintext", parameters).await["Plaintext"], Value::Null);
    }
    assert_eq!(kms.code("GenerateDataKey", json!({ "KeyId": id })).await, "ValidationException");
    let pair = kms.call("GenerateDataKeyPair", json!({ "KeyId": id, "KeyPairSpec": "ECC_NIST_P256" })).await;
    let opened = kms.call("Decrypt", json!({ "CiphertextBlob": pair["PrivateKeyCiphertextBlob"] })).await;
    assert_eq!(opened["Plaintext"], pair["PrivateKeyPlaintext"]);
    let random = kms.call("GenerateRandom", json!({ "NumberOfBytes": 20 })).await;
    assert_eq!(decoded(&random["Plaintext"]).len(), 20);
}

#[tokio::test]
async fn key_pairs_sign_and_verify_messages_and_digests() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    for (spec, algorithm, digest_length) in [
        ("RSA_2048", "RSASSA_PSS_SHA_256", Some(32)),
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_512", Some(64)),
        ("ECC_NIST_P256", "ECDSA_SHA_256", Some(32)),
        ("ECC_NIST_P384", "ECDSA_SHA_384", Some(48)),
        ("ECC_NIST_P521", "ECDSA_SHA_512", Some(64)),
        ("ECC_SECG_P256K1", "ECDSA_SHA_256", Some(32)),
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", None),
        ("ML_DSA_44", "ML_DSA_SHAKE_256", None),
        ("ML_DSA_65", "ML_DSA_SHAKE_256", None),
        ("ML_DSA_87", "ML_DSA_SHAKE_256", None),
    ] {
        let id = kms.id(json!({ "KeySpec": spec, "KeyUsage": "SIGN_VERIFY" })).await;
        let raw = json!({ "KeyId": id, "Message": encoded("text"), "SigningAlgorithm": algorithm });
        let digest = json!({
            "KeyId": id, "Message": encoded(vec![1; digest_length.unwrap_or(1)]), "MessageType": "DIGEST",
            "SigningAlgorithm": algorithm,
        });
        let both = [Some(raw.clone()), digest_length.map(|_| digest)];
        for parameters in both.into_iter().flatten() {
            let mut verify = parameters.clone();
            verify["Signature"] = kms.call("Sign", parameters).await["Signature"].clone();
            assert_eq!(kms.call("Verify", verify.clone()).await["SignatureValid"], json!(true), "{spec}");
            verify["Message"] = encoded(vec![2; digest_length.unwrap_or(1)]);
            assert_eq!(kms.code("Verify", verify).await, "KMSInvalidSignatureException", "{spec}");
        }
        let public = kms.call("GetPublicKey", json!({ "KeyId": id })).await;
        assert_eq!((&public["KeySpec"], &public["KeyUsage"]), (&json!(spec), &json!("SIGN_VERIFY")));
        assert_eq!(
            decoded(&public["PublicKey"]),
            decoded(&kms.call("GetPublicKey", json!({ "KeyId": id })).await["PublicKey"])
        );
        let mut wrong = raw;
        wrong["SigningAlgorithm"] = json!("SM2DSA");
        assert_eq!(kms.code("Sign", wrong).await, "InvalidKeyUsageException");
    }
    let id = kms.id(json!({ "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY" })).await;
    let short = json!({ "KeyId": id, "Message": "eA==", "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256" });
    assert_eq!(kms.code("Sign", short).await, "ValidationException");
    assert_eq!(kms.code("Encrypt", json!({ "KeyId": id, "Plaintext": "eA==" })).await, "InvalidKeyUsageException");
    let symmetric = kms.id(json!({})).await;
    assert_eq!(kms.code("GetPublicKey", json!({ "KeyId": symmetric })).await, "UnsupportedOperationException");
}

#[tokio::test]
async fn rsa_key_pairs_encrypt() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({ "KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT" })).await;
    for (algorithm, longest) in [("RSAES_OAEP_SHA_1", 214), ("RSAES_OAEP_SHA_256", 190)] {
        let parameters =
            |length| json!({ "KeyId": id, "EncryptionAlgorithm": algorithm, "Plaintext": encoded(vec![7; length]) });
        let sealed = kms.call("Encrypt", parameters(longest)).await;
        let open = json!({ "KeyId": id, "EncryptionAlgorithm": algorithm, "CiphertextBlob": sealed["CiphertextBlob"] });
        assert_eq!(decoded(&kms.call("Decrypt", open).await["Plaintext"]), vec![7; longest]);
        assert_eq!(kms.code("Encrypt", parameters(longest + 1)).await, "ValidationException");
        let nobody = json!({ "EncryptionAlgorithm": algorithm, "CiphertextBlob": sealed["CiphertextBlob"] });
        assert_eq!(kms.code("Decrypt", nobody).await, "ValidationException");
    }
    let plain = json!({ "KeyId": id, "Plaintext": "eA==" });
    assert_eq!(kms.code("Encrypt", plain).await, "InvalidKeyUsageException");
}

#[tokio::test]
async fn two_keys_derive_the_same_shared_secret() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    for spec in ["ECC_NIST_P256", "ECC_NIST_P521"] {
        let mut keys = Vec::new();
        for _ in 0..2 {
            let id = kms.id(json!({ "KeySpec": spec, "KeyUsage": "KEY_AGREEMENT" })).await;
            let public = kms.call("GetPublicKey", json!({ "KeyId": id })).await["PublicKey"].clone();
            keys.push((id, public));
        }
        let mut shared = Vec::new();
        for (own, other) in [(0, 1), (1, 0)] {
            let parameters =
                json!({ "KeyId": keys[own].0, "KeyAgreementAlgorithm": "ECDH", "PublicKey": keys[other].1 });
            shared.push(kms.call("DeriveSharedSecret", parameters).await["SharedSecret"].clone());
        }
        assert_eq!(shared[0], shared[1]);
        let wrong = json!({ "KeyId": keys[0].0, "KeyAgreementAlgorithm": "ECDH", "PublicKey": "eA==" });
        assert_eq!(kms.code("DeriveSharedSecret", wrong).await, "ValidationException");
    }
}

#[tokio::test]
async fn a_plaintext_for_an_enclave_is_never_answered() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({})).await;
    let agreement = kms.id(json!({ "KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT" })).await;
    let public = kms.call("GetPublicKey", json!({ "KeyId": agreement })).await["PublicKey"].clone();
    let sealed = kms.call("Encrypt", json!({ "KeyId": id, "Plaintext": "eA==" })).await["CiphertextBlob"].clone();
    let recipient = json!({ "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": encoded("proof") });
    for (operation, parameters) in [
        ("Decrypt", json!({ "CiphertextBlob": sealed })),
        ("GenerateDataKey", json!({ "KeyId": id, "KeySpec": "AES_256" })),
        ("GenerateDataKeyPair", json!({ "KeyId": id, "KeyPairSpec": "ECC_NIST_P256" })),
        ("GenerateRandom", json!({ "NumberOfBytes": 8 })),
        ("DeriveSharedSecret", json!({ "KeyId": agreement, "KeyAgreementAlgorithm": "ECDH", "PublicKey": public })),
    ] {
        kms.call(operation, parameters.clone()).await;
        for recipient in [&recipient, &json!({})] {
            let mut asked = parameters.clone();
            asked["Recipient"] = recipient.clone();
            assert_eq!(kms.code(operation, asked).await, "ValidationException", "{operation} {recipient}");
        }
        let mut mistyped = parameters;
        mistyped["Recipient"] = json!("text");
        assert_eq!(kms.code(operation, mistyped).await, "SerializationException", "{operation}");
    }
    let wrong = json!({ "NumberOfBytes": 8, "Recipient": { "KeyEncryptionAlgorithm": "RSA" } });
    assert_eq!(
        kms.refusal("GenerateRandom", wrong).await.1,
        "1 validation error detected: Value 'RSA' at 'recipient.keyEncryptionAlgorithm' failed to satisfy constraint: \
         Member must satisfy enum value set: [RSAES_OAEP_SHA_256]"
    );
}

#[tokio::test]
async fn a_ciphertext_of_another_key_is_refused_whatever_the_key_is() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({})).await;
    let sealed = kms.call("Encrypt", json!({ "KeyId": id, "Plaintext": "eA==" })).await["CiphertextBlob"].clone();
    for other in [
        json!({ "KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT" }),
        json!({ "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC" }),
        json!({ "Origin": "EXTERNAL" }),
    ] {
        let other = kms.id(other).await;
        let decrypt = json!({ "CiphertextBlob": sealed, "KeyId": other });
        let exchange = json!({ "CiphertextBlob": sealed, "SourceKeyId": other, "DestinationKeyId": id });
        for (operation, parameters) in [("Decrypt", decrypt), ("ReEncrypt", exchange)] {
            let (code, message) = kms.refusal(operation, parameters).await;
            assert_eq!(code, "IncorrectKeyException");
            assert_eq!(message, "The key ID in the request does not identify a CMK that can perform this operation.");
        }
    }
}

#[tokio::test]
async fn ml_kem_keys_encapsulate_and_decapsulate() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let symmetric = kms.id(json!({})).await;
    for (spec, ciphertext_length, public_length) in
        [("ML_KEM_512", 768, 822), ("ML_KEM_768", 1088, 1206), ("ML_KEM_1024", 1568, 1590)]
    {
        let id = kms.id(json!({ "KeySpec": spec, "KeyUsage": "ENCAPSULATE_DECAPSULATE" })).await;
        let sent = kms.call("Encapsulate", json!({ "KeyId": id, "EncapsulationAlgorithm": "ML_KEM" })).await;
        let ciphertext = decoded(&sent["SharedSecretCiphertextBlob"]);
        assert_eq!((ciphertext.len(), decoded(&sent["SharedSecret"]).len()), (ciphertext_length, 32));
        let open = |ciphertext: &[u8]| json!({ "KeyId": id, "EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": encoded(ciphertext) });
        assert_eq!(kms.call("Decapsulate", open(&ciphertext)).await["SharedSecret"], sent["SharedSecret"]);
        let mut changed = ciphertext.clone();
        changed[0] ^= 1;
        assert_ne!(kms.call("Decapsulate", open(&changed)).await["SharedSecret"], sent["SharedSecret"]);
        assert_eq!(kms.code("Decapsulate", open(&ciphertext[1..])).await, "InvalidCiphertextException");
        let public = kms.call("GetPublicKey", json!({ "KeyId": id })).await;
        assert_eq!(decoded(&public["PublicKey"]).len(), public_length);
        assert_eq!(public["EncapsulationAlgorithms"], json!(["ML_KEM"]));
        let pair = kms.call("GenerateDataKeyPair", json!({ "KeyId": symmetric, "KeyPairSpec": spec })).await;
        assert_eq!(decoded(&pair["PublicKey"]).len(), public_length);
    }
    let wrong = json!({ "KeyId": symmetric, "EncapsulationAlgorithm": "ML_KEM" });
    assert_eq!(kms.code("Encapsulate", wrong).await, "InvalidKeyUsageException");
}

#[tokio::test]
async fn the_message_type_fits_the_algorithm() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let ed25519 = kms.id(json!({ "KeySpec": "ECC_NIST_EDWARDS25519", "KeyUsage": "SIGN_VERIFY" })).await;
    let ml_dsa = kms.id(json!({ "KeySpec": "ML_DSA_44", "KeyUsage": "SIGN_VERIFY" })).await;
    let rsa = kms.id(json!({ "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY" })).await;
    let parameters = |id: &str, algorithm: &str, kind: &str, length: usize| {
        json!({
            "KeyId": id, "SigningAlgorithm": algorithm, "MessageType": kind, "Message": encoded(vec![7; length]),
        })
    };
    for (id, algorithm, kind) in
        [(&ed25519, "ED25519_PH_SHA_512", "DIGEST"), (&ml_dsa, "ML_DSA_SHAKE_256", "EXTERNAL_MU")]
    {
        let mut verify = parameters(id, algorithm, kind, 64);
        verify["Signature"] = kms.call("Sign", verify.clone()).await["Signature"].clone();
        assert_eq!(kms.call("Verify", verify.clone()).await["SignatureValid"], json!(true));
        verify["Message"] = encoded(vec![8; 64]);
        assert_eq!(kms.code("Verify", verify).await, "KMSInvalidSignatureException");
    }
    for (id, algorithm, kind, length, message) in [
        (
            &ed25519,
            "ED25519_SHA_512",
            "DIGEST",
            64,
            "Message type DIGEST is incompatible with algorithm ED25519_SHA_512.",
        ),
        (
            &ed25519,
            "ED25519_PH_SHA_512",
            "RAW",
            64,
            "Message type RAW is incompatible with algorithm ED25519_PH_SHA_512.",
        ),
        (&ed25519, "ED25519_PH_SHA_512", "DIGEST", 20, "Digest is invalid length for algorithm ED25519_PH_SHA_512."),
        (&ml_dsa, "ML_DSA_SHAKE_256", "DIGEST", 64, "Message type DIGEST is incompatible with key spec ML_DSA_44."),
        (
            &rsa,
            "RSASSA_PSS_SHA_512",
            "EXTERNAL_MU",
            64,
            "Message type EXTERNAL_MU is incompatible with key spec RSA_2048.",
        ),
    ] {
        let refused = kms.refusal("Sign", parameters(id, algorithm, kind, length)).await;
        assert_eq!(refused, ("ValidationException".to_owned(), message.to_owned()));
    }
    let short = parameters(&ml_dsa, "ML_DSA_SHAKE_256", "EXTERNAL_MU", 63);
    assert_eq!(kms.code("Sign", short).await, "ValidationException");
}

#[tokio::test]
async fn the_last_usage_of_a_key_is_recorded() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let (id, other) = (kms.id(json!({})).await, kms.id(json!({})).await);
    let usage = |id: &str| kms.call("GetKeyLastUsage", json!({ "KeyId": id }));
    let unused = usage(&id).await;
    assert_eq!(unused["KeyLastUsage"], json!({}));
    assert_eq!(unused["KeyCreationDate"], kms.described(&id, "CreationDate").await);
    assert_eq!(unused["TrackingStartDate"], unused["KeyCreationDate"]);
    let sealed = kms.call("Encrypt", json!({ "KeyId": id, "Plaintext": "eA==" })).await["CiphertextBlob"].clone();
    assert_eq!(usage(&id).await["KeyLastUsage"]["Operation"], json!("Encrypt"));
    assert_ne!(kms.code("Decrypt", json!({ "CiphertextBlob": "eA==", "KeyId": id })).await, "");
    assert_eq!(usage(&id).await["KeyLastUsage"]["Operation"], json!("Encrypt"));
    kms.call("ReEncrypt", json!({ "CiphertextBlob": sealed, "DestinationKeyId": other })).await;
    for id in [&id, &other] {
        let last = usage(id).await["KeyLastUsage"].clone();
        assert_eq!(last["Operation"], json!("ReEncrypt"));
        assert!(
            last["Timestamp"].is_f64() && last["KmsRequestId"].is_string() && last["CloudTrailEventId"].is_string()
        );
    }
}

#[tokio::test]
async fn there_are_no_custom_key_stores() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let none = kms.call("DescribeCustomKeyStores", json!({})).await;
    assert_eq!(none, json!({ "CustomKeyStores": [], "Truncated": false }));
    for (operation, parameters) in [
        ("DescribeCustomKeyStores", json!({ "CustomKeyStoreId": "cks-1" })),
        ("DescribeCustomKeyStores", json!({ "CustomKeyStoreName": "store" })),
        ("GenerateRandom", json!({ "NumberOfBytes": 8, "CustomKeyStoreId": "cks-1" })),
        ("CreateKey", json!({ "CustomKeyStoreId": "cks-1", "Origin": "AWS_CLOUDHSM" })),
    ] {
        assert_eq!(kms.code(operation, parameters).await, "CustomKeyStoreNotFoundException", "{operation}");
    }
    assert_eq!(kms.code("DescribeCustomKeyStores", json!({ "Marker": "x" })).await, "InvalidMarkerException");
}

#[tokio::test]
async fn heavy_work_does_not_delay_other_calls() {
    let lab = Lab::start().await;
    let kms = lab.kms(REGION);
    let id = kms.id(json!({})).await;
    let parameters = json!({ "KeyId": id, "KeyPairSpec": "RSA_4096" });
    let done = std::cell::Cell::new(0);
    let pairs = futures_util::future::join_all((0..8).map(|_| async {
        kms.call("GenerateDataKeyPair", parameters.clone()).await;
        done.set(done.get() + 1);
    }));
    let others = async {
        // The pairs are on their way by then.
        tokio::time::sleep(Duration::from_millis(20)).await;
        for _ in 0..20 {
            kms.described(&id, "KeyState").await;
        }
        done.get()
    };
    let (_, done_before) = tokio::join!(pairs, others);
    assert!(done_before < 8, "the other calls waited for the key pairs");
}
