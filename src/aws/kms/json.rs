//! JSON types that several calls share.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use crate::domain::key::name::AwsKeyId;
use crate::domain::key::tag::Tag;
use crate::domain::time::Time;

/// A request whose only member is the key's id.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyIdBody<'a> {
    pub(super) key_id: &'a str,
}

impl<'a> KeyIdBody<'a> {
    pub(super) fn of(key: &'a AwsKeyId) -> Self {
        Self { key_id: key.as_str() }
    }
}

/// The members that requests for a new key and for a new replica share.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewKeyBody<'a> {
    pub(super) description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) bypass_policy_lockout_safety_check: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<TagBody<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagBody<'a> {
    tag_key: &'a str,
    tag_value: &'a str,
}

impl<'a> TagBody<'a> {
    pub(super) fn all(tags: &'a [Tag]) -> Vec<Self> {
        tags.iter().map(|tag| Self { tag_key: &tag.key, tag_value: &tag.value }).collect()
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Bytes that are serialized in base64.
pub(super) struct Blob<'a>(pub(super) &'a [u8]);

impl Serialize for Blob<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(self.0))
    }
}

/// Converts a timestamp of AWS's JSON: seconds since 1970, with milliseconds as a fraction.
pub(super) fn moment(seconds: f64) -> Time {
    Time::from_nanos(((seconds * 1_000.0).round() as i64).saturating_mul(1_000_000))
}
