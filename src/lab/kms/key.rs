//! A key with its replicas. The replicas share the key's own members; a [`Placement`] has the members of one region.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::crypto::Slot;
use super::custom_key_store::Membership;
use super::exception;
use super::grant::IssuedGrant;
use super::spec::{Spec, Usage};
use crate::lab::refusal::Refusal;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Key {
    /// A UUID, or `mrk-` and 32 hexadecimal digits.
    pub id: String,
    pub account: String,
    pub partition: String,
    pub spec: Spec,
    pub usage: Usage,
    pub origin: Origin,
    /// The service of an AWS managed key; `None` for a customer managed key.
    pub managed_for: Option<String>,
    pub multi_region: bool,
    /// The region of the primary key, or the region of a single-region key.
    pub primary: String,
    /// The materials, oldest first. The last one that is not pending is the current one.
    pub materials: Vec<Material>,
    pub rotation: Option<Rotation>,
    pub on_demand_rotations: u32,
    pub placements: BTreeMap<String, Placement>,
    /// The place of a key in a custom key store.
    #[serde(default)]
    pub custom_key_store: Option<Membership>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Origin {
    AwsKms,
    External,
    AwsCloudHsm,
    ExternalKeyStore,
}

/// One material of a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Material {
    /// 64 hexadecimal digits; empty for a generated key pair, for which AWS shows no id.
    pub id: String,
    pub secret: Slot,
    pub standing: Standing,
    pub description: Option<String>,
}

/// The rotation state of a material.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Standing {
    First,
    Rotated { at: DateTime<Utc>, on_demand: bool },
    Pending,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rotation {
    pub period_days: i64,
    pub next: DateTime<Utc>,
}

/// The members of a key in one region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Placement {
    pub created: DateTime<Utc>,
    pub enabled: bool,
    pub description: String,
    pub policy: String,
    pub tags: BTreeMap<String, String>,
    pub deletion: Option<Deletion>,
    /// The time at which a new replica is ready. Its state is `Creating` until then.
    #[serde(default)]
    pub ready: Option<DateTime<Utc>>,
    /// The ids of the materials that are imported in the region, and their expiry.
    pub imports: BTreeMap<String, Option<DateTime<Utc>>>,
    #[serde(default)]
    pub grants: Vec<IssuedGrant>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Deletion {
    At(DateTime<Utc>),
    /// `days` after the deletion of the last replica.
    AfterReplicas {
        days: i64,
    },
}

/// The key states of AWS that occur in the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyState {
    Creating,
    Enabled,
    Disabled,
    PendingImport,
    PendingDeletion,
    PendingReplicaDeletion,
    /// The custom key store of the key is not connected.
    Unavailable,
}

impl KeyState {
    pub(super) fn name(self) -> &'static str {
        match self {
            KeyState::Creating => "Creating",
            KeyState::Enabled => "Enabled",
            KeyState::Disabled => "Disabled",
            KeyState::PendingImport => "PendingImport",
            KeyState::PendingDeletion => "PendingDeletion",
            KeyState::PendingReplicaDeletion => "PendingReplicaDeletion",
            KeyState::Unavailable => "Unavailable",
        }
    }
}

impl Origin {
    pub(super) fn name(self) -> &'static str {
        match self {
            Origin::AwsKms => "AWS_KMS",
            Origin::External => "EXTERNAL",
            Origin::AwsCloudHsm => "AWS_CLOUDHSM",
            Origin::ExternalKeyStore => "EXTERNAL_KEY_STORE",
        }
    }
}

impl Material {
    /// The id of the material that `identifying_bytes` identifies: a secret, or the public key of a key pair.
    pub(super) fn id_of(key_id: &str, identifying_bytes: &[u8]) -> String {
        let hash = digest(&SHA256, &[key_id.as_bytes(), identifying_bytes].concat());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether the material is permanently associated with the key, in contrast to pending material.
    pub(super) fn is_associated(&self) -> bool {
        self.standing != Standing::Pending
    }
}

impl Key {
    /// The ARN in a region.
    pub(super) fn arn(&self, region: &str) -> String {
        format!("arn:{}:kms:{region}:{}:key/{}", self.partition, self.account, self.id)
    }

    /// The members of a region.
    ///
    /// # Errors
    /// `NotFoundException` if the key is not in the region.
    pub(super) fn placement(&self, region: &str) -> Result<&Placement, Refusal> {
        self.placements.get(region).ok_or_else(|| exception::no_such_key(&self.arn(region)))
    }

    /// The members of a region, mutable.
    ///
    /// # Errors
    /// `NotFoundException` if the key is not in the region.
    pub(super) fn placement_mut(&mut self, region: &str) -> Result<&mut Placement, Refusal> {
        let arn = self.arn(region);
        self.placements.get_mut(region).ok_or_else(|| exception::no_such_key(&arn))
    }

    /// The state in a region.
    pub(super) fn state(&self, region: &str) -> KeyState {
        let Some(placement) = self.placements.get(region) else { return KeyState::PendingDeletion };
        match &placement.deletion {
            Some(Deletion::At(_)) => KeyState::PendingDeletion,
            Some(Deletion::AfterReplicas { .. }) => KeyState::PendingReplicaDeletion,
            None if placement.ready.is_some() => KeyState::Creating,
            None if self.custom_key_store.as_ref().is_some_and(|member| !member.connected) => KeyState::Unavailable,
            None if !self.is_complete(placement) => KeyState::PendingImport,
            None if placement.enabled => KeyState::Enabled,
            None => KeyState::Disabled,
        }
    }

    /// Whether all associated material is imported in the region.
    pub(super) fn is_complete(&self, placement: &Placement) -> bool {
        let mut associated = self.materials.iter().filter(|material| material.is_associated()).peekable();
        self.origin != Origin::External
            || (associated.peek().is_some() && associated.all(|material| placement.imports.contains_key(&material.id)))
    }

    /// The current material.
    pub(super) fn current(&self) -> Option<&Material> {
        self.materials.iter().rev().find(|material| material.is_associated())
    }

    /// Requires that the key is created and no deletion is pending.
    ///
    /// # Errors
    /// `KMSInvalidStateException`.
    pub(super) fn require_not_deleted(&self, region: &str) -> Result<(), Refusal> {
        let state = match self.state(region) {
            KeyState::Creating => "creating",
            KeyState::PendingDeletion => "pending deletion",
            KeyState::PendingReplicaDeletion => "pending replica deletion",
            _ => return Ok(()),
        };
        Err(exception::invalid_state(format!("{} is {state}.", self.arn(region))))
    }

    /// Requires that the key has its material and no deletion is pending.
    ///
    /// # Errors
    /// `KMSInvalidStateException`.
    pub(super) fn require_material(&self, region: &str) -> Result<(), Refusal> {
        self.require_not_deleted(region)?;
        match self.state(region) {
            KeyState::PendingImport => {
                Err(exception::invalid_state(format!("{} is pending import.", self.arn(region))))
            }
            _ => Ok(()),
        }
    }

    /// Requires the state `Enabled`.
    ///
    /// # Errors
    /// `KMSInvalidStateException` or `DisabledException`.
    pub(super) fn require_enabled(&self, region: &str) -> Result<(), Refusal> {
        self.require_material(region)?;
        match self.state(region) {
            KeyState::Unavailable if self.origin == Origin::ExternalKeyStore => {
                let why = "This KMS key is in a custom key store that is not connected to its external key store \
                           proxy. Connect the external key store and try the request again.";
                Err(exception::invalid_state(why))
            }
            KeyState::Unavailable => Err(exception::invalid_state(format!("{} is unavailable.", self.arn(region)))),
            KeyState::Disabled => Err(exception::disabled(format!("{} is disabled.", self.arn(region)))),
            _ => Ok(()),
        }
    }

    /// AWS's `KeyMetadata`.
    ///
    /// # Errors
    /// `NotFoundException` if the key is not in the region.
    pub(super) fn metadata(&self, region: &str) -> Result<Value, Refusal> {
        let placement = self.placement(region)?;
        let state = self.state(region);
        let mut metadata = json!({
            "AWSAccountId": self.account,
            "KeyId": self.id,
            "Arn": self.arn(region),
            "CreationDate": seconds(placement.created),
            "Enabled": state == KeyState::Enabled,
            "Description": placement.description,
            "KeyState": state.name(),
            "Origin": self.origin.name(),
            "KeyManager": if self.managed_for.is_some() { "AWS" } else { "CUSTOMER" },
            "MultiRegion": self.multi_region,
        });
        self.spec.describe(self.usage, &mut metadata);
        match placement.deletion {
            Some(Deletion::At(date)) => metadata["DeletionDate"] = json!(seconds(date)),
            Some(Deletion::AfterReplicas { days }) => metadata["PendingDeletionWindowInDays"] = json!(days),
            None => {}
        }
        if self.origin == Origin::External {
            self.describe_expiry(placement, &mut metadata);
        }
        if self.multi_region {
            metadata["MultiRegionConfiguration"] = self.multi_region_configuration(region);
        }
        if let Some(member) = &self.custom_key_store {
            metadata["CustomKeyStoreId"] = json!(member.store);
            if let Some(cluster) = &member.cluster {
                metadata["CloudHsmClusterId"] = json!(cluster);
            }
            if let Some(id) = &member.xks_key_id {
                metadata["XksKeyConfiguration"] = json!({ "Id": id });
            }
        }
        // Keys in custom key stores do not rotate, so that AWS does not show their material.
        let shows_material = self.spec.is_symmetric() && state != KeyState::Creating && self.custom_key_store.is_none();
        if let Some(current) = self.current().filter(|_| shows_material) {
            metadata["CurrentKeyMaterialId"] = json!(current.id);
        }
        Ok(metadata)
    }

    fn describe_expiry(&self, placement: &Placement, metadata: &mut Value) {
        let here = self.materials.iter().filter(|material| material.is_associated());
        let imports: Vec<_> = here.filter_map(|material| placement.imports.get(&material.id)).collect();
        if imports.is_empty() {
            return;
        }
        let earliest = imports.into_iter().flatten().min();
        metadata["ExpirationModel"] = json!(expiration_model(earliest.copied()));
        if let Some(date) = earliest {
            metadata["ValidTo"] = json!(seconds(*date));
        }
    }

    fn multi_region_configuration(&self, region: &str) -> Value {
        let place = |region: &String| json!({ "Arn": self.arn(region), "Region": region });
        let replicas: Vec<Value> =
            self.placements.keys().filter(|region| **region != self.primary).map(place).collect();
        json!({
            "MultiRegionKeyType": if region == self.primary { "PRIMARY" } else { "REPLICA" },
            "PrimaryKey": place(&self.primary),
            "ReplicaKeys": replicas,
        })
    }

    /// The date of the next deletion, expiry, automatic rotation, or end of the creation of a replica.
    pub(super) fn next_due(&self) -> Option<DateTime<Utc>> {
        let placements = self.placements.values();
        let ends = placements.clone().filter_map(|placement| match placement.deletion {
            Some(Deletion::At(date)) => Some(date),
            _ => None,
        });
        let ready = placements.clone().filter_map(|placement| placement.ready);
        let expiries = placements.flat_map(|placement| placement.imports.values().flatten().copied());
        // A key that is not enabled does not rotate. An overdue rotation follows when it is enabled again.
        let enabled = self.state(&self.primary) == KeyState::Enabled;
        let rotation = self.rotation.as_ref().filter(|_| enabled).map(|rotation| rotation.next);
        ends.chain(ready).chain(expiries).chain(rotation).min()
    }

    /// Carries out the creations, deletions, expiries and rotations that are due. A key without placements is deleted.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if the system provides no randomness.
    pub(super) fn apply_due(&mut self, at: DateTime<Utc>) -> Result<(), Refusal> {
        let ended = |placement: &Placement| matches!(placement.deletion, Some(Deletion::At(date)) if date <= at);
        self.placements.retain(|_, placement| !ended(placement));
        for placement in self.placements.values_mut() {
            placement.ready = placement.ready.filter(|date| *date > at);
        }
        let alone = self.placements.len() == 1;
        if let Some(primary) = self.placements.get_mut(&self.primary)
            && let Some(Deletion::AfterReplicas { days }) = primary.deletion
            && alone
        {
            primary.deletion = Some(Deletion::At(at + TimeDelta::days(days)));
        }
        let expired: Vec<(String, String)> = self
            .placements
            .iter()
            .flat_map(|(region, placement)| {
                let due = placement.imports.iter().filter(|(_, valid_to)| valid_to.is_some_and(|date| date <= at));
                due.map(|(material, _)| (region.clone(), material.clone()))
            })
            .collect();
        for (region, material) in expired {
            self.forget_import(&region, &material);
        }
        let enabled = self.state(&self.primary) == KeyState::Enabled;
        if let Some(rotation) = self.rotation.as_mut().filter(|rotation| enabled && rotation.next <= at) {
            rotation.next += TimeDelta::days(rotation.period_days);
            self.rotate_natively(at, false)?;
        }
        Ok(())
    }

    /// Deletes imported material from a region. Pending material of the primary key is deleted from all regions.
    pub(super) fn forget_import(&mut self, region: &str, id: &str) {
        let pending = self.materials.iter().any(|material| material.id == id && !material.is_associated());
        let everywhere = pending && region == self.primary;
        for (place, placement) in &mut self.placements {
            if everywhere || place == region {
                placement.imports.remove(id);
            }
        }
        if everywhere {
            self.materials.retain(|material| material.id != id);
        } else if !self.placements.values().any(|placement| placement.imports.contains_key(id)) {
            let forgotten = self.materials.iter_mut().filter(|material| material.id == id);
            forgotten.for_each(|material| material.secret = Slot::default());
        }
    }
}

/// A timestamp in KMS's JSON: seconds since 1970, with milliseconds as a fraction.
pub(super) fn seconds(time: DateTime<Utc>) -> f64 {
    #[allow(clippy::cast_precision_loss)] // exact for some hundred thousand years
    let millis = time.timestamp_millis() as f64;
    millis / 1000.0
}

pub(super) fn expiration_model(valid_to: Option<DateTime<Utc>>) -> &'static str {
    if valid_to.is_some() { "KEY_MATERIAL_EXPIRES" } else { "KEY_MATERIAL_DOES_NOT_EXPIRE" }
}
