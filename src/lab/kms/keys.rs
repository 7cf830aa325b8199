//! Create, describe, list, enable and disable keys.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use super::call::{Call, Names};
use super::crypto::{self, Slot};
use super::custom_key_store::NewKeyPlace;
use super::key::{Key, Material, Origin, Placement, Standing};
use super::page::PageRequest;
use super::request::Request;
use super::spec::{Spec, Usage};
use super::{Answer, custom_key_store, exception, managed, policy, tags};
use crate::lab::refusal::Refusal;

pub(super) const DESCRIPTION: (usize, usize) = (0, 8192);
const XKS_KEY_ID: (usize, usize) = (1, 128);

/// `CreateKey`. For a key in an external key store, KMS asks the proxy about the external key before it answers.
pub(super) async fn create_key(call: &Call<'_>, mut request: Request<'_>) -> Answer {
    let request = &mut request;
    let spec = read_spec(request)?;
    let usage = request.choice("KeyUsage", &Usage::NAMES).and_then(Usage::named);
    let origin = request.choice("Origin", &["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]);
    let description = request.text("Description", DESCRIPTION).unwrap_or_default();
    let given_policy = request.text("Policy", policy::LENGTH);
    let bypass = request.flag("BypassPolicyLockoutSafetyCheck");
    let given_tags = request.tags().unwrap_or_default();
    let multi_region = request.flag("MultiRegion");
    let store = request.text("CustomKeyStoreId", custom_key_store::ID);
    let xks_key_id = request.text("XksKeyId", XKS_KEY_ID);
    if let Some(id) = xks_key_id.filter(|id| !is_xks_key_id(id)) {
        request.pattern_mismatch("XksKeyId", id, "^[a-zA-Z0-9-_.]+$");
    }
    request.finish()?;
    call.require("*")?;
    if !given_tags.is_empty() {
        call.require_action("TagResource", "*")?;
    }
    let usage = spec.usage(usage)?;
    spec.offered(call.caller.account.partition)?;
    let place = custom_key_store::place_of_new_key(call, origin, store, xks_key_id)?;
    let origin = match &place {
        Some(place) => place.origin(),
        None => read_origin(origin, spec)?,
    };
    if place.is_some() && (spec != Spec::SymmetricDefault || multi_region) {
        let why = "Only symmetric encryption keys in a single Region are supported in a custom key store.";
        return Err(exception::unsupported(why));
    }
    let placement = Placement {
        created: call.now,
        enabled: true,
        description: description.to_owned(),
        policy: policy::validate(call, given_policy, bypass)?,
        tags: tags::validate(given_tags, BTreeMap::new())?,
        deletion: None,
        ready: None,
        imports: BTreeMap::new(),
        grants: Vec::new(),
    };
    let id = Uuid::new_v4();
    let id = if multi_region { format!("mrk-{}", id.simple()) } else { id.to_string() };
    let partition = call.caller.account.partition.as_str();
    let key = Key {
        materials: first_material(&id, spec, origin, partition)?,
        id,
        account: call.account().to_owned(),
        partition: partition.to_owned(),
        spec,
        usage,
        origin,
        managed_for: None,
        multi_region,
        primary: call.region.to_owned(),
        rotation: None,
        on_demand_rotations: 0,
        placements: BTreeMap::from([(call.region.to_owned(), placement)]),
        custom_key_store: place.as_ref().map(NewKeyPlace::membership),
    };
    if let Some(external) = place.as_ref().and_then(NewKeyPlace::external_key) {
        external.require_fit(call).await?;
    }
    let mut state = call.kms.state()?;
    // The state was not locked during the call to the proxy.
    if let Some(place) = &place {
        place.require_free(call, &state)?;
    }
    let id = key.id.clone();
    state.add(key, &call.kms.store)?;
    let key = state.any_key(&id).ok_or(Refusal::Internal)?;
    Ok(json!({ "KeyMetadata": key.metadata(call.region)? }))
}

fn read_spec(request: &mut Request<'_>) -> Result<Spec, Refusal> {
    let names = Spec::names();
    let (new, old) = (request.choice("KeySpec", &names), request.choice("CustomerMasterKeySpec", &names));
    if new.is_some() && old.is_some() {
        let why = "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is \
                   deprecated.";
        return Err(Refusal::Invalid(why.to_owned()));
    }
    // An unknown spec is refused in `finish`, with the other violated constraints.
    Ok(new.or(old).and_then(Spec::named).unwrap_or(Spec::SymmetricDefault))
}

/// The origin of a key outside custom key stores.
fn read_origin(origin: Option<&str>, spec: Spec) -> Result<Origin, Refusal> {
    match origin {
        None | Some("AWS_KMS") => Ok(Origin::AwsKms),
        Some("EXTERNAL") if spec.importable() => Ok(Origin::External),
        Some("EXTERNAL") => {
            let spec = spec.name();
            Err(exception::unsupported(format!("KeySpec {spec} is not supported for Origin EXTERNAL.")))
        }
        Some(other) => Err(Refusal::Invalid(format!("You must specify a custom key store for Origin {other}."))),
    }
}

fn is_xks_key_id(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// The material of a new key. A key pair is generated on first use: see [`Call::generate_if_missing`].
fn first_material(id: &str, spec: Spec, origin: Origin, partition: &str) -> Result<Vec<Material>, Refusal> {
    if origin == Origin::External {
        return Ok(Vec::new());
    }
    let material = |id, secret| Material { id, secret, standing: Standing::First, description: None };
    if spec.is_asymmetric() {
        return Ok(vec![material(String::new(), Slot::default())]);
    }
    let secret = crypto::generate(spec, partition)?;
    Ok(vec![material(Material::id_of(id, &secret), Slot::of(secret))])
}

/// `DescribeKey`
pub(super) fn describe_key(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    request.finish()?;
    managed::create_predefined(call, name)?;
    call.read(name, Names::OfAliasesToo, |key, _| Ok(json!({ "KeyMetadata": key.metadata(call.region)? })))
}

/// `ListKeys`
pub(super) fn list_keys(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let page = PageRequest::read(request, 100, 1000);
    let owners = request.texts("ResourceOwners");
    request.finish()?;
    call.require("*")?;
    let after = page.after()?;
    let state = call.kms.state()?;
    // The lab has no shared keys.
    let own = owners.is_none_or(|owners| owners.contains(&"SELF"));
    let ids = state.ids_after(call.account(), call.region, &after).filter(|_| own);
    let entries = ids.map(|id| (id.clone(), json!({ "KeyId": id, "KeyArn": call.arn(&format!("key/{id}")) })));
    Ok(page.cut("Keys", entries))
}

/// `EnableKey`
pub(super) fn enable_key(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    set_enabled(call, request, true)
}

/// `DisableKey`
pub(super) fn disable_key(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    set_enabled(call, request, false)
}

fn set_enabled(call: &Call<'_>, request: &mut Request<'_>, enabled: bool) -> Answer {
    let name = request.key_id();
    request.finish()?;
    call.change_silently(name, |key| {
        key.require_material(call.region)?;
        key.placement_mut(call.region)?.enabled = enabled;
        Ok(())
    })
}

/// `UpdateKeyDescription`
pub(super) fn update_key_description(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let description = request.required("Description", DESCRIPTION).to_owned();
    request.finish()?;
    call.change_silently(name, |key| {
        key.require_not_deleted(call.region)?;
        key.placement_mut(call.region)?.description = description;
        Ok(())
    })
}
