//! Tests of who may use a key: key policies together with the plan.

use super::*;

pub(super) const HOME: &str = "111122223333";
const PLAN: &str = r#"
[partitions.aws]
enabled = ["eu-west-3", "us-east-1"]

[[accounts]]
id = "111122223333"
users = [
    { name = "admin", access_key_id = "AKIAADMINADMINADMIN1", secret_access_key = "secret/of/the/lab/only/1", allow = ["*"] },
    { name = "ann", access_key_id = "AKIAANNANNANNANNANN1", secret_access_key = "secret/of/the/lab/only/2", tags = { team = "red" } },
    { name = "bob", access_key_id = "AKIABOBBOBBOBBOBBOB1", secret_access_key = "secret/of/the/lab/only/3", allow = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "sts:*"] },
]
roles = [{ name = "app", path = "/team/", trusts = ["111122223333"] }]

[[accounts]]
id = "444455556666"
users = [
    { name = "sue", access_key_id = "AKIASUESUESUESUESUE1", secret_access_key = "secret/of/the/lab/only/4", allow = ["kms:*"] },
    { name = "tim", access_key_id = "AKIATIMTIMTIMTIMTIM1", secret_access_key = "secret/of/the/lab/only/5" },
]
"#;
pub(super) const PARIS: &str = "eu-west-3";

pub(super) async fn lab() -> Lab {
    let plan = LabPlan::parse(PLAN).expect("a plan");
    let listen = "127.0.0.1:0".parse().expect("an address");
    Lab { cloud: LabCloud::start(plan, listen, None, None).await.expect("a free port") }
}

pub(super) fn keys(user: &str) -> Keys {
    let plan = LabPlan::parse(PLAN).expect("a plan");
    let keys = [HOME, "444455556666"].into_iter().find_map(|id| plan.account(id)?.user(user)?.keys.clone());
    let keys = keys.expect("a user");
    Keys { id: keys.access_key_id().to_owned(), secret: keys.secret_access_key().to_owned(), token: None }
}

pub(super) fn user(name: &str) -> String {
    let account = if ["sue", "tim"].contains(&name) { "444455556666" } else { HOME };
    format!("arn:aws:iam::{account}:user/{name}")
}

fn allow(principal: Value, action: &str) -> Value {
    json!({ "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*" })
}

/// A policy with which the account's own policies decide, and more statements.
pub(super) fn policy(more: &[Value]) -> String {
    let root = allow(json!({ "AWS": HOME }), "kms:*");
    let statements: Vec<&Value> = std::iter::once(&root).chain(more).collect();
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn encrypt(key: &str) -> Value {
    json!({ "KeyId": key, "Plaintext": "aGk=" })
}

#[tokio::test]
async fn key_policies_decide_together_with_the_plan() {
    let lab = lab().await;
    let [admin, ann, bob] = ["admin", "ann", "bob"].map(|name| lab.kms_as(keys(name), PARIS));
    let id = admin.id(json!({})).await;
    let arn = format!("arn:aws:kms:eu-west-3:{HOME}:key/{id}");
    // By the default policy the plan decides.
    bob.call("Encrypt", encrypt(&id)).await;
    let (code, message) = ann.refusal("Encrypt", encrypt(&id)).await;
    let denied = |who: &str, why: &str| {
        format!("User: {} is not authorized to perform: kms:Encrypt on resource: {arn} {why}", user(who))
    };
    assert_eq!(code, "AccessDeniedException");
    assert_eq!(message, denied("ann", "because no identity-based policy allows the kms:Encrypt action"));
    // A policy allows without the plan, and denies in spite of it.
    let to_ann = allow(json!({ "AWS": user("ann") }), "kms:Enc*");
    let mut not_bob = allow(json!({ "AWS": user("bob") }), "kms:Encrypt");
    not_bob["Effect"] = json!("Deny");
    admin.call("PutKeyPolicy", json!({ "KeyId": id, "Policy": policy(&[to_ann.clone(), not_bob]) })).await;
    ann.call("Encrypt", encrypt(&id)).await;
    assert_eq!(ann.code("DescribeKey", json!({ "KeyId": id })).await, "AccessDeniedException");
    let (_, message) = bob.refusal("Encrypt", encrypt(&id)).await;
    assert_eq!(message, denied("bob", "with an explicit deny in a resource-based policy"));
    // A policy without the root shuts the account out.
    let only_ann = json!({ "Version": "2012-10-17", "Statement": [to_ann] });
    let bypassed = json!({ "KeyId": id, "Policy": only_ann.to_string(), "BypassPolicyLockoutSafetyCheck": true });
    admin.call("PutKeyPolicy", bypassed.clone()).await;
    ann.call("Encrypt", encrypt(&id)).await;
    let (_, message) = admin.refusal("Encrypt", encrypt(&id)).await;
    assert_eq!(message, denied("admin", "because no resource-based policy allows the kms:Encrypt action"));
    assert_eq!(admin.code("PutKeyPolicy", bypassed).await, "AccessDeniedException");
}

#[tokio::test]
async fn other_accounts_use_a_key_by_its_arn_if_both_sides_allow() {
    let lab = lab().await;
    let [admin, sue, tim] = ["admin", "sue", "tim"].map(|name| lab.kms_as(keys(name), PARIS));
    let shared = allow(json!({ "AWS": "arn:aws:iam::444455556666:root" }), "kms:*");
    let id = admin.id(json!({ "Policy": policy(&[shared]) })).await;
    let private = admin.id(json!({})).await;
    let arn = |id: &str| format!("arn:aws:kms:eu-west-3:{HOME}:key/{id}");
    admin.call("CreateAlias", json!({ "AliasName": "alias/shared", "TargetKeyId": id })).await;
    let alias = format!("arn:aws:kms:eu-west-3:{HOME}:alias/shared");
    let sealed = sue.call("Encrypt", encrypt(&alias)).await;
    assert_eq!(sealed["KeyId"], json!(arn(&id)));
    let opened = sue.call("Decrypt", json!({ "KeyId": arn(&id), "CiphertextBlob": sealed["CiphertextBlob"] })).await;
    assert_eq!(opened["Plaintext"], "aGk=");
    let opened = sue.call("Decrypt", json!({ "CiphertextBlob": sealed["CiphertextBlob"] })).await;
    assert_eq!(opened["KeyId"], json!(arn(&id)));
    let seen = sue.call("DescribeKey", json!({ "KeyId": arn(&id) })).await;
    assert_eq!(seen["KeyMetadata"]["AWSAccountId"], HOME);
    // The id alone means a key of one's own account.
    assert_eq!(sue.code("DescribeKey", json!({ "KeyId": id })).await, "NotFoundException");
    let (_, message) = tim.refusal("Encrypt", encrypt(&arn(&id))).await;
    assert!(message.ends_with("because no identity-based policy allows the kms:Encrypt action"), "{message}");
    let hidden = "because the resource does not exist in this Region, no resource-based policies allow access, or a \
                  resource-based policy explicitly denies access";
    for name in [arn(&private), arn("1234abcd-12ab-34cd-56ef-1234567890ab"), format!("{alias}s")] {
        let (code, message) = sue.refusal("Encrypt", encrypt(&name)).await;
        assert_eq!(code, "AccessDeniedException");
        assert!(message.ends_with(hidden), "{message}");
    }
    // AWS allows no policy to share the management of a key.
    for operation in ["ScheduleKeyDeletion", "GetKeyPolicy", "ListKeyRotations", "DisableKey"] {
        assert_eq!(sue.code(operation, json!({ "KeyId": arn(&id) })).await, "AccessDeniedException", "{operation}");
    }
}

#[tokio::test]
async fn conditions_on_the_caller_and_the_encryption_context_are_evaluated() {
    let lab = lab().await;
    let [admin, ann] = ["admin", "ann"].map(|name| lab.kms_as(keys(name), PARIS));
    let in_context = |team: &str| json!({ "Plaintext": "aGk=", "EncryptionContext": { "Team": team, "x": "y" } });
    for (condition, call, allowed) in [
        (json!({ "StringEquals": { "kms:CallerAccount": HOME } }), in_context("red"), true),
        (json!({ "StringEquals": { "kms:ViaService": "s3.eu-west-3.amazonaws.com" } }), in_context("red"), false),
        (json!({ "Bool": { "kms:GrantIsForAWSResource": true } }), in_context("red"), false),
        (json!({ "StringEquals": { "kms:EncryptionContext:Team": "red" } }), in_context("red"), true),
        (json!({ "StringEquals": { "kms:EncryptionContext:Team": "red" } }), in_context("blue"), false),
        (
            json!({ "StringEquals": { "kms:EncryptionContext:Team": "${aws:PrincipalTag/team}" } }),
            in_context("red"),
            true,
        ),
        (json!({ "StringEquals": { "aws:PrincipalTag/team": "blue" } }), in_context("red"), false),
        (
            json!({ "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["Team", "x"] } }),
            in_context("red"),
            true,
        ),
        (json!({ "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": "Team" } }), in_context("red"), false),
        (
            json!({ "ForAnyValue:StringEquals": { "kms:EncryptionContextKeys": "Team" } }),
            json!({ "Plaintext": "aGk=" }),
            false,
        ),
        (json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:user/a*" } }), in_context("red"), true),
        (json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/*" } }), in_context("red"), false),
        (json!({ "StringLike": { "kms:RequestAlias": "alias/*" } }), in_context("red"), false),
        (
            json!({ "StringEquals": { "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT", "aws:RequestedRegion": PARIS } }),
            in_context("red"),
            true,
        ),
        (json!({ "StringEquals": { "aws:ResourceTag/class": "open" } }), in_context("red"), true),
        (json!({ "Null": { "kms:ViaService": "true" } }), in_context("red"), true),
    ] {
        let mut statement = allow(json!("*"), "kms:Encrypt");
        statement["Condition"] = condition.clone();
        let tags = json!([{ "TagKey": "class", "TagValue": "open" }]);
        let id = admin.id(json!({ "Policy": policy(&[statement]), "Tags": tags })).await;
        let mut call = call;
        call["KeyId"] = json!(id);
        let (status, answer) = ann.post("Encrypt", call).await;
        assert_eq!(status == 200, allowed, "{condition}: {answer}");
    }
}

#[tokio::test]
async fn sessions_are_named_by_their_role_or_by_themselves() {
    let lab = lab().await;
    let admin = lab.kms_as(keys("admin"), PARIS);
    let role = format!("arn:aws:iam::{HOME}:role/team/app");
    let session = lab.kms_as(lab.assume(&keys("bob"), &role, None).await.expect("a session"), PARIS);
    for (principal, allowed) in [
        (role.clone(), true),
        (format!("arn:aws:sts::{HOME}:assumed-role/app/session"), true),
        (format!("arn:aws:sts::{HOME}:assumed-role/app/another"), false),
        (user("bob"), false),
    ] {
        let id = admin.id(json!({ "Policy": policy(&[allow(json!({ "AWS": principal }), "kms:Encrypt")]) })).await;
        let (status, answer) = session.post("Encrypt", encrypt(&id)).await;
        assert_eq!(status == 200, allowed, "{principal}: {answer}");
    }
}

#[tokio::test]
async fn re_encryption_asks_both_keys() {
    let lab = lab().await;
    let [admin, ann] = ["admin", "ann"].map(|name| lab.kms_as(keys(name), PARIS));
    let with = |action: &str| json!({ "Policy": policy(&[allow(json!({ "AWS": user("ann") }), action)]) });
    let (from, to) = (admin.id(with("kms:ReEncryptFrom")).await, admin.id(with("kms:ReEncryptTo")).await);
    let sealed = admin.call("Encrypt", encrypt(&from)).await["CiphertextBlob"].clone();
    ann.call("ReEncrypt", json!({ "CiphertextBlob": sealed, "DestinationKeyId": to })).await;
    let (_, message) = ann.refusal("ReEncrypt", json!({ "CiphertextBlob": sealed, "DestinationKeyId": from })).await;
    assert!(message.contains("perform: kms:ReEncryptTo on"), "{message}");
    assert_eq!(ann.code("Decrypt", json!({ "KeyId": from, "CiphertextBlob": sealed })).await, "AccessDeniedException");
}

#[tokio::test]
async fn aliases_ask_the_keys_that_they_leave_and_reach() {
    let lab = lab().await;
    let admin = lab.kms_as(keys("admin"), PARIS);
    let mut locked = allow(json!("*"), "kms:*Alias");
    locked["Effect"] = json!("Deny");
    let open = admin.id(json!({})).await;
    let id = admin.id(json!({})).await;
    let to = |id: &str| json!({ "AliasName": "alias/a", "TargetKeyId": id });
    admin.call("CreateAlias", to(&id)).await;
    admin.call("PutKeyPolicy", json!({ "KeyId": id, "Policy": policy(&[locked]) })).await;
    assert_eq!(admin.code("UpdateAlias", to(&open)).await, "AccessDeniedException");
    assert_eq!(admin.code("DeleteAlias", json!({ "AliasName": "alias/a" })).await, "AccessDeniedException");
    let another = json!({ "AliasName": "alias/b", "TargetKeyId": id });
    assert_eq!(admin.code("CreateAlias", another).await, "AccessDeniedException");
    let listed = admin.call("ListAliases", json!({ "KeyId": id })).await;
    assert_eq!(listed["Aliases"][0]["AliasName"], "alias/a");
}

#[tokio::test]
async fn a_policy_that_locks_its_author_out_is_refused() {
    let lab = lab().await;
    let admin = lab.kms_as(keys("admin"), PARIS);
    let id = admin.id(json!({})).await;
    let alone = |statements: &[Value]| json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let mut with_condition = allow(json!({ "AWS": HOME }), "kms:*");
    with_condition["Condition"] = json!({ "StringEquals": { "aws:PrincipalTag/team": "red" } });
    let mut denial = allow(json!("*"), "kms:PutKeyPolicy");
    denial["Effect"] = json!("Deny");
    let lockouts = [
        alone(&[allow(json!({ "AWS": user("ann") }), "kms:*")]),
        alone(&[allow(json!("*"), "kms:Decrypt")]),
        alone(&[with_condition]),
        policy(&[denial]),
    ];
    for lockout in &lockouts {
        let (code, message) = admin.refusal("PutKeyPolicy", json!({ "KeyId": id, "Policy": lockout })).await;
        assert_eq!(code, "MalformedPolicyDocumentException");
        assert_eq!(message, "The new key policy will not allow you to update the key policy in the future.");
        assert_eq!(admin.code("CreateKey", json!({ "Policy": lockout })).await, code);
        admin.id(json!({ "Policy": lockout, "BypassPolicyLockoutSafetyCheck": true })).await;
    }
    for principal in [json!("*"), json!({ "AWS": HOME }), json!({ "AWS": user("admin") })] {
        admin.id(json!({ "Policy": alone(&[allow(principal, "kms:Put*")]) })).await;
    }
}

#[tokio::test]
async fn policies_are_checked_and_returned_in_the_form_of_aws() {
    let lab = lab().await;
    let admin = lab.kms_as(keys("admin"), PARIS);
    let mut statement = allow(json!({ "AWS": [user("ann"), HOME] }), "kms:Decrypt");
    statement["Condition"] = json!({ "Bool": { "aws:ViaAWSService": false } });
    let id = admin.id(json!({ "Policy": policy(&[statement]) })).await;
    let kept = admin.call("GetKeyPolicy", json!({ "KeyId": id, "PolicyName": "default" })).await;
    let kept = kept["Policy"].as_str().expect("a policy");
    assert!(kept.starts_with("{\n  \""), "{kept}");
    assert!(kept.contains("\"aws:ViaAWSService\" : \"false\""), "{kept}");
    let root = format!("arn:aws:iam::{HOME}:root");
    let read: Value = serde_json::from_str(kept).expect("JSON");
    assert_eq!(read["Statement"][0]["Principal"]["AWS"], json!(root));
    assert_eq!(read["Statement"][1]["Principal"]["AWS"], json!([user("ann"), root]));
    let put = |text: String| admin.refusal("PutKeyPolicy", json!({ "KeyId": id, "Policy": text }));
    for principal in [
        json!({ "AWS": [] }),
        json!({ "AWS": "arn:aws:iam::111122223333:user/nobody" }),
        json!({ "AWS": "arn:aws-cn:iam::111122223333:root" }),
        json!({ "AWS": "AIDAQQQQQQQQQQQQQQQQQ" }),
        json!({ "Service": "nobody.amazonaws.com" }),
    ] {
        let (code, message) = put(policy(&[allow(principal.clone(), "kms:Decrypt")])).await;
        assert_eq!(code, "MalformedPolicyDocumentException", "{principal}");
        assert_eq!(message, "Policy contains a statement with one or more invalid principals.");
    }
    for principal in [
        json!({ "Service": ["logs.eu-west-3.amazonaws.com", "s3.amazonaws.com"] }),
        json!({ "AWS": "arn:aws:sts::111122223333:federated-user/anybody" }),
        json!({ "AWS": "arn:aws:iam::999999999999:role/of-another-account" }),
    ] {
        admin.id(json!({ "Policy": policy(&[allow(principal, "kms:Decrypt")]) })).await;
    }
    for (member, value) in [
        ("Resource", json!({})),
        ("Resource", json!(true)),
        ("Sid", json!(7)),
        ("Condition", json!({ "StringIs": { "kms:ViaService": "x" } })),
        ("Condition", json!({ "StringEquals": { "kms:ViaService": null } })),
    ] {
        let mut statement = allow(json!("*"), "kms:Decrypt");
        statement[member] = value;
        assert_eq!(put(policy(&[statement.clone()])).await.0, "MalformedPolicyDocumentException", "{statement}");
    }
    let (code, message) = put(policy(&[]).replacen("{", "{\"Id\":\"ключ\",", 1)).await;
    assert_eq!(code, "ValidationException");
    assert!(message.contains("at 'policy' failed to satisfy constraint: Member must satisfy regular"), "{message}");
}
