//! A key policy as AWS stores it: the text of a JSON object.

// `serde_json::Value` gets no new variants.
#![allow(clippy::wildcard_enum_match_arm)]

use std::fmt;
use std::sync::Arc;

use super::shared::share_policy;
use crate::domain::place::Arn;
use crate::domain::refusal::{Bounds, Refusal};
use serde_json::Value;

/// The text of a policy. Two policies are equal if IAM treats them as the same, even if their texts differ.
#[derive(Clone)]
pub struct PolicyText(Arc<str>);

/// The longest policy, in bytes: AWS's limit.
pub const POLICY_MAX: usize = 32 * 1024;

/// A text that is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyTextError {
    #[error("the policy is not JSON: {0}")]
    NotJson(String),
    #[error("the policy is not a JSON object")]
    NotAnObject,
    /// A character that AWS accepts only as a JSON escape.
    #[error("the policy contains `{0}`: AWS accepts characters up to U+00FF, and others only as JSON escapes")]
    Character(char),
    #[error("a policy has up to {POLICY_MAX} bytes, and this one has {0}")]
    TooLong(usize),
}

impl PolicyTextError {
    /// Returns the refusal of the member with the policy.
    pub fn refusal(self, member: &'static str) -> Refusal {
        let problem = self.to_string();
        match self {
            Self::TooLong(_) => Refusal::OutOfRange { member, problem, limit: Bounds::most(POLICY_MAX as u64) },
            Self::NotJson(_) | Self::NotAnObject | Self::Character(_) => Refusal::Invalid { member, problem },
        }
    }
}

impl PolicyText {
    /// Parses the text of a policy.
    ///
    /// # Errors
    /// When it is too long, not a JSON object, or contains characters that AWS does not accept.
    pub fn parse(text: &str) -> Result<Self, PolicyTextError> {
        if text.len() > POLICY_MAX {
            return Err(PolicyTextError::TooLong(text.len()));
        }
        if let Some(c) = text.chars().find(|c| *c > '\u{ff}') {
            return Err(PolicyTextError::Character(c));
        }
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(_)) => Ok(Self(text.into())),
            Ok(_) => Err(PolicyTextError::NotAnObject),
            Err(error) => Err(PolicyTextError::NotJson(error.to_string())),
        }
    }

    /// Reads a policy that AWS returns. AWS's layout is longer than the policy that it was given, and has no escapes.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn returned(text: &str) -> Result<Self, PolicyTextError> {
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(_)) => Ok(Self(text.into())),
            Ok(_) => Err(PolicyTextError::NotAnObject),
            Err(error) => Err(PolicyTextError::NotJson(error.to_string())),
        }
    }

    /// Writes a policy, with escapes for the characters that AWS accepts only as such.
    ///
    /// # Errors
    /// Those of [`PolicyText::parse`].
    pub(super) fn written(value: &Value) -> Result<Self, PolicyTextError> {
        let mut escaped = String::new();
        for c in value.to_string().chars() {
            match c {
                '\u{0}'..='\u{ff}' => escaped.push(c),
                _ => escaped.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
            }
        }
        Self::parse(&escaped)
    }

    /// Converts a JSON value: an object, or a string with the text of one.
    ///
    /// # Errors
    /// Those of [`PolicyText::parse`].
    pub fn of(value: &Value) -> Result<Self, PolicyTextError> {
        match value {
            Value::String(text) => Self::parse(text),
            value => Self::parse(&value.to_string()),
        }
    }

    /// Returns a policy that was read from the log. It was valid when it was recorded, so it is not checked again.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the same policy, with its text in memory once for all keys that have it.
    pub(super) fn shared(&self) -> Self {
        Self(share_policy(&self.0))
    }

    /// The text itself, which keys with the same text share.
    pub fn text(&self) -> &Arc<str> {
        &self.0
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

/// Brings the statements of a policy into one form. AWS returns the ARN of the root for an account's id, and texts for
/// Booleans and numbers in conditions.
pub(super) fn normalised(mut policy: Value) -> Value {
    let statements = match policy.get_mut("Statement") {
        Some(Value::Array(all)) => all.as_mut_slice(),
        Some(one) => std::slice::from_mut(one),
        None => &mut [],
    };
    for statement in statements {
        for element in ["Principal", "NotPrincipal"] {
            let Some(principal) = statement.get_mut(element) else { continue };
            if principal == "*" {
                *principal = serde_json::json!({"AWS": "*"});
            }
            each(principal.get_mut("AWS"), |name| {
                if let Some(account) = name.as_str().and_then(account_of_root) {
                    *name = Value::from(account);
                }
            });
        }
        let operators = statement.get_mut("Condition").and_then(Value::as_object_mut);
        for keys in operators.into_iter().flatten().filter_map(|(_, keys)| keys.as_object_mut()) {
            for (_, values) in keys {
                each(Some(values), |value| {
                    if value.is_boolean() || value.is_number() {
                        *value = Value::from(value.to_string());
                    }
                });
            }
        }
    }
    policy
}

/// The account's id in the ARN of its root.
fn account_of_root(text: &str) -> Option<String> {
    let arn = Arn::parse(text).ok().filter(|arn| arn.service() == "iam" && arn.resource() == "root")?;
    arn.account().map(|account| account.to_string())
}

/// Changes a value, or each value of a list.
fn each(value: Option<&mut Value>, mut change: impl FnMut(&mut Value)) {
    match value {
        Some(Value::Array(all)) => all.iter_mut().for_each(change),
        Some(one) => change(one),
        None => {}
    }
}

/// Brings a policy into a form that can be compared. IAM treats `"x"` and `["x"]` as the same, and ignores the order of
/// lists.
pub(super) fn canonical(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(canonical).collect();
            items.sort_by_cached_key(Value::to_string);
            items.dedup();
            match <[Value; 1]>::try_from(items) {
                Ok([only]) => only,
                Err(items) => Value::Array(items),
            }
        }
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> =
                members.into_iter().map(|(name, value)| (name, canonical(value))).collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(members.into_iter().collect())
        }
        plain => plain,
    }
}

impl PartialEq for PolicyText {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || canonical(normalised(self.value())) == canonical(normalised(other.value()))
    }
}

impl Eq for PolicyText {}

impl fmt::Display for PolicyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PolicyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> PolicyText {
        PolicyText::parse(text).expect("a policy")
    }

    #[test]
    fn two_ways_of_writing_one_policy_are_equal() {
        let one = policy(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:Decrypt","kms:Encrypt"]}]}"#,
        );
        let other = policy(
            "{ \"Statement\": {\"Action\": [\"kms:Encrypt\",\n\"kms:Decrypt\"], \"Effect\": [\"Allow\"]}, \"Version\": \"2012-10-17\" }",
        );
        assert_eq!(one, other);
        assert_ne!(
            one,
            policy(
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["kms:Decrypt","kms:Encrypt"]}]}"#
            )
        );
        assert_ne!(policy(r#"{"a":[]}"#), policy(r#"{"a":null}"#));
    }

    #[test]
    fn a_policy_equals_the_form_in_which_aws_returns_it() {
        let given = policy(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["123456789012",
            "arn:aws:iam::123456789012:user/ann"]},"Action":"kms:*","Resource":"*","Condition":{"Bool":
            {"kms:GrantIsForAWSResource":true},"NumericEquals":{"kms:RotationPeriodInDays":[90,"180"]}}},
            {"Effect":"Deny","NotPrincipal":{"AWS":"123456789012"},"Action":"kms:*","Resource":"*"}]}"#,
        );
        let returned = |replace: (&str, &str)| {
            let text = r#"{ "Version" : "2012-10-17", "Statement" : [ { "Effect" : "Allow", "Principal" : { "AWS" :
                [ "arn:aws:iam::123456789012:user/ann", "arn:aws:iam::123456789012:root" ] }, "Action" : "kms:*",
                "Resource" : "*", "Condition" : { "NumericEquals" : { "kms:RotationPeriodInDays" : [ "90", "180" ] },
                "Bool" : { "kms:GrantIsForAWSResource" : "true" } } }, { "Effect" : "Deny", "NotPrincipal" : { "AWS" :
                "arn:aws:iam::123456789012:root" }, "Action" : "kms:*", "Resource" : "*" } ] }"#;
            PolicyText::returned(&text.replace(replace.0, replace.1)).expect("a policy")
        };
        assert_eq!(given, returned(("", "")));
        assert_ne!(given, returned(("\"true\"", "\"false\"")));
        assert_ne!(given, returned(("123456789012:root", "210987654321:root")));
        assert_ne!(given, returned(("\"180\"", "\"365\"")));
        let anyone = |text: &str| policy(&format!(r#"{{"Statement":{{"Effect":"Allow","Principal":{text}}}}}"#));
        assert_eq!(anyone(r#""*""#), anyone(r#"{"AWS":["*"]}"#));
        assert_ne!(anyone(r#""*""#), anyone(r#"{"AWS":"123456789012"}"#));
    }

    #[test]
    fn what_aws_returns_may_be_longer_and_is_written_with_escapes() {
        let long = format!("{{ \"Id\" : \"{}ключ😀\" }}", "x".repeat(POLICY_MAX));
        assert!(PolicyText::returned(&long).is_ok() && PolicyText::returned("[]").is_err());
        let read = PolicyText::returned("{ \"Id\" : \"ключ😀ü\" }").expect("a policy");
        let written = PolicyText::written(&read.value()).expect("a policy");
        assert_eq!(written.as_str(), "{\"Id\":\"\\u043a\\u043b\\u044e\\u0447\\ud83d\\ude00ü\"}");
        assert_eq!(written, read);
    }

    #[test]
    fn an_object_and_its_text_are_the_same_policy() {
        let value = serde_json::json!({"Version": "2012-10-17", "Statement": []});
        assert_eq!(PolicyText::of(&value), PolicyText::of(&Value::String(value.to_string())));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        assert_eq!(PolicyText::parse("[]"), Err(PolicyTextError::NotAnObject));
        assert!(matches!(PolicyText::parse("{"), Err(PolicyTextError::NotJson(_))));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(POLICY_MAX));
        assert_eq!(PolicyText::parse(&long), Err(PolicyTextError::TooLong(long.len())));
        assert_eq!(PolicyText::parse("{\"a\":\"ключ\"}"), Err(PolicyTextError::Character('к')));
        assert!(PolicyText::parse("{\"a\":\"\\u043a\"}").is_ok());
        assert!(PolicyText::parse(&"{\"a\":".repeat(5_000)).is_err(), "nested too deep");
    }
}
