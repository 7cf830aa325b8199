//! Create, describe, list, enable and disable keys.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use super::call::{Call, Names};
use super::crypto::{self, Slot};
use super::key::{Key, Material, Origin, Placement, Standing};
use super::page::PageRequest;
use super::request::Request;
use super::spec::{Spec, Usage};
use super::{Answer, custom_key_store, exception, managed, policy, tags};
use crate::lab::refusal::Refusal;

pub(super) const DESCRIPTION: (usize, usize) = (0, 8192);

/// `CreateKey`
pub(super) fn create_key(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let spec = read_spec(request)?;
    let usage = request.choice("KeyUsage", &Usage::NAMES).and_then(Usage::named);
    let origin = request.choice("Origin", &["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]);
    let description = request.text("Description", DESCRIPTION).unwrap_or_default();
    let given_policy = request.text("Policy", policy::LENGTH);
    let bypass = request.flag("BypassPolicyLockoutSafetyCheck");
    let given_tags = request.tags().unwrap_or_default();
    let multi_region = request.flag("MultiRegion");
    let store = request.text("CustomKeyStoreId", (1, 64));
    request.text("XksKeyId", (1, 128));
    request.finish()?;
    call.require("*")?;
    if !given_tags.is_empty() {
        call.require_action("TagResource", "*")?;
    }
    let usage = spec.usage(usage)?;
    spec.offered(call.caller.account.partition)?;
    let origin = read_origin(origin, store, spec)?;
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
    };
    let metadata = key.metadata(call.region)?;
    call.kms.state()?.add(key, &call.kms.store)?;
    Ok(json!({ "KeyMetadata": metadata }))
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

fn read_origin(origin: Option<&str>, store: Option<&str>, spec: Spec) -> Result<Origin, Refusal> {
    match (origin, store) {
        (_, Some(store)) => Err(custom_key_store::not_found(store)),
        (None | Some("AWS_KMS"), None) => Ok(Origin::AwsKms),
        (Some("EXTERNAL"), None) if spec.importable() => Ok(Origin::External),
        (Some("EXTERNAL"), None) => {
            let spec = spec.name();
            Err(exception::unsupported(format!("KeySpec {spec} is not supported for Origin EXTERNAL.")))
        }
        (Some(other), None) => {
            Err(Refusal::Invalid(format!("You must specify a custom key store for Origin {other}.")))
        }
    }
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
