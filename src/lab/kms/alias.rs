//! Aliases. An alias belongs to an account and a region.

use serde_json::{Value, json};

use super::call::{Call, Names};
use super::key::seconds;
use super::page::PageRequest;
use super::request::Request;
use super::state::Alias;
use super::{Answer, exception};
use crate::lab::refusal::Refusal;

/// The prefix of the aliases of AWS managed keys.
pub(super) const RESERVED: &str = "alias/aws/";
const PREFIX: &str = "alias/";
const PATTERN: &str = "^[a-zA-Z0-9:/_-]+$";
const NO_PREFIX: &str = "Alias must start with the prefix \"alias/\". Please see \
    https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
/// AWS's limit of aliases for a key.
const MAX_ALIASES_OF_KEY: usize = 50;

/// `CreateAlias`
pub(super) fn create_alias(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = read_name(request);
    let target = request.required("TargetKeyId", (1, 2048));
    request.finish()?;
    require_own(name)?;
    let arn = call.arn(name);
    call.require(&arn)?;
    let mut state = call.kms.state()?;
    let key = call.find(&state, target, Names::OfKeys, call.operation)?;
    if state.alias(call.account(), call.region, name).is_some() {
        return Err(exception::already_exists(format!("An alias with the name {arn} already exists")));
    }
    key.require_not_deleted(call.region)?;
    let id = key.id.clone();
    if state.aliases_of(call.account(), call.region, &id).len() >= MAX_ALIASES_OF_KEY {
        return Err(exception::limit_exceeded(format!("A key cannot have more than {MAX_ALIASES_OF_KEY} aliases")));
    }
    let alias = Alias {
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        name: name.to_owned(),
        arn,
        target: Some(id),
        created: call.now,
        updated: call.now,
    };
    state.set_alias(alias, &call.kms.store)?;
    Ok(Value::Null)
}

/// `UpdateAlias`
pub(super) fn update_alias(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = read_name(request);
    let target = request.required("TargetKeyId", (1, 2048));
    request.finish()?;
    require_own(name)?;
    let arn = call.arn(name);
    call.require(&arn)?;
    let mut state = call.kms.state()?;
    let alias = known(state.alias(call.account(), call.region, name), &arn)?;
    let key = call.find(&state, target, Names::OfKeys, call.operation)?;
    let old = alias.target.as_deref().and_then(|id| state.key(call.account(), call.region, id));
    old.map_or(Ok(()), |old| call.authorize(&state, old, call.operation))?;
    key.require_not_deleted(call.region)?;
    // AWS requires a new target of the same type and usage.
    if old.is_some_and(|old| old.usage != key.usage || old.spec.is_asymmetric() != key.spec.is_asymmetric()) {
        let why = "The current and new KMS keys must be of the same type and have the same key usage.";
        return Err(Refusal::Invalid(why.to_owned()));
    }
    let moved = Alias { target: Some(key.id.clone()), updated: call.now, ..alias };
    state.set_alias(moved, &call.kms.store)?;
    Ok(Value::Null)
}

/// `DeleteAlias`
pub(super) fn delete_alias(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let name = read_name(request);
    request.finish()?;
    require_own(name)?;
    let arn = call.arn(name);
    call.require(&arn)?;
    let mut state = call.kms.state()?;
    let alias = known(state.alias(call.account(), call.region, name), &arn)?;
    let target = alias.target.as_deref().and_then(|id| state.key(call.account(), call.region, id));
    target.map_or(Ok(()), |key| call.authorize(&state, key, call.operation))?;
    state.remove_alias(call.account(), call.region, name, &call.kms.store)?;
    Ok(Value::Null)
}

/// `ListAliases`
pub(super) fn list_aliases(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let page = PageRequest::read(request, 50, 100);
    let target = request.text("KeyId", (1, 2048));
    request.finish()?;
    call.require("*")?;
    let after = page.after()?;
    let state = call.kms.state()?;
    let entry = |alias: &Alias| (alias.name.clone(), describe(alias));
    let Some(target) = target else {
        return Ok(page.cut("Aliases", state.aliases_after(call.account(), call.region, &after).map(entry)));
    };
    // AWS asks the key's policy only for the other operations of aliases.
    let key = call.locate(&state, target, Names::OfKeys)?;
    let of_it = state.aliases_of(call.account(), call.region, &key.id).into_iter();
    Ok(page.cut("Aliases", of_it.filter(|alias| alias.name > after).map(entry)))
}

fn describe(alias: &Alias) -> Value {
    let mut entry = json!({
        "AliasName": alias.name,
        "AliasArn": alias.arn,
        "CreationDate": seconds(alias.created),
        "LastUpdatedDate": seconds(alias.updated),
    });
    if let Some(target) = &alias.target {
        entry["TargetKeyId"] = json!(target);
    }
    entry
}

fn read_name<'a>(request: &mut Request<'a>) -> &'a str {
    let name = request.required("AliasName", (1, 256));
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || ":/_-".contains(c)) {
        request.pattern_mismatch("AliasName", name, PATTERN);
    }
    name
}

fn require_own(name: &str) -> Result<(), Refusal> {
    if name.strip_prefix(PREFIX).is_none_or(str::is_empty) {
        return Err(Refusal::Invalid(NO_PREFIX.to_owned()));
    }
    if name.starts_with(RESERVED) {
        let why = "The prefix alias/aws/ is reserved for AWS managed keys.";
        return Err(exception::invalid_alias_name(why));
    }
    if name.contains(':') {
        return Err(Refusal::Invalid(format!("{name} contains invalid characters for an alias")));
    }
    Ok(())
}

fn known(alias: Option<&Alias>, arn: &str) -> Result<Alias, Refusal> {
    alias.cloned().ok_or_else(|| exception::not_found(format!("Alias {arn} is not found.")))
}
