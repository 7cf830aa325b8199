//! The JSON that several calls share.
//!
//! AWS's words are taken as they are; only what a key cannot be without, its ARN and its kind, must be there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};

use crate::domain::key::aws_enums::{ExpirationModel, KeyManager, KeyState, MultiRegionKind, Origin};
use crate::domain::key::days::DeletionWindow;
use crate::domain::key::material::MaterialId;
use crate::domain::key::metadata::{Algorithms, KeyMetadata, MultiRegion};
use crate::domain::key::name::{AwsKeyId, KeyArn};
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::key::tag::Tag;
use crate::domain::time::Time;

/// A request with nothing but a key's id.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyIdBody<'a> {
    key_id: &'a str,
}

impl<'a> KeyIdBody<'a> {
    pub(super) fn of(key: &'a AwsKeyId) -> Self {
        Self { key_id: key.as_str() }
    }
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

/// Bytes in base64, as AWS wants them in JSON.
pub(super) struct Blob<'a>(pub(super) &'a [u8]);

impl Serialize for Blob<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(self.0))
    }
}

pub(super) fn is_false(value: &bool) -> bool {
    !value
}

/// A moment as AWS's JSON has it: seconds since 1970, with a fraction down to the millisecond.
pub(super) fn moment(seconds: f64) -> Time {
    Time::from_nanos(((seconds * 1_000.0).round() as i64).saturating_mul(1_000_000))
}

/// An answer whose members are of no interest.
#[derive(Deserialize)]
pub(super) struct NoMembers {}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyMetadataBody {
    arn: String,
    key_id: Option<String>,
    #[serde(rename = "AWSAccountId")]
    account_id: Option<String>,
    creation_date: Option<f64>,
    description: Option<String>,
    enabled: Option<bool>,
    key_spec: Option<String>,
    customer_master_key_spec: Option<String>,
    key_usage: Option<String>,
    key_state: Option<String>,
    origin: Option<String>,
    key_manager: Option<String>,
    multi_region_configuration: Option<MultiRegionConfiguration>,
    deletion_date: Option<f64>,
    pending_deletion_window_in_days: Option<i64>,
    valid_to: Option<f64>,
    expiration_model: Option<String>,
    encryption_algorithms: Option<Vec<String>>,
    signing_algorithms: Option<Vec<String>>,
    mac_algorithms: Option<Vec<String>>,
    key_agreement_algorithms: Option<Vec<String>>,
    encapsulation_algorithms: Option<Vec<String>>,
    current_key_material_id: Option<String>,
    custom_key_store_id: Option<String>,
    cloud_hsm_cluster_id: Option<String>,
    xks_key_configuration: Option<XksKeyConfiguration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct XksKeyConfiguration {
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MultiRegionConfiguration {
    multi_region_key_type: String,
    primary_key: Relative,
    #[serde(default)]
    replica_keys: Vec<Relative>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Relative {
    arn: String,
}

impl KeyMetadataBody {
    pub(super) fn metadata(self) -> Result<KeyMetadata, String> {
        let arn = KeyArn::parse(&self.arn).map_err(|error| error.to_string())?;
        self.is_coherent_with(&arn)?;
        let spec = self.key_spec.or(self.customer_master_key_spec).ok_or("a key without KeySpec")?;
        let state = self.key_state.ok_or("a key without KeyState")?;
        let state = KeyState::parse(&state);
        Ok(KeyMetadata {
            created_at: self.creation_date.map(moment),
            description: self.description.unwrap_or_default(),
            enabled: self.enabled.unwrap_or(state == KeyState::Enabled),
            spec: KeySpec::parse(&spec),
            usage: KeyUsage::parse(&self.key_usage.ok_or("a key without KeyUsage")?),
            state,
            origin: Origin::parse(self.origin.as_deref().unwrap_or("AWS_KMS")),
            manager: KeyManager::parse(self.key_manager.as_deref().unwrap_or("CUSTOMER")),
            multi_region: self.multi_region_configuration.map(MultiRegionConfiguration::family).transpose()?,
            deletion_date: self.deletion_date.map(moment),
            pending_window: self.pending_deletion_window_in_days.and_then(|days| DeletionWindow::parse(days).ok()),
            valid_to: self.valid_to.map(moment),
            expiration_model: self.expiration_model.as_deref().map(ExpirationModel::parse),
            algorithms: Algorithms {
                encryption: self.encryption_algorithms.unwrap_or_default(),
                signing: self.signing_algorithms.unwrap_or_default(),
                mac: self.mac_algorithms.unwrap_or_default(),
                key_agreement: self.key_agreement_algorithms.unwrap_or_default(),
                encapsulation: self.encapsulation_algorithms.unwrap_or_default(),
            },
            current_material: self.current_key_material_id.as_deref().map(MaterialId::told),
            custom_key_store_id: self.custom_key_store_id,
            cloud_hsm_cluster_id: self.cloud_hsm_cluster_id,
            xks_key_id: self.xks_key_configuration.and_then(|configuration| configuration.id),
            arn,
        })
    }

    fn is_coherent_with(&self, arn: &KeyArn) -> Result<(), String> {
        let id = self.key_id.as_ref().is_none_or(|id| id == arn.id().as_str());
        let account = self.account_id.as_ref().is_none_or(|account| *account == arn.account().to_string());
        if id && account { Ok(()) } else { Err(format!("`{arn}` with another key's id or account")) }
    }
}

impl MultiRegionConfiguration {
    fn family(self) -> Result<MultiRegion, String> {
        let arn = |relative: Relative| KeyArn::parse(&relative.arn).map_err(|error| error.to_string());
        Ok(MultiRegion {
            kind: MultiRegionKind::parse(&self.multi_region_key_type),
            primary: arn(self.primary_key)?,
            replicas: self.replica_keys.into_iter().map(arn).collect::<Result<_, _>>()?,
        })
    }
}
