//! The context of a call of an operation: caller, region and time, and the lookup of the key.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::crypto::Slot;
use super::key::{Key, Material, Origin};
use super::spec::{Spec, Usage};
use super::state::State;
use super::xks::ExternalKey;
use super::{Answer, Kms, asymmetric, exception};
use crate::lab::caller::Caller;
use crate::lab::plan::LabPlan;
use crate::lab::refusal::Refusal;
use crate::policy::evaluate::Denial;

pub(super) struct Call<'a> {
    pub kms: &'a Kms,
    pub plan: &'a LabPlan,
    pub caller: &'a Caller<'a>,
    pub region: &'a str,
    pub operation: &'a str,
    /// The members of the request.
    pub body: &'a Map<String, Value>,
    pub now: DateTime<Utc>,
    pub request_id: &'a str,
}

/// The kinds of key names that an operation accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Key ids and key ARNs.
    OfKeys,
    /// Key ids, key ARNs, alias names and alias ARNs.
    OfAliasesToo,
}

/// The data of a key for a cryptographic operation, which runs without the lock of the state.
#[derive(Debug)]
pub(super) struct CryptoKey {
    pub id: String,
    pub arn: String,
    pub spec: Spec,
    pub usage: Usage,
    pub origin: Origin,
    pub material_id: String,
    /// The external key that encrypts once more; only for a key in an external key store.
    pub external: Option<ExternalKey>,
    /// Whether the key is in a custom key store.
    pub is_in_custom_key_store: bool,
    secret: Slot,
}

impl CryptoKey {
    /// The secret of the material.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if it is missing, which the check of the key's state excludes.
    pub(super) fn secret(&self) -> Result<&[u8], Refusal> {
        self.secret.get().ok_or(Refusal::Internal)
    }

    /// Requires an algorithm that the key supports.
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

impl Call<'_> {
    pub(super) fn account(&self) -> &str {
        &self.caller.account.id
    }

    /// The ARN of a resource, such as `key/…`, of this account and region.
    pub(super) fn arn(&self, resource: &str) -> String {
        self.arn_in(self.region, resource)
    }

    /// The ARN of a resource of this account in a region.
    pub(super) fn arn_in(&self, region: &str, resource: &str) -> String {
        format!("arn:{}:kms:{region}:{}:{resource}", self.caller.account.partition, self.account())
    }

    /// Requires the permission for this operation.
    ///
    /// # Errors
    /// [`Refusal::Denied`].
    pub(super) fn require(&self, resource: &str) -> Result<(), Refusal> {
        self.require_action(self.operation, resource)
    }

    /// Finds a key and reads it.
    ///
    /// # Errors
    /// As for [`Call::find`], and the refusal of the function.
    pub(super) fn read(&self, name: &str, names: Names, read: impl FnOnce(&Key, &State) -> Answer) -> Answer {
        let state = self.kms.state()?;
        read(self.find(&state, name, names, self.operation)?, &state)
    }

    /// Finds a key, changes a copy of it, and stores the copy unless the function refuses.
    ///
    /// # Errors
    /// As for [`Call::find`], the refusal of the function, and [`Refusal::Internal`] if the key cannot be stored.
    pub(super) fn change(&self, name: &str, change: impl FnOnce(&mut Key) -> Answer) -> Answer {
        let mut state = self.kms.state()?;
        let mut key = self.find(&state, name, Names::OfKeys, self.operation)?.clone();
        let answer = change(&mut key)?;
        state.add(key, &self.kms.store)?;
        Ok(answer)
    }

    /// Changes a key, with an empty answer.
    ///
    /// # Errors
    /// As for [`Call::change`].
    pub(super) fn change_silently(&self, name: &str, change: impl FnOnce(&mut Key) -> Result<(), Refusal>) -> Answer {
        self.change(name, |key| change(key).map(|()| Value::Null))
    }

    /// Finds a key for a cryptographic operation. The key must be enabled and have the usage.
    ///
    /// # Errors
    /// As for [`Call::find`], and the refusal for the key's state or usage.
    pub(super) fn crypto_key(&self, name: &str, usage: Usage, action: &str) -> Result<CryptoKey, Refusal> {
        let state = self.kms.state()?;
        let key = self.find(&state, name, Names::OfAliasesToo, action)?;
        // AWS checks the usage before the state.
        if key.usage != usage {
            let (arn, usage, operation) = (key.arn(self.region), key.usage.name(), self.operation);
            let why = format!("{arn} key usage is {usage} which is not valid for {operation}.");
            return Err(exception::invalid_key_usage(why));
        }
        key.require_enabled(self.region)?;
        let crypto_key = self.current_crypto_key(&state, key)?;
        drop(state);
        self.generate_if_missing(crypto_key)
    }

    /// The data of a key with its current material.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if there is no material, which the check of the key's state excludes.
    pub(super) fn current_crypto_key(&self, state: &State, key: &Key) -> Result<CryptoKey, Refusal> {
        key.current().map(|material| self.crypto_key_from(state, key, material)).ok_or(Refusal::Internal)
    }

    /// The data of a key with the material of an id.
    pub(super) fn crypto_key_with(&self, state: &State, key: &Key, material_id: &str) -> Option<CryptoKey> {
        key.materials
            .iter()
            .find(|material| material.id == material_id)
            .map(|material| self.crypto_key_from(state, key, material))
    }

    /// Requires that a key is still enabled after a call to its proxy, during which the state was not locked.
    ///
    /// # Errors
    /// The refusal for the key's state.
    pub(super) fn require_still_enabled(&self, crypto_key: &CryptoKey) -> Result<(), Refusal> {
        let state = self.kms.state()?;
        let key = state.any_key(&crypto_key.id).ok_or_else(|| exception::no_such_key(&crypto_key.arn))?;
        key.require_enabled(self.region)
    }

    fn crypto_key_from(&self, state: &State, key: &Key, material: &Material) -> CryptoKey {
        CryptoKey {
            id: key.id.clone(),
            arn: key.arn(self.region),
            spec: key.spec,
            usage: key.usage,
            origin: key.origin,
            material_id: material.id.clone(),
            external: key.custom_key_store.as_ref().and_then(|member| {
                let proxy = state.custom_key_stores.any(&member.store)?.proxy()?;
                Some(ExternalKey { access: proxy.access.clone(), id: member.xks_key_id.clone()? })
            }),
            is_in_custom_key_store: key.custom_key_store.is_some(),
            secret: material.secret.clone(),
        }
    }

    /// Generates the key pair of a key on first use, because the generation of a large one takes long.
    ///
    /// # Errors
    /// As for [`asymmetric::generate`], and [`Refusal::Internal`] if the key pair cannot be stored.
    pub(super) fn generate_if_missing(&self, crypto_key: CryptoKey) -> Result<CryptoKey, Refusal> {
        if crypto_key.secret.get().is_none() {
            crypto_key.secret.fill(asymmetric::generate(crypto_key.spec)?);
            self.kms.state()?.save(&crypto_key.id, &self.kms.store)?;
        }
        Ok(crypto_key)
    }

    /// Finds a key by name and requires the permission for an action on it.
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
        let key = self.locate_for(state, name, names, action)?;
        self.authorize(state, key, action)?;
        Ok(key)
    }

    /// Finds a key by name. The caller must check the permission.
    ///
    /// # Errors
    /// As for [`Call::find`].
    pub(super) fn locate<'s>(&self, state: &'s State, name: &str, names: Names) -> Result<&'s Key, Refusal> {
        self.locate_for(state, name, names, self.operation)
    }

    fn locate_for<'s>(&self, state: &'s State, name: &str, names: Names, action: &str) -> Result<&'s Key, Refusal> {
        let (account, id) = self.id_of(state, name, names, action)?;
        let own = account == self.account();
        let arn = format!("arn:{}:kms:{}:{account}:key/{id}", self.caller.account.partition, self.region);
        self.require_across_accounts(account, action, &arn)?;
        match state.key(account, self.region, &id) {
            Some(key) => Ok(key),
            // Only a caller that may use any key of the account learns that this one does not exist.
            None if own => self.require_action(action, &arn).and(Err(exception::no_such_key(&arn))),
            None => Err(self.denied(action, &arn, Denial::OtherAccount)),
        }
    }

    /// The account and the id of a key.
    fn id_of<'n>(
        &'n self,
        state: &State,
        name: &'n str,
        names: Names,
        action: &str,
    ) -> Result<(&'n str, String), Refusal> {
        let (account, resource) =
            if name.starts_with("arn:") { self.resource_of(name)? } else { (self.account(), name) };
        let id = match (resource.strip_prefix("key/"), names) {
            (Some(id), _) if resource != name && is_key_id(id) => id.to_owned(),
            (Some(id), _) if resource != name => return Err(exception::not_found(format!("Invalid keyId {id}"))),
            (None, Names::OfAliasesToo) if resource.starts_with("alias/") => {
                let alias = state.alias(account, self.region, resource);
                let target = alias.and_then(|alias| alias.target.clone());
                target.ok_or_else(|| match account == self.account() {
                    true => exception::not_found(format!("Alias {} is not found.", self.arn(resource))),
                    false => self.denied(action, name, Denial::OtherAccount),
                })?
            }
            (None, Names::OfKeys) if resource.starts_with("alias/") => {
                return Err(exception::invalid_arn("Key Aliases are not supported for this operation."));
            }
            _ if resource == name && is_key_id(name) => name.to_owned(),
            _ => return Err(exception::not_found(format!("Invalid keyId '{name}'"))),
        };
        Ok((account, id))
    }

    /// The account and the resource part of an ARN, which must be of this partition and region.
    fn resource_of<'n>(&self, arn: &'n str) -> Result<(&'n str, &'n str), Refusal> {
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
        Ok((account, resource))
    }
}

/// Whether a text has the form of a key id.
fn is_key_id(text: &str) -> bool {
    let hexadecimal = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    match text.strip_prefix("mrk-") {
        Some(digits) => digits.len() == 32 && hexadecimal(digits),
        None => text.len() == 36 && uuid::Uuid::try_parse(text).is_ok(),
    }
}
