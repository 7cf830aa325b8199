//! Keys as such: made, described, listed, switched on and off.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use super::ask::Ask;
use super::call::{Call, Names};
use super::crypto::{self, Slot};
use super::key::{Key, Material, Origin, Placement, Standing};
use super::page::Page;
use super::spec::{Spec, Usage};
use super::{Answer, exception, managed, policy, tags};
use crate::lab::refusal::Refusal;

pub(super) const DESCRIPTION: (usize, usize) = (0, 8192);

/// `CreateKey`
pub(super) fn create_key(call: &Call<'_>, ask: &mut Ask<'_>) -> Answer {
    let spec = read_spec(ask)?;
    let usage = ask.choice("KeyUsage", &Usage::NAMES).and_then(Usage::named);
    let origin = ask.choice("Origin", &["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]);
    let description = ask.text("Description", DESCRIPTION).unwrap_or_default();
    let given_policy = ask.text("Policy", policy::LENGTH);
    let bypass = ask.flag("BypassPolicyLockoutSafetyCheck");
    let given_tags = ask.tags().unwrap_or_default();
    let multi_region = ask.flag("MultiRegion");
    let store = ask.text("CustomKeyStoreId", (1, 64));
    ask.text("XksKeyId", (1, 128));
    ask.finish()?;
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
        policy: policy::judge(call, given_policy, bypass)?,
        tags: tags::judge(given_tags, BTreeMap::new())?,
        deletion: None,
        imports: BTreeMap::new(),
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

fn read_spec(ask: &mut Ask<'_>) -> Result<Spec, Refusal> {
    let names = Spec::names();
    let (new, old) = (ask.choice("KeySpec", &names), ask.choice("CustomerMasterKeySpec", &names));
    if new.is_some() && old.is_some() {
        let why = "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is \
                   deprecated.";
        return Err(Refusal::Invalid(why.to_owned()));
    }
    // What is no spec at all is refused with everything else that is wrong.
    Ok(new.or(old).and_then(Spec::named).unwrap_or(Spec::SymmetricDefault))
}

fn read_origin(origin: Option<&str>, store: Option<&str>, spec: Spec) -> Result<Origin, Refusal> {
    match (origin, store) {
        (_, Some(store)) => {
            Err(exception::custom_key_store_not_found(format!("Custom key store {store} does not exist.")))
        }
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

/// Pairs are made when they are first used: see [`Call::ready`].
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
pub(super) fn describe_key(call: &Call<'_>, ask: &mut Ask<'_>) -> Answer {
    let name = ask.key_id();
    ask.finish()?;
    managed::make_predefined(call, name)?;
    call.look(name, Names::OfAliasesToo, |key, _| Ok(json!({ "KeyMetadata": key.metadata(call.region)? })))
}

/// `ListKeys`
pub(super) fn list_keys(call: &Call<'_>, ask: &mut Ask<'_>) -> Answer {
    let page = Page::read(ask, 100, 1000);
    let owners = ask.texts("ResourceOwners");
    ask.finish()?;
    call.require("*")?;
    let after = page.after()?;
    let state = call.kms.state()?;
    // Nobody shares keys here.
    let own = owners.is_none_or(|owners| owners.contains(&"SELF"));
    let ids = state.ids_after(call.account(), call.region, &after).filter(|_| own);
    let entries = ids.map(|id| (id.clone(), json!({ "KeyId": id, "KeyArn": call.arn(&format!("key/{id}")) })));
    Ok(page.cut("Keys", entries))
}

/// `EnableKey`
pub(super) fn enable_key(call: &Call<'_>, ask: &mut Ask<'_>) -> Answer {
    switch(call, ask, true)
}

/// `DisableKey`
pub(super) fn disable_key(call: &Call<'_>, ask: &mut Ask<'_>) -> Answer {
    switch(call, ask, false)
}

fn switch(call: &Call<'_>, ask: &mut Ask<'_>, enabled: bool) -> Answer {
    let name = ask.key_id();
    ask.finish()?;
    call.change_silently(name, |key| {
        key.require_material(call.region)?;
        key.placement_mut(call.region)?.enabled = enabled;
        Ok(())
    })
}

/// `UpdateKeyDescription`
pub(super) fn update_key_description(call: &Call<'_>, ask: &mut Ask<'_>) -> Answer {
    let name = ask.key_id();
    let description = ask.required("Description", DESCRIPTION).to_owned();
    ask.finish()?;
    call.change_silently(name, |key| {
        key.require_not_deleted(call.region)?;
        key.placement_mut(call.region)?.description = description;
        Ok(())
    })
}

/// `ListGrants`: there are none, but the key has to be there.
pub(super) fn list_grants(call: &Call<'_>, ask: &mut Ask<'_>) -> Answer {
    let name = ask.key_id();
    let page = Page::read(ask, 50, 100);
    ask.text("GrantId", (1, 128));
    ask.finish()?;
    page.after()?;
    call.look(name, Names::OfKeys, |_, _| Ok(page.cut("Grants", std::iter::empty())))
}
