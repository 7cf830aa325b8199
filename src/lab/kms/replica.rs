//! Multi-region keys: ReplicateKey and UpdatePrimaryRegion.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::call::{Call, Names};
use super::key::{Key, Placement};
use super::request::Request;
use super::{Answer, exception, keys, policy, tags};
use crate::lab::refusal::Refusal;

/// The time that the creation of a replica takes. At AWS it takes some seconds.
const CREATION_MILLIS: i64 = 200;
const REGION_PATTERN: &str = r"^([a-z]+-){2,3}\d+$";

/// `ReplicateKey`
pub(super) fn replicate_key(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let region = read_region(request, "ReplicaRegion");
    let given_policy = request.text("Policy", policy::LENGTH);
    let bypass = request.flag("BypassPolicyLockoutSafetyCheck");
    let description = request.text("Description", keys::DESCRIPTION).unwrap_or_default();
    let given_tags = request.tags().unwrap_or_default();
    request.finish()?;
    require_region(call, region)?;
    // AWS requires these permissions in the region of the replica.
    call.require_action("CreateKey", "*")?;
    if !given_tags.is_empty() {
        call.require_action("TagResource", "*")?;
    }
    call.change(name, |key| {
        require_primary(call, key)?;
        key.require_enabled(call.region)?;
        if key.placements.contains_key(region) {
            let arn = key.arn(region);
            return Err(exception::already_exists(format!("{arn} already exists.")));
        }
        let placement = Placement {
            created: call.now,
            enabled: true,
            description: description.to_owned(),
            policy: policy::validate(call, given_policy, bypass)?,
            tags: tags::validate(given_tags, BTreeMap::new())?,
            deletion: None,
            ready: Some(call.now + TimeDelta::milliseconds(CREATION_MILLIS)),
            // Imported material must be imported into the replica too.
            imports: BTreeMap::new(),
            grants: Vec::new(),
        };
        let mut answer = json!({ "ReplicaPolicy": placement.policy });
        if !placement.tags.is_empty() {
            answer["ReplicaTags"] = json!(listed(&placement));
        }
        key.placements.insert(region.to_owned(), placement);
        with_metadata(answer, key, region)
    })
}

fn listed(placement: &Placement) -> Vec<Value> {
    placement.tags.iter().map(|(key, value)| json!({ "TagKey": key, "TagValue": value })).collect()
}

fn with_metadata(mut answer: Value, key: &Key, region: &str) -> Answer {
    answer["ReplicaKeyMetadata"] = key.metadata(region)?;
    Ok(answer)
}

/// `UpdatePrimaryRegion`
pub(super) fn update_primary_region(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = request.key_id();
    let region = read_region(request, "PrimaryRegion");
    request.finish()?;
    require_region(call, region)?;
    {
        let state = call.kms.state()?;
        let key = call.find(&state, name, Names::OfKeys, call.operation)?;
        // AWS asks the policies of both keys.
        if key.placements.contains_key(region) {
            call.authorize_in(&state, key, region, call.operation)?;
        }
    }
    call.change_silently(name, |key| {
        require_primary(call, key)?;
        key.require_enabled(call.region)?;
        key.placement(region)?;
        key.require_enabled(region)?;
        key.primary = region.to_owned();
        Ok(())
    })
}

fn read_region<'a>(request: &mut Request<'a>, name: &str) -> &'a str {
    let region = request.required(name, (1, 32));
    let parts: Vec<&str> = region.split('-').collect();
    let words = parts.len().saturating_sub(1);
    let fits = (2..=3).contains(&words)
        && parts[..words].iter().all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
        && parts[words..].iter().all(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
    if !fits && !region.is_empty() {
        request.pattern_mismatch(name, region, REGION_PATTERN);
    }
    region
}

/// Requires a region that is enabled for the account.
fn require_region(call: &Call<'_>, region: &str) -> Result<(), Refusal> {
    if call.caller.account.may_use(region) {
        Ok(())
    } else {
        Err(exception::unsupported(format!("The region {region} is not available to this account.")))
    }
}

fn require_primary(call: &Call<'_>, key: &Key) -> Result<(), Refusal> {
    let arn = key.arn(call.region);
    if !key.multi_region {
        return Err(exception::unsupported(format!("{arn} is not a multi-region key.")));
    }
    if key.primary != call.region {
        return Err(exception::unsupported(format!("{arn} is not a multi-region primary key.")));
    }
    Ok(())
}
