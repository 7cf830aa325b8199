//! What KMS answers, read into the domain's terms.
//!
//! AWS's words are taken as they are; only what a key cannot be without, its ARN and its kind, must be there.

use serde::Deserialize;

use super::port::Alias;
use crate::aws::page::Page;
use crate::domain::key::aws_enums::{ExpirationModel, KeyManager, KeyState, MultiRegionKind, Origin};
use crate::domain::key::days::{DeletionWindow, RotationPeriod};
use crate::domain::key::material::{ImportState, MaterialId, MaterialState, RotationKind};
use crate::domain::key::metadata::{Algorithms, KeyMetadata, MultiRegion, Rotation, RotationStatus};
use crate::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::time::Time;

/// A moment as AWS's JSON has it: seconds since 1970, with a fraction down to the millisecond.
pub(super) fn moment(seconds: f64) -> Time {
    Time::from_nanos(((seconds * 1_000.0).round() as i64).saturating_mul(1_000_000))
}

/// An answer whose members are of no interest.
#[derive(Deserialize)]
pub(super) struct Done {}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneKey {
    key_metadata: MetadataBody,
}

impl OneKey {
    pub(super) fn metadata(self) -> Result<KeyMetadata, String> {
        self.key_metadata.metadata()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneReplica {
    replica_key_metadata: MetadataBody,
}

impl OneReplica {
    pub(super) fn metadata(self) -> Result<KeyMetadata, String> {
        self.replica_key_metadata.metadata()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetadataBody {
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

impl MetadataBody {
    fn metadata(self) -> Result<KeyMetadata, String> {
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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyRotationStatus {
    key_rotation_enabled: bool,
    rotation_period_in_days: Option<i64>,
    next_rotation_date: Option<f64>,
    on_demand_rotation_start_date: Option<f64>,
}

impl KeyRotationStatus {
    pub(super) fn status(self) -> RotationStatus {
        RotationStatus {
            enabled: self.key_rotation_enabled,
            period: self.rotation_period_in_days.and_then(|days| RotationPeriod::parse(days).ok()),
            next: self.next_rotation_date.map(moment),
            on_demand_started: self.on_demand_rotation_start_date.map(moment),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyRotations {
    #[serde(default)]
    rotations: Vec<RotationsListEntry>,
    next_marker: Option<String>,
    truncated: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RotationsListEntry {
    key_material_id: Option<String>,
    key_material_description: Option<String>,
    key_material_state: Option<String>,
    import_state: Option<String>,
    expiration_model: Option<String>,
    valid_to: Option<f64>,
    rotation_date: Option<f64>,
    rotation_type: Option<String>,
}

impl KeyRotations {
    pub(super) fn page(self) -> Page<Rotation> {
        let rows = self.rotations.into_iter().map(|row| Rotation {
            material: row.key_material_id.as_deref().map(MaterialId::told),
            state: row.key_material_state.as_deref().map(MaterialState::parse),
            import_state: row.import_state.as_deref().map(ImportState::parse),
            rotated_at: row.rotation_date.map(moment),
            kind: row.rotation_type.as_deref().map(RotationKind::parse),
            expiration_model: row.expiration_model.as_deref().map(ExpirationModel::parse),
            valid_to: row.valid_to.map(moment),
            description: row.key_material_description,
        });
        Page::of(rows.collect(), self.truncated, self.next_marker)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Imported {
    key_material_id: Option<String>,
}

impl Imported {
    pub(super) fn material(self) -> Option<MaterialId> {
        self.key_material_id.as_deref().map(MaterialId::told)
    }
}

/// ListKeys. One entry of a shape that is not known here must not hide the others.
pub(super) fn keys(answer: rusoto_kms::ListKeysResponse) -> Page<KeyArn> {
    let entries = answer.keys.unwrap_or_default().into_iter().filter_map(|entry| entry.key_arn);
    let read = entries.filter_map(|arn| {
        let key = KeyArn::parse(&arn);
        key.inspect_err(|error| tracing::warn!(%error, "AWS listed a key that is left out")).ok()
    });
    Page::of(read.collect(), answer.truncated, answer.next_marker)
}

/// ListAliases, with the same care.
pub(super) fn aliases(answer: rusoto_kms::ListAliasesResponse) -> Page<Alias> {
    let read = answer.aliases.unwrap_or_default().into_iter().filter_map(|entry| {
        let name = AliasName::parse(&entry.alias_name.unwrap_or_default());
        let name = name.inspect_err(|error| tracing::warn!(%error, "AWS listed an alias that is left out")).ok()?;
        let target = entry.target_key_id.and_then(|id| AwsKeyId::parse(&id).ok());
        Some(Alias { name, target })
    });
    Page::of(read.collect(), answer.truncated, answer.next_marker)
}
