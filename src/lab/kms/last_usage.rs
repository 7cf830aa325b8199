//! GetKeyLastUsage: the last successful cryptographic operation of each key.
//!
//! The lab records it in memory: the date from which AWS says that it records is the start of the lab.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Answer;
use super::call::{Call, Names};
use super::key::seconds;
use super::request::Request;
use crate::lab::trail::event_id;

/// The cryptographic operations that AWS records.
const RECORDED: [&str; 14] = [
    "Decrypt",
    "DeriveSharedSecret",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "ReEncrypt",
    "Sign",
    "Verify",
    "VerifyMac",
    "Encapsulate",
    "Decapsulate",
];

/// The last usage by the ARN of the key, which names its region.
#[derive(Debug)]
pub(super) struct LastUsages {
    started: DateTime<Utc>,
    by_arn: Mutex<HashMap<String, Value>>,
}

impl LastUsages {
    pub(super) fn since(started: DateTime<Utc>) -> LastUsages {
        LastUsages { started, by_arn: Mutex::default() }
    }

    /// Records a successful operation for the keys that its answer names.
    pub(super) fn record(&self, operation: &str, answer: &Value, now: DateTime<Utc>, request_id: &str) {
        if !RECORDED.contains(&operation) {
            return;
        }
        let usage = json!({
            "Operation": operation,
            "Timestamp": seconds(now),
            "CloudTrailEventId": event_id(request_id).to_string(),
            "KmsRequestId": request_id,
        });
        let mut by_arn = self.by_arn.lock().unwrap_or_else(PoisonError::into_inner);
        for arn in ["KeyId", "SourceKeyId"].into_iter().filter_map(|member| answer[member].as_str()) {
            by_arn.insert(arn.to_owned(), usage.clone());
        }
    }

    fn of(&self, arn: &str) -> Value {
        let by_arn = self.by_arn.lock().unwrap_or_else(PoisonError::into_inner);
        by_arn.get(arn).cloned().unwrap_or_else(|| json!({}))
    }
}

/// `GetKeyLastUsage`
pub(super) fn get_key_last_usage(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    request.finish()?;
    call.read(name, Names::OfKeys, |key, _| {
        let (arn, created) = (key.arn(call.region), key.placement(call.region)?.created);
        Ok(json!({
            "KeyId": arn,
            "KeyLastUsage": call.kms.last_usages.of(&arn),
            "TrackingStartDate": seconds(call.kms.last_usages.started.max(created)),
            "KeyCreationDate": seconds(created),
        }))
    })
}
