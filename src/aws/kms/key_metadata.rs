//! KMS's `KeyMetadata`, which several calls return.
//!
//! Unknown values of AWS's enums are accepted. Only the members that identify and describe every key are required: ARN,
//! spec, usage and state.

use std::sync::Arc;

use serde::Deserialize;

use super::json::moment;
use crate::aws::fault::Fault;
use crate::domain::key::aws_enums::{ExpirationModel, KeyManager, KeyState, MultiRegionKind, Origin};
use crate::domain::key::days::DeletionWindow;
use crate::domain::key::material::MaterialId;
use crate::domain::key::metadata::{Algorithms, KeyMetadata, MultiRegion};
use crate::domain::key::name::KeyArn;
use crate::domain::key::spec::{KeySpec, KeyUsage};

/// The answer of CreateKey, DescribeKey and ReplicateKey.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyMetadataAnswer {
    #[serde(alias = "ReplicaKeyMetadata")]
    key_metadata: KeyMetadataBody,
}

impl KeyMetadataAnswer {
    pub(super) fn metadata(self) -> Result<KeyMetadata, Fault> {
        self.key_metadata.metadata().map_err(Fault::Unintelligible)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyMetadataBody {
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
            multi_region: self.multi_region_configuration.map(|family| family.family().map(Box::new)).transpose()?,
            deletion_date: self.deletion_date.map(moment),
            pending_window: self.pending_deletion_window_in_days.and_then(|days| DeletionWindow::parse(days).ok()),
            valid_to: self.valid_to.map(moment),
            expiration_model: self.expiration_model.as_deref().map(ExpirationModel::parse),
            algorithms: Arc::new(Algorithms {
                encryption: self.encryption_algorithms.unwrap_or_default(),
                signing: self.signing_algorithms.unwrap_or_default(),
                mac: self.mac_algorithms.unwrap_or_default(),
                key_agreement: self.key_agreement_algorithms.unwrap_or_default(),
                encapsulation: self.encapsulation_algorithms.unwrap_or_default(),
            }),
            current_material: self.current_key_material_id.as_deref().map(MaterialId::new),
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::calls::DescribeKey;
    use super::super::fake_kms::{FAMILY, answered, key, metadata};
    use super::*;
    use crate::aws::failure::AwsFailure;
    use crate::domain::time::Time;

    async fn described(key_metadata: Value) -> Result<KeyMetadata, AwsFailure> {
        answered(DescribeKey::of(key()), json!({"KeyMetadata": key_metadata})).await
    }

    #[tokio::test]
    async fn all_members_of_the_metadata_are_read() {
        let arn = |region: &str| format!("arn:aws:kms:{region}:123456789012:key/{FAMILY}");
        let body = json!({
            "AWSAccountId": "123456789012", "KeyId": FAMILY, "Arn": arn("eu-west-3"), "CreationDate": 1_700_000_000.125,
            "Enabled": false, "Description": "for wages", "KeyUsage": "KEY_AGREEMENT", "KeyState": "PendingReplicaDeletion",
            "ValidTo": 1_800_000_000, "Origin": "EXTERNAL", "ExpirationModel": "KEY_MATERIAL_EXPIRES",
            "KeyManager": "CUSTOMER", "KeySpec": "ECC_NIST_P521", "CustomerMasterKeySpec": "ECC_NIST_P521",
            "KeyAgreementAlgorithms": ["ECDH"], "MultiRegion": true, "PendingDeletionWindowInDays": 7,
            "CurrentKeyMaterialId": "0f", "SomethingNew": [1],
            "MultiRegionConfiguration": {
                "MultiRegionKeyType": "PRIMARY", "PrimaryKey": {"Arn": arn("eu-west-3"), "Region": "eu-west-3"},
                "ReplicaKeys": [{"Arn": arn("eu-west-1"), "Region": "eu-west-1"}]},
            "CustomKeyStoreId": "cks-1", "CloudHsmClusterId": "cluster-1", "XksKeyConfiguration": {"Id": "x1"}});
        let metadata = described(body).await.expect("answered");
        assert_eq!((metadata.key_id().as_str(), metadata.region().as_str()), (FAMILY, "eu-west-3"));
        assert_eq!(metadata.created_at.expect("known").to_string(), "2023-11-14T22:13:20.125Z");
        assert_eq!((metadata.spec.clone(), metadata.usage.clone()), (KeySpec::EccNistP521, KeyUsage::KeyAgreement));
        assert_eq!((&metadata.state, &metadata.origin), (&KeyState::PendingReplicaDeletion, &Origin::External));
        assert_eq!((metadata.manager.clone(), metadata.enabled), (KeyManager::Customer, false));
        assert_eq!(metadata.expiration_model, Some(ExpirationModel::Expires));
        assert_eq!(metadata.valid_to.map(Time::seconds), Some(1_800_000_000));
        assert_eq!(metadata.pending_window.map(DeletionWindow::days), Some(7));
        assert_eq!(metadata.algorithms.key_agreement, ["ECDH"]);
        assert_eq!(metadata.current_material, Some(MaterialId::new("0f")));
        assert_eq!(metadata.custom_key_store_id.as_deref(), Some("cks-1"));
        assert_eq!(metadata.cloud_hsm_cluster_id.as_deref(), Some("cluster-1"));
        assert_eq!(metadata.xks_key_id.as_deref(), Some("x1"));
        let family = metadata.multi_region.expect("it is of one");
        assert_eq!((family.kind, family.primary.to_string()), (MultiRegionKind::Primary, arn("eu-west-3")));
        assert_eq!(family.replicas.iter().map(ToString::to_string).collect::<Vec<_>>(), [arn("eu-west-1")]);
    }

    #[tokio::test]
    async fn unknown_enum_values_are_kept() {
        let mut body = metadata();
        let words = [("KeySpec", "SLH_DSA_1"), ("KeyState", "Resting"), ("KeyUsage", "THINK"), ("Origin", "MOON")];
        words.iter().for_each(|(member, word)| body[member] = (*word).into());
        let metadata = described(body).await.expect("answered");
        let words =
            [metadata.spec.as_str(), metadata.state.as_str(), metadata.usage.as_str(), metadata.origin.as_str()];
        assert_eq!(words, ["SLH_DSA_1", "Resting", "THINK", "MOON"]);
    }

    #[tokio::test]
    async fn metadata_with_a_different_key_or_account_is_rejected() {
        for (member, value) in [("KeyId", FAMILY), ("AWSAccountId", "210987654321"), ("Arn", "arn:aws:s3:::bucket")] {
            let mut body = metadata();
            body[member] = value.into();
            let outcome = described(body).await;
            assert!(matches!(outcome, Err(AwsFailure::Unintelligible { .. })), "{outcome:?}");
        }
    }
}
