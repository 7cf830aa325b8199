//! The metadata of a key, as AWS reports it.

use std::sync::Arc;

use super::aws_enums::{ExpirationModel, KeyManager, KeyState, MultiRegionKind, Origin};
use super::days::{DeletionWindow, RotationPeriod};
use super::material::{ImportState, MaterialId, MaterialState, RotationKind};
use super::name::{AwsKeyId, KeyArn};
use super::spec::{KeySpec, KeyUsage};
use crate::domain::place::{AccountId, Region};
use crate::domain::time::Time;

/// The metadata that DescribeKey returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMetadata {
    pub arn: KeyArn,
    pub created_at: Option<Time>,
    pub description: String,
    pub enabled: bool,
    pub spec: KeySpec,
    pub usage: KeyUsage,
    pub state: KeyState,
    pub origin: Origin,
    pub manager: KeyManager,
    /// The multi-region family, if the key belongs to one.
    pub multi_region: Option<Box<MultiRegion>>,
    /// When AWS will delete the key.
    pub deletion_date: Option<Time>,
    /// The waiting period that begins once the last replica is gone.
    pub pending_window: Option<DeletionWindow>,
    /// When the imported material expires.
    pub valid_to: Option<Time>,
    pub expiration_model: Option<ExpirationModel>,
    pub algorithms: Arc<Algorithms>,
    /// The material that encrypts, for symmetric keys.
    pub current_material: Option<MaterialId>,
    pub custom_key_store_id: Option<String>,
    pub cloud_hsm_cluster_id: Option<String>,
    /// The id of the key in its external key manager.
    pub xks_key_id: Option<String>,
}

/// The algorithms of a key, in AWS's words. All but one of the lists are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Algorithms {
    pub encryption: Vec<String>,
    pub signing: Vec<String>,
    pub mac: Vec<String>,
    pub key_agreement: Vec<String>,
    pub encapsulation: Vec<String>,
}

/// A family of keys in several regions, which share id and material.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiRegion {
    /// Whether the key itself is the primary or a replica.
    pub kind: MultiRegionKind,
    pub primary: KeyArn,
    pub replicas: Vec<KeyArn>,
}

impl KeyMetadata {
    pub fn key_id(&self) -> &AwsKeyId {
        self.arn.id()
    }

    pub fn account(&self) -> AccountId {
        self.arn.account()
    }

    pub fn region(&self) -> &Region {
        self.arn.region()
    }

    pub fn is_pending_deletion(&self) -> bool {
        matches!(self.state, KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)
    }
}

/// The rotation of a key by AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RotationStatus {
    /// Whether automatic rotation is enabled.
    pub enabled: bool,
    /// The period of automatic rotation.
    pub period: Option<RotationPeriod>,
    /// When the next automatic rotation is due.
    pub next: Option<Time>,
    /// When an on-demand rotation that is in progress began.
    pub on_demand_started: Option<Time>,
}

/// One material of a key and the rotation that made it current, as ListKeyRotations returns them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    pub material: Option<MaterialId>,
    pub state: Option<MaterialState>,
    /// Whether AWS has the material, if it is imported.
    pub import_state: Option<ImportState>,
    /// When the material became current; `None` for the first one.
    pub rotated_at: Option<Time>,
    /// The cause of the rotation; `None` for the first material.
    pub kind: Option<RotationKind>,
    pub expiration_model: Option<ExpirationModel>,
    pub valid_to: Option<Time>,
    /// The description that was given with the import.
    pub description: Option<String>,
}
