//! KMS's operations as signed JSON requests, where `rusoto_kms` lacks the operation or a member of it.
//!
//! What is asked stands here, as the shapes that AWS documents; `adapter.rs` signs, sends and repeats.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rusoto_core::signature::SignedRequest;
use serde::{Serialize, Serializer};

use super::port::{LockoutCheck, MaterialImport, NewKey, NewReplica};
use crate::aws::endpoint::Endpoint;
use crate::aws::operation::Operation;
use crate::domain::key::tag::Tag;

/// A request, not yet signed.
pub(super) fn request(endpoint: &Endpoint, operation: Operation, body: Bytes) -> SignedRequest {
    let mut request = SignedRequest::new("POST", operation.service.as_str(), &endpoint.as_rusoto(), "/");
    request.set_content_type("application/x-amz-json-1.1".to_owned());
    request.add_header("x-amz-target", &format!("TrentService.{}", operation.name));
    request.set_payload(Some(body));
    request
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfKey<'a> {
    pub(super) key_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateKey<'a> {
    key_spec: &'a str,
    key_usage: &'a str,
    origin: &'a str,
    description: &'a str,
    multi_region: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    bypass_policy_lockout_safety_check: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagMember<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_key_store_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xks_key_id: Option<&'a str>,
}

impl<'a> CreateKey<'a> {
    pub(super) fn of(key: &'a NewKey) -> Self {
        Self {
            key_spec: key.spec.as_str(),
            key_usage: key.usage.as_str(),
            origin: key.origin.as_str(),
            description: &key.description,
            multi_region: key.multi_region,
            policy: key.policy.as_ref().map(|policy| policy.as_str()),
            bypass_policy_lockout_safety_check: key.lockout == LockoutCheck::Bypassed,
            tags: TagMember::all(&key.tags),
            custom_key_store_id: key.custom_key_store_id.as_deref(),
            xks_key_id: key.xks_key_id.as_deref(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReplicateKey<'a> {
    key_id: &'a str,
    replica_region: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    bypass_policy_lockout_safety_check: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagMember<'a>>,
}

impl<'a> ReplicateKey<'a> {
    pub(super) fn of(key_id: &'a str, replica: &'a NewReplica) -> Self {
        Self {
            key_id,
            replica_region: replica.region.as_str(),
            description: &replica.description,
            policy: replica.policy.as_ref().map(|policy| policy.as_str()),
            bypass_policy_lockout_safety_check: replica.lockout == LockoutCheck::Bypassed,
            tags: TagMember::all(&replica.tags),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagMember<'a> {
    tag_key: &'a str,
    tag_value: &'a str,
}

impl<'a> TagMember<'a> {
    fn all(tags: &'a [Tag]) -> Vec<Self> {
        tags.iter().map(|tag| Self { tag_key: &tag.key, tag_value: &tag.value }).collect()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EnableKeyRotation<'a> {
    pub(super) key_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rotation_period_in_days: Option<u16>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListKeyRotations<'a> {
    pub(super) key_id: &'a str,
    pub(super) include_key_material: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) marker: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ImportKeyMaterial<'a> {
    key_id: &'a str,
    import_token: Blob<'a>,
    encrypted_key_material: Blob<'a>,
    expiration_model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    import_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_description: Option<&'a str>,
}

impl<'a> ImportKeyMaterial<'a> {
    pub(super) fn of(key_id: &'a str, import: &'a MaterialImport) -> Self {
        Self {
            key_id,
            import_token: Blob(&import.token),
            encrypted_key_material: Blob(&import.wrapped),
            expiration_model: match import.expires {
                Some(_) => "KEY_MATERIAL_EXPIRES",
                None => "KEY_MATERIAL_DOES_NOT_EXPIRE",
            },
            valid_to: import.expires.map(|moment| moment.seconds()),
            import_type: import.import_type.as_ref().map(|word| word.as_str()),
            key_material_id: import.material.as_ref().map(|id| id.as_str()),
            key_material_description: import.description.as_deref(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteImportedKeyMaterial<'a> {
    pub(super) key_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key_material_id: Option<&'a str>,
}

/// Bytes as AWS wants them in JSON.
struct Blob<'a>(&'a [u8]);

impl Serialize for Blob<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(self.0))
    }
}

fn is_false(value: &bool) -> bool {
    !value
}
