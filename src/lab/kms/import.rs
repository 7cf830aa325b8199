//! Import and deletion of key material.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::call::{Call, Names};
use super::crypto::{Bytes, Slot, symmetric_length};
use super::key::{Key, KeyState, Material, Standing};
use super::request::Request;
use super::spec::Spec;
use super::{Answer, asymmetric, exception, wrapping};
use crate::lab::refusal::Refusal;

const MATERIAL_ID: (usize, usize) = (64, 64);
const MAX_VALIDITY_DAYS: i64 = 365;

/// The parameters of ImportKeyMaterial except token and material.
struct ImportParameters<'a> {
    valid_to: Option<DateTime<Utc>>,
    /// Whether the import type is `NEW_KEY_MATERIAL`. `None` means new if the key has no material.
    new: Option<bool>,
    id: Option<&'a str>,
    description: Option<&'a str>,
}

impl<'a> ImportParameters<'a> {
    fn read(call: &Call<'_>, request: &mut Request<'a>) -> Result<ImportParameters<'a>, Refusal> {
        let models = ["KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"];
        let expires = request.choice("ExpirationModel", &models) != Some("KEY_MATERIAL_DOES_NOT_EXPIRE");
        let valid_to = request.time("ValidTo");
        let kind = request.choice("ImportType", &["NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"]);
        let id = request.text("KeyMaterialId", MATERIAL_ID);
        let description = request.text("KeyMaterialDescription", (0, 256));
        let unfit = |c: char| !(c.is_ascii_alphanumeric() || c.is_whitespace() || ":/_.-".contains(c));
        if let Some(text) = description.filter(|text| text.contains(unfit)) {
            request.pattern_mismatch("KeyMaterialDescription", text, r"^[a-zA-Z0-9:/_\s.-]+$");
        }
        request.finish()?;
        let invalid = |why: &str| Err(Refusal::Invalid(why.to_owned()));
        match valid_to {
            None if expires => {
                return invalid("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES");
            }
            Some(_) if !expires => {
                return invalid(
                    "A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE",
                );
            }
            Some(date) if date <= call.now => return invalid("ValidTo must be a date in the future"),
            Some(date) if date > call.now + TimeDelta::days(MAX_VALIDITY_DAYS) => {
                return invalid("ValidTo must be at most 365 days in the future");
            }
            _ => {}
        }
        let new = kind.map(|kind| kind == "NEW_KEY_MATERIAL");
        if new == Some(true) && id.is_some() {
            return invalid("KeyMaterialId must not be set if the ImportType is NEW_KEY_MATERIAL");
        }
        Ok(ImportParameters { valid_to, new, id, description })
    }

    fn only_for_symmetric(&self) -> bool {
        self.new.is_some() || self.id.is_some() || self.description.is_some()
    }
}

/// `ImportKeyMaterial`
pub(super) fn import_key_material(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let token = request.required_bytes("ImportToken", (1, 6144));
    let wrapped = request.required_bytes("EncryptedKeyMaterial", (1, 6144));
    let parameters = ImportParameters::read(call, request)?;
    // Unwrapping is slow, so that it is done without the lock of the state.
    let mut arn = String::new();
    call.read(name, Names::OfKeys, |key, _| {
        wrapping::require_importable(key, call.region)?;
        key.require_not_deleted(call.region)?;
        arn = key.arn(call.region);
        Ok(Value::Null)
    })?;
    let unwrapped = wrapping::unwrap(call, &arn, &token, &wrapped)?;
    call.change(name, |key| {
        key.require_not_deleted(call.region)?;
        let secret = normalized(key.spec, unwrapped)?;
        let id = Material::id_of(&key.id, &identifying_bytes(key, &secret)?);
        associate(call, key, &parameters, &id, secret)?;
        let mut answer = json!({ "KeyId": arn });
        if key.spec.is_symmetric() {
            answer["KeyMaterialId"] = json!(id);
        }
        Ok(answer)
    })
}

/// A key pair in DER with a named curve, and any other material as it is.
fn normalized(spec: Spec, secret: Bytes) -> Result<Bytes, Refusal> {
    if !spec.is_asymmetric() || spec == Spec::Sm2 {
        return Ok(secret);
    }
    let pair = asymmetric::pkcs8_from_ber(&secret);
    pair.filter(|pair| !asymmetric::has_explicit_parameters(pair)).ok_or_else(|| not_a_key_pair(spec))
}

fn not_a_key_pair(spec: Spec) -> Refusal {
    let why = format!("The key material is not a private key of spec {} in PKCS #8.", spec.name());
    exception::incorrect_key_material(why)
}

/// The bytes that identify a material: the secret, or the public key of a key pair, because a private key has several
/// encodings.
fn identifying_bytes(key: &Key, secret: &[u8]) -> Result<Vec<u8>, Refusal> {
    let spec = key.spec;
    let (least, most) = match spec {
        Spec::SymmetricDefault => (symmetric_length(&key.partition), symmetric_length(&key.partition)),
        Spec::Hmac224 => (28, 64),
        Spec::Hmac256 => (32, 64),
        Spec::Hmac384 => (48, 128),
        Spec::Hmac512 => (64, 128),
        Spec::Sm2 => return Ok(secret.to_vec()),
        _ => {
            return asymmetric::public_key(spec, secret).ok_or_else(|| not_a_key_pair(spec));
        }
    };
    if (least..=most).contains(&secret.len()) {
        return Ok(secret.to_vec());
    }
    let why = format!("Key material of {} bytes is not valid for key spec {}.", secret.len(), spec.name());
    Err(exception::incorrect_key_material(why))
}

fn associate(
    call: &Call<'_>,
    key: &mut Key,
    parameters: &ImportParameters<'_>,
    id: &str,
    secret: Bytes,
) -> Result<(), Refusal> {
    if !key.spec.is_symmetric() && parameters.only_for_symmetric() {
        let why = "ImportType, KeyMaterialId and KeyMaterialDescription are only for symmetric encryption keys";
        return Err(Refusal::Invalid(why.to_owned()));
    }
    if parameters.id.is_some_and(|wanted| wanted != id) {
        return Err(exception::incorrect_key_material("The key material does not have the given KeyMaterialId."));
    }
    let waiting = key.state(call.region) == KeyState::PendingImport;
    let known = key.materials.iter().any(|material| material.id == id);
    let new = parameters.new.unwrap_or(key.materials.is_empty());
    match (new, known) {
        (true, true) => {
            let why = "The key material is already associated with the key.";
            return Err(exception::incorrect_key_material(why));
        }
        (false, false) => {
            let why = "The key material is not the same as the key material that was previously imported.";
            return Err(exception::incorrect_key_material(why));
        }
        (true, false) => add(call, key, id)?,
        (false, true) => {}
    }
    for material in key.materials.iter_mut().filter(|material| material.id == id) {
        // The secret is deleted with the last import of the material.
        if material.secret.get().is_none() {
            material.secret = Slot::of(secret.clone());
        }
        material.description = parameters.description.map(str::to_owned).or(material.description.take());
    }
    let placement = key.placement_mut(call.region)?;
    placement.imports.insert(id.to_owned(), parameters.valid_to);
    if waiting && key.is_complete(key.placement(call.region)?) {
        key.placement_mut(call.region)?.enabled = true;
    }
    Ok(())
}

/// Adds a material. The first one is current immediately; others are pending rotation.
fn add(call: &Call<'_>, key: &mut Key, id: &str) -> Result<(), Refusal> {
    let arn = key.arn(call.region);
    let standing = if key.materials.is_empty() { Standing::First } else { Standing::Pending };
    if standing == Standing::Pending {
        if !key.spec.is_symmetric() {
            return Err(exception::incorrect_key_material("The key has its material already."));
        }
        if key.state(call.region) == KeyState::PendingImport {
            return Err(exception::invalid_state(format!("{arn} is pending import.")));
        }
        if let Some(pending) = key.materials.iter().find(|material| !material.is_associated()) {
            let why = format!(
                "New key material (id: {id}) cannot be imported into KMS key {arn}, because another key material (id: \
                 {}) is pending rotation.",
                pending.id
            );
            return Err(exception::invalid_state(why));
        }
    }
    if key.primary != call.region {
        let why = format!("{arn} is a replica: new key material is imported into the primary key first.");
        return Err(exception::unsupported(why));
    }
    key.materials.push(Material { id: id.to_owned(), secret: Slot::default(), standing, description: None });
    Ok(())
}

/// `DeleteImportedKeyMaterial`
pub(super) fn delete_imported_key_material(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let wanted = request.text("KeyMaterialId", MATERIAL_ID);
    request.finish()?;
    call.change(name, |key| {
        wrapping::require_importable(key, call.region)?;
        let arn = key.arn(call.region);
        let current = key.current().map(|material| material.id.clone());
        let Some(id) = wanted.map(str::to_owned).or(current) else {
            // The key never had material.
            return Ok(json!({ "KeyId": arn }));
        };
        if !key.materials.iter().any(|material| material.id == id) {
            return Err(exception::not_found(format!("Key material {id} is not associated with {arn}.")));
        }
        key.forget_import(call.region, &id);
        let mut answer = json!({ "KeyId": arn });
        if key.spec.is_symmetric() {
            answer["KeyMaterialId"] = json!(id);
        }
        Ok(answer)
    })
}
