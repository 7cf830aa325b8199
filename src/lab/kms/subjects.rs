//! What a call is about, for its event in CloudTrail: keys, aliases, custom key stores.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::key::Key;
use super::state::State;
use super::{Kms, usage};
use crate::lab::plan::Account;
use crate::lab::trail::{Resource, Subjects};

const KEY: &str = "AWS::KMS::Key";
/// The members of a request that name keys.
const NAMES: [&str; 4] = ["KeyId", "SourceKeyId", "DestinationKeyId", "TargetKeyId"];
/// The members of an answer that do.
const ANSWERED: [&str; 2] = ["KeyId", "SourceKeyId"];

impl Kms {
    /// What a request names.
    pub(in crate::lab) fn subjects(&self, account: &Account, region: &str, body: &[u8]) -> Subjects {
        let mut subjects = Subjects::default();
        let Ok(body) = serde_json::from_slice::<Map<String, Value>>(body) else { return subjects };
        let Ok(state) = self.state() else { return subjects };
        let text = |member: &str| body.get(member).and_then(Value::as_str);
        for key in NAMES.into_iter().filter_map(text).filter_map(|name| key_named(&state, account, region, name)) {
            add_key(&mut subjects, key, region);
        }
        if text("KeyId").is_none()
            && text("SourceKeyId").is_none()
            && let Some(blob) = text("CiphertextBlob").and_then(|text| STANDARD.decode(text).ok())
            && let Some(key) = usage::material_of(&blob).and_then(|id| state.key_of_material(&id))
            && key.placements.contains_key(region)
        {
            add_key(&mut subjects, key, region);
        }
        if let Some(alias) = text("AliasName") {
            let arn = format!("arn:{}:kms:{region}:{}:{alias}", account.partition, account.id);
            subjects.others.push(Resource { account: account.id.clone(), arn, kind: None });
            if let Some(key) = key_named(&state, account, region, alias) {
                add_key(&mut subjects, key, region);
            }
        }
        if let Some(store) = text("CustomKeyStoreId")
            && let Some(store) = state.custom_key_stores.get(&account.id, region, store)
        {
            subjects.additional.insert("customKeyStoreName".to_owned(), json!(store.name));
            if let Some(cluster) = store.cluster() {
                subjects.additional.insert("clusterId".to_owned(), json!(cluster));
            }
        }
        subjects
    }

    /// Adds what an answer names.
    pub(in crate::lab) fn add_answered(
        &self,
        subjects: &mut Subjects,
        account: &Account,
        region: &str,
        answer: &Value,
    ) {
        let created = ["KeyMetadata", "ReplicaKeyMetadata"].into_iter().map(|member| &answer[member]["Arn"]);
        let named = ANSWERED.into_iter().map(|member| &answer[member]).chain(created);
        let names: Vec<&str> = named.filter_map(Value::as_str).collect();
        if let Some(material) = answer["KeyMaterialId"].as_str() {
            subjects.additional.insert("keyMaterialId".to_owned(), json!(material));
        }
        if names.is_empty() || names.iter().all(|name| subjects.keys.iter().any(|key| key.arn == *name)) {
            return;
        }
        let Ok(state) = self.state() else { return };
        for key in names.into_iter().filter_map(|name| key_named(&state, account, region, name)) {
            add_key(subjects, key, region);
        }
    }
}

fn key_named<'s>(state: &'s State, account: &Account, region: &str, name: &str) -> Option<&'s Key> {
    let (owner, resource) = match name.starts_with("arn:") {
        false => (account.id.as_str(), name),
        true => {
            let [_, _, "kms", at, owner, resource] = name.splitn(6, ':').collect::<Vec<_>>()[..] else { return None };
            if at != region {
                return None;
            }
            (owner, resource)
        }
    };
    let id = match resource.starts_with("alias/") {
        true => state.alias(owner, region, resource)?.target.as_deref()?,
        false => resource.strip_prefix("key/").unwrap_or(resource),
    };
    state.key(owner, region, id).filter(|key| key.partition == account.partition.as_str())
}

fn add_key(subjects: &mut Subjects, key: &Key, region: &str) {
    let resource = Resource { account: key.account.clone(), arn: key.arn(region), kind: Some(KEY) };
    if subjects.keys.contains(&resource) {
        return;
    }
    subjects.keys.push(resource);
    if let Some(member) = &key.custom_key_store {
        subjects.additional.insert("customKeyStoreId".to_owned(), json!(member.store));
        if let Some(id) = &member.xks_key_id {
            subjects.additional.insert("xksKeyId".to_owned(), json!(id));
        }
    }
}
