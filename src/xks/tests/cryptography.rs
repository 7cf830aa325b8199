//! Ciphertexts: what binds them, versions, integrity values and sizes.

use super::*;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn bytes(answer: &Value, member: &str) -> Vec<u8> {
    answer[member].as_str().map(|text| STANDARD.decode(text).expect("Base64")).unwrap_or_default()
}

fn call_encrypt(proxy: &Proxy, key: &str, plaintext: &[u8], aad: Option<&[u8]>, integrity: bool) -> (u16, Value) {
    let mut body = body(json!({"plaintext": STANDARD.encode(plaintext), "encryptionAlgorithm": "AES_GCM"}));
    if let Some(aad) = aad {
        body["additionalAuthenticatedData"] = STANDARD.encode(aad).into();
    }
    if integrity {
        body["ciphertextDataIntegrityValueAlgorithm"] = "SHA_256".into();
    }
    Call::new(&key_path(key, "encrypt"), &body).send(proxy)
}

#[test]
fn a_ciphertext_is_aes_gcm_with_both_lengths_in_the_authenticated_data() {
    let proxy = proxy();
    for (key, version, metadata) in [(KEY, 1_u8, &[][..]), (ROTATED, 2, &[1, 0, 0, 0, 2])] {
        for (plaintext, aad) in [(&b"Hello World!"[..], &b"project=nile"[..]), (b"", b""), (&[7; 4300], &[8; 8192])] {
            let given = if aad.is_empty() { None } else { Some(aad) };
            let (status, answer) = call_encrypt(&proxy, key, plaintext, given, false);
            assert_eq!(status, 200);
            let members: Vec<&str> = answer.as_object().expect("an object").keys().map(String::as_str).collect();
            assert_eq!(members.contains(&"ciphertextMetadata"), version > 1, "{members:?}");
            assert!(!members.contains(&"ciphertextDataIntegrityValue"));
            let (ciphertext, tag) = (bytes(&answer, "ciphertext"), bytes(&answer, "authenticationTag"));
            let iv: [u8; 12] = bytes(&answer, "initializationVector").try_into().expect("12 bytes");
            assert_eq!((ciphertext.len(), tag.len()), (plaintext.len(), 16));
            assert_eq!(bytes(&answer, "ciphertextMetadata"), metadata);
            let length = u16::try_from(aad.len()).expect("two bytes").to_be_bytes();
            let metadata_length = u8::try_from(metadata.len()).expect("a byte");
            let authenticated = [&length[..], aad, &[metadata_length], metadata].concat();
            let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[version; 32]).expect("a key"));
            let mut sealed = [ciphertext, tag].concat();
            let nonce = Nonce::assume_unique_for_key(iv);
            assert_eq!(key.open_in_place(nonce, Aad::from(authenticated), &mut sealed).expect("it opens"), plaintext);
        }
    }
}

#[test]
fn the_integrity_value_covers_all_that_is_sent() {
    let proxy = proxy();
    for key in [KEY, ROTATED] {
        for aad in [None, Some(&b"project=nile,department=marketing"[..])] {
            let (_, answer) = call_encrypt(&proxy, key, b"Hello World!", aad, true);
            let parts = ["ciphertextMetadata", "initializationVector", "ciphertext", "authenticationTag"];
            let covered: Vec<u8> = aad
                .unwrap_or_default()
                .iter()
                .copied()
                .chain(parts.iter().flat_map(|part| bytes(&answer, part)))
                .collect();
            let expected = digest::digest(&digest::SHA256, &covered);
            assert_eq!(bytes(&answer, "ciphertextDataIntegrityValue"), expected.as_ref());
        }
    }
}

#[test]
fn each_encryption_has_another_initialization_vector() {
    let proxy = proxy();
    let (first, second) = (encrypt(&proxy, KEY), encrypt(&proxy, KEY));
    assert_ne!(first["initializationVector"], second["initializationVector"]);
    assert_ne!(first["ciphertext"], second["ciphertext"]);
}

#[test]
fn old_ciphertexts_open_after_a_rotation() {
    let proxy = proxy();
    let old = decrypt_body(&encrypt(&proxy, KEY));
    proxy.put_key(STORE, key(KEY, 2));
    let new = decrypt_body(&encrypt(&proxy, KEY));
    assert!(old.get("ciphertextMetadata").is_none() && new["ciphertextMetadata"] == "AQAAAAI=");
    for body in [&old, &new] {
        assert_eq!(decrypt(&proxy, KEY, body), (200, json!({"plaintext": "SGVsbG8gV29ybGQh"})));
    }
}

#[test]
fn a_ciphertext_that_was_changed_in_anything_is_invalid() {
    let proxy = proxy();
    let (_, answer) = call_encrypt(&proxy, ROTATED, b"Hello World!", Some(b"context"), false);
    let mut valid = decrypt_body(&answer);
    valid["additionalAuthenticatedData"] = STANDARD.encode(b"context").into();
    assert_eq!(decrypt(&proxy, ROTATED, &valid).0, 200);
    let tag = bytes(&answer, "authenticationTag");
    let wrong: &[(&str, Option<&[u8]>)] = &[
        ("ciphertext", Some(b"Hello World!")),
        ("ciphertext", Some(b"")),
        ("authenticationTag", Some(&[0; 16])),
        ("authenticationTag", Some(&tag[..15])),
        ("authenticationTag", Some(&tag[..12])),
        ("authenticationTag", Some(b"")),
        ("initializationVector", Some(&[0; 12])),
        ("initializationVector", Some(&[0; 16])),
        ("initializationVector", Some(&[0; 11])),
        ("initializationVector", Some(b"")),
        ("additionalAuthenticatedData", Some(b"Context")),
        ("additionalAuthenticatedData", Some(b"")),
        ("additionalAuthenticatedData", None),
        ("ciphertextMetadata", None),
        ("ciphertextMetadata", Some(b"")),
        ("ciphertextMetadata", Some(&[1, 0, 0, 0, 1])),
        ("ciphertextMetadata", Some(&[1, 0, 0, 0, 3])),
        ("ciphertextMetadata", Some(&[2, 0, 0, 0, 2])),
        ("ciphertextMetadata", Some(&[1, 0, 0, 2])),
        ("ciphertextMetadata", Some(b"key_version=1")),
        ("ciphertextMetadata", Some(&[0; 300])),
    ];
    for (member, value) in wrong {
        let mut body = valid.clone();
        match value {
            Some(value) => body[*member] = STANDARD.encode(value).into(),
            None => drop(body.as_object_mut().expect("an object").remove(*member)),
        }
        refused(&proxy, &Call::new(&key_path(ROTATED, "decrypt"), &body), 400, "InvalidCiphertextException");
    }
    // Another key does not open it.
    refused(&proxy, &Call::new(&key_path(KEY, "decrypt"), &valid), 400, "InvalidCiphertextException");
}

#[test]
fn metadata_cannot_be_passed_as_authenticated_data() {
    let proxy = proxy();
    let (_, answer) = call_encrypt(&proxy, ROTATED, b"Hello World!", None, false);
    let mut body = decrypt_body(&answer);
    let metadata = body.as_object_mut().expect("an object").remove("ciphertextMetadata").expect("metadata");
    body["additionalAuthenticatedData"] = metadata;
    // Both versions have the same material, so that only the authenticated data can make a difference.
    let same = |number| VersionEntry { material: material(2), ..version(number) };
    proxy.put_key(STORE, KeyEntry { versions: vec![same(1), same(2)], ..key(ROTATED, 2) });
    refused(&proxy, &Call::new(&key_path(ROTATED, "decrypt"), &body), 400, "InvalidCiphertextException");
}

#[test]
fn sizes_have_limits() {
    let proxy = proxy();
    let unsupported = (501, Some("UnsupportedOperationException"));
    let result = |(status, answer): (u16, Value)| (status, answer["errorName"].as_str().map(str::to_owned));
    let sizes = [(16 * 1024, 65_535, true), (16 * 1024 + 1, 0, false), (1, 65_536, false)];
    for (plaintext, aad, served) in sizes {
        let (status, name) = result(call_encrypt(&proxy, KEY, &vec![1; plaintext], Some(&vec![2; aad]), true));
        match served {
            true => assert_eq!((status, name), (200, None)),
            false => assert_eq!((status, name.as_deref()), unsupported),
        }
        let mut body = decrypt_body(&encrypt(&proxy, KEY));
        body["ciphertext"] = STANDARD.encode(vec![1; plaintext]).into();
        body["additionalAuthenticatedData"] = STANDARD.encode(vec![2; aad]).into();
        let (status, name) = result(decrypt(&proxy, KEY, &body));
        match served {
            true => assert_eq!((status, name.as_deref()), (400, Some("InvalidCiphertextException"))),
            false => assert_eq!((status, name.as_deref()), unsupported),
        }
    }
    // The largest body is served; a larger one ends the connection, whoever sent it.
    let padded = |length: usize| {
        let body = encrypt_body().to_string();
        Call::unsigned(&key_path(KEY, "encrypt"), &format!("{body}{}", " ".repeat(length - body.len())))
    };
    assert_eq!(padded(256 * 1024).signed().send(&proxy).0, 200);
    for call in [padded(256 * 1024 + 1), padded(256 * 1024 + 1).signed()] {
        let answer = proxy.answer(&call.request(), noon());
        assert_eq!((answer.status, answer.close), (501, true));
        assert!(answer.body.contains("UnsupportedOperationException"));
        assert_eq!(proxy.answer_oversized("POST", &call.path), answer);
    }
    assert_eq!(proxy.answer_oversized("POST", "/other").status, 404);
    assert_eq!(proxy.answer_oversized("PUT", &path("health")).status, 405);
    assert_eq!(proxy.counters(STORE, noon()).expect("the store").refusals[&ErrorName::UnsupportedOperation], 8);
}

#[test]
fn no_message_repeats_a_plaintext() {
    let proxy = proxy();
    let secret = "VGhlIHNlY3JldA==";
    let body = body(json!({"plaintext": format!("{secret}!"), "encryptionAlgorithm": secret}));
    for text in
        [body.to_string(), format!("{{\"plaintext\":\"{secret}\"{secret}"), format!("{{\"plaintext\":[\"{secret}\"]}}")]
    {
        let call = Call::unsigned(&key_path(KEY, "encrypt"), &text).signed();
        let answer = proxy.answer(&call.request(), noon());
        assert_eq!(answer.status, 400);
        assert!(!answer.body.contains("VGhl"), "{}", answer.body);
    }
}
