//! Caller rules.

use super::super::caller_rules::matches;
use super::*;
use std::time::{Duration, Instant};

fn list(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|pattern| (*pattern).to_owned()).collect()
}

fn call(metadata: &[(&str, Option<&str>)]) -> Call {
    let mut body = encrypt_body();
    let caller = body["requestMetadata"].as_object_mut().expect("an object");
    for (member, value) in metadata {
        match value {
            Some(value) => drop(caller.insert((*member).to_owned(), (*value).into())),
            None => drop(caller.remove(*member)),
        }
    }
    Call::new(&key_path(KEY, "encrypt"), &body)
}

#[test]
fn wildcards_match_as_their_names_say() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("", "a", false),
        ("a", "a", true),
        ("a", "A", false),
        ("a", "ab", false),
        ("?", "", false),
        ("?", "é", true),
        ("*", "", true),
        ("*", "anything", true),
        ("a*", "a", true),
        ("a*c", "abbbc", true),
        ("a*c", "abbbcd", false),
        ("*a*b*", "xxaxxbxx", true),
        ("*ab", "aab", true),
        ("**?*", "x", true),
        ("**?*", "", false),
        ("a?c*", "abcd", true),
        ("a.c", "abc", false),
        ("[a]", "a", false),
        ("*", "a*b", true),
        ("arn:aws:iam::123456789012:role/*", "arn:aws:iam::123456789012:role/app/x", true),
        ("arn:aws:iam::123456789012:role/*", "arn:aws:iam::123456789013:role/app", false),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn no_pattern_takes_long() {
    let (pattern, text) = (format!("{}b", "a*".repeat(1000)), "a".repeat(2048));
    let began = Instant::now();
    assert!(!matches(&pattern, &text));
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[test]
fn every_list_that_is_not_empty_must_admit_the_call() {
    let proxy = proxy();
    let rules = CallerRules {
        principals: list(&["arn:aws:iam::123456789012:role/*", "arn:aws:iam::123456789012:user/Al?ce"]),
        source_vpcs: list(&["vpc-1*"]),
        source_vpces: list(&["vpce-1"]),
        via_services: list(&["s3.*.amazonaws.com"]),
        operations: list(&["Encrypt", "GenerateDataKey*"]),
    };
    let good: &[(&str, Option<&str>)] = &[
        ("awsSourceVpc", Some("vpc-123")),
        ("awsSourceVpce", Some("vpce-1")),
        ("kmsViaService", Some("s3.us-east-1.amazonaws.com")),
        ("kmsOperation", Some("GenerateDataKeyWithoutPlaintext")),
    ];
    let bad: &[(&str, &str, Option<&str>)] = &[
        ("principals", "awsPrincipalArn", Some("arn:aws:iam::123456789012:user/Bob")),
        ("source_vpcs", "awsSourceVpc", Some("vpc-2")),
        ("source_vpcs", "awsSourceVpc", None),
        ("source_vpces", "awsSourceVpce", None),
        ("via_services", "kmsViaService", Some("ec2.us-east-1.amazonaws.com")),
        ("via_services", "kmsViaService", None),
        ("operations", "kmsOperation", Some("ReEncrypt")),
    ];
    // On the store, or on the key.
    for whose in ["key store", "key"] {
        let none = CallerRules::default();
        let (of_store, of_key) = if whose == "key" { (&none, &rules) } else { (&rules, &none) };
        let entry = KeyEntry { caller_rules: of_key.clone(), ..key(KEY, 1) };
        proxy.put_store_with_keys(StoreEntry { caller_rules: of_store.clone(), ..store() }, vec![entry]);
        assert_eq!(call(good).send(&proxy).0, 200);
        proxy.take(100);
        for (rule, member, value) in bad {
            let metadata: Vec<_> = good.iter().copied().chain([(*member, *value)]).collect();
            refused(&proxy, &call(&metadata), 403, "AccessDeniedException");
            let outcome = proxy.take(100).outcomes.pop().expect("an outcome");
            let OutcomeResult::Refused { error: ErrorName::AccessDenied, rule: Some(named), .. } = outcome.result
            else {
                panic!("{outcome:?}")
            };
            assert_eq!(named, format!("{whose}: {rule}"));
        }
    }
}

#[test]
fn the_rules_of_a_key_narrow_those_of_the_store() {
    let proxy = proxy();
    let rules = |patterns: &[&str]| CallerRules { principals: list(patterns), ..CallerRules::default() };
    for (of_store, of_key, expected) in [
        (rules(&["*Alice"]), rules(&["*Alice"]), 200),
        (rules(&["*Alice"]), rules(&["*Bob"]), 403),
        (rules(&["*Bob"]), rules(&["*Alice"]), 403),
        (rules(&["*Bob"]), rules(&[]), 403),
        (rules(&[]), rules(&["*Alice", "*Bob"]), 200),
    ] {
        let entry = KeyEntry { caller_rules: of_key, ..key(KEY, 1) };
        proxy.put_store_with_keys(StoreEntry { caller_rules: of_store, ..store() }, vec![entry]);
        assert_eq!(call(&[]).send(&proxy).0, expected);
    }
}

#[test]
fn the_metadata_of_a_key_is_judged_and_health_is_not() {
    let proxy = proxy();
    let rules = CallerRules { operations: list(&["Decrypt"]), ..CallerRules::default() };
    proxy.put_store(StoreEntry { caller_rules: rules, ..store() });
    refused(&proxy, &Call::new(&key_path(KEY, "metadata"), &encrypt_body()), 403, "AccessDeniedException");
    assert_eq!(Call::new(&path("health"), &encrypt_body()).send(&proxy).0, 200);
    // The state of a key comes first.
    proxy.put_key(STORE, KeyEntry { blocked: true, ..key(KEY, 1) });
    refused(&proxy, &Call::new(&key_path(KEY, "metadata"), &encrypt_body()), 400, "InvalidStateException");
}
