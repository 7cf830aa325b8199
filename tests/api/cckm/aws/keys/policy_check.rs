//! `POST /v1/cckm/aws/keys/{id}/check-policy`: a new policy is checked and compared, and not put.

use crate::support::kms_fixture::{ACCOUNT, HOME, KmsFixture, aws_id};
use serde_json::{Value, json};

fn user() -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/user1")
}

fn root() -> Value {
    json!({"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Action": "kms:*", "Resource": "*"})
}

fn policy(statements: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[test]
fn mistakes_are_named_with_line_and_column_and_nothing_changes() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    let check = |body: Value| fixture.post(&key, "check-policy", body).expect(200);
    let broken = check(json!({"policy": "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [,]\n}"}));
    assert_eq!((&broken["valid"], broken.get("differences")), (&json!(false), None));
    let problem = &broken["problems"][0];
    assert_eq!((&problem["line"], &problem["column"]), (&json!(3), &json!(17)), "{problem}");

    let text = format!(
        "{{\"Version\": \"2012-10-17\", \"Statement\": [\n{},\n{{\"Sid\": \"bad\", \"Effect\": \"Allow\", \
         \"Principal\": {{\"AWS\": \"ann\"}}, \"Action\": \"kms:*\", \"Resource\": \"*\"}}]}}",
        root()
    );
    let problem = json!({"message": "Policy contains a statement with one or more invalid principals.",
        "statement": 2, "sid": "bad", "line": 3, "column": 1});
    let checked = check(json!({"policy": text}));
    assert_eq!((&checked["valid"], &checked["problems"]), (&json!(false), &json!([problem])));
    assert_eq!(checked["lockout"]["refused_by_aws"], false, "it is not known: {checked}");
    // AWS refuses it too.
    assert_eq!(fixture.post(&key, "policy", json!({"policy": text})).status, 502);
    // An object has no lines.
    let object: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(check(json!({"policy": object}))["problems"][0].get("line"), None);
    // Of a text that is too long, nothing else is analysed: no mistake of its statements, no difference.
    let long = check(json!({"policy": policy(json!([root(), {"Sid": "x".repeat(33_000), "Principal": "*"}]))}));
    assert!(long["problems"][0]["message"].as_str().is_some_and(|text| text.contains("32768")), "{long}");
    assert_eq!(long["problems"].as_array().map(Vec::len), Some(1), "{}", long["problems"]);
    assert_eq!((long.get("differences"), &long["opens_to"], &long["valid"]), (None, &json!([]), &json!(false)));

    let both = json!({"policy": policy(json!([root()])), "key_users": ["user1"]});
    fixture.post(&key, "check-policy", both).refused(400, "NCERRInvalidParamValue");
    fixture.post(&key, "check-policy", json!({"policytemplate": "none"})).refused(404, "NCERRResourceNotFound");
    assert_eq!(fixture.read(&key)["aws_param"], key["aws_param"]);
}

#[test]
fn differences_are_those_to_the_policy_that_aws_has_now() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    // Somebody else changes the policy; this manager has not read it yet.
    let at_aws = policy(json!([root(), {"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": user()},
        "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": "*"}]));
    let put = json!({"KeyId": aws_id(&key), "PolicyName": "default", "Policy": at_aws.to_string()});
    fixture.lab.kms(HOME, "PutKeyPolicy", &put);
    let new = policy(json!([
        {"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": user()}, "Action": "kms:Decrypt", "Resource": "*"},
        root(),
        {"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "kms:DescribeKey", "Resource": "*"}]));
    let checked = fixture.post(&key, "check-policy", json!({"policy": new})).expect(200);
    assert_eq!((&checked["valid"], &checked["problems"]), (&json!(true), &json!([])));
    assert_eq!((&checked["compared_with"], checked.get("aws_error")), (&json!("aws"), None));
    let differences = &checked["differences"];
    assert_eq!((&differences["same"], &differences["removed"]), (&json!(1), &json!([])));
    assert_eq!((&differences["added"][0]["sid"], &differences["added"][0]["number"]), (&json!("All"), &json!(3)));
    let change = &differences["changed"][0];
    assert_eq!((&change["before"]["number"], &change["after"]["number"]), (&json!(2), &json!(1)));
    assert_eq!(change["elements"], json!([{"element": "Action", "added": [], "removed": ["kms:Encrypt"]}]));
    let words = [
        "Changes statement `Use`: Action loses kms:Encrypt.",
        "Adds statement `All`, which allows everybody kms:DescribeKey.",
    ];
    assert_eq!(differences["words"], json!(words));
    assert_eq!(checked["opens_to"], json!(["everyone"]));
    // Lists and the default are compared too.
    let lists = fixture.post(&key, "check-policy", json!({"key_users": ["user1"]})).expect(200);
    assert_eq!(
        (&lists["valid"], lists["policy"].as_str().is_some_and(|text| text.contains("user/user1"))),
        (&json!(true), true)
    );

    // If AWS does not answer, the policy that was read last is compared.
    fixture.lab.set_faults(&json!([{"service": "kms", "operation": "GetKeyPolicy", "answer": "deny"}]));
    let checked = fixture.post(&key, "check-policy", json!({"policy": new})).expect(200);
    assert_eq!(checked["compared_with"], "recorded");
    assert!(checked["aws_error"].as_str().is_some_and(|text| text.contains("AccessDenied")), "{checked}");
}

#[test]
fn a_policy_that_locks_out_the_caller_or_the_account_is_said_to() {
    let fixture = KmsFixture::new();
    let key = fixture.create(json!({}));
    let check = |statements: Value| {
        let body = json!({"policy": policy(statements)});
        let checked = fixture.post(&key, "check-policy", body.clone()).expect(200);
        let dry = &checked["lockout"];
        (checked["valid"].clone(), dry.clone(), body)
    };
    let (valid, lockout, _) = check(json!([root()]));
    assert_eq!((&valid, &lockout["refused_by_aws"]), (&json!(true), &json!(false)));
    assert_eq!((&lockout["caller"], &lockout["caller_decision"]), (&json!(user()), &json!("iam_decides")), "{lockout}");
    assert_eq!(lockout["account_decision"], "allowed");

    // The account loses the key, its caller does not.
    let own =
        json!([{"Sid": "Own", "Effect": "Allow", "Principal": {"AWS": user()}, "Action": "kms:*", "Resource": "*"}]);
    let (valid, lockout, _) = check(own);
    assert_eq!((&valid, &lockout["caller_decision"]), (&json!(true), &json!("allowed")));
    assert_eq!(lockout["account_decision"], "depends", "on who of the account asks");
    assert!(
        lockout["text"].as_str().is_some_and(|text| text.contains("administrators of the account could not")),
        "{lockout}"
    );

    // AWS refuses what this says that it refuses.
    let other = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:role/test-own-role")});
    let nobody = json!([{"Effect": "Allow", "Principal": other, "Action": "kms:*", "Resource": "*"}]);
    let denied =
        json!([root(), {"Effect": "Deny", "Principal": {"AWS": user()}, "Action": "kms:Put*", "Resource": "*"}]);
    for (statements, decision) in [(nobody, "not_allowed"), (denied, "denied")] {
        let (valid, lockout, body) = check(statements);
        assert_eq!((&valid, &lockout["refused_by_aws"]), (&json!(false), &json!(true)), "{lockout}");
        assert_eq!(lockout["caller_decision"], decision);
        let message = fixture.post(&key, "policy", body).refused(502, "NCERRCloudError");
        assert!(message.contains("MalformedPolicyDocument"), "{message}");
    }
    assert_eq!(fixture.read(&key)["aws_param"], key["aws_param"]);
}
