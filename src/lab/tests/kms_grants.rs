//! Tests of grants.

use super::kms_access::{HOME, PARIS, keys, lab, user};
use super::*;

fn grant(key: &str, grantee: &str, operations: &[&str]) -> Value {
    json!({ "KeyId": key, "GranteePrincipal": user(grantee), "Operations": operations })
}

#[tokio::test]
async fn a_grant_allows_its_grantee_at_once() {
    let lab = lab().await;
    let [admin, ann] = ["admin", "ann"].map(|name| lab.kms_as(keys(name), PARIS));
    let id = admin.id(json!({})).await;
    let encrypt = |token: Value| json!({ "KeyId": id, "Plaintext": "aGk=", "GrantTokens": [token] });
    assert_eq!(ann.code("Encrypt", json!({ "KeyId": id, "Plaintext": "aGk=" })).await, "AccessDeniedException");
    let given = admin.call("CreateGrant", grant(&id, "ann", &["Encrypt", "DescribeKey"])).await;
    let grant_id = given["GrantId"].as_str().expect("an id");
    assert!(grant_id.len() == 64 && grant_id.bytes().all(|b| b.is_ascii_hexdigit()), "{grant_id}");
    ann.call("Encrypt", encrypt(given["GrantToken"].clone())).await;
    ann.call("Encrypt", json!({ "KeyId": id, "Plaintext": "aGk=" })).await;
    ann.call("DescribeKey", json!({ "KeyId": id })).await;
    assert_eq!(ann.code("DisableKey", json!({ "KeyId": id })).await, "AccessDeniedException");
    // An unknown token is refused even if it is not needed.
    assert_eq!(admin.code("Encrypt", encrypt(json!("AQpAM2RhZQ"))).await, "InvalidGrantTokenException");
    assert_eq!(admin.code("Encrypt", encrypt(given["GrantId"].clone())).await, "InvalidGrantTokenException");
    let listed = admin.call("ListGrants", json!({ "KeyId": id })).await;
    let entry = &listed["Grants"][0];
    assert!(entry["CreationDate"].is_f64(), "{entry}");
    let expected = json!({
        "KeyId": format!("arn:aws:kms:eu-west-3:{HOME}:key/{id}"),
        "GrantId": grant_id,
        "Name": "",
        "CreationDate": entry["CreationDate"],
        "GranteePrincipal": user("ann"),
        "IssuingAccount": format!("arn:aws:iam::{HOME}:root"),
        "Operations": ["Encrypt", "DescribeKey"],
    });
    assert_eq!(*entry, expected);
    admin.call("RevokeGrant", json!({ "KeyId": id, "GrantId": grant_id })).await;
    assert_eq!(ann.code("DescribeKey", json!({ "KeyId": id })).await, "AccessDeniedException");
    assert_eq!(admin.code("Encrypt", encrypt(given["GrantToken"].clone())).await, "InvalidGrantTokenException");
    assert_eq!(admin.code("RevokeGrant", json!({ "KeyId": id, "GrantId": grant_id })).await, "NotFoundException");
    assert_eq!(admin.call("ListGrants", json!({ "KeyId": id })).await["Grants"], json!([]));
}

#[tokio::test]
async fn the_name_makes_a_grant_idempotent() {
    let lab = lab().await;
    let admin = lab.kms_as(keys("admin"), PARIS);
    let id = admin.id(json!({})).await;
    let mut named = grant(&id, "ann", &["Encrypt", "Decrypt"]);
    let unnamed = named.clone();
    named["Name"] = json!("one");
    let first = admin.call("CreateGrant", named.clone()).await;
    let second = admin.call("CreateGrant", named.clone()).await;
    assert_eq!(first["GrantId"], second["GrantId"]);
    assert_ne!(first["GrantToken"], second["GrantToken"]);
    named["Operations"] = json!(["Encrypt"]);
    assert_ne!(admin.call("CreateGrant", named.clone()).await["GrantId"], first["GrantId"]);
    let one = admin.call("CreateGrant", unnamed.clone()).await["GrantId"].clone();
    assert_ne!(admin.call("CreateGrant", unnamed).await["GrantId"], one);
    let all = admin.call("ListGrants", json!({ "KeyId": id })).await;
    assert_eq!(all["Grants"].as_array().map(Vec::len), Some(4));
    let page = admin.call("ListGrants", json!({ "KeyId": id, "Limit": 3 })).await;
    assert_eq!(page["Truncated"], true);
    let rest = admin.call("ListGrants", json!({ "KeyId": id, "Marker": page["NextMarker"] })).await;
    assert_eq!(rest["Grants"].as_array().map(Vec::len), Some(1));
    let found = admin.call("ListGrants", json!({ "KeyId": id, "GrantId": one })).await;
    assert_eq!(found["Grants"].as_array().map(Vec::len), Some(1));
    let found = admin.call("ListGrants", json!({ "KeyId": id, "GranteePrincipal": user("bob") })).await;
    assert_eq!(found["Grants"], json!([]));
    // Another key has its own grants, with the same name too.
    let other = admin.id(json!({})).await;
    named["KeyId"] = json!(other);
    admin.call("CreateGrant", named).await;
    assert_eq!(admin.call("ListGrants", json!({ "KeyId": other })).await["Grants"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn constraints_bind_a_grant_to_an_encryption_context() {
    let lab = lab().await;
    let [admin, ann, bob] = ["admin", "ann", "bob"].map(|name| lab.kms_as(keys(name), PARIS));
    let id = admin.id(json!({})).await;
    let mut constrained = grant(&id, "ann", &["Encrypt", "CreateGrant", "DescribeKey"]);
    constrained["Constraints"] = json!({ "EncryptionContextSubset": { "team": "red" } });
    admin.call("CreateGrant", constrained.clone()).await;
    let encrypt = |context: Value| json!({ "KeyId": id, "Plaintext": "aGk=", "EncryptionContext": context });
    ann.call("Encrypt", encrypt(json!({ "team": "red", "more": "x" }))).await;
    for context in [json!({}), json!({ "team": "blue" }), json!({ "Team": "red" })] {
        assert_eq!(ann.code("Encrypt", encrypt(context)).await, "AccessDeniedException");
    }
    // Constraints are about encryption contexts only.
    ann.call("DescribeKey", json!({ "KeyId": id })).await;
    // The grantee passes on no more than it has.
    let mut passed_on = grant(&id, "bob", &["Encrypt"]);
    assert_eq!(ann.code("CreateGrant", passed_on.clone()).await, "AccessDeniedException");
    passed_on["Constraints"] = json!({ "EncryptionContextEquals": { "team": "red" } });
    ann.call("CreateGrant", passed_on.clone()).await;
    passed_on["Operations"] = json!(["Encrypt", "Decrypt"]);
    assert_eq!(ann.code("CreateGrant", passed_on).await, "AccessDeniedException");
    bob.call("Encrypt", encrypt(json!({ "team": "red" }))).await;
    let listed = admin.call("ListGrants", json!({ "KeyId": id, "GranteePrincipal": user("bob") })).await;
    let expected = json!({ "EncryptionContextEquals": { "team": "red" } });
    assert_eq!(listed["Grants"][0]["Constraints"], expected);
    constrained["Constraints"] = json!({ "SourceArn": "arn:aws:s3:::bucket" });
    assert_eq!(admin.code("CreateGrant", constrained).await, "ValidationException");
}

#[tokio::test]
async fn grants_are_retired_by_those_whom_they_name() {
    let lab = lab().await;
    let [admin, ann, bob, sue] = ["admin", "ann", "bob", "sue"].map(|name| lab.kms_as(keys(name), PARIS));
    let id = admin.id(json!({})).await;
    let mut wanted = grant(&id, "ann", &["Decrypt"]);
    wanted["RetiringPrincipal"] = json!(user("bob"));
    let (first, second) = (admin.call("CreateGrant", wanted.clone()).await, admin.call("CreateGrant", wanted).await);
    let by_id = |grant: &Value| json!({ "KeyId": id, "GrantId": grant["GrantId"] });
    let by_token = |grant: &Value| json!({ "GrantToken": grant["GrantToken"] });
    let retirable = admin.call("ListRetirableGrants", json!({ "RetiringPrincipal": user("bob") })).await;
    assert_eq!(retirable["Grants"].as_array().map(Vec::len), Some(2));
    let others = admin.call("ListRetirableGrants", json!({ "RetiringPrincipal": user("ann") })).await;
    assert_eq!(others["Grants"], json!([]));
    let foreign = json!({ "RetiringPrincipal": user("bob") });
    assert_eq!(sue.code("ListRetirableGrants", foreign).await, "InvalidArnException");
    assert_eq!(ann.code("RetireGrant", by_token(&first)).await, "AccessDeniedException");
    bob.call("RetireGrant", by_token(&first)).await;
    assert_eq!(bob.code("RetireGrant", by_token(&first)).await, "InvalidGrantTokenException");
    // The issuing account may retire its grants.
    admin.call("RetireGrant", by_id(&second)).await;
    assert_eq!(admin.code("RetireGrant", by_id(&second)).await, "NotFoundException");
    let third = admin.call("CreateGrant", grant(&id, "ann", &["Decrypt", "RetireGrant"])).await;
    assert_eq!(admin.code("RetireGrant", json!({ "KeyId": id })).await, "ValidationException");
    ann.call("RetireGrant", by_id(&third)).await;
    assert_eq!(admin.call("ListGrants", json!({ "KeyId": id })).await["Grants"], json!([]));
}

#[tokio::test]
async fn grants_reach_other_accounts() {
    let lab = lab().await;
    let [admin, sue, tim] = ["admin", "sue", "tim"].map(|name| lab.kms_as(keys(name), PARIS));
    let id = admin.id(json!({})).await;
    let arn = format!("arn:aws:kms:eu-west-3:{HOME}:key/{id}");
    for grantee in ["sue", "tim"] {
        admin.call("CreateGrant", grant(&id, grantee, &["Encrypt", "DescribeKey"])).await;
    }
    let encrypt = json!({ "KeyId": arn, "Plaintext": "aGk=" });
    sue.call("Encrypt", encrypt.clone()).await;
    assert_eq!(tim.code("Encrypt", encrypt).await, "AccessDeniedException");
    assert_eq!(sue.code("ListGrants", json!({ "KeyId": arn })).await, "AccessDeniedException");
}

#[tokio::test]
async fn what_a_grant_cannot_be_is_refused() {
    let lab = lab().await;
    let admin = lab.kms_as(keys("admin"), PARIS);
    let id = admin.id(json!({})).await;
    let signing = admin.id(json!({ "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY" })).await;
    let mut contextual = grant(&signing, "ann", &["Sign"]);
    contextual["Constraints"] = json!({ "EncryptionContextSubset": { "a": "b" } });
    let mut nobody = grant(&id, "ann", &["Decrypt"]);
    nobody["GranteePrincipal"] = json!("arn:aws:iam::111122223333:user/nobody");
    for (parameters, code) in [
        (grant("invalid", "ann", &["Decrypt"]), "NotFoundException"),
        (grant(&id, "ann", &["Sign"]), "ValidationException"),
        (grant(&id, "ann", &["Fly"]), "ValidationException"),
        (grant(&signing, "ann", &["GenerateDataKey"]), "ValidationException"),
        (contextual, "ValidationException"),
        (nobody, "InvalidArnException"),
        (json!({ "KeyId": id, "Operations": ["Decrypt"] }), "ValidationException"),
        (json!({ "KeyId": id, "GranteePrincipal": user("ann") }), "ValidationException"),
    ] {
        assert_eq!(admin.code("CreateGrant", parameters.clone()).await, code, "{parameters}");
    }
    admin.call("CreateGrant", grant(&signing, "ann", &["Sign", "Verify", "GetPublicKey"])).await;
    assert_eq!(admin.code("ListGrants", json!({ "KeyId": "invalid" })).await, "NotFoundException");
    admin.call("DisableKey", json!({ "KeyId": id })).await;
    assert_eq!(admin.code("CreateGrant", grant(&id, "ann", &["Decrypt"])).await, "DisabledException");
}
