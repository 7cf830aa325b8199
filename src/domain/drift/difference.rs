//! The differences between two readings of a key, by aspect. Values are JSON texts, of which only what differs is kept:
//! statements of a policy, tags, aliases.

use crate::domain::key::aggregate::Key;
use crate::domain::key::material::MaterialId;
use crate::domain::key::metadata::{KeyMetadata, RotationStatus};
use crate::domain::key::tag::Tag;
use crate::domain::key_store::at_aws::StoreAtAws;
use crate::domain::time::Time;
use serde_json::{Map, Value, json};

/// A part of a key that a change can concern.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum DriftAspect {
    /// Whether AWS has the key at all.
    Existence,
    State,
    DeletionDate,
    Description,
    Policy,
    Aliases,
    Tags,
    /// Automatic rotation.
    Rotation,
    /// The current key material.
    Material,
    /// When the imported material expires.
    Expiry,
    /// The multi-region family: the primary key and its replicas.
    MultiRegion,
    /// A custom key store.
    KeyStore,
}

/// What is different in one aspect of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    pub aspect: DriftAspect,
    /// What was there before and is not any more, as a JSON text.
    pub before: String,
    /// What is there and was not before, as a JSON text.
    pub after: String,
}

impl DriftAspect {
    pub const NAMES: &'static [&'static str] = &[
        "existence",
        "state",
        "deletion_date",
        "description",
        "policy",
        "aliases",
        "tags",
        "rotation",
        "material",
        "expiry",
        "multi_region",
        "key_store",
    ];

    /// The word that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Existence => "existence",
            Self::State => "state",
            Self::DeletionDate => "deletion_date",
            Self::Description => "description",
            Self::Policy => "policy",
            Self::Aliases => "aliases",
            Self::Tags => "tags",
            Self::Rotation => "rotation",
            Self::Material => "material",
            Self::Expiry => "expiry",
            Self::MultiRegion => "multi_region",
            Self::KeyStore => "key_store",
        }
    }

    /// Returns the aspects that an operation of AWS can change. AWS makes some changes by itself, without a request.
    pub fn of_operation(name: &str) -> &'static [Self] {
        match name {
            "CreateKey" => &[Self::Existence],
            "EnableKey" | "DisableKey" => &[Self::State],
            "ScheduleKeyDeletion" | "CancelKeyDeletion" => &[Self::State, Self::DeletionDate],
            "DeleteKey" => &[Self::Existence, Self::State, Self::DeletionDate],
            "UpdateKeyDescription" => &[Self::Description],
            "PutKeyPolicy" => &[Self::Policy],
            "CreateAlias" | "UpdateAlias" | "DeleteAlias" => &[Self::Aliases],
            "TagResource" | "UntagResource" => &[Self::Tags],
            "EnableKeyRotation" | "DisableKeyRotation" => &[Self::Rotation],
            "RotateKeyOnDemand" | "RotateKey" => &[Self::Rotation, Self::Material],
            "ImportKeyMaterial" | "DeleteImportedKeyMaterial" | "DeleteExpiredKeyMaterial" => {
                &[Self::State, Self::Material, Self::Expiry]
            }
            "ReplicateKey" | "UpdatePrimaryRegion" | "SynchronizeMultiRegionKey" => &[Self::MultiRegion],
            "CreateCustomKeyStore"
            | "UpdateCustomKeyStore"
            | "DeleteCustomKeyStore"
            | "ConnectCustomKeyStore"
            | "DisconnectCustomKeyStore" => &[Self::KeyStore],
            _ => &[],
        }
    }
}

impl Difference {
    /// The difference of one change and a later one together.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        let both = |one: &str, other: &str| -> Option<Value> {
            match (serde_json::from_str(one).ok()?, serde_json::from_str(other).ok()?) {
                (Value::Array(one), Value::Array(other)) => {
                    let new = other.iter().filter(|value| !one.contains(value)).cloned().collect::<Vec<_>>();
                    Some(Value::Array(one.into_iter().chain(new).collect()))
                }
                (Value::Object(one), Value::Object(mut other)) => {
                    other.extend(one);
                    Some(Value::Object(other))
                }
                _ => None,
            }
        };
        match self.aspect {
            DriftAspect::Policy | DriftAspect::Aliases | DriftAspect::Tags => {
                let before = both(&self.before, &later.before).unwrap_or(Value::Null);
                let after = both(&later.after, &self.after).unwrap_or(Value::Null);
                difference(self.aspect, &without(&before, &after), &without(&after, &before))
            }
            DriftAspect::Existence
            | DriftAspect::State
            | DriftAspect::DeletionDate
            | DriftAspect::Description
            | DriftAspect::Rotation
            | DriftAspect::Material
            | DriftAspect::Expiry
            | DriftAspect::MultiRegion
            | DriftAspect::KeyStore => Self { before: self.before, ..later },
        }
    }
}

/// Returns the differences between two readings of a key, in the order of the aspects.
pub(super) fn between(before: Option<&Key>, after: &Key) -> Vec<Difference> {
    let Some(before) = before else {
        return vec![difference(DriftAspect::Existence, &json!(false), &json!(true))];
    };
    let mut found = Vec::new();
    let mut add = |aspect, before: Value, after: Value| {
        if before != after {
            found.push(difference(aspect, &before, &after));
        }
    };
    add(DriftAspect::Existence, json!(!before.gone), json!(!after.gone));
    let (was, is) = (&before.metadata, &after.metadata);
    add(DriftAspect::State, json!(was.state.as_str()), json!(is.state.as_str()));
    add(DriftAspect::DeletionDate, time(was.deletion_date), time(is.deletion_date));
    add(DriftAspect::Description, json!(was.description), json!(is.description));
    if let (Some(was), Some(is)) = (&before.policy, &after.policy)
        && was != is
    {
        let (was, is) = (statements(&was.value()), statements(&is.value()));
        add(DriftAspect::Policy, only_in(&was, &is), only_in(&is, &was));
    }
    let names = |key: &Key| key.aliases.iter().map(|alias| json!(alias.as_str())).collect::<Vec<_>>();
    let (had, has) = (names(before), names(after));
    add(DriftAspect::Aliases, only_in(&had, &has), only_in(&has, &had));
    let (had, has) = tags(&before.tags, &after.tags);
    add(DriftAspect::Tags, had, has);
    if let Some(is) = &after.rotation {
        add(DriftAspect::Rotation, rotation(before.rotation.as_ref()), rotation(Some(is)));
    }
    let material = |id: &Option<_>| id.as_ref().map_or(Value::Null, |id: &MaterialId| json!(id.as_str()));
    add(DriftAspect::Material, material(&was.current_material), material(&is.current_material));
    add(DriftAspect::Expiry, time(was.valid_to), time(is.valid_to));
    let family = |of: &KeyMetadata| {
        of.multi_region.as_ref().map_or(Value::Null, |family| {
            let replicas: Vec<String> = family.replicas.iter().map(ToString::to_string).collect();
            json!({"primary": family.primary.to_string(), "replicas": replicas})
        })
    };
    add(DriftAspect::MultiRegion, family(was), family(is));
    found
}

/// Returns the difference between two readings of a custom key store: its id, and what has another value; `None` if
/// there is nothing.
pub(super) fn of_store(before: Option<&StoreAtAws>, after: Option<&StoreAtAws>) -> Option<Difference> {
    let (was, is) = (before.map_or(Value::Null, shown_store), after.map_or(Value::Null, shown_store));
    let (Value::Object(had), Value::Object(has)) = (&was, &is) else {
        return (was != is).then(|| difference(DriftAspect::KeyStore, &was, &is));
    };
    let only = |these: &Map<String, Value>, those: &Map<String, Value>| {
        let own = these.iter().filter(|(name, value)| *name == STORE_ID || those.get(*name) != Some(value));
        Value::Object(own.map(|(name, value)| (name.clone(), value.clone())).collect())
    };
    (had != has).then(|| difference(DriftAspect::KeyStore, &only(had, has), &only(has, had)))
}

const STORE_ID: &str = "custom_key_store_id";

/// What of a store is compared: all that somebody can change. The number of active HSMs is not.
fn shown_store(store: &StoreAtAws) -> Value {
    let mut shown = json!({
        STORE_ID: store.id,
        "name": store.name,
        "connection_state": store.connection_state.as_str(),
        "connection_error": store.connection_error,
    });
    if let Some(proxy) = &store.proxy {
        shown["xks_proxy_connectivity"] = json!(proxy.connectivity);
        shown["xks_proxy_uri_endpoint"] = json!(proxy.endpoint);
        shown["xks_proxy_uri_path"] = json!(proxy.path);
        shown["xks_proxy_vpc_endpoint_service_name"] = json!(proxy.vpc_service);
        shown["access_key_id"] = json!(proxy.access_key_id);
    }
    if let Some(cluster) = &store.cloud_hsm {
        shown["cloud_hsm_cluster_id"] = json!(cluster.cluster);
    }
    shown
}

/// What is in one of two lists or objects, and not the same in the other.
fn without(these: &Value, those: &Value) -> Value {
    match (these, those) {
        (Value::Array(these), Value::Array(those)) => only_in(these, those),
        (Value::Object(these), Value::Object(those)) => {
            let own = these.iter().filter(|(name, value)| those.get(*name) != Some(value));
            Value::Object(own.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        _ => these.clone(),
    }
}

fn difference(aspect: DriftAspect, before: &Value, after: &Value) -> Difference {
    Difference { aspect, before: before.to_string(), after: after.to_string() }
}

fn time(at: Option<Time>) -> Value {
    at.map_or(Value::Null, |at| json!(at.to_string()))
}

fn rotation(status: Option<&RotationStatus>) -> Value {
    status.map_or(
        Value::Null,
        |status| json!({"enabled": status.enabled, "period_days": status.period.map(|period| period.days())}),
    )
}

/// The statements of a policy. A policy can have a single one that is in no list.
fn statements(policy: &Value) -> Vec<Value> {
    match &policy["Statement"] {
        Value::Array(all) => all.clone(),
        Value::Null => Vec::new(),
        one @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![one.clone()],
    }
}

fn only_in(these: &[Value], those: &[Value]) -> Value {
    Value::Array(these.iter().filter(|value| !those.contains(value)).cloned().collect())
}

/// The tags that are only in one of two readings or have another value there.
fn tags(before: &[Tag], after: &[Tag]) -> (Value, Value) {
    let different = |these: &[Tag], those: &[Tag]| {
        let own = these.iter().filter(|tag| !those.contains(tag));
        Value::Object(own.map(|tag| (tag.key.clone(), json!(tag.value))).collect::<Map<_, _>>())
    };
    (different(before, after), different(after, before))
}
