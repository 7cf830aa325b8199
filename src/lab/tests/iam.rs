//! Tests of IAM's lists and of the policy simulator.

use super::*;

#[tokio::test]
async fn principals_are_listed_page_by_page() {
    let lab = Lab::start().await;
    let keys = Keys::of("user1");
    let (status, first) = lab.post(&keys, "iam", &format!("{IAM}ListUsers&MaxItems=2")).await;
    assert_eq!(status, 200, "{first}");
    assert!(first.contains("<IsTruncated>true</IsTruncated>") && first.contains("<UserName>powerless<"), "{first}");
    let marker = first.split("<Marker>").nth(1).and_then(|rest| rest.split('<').next()).expect("a marker");
    let (_, second) = lab.post(&keys, "iam", &format!("{IAM}ListUsers&MaxItems=2&Marker={marker}")).await;
    assert!(second.contains("<IsTruncated>false</IsTruncated>") && second.contains("<UserName>user1<"), "{second}");
    let (_, roles) = lab.post(&keys, "iam", &format!("{IAM}ListRoles&PathPrefix=/")).await;
    assert!(roles.contains("<Arn>arn:aws:iam::123456789012:role/test-own-role</Arn>"), "{roles}");
    let (_, none) = lab.post(&keys, "iam", &format!("{IAM}ListRoles&PathPrefix=/teams/")).await;
    assert!(none.contains("<Roles></Roles>"), "{none}");
    for (rest, part) in [
        ("&MaxItems=0", "maxItems"),
        ("&MaxItems=1001", "maxItems"),
        ("&Marker=x", "Invalid Marker"),
        ("&PathPrefix=teams", "must begin with the /"),
    ] {
        let answer = refused(lab.post(&keys, "iam", &format!("{IAM}ListUsers{rest}")).await);
        assert_refused(answer, 400, &["<Code>ValidationError</Code>", part]);
    }
    let denied = refused(lab.post(&Keys::of("powerless"), "iam", &format!("{IAM}ListUsers")).await);
    assert_refused(
        denied,
        403,
        &["AccessDenied", "iam:ListUsers on resource: arn:aws:iam::123456789012:user/ because"],
    );
}

#[tokio::test]
async fn permissions_are_simulated() {
    let lab = Lab::start().await;
    let parameters = |keys: Keys, arn: &'static str, rest: &'static str| {
        let form = format!("{IAM}SimulatePrincipalPolicy&PolicySourceArn={arn}{rest}");
        let lab = &lab;
        async move { lab.post(&keys, "iam", &form).await }
    };
    let actions = "&ActionNames.member.1=ec2:DescribeRegions&ActionNames.member.2=kms:CreateKey";
    let (status, body) = parameters(Keys::of("user1"), "arn:aws:iam::123456789012:user/no-regions", actions).await;
    assert_eq!(status, 200, "{body}");
    let decisions: Vec<&str> = body.split("<EvalDecision>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    assert_eq!(decisions, ["implicitDeny", "allowed"]);
    let session = lab.assume(&Keys::of("user1"), ROLE, Some("test-ext-id")).await.expect("a session");
    let arn = "arn:aws:iam::789012123456:role/test-assume-role-no-regions";
    let (_, body) = parameters(session, arn, &actions[..44]).await;
    assert!(body.contains("<EvalDecision>explicitDeny</EvalDecision>"), "{body}");
    for (arn, rest, status, part) in [
        ("arn:aws:iam::123456789012:user/nobody", actions, 404, "The user with name nobody cannot be found."),
        ("arn:aws:sts::123456789012:assumed-role/a/b", actions, 400, "does not clearly define entity type and name"),
        ("arn:aws:iam::123456789012:user/user1", "", 400, "Value null at &apos;actionNames&apos;"),
        ("arn:aws:iam::123456789012:user/user1", "&ActionNames.member.1=x", 400, "<Code>InvalidInput</Code>"),
    ] {
        assert_refused(refused(parameters(Keys::of("user1"), arn, rest).await), status, &[part]);
    }
}

#[tokio::test]
async fn a_user_and_a_role_are_described_by_name() {
    let lab = Lab::start().await;
    let keys = Keys::of("user1");
    let own_role = "RoleName=test-own-role";
    for (form, parts) in [
        ("GetUser".to_owned(), ["<GetUserResult><User><Path>/</Path>", "<UserName>user1</UserName>"]),
        ("GetUser&UserName=powerless".to_owned(), ["<UserName>powerless<", ":user/powerless</Arn>"]),
        (format!("GetRole&{own_role}"), ["<RoleName>test-own-role<", "<MaxSessionDuration>3600<"]),
        (format!("GetRole&{own_role}"), ["<AssumeRolePolicyDocument>%7B%22", "123456789012%3Aroot"]),
        (
            format!("ListRolePolicies&{own_role}"),
            ["<PolicyNames><member>plan</member></PolicyNames>", "<IsTruncated>false"],
        ),
        (format!("GetRolePolicy&{own_role}&PolicyName=plan"), ["<PolicyDocument>%7B", "<PolicyName>plan<"]),
        ("ListUserPolicies&UserName=powerless".to_owned(), ["<PolicyNames></PolicyNames>", "<IsTruncated>false"]),
        ("GetUserPolicy&UserName=no-regions&PolicyName=plan".to_owned(), ["kms%3A%2A", "<UserName>no-regions<"]),
    ] {
        let (status, body) = lab.post(&keys, "iam", &format!("{IAM}{form}")).await;
        assert_eq!(status, 200, "{body}");
        for part in parts {
            assert!(body.contains(part), "{part} in {body}");
        }
    }
    for (form, status, part) in [
        ("GetUser&UserName=nobody", 404, "The user with name nobody cannot be found."),
        ("GetRole&RoleName=nobody", 404, "The role with name nobody cannot be found."),
        ("GetRole", 400, "Value null at &apos;roleName&apos;"),
        ("ListRolePolicies&RoleName=nobody", 404, "<Code>NoSuchEntity<"),
        ("GetRolePolicy&RoleName=test-own-role&PolicyName=x", 404, "The role policy with name x cannot be found."),
    ] {
        assert_refused(refused(lab.post(&keys, "iam", &format!("{IAM}{form}")).await), status, &[part]);
    }
    let session = lab.assume(&keys, "arn:aws:iam::123456789012:role/test-own-role", None).await.expect("a session");
    let unnamed = refused(lab.post(&session, "iam", &format!("{IAM}GetUser")).await);
    assert_refused(unnamed, 400, &["Must specify userName when calling with non-User credentials"]);
    let denied = refused(lab.post(&Keys::of("powerless"), "iam", &format!("{IAM}GetRole&{own_role}")).await);
    assert_refused(denied, 403, &["iam:GetRole on resource: arn:aws:iam::123456789012:role/test-own-role because"]);
}
