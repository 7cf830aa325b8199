//! Tests of the calls to STS, EC2 and IAM.

use super::*;
use crate::aws::page::Paging;
use crate::domain::connection::StsEndpoints;

#[tokio::test]
async fn caller_returns_the_identity_of_sts() {
    let fake = Fake::answering(|_, _| user()).await;
    let caller = client(&fake.settings()).caller(&access()).await.expect("answered");
    assert_eq!(caller.account.to_string(), "123456789012");
    assert_eq!(caller.arn.to_string(), "arn:aws:iam::123456789012:user/user1");
    let asked = &fake.calls()[0];
    let signature = asked.header("authorization").expect("it is signed");
    assert!(
        signature.contains("Credential=AKIA1/") && signature.contains("/us-east-1/sts/aws4_request"),
        "{signature}"
    );
    assert_eq!(asked.parameter("Version").as_deref(), Some("2011-06-15"));
}

#[tokio::test]
async fn regions_keep_the_order_of_aws_and_unknown_ones_are_skipped() {
    let fake =
        Fake::answering(|_, _| regions(&["eu-north-1", "eusc-de-east-1", "cn-north-1", "ap-south-1", "us-east-1"]))
            .await;
    let regions = client(&fake.settings()).enabled_regions(&access()).await.expect("answered");
    assert_eq!(regions.iter().map(Region::as_str).collect::<Vec<_>>(), ["eu-north-1", "ap-south-1", "us-east-1"]);
    assert_eq!(fake.calls()[0].parameter("AllRegions"), None);
}

#[tokio::test]
async fn users_and_roles_are_listed_by_pages() {
    let fake = Fake::answering(|asked, _| match asked.action().as_str() {
        "ListUsers" => Reply::Http(
            200,
            "<ListUsersResponse><ListUsersResult><Users><member><Path>/</Path><UserName>ann</UserName><UserId>AIDA1</UserId>\
             <Arn>arn:aws:iam::123456789012:user/ann</Arn></member></Users><IsTruncated>true</IsTruncated><Marker>m/2=</Marker>\
             </ListUsersResult></ListUsersResponse>"
                .to_owned(),
        ),
        _ => error(403, "AccessDenied", "not you"),
    })
    .await;
    let aws = client(&fake.settings());
    let page = aws.list_users(&access(), &IamListing::default()).await.expect("answered");
    assert_eq!(page.items[0].name, "ann");
    let paging = Paging { marker: page.next, limit: Some(5) };
    let listing = IamListing { path_prefix: Some("/ops/".to_owned()), paging };
    assert!(aws.list_roles(&access(), &listing).await.expect_err("refused").is_denied());
    let asked = &fake.calls()[1];
    for (name, value) in [("Action", "ListRoles"), ("PathPrefix", "/ops/"), ("MaxItems", "5"), ("Marker", "m/2=")] {
        assert_eq!(asked.parameter(name).as_deref(), Some(value), "{name}");
    }
    assert!(asked.header("authorization").is_some_and(|signature| signature.contains("/us-east-1/iam/aws4_request")));
}

#[tokio::test]
async fn missing_permissions_are_found_for_users_roles_and_root() {
    let fake = Fake::answering(|asked, _| match (asked.action().as_str(), asked.key_id()) {
        ("GetCallerIdentity", Some("ROOT")) => identity("arn:aws:iam::123456789012:root"),
        ("GetCallerIdentity", _) => user(),
        ("AssumeRole", _) => assumed_role("one", 3_600),
        _ => {
            let member = |action: &str, decision: &str| format!("<member><EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision></member>");
            let more = asked.parameter("Marker").is_none();
            let (members, marker) = match more {
                true => (member("kms:CreateKey", "explicitDeny"), "<IsTruncated>true</IsTruncated><Marker>a/b=</Marker>"),
                false => (member("kms:ListKeys", "allowed"), "<IsTruncated>false</IsTruncated>"),
            };
            Reply::Http(200, format!("<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult>{marker}<EvaluationResults>{members}</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"))
        }
    })
    .await;
    let aws = client(&fake.settings());
    let actions = ["kms:ListKeys", "kms:CreateKey"];
    let missing = aws.missing_permissions(&access(), &actions).await.expect("answered");
    assert_eq!(missing, ["kms:CreateKey"]);
    let second = &fake.calls()[2];
    assert_eq!(second.parameter("Marker").as_deref(), Some("a/b="));
    assert_eq!(second.parameter("PolicySourceArn").as_deref(), Some("arn:aws:iam::123456789012:user/user1"));
    assert_eq!(second.parameter("ActionNames.member.2").as_deref(), Some("kms:CreateKey"));
    assert!(second.header("authorization").is_some_and(|signature| signature.contains("/us-east-1/iam/aws4_request")));

    let through = Access { roles: vec![role("a/one", None)], sts: StsEndpoints::Regional, ..access() };
    assert_eq!(aws.missing_permissions(&through, &actions).await.expect("answered"), ["kms:CreateKey"]);
    let asked = fake.calls().pop().expect("a simulation");
    assert_eq!(asked.parameter("PolicySourceArn").as_deref(), Some("arn:aws:iam::789012123456:role/a/one"));

    let before = fake.calls().len();
    let mut root = access();
    root.keys.id = "ROOT".to_owned();
    assert_eq!(aws.missing_permissions(&root, &actions).await, Ok(Vec::new()));
    assert_eq!(fake.calls().len(), before + 1);
}
