//! A key as clients see it: our envelope around AWS's own members, which keep AWS's CamelCase.

use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::Origin;
use crate::domain::key::metadata::{KeyMetadata, MultiRegion};
use crate::domain::key::name::{AliasName, KeyArn};
use crate::domain::key::tag::Tag;
use crate::http::envelope::Envelope;
use crate::service::keys::KeySeen;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// An AWS key.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub struct KeyView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name of its KMS.
    kms: String,
    /// Its KMS.
    kms_id: String,
    /// The AWS account.
    account_id: String,
    /// Its partition.
    cloud_name: &'static str,
    /// Its region.
    #[schema(example = "eu-west-3")]
    region: String,
    /// Where its material comes from: the tier of source keys (`local`), or empty.
    key_source: &'static str,
    /// `native`, `cckm` or `unknown`.
    key_material_origin: &'static str,
    /// `symmetric` or `asymmetric`.
    key_type: &'static str,
    /// The source key, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    local_key_id: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    local_key_name: Option<String>,
    /// Always false: no key is kept from those who may use it.
    blocked: bool,
    /// The custom key store that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    custom_key_store_id: Option<String>,
    /// When AWS deletes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    deletion_date: Option<String>,
    /// AWS does not have it any more.
    gone: bool,
    /// When AWS was last read.
    #[schema(value_type = String, format = DateTime)]
    synced_at: String,
    /// When it was replaced, or its material rotated from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rotated_at: Option<String>,
    /// The key that replaced it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rotated_to: Option<String>,
    /// The key that it replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rotated_from: Option<String>,
    /// How the last rotation from here ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rotation_status: Option<String>,
    /// Users who administer it, read out of its policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_admins: Vec<String>,
    /// Roles that administer it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_admins_roles: Vec<String>,
    /// Users who use it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_users: Vec<String>,
    /// Roles that use it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_users_roles: Vec<String>,
    /// Other accounts that use it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_accounts: Vec<String>,
    /// The schedule that rotates it, and how.
    #[schema(value_type = Object)]
    labels: Value,
    /// What AWS holds, in AWS's words.
    #[schema(value_type = Object)]
    aws_param: Value,
}

impl KeyView {
    /// A key as its viewer may see it.
    pub fn of(seen: &KeySeen) -> Self {
        let key: &Key = &seen.key;
        let source = key.materials.last();
        let principals = seen.principals.clone().unwrap_or_default();
        Self {
            envelope: Envelope::new(key.id, "cckm:aws-key", key.id, key.created, key.updated),
            kms: seen.kms.clone(),
            kms_id: key.kms.to_string(),
            account_id: key.metadata.account().to_string(),
            cloud_name: key.metadata.arn.partition().as_str(),
            region: key.region.to_string(),
            key_source: if source.is_some() { "local" } else { "" },
            key_material_origin: key.material_origin().name(),
            key_type: key_type(key),
            local_key_id: source.map(|source| source.source.to_string()),
            local_key_name: seen.source_name.clone(),
            blocked: false,
            custom_key_store_id: key.metadata.custom_key_store_id.clone(),
            deletion_date: key.metadata.deletion_date.map(text),
            gone: key.gone,
            synced_at: text(key.synced),
            rotated_at: key.rotated_at.map(text),
            rotated_to: key.rotated_to.map(text),
            rotated_from: key.rotated_from.map(text),
            rotation_status: rotation_status(key),
            key_admins: principals.admins,
            key_admins_roles: principals.admin_roles,
            key_users: principals.users,
            key_users_roles: principals.user_roles,
            external_accounts: principals.accounts,
            labels: labels(key),
            aws_param: aws_param(key),
        }
    }
}

fn key_type(key: &Key) -> &'static str {
    if key.metadata.spec.is_asymmetric() { "asymmetric" } else { "symmetric" }
}

fn rotation_status(key: &Key) -> Option<String> {
    Some(match key.last_rotation.as_ref()? {
        Ok(()) => "SUCCESSFUL".to_owned(),
        Err(reason) => format!("FAILED: {reason}"),
    })
}

fn labels(key: &Key) -> Value {
    let Some(job) = &key.rotation_job else { return json!({}) };
    let mut labels = Map::new();
    labels.insert("job_config_id".to_owned(), json!(job.schedule.to_string()));
    labels.insert("auto_rotate_key_source".to_owned(), json!(job.key_source));
    if job.disable_encrypt {
        labels.insert("auto_rotate_disable_encrypt".to_owned(), json!("true"));
    }
    if job.disable_encrypt_on_all_accounts {
        labels.insert("auto_rotate_disable_encrypt_on_all_accounts".to_owned(), json!("true"));
    }
    Value::Object(labels)
}

fn aws_param(key: &Key) -> Value {
    let metadata = &key.metadata;
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            all.insert(name.to_owned(), value);
        }
    };
    put("AWSAccountId", json!(metadata.account().to_string()));
    put("Alias", some_list(key.aliases.iter().map(AliasName::as_str).collect()));
    put("Arn", json!(metadata.arn.to_string()));
    put("CreationDate", json!(metadata.created_at.map(text)));
    put("CurrentKeyMaterialId", json!(metadata.current_material.as_ref().map(|id| id.as_str())));
    put("CustomerMasterKeySpec", json!(metadata.spec.as_str()));
    put("KeySpec", json!(metadata.spec.as_str()));
    put("DeletionDate", json!(metadata.deletion_date.map(text)));
    put("Description", json!(metadata.description));
    put("Enabled", json!(metadata.enabled));
    put_algorithms(&mut put, metadata);
    put("ExpirationModel", json!(metadata.expiration_model.as_ref().map(|model| model.as_str())));
    put("KeyID", json!(metadata.key_id().as_str()));
    put("KeyManager", json!(metadata.manager.as_str()));
    put("KeyState", json!(metadata.state.as_str()));
    put("KeyUsage", json!(metadata.usage.as_str()));
    put("MultiRegion", json!(metadata.multi_region.is_some()));
    put("MultiRegionConfiguration", metadata.multi_region.as_ref().map_or(Value::Null, family));
    put("Origin", json!(metadata.origin.as_str()));
    put("PendingDeletionWindowInDays", json!(metadata.pending_window.map(|window| window.days())));
    put("Policy", key.policy.as_ref().map_or(Value::Null, |policy| policy.value()));
    put("Tags", some_list(key.tags.iter().map(tag).collect()));
    put("ValidTo", json!(metadata.valid_to.map(text)));
    put("XksKeyConfiguration", metadata.xks_key_id.as_ref().map_or(Value::Null, |id| json!({"Id": id})));
    put("CustomKeyStoreId", json!(metadata.custom_key_store_id));
    put("CloudHsmClusterId", json!(metadata.cloud_hsm_cluster_id));
    if let Some(rotation) = &key.rotation {
        put("KeyRotationEnabled", json!(rotation.enabled));
        put("NextRotationDate", json!(rotation.next.map(text)));
        put("RotationPeriodInDays", json!(rotation.period.map(|period| period.days())));
    } else if metadata.origin == Origin::AwsKms {
        put("KeyRotationEnabled", json!(false));
    }
    Value::Object(all)
}

fn put_algorithms(put: &mut impl FnMut(&str, Value), metadata: &KeyMetadata) {
    put("EncryptionAlgorithms", some_list(metadata.algorithms.encryption.iter().collect()));
    put("SigningAlgorithms", some_list(metadata.algorithms.signing.iter().collect()));
    put("MacAlgorithms", some_list(metadata.algorithms.mac.iter().collect()));
    put("KeyAgreementAlgorithms", some_list(metadata.algorithms.key_agreement.iter().collect()));
}

fn some_list<T: Serialize>(list: Vec<T>) -> Value {
    if list.is_empty() { Value::Null } else { json!(list) }
}

fn tag(tag: &Tag) -> Value {
    json!({"TagKey": tag.key, "TagValue": tag.value})
}

fn family(family: &MultiRegion) -> Value {
    let place = |arn: &KeyArn| json!({"Arn": arn.to_string(), "Region": arn.region().as_str()});
    json!({
        "MultiRegionKeyType": family.kind.as_str(),
        "PrimaryKey": place(&family.primary),
        "ReplicaKeys": family.replicas.iter().map(place).collect::<Vec<_>>(),
    })
}

fn text(value: impl ToString) -> String {
    value.to_string()
}
