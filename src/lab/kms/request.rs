//! The members of a JSON request, validated as in AWS.
//!
//! The methods that read a member record its faults. [`Request::finish`] refuses the request with all faults.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::exception;
use crate::lab::constraint::Constraints;
use crate::lab::refusal::Refusal;

/// A minimum and a maximum length.
pub(super) type Range = (usize, usize);

pub(super) struct Request<'a> {
    members: &'a Map<String, Value>,
    constraints: Constraints,
    /// The refusal of a member with a wrong type, which precedes all other faults in AWS.
    mistyped: Option<Refusal>,
}

impl<'a> Request<'a> {
    /// Parses the body of a request. An empty body is an empty object.
    ///
    /// # Errors
    /// `SerializationException` if the body is not a JSON object.
    pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
        let body = if body.is_empty() { b"{}" } else { body };
        serde_json::from_slice(body).map_err(|_| exception::serialization(""))
    }

    pub(super) fn new(members: &'a Map<String, Value>) -> Request<'a> {
        Request { members, constraints: Constraints::default(), mistyped: None }
    }

    /// Refuses the request if a member had a fault.
    ///
    /// # Errors
    /// `SerializationException` or `ValidationException`.
    pub(super) fn finish(&mut self) -> Result<(), Refusal> {
        match self.mistyped.take() {
            Some(refusal) => Err(refusal),
            None => std::mem::take(&mut self.constraints).finish(),
        }
    }

    pub(super) fn text(&mut self, name: &str, (shortest, longest): Range) -> Option<&'a str> {
        let value = self.member(name)?;
        let Value::String(text) = value else { return self.mistyped(name, "a String") };
        self.measure(name, text, text.chars().count(), (shortest, longest));
        Some(text)
    }

    /// Reads a required text; empty if it is missing, which [`Request::finish`] refuses.
    pub(super) fn required(&mut self, name: &str, range: Range) -> &'a str {
        match self.text(name, range) {
            Some(text) => text,
            None => self.missing(name),
        }
    }

    /// Reads a text that AWS's model marks as sensitive. `is_valid` judges its characters.
    pub(super) fn secret_text(
        &mut self,
        name: &str,
        range: Range,
        is_valid: impl FnOnce(&str) -> bool,
    ) -> Option<&'a str> {
        let value = self.member(name)?;
        let Value::String(text) = value else { return self.mistyped(name, "a String") };
        if let Some(rule) = length_rule(text.chars().count(), range) {
            self.constraints.violated_sensitive(name, &rule);
        }
        if !is_valid(text) {
            self.constraints.violated_sensitive(name, "Member must satisfy its regular expression pattern");
        }
        Some(text)
    }

    /// Reads the name of the key.
    pub(super) fn key_id(&mut self) -> &'a str {
        let given = self.text("KeyId", (1, 2048));
        if let Some(text) = given.filter(|text| text.is_empty() || !text.is_ascii()) {
            self.pattern_mismatch("KeyId", text, r"^\p{ASCII}+$");
        }
        match given {
            Some(text) => text,
            None => self.missing("KeyId"),
        }
    }

    pub(super) fn choice(&mut self, name: &str, words: &[&str]) -> Option<&'a str> {
        let text = self.text(name, (0, usize::MAX))?;
        if !words.contains(&text) {
            let set = words.join(", ");
            self.constraints.violated(name, text, &format!("Member must satisfy enum value set: [{set}]"));
        }
        Some(text)
    }

    /// Reads a required member of an enum.
    pub(super) fn required_choice(&mut self, name: &str, words: &[&str]) -> &'a str {
        match self.choice(name, words) {
            Some(text) => text,
            None => self.missing(name),
        }
    }

    pub(super) fn number(&mut self, name: &str, (least, most): (i64, i64)) -> Option<i64> {
        let value = self.member(name)?;
        let Some(number) = value.as_i64() else { return self.mistyped(name, "an Integer") };
        if number < least {
            let rule = format!("Member must have value greater than or equal to {least}");
            self.constraints.violated(name, &number.to_string(), &rule);
        }
        if number > most {
            let rule = format!("Member must have value less than or equal to {most}");
            self.constraints.violated(name, &number.to_string(), &rule);
        }
        Some(number)
    }

    /// Reads a Boolean, which defaults to `false`.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.member(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => self.mistyped(name, "a Boolean").unwrap_or_default(),
        }
    }

    pub(super) fn bytes(&mut self, name: &str, range: Range) -> Option<Vec<u8>> {
        let value = self.member(name)?;
        let Some(bytes) = value.as_str().and_then(|text| STANDARD.decode(text).ok()) else {
            return self.mistyped(name, "a base64-encoded Blob");
        };
        if let Some(rule) = length_rule(bytes.len(), range) {
            self.constraints.violated_sensitive(name, &rule);
        }
        Some(bytes)
    }

    /// Reads required bytes that AWS's model marks as sensitive.
    pub(super) fn required_secret(&mut self, name: &str, range: Range) -> Vec<u8> {
        if self.member(name).is_none() {
            self.constraints.missing_sensitive(name);
        }
        self.bytes(name, range).unwrap_or_default()
    }

    /// Reads required bytes.
    pub(super) fn required_bytes(&mut self, name: &str, range: Range) -> Vec<u8> {
        match self.bytes(name, range) {
            Some(bytes) => bytes,
            None => self.missing(name).as_bytes().to_vec(),
        }
    }

    /// Reads a timestamp in seconds since 1970.
    pub(super) fn time(&mut self, name: &str) -> Option<DateTime<Utc>> {
        let value = self.member(name)?;
        #[allow(clippy::cast_possible_truncation)] // `as` saturates, and milliseconds since 1970 fit
        let time = value.as_f64().and_then(|seconds| DateTime::from_timestamp_millis((seconds * 1000.0) as i64));
        if time.is_none() { self.mistyped(name, "a Timestamp") } else { time }
    }

    pub(super) fn map(&mut self, name: &str) -> BTreeMap<String, String> {
        let Some(value) = self.member(name) else { return BTreeMap::new() };
        match serde_json::from_value(value.clone()) {
            Ok(map) => map,
            Err(_) => self.mistyped(name, "a Map").unwrap_or_default(),
        }
    }

    pub(super) fn structure(&mut self, name: &str) -> Option<&'a Map<String, Value>> {
        let value = self.member(name)?;
        let Value::Object(members) = value else { return self.mistyped(name, "a Structure") };
        Some(members)
    }

    /// Takes over the faults of an inner object, which AWS names with the object's name before a dot.
    pub(super) fn include(&mut self, name: &str, inner: Request<'_>) {
        if let Some(refusal) = inner.mistyped {
            self.mistyped.get_or_insert(refusal);
        }
        self.constraints.include(name, inner.constraints);
    }

    pub(super) fn texts(&mut self, name: &str) -> Option<Vec<&'a str>> {
        let value = self.member(name)?;
        let texts = value.as_array().and_then(|all| all.iter().map(Value::as_str).collect());
        if texts.is_none() { self.mistyped(name, "a List") } else { texts }
    }

    /// Reads the tags as pairs of key and value.
    pub(super) fn tags(&mut self) -> Option<Vec<(&'a str, &'a str)>> {
        let value = self.member("Tags")?;
        let Some(all) = value.as_array() else { return self.mistyped("Tags", "a List") };
        let mut tags = Vec::new();
        for (tag, number) in all.iter().zip(1..) {
            for (name, range) in [("TagKey", (1, 128)), ("TagValue", (0, 256))] {
                let place = format!("tags.{number}.member.{}{}", name[..1].to_lowercase(), &name[1..]);
                match tag.get(name) {
                    None | Some(Value::Null) => self.constraints.missing(&place),
                    Some(Value::String(text)) => self.measure(&place, text, text.chars().count(), range),
                    Some(_) => return self.mistyped(name, "a String"),
                }
            }
            if let (Some(key), Some(value)) = (tag["TagKey"].as_str(), tag["TagValue"].as_str()) {
                tags.push((key, value));
            }
        }
        Some(tags)
    }

    /// Records that a required member is missing.
    pub(super) fn missing(&mut self, name: &str) -> &'static str {
        self.constraints.missing(name);
        ""
    }

    /// Records that a value violates a constraint, in AWS's words.
    pub(super) fn violated(&mut self, name: &str, value: &str, constraint: &str) {
        self.constraints.violated(name, value, constraint);
    }

    /// Records that a text does not match a pattern, which the message quotes.
    pub(super) fn pattern_mismatch(&mut self, name: &str, value: &str, pattern: &str) {
        self.constraints.violated(name, value, &format!("Member must satisfy regular expression pattern: {pattern}"));
    }

    /// The value of a member; `None` if it is missing or `null`.
    fn member(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn measure(&mut self, name: &str, shown: &str, length: usize, range: Range) {
        if let Some(rule) = length_rule(length, range) {
            self.constraints.violated(name, shown, &rule);
        }
    }

    fn mistyped<T>(&mut self, name: &str, expected: &str) -> Option<T> {
        let refusal = exception::serialization(format!("{name} can not be converted to {expected}"));
        self.mistyped.get_or_insert(refusal);
        None
    }
}

/// The rule of a range that a length violates, in AWS's words.
fn length_rule(length: usize, (shortest, longest): Range) -> Option<String> {
    if length > longest {
        return Some(format!("Member must have length less than or equal to {longest}"));
    }
    (length < shortest).then(|| format!("Member must have length greater than or equal to {shortest}"))
}
