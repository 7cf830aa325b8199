//! Every error of the API, and the order of the checks.

use super::*;

const OPERATIONS: [&str; 4] = ["health", "metadata", "encrypt", "decrypt"];

fn path_of(operation: &str) -> String {
    if operation == "health" { path("health") } else { key_path(KEY, operation) }
}

/// A body that the operation serves.
fn valid(proxy: &Proxy, operation: &str) -> Value {
    match operation {
        "decrypt" => decrypt_body(&encrypt(proxy, KEY)),
        _ => encrypt_body(),
    }
}

fn without(mut body: Value, pointer: &str, member: &str) -> Value {
    let object = body.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object");
    object.remove(member).expect("the member");
    body
}

fn with(mut body: Value, pointer: &str, member: &str, value: Value) -> Value {
    let object = body.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object");
    object.insert(member.to_owned(), value);
    body
}

#[test]
fn every_operation_answers_as_the_specification_says() {
    let proxy = proxy();
    let (status, health) = Call::new(&path("health"), &valid(&proxy, "health")).send(&proxy);
    let expected = json!({
        "xksProxyFleetSize": 1, "xksProxyVendor": "Claviger", "xksProxyModel": "Claviger 1.2.3",
        "ekmVendor": "Claviger",
        "ekmFleetDetails": [{"id": "installation", "model": "Claviger 1.2.3", "healthStatus": "ACTIVE"}],
    });
    assert_eq!((status, health), (200, expected));
    let (status, metadata) = Call::new(&key_path(KEY, "metadata"), &valid(&proxy, "metadata")).send(&proxy);
    let expected = json!({"keySpec": "AES_256", "keyUsage": ["ENCRYPT", "DECRYPT"], "keyStatus": "ENABLED"});
    assert_eq!((status, metadata), (200, expected));
    let encrypted = encrypt(&proxy, KEY);
    let (status, decrypted) = decrypt(&proxy, KEY, &decrypt_body(&encrypted));
    assert_eq!((status, decrypted), (200, json!({"plaintext": "SGVsbG8gV29ybGQh"})));
    // The metadata of a new key comes without its ARN.
    let new = without(encrypt_body(), "/requestMetadata", "kmsKeyArn");
    assert_eq!(Call::new(&key_path(KEY, "metadata"), &new).send(&proxy).0, 200);
}

#[test]
fn bodies_that_are_not_as_specified_are_invalid() {
    let proxy = proxy();
    for operation in OPERATIONS {
        let valid = valid(&proxy, operation);
        let mut bodies = vec![
            "".to_owned(),
            "{".into(),
            "null".into(),
            "\"x\"".into(),
            format!("[{valid}]"),
            format!("{valid}x"),
            "{}".into(),
        ];
        let required: &[&str] = match operation {
            "health" => &["kmsOperation", "kmsRequestId"],
            "metadata" => &["awsPrincipalArn", "kmsOperation", "kmsRequestId"],
            _ => &["awsPrincipalArn", "kmsOperation", "kmsRequestId", "kmsKeyArn"],
        };
        for member in required {
            let values = [json!(null), json!(7), json!([]), json!(""), json!("x".repeat(2049))];
            bodies.push(without(valid.clone(), "/requestMetadata", member).to_string());
            bodies.extend(values.map(|value| with(valid.clone(), "/requestMetadata", member, value).to_string()));
        }
        for value in [json!(null), json!([]), json!("x"), json!({}), json!([PRINCIPAL, null, null, "k", "o", "r"])] {
            bodies.push(with(valid.clone(), "", "requestMetadata", value).to_string());
        }
        // A member that is there twice is ambiguous.
        bodies.push(valid.to_string().replacen('{', r#"{"requestMetadata":{},"#, 1));
        let members: &[&str] = match operation {
            "encrypt" => &["plaintext", "encryptionAlgorithm"],
            "decrypt" => &["ciphertext", "encryptionAlgorithm", "initializationVector", "authenticationTag"],
            _ => &[],
        };
        for member in members {
            bodies.push(without(valid.clone(), "", member).to_string());
            bodies.extend([json!(null), json!(7)].map(|value| with(valid.clone(), "", member, value).to_string()));
        }
        let optional: &[&str] = match operation {
            "encrypt" => &["additionalAuthenticatedData", "ciphertextDataIntegrityValueAlgorithm"],
            "decrypt" => &["additionalAuthenticatedData", "ciphertextMetadata"],
            _ => &[],
        };
        for member in optional {
            bodies.extend(
                [json!(null), json!(7), json!("!")].map(|value| with(valid.clone(), "", member, value).to_string()),
            );
        }
        for body in bodies {
            let call = Call::unsigned(&path_of(operation), &body).signed();
            refused(&proxy, &call, 400, "ValidationException");
        }
    }
}

#[test]
fn unknown_algorithms_are_invalid() {
    let proxy = proxy();
    for (operation, member, value) in [
        ("encrypt", "encryptionAlgorithm", "AES_CBC"),
        ("decrypt", "encryptionAlgorithm", "aes_gcm"),
        ("encrypt", "ciphertextDataIntegrityValueAlgorithm", "SHA_512"),
        ("encrypt", "ciphertextDataIntegrityValueAlgorithm", ""),
    ] {
        let body = with(valid(&proxy, operation), "", member, value.into());
        refused(&proxy, &Call::new(&path_of(operation), &body), 400, "ValidationException");
    }
}

#[test]
fn only_standard_base64_with_its_padding_is_valid() {
    let proxy = proxy();
    let encrypted = decrypt_body(&encrypt(&proxy, KEY));
    for text in ["_-8=", "SGVsbG8", "SGVs bG8=", "SGVsbG8=\n", "SGVsbG9=", "SGVsbG8==", "=", "\u{e9}"] {
        for member in ["plaintext", "additionalAuthenticatedData"] {
            let body = with(encrypt_body(), "", member, text.into());
            refused(&proxy, &Call::new(&key_path(KEY, "encrypt"), &body), 400, "ValidationException");
        }
        for member in [
            "ciphertext",
            "initializationVector",
            "authenticationTag",
            "additionalAuthenticatedData",
            "ciphertextMetadata",
        ] {
            let body = with(encrypted.clone(), "", member, text.into());
            refused(&proxy, &Call::new(&key_path(KEY, "decrypt"), &body), 400, "ValidationException");
        }
    }
}

#[test]
fn what_is_not_known_is_ignored() {
    let proxy = proxy();
    for operation in OPERATIONS {
        let body = with(valid(&proxy, operation), "/requestMetadata", "sourceIdentity", json!({"a": [1, {}]}));
        let body = with(body, "/requestMetadata", "kmsOperation", "BulkEncrypt".into());
        let body = with(body, "/requestMetadata", "kmsRequestId", "not a UUID".into());
        let body = with(body, "", "newMember", json!([null]));
        assert_eq!(Call::new(&path_of(operation), &body).send(&proxy).0, 200, "{operation}");
    }
    for principal in ["ec2.amazonaws.com", "AWS Internal", &"x".repeat(2048)] {
        let body = with(encrypt_body(), "/requestMetadata", "awsPrincipalArn", principal.into());
        assert_eq!(Call::new(&key_path(KEY, "encrypt"), &body).send(&proxy).0, 200, "{principal}");
    }
}

#[test]
fn the_content_type_must_be_json() {
    let proxy = proxy();
    for (value, valid) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/jsonx", false),
        ("text/plain", false),
        ("", false),
    ] {
        for operation in OPERATIONS {
            let mut call = Call::unsigned(&path_of(operation), &super::errors::valid(&proxy, operation).to_string());
            *call.header("content-type") = value.into();
            let call = call.signed();
            match valid {
                true => assert_eq!(call.send(&proxy).0, 200, "{value}"),
                false => refused(&proxy, &call, 400, "ValidationException"),
            }
        }
    }
    let mut call = Call::unsigned(&path("health"), &encrypt_body().to_string());
    call.headers.retain(|(name, _)| name != "content-type");
    refused(&proxy, &call.signed(), 400, "ValidationException");
}

#[test]
fn a_blocked_store_serves_nothing_and_a_blocked_key_is_not_served() {
    let proxy = proxy();
    let bodies: Vec<Value> = OPERATIONS.iter().map(|operation| valid(&proxy, operation)).collect();
    proxy.put_key(STORE, KeyEntry { blocked: true, ..key(KEY, 1) });
    for (operation, body) in OPERATIONS.iter().zip(&bodies).skip(1) {
        refused(&proxy, &Call::new(&path_of(operation), body), 400, "InvalidStateException");
    }
    assert_eq!(Call::new(&path("health"), &bodies[0]).send(&proxy).0, 200);
    assert_eq!(Call::new(&key_path(ROTATED, "encrypt"), &bodies[2]).send(&proxy).0, 200);
    proxy.put_key(STORE, key(KEY, 1));
    proxy.put_store(StoreEntry { blocked: true, ..store() });
    for (operation, body) in OPERATIONS.iter().zip(&bodies) {
        refused(&proxy, &Call::new(&path_of(operation), body), 400, "InvalidStateException");
    }
    // Other checks come first: the signature, the body and the key.
    refused(&proxy, &Call::unsigned(&path_of("encrypt"), "{}"), 401, "AuthenticationFailedException");
    refused(&proxy, &Call::unsigned(&path_of("encrypt"), "{}").signed(), 400, "ValidationException");
    refused(&proxy, &Call::new(&key_path("other", "encrypt"), &bodies[2]), 404, "KeyNotFoundException");
}

#[test]
fn a_disabled_key_is_described_and_does_not_encrypt_or_decrypt() {
    let proxy = proxy();
    let ciphertext = valid(&proxy, "decrypt");
    let deactivated = VersionEntry { enabled: false, ..version(1) };
    for disabled in
        [KeyEntry { enabled: false, ..key(KEY, 1) }, KeyEntry { versions: vec![deactivated], ..key(KEY, 1) }]
    {
        proxy.put_key(STORE, disabled);
        let (status, metadata) = Call::new(&key_path(KEY, "metadata"), &encrypt_body()).send(&proxy);
        assert_eq!((status, &metadata["keyStatus"]), (200, &json!("DISABLED")));
        refused(&proxy, &Call::new(&key_path(KEY, "encrypt"), &encrypt_body()), 400, "InvalidStateException");
        refused(&proxy, &Call::new(&key_path(KEY, "decrypt"), &ciphertext), 400, "InvalidStateException");
    }
    // Of a rotated key, only the version whose source key is deactivated is not served.
    let versions = vec![VersionEntry { enabled: false, ..version(1) }, version(2)];
    proxy.put_key(STORE, KeyEntry { versions, active_version: 2, ..key(KEY, 1) });
    refused(&proxy, &Call::new(&key_path(KEY, "decrypt"), &ciphertext), 400, "InvalidStateException");
    let new = decrypt_body(&encrypt(&proxy, KEY));
    assert_eq!(decrypt(&proxy, KEY, &new).0, 200);
}

#[test]
fn a_key_does_only_what_its_usage_allows() {
    let proxy = proxy();
    for (key, encrypts, decrypts) in
        [(ENCRYPT_ONLY, true, false), (DECRYPT_ONLY, false, true), (IMPOTENT, false, false)]
    {
        let (_, metadata) = Call::new(&key_path(key, "metadata"), &encrypt_body()).send(&proxy);
        let mut usage = Vec::new();
        usage.extend(encrypts.then_some("ENCRYPT"));
        usage.extend(decrypts.then_some("DECRYPT"));
        assert_eq!(metadata["keyUsage"], json!(usage));
        let call = Call::new(&key_path(key, "encrypt"), &encrypt_body());
        match encrypts {
            true => assert_eq!(call.send(&proxy).0, 200),
            false => refused(&proxy, &call, 400, "InvalidKeyUsageException"),
        }
        // The integrity value promises that the ciphertext can be decrypted.
        let body = with(encrypt_body(), "", "ciphertextDataIntegrityValueAlgorithm", "SHA_256".into());
        refused(&proxy, &Call::new(&key_path(key, "encrypt"), &body), 400, "InvalidKeyUsageException");
        let ciphertext = valid(&proxy, "decrypt");
        let call = Call::new(&key_path(key, "decrypt"), &ciphertext);
        match decrypts {
            true => assert_eq!(call.send(&proxy).0, 200),
            false => refused(&proxy, &call, 400, "InvalidKeyUsageException"),
        }
    }
}

#[test]
fn unknown_keys_and_paths_are_not_found() {
    let proxy = proxy();
    let other = StoreEntry { id: Uuid::from_u128(7), ..store() };
    proxy.put_store_with_keys(other, vec![key("of-another-store", 1)]);
    let long = "x".repeat(3000);
    for id in ["of-another-store", "deleted", "%39d6d3b52-1f5e-4b8e-8a55-7c9f2f0d4e21", "..", "a b", &long] {
        for operation in ["metadata", "encrypt", "decrypt"] {
            let body = valid(&proxy, operation);
            refused(&proxy, &Call::new(&key_path(id, operation), &body), 404, "KeyNotFoundException");
        }
    }
    let store_path = StoreEntry::uri_path(STORE);
    let paths = [
        "/".to_owned(),
        "*".into(),
        "/kms/xks/v1/health".into(),
        store_path.clone(),
        format!("{store_path}/"),
        format!("{store_path}/health/"),
        format!("{store_path}//health"),
        format!("/{store_path}/health"),
        format!("{store_path}/Health"),
        format!("{store_path}/keys"),
        format!("{store_path}/keys/{KEY}"),
        format!("{store_path}/keys/{KEY}/health"),
        format!("{store_path}/keys/{KEY}/sign"),
        format!("{store_path}/keys/{KEY}/encrypt/"),
        format!("{store_path}/keys//encrypt"),
        format!("{store_path}/keys/a/b/encrypt"),
        format!("{}/health", store_path.replace("v1", "v2")),
        format!("{}/invalid/kms/xks/v1/health", store_path.trim_end_matches("/kms/xks/v1")),
        format!("{}/health", store_path.replace("4a0d79d6", "4A0D79D6")),
        format!("{}/health", store_path.replace("4a0d79d6", "4a0d79d7")),
        format!("{}/health", store_path.replace('-', "")),
    ];
    for path in paths {
        // A signature makes no difference.
        refused(&proxy, &Call::new(&path, &encrypt_body()), 404, "InvalidUriPathException");
        refused(&proxy, &Call { method: "GET", ..Call::unsigned(&path, "") }, 404, "InvalidUriPathException");
    }
    proxy.remove_store(STORE);
    for operation in OPERATIONS {
        refused(&proxy, &Call::new(&path_of(operation), &encrypt_body()), 404, "InvalidUriPathException");
    }
}

#[test]
fn other_methods_are_not_allowed() {
    let proxy = proxy();
    for operation in OPERATIONS {
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "post", "X"] {
            let answer = proxy.answer(&Call { method, ..Call::unsigned(&path_of(operation), "") }.request(), noon());
            assert_eq!((answer.status, answer.allow_post, answer.close), (405, true, false), "{method}");
            assert!(serde_json::from_str::<Value>(&answer.body).is_ok_and(|body| body["errorName"].is_string()));
        }
    }
}

#[test]
fn material_that_is_not_in_memory_is_a_timeout_of_a_dependency() {
    let proxy = proxy();
    let ciphertext = valid(&proxy, "decrypt");
    let absent = KeyEntry { versions: vec![VersionEntry { material: None, ..version(1) }], ..key(KEY, 1) };
    proxy.put_key(STORE, absent);
    refused(&proxy, &Call::new(&key_path(KEY, "encrypt"), &encrypt_body()), 503, "DependencyTimeoutException");
    refused(&proxy, &Call::new(&key_path(KEY, "decrypt"), &ciphertext), 503, "DependencyTimeoutException");
    assert_eq!(Call::new(&key_path(KEY, "metadata"), &encrypt_body()).send(&proxy).0, 200);
}

#[test]
fn health_tells_the_condition_and_tries_the_health_key() {
    let proxy = proxy();
    let status = || {
        let (status, health) = Call::new(&path("health"), &encrypt_body()).send(&proxy);
        assert_eq!(status, 200);
        health["ekmFleetDetails"][0]["healthStatus"].as_str().map(str::to_owned).expect("a status")
    };
    for (condition, name) in
        [(Condition::Degraded, "DEGRADED"), (Condition::Unavailable, "UNAVAILABLE"), (Condition::Active, "ACTIVE")]
    {
        proxy.set_condition(condition);
        assert_eq!(status(), name);
    }
    proxy.put_store(StoreEntry { health_key: None, ..store() });
    assert_eq!(status(), "UNAVAILABLE");
    let health = proxy.health(STORE).expect("the store");
    assert_eq!((health.status, health.health_key_problem.is_some()), (Condition::Unavailable, true));
    proxy.put_store(store());
    let health = proxy.health(STORE).expect("the store");
    assert_eq!((health.status, health.health_key_problem, health.blocked), (Condition::Active, None, false));
    assert_eq!(health.last_call_at, Some(noon()));
    assert_eq!(proxy.health(Uuid::from_u128(7)), None);
}

#[test]
fn every_error_has_the_status_and_the_name_of_the_specification() {
    let rows: Vec<(u16, &str)> = ErrorName::ALL.into_iter().map(|error| (error.status(), error.name())).collect();
    let expected = [
        (400, "ValidationException"),
        (400, "InvalidStateException"),
        (400, "InvalidCiphertextException"),
        (400, "InvalidKeyUsageException"),
        (401, "AuthenticationFailedException"),
        (403, "AccessDeniedException"),
        (404, "KeyNotFoundException"),
        (404, "InvalidUriPathException"),
        (429, "ThrottlingException"),
        (501, "UnsupportedOperationException"),
        (503, "DependencyTimeoutException"),
        (500, "InternalException"),
    ];
    assert_eq!(rows, expected);
    for (n, error) in ErrorName::ALL.into_iter().enumerate() {
        assert_eq!(error as usize, n);
    }
}

#[test]
fn a_diagnosis_answers_as_a_call_does_and_counts_nowhere() {
    let proxy = proxy();
    let parsed = |answer: Answer| (answer.status, serde_json::from_str::<Value>(&answer.body).expect("JSON"));
    let before = proxy.counters(STORE, noon());
    let diagnoses = [
        parsed(proxy.diagnose_health(STORE)),
        parsed(proxy.diagnose_metadata(STORE, KEY)),
        parsed(proxy.diagnose_metadata(STORE, "other")),
        parsed(proxy.diagnose_health(Uuid::from_u128(7))),
    ];
    assert_eq!(proxy.counters(STORE, noon()), before);
    let other_store = Call::new(&path("health").replace("4a0d79d6", "4a0d79d7"), &encrypt_body());
    let answers = [
        Call::new(&path("health"), &encrypt_body()).send(&proxy),
        Call::new(&key_path(KEY, "metadata"), &encrypt_body()).send(&proxy),
        Call::new(&key_path("other", "metadata"), &encrypt_body()).send(&proxy),
        other_store.send(&proxy),
    ];
    for ((status, diagnosis), (expected, answer)) in diagnoses.into_iter().zip(answers) {
        assert_eq!((status, &diagnosis["errorName"]), (expected, &answer["errorName"]));
        assert_eq!((&diagnosis["ekmVendor"], &diagnosis["keyStatus"]), (&answer["ekmVendor"], &answer["keyStatus"]));
    }
    proxy.put_store(StoreEntry { blocked: true, ..store() });
    assert_eq!(parsed(proxy.diagnose_health(STORE)).1["errorName"], "InvalidStateException");
    assert_eq!(parsed(proxy.diagnose_metadata(STORE, KEY)).1["errorName"], "InvalidStateException");
}
