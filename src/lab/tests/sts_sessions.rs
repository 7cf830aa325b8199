//! Tests of session policies, session tags and federated users.

use super::*;

const STS: &str = "Version=2011-06-15&Action=";
const OWN_ROLE: &str = "arn:aws:iam::123456789012:role/test-own-role";

async fn assume(lab: &Lab, keys: &Keys, role: &str, rest: &str) -> (u16, String) {
    lab.post(keys, "sts", &format!("{STS}AssumeRole&RoleArn={role}&RoleSessionName=one{rest}")).await
}

fn encoded_policy(statement: Value) -> String {
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    percent_encoding::utf8_percent_encode(&document, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[tokio::test]
async fn a_session_policy_restricts_the_session() {
    let lab = Lab::start().await;
    let keys = Keys::of("user1");
    let policy = encoded_policy(json!({ "Effect": "Allow", "Action": "kms:List*", "Resource": "*" }));
    let (status, body) = assume(&lab, &keys, OWN_ROLE, &format!("&Policy={policy}")).await;
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("<PackedPolicySize>5</PackedPolicySize>"), "{body}");
    let session = Keys::of_answer(&body);
    let kms = lab.kms_as(session.clone(), "eu-west-3");
    kms.call("ListKeys", json!({})).await;
    assert_eq!(kms.code("CreateKey", json!({})).await, "AccessDeniedException");
    assert_refused(refused(lab.post(&session, "iam", &format!("{IAM}ListUsers")).await), 403, &["AccessDenied"]);
    for (policy, code) in [("%7B%7D", "MalformedPolicyDocument"), ("x", "MalformedPolicyDocument")] {
        let answer = assume(&lab, &keys, OWN_ROLE, &format!("&Policy={policy}")).await;
        assert_refused(refused(answer), 400, &[&format!("<Code>{code}<")]);
    }
    let long = assume(&lab, &keys, OWN_ROLE, &format!("&Policy={}", "x".repeat(2049))).await;
    assert_refused(refused(long), 400, &["length less than or equal to 2048"]);
}

#[tokio::test]
async fn conditions_and_resources_of_a_session_policy_hold_for_other_services_too() {
    let lab = Lab::start().await;
    let statements = json!([
        { "Effect": "Allow", "Action": "iam:*", "Resource": "arn:aws:iam::123456789012:*",
          "Condition": { "StringEquals": { "aws:PrincipalAccount": "123456789012" } } },
        { "Effect": "Allow", "Action": "iam:*", "Resource": "*",
          "Condition": { "StringEquals": { "aws:PrincipalAccount": "1" } } },
        { "Effect": "Deny", "Action": "iam:ListRoles", "Resource": "*",
          "Condition": { "DateGreaterThan": { "aws:CurrentTime": "2020-01-01T00:00:00Z" } } },
        { "Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*" }
    ]);
    let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let policy = percent_encoding::utf8_percent_encode(&document, percent_encoding::NON_ALPHANUMERIC);
    let (status, body) = assume(&lab, &Keys::of("user1"), OWN_ROLE, &format!("&Policy={policy}")).await;
    assert_eq!(status, 200, "{body}");
    let session = Keys::of_answer(&body);
    let (status, body) = lab.post(&session, "iam", &format!("{IAM}ListUsers")).await;
    assert_eq!(status, 200, "{body}");
    assert_refused(refused(lab.post(&session, "iam", &format!("{IAM}ListRoles")).await), 403, &["explicit deny"]);
    assert_refused(
        refused(lab.post(&session, "ec2", "Version=2016-11-15&Action=DescribeRegions").await),
        403,
        &["UnauthorizedOperation"],
    );
}

#[tokio::test]
async fn managed_policies_restrict_the_session() {
    let lab = Lab::start_with_first_account(
        "[[accounts.policies]]\nname = \"lists\"\nallow = [\"kms:List*\"]\n\
         [[accounts.policies]]\nname = \"keys\"\npath = \"/team/\"\nallow = [\"kms:CreateKey\"]\n",
    )
    .await;
    let arn = |name: &str| format!("arn:aws:iam::123456789012:policy/{name}");
    let both = format!("&PolicyArns.member.1.arn={}&PolicyArns.member.2.arn={}", arn("lists"), arn("team/keys"));
    let (status, body) = assume(&lab, &Keys::of("user1"), OWN_ROLE, &both).await;
    assert_eq!(status, 200, "{body}");
    let kms = lab.kms_as(Keys::of_answer(&body), "eu-west-3");
    kms.call("ListKeys", json!({})).await;
    let id = kms.id(json!({})).await;
    assert_eq!(kms.code("DescribeKey", json!({ "KeyId": id })).await, "AccessDeniedException");
    let unknown =
        assume(&lab, &Keys::of("user1"), OWN_ROLE, "&PolicyArns.member.1.arn=arn:aws:iam::aws:policy/X").await;
    assert_refused(refused(unknown), 400, &["arn:aws:iam::aws:policy/X does not exist"]);
}

#[tokio::test]
async fn session_tags_follow_aws_s_rules() {
    let lab = Lab::start().await;
    let keys = Keys::of("user1");
    let tag = |n: u32, key: &str, value: &str| format!("&Tags.member.{n}.Key={key}&Tags.member.{n}.Value={value}");
    let answer =
        assume(&lab, &keys, OWN_ROLE, &format!("{}&TransitiveTagKeys.member.1=team", tag(1, "Team", "a"))).await;
    assert_eq!(answer.0, 200, "{}", answer.1);
    let session = Keys::of_answer(&answer.1);
    let conflict = "One of the specified transitive tag keys can&apos;t be set because it conflicts with a transitive tag \
                    key from the calling session.";
    for (keys, rest, part) in [
        (&session, tag(1, "Team", "b"), conflict),
        (&session, tag(1, "team", "b"), conflict),
        (
            &keys,
            format!("{}&TransitiveTagKeys.member.1=Other", tag(1, "Team", "a")),
            "The specified transitive tag key must be included in the requested tags.",
        ),
        (
            &keys,
            format!("{}{}", tag(1, "Team", "a"), tag(2, "team", "b")),
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ),
    ] {
        let answer = assume(&lab, keys, OPEN_ROLE, &rest).await;
        assert_refused(refused(answer), 400, &["<Code>InvalidParameterValue<", part]);
    }
    let other = assume(&lab, &session, OPEN_ROLE, &tag(1, "Cost", "b")).await;
    assert_eq!(other.0, 200, "{}", other.1);
    let many: String = (1..=51).map(|n| tag(n, &format!("k{n}"), "v")).collect();
    assert_refused(refused(assume(&lab, &keys, OWN_ROLE, &many).await), 400, &["length less than or equal to 50"]);
    let large: String = (1..=9).map(|n| tag(n, &format!("k{n}"), &"v".repeat(255))).collect();
    let packed = "Packed size of session tags consumes 113% of allotted space.";
    assert_refused(refused(assume(&lab, &keys, OWN_ROLE, &large).await), 400, &["<Code>PackedPolicyTooLarge<", packed]);
}

#[tokio::test]
async fn a_federated_user_has_what_user_and_policy_allow() {
    let lab = Lab::start().await;
    let keys = Keys::of("user1");
    let federate = |rest: &str| format!("{STS}GetFederationToken&Name=ann&DurationSeconds=900{rest}");
    let (status, body) = lab.post(&keys, "sts", &federate("")).await;
    assert_eq!(status, 200, "{body}");
    for part in [
        "<FederatedUserId>123456789012:ann</FederatedUserId>",
        "<Arn>arn:aws:sts::123456789012:federated-user/ann</Arn>",
        "<PackedPolicySize>0</PackedPolicySize>",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    let bare = Keys::of_answer(&body);
    let arn = "arn:aws:sts::123456789012:federated-user/ann".to_owned();
    assert_eq!(lab.whoami(&bare, "us-east-1").await, Ok(arn));
    assert_eq!(lab.kms_as(bare.clone(), "us-east-1").code("ListKeys", json!({})).await, "AccessDeniedException");
    let policy = encoded_policy(json!({ "Effect": "Allow", "Action": "*", "Resource": "*" }));
    let (_, body) = lab.post(&keys, "sts", &federate(&format!("&Policy={policy}"))).await;
    let all = Keys::of_answer(&body);
    lab.kms_as(all.clone(), "us-east-1").call("ListKeys", json!({})).await;
    assert_refused(refused(assume(&lab, &all, OPEN_ROLE, "").await), 403, &["AccessDenied"]);
    assert_refused(refused(lab.post(&all, "iam", &format!("{IAM}ListUsers")).await), 403, &["InvalidClientTokenId"]);
    let again = lab.post(&all, "sts", &federate("")).await;
    assert_refused(refused(again), 403, &["Cannot call GetFederationToken with session credentials"]);
    let denied = lab.post(&Keys::of("powerless"), "sts", &federate("")).await;
    assert_refused(
        refused(denied),
        403,
        &["sts:GetFederationToken on resource: arn:aws:sts::123456789012:federated-us"],
    );
    let long = lab.post(&keys, "sts", &federate("").replace("ann", &"a".repeat(33))).await;
    assert_refused(refused(long), 400, &["&apos;name&apos;", "length less than or equal to 32"]);
}

#[tokio::test]
async fn the_account_of_an_access_key_is_told() {
    let lab = Lab::start().await;
    let keys = Keys::of("user1");
    let (_, body) = assume(&lab, &keys, OPEN_ROLE, "").await;
    let session = Keys::of_answer(&body);
    for (id, account) in [
        (keys.id.as_str(), "123456789012"),
        (session.id.as_str(), "789012123456"),
        ("ASIAQNZGKIQY56JQ7WML", "029608264753"),
    ] {
        let (status, body) = lab.post(&keys, "sts", &format!("{STS}GetAccessKeyInfo&AccessKeyId={id}")).await;
        assert!(status == 200 && body.contains(&format!("<Account>{account}</Account>")), "{body}");
    }
    let short = lab.post(&keys, "sts", &format!("{STS}GetAccessKeyInfo&AccessKeyId=AKIA")).await;
    assert_refused(refused(short), 400, &["accessKeyId", "length greater than or equal to 16"]);
}

#[tokio::test]
async fn sts_answers_in_json_where_a_client_accepts_it() {
    let lab = Lab::start().await;
    let keys = Keys::of("user1");
    let post = |form: &str| {
        let accept = [("accept", "application/json")];
        lab.send(lab.signed(&keys, "sts", "us-east-1", form, &accept))
    };
    let (status, body) = post(&format!("{STS}GetSessionToken")).await;
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(status, 200, "{body}");
    let result = &body["GetSessionTokenResponse"]["GetSessionTokenResult"]["Credentials"];
    assert!(result["Expiration"].is_number() && result["AccessKeyId"].is_string(), "{body}");
    let (_, body) = post(&format!("{STS}GetCallerIdentity")).await;
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let result = &body["GetCallerIdentityResponse"]["GetCallerIdentityResult"];
    assert_eq!(result["Arn"], "arn:aws:iam::123456789012:user/user1");
    let (status, body) = post(&format!("{STS}Dance")).await;
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &body["Error"]["Code"]), (400, &json!("InvalidAction")));
    assert_eq!(body["Error"]["Type"], "Sender");
}

#[tokio::test]
async fn an_arn_of_no_role_is_invalid() {
    let lab = Lab::start().await;
    for arn in
        ["nothing-valid-in-here", "arn::b:::something/test-role", "arn:a:::something/test-role", "arn:a:a::aaaaaaaaaa:"]
    {
        let answer = refused(assume(&lab, &Keys::of("user1"), arn, "").await);
        assert_refused(answer, 400, &["<Code>ValidationError<", &format!("<Message>{arn} is invalid<")]);
    }
}
