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
