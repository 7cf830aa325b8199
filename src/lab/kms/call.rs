//! One call of an operation: who asks, where and when, and which key is meant.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::crypto::Slot;
use super::key::{Key, Material, Origin};
use super::spec::{Spec, Usage};
use super::state::State;
use super::{Answer, Kms, asymmetric, exception};
use crate::lab::caller::Caller;
use crate::lab::plan::LabPlan;
use crate::lab::refusal::Refusal;

pub(super) struct Call<'a> {
    pub kms: &'a Kms,
    pub plan: &'a LabPlan,
    pub caller: &'a Caller<'a>,
    pub region: &'a str,
    pub operation: &'a str,
    pub now: DateTime<Utc>,
}

/// The kinds of key names that an operation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Ids and ARNs of keys.
    OfKeys,
    /// Aliases and their ARNs too.
    OfAliasesToo,
}

/// A key in use: what a cryptographic operation needs of it, without holding up others.
#[derive(Debug)]
pub(super) struct Tool {
    pub id: String,
    pub arn: String,
    pub spec: Spec,
    pub usage: Usage,
    pub origin: Origin,
    pub material_id: String,
    secret: Slot,
}

impl Tool {
    /// The secret itself.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if it is not there, which the key's state has ruled out.
    pub(super) fn secret(&self) -> Result<&[u8], Refusal> {
        self.secret.get().ok_or(Refusal::Internal)
    }

    /// Insists on an algorithm of the key.
    ///
    /// # Errors
    /// `InvalidKeyUsageException`.
    pub(super) fn require_algorithm(&self, algorithm: &str) -> Result<(), Refusal> {
        if self.spec.algorithms(self.usage).contains(&algorithm) {
            return Ok(());
        }
        let spec = self.spec.name();
        Err(exception::invalid_key_usage(format!("Algorithm {algorithm} is incompatible with key spec {spec}.")))
    }
}

/// What AWS lets an account do with a key of AWS's own.
const ALLOWED_ON_MANAGED: [&str; 8] = [
    "DescribeKey",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "ListGrants",
    "ListKeyPolicies",
    "ListAliases",
    "ListKeyRotations",
    "ListResourceTags",
];

impl Call<'_> {
    pub(super) fn account(&self) -> &str {
        &self.caller.account.id
    }

    /// The ARN of something of this account in this region, such as `key/…`.
    pub(super) fn arn(&self, resource: &str) -> String {
        self.arn_in(self.region, resource)
    }

    /// The same in another region.
    pub(super) fn arn_in(&self, region: &str, resource: &str) -> String {
        format!("arn:{}:kms:{region}:{}:{resource}", self.caller.account.partition, self.account())
    }

    /// Insists on the permission for this operation.
    ///
    /// # Errors
    /// [`Refusal::Denied`].
    pub(super) fn require(&self, resource: &str) -> Result<(), Refusal> {
        self.require_action(self.operation, resource)
    }

    /// Insists on the permission for another one, such as `TagResource` for what CreateKey does on the side.
    ///
    /// # Errors
    /// [`Refusal::Denied`].
    pub(super) fn require_action(&self, action: &str, resource: &str) -> Result<(), Refusal> {
        self.caller.require(&format!("kms:{action}"), Some(resource.to_owned()))
    }

    /// Looks at a key.
    ///
    /// # Errors
    /// If there is none, it must not be looked at, or the operation refuses.
    pub(super) fn look(&self, name: &str, names: Names, look: impl FnOnce(&Key, &State) -> Answer) -> Answer {
        let state = self.kms.state()?;
        look(self.find(&state, name, names, self.operation)?, &state)
    }

    /// Changes a key: all of it, or nothing if the operation refuses.
    ///
    /// # Errors
    /// As for [`Call::look`], and if it cannot be kept.
    pub(super) fn change(&self, name: &str, change: impl FnOnce(&mut Key) -> Answer) -> Answer {
        let mut state = self.kms.state()?;
        let mut key = self.find(&state, name, Names::OfKeys, self.operation)?.clone();
        let answer = change(&mut key)?;
        state.add(key, &self.kms.store)?;
        Ok(answer)
    }

    /// Changes a key and answers nothing.
    ///
    /// # Errors
    /// As for [`Call::change`].
    pub(super) fn change_silently(&self, name: &str, change: impl FnOnce(&mut Key) -> Result<(), Refusal>) -> Answer {
        self.change(name, |key| change(key).map(|()| Value::Null))
    }

    /// Takes a key into use for an operation of a kind: it has to be enabled and meant for that.
    ///
    /// # Errors
    /// What its state, its usage or the caller's permissions forbid.
    pub(super) fn tool(&self, name: &str, usage: Usage, action: &str) -> Result<Tool, Refusal> {
        let state = self.kms.state()?;
        let key = self.find(&state, name, Names::OfAliasesToo, action)?;
        key.require_enabled(self.region)?;
        if key.usage != usage {
            let (arn, usage, operation) = (key.arn(self.region), key.usage.name(), self.operation);
            let why = format!("{arn} key usage is {usage} which is not valid for {operation}.");
            return Err(exception::invalid_key_usage(why));
        }
        let tool = self.tool_of(key)?;
        drop(state);
        self.ready(tool)
    }

    /// The current material of a key, as a tool.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if there is none, which the key's state has ruled out.
    pub(super) fn tool_of(&self, key: &Key) -> Result<Tool, Refusal> {
        key.current().map(|material| self.tool_from(key, material)).ok_or(Refusal::Internal)
    }

    /// The material with this id, as a tool.
    pub(super) fn tool_with(&self, key: &Key, material_id: &str) -> Option<Tool> {
        key.materials.iter().find(|material| material.id == material_id).map(|material| self.tool_from(key, material))
    }

    fn tool_from(&self, key: &Key, material: &Material) -> Tool {
        Tool {
            id: key.id.clone(),
            arn: key.arn(self.region),
            spec: key.spec,
            usage: key.usage,
            origin: key.origin,
            material_id: material.id.clone(),
            secret: material.secret.clone(),
        }
    }

    /// Makes a pair that nobody has used so far: large ones take long, so nobody waits for them before.
    ///
    /// # Errors
    /// If there is no way to make it, or it cannot be kept.
    pub(super) fn ready(&self, tool: Tool) -> Result<Tool, Refusal> {
        if tool.secret.get().is_none() {
            tool.secret.fill(asymmetric::generate(tool.spec)?);
            self.kms.state()?.save(&tool.id, &self.kms.store)?;
        }
        Ok(tool)
    }

    /// The key that a name stands for, if the caller may do this with it.
    ///
    /// # Errors
    /// `NotFoundException`, `InvalidArnException`, `AccessDeniedException`.
    pub(super) fn find<'s>(
        &self,
        state: &'s State,
        name: &str,
        names: Names,
        action: &str,
    ) -> Result<&'s Key, Refusal> {
        let id = self.id_of(state, name, names, action)?;
        let arn = self.arn(&format!("key/{id}"));
        self.require_action(action, &arn)?;
        let key = state.key(self.account(), self.region, &id).ok_or_else(|| exception::no_such_key(&arn))?;
        if key.managed_for.is_some() && !ALLOWED_ON_MANAGED.contains(&self.operation) {
            return Err(self.closed(action, &arn));
        }
        Ok(key)
    }

    fn id_of(&self, state: &State, name: &str, names: Names, action: &str) -> Result<String, Refusal> {
        let resource = if name.starts_with("arn:") { self.resource_of(name, action)? } else { name };
        match (resource.strip_prefix("key/"), names) {
            (Some(id), _) if resource != name => Ok(id.to_owned()),
            (None, Names::OfAliasesToo) if resource.starts_with("alias/") => {
                let alias = state.alias(self.account(), self.region, resource);
                let target = alias.and_then(|alias| alias.target.clone());
                target.ok_or_else(|| exception::not_found(format!("Alias {} is not found.", self.arn(resource))))
            }
            (None, Names::OfKeys) if resource.starts_with("alias/") && resource != name => {
                Err(exception::invalid_arn(format!("{name} is not a key ARN")))
            }
            _ if resource == name && is_key_id(name) => Ok(name.to_owned()),
            _ => Err(exception::not_found(format!("Invalid keyId '{name}'"))),
        }
    }

    /// The resource part of an ARN, which has to be of this account and region.
    fn resource_of<'n>(&self, arn: &'n str, action: &str) -> Result<&'n str, Refusal> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, partition, "kms", region, account, resource] = parts[..] else {
            return Err(exception::invalid_arn(format!("Invalid arn {arn}")));
        };
        if partition != self.caller.account.partition.as_str() {
            return Err(exception::invalid_arn(format!("Invalid arn {partition}")));
        }
        if region != self.region {
            return Err(exception::not_found(format!("Invalid arn {region}")));
        }
        if account != self.account() {
            return Err(self.closed(action, arn));
        }
        Ok(resource)
    }

    /// The refusal where no key policy lets the caller in.
    fn closed(&self, action: &str, arn: &str) -> Refusal {
        let who = self.caller.arn();
        exception::access_denied(format!(
            "User: {who} is not authorized to perform: kms:{action} on resource: {arn} because no resource-based \
             policy allows the kms:{action} action"
        ))
    }
}

/// Whether a text can be the id of a key.
fn is_key_id(text: &str) -> bool {
    let hexadecimal = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    match text.strip_prefix("mrk-") {
        Some(digits) => digits.len() == 32 && hexadecimal(digits),
        None => text.len() == 36 && uuid::Uuid::try_parse(text).is_ok(),
    }
}
