//! The table of cases: who may use a key.

use std::collections::BTreeMap;

use super::evaluate::{Basis, Decision, Denial, Key, Own, admits, on_key, on_other};
use super::grant::{Constraints, Grant};
use super::request::{Caller, Context, Request};
use super::{Policy, PolicyError};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const HOME: &str = "111122223333";
const ROOT: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#;
const ANN: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"},"Action":["kms:Decrypt","kms:Gen*"],"Resource":"*"}"#;
const APP: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/app"},"Action":"kms:Decrypt","Resource":"*"}"#;
const SESSION: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/app/one"},"Action":"kms:Decrypt","Resource":"*"}"#;
const ANYONE: &str = r#"{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}"#;
const OTHERS: &str = r#"{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"kms:Decrypt","Resource":"*"}"#;
const NO_DECRYPT: &str = r#"{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"KMS:decrypt","Resource":"*"}"#;
const ONLY_ANN: &str = r#"{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:user/ann","111122223333"]},"Action":"kms:Decrypt","Resource":"*"}"#;
const NOT_KEYS: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"},"NotAction":"kms:Encrypt","Resource":"*"}"#;
const ELSEWHERE: &str =
    r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"arn:aws:kms:eu-west-1:111122223333:key/other"}"#;
const ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
const THIS_KEY: &str = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:*:111122223333:key/*"}"#;
const OTHER_KEY: &str = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:*:999999999999:key/*"}"#;
const DENY: &str = r#"{"Effect":"Deny","Action":"kms:D*","Resource":"*"}"#;

fn document(statements: &[&str]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

fn key_policy(statements: &[&str]) -> Policy {
    Policy::of_key(&document(statements)).expect("a key policy")
}

fn identity(statements: &[&str]) -> Policy {
    Policy::of_identity(&document(statements)).expect("a policy")
}

fn user(account: &str, name: &str) -> Caller {
    let arn = format!("arn:aws:iam::{account}:user/{name}");
    Caller { account: account.to_owned(), issuer: arn.clone(), arn }
}

fn session(account: &str, role: &str, name: &str) -> Caller {
    Caller {
        account: account.to_owned(),
        arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{name}"),
        issuer: format!("arn:aws:iam::{account}:role/{role}"),
    }
}

/// Decides whether a caller may decrypt.
fn decrypt(caller: &Caller, key: &[&str], own: &[&str], limits: Option<&[&str]>) -> Result<&'static str, Denial> {
    let (policy, identity_policy) = (key_policy(key), identity(own));
    let session = limits.map(|limits| vec![identity(limits)]);
    let context = Context::default();
    let request = Request { caller, action: "kms:Decrypt", context: &context, encryption_context: None };
    let own = Own { identity: &[identity_policy], session: session.as_deref() };
    match on_key(&Key { arn: KEY, account: HOME, policy: &policy, grants: &[] }, &own, &request) {
        Decision::Allowed(Basis::KeyPolicy) => Ok("key policy"),
        Decision::Allowed(Basis::OwnPolicies) => Ok("own policies"),
        Decision::Allowed(Basis::Grant(_)) => Ok("grant"),
        Decision::Denied(denial) => Err(denial),
    }
}

#[test]
fn key_policies_and_the_policies_of_callers_decide_together() {
    let (ann, bob, app) = (user(HOME, "ann"), user(HOME, "bob"), session(HOME, "app", "one"));
    let (stranger, root) =
        (user("444455556666", "sue"), Caller { arn: format!("arn:aws:iam::{HOME}:root"), ..user(HOME, "") });
    let (by_key, by_own) = (Ok("key policy"), Ok("own policies"));
    type Case<'a> = (&'a str, &'a Caller, &'a [&'a str], &'a [&'a str], Result<&'a str, Denial>);
    #[rustfmt::skip]
    let cases: &[Case<'_>] = &[
        // The account's own callers.
        ("the account alone needs a policy of the caller", &bob, &[ROOT], &[], Err(Denial::NoIdentityPolicy)),
        ("the account and a policy of the caller", &bob, &[ROOT], &[ALL], by_own),
        ("a policy of the caller for this key", &bob, &[ROOT], &[THIS_KEY], by_own),
        ("a policy of the caller for another key", &bob, &[ROOT], &[OTHER_KEY], Err(Denial::NoIdentityPolicy)),
        ("the key policy names the user", &ann, &[ANN], &[], by_key),
        ("the key policy names another user", &bob, &[ANN], &[ALL], Err(Denial::NoKeyPolicy)),
        ("the key policy names the user's role", &app, &[APP], &[], by_key),
        ("the key policy names the session", &app, &[SESSION], &[], by_key),
        ("the key policy names everybody", &bob, &[ANYONE], &[], by_key),
        ("everything but one action", &ann, &[NOT_KEYS], &[], by_key),
        ("a statement for another key", &ann, &[ELSEWHERE], &[ALL], Err(Denial::NoKeyPolicy)),
        ("without the account's root the account is shut out", &bob, &[OTHERS], &[ALL], Err(Denial::NoKeyPolicy)),
        ("the root of the account, named", &root, &[ROOT], &[], by_key),
        ("the root of the account, not named", &root, &[ANN], &[], Err(Denial::NoKeyPolicy)),
        // Denials.
        ("a denial in the key policy", &ann, &[ROOT, ANN, NO_DECRYPT], &[ALL], Err(Denial::ExplicitInKeyPolicy)),
        ("a denial in the caller's policy", &ann, &[ROOT, ANN], &[ALL, DENY], Err(Denial::ExplicitInIdentityPolicy)),
        ("a denial for all but the caller", &ann, &[ROOT, ONLY_ANN], &[ALL], by_own),
        ("a denial for all but another", &bob, &[ROOT, ONLY_ANN], &[ALL], Err(Denial::ExplicitInKeyPolicy)),
        // Callers of another account.
        ("both sides allow", &stranger, &[OTHERS], &[ALL], by_own),
        ("both sides allow, by everybody", &stranger, &[ANYONE], &[THIS_KEY], by_key),
        ("only the key allows", &stranger, &[OTHERS], &[], Err(Denial::NoIdentityPolicy)),
        ("only the caller's account allows", &stranger, &[ROOT], &[ALL], Err(Denial::OtherAccount)),
        ("the key denies", &stranger, &[OTHERS, NO_DECRYPT], &[ALL], Err(Denial::OtherAccount)),
        ("the caller's account denies", &stranger, &[OTHERS], &[ALL, DENY], Err(Denial::ExplicitInIdentityPolicy)),
    ];
    for (what, caller, key, own, expected) in cases {
        assert_eq!(decrypt(caller, key, own, None), *expected, "{what}");
    }
}

#[test]
fn policies_of_a_session_limit_it_unless_the_session_is_named() {
    let app = session(HOME, "app", "one");
    let encrypt = r#"{"Effect":"Allow","Action":"kms:Encrypt","Resource":"*"}"#;
    type Case<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str], Result<&'a str, Denial>);
    let cases: &[Case<'_>] = &[
        (&[ROOT], &[ALL], &[ALL], Ok("own policies")),
        (&[ROOT], &[ALL], &[encrypt], Err(Denial::NoSessionPolicy)),
        (&[ROOT], &[], &[ALL], Err(Denial::NoIdentityPolicy)),
        (&[APP], &[], &[ALL], Ok("key policy")),
        (&[APP], &[], &[encrypt], Err(Denial::NoSessionPolicy)),
        (&[SESSION], &[], &[encrypt], Ok("key policy")),
        (&[SESSION], &[], &[encrypt, DENY], Err(Denial::ExplicitInSessionPolicy)),
    ];
    for (key, own, limits, expected) in cases {
        assert_eq!(decrypt(&app, key, own, Some(limits)), *expected, "{key:?} {own:?} {limits:?}");
    }
}

fn pairs(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn grant(grantee: &str, operations: &[&str], constraints: Constraints) -> Grant {
    Grant {
        id: "g".to_owned(),
        grantee: grantee.to_owned(),
        retiring: Some("arn:aws:iam::111122223333:role/keeper".to_owned()),
        operations: operations.iter().map(|name| (*name).to_owned()).collect(),
        constraints,
        issuing_account: HOME.to_owned(),
    }
}

#[test]
fn grants_allow_what_no_policy_allows() {
    let (ann, sue) = (user(HOME, "ann"), user("444455556666", "sue"));
    let app = session(HOME, "app", "one");
    let free = Constraints::default();
    let red = Constraints { subset: Some(pairs(&[("team", "red")])), equals: None };
    let exact = Constraints { subset: None, equals: Some(pairs(&[("team", "red")])) };
    let to_ann = |operations: &[&str], constraints: &Constraints| grant(&ann.arn, operations, constraints.clone());
    let more = [("team", "red"), ("x", "y")];
    type Pairs<'a> = Option<&'a [(&'a str, &'a str)]>;
    type Case<'a> = (&'a Caller, Grant, &'a str, Pairs<'a>, &'a [&'a str], Result<(), Denial>);
    #[rustfmt::skip]
    let cases: &[Case<'_>] = &[
        (&ann, to_ann(&["Decrypt"], &free), "kms:Decrypt", Some(&[]), &[], Ok(())),
        (&ann, to_ann(&["Decrypt"], &free), "kms:Encrypt", Some(&[]), &[], Err(Denial::NoKeyPolicy)),
        (&app, to_ann(&["Decrypt"], &free), "kms:Decrypt", Some(&[]), &[], Err(Denial::NoKeyPolicy)),
        (&app, grant(&app.issuer, &["Decrypt"], free.clone()), "kms:Decrypt", Some(&[]), &[], Ok(())),
        (&app, grant(&app.arn, &["Decrypt"], free.clone()), "kms:Decrypt", Some(&[]), &[], Ok(())),
        (&ann, to_ann(&["Decrypt"], &red), "kms:Decrypt", Some(&more), &[], Ok(())),
        (&ann, to_ann(&["Decrypt"], &red), "kms:Decrypt", Some(&[("team", "blue")]), &[], Err(Denial::NoKeyPolicy)),
        (&ann, to_ann(&["Decrypt"], &exact), "kms:Decrypt", Some(&[("team", "red")]), &[], Ok(())),
        (&ann, to_ann(&["Decrypt"], &exact), "kms:Decrypt", Some(&more), &[], Err(Denial::NoKeyPolicy)),
        (&ann, to_ann(&["DescribeKey"], &exact), "kms:DescribeKey", None, &[], Ok(())),
        (&ann, to_ann(&["Decrypt"], &free), "kms:Decrypt", Some(&[]), &[DENY], Err(Denial::ExplicitInIdentityPolicy)),
        (&sue, grant(&sue.arn, &["Decrypt"], free.clone()), "kms:Decrypt", Some(&[]), &[ALL], Ok(())),
        (&sue, grant(&sue.arn, &["Decrypt"], free.clone()), "kms:Decrypt", Some(&[]), &[], Err(Denial::NoIdentityPolicy)),
        (&sue, grant("arn:aws:iam::444455556666:root", &["Decrypt"], free.clone()), "kms:Decrypt", Some(&[]), &[ALL], Ok(())),
        (&ann, grant("arn:aws:iam::111122223333:root", &["Decrypt"], free.clone()), "kms:Decrypt", Some(&[]), &[], Err(Denial::NoIdentityPolicy)),
    ];
    for (caller, grant, action, context, own, expected) in cases {
        let policy = key_policy(&[]);
        let (values, own) = (Context::default(), [identity(own)]);
        let context = context.map(pairs);
        let request = Request { caller, action, context: &values, encryption_context: context.as_ref() };
        let grants = [grant];
        let key = Key { arn: KEY, account: HOME, policy: &policy, grants: &grants };
        let decided = on_key(&key, &Own { identity: &own, session: None }, &request);
        let expected = expected.map_or_else(Decision::Denied, |()| Decision::Allowed(Basis::Grant(grant)));
        assert_eq!(decided, expected, "{grant:?} {action} {context:?}");
    }
}

#[test]
fn a_denial_in_the_key_policy_overrides_a_grant() {
    let (ann, context) = (user(HOME, "ann"), Context::default());
    let (policy, given) = (key_policy(&[NO_DECRYPT]), grant(&ann.arn, &["Decrypt"], Constraints::default()));
    let request = Request { caller: &ann, action: "kms:Decrypt", context: &context, encryption_context: None };
    let key = Key { arn: KEY, account: HOME, policy: &policy, grants: &[&given] };
    let decided = on_key(&key, &Own { identity: &[], session: None }, &request);
    assert_eq!(decided, Decision::Denied(Denial::ExplicitInKeyPolicy));
}

#[test]
fn a_grantee_creates_grants_that_allow_no_more() {
    let red = Constraints { subset: Some(pairs(&[("team", "red")])), equals: None };
    let more = Constraints { subset: Some(pairs(&[("team", "red"), ("x", "y")])), equals: None };
    let exact = Constraints { subset: None, equals: Some(pairs(&[("team", "red")])) };
    let free = Constraints::default();
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (own, operations, constraints, expected) in [
        (&free, &["Decrypt"][..], &free, true),
        (&free, &["Encrypt"], &free, false),
        (&red, &["Decrypt"], &free, false),
        (&red, &["Decrypt"], &red, true),
        (&red, &["Decrypt"], &more, true),
        (&red, &["Decrypt"], &exact, true),
        (&more, &["Decrypt"], &red, false),
        (&exact, &["Decrypt"], &exact, true),
        (&exact, &["Decrypt"], &red, false),
    ] {
        let parent = grant("arn:aws:iam::111122223333:user/ann", &["CreateGrant", "Decrypt"], own.clone());
        assert_eq!(parent.covers(&names(operations), constraints), expected, "{own:?} {operations:?} {constraints:?}");
    }
}

#[test]
fn a_grant_is_retired_by_its_retiring_principal_or_by_a_grantee_that_may() {
    let (ann, keeper) = (user(HOME, "ann"), session(HOME, "keeper", "x"));
    for (operations, caller, expected) in [
        (&["Decrypt"][..], &ann, false),
        (&["Decrypt", "RetireGrant"], &ann, true),
        (&["Decrypt"], &keeper, true),
        (&["RetireGrant"], &user(HOME, "bob"), false),
    ] {
        assert_eq!(grant(&ann.arn, operations, Constraints::default()).lets_retire(caller), expected, "{caller:?}");
    }
}

#[test]
fn conditions_limit_statements() {
    let through_s3 = r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:Decrypt","Resource":"*","Condition":
        {"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com","kms:CallerAccount":"111122223333"}}}"#;
    let red = r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:Decrypt","Resource":"*","Condition":
        {"StringEquals":{"kms:EncryptionContext:team":"${aws:PrincipalTag/team}"}}}"#;
    let mut context = Context::default();
    context.set("kms:CallerAccount", HOME);
    context.set("aws:PrincipalTag/team", "red");
    let decide = |statement: &str, context: &Context| {
        let (ann, policy) = (user(HOME, "ann"), key_policy(&[statement]));
        let request = Request { caller: &ann, action: "kms:Decrypt", context, encryption_context: None };
        let key = Key { arn: KEY, account: HOME, policy: &policy, grants: &[] };
        matches!(on_key(&key, &Own { identity: &[], session: None }, &request), Decision::Allowed(_))
    };
    assert!(!decide(through_s3, &context) && !decide(red, &context));
    context.set("kms:ViaService", "s3.eu-west-1.amazonaws.com");
    context.set("kms:EncryptionContext:team", "red");
    assert!(decide(through_s3, &context) && decide(red, &context));
    context.set("kms:EncryptionContext:team", "blue");
    assert!(!decide(red, &context));
}

#[test]
fn resources_without_a_policy_depend_on_the_caller_alone() {
    let (ann, context) = (user(HOME, "ann"), Context::default());
    let decide = |action: &str, own: &[&str]| {
        let request = Request { caller: &ann, action, context: &context, encryption_context: None };
        on_other("*", &Own { identity: &[identity(own)], session: None }, &request)
    };
    assert_eq!(decide("kms:ListKeys", &[ALL]), Decision::Allowed(Basis::OwnPolicies));
    assert_eq!(decide("kms:ListKeys", &[THIS_KEY]), Decision::Denied(Denial::NoIdentityPolicy));
    assert_eq!(decide("kms:DescribeX", &[ALL, DENY]), Decision::Denied(Denial::ExplicitInIdentityPolicy));
    let plan = Policy::of_actions(&["kms:*".to_owned()], &["kms:Schedule*".to_owned()]);
    for (action, allowed) in
        [("KMS:createkey", true), ("kms:ScheduleKeyDeletion", false), ("ec2:DescribeRegions", false)]
    {
        let request = Request { caller: &ann, action, context: &context, encryption_context: None };
        let decided = on_other("*", &Own { identity: std::slice::from_ref(&plan), session: None }, &request);
        assert_eq!(matches!(decided, Decision::Allowed(_)), allowed, "{action}");
    }
}

#[test]
fn a_policy_admits_its_author_by_name_or_by_account() {
    let context = Context::default();
    let admitted = |caller: &Caller, statements: &[&str]| {
        let request = Request { caller, action: "kms:PutKeyPolicy", context: &context, encryption_context: None };
        admits(&key_policy(statements), KEY, &request)
    };
    let denial = r#"{"Effect":"Deny","Principal":"*","Action":"kms:Put*","Resource":"*"}"#;
    let ann = user(HOME, "ann");
    assert!(admitted(&ann, &[ROOT]) && admitted(&ann, &[NOT_KEYS]));
    assert!(
        !admitted(&ann, &[ANN]) && !admitted(&ann, &[ROOT, denial]) && !admitted(&user("444455556666", "x"), &[ROOT])
    );
}

#[test]
fn what_aws_refuses_in_a_key_policy_is_refused() {
    let statement = |rest: &str| document(&[&format!(r#"{{"Effect":"Allow",{rest}}}"#)]);
    let syntax = |text: &str| assert!(matches!(Policy::of_key(text), Err(PolicyError::Syntax(_))), "{text}");
    let rest = r#""Action":"kms:*","Resource":"*""#;
    for principal in [
        r#"{"AWS":[]}"#,
        r#"{}"#,
        r#"{"AWS":[1]}"#,
        r#"{"AWS":null}"#,
        r#"{"AWS":"ann"}"#,
        r#"["*"]"#,
        r#""ann""#,
        r#"{"Service":"nobody.amazonaws.com"}"#,
        r#"{"Service":[]}"#,
        r#"{"Person":"ann"}"#,
    ] {
        let text = statement(&format!(r#""Principal":{principal},{rest}"#));
        assert_eq!(Policy::of_key(&text), Err(PolicyError::InvalidPrincipal), "{text}");
    }
    assert_eq!(Policy::of_key(&statement(rest)), Err(PolicyError::NoPrincipal));
    for rest in [
        r#""Action":"kms:*""#,
        r#""Action":"kms:*","Resource":{}"#,
        r#""Action":"kms:*","Resource":[]"#,
        r#""Action":"kms:*","Resource":7"#,
        r#""Action":"kms:*","Resource":["*",true]"#,
        r#""Action":"kms:*","Resource":"key"#,
        r#""Action":"kms:*","Resource":"key""#,
        r#""Action":"kms:*","Resource":"*","NotResource":"*""#,
        r#""Action":[],"Resource":"*""#,
        r#""Action":{"a":"b"},"Resource":"*""#,
        r#""Action":"s3:*","Resource":"*""#,
        r#""Action":"kms","Resource":"*""#,
        r#""Action":"kms:*","Resource":"*","Sid":1"#,
        r#""Action":"kms:*","Resource":"*","Condition":[]"#,
        r#""Action":"kms:*","Resource":"*","Condition":{"StringIs":{"kms:ViaService":"x"}}"#,
        r#""Action":"kms:*","Resource":"*","Extra":"x""#,
        r#""Action":"kms:*","Action":"kms:*","Resource":"*""#,
    ] {
        syntax(&statement(&format!(r#""Principal":"*",{rest}"#)));
    }
    for text in [
        "",
        "[]",
        "{}",
        r#"{"Version":"2012-10-17"}"#,
        r#"{"Version":"2020-01-01","Statement":[]}"#,
        r#"{"Version":1,"Statement":[]}"#,
        r#"{"Id":1,"Statement":[]}"#,
        r#"{"Statement":"x"}"#,
        r#"{"Statement":["x"]}"#,
        r#"{"Statement":[],"More":1}"#,
        r#"{"Statement":{"Principal":"*","Action":"kms:*","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"allow","Principal":"*","Action":"kms:*","Resource":"*"}}"#,
    ] {
        syntax(text);
    }
    assert!(Policy::of_identity(&document(&[ROOT])).is_err(), "a policy of an identity has no principal");
}
