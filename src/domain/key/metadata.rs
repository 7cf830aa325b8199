//! What AWS says of a key: facts, not wishes.

use std::sync::Arc;

use super::aws_enums::{ExpirationModel, KeyManager, KeyState, MultiRegionKind, Origin};
use super::days::{DeletionWindow, RotationPeriod};
use super::material::{ImportState, MaterialId, MaterialState, RotationKind};
use super::name::{AwsKeyId, KeyArn};
use super::spec::{KeySpec, KeyUsage};
use crate::domain::place::{AccountId, Region};
use crate::domain::time::Time;

/// A key as DescribeKey shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMetadata {
    /// The key, with its account and region.
    pub arn: KeyArn,
    pub created_at: Option<Time>,
    /// What it is for, in somebody's words.
    pub description: String,
    /// Whether it can be used.
    pub enabled: bool,
    pub spec: KeySpec,
    pub usage: KeyUsage,
    /// Why it can or cannot be used.
    pub state: KeyState,
    /// Where its material comes from.
    pub origin: Origin,
    pub manager: KeyManager,
    /// Its family over several regions, if it is of one.
    pub multi_region: Option<Box<MultiRegion>>,
    /// When it will be deleted.
    pub deletion_date: Option<Time>,
    /// How long AWS will wait once the last replica is gone.
    pub pending_window: Option<DeletionWindow>,
    /// When its imported material ends.
    pub valid_to: Option<Time>,
    /// Whether its imported material ends.
    pub expiration_model: Option<ExpirationModel>,
    /// With what it can be used.
    pub algorithms: Arc<Algorithms>,
    /// The material that it encrypts with, for symmetric keys.
    pub current_material: Option<MaterialId>,
    /// The custom key store that holds it.
    pub custom_key_store_id: Option<String>,
    /// The CloudHSM cluster that holds it.
    pub cloud_hsm_cluster_id: Option<String>,
    /// Its id in the key manager outside AWS that holds it.
    pub xks_key_id: Option<String>,
}

/// What a key can be used with, in AWS's words. All but one of the lists are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Algorithms {
    pub encryption: Vec<String>,
    pub signing: Vec<String>,
    /// To make message authentication codes.
    pub mac: Vec<String>,
    /// To agree on a secret.
    pub key_agreement: Vec<String>,
    pub encapsulation: Vec<String>,
}

/// A family of keys that share id and material over several regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiRegion {
    /// Whether it is the primary or a replica.
    pub kind: MultiRegionKind,
    /// The one that the others are made from.
    pub primary: KeyArn,
    pub replicas: Vec<KeyArn>,
}

impl KeyMetadata {
    /// AWS's id of the key.
    pub fn key_id(&self) -> &AwsKeyId {
        self.arn.id()
    }

    /// The account that owns it.
    pub fn account(&self) -> AccountId {
        self.arn.account()
    }

    /// The region that it is in.
    pub fn region(&self) -> &Region {
        self.arn.region()
    }

    /// Whether it will be deleted.
    pub fn is_pending_deletion(&self) -> bool {
        matches!(self.state, KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)
    }
}

/// Whether and when AWS rotates a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RotationStatus {
    /// Whether it does so by itself.
    pub enabled: bool,
    /// How often, if it does.
    pub period: Option<RotationPeriod>,
    /// When next, if it does.
    pub next: Option<Time>,
    /// Since when a rotation that somebody asked for is under way.
    pub on_demand_started: Option<Time>,
}

/// One material of a key, and how it became the current one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The material, where AWS names it.
    pub material: Option<MaterialId>,
    /// What it is used for.
    pub state: Option<MaterialState>,
    /// Whether it is there, if it is imported.
    pub import_state: Option<ImportState>,
    /// When it became current; not for the first one.
    pub rotated_at: Option<Time>,
    /// Why it became current; not for the first one.
    pub kind: Option<RotationKind>,
    /// Whether it ends, if it is imported.
    pub expiration_model: Option<ExpirationModel>,
    pub valid_to: Option<Time>,
    /// What the importer said about it.
    pub description: Option<String>,
}
