//! Events as AWS documents them, and messages that are none.

use serde_json::{Value, json};

use super::*;

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/0987dcba-09fe-87dc-65ba-ab0987654321";

fn event() -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROAEXAMPLE:app",
            "arn": "arn:aws:sts::123456789012:assumed-role/app-role/app", "accountId": "123456789012",
            "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": { "sessionIssuer": { "type": "Role", "arn": "arn:aws:iam::123456789012:role/app-role" } },
            "invokedBy": "s3.amazonaws.com",
        },
        "eventTime": "2026-11-28T10:56:58Z", "eventSource": "kms.amazonaws.com", "eventName": "Decrypt",
        "awsRegion": "us-east-1", "sourceIPAddress": "s3.amazonaws.com", "userAgent": "s3.amazonaws.com \"\u{fc}\"",
        "errorCode": "KMSInvalidStateException", "errorMessage": "no",
        "requestParameters": { "keyId": KEY, "encryptionContext": { "kms:ViaService": "s3.us-east-1.amazonaws.com" } },
        "responseElements": null,
        "additionalEventData": { "customKeyStoreId": "cks-9876543210fedcba9", "xksKeyId": "9d6d" },
        "requestID": "f1b881f8-2048-41f8-b6cc-382b7857ec61", "eventID": "b79603d5-4cde-46fc-819c-a7cf547b9df4",
        "readOnly": true,
        "resources": [
            { "accountId": "123456789012", "ARN": "arn:aws:kms:us-east-1:123456789012:alias/x" },
            { "accountId": "123456789012", "type": "AWS::KMS::Key", "ARN": KEY },
        ],
        "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": "123456789012",
        "sharedEventID": "0d6d", "eventCategory": "Management",
    })
}

#[test]
fn all_members_of_an_event_are_read() {
    let read = TrailEvent::parse(&event().to_string()).expect("an event");
    let expected = TrailEvent {
        event_id: "b79603d5-4cde-46fc-819c-a7cf547b9df4".to_owned(),
        request_id: "f1b881f8-2048-41f8-b6cc-382b7857ec61".to_owned(),
        shared_event_id: "0d6d".to_owned(),
        time: Time::of("2026-11-28T10:56:58Z".parse().expect("a time")),
        name: "Decrypt".to_owned(),
        source: "kms.amazonaws.com".to_owned(),
        region: "us-east-1".to_owned(),
        recipient_account: "123456789012".to_owned(),
        identity: TrailIdentity {
            kind: "AssumedRole".to_owned(),
            arn: "arn:aws:sts::123456789012:assumed-role/app-role/app".to_owned(),
            principal_id: "AROAEXAMPLE:app".to_owned(),
            account: "123456789012".to_owned(),
            user_name: String::new(),
            invoked_by: "s3.amazonaws.com".to_owned(),
            session_issuer: "arn:aws:iam::123456789012:role/app-role".to_owned(),
        },
        source_ip: "s3.amazonaws.com".to_owned(),
        user_agent: "s3.amazonaws.com \"\u{fc}\"".to_owned(),
        error_code: "KMSInvalidStateException".to_owned(),
        error_message: "no".to_owned(),
        read_only: Some(true),
        keys: vec![KEY.to_owned()],
        aliases: vec!["alias/x".to_owned()],
        key_parameter: KEY.to_owned(),
        custom_key_store_id: "cks-9876543210fedcba9".to_owned(),
        xks_key_id: "9d6d".to_owned(),
        named_store_id: String::new(),
        via_service: "s3.us-east-1.amazonaws.com".to_owned(),
    };
    assert_eq!(read, expected);
    assert_eq!(read.identity.name(), "arn:aws:sts::123456789012:assumed-role/app-role/app");
}

#[test]
fn every_cut_of_an_event_is_counted_and_none_panics() {
    let whole = event().to_string();
    for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
        assert_eq!(TrailEvent::parse(&whole[..end]), Err(NotAnEvent::NotJson), "{end}");
        let _ = TrailEvent::parse(&whole[end..]);
    }
}

/// Replaces each value of an event, at any depth, by values of other types.
#[test]
fn a_member_of_an_unexpected_form_spoils_no_other() {
    fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| {
                let path = format!("{at}/{}", name.replace('/', "~1"));
                paths(value, &path, found);
                found.push(path);
            }),
            Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| {
                paths(item, &format!("{at}/{n}"), found);
                found.push(format!("{at}/{n}"));
            }),
            _ => {}
        }
    }
    let (event, mut all) = (event(), Vec::new());
    paths(&event, "", &mut all);
    for path in all {
        for odd in [json!(null), json!(7), json!([1]), json!({ "a": 1 }), json!("x"), json!(true)] {
            let mut changed = event.clone();
            *changed.pointer_mut(&path).expect("the path is of this event") = odd.clone();
            let read = TrailEvent::parse(&changed.to_string());
            match path.as_str() {
                "/eventTime" => assert_eq!(read, Err(NotAnEvent::Foreign), "{odd}"),
                "/eventID" | "/eventName" if odd != "x" => assert_eq!(read, Err(NotAnEvent::Foreign), "{odd}"),
                _ => {
                    assert_eq!(read.expect("still an event").time.to_string(), "2026-11-28T10:56:58Z", "{path}: {odd}")
                }
            }
        }
    }
}

#[test]
fn what_is_no_event_is_told_apart() {
    let mut long = event();
    long["padding"] = json!("x".repeat(MESSAGE_BYTES_MAX));
    assert_eq!(TrailEvent::parse(&long.to_string()), Err(NotAnEvent::TooLong));
    for text in ["", "x", "7", "[]", "{", "null", "START RequestId: 1"] {
        let expected = if text == "[]" { Err(NotAnEvent::Foreign) } else { Err(NotAnEvent::NotJson) };
        let read = TrailEvent::parse(text);
        assert!(read == expected || read == Err(NotAnEvent::NotJson), "{text}: {read:?}");
    }
    assert_eq!(TrailEvent::parse("{\"eventTime\":\"2026-11-28T10:56:58Z\"}"), Err(NotAnEvent::Foreign));
}

#[test]
fn absurd_texts_and_lists_are_cut() {
    let mut absurd = event();
    absurd["userAgent"] = json!("\u{fc}".repeat(5_000));
    absurd["resources"] = json!(vec![json!({ "ARN": KEY }); 1_000]);
    let read = TrailEvent::parse(&absurd.to_string()).expect("an event");
    assert!(read.user_agent.len() <= TEXT_BYTES_MAX && read.keys.len() == KEYS_MAX);
    // serde_json stops at 128 levels.
    let deep = format!("{{\"eventTime\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(TrailEvent::parse(&deep).is_err());
}
