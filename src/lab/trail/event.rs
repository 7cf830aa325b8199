//! The event of a call.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::identity::Known;
use super::shown;
use crate::lab::refusal::Row;

/// The largest number of characters of a client's name.
const USER_AGENT: usize = 1024;
const MESSAGE: usize = 1024;

/// A call that is done.
#[derive(Debug)]
pub(in crate::lab) struct Done<'a> {
    /// The service, as in `kms.amazonaws.com`.
    pub service: &'a str,
    pub operation: &'a str,
    pub region: &'a str,
    pub time: DateTime<Utc>,
    pub request_id: &'a str,
    pub source_address: &'a str,
    pub user_agent: &'a str,
    /// The parameters, as the event shows them.
    pub parameters: Value,
    /// The answer, as it was given.
    pub answer: Option<&'a Value>,
    /// The refusal, with the code that the event shows.
    pub refusal: Option<Row>,
    pub subjects: Subjects,
}

/// What a call is about.
#[derive(Debug, Clone, Default)]
pub(in crate::lab) struct Subjects {
    pub keys: Vec<Resource>,
    pub others: Vec<Resource>,
    /// The `additionalEventData`.
    pub additional: serde_json::Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lab) struct Resource {
    pub account: String,
    pub arn: String,
    /// The type, as in `AWS::KMS::Key`; AWS gives none for aliases.
    pub kind: Option<&'static str>,
}

impl Subjects {
    pub(super) fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.others.iter().chain(&self.keys)
    }
}

/// An event, in parts.
pub(super) struct Written {
    pub id: u128,
    pub identity: String,
    /// The members after `userIdentity`, with the closing brace.
    pub rest: String,
}

/// Writes the event of a call for the log group of an account.
pub(super) fn write(known: &Known, done: &Done<'_>, recipient: &str, is_shared: bool) -> Written {
    let shared = super::event_id(done.request_id);
    let is_own = recipient == known.account;
    // Accounts get events of their own, with a common `sharedEventID`.
    let id = if is_own { shared } else { Uuid::new_v4() };
    let read_only = is_read_only(done.operation);
    let denied = done.refusal.as_ref().is_some_and(|row| row.code == "AccessDenied");
    let result = done.answer.map_or(Value::Null, |answer| match done.service {
        "sts" => shown::sts_result(answer),
        _ if read_only => Value::Null,
        _ => shown::kms_result(answer, done.subjects.keys.first().map(|key| key.arn.as_str())),
    });
    let mut event = json!({
        "eventTime": done.time.to_rfc3339_opts(SecondsFormat::Secs, true),
        "eventSource": format!("{}.amazonaws.com", done.service),
        "eventName": done.operation,
        "awsRegion": done.region,
        "sourceIPAddress": done.source_address,
        "userAgent": cut(done.user_agent, USER_AGENT),
        // AWS shows no parameters of a denied call.
        "requestParameters": if denied { &Value::Null } else { &done.parameters },
        "responseElements": result,
        "requestID": done.request_id,
        "eventID": id,
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": recipient,
        "eventCategory": "Management",
    });
    if let Some(row) = &done.refusal {
        event["errorCode"] = json!(row.code);
        if !row.message.is_empty() {
            event["errorMessage"] = json!(cut(&row.message, MESSAGE));
        }
    }
    if !done.subjects.additional.is_empty() {
        event["additionalEventData"] = Value::Object(done.subjects.additional.clone());
    }
    let resources: Vec<Value> = done.subjects.resources().map(Resource::entry).collect();
    if !resources.is_empty() {
        event["resources"] = json!(resources);
    }
    if is_shared {
        event["sharedEventID"] = json!(shared);
    }
    let identity = if is_own { &known.identity } else { &known.from_outside };
    let rest = event.to_string().split_off(1);
    Written { id: id.as_u128(), identity: identity.to_string(), rest }
}

impl Resource {
    fn entry(&self) -> Value {
        let mut entry = json!({ "accountId": self.account, "ARN": self.arn });
        if let Some(kind) = self.kind {
            entry["type"] = json!(kind);
        }
        entry
    }
}

/// Whether an operation changes nothing.
pub(in crate::lab) fn is_read_only(operation: &str) -> bool {
    const BEGINNINGS: [&str; 6] = ["Describe", "List", "Get", "Generate", "Verify", "AssumeRole"];
    const NAMES: [&str; 7] =
        ["Encrypt", "Decrypt", "ReEncrypt", "Sign", "DeriveSharedSecret", "Encapsulate", "Decapsulate"];
    BEGINNINGS.iter().any(|beginning| operation.starts_with(beginning)) || NAMES.contains(&operation)
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
