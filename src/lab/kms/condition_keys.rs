//! The condition keys of a call: what the lab knows of the caller, the request and the key.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::call::Call;
use super::grant;
use super::key::Key;
use super::spec::{Spec, Usage};
use super::state::State;
use crate::policy::request::Context;

/// Condition keys that repeat a member of the request: the operations, the key, the member, and the default that an
/// operation has without the member.
#[rustfmt::skip]
const MEMBERS: &[(&[&str], &str, &str, &str)] = &[
    (&["Encrypt", "Decrypt"], "kms:EncryptionAlgorithm", "EncryptionAlgorithm", "SYMMETRIC_DEFAULT"),
    (&["ReEncryptFrom"], "kms:EncryptionAlgorithm", "SourceEncryptionAlgorithm", "SYMMETRIC_DEFAULT"),
    (&["ReEncryptTo"], "kms:EncryptionAlgorithm", "DestinationEncryptionAlgorithm", "SYMMETRIC_DEFAULT"),
    (&["GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"],
        "kms:EncryptionAlgorithm", "", "SYMMETRIC_DEFAULT"),
    (&["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"], "kms:DataKeyPairSpec", "KeyPairSpec", ""),
    (&["Sign", "Verify"], "kms:SigningAlgorithm", "SigningAlgorithm", ""),
    (&["Sign", "Verify"], "kms:MessageType", "MessageType", "RAW"),
    (&["GenerateMac", "VerifyMac"], "kms:MacAlgorithm", "MacAlgorithm", ""),
    (&["DeriveSharedSecret"], "kms:KeyAgreementAlgorithm", "KeyAgreementAlgorithm", ""),
    (&["GetParametersForImport"], "kms:WrappingAlgorithm", "WrappingAlgorithm", ""),
    (&["GetParametersForImport"], "kms:WrappingKeySpec", "WrappingKeySpec", ""),
    (&["ImportKeyMaterial"], "kms:ExpirationModel", "ExpirationModel", "KEY_MATERIAL_EXPIRES"),
    (&["ImportKeyMaterial"], "kms:ValidTo", "ValidTo", ""),
    (&["ScheduleKeyDeletion"], "kms:ScheduleKeyDeletionPendingWindowInDays", "PendingWindowInDays", "30"),
    (&["EnableKeyRotation"], "kms:RotationPeriodInDays", "RotationPeriodInDays", "365"),
    (&["CreateKey", "PutKeyPolicy", "ReplicateKey"], "kms:BypassPolicyLockoutSafetyCheck", "BypassPolicyLockoutSafetyCheck", "false"),
    (&["ReplicateKey"], "kms:ReplicaRegion", "ReplicaRegion", ""),
    (&["UpdatePrimaryRegion"], "kms:PrimaryRegion", "PrimaryRegion", ""),
    (&["CreateGrant"], "kms:GranteePrincipal", "GranteePrincipal", ""),
    (&["CreateGrant"], "kms:RetiringPrincipal", "RetiringPrincipal", ""),
    (&["CreateGrant", "ListGrants", "RevokeGrant"], "kms:GrantIsForAWSResource", "", "false"),
    (&["CreateKey"], "kms:KeyUsage", "KeyUsage", "ENCRYPT_DECRYPT"),
    (&["CreateKey"], "kms:KeyOrigin", "Origin", "AWS_KMS"),
    (&["CreateKey"], "kms:MultiRegion", "MultiRegion", "false"),
];

/// The condition keys of a call for an action. The call has a key unless it is about none.
pub(super) fn of(call: &Call<'_>, action: &str, key: Option<(&Key, &str, &State)>) -> Context {
    let mut context = call.caller.condition_keys();
    context.set("kms:CallerAccount", call.account());
    of_request(call, action, &mut context);
    if let Some((key, region, state)) = key {
        of_key(key, region, state, &mut context);
    }
    context
}

fn of_request(call: &Call<'_>, action: &str, context: &mut Context) {
    for (operations, key, member, default) in MEMBERS {
        if operations.contains(&action) {
            let given = call.body.get(*member).and_then(scalar);
            context.set_all(key, given.or_else(|| (!default.is_empty()).then(|| (*default).to_owned())));
        }
    }
    let of_tag = |tag: &Value| Some((tag["TagKey"].as_str()?.to_owned(), tag["TagValue"].as_str()?.to_owned()));
    let tags: Vec<_> = list(call.body, "Tags").filter_map(of_tag).collect();
    for (name, value) in &tags {
        context.set(&format!("aws:RequestTag/{name}"), value.clone());
    }
    let removed = list(call.body, "TagKeys").filter_map(Value::as_str).map(str::to_owned);
    context.set_all("aws:TagKeys", tags.into_iter().map(|(name, _)| name).chain(removed));
    if let Some(name) = ["KeyId", "DestinationKeyId"].into_iter().find_map(|member| call.body.get(member)?.as_str()) {
        let alias = name.rsplit_once(":alias/").map(|(_, rest)| format!("alias/{rest}"));
        let alias = alias.or_else(|| name.starts_with("alias/").then(|| name.to_owned()));
        context.set_all("kms:RequestAlias", alias);
    }
    match action {
        "CreateKey" => {
            let spec = ["KeySpec", "CustomerMasterKeySpec"].into_iter().find_map(|name| call.body.get(name)?.as_str());
            context.set("kms:KeySpec", spec.unwrap_or(Spec::SymmetricDefault.name()));
        }
        "CreateGrant" => {
            let (operations, constraints) = grant::requested(call.body);
            context.set_all("kms:GrantOperations", operations);
            let kinds =
                [("EncryptionContextEquals", &constraints.equals), ("EncryptionContextSubset", &constraints.subset)];
            context.set_all(
                "kms:GrantConstraintType",
                kinds.iter().filter(|(_, pairs)| pairs.is_some()).map(|(kind, _)| (*kind).to_owned()),
            );
            for (_, pairs) in kinds {
                of_encryption_context(pairs.as_ref(), context);
            }
        }
        _ => of_encryption_context(encryption_context(call.body, action).as_ref(), context),
    }
}

fn of_encryption_context(pairs: Option<&BTreeMap<String, String>>, context: &mut Context) {
    let Some(pairs) = pairs else { return };
    for (name, value) in pairs {
        context.set(&format!("kms:EncryptionContext:{name}"), value.clone());
    }
    context.set_all("kms:EncryptionContextKeys", pairs.keys().cloned());
}

fn of_key(key: &Key, region: &str, state: &State, context: &mut Context) {
    context.set("aws:ResourceAccount", key.account.clone());
    context.set("kms:KeySpec", key.spec.name());
    context.set("kms:KeyUsage", Usage::name(key.usage));
    context.set("kms:KeyOrigin", key.origin.name());
    context.set("kms:MultiRegion", key.multi_region.to_string());
    if key.multi_region {
        context.set("kms:MultiRegionKeyType", if key.primary == region { "PRIMARY" } else { "REPLICA" });
    }
    let aliases = state.aliases_of(&key.account, region, &key.id).into_iter().map(|alias| alias.name.clone());
    context.set_all("kms:ResourceAliases", aliases);
    for (name, value) in key.placements.get(region).into_iter().flat_map(|placement| &placement.tags) {
        context.set(&format!("aws:ResourceTag/{name}"), value.clone());
    }
}

/// The encryption context of a request for an action; `None` if the action has none.
pub(super) fn encryption_context(body: &Map<String, Value>, action: &str) -> Option<BTreeMap<String, String>> {
    let member = match action {
        "Encrypt" | "Decrypt" => "EncryptionContext",
        "ReEncryptFrom" => "SourceEncryptionContext",
        "ReEncryptTo" => "DestinationEncryptionContext",
        _ if action.starts_with("GenerateDataKey") => "EncryptionContext",
        _ => return None,
    };
    Some(pairs(body.get(member)).unwrap_or_default())
}

/// A map of texts; `None` if it is missing or malformed, which the operation itself refuses.
pub(super) fn pairs(value: Option<&Value>) -> Option<BTreeMap<String, String>> {
    value.filter(|value| !value.is_null()).and_then(|value| serde_json::from_value(value.clone()).ok())
}

fn list<'a>(body: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a Value> {
    body.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        // Times are seconds since 1970, with a fraction.
        Value::Number(number) => Some(number.to_string().split('.').next().unwrap_or_default().to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
