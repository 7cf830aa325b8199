//! What is known of decisions without a request.

use super::*;
use crate::policy::Policy;
use crate::policy::grant::Constraints;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ROOT: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#;
const ANN: &str = "arn:aws:iam::111122223333:user/ann";
const APP: &str = "arn:aws:iam::111122223333:role/app";

fn verdict_with(statements: &[&str], grants: &[Grant], who: &str, action: &str) -> Verdict {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    let reading = Policy::returned(&text).expect("a policy");
    let target = Target { arn: KEY, account: "111122223333", reading: &reading, grants };
    decide(&target, &Subject::parse(who).expect("a subject"), action)
}

fn statement(effect: &str, who: &str, more: &str) -> String {
    format!(r#"{{"Effect":"{effect}",{who},"Action":"kms:Decrypt","Resource":"*"{more}}}"#)
}

#[test]
fn the_policy_the_account_and_conditions_decide() {
    let verdict = |statements: &[&str], who: &str| verdict_with(statements, &[], who, "kms:Decrypt");
    let allow_ann = statement("Allow", &format!(r#""Principal":{{"AWS":"{ANN}"}}"#), "");
    let allow_app = statement("Allow", &format!(r#""Principal":{{"AWS":"{APP}"}}"#), "");
    let via = r#","Condition":{"StringEquals":{"kms:ViaService":"s3.amazonaws.com"}}"#;
    let allow_via = statement("Allow", &format!(r#""Principal":{{"AWS":"{ANN}"}}"#), via);
    let deny_ann = statement("Deny", &format!(r#""Principal":{{"AWS":"{ANN}"}}"#), "");
    let deny_via = statement("Deny", r#""Principal":"*""#, via);
    let deny_others = statement("Deny", &format!(r#""NotPrincipal":{{"AWS":["{ANN}","111122223333"]}}"#), "");
    let account = |id: &str| format!(r#","Condition":{{"StringEquals":{{"kms:CallerAccount":"{id}"}}}}"#);
    let anyone = |more: &str| statement("Allow", r#""Principal":{"AWS":"*"}"#, more);
    let stranger = "arn:aws:iam::444455556666:role/app";
    let elsewhere = allow_ann.replace(r#""Resource":"*""#, r#""Resource":"arn:aws:kms:*:*:key/other""#);
    let not_action = allow_ann.replace("Action", "NotAction");
    let odd = statement("Allow", r#""Principal":"*""#, r#","Condition":{"Wonders":{"a:b":"c"}}"#);
    let service = statement("Allow", r#""Principal":{"Service":"logs.eu-west-1.amazonaws.com"}"#, "");
    for (statements, who, expected) in [
        (vec![ROOT], ANN, Verdict::IamDecides),
        (vec![ROOT], "arn:aws:iam::111122223333:root", Verdict::Allowed),
        (vec![ROOT], stranger, Verdict::NotAllowed),
        (vec![ROOT, &allow_ann], ANN, Verdict::Allowed),
        (vec![&allow_app], "arn:aws:sts::111122223333:assumed-role/app/one", Verdict::Allowed),
        (vec![&allow_app], ANN, Verdict::NotAllowed),
        (vec![&allow_via], ANN, Verdict::Depends),
        (vec![&allow_ann, &deny_ann], ANN, Verdict::Denied),
        (vec![&allow_ann, &deny_via], ANN, Verdict::Depends),
        (vec![&allow_ann, &deny_others], ANN, Verdict::Allowed),
        (vec![&allow_app, &deny_others], APP, Verdict::Denied),
        (vec![&anyone("")], stranger, Verdict::IamDecides),
        (vec![&anyone("")], ANN, Verdict::Allowed),
        (vec![&anyone(&account("444455556666"))], ANN, Verdict::NotAllowed),
        (vec![&anyone(&account("111122223333"))], ANN, Verdict::Allowed),
        (vec![&elsewhere], ANN, Verdict::NotAllowed),
        (vec![&not_action], ANN, Verdict::NotAllowed),
        (vec![&allow_ann, &odd], ANN, Verdict::NotKnown),
        (vec![&allow_ann, &odd, &deny_ann], ANN, Verdict::Denied),
        (vec![&service], "logs.eu-west-1.amazonaws.com", Verdict::Allowed),
        (vec![&service], "s3.amazonaws.com", Verdict::NotAllowed),
    ] {
        assert_eq!(verdict(&statements, who), expected, "{who}: {statements:?}");
    }
}

#[test]
fn a_grant_allows_its_operations_within_its_constraints() {
    let grant = |grantee: &str, constraints| Grant {
        id: "g".to_owned(),
        grantee: grantee.to_owned(),
        retiring: None,
        operations: vec!["Decrypt".to_owned()],
        constraints,
        issuing_account: "111122223333".to_owned(),
    };
    let subset = Constraints { subset: Some([("team".to_owned(), "blue".to_owned())].into()), equals: None };
    let verdict = |grant: &Grant, who, action| verdict_with(&[ROOT], std::slice::from_ref(grant), who, action);
    let plain = grant(APP, Constraints::default());
    assert_eq!(verdict(&plain, APP, "kms:Decrypt"), Verdict::Allowed);
    assert_eq!(verdict(&plain, APP, "kms:Encrypt"), Verdict::IamDecides);
    let narrow = grant(APP, subset);
    assert_eq!(verdict(&narrow, APP, "kms:Decrypt"), Verdict::Depends);
    assert_eq!(constraint_in_words(&narrow).as_deref(), Some("in the encryption context `team` is blue"));
    // Constraints are on the encryption context, which other operations do not have.
    let wide = Grant { operations: ["DescribeKey", "RetireGrant", "CreateGrant"].map(str::to_owned).into(), ..narrow };
    assert_eq!(verdict(&wide, APP, "kms:DescribeKey"), Verdict::Allowed);
    assert_eq!(verdict(&wide, APP, "kms:RetireGrant"), Verdict::Allowed);
    assert_eq!(verdict(&wide, APP, "kms:CreateGrant"), Verdict::Depends, "what it may pass on is constrained");
    let abroad = grant("arn:aws:iam::444455556666:role/app", Constraints::default());
    assert_eq!(verdict(&abroad, "arn:aws:iam::444455556666:role/app", "kms:Decrypt"), Verdict::IamDecides);
}

#[test]
fn an_account_is_allowed_what_some_of_it_are_and_no_account_changes_the_key_of_another() {
    let allow = |who: &str, action: &str| {
        format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{who}"}},"Action":"{action}","Resource":"*"}}"#)
    };
    let abroad = "arn:aws:iam::444455556666:role/app";
    let verdict = |statement: &str, who: &str, action: &str| verdict_with(&[statement], &[], who, action);
    assert_eq!(verdict(&allow(abroad, "kms:Decrypt"), "444455556666", "kms:Decrypt"), Verdict::IamDecides);
    assert_eq!(verdict(&allow(ANN, "kms:Decrypt"), "111122223333", "kms:Decrypt"), Verdict::Depends);
    assert_eq!(verdict(&allow(ANN, "kms:Decrypt"), "444455556666", "kms:Decrypt"), Verdict::NotAllowed);
    for (action, expected) in [
        ("kms:Decrypt", Verdict::IamDecides),
        ("kms:ReEncryptFrom", Verdict::IamDecides),
        ("kms:ScheduleKeyDeletion", Verdict::NotAllowed),
        ("kms:PutKeyPolicy", Verdict::NotAllowed),
    ] {
        assert_eq!(verdict(&allow("arn:aws:iam::444455556666:root", "kms:*"), abroad, action), expected, "{action}");
    }
    // Whoever is spared by a denial without the account may be denied by it all the same.
    let deny = statement("Deny", &format!(r#""NotPrincipal":{{"AWS":"{ANN}"}}"#), "");
    let allow = statement("Allow", &format!(r#""Principal":{{"AWS":"{ANN}"}}"#), "");
    assert_eq!(verdict_with(&[&allow, &deny], &[], ANN, "kms:Decrypt"), Verdict::Depends);
    // A session does not say the path of its role.
    let path = r#","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/aws-reserved/*"}}"#;
    let deny = statement("Deny", r#""Principal":"*""#, path);
    let session = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin/ann";
    assert_eq!(verdict_with(&[ROOT, &deny], &[], session, "kms:Decrypt"), Verdict::IamDecides);
}

#[test]
fn nobody_is_allowed_anything_as_a_user_who_was_deleted() {
    let id = "AIDACKCEVSQ6C2EXAMPLE";
    let named = statement("Allow", &format!(r#""Principal":{{"AWS":["{id}","{ANN}"]}}"#), "");
    let anyone = statement("Allow", r#""Principal":"*""#, "");
    assert_eq!(verdict_with(&[ROOT, &named], &[], id, "kms:Decrypt"), Verdict::NotAllowed);
    assert_eq!(verdict_with(&[ROOT, &anyone], &[], id, "kms:Decrypt"), Verdict::NotKnown, "it may be anybody's");
}

#[test]
fn grants_name_a_session_by_itself_its_role_or_its_account() {
    let grantees = |text: &str| Subject::parse(text).expect("a subject").grantees();
    let root = "arn:aws:iam::111122223333:root";
    let session = "arn:aws:sts::111122223333:assumed-role/app/one";
    assert_eq!(grantees(session), Some([session, APP, root].map(str::to_owned).into()));
    assert_eq!(grantees(ANN), Some([ANN, root].map(str::to_owned).into()));
    assert_eq!((grantees(root), grantees("logs.eu-west-1.amazonaws.com")), (None, None));
}

#[test]
fn subjects_are_single_principals() {
    for text in ["arn:aws:iam:123456789012:user/john.doe", "arn:aws:iam::12345678901:role/my.role", "john.doe"] {
        assert_eq!(Subject::parse(text), None, "{text}");
    }
    for text in ["accounts.google.com", "arn:aws:iam::111122223333:oidc-provider/id.example.com"] {
        assert!(Subject::parse(text).is_some(), "{text}");
    }
    for text in ["*", "", "ann", "arn:aws:iam::111122223333:user/*", "arn:aws:s3:::bucket", "12345"] {
        assert_eq!(Subject::parse(text), None, "{text}");
    }
    assert!(Subject::parse("AIDACKCEVSQ6C2EXAMPLE").is_some() && Subject::parse("111122223333").is_some());
}
