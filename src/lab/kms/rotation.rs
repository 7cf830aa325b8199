//! Automatic and on-demand rotation of symmetric keys.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::call::{Call, Names};
use super::crypto::{self, Slot};
use super::key::{Key, KeyState, Material, Origin, Rotation, Standing, expiration_model, seconds};
use super::page::PageRequest;
use super::request::Request;
use super::{Answer, exception};
use crate::lab::refusal::Refusal;

const PERIOD_DAYS: (i64, i64) = (90, 2560);
const DEFAULT_PERIOD_DAYS: i64 = 365;
/// AWS's limit of on-demand rotations for a key.
const MAX_ON_DEMAND: u32 = 25;
/// The time before an automatic rotation in which an on-demand rotation is refused.
const MINUTES_BEFORE: i64 = 20;

impl Key {
    /// Rotates the key to new generated material.
    ///
    /// # Errors
    /// As for [`crypto::random`].
    pub(super) fn rotate_natively(&mut self, at: DateTime<Utc>, on_demand: bool) -> Result<(), Refusal> {
        let secret = crypto::generate(self.spec, &self.partition)?;
        self.materials.push(Material {
            id: Material::id_of(&self.id, &secret),
            secret: Slot::of(secret),
            standing: Standing::Rotated { at, on_demand },
            description: None,
        });
        Ok(())
    }

    /// The material that is pending rotation, if it is imported in all regions of the key.
    fn pending_material(&mut self) -> Option<&mut Material> {
        let placements = &self.placements;
        self.materials.iter_mut().find(|material| {
            !material.is_associated()
                && placements.values().all(|placement| placement.imports.contains_key(&material.id))
        })
    }

    fn require_rotatable(&self) -> Result<(), Refusal> {
        // AWS answers without a message.
        if self.spec.is_symmetric() { Ok(()) } else { Err(exception::unsupported("")) }
    }

    fn require_primary(&self, region: &str) -> Result<(), Refusal> {
        if self.primary != region {
            let arn = self.arn(region);
            return Err(exception::unsupported(format!(
                "You cannot perform this operation on {arn}: it is a replica."
            )));
        }
        Ok(())
    }

    /// AWS checks the origin before the state, and the state before the spec.
    fn require_automatic(&self, region: &str) -> Result<(), Refusal> {
        if self.origin != Origin::AwsKms {
            return Err(self.wrong_origin(region));
        }
        self.require_enabled(region)?;
        self.require_primary(region)
    }

    fn wrong_origin(&self, region: &str) -> Refusal {
        let (arn, origin) = (self.arn(region), self.origin.name());
        exception::unsupported(format!("{arn} origin is {origin} which is not valid for this operation."))
    }
}

/// `EnableKeyRotation`
pub(super) fn enable_key_rotation(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let period = request.number("RotationPeriodInDays", PERIOD_DAYS);
    request.finish()?;
    call.change_silently(name, |key| {
        key.require_automatic(call.region)?;
        key.require_rotatable()?;
        // A repeated call without a period keeps the current one. Another period restarts the interval.
        let standing = key.rotation.as_ref().map(|rotation| rotation.period_days);
        let period_days = period.or(standing).unwrap_or(DEFAULT_PERIOD_DAYS);
        if standing != Some(period_days) {
            key.rotation = Some(Rotation { period_days, next: call.now + TimeDelta::days(period_days) });
        }
        Ok(())
    })
}

/// `DisableKeyRotation`
pub(super) fn disable_key_rotation(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    request.finish()?;
    call.change_silently(name, |key| {
        // AWS accepts keys that cannot rotate.
        key.require_automatic(call.region)?;
        key.rotation = None;
        Ok(())
    })
}

/// `GetKeyRotationStatus`
pub(super) fn get_key_rotation_status(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    request.finish()?;
    call.read(name, Names::OfKeys, |key, _| {
        // AWS answers for every kind of key. Keys without automatic rotation have it disabled.
        let going_away = matches!(key.state(call.region), KeyState::PendingDeletion | KeyState::PendingReplicaDeletion);
        let rotation = key.rotation.as_ref().filter(|_| !going_away);
        let mut status = json!({ "KeyId": key.arn(call.region), "KeyRotationEnabled": rotation.is_some() });
        if let Some(rotation) = rotation {
            status["RotationPeriodInDays"] = json!(rotation.period_days);
            status["NextRotationDate"] = json!(seconds(rotation.next));
        }
        Ok(status)
    })
}

/// `RotateKeyOnDemand`
pub(super) fn rotate_key_on_demand(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    request.finish()?;
    call.change(name, |key| {
        if key.custom_key_store.is_some() {
            return Err(key.wrong_origin(call.region));
        }
        key.require_enabled(call.region)?;
        key.require_rotatable()?;
        key.require_primary(call.region)?;
        let arn = key.arn(call.region);
        if key.on_demand_rotations >= MAX_ON_DEMAND {
            let why = format!(
                "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can \
                 be performed for this key: {arn}"
            );
            return Err(exception::limit_exceeded(why));
        }
        let soon = call.now + TimeDelta::minutes(MINUTES_BEFORE);
        if key.rotation.as_ref().is_some_and(|rotation| rotation.next <= soon) {
            return Err(exception::conflict("An automatic rotation of the key is about to begin."));
        }
        match key.origin {
            Origin::AwsKms => key.rotate_natively(call.now, true)?,
            Origin::AwsCloudHsm | Origin::ExternalKeyStore => return Err(key.wrong_origin(call.region)),
            Origin::External => {
                let none = || {
                    exception::invalid_state(format!("No available key material pending rotation for the key: {arn}."))
                };
                key.pending_material().ok_or_else(none)?.standing = Standing::Rotated { at: call.now, on_demand: true };
            }
        }
        key.on_demand_rotations += 1;
        Ok(json!({ "KeyId": arn }))
    })
}

/// `ListKeyRotations`
pub(super) fn list_key_rotations(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let page = PageRequest::read(request, 100, 1000);
    let include = request.choice("IncludeKeyMaterial", &["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"]);
    request.finish()?;
    let after = page.after()?;
    call.read(name, Names::OfKeys, |key, _| {
        key.require_rotatable()?;
        let wanted = |material: &&Material| {
            include == Some("ALL_KEY_MATERIAL") || matches!(material.standing, Standing::Rotated { .. })
        };
        // The order is that of the rotations, not of the ids.
        let listed = key
            .materials
            .iter()
            .filter(wanted)
            .zip(1..)
            .map(|(material, number): (_, u32)| (format!("{number:06}"), describe(call, key, material)));
        Ok(page.cut("Rotations", listed.filter(|(number, _)| *number > after)))
    })
}

fn describe(call: &Call<'_>, key: &Key, material: &Material) -> Value {
    let mut entry = json!({ "KeyId": key.id, "KeyMaterialId": material.id });
    let current = key.current().is_some_and(|current| current.id == material.id);
    let everywhere = key.placements.values().all(|placement| placement.imports.contains_key(&material.id));
    entry["KeyMaterialState"] = json!(match material.standing {
        Standing::Pending if everywhere => "PENDING_ROTATION",
        Standing::Pending => "PENDING_MULTI_REGION_IMPORT_AND_ROTATION",
        _ if current => "CURRENT",
        _ => "NON_CURRENT",
    });
    if let Standing::Rotated { at, on_demand } = material.standing {
        entry["RotationDate"] = json!(seconds(at));
        entry["RotationType"] = json!(if on_demand { "ON_DEMAND" } else { "AUTOMATIC" });
    }
    if key.origin == Origin::External {
        let import = key.placements.get(call.region).and_then(|placement| placement.imports.get(&material.id));
        entry["ImportState"] = json!(if import.is_some() { "IMPORTED" } else { "PENDING_IMPORT" });
        if let Some(valid_to) = import {
            entry["ExpirationModel"] = json!(expiration_model(*valid_to));
            if let Some(date) = valid_to {
                entry["ValidTo"] = json!(seconds(*date));
            }
        }
        if let Some(description) = &material.description {
            entry["KeyMaterialDescription"] = json!(description);
        }
    }
    entry
}
