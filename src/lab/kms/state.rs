//! All keys and aliases of the lab, and the dates of due changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound::{Excluded, Unbounded};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::custom_key_store::{CustomKeyStore, CustomKeyStores, Membership};
use super::key::{Key, Placement};
use super::store::{Store, StoreError};
use crate::lab::refusal::Refusal;
use crate::lab::secret::Secret;

/// The keys of the lab's KMS. A change is made to a copy of a key, which [`State::add`] stores.
#[derive(Debug, Default)]
pub(super) struct State {
    keys: HashMap<String, Key>,
    /// The key of each material, to find the key of a ciphertext.
    key_of_material: HashMap<String, String>,
    regions: HashMap<(String, String), RegionalKeys>,
    /// The date of the next due change of each key, sorted.
    due: BTreeSet<(DateTime<Utc>, String)>,
    due_of: HashMap<String, DateTime<Utc>>,
    pub(super) custom_key_stores: CustomKeyStores,
}

/// The keys and aliases of an account in a region.
#[derive(Debug, Default)]
struct RegionalKeys {
    keys: BTreeSet<String>,
    aliases: BTreeMap<String, Alias>,
    /// Pairs of key id and alias, to find the aliases of a key.
    aliases_of: BTreeSet<(String, String)>,
    has_managed_keys: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Alias {
    pub account: String,
    pub region: String,
    /// The name with `alias/`.
    pub name: String,
    pub arn: String,
    /// The key; `None` for an alias of AWS whose key is not created yet.
    pub target: Option<String>,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
}

impl State {
    /// Reads the stored keys and aliases.
    ///
    /// # Errors
    /// [`StoreError`] if the database or a record cannot be read.
    pub(super) fn load(store: &Store) -> Result<State, StoreError> {
        let custom_key_stores = CustomKeyStores::new(store.custom_key_stores()?, store.kmsuser_passwords()?);
        let mut state = State { custom_key_stores, ..State::default() };
        for mut key in store.keys::<Key>()? {
            state.update_membership(&mut key);
            state.index(&key);
            state.keys.insert(key.id.clone(), key);
        }
        for alias in store.aliases::<Alias>()? {
            state.regional_mut(&alias.account, &alias.region).insert(alias);
        }
        for regional in state.regions.values_mut() {
            regional.has_managed_keys = regional.aliases.keys().any(|name| name.starts_with(super::alias::RESERVED));
        }
        Ok(state)
    }

    /// Carries out all due changes in the order of their dates.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if a change cannot be stored.
    pub(super) fn catch_up(&mut self, now: DateTime<Utc>, store: &Store) -> Result<(), Refusal> {
        while let Some((date, id)) = self.due.first().filter(|(date, _)| *date <= now).cloned() {
            if let Some(key) = self.keys.get_mut(&id) {
                key.apply_due(date)?;
            }
            self.save(&id, store)?;
        }
        let advanced = self.custom_key_stores.all().map(|store| store.advanced(now)).collect::<Result<Vec<_>, _>>()?;
        for changed in advanced.into_iter().flatten() {
            if let Some((cluster, password)) = changed.changed_password() {
                let (cluster, password) = (cluster.to_owned(), password.clone());
                self.set_kmsuser_password(&cluster, password, store)?;
            }
            self.set_custom_key_store(changed, store)?;
        }
        Ok(())
    }

    /// Stores a new or changed custom key store. Its keys become available or unavailable.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if it cannot be stored.
    pub(super) fn set_custom_key_store(&mut self, changed: CustomKeyStore, store: &Store) -> Result<(), Refusal> {
        store.save_custom_key_store(&changed.id, &changed)?;
        for member in self.keys.values_mut().filter_map(|key| key.custom_key_store.as_mut()) {
            if member.store == changed.id {
                changed.describe(member);
            }
        }
        self.custom_key_stores.set(changed);
        Ok(())
    }

    /// Removes a custom key store without keys.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if the removal cannot be stored.
    pub(super) fn remove_custom_key_store(&mut self, id: &str, store: &Store) -> Result<(), Refusal> {
        store.remove_custom_key_store(id)?;
        self.custom_key_stores.remove(id);
        store.save_kmsuser_passwords(self.custom_key_stores.passwords())
    }

    /// Stores the password that `kmsuser` has on a cluster.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if it cannot be stored.
    pub(super) fn set_kmsuser_password(
        &mut self,
        cluster: &str,
        password: Secret,
        store: &Store,
    ) -> Result<(), Refusal> {
        self.custom_key_stores.set_kmsuser_password(cluster, password);
        store.save_kmsuser_passwords(self.custom_key_stores.passwords())
    }

    /// Replaces the ARN of a user or role in all key policies by its unique id.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if it cannot be stored.
    pub(super) fn show_id_of(&mut self, arn: &str, unique_id: &str, store: &Store) -> Result<(), Refusal> {
        let (arn, id) = (format!("\"{arn}\""), format!("\"{unique_id}\""));
        let names = |key: &Key| key.placements.values().any(|placement| placement.policy.contains(&arn));
        let named: Vec<Key> = self.keys.values().filter(|key| names(key)).cloned().collect();
        for mut key in named {
            for placement in key.placements.values_mut() {
                placement.policy = placement.policy.replace(&arn, &id);
            }
            self.add(key, store)?;
        }
        Ok(())
    }

    /// Whether a custom key store contains keys.
    pub(super) fn has_keys_of(&self, store: &str) -> bool {
        self.members_of(store).next().is_some()
    }

    /// Whether a key in a custom key store has an external key.
    pub(super) fn has_external_key(&self, store: &str, xks_key_id: &str) -> bool {
        self.members_of(store).any(|member| member.xks_key_id.as_deref() == Some(xks_key_id))
    }

    fn members_of(&self, store: &str) -> impl Iterator<Item = &Membership> {
        let members = self.keys.values().filter_map(|key| key.custom_key_store.as_ref());
        members.filter(move |member| member.store == store)
    }

    fn update_membership(&self, key: &mut Key) {
        if let Some(member) = &mut key.custom_key_store
            && let Some(store) = self.custom_key_stores.any(&member.store)
        {
            store.describe(member);
        }
    }

    /// The key of a material, in any account.
    pub(super) fn key_of_material(&self, material_id: &str) -> Option<&Key> {
        self.keys.get(self.key_of_material.get(material_id)?)
    }

    pub(super) fn key(&self, account: &str, region: &str, id: &str) -> Option<&Key> {
        self.keys.get(id).filter(|key| key.account == account && key.placements.contains_key(region))
    }

    /// A key of any account and region.
    pub(super) fn any_key(&self, id: &str) -> Option<&Key> {
        self.keys.get(id)
    }

    /// The keys of all accounts of a partition in a region.
    pub(super) fn all_in<'s>(
        &'s self,
        partition: &'s str,
        region: &'s str,
    ) -> impl Iterator<Item = (&'s Key, &'s Placement)> {
        let keys = self.keys.values().filter(move |key| key.partition == partition);
        keys.filter_map(move |key| Some((key, key.placements.get(region)?)))
    }

    /// Stores a new or changed key.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if the key cannot be stored.
    pub(super) fn add(&mut self, mut key: Key, store: &Store) -> Result<(), Refusal> {
        self.update_membership(&mut key);
        let id = key.id.clone();
        self.keys.insert(id.clone(), key);
        self.save(&id, store)
    }

    /// Stores a key in its current form. A key without placements is deleted, as are the aliases in regions that the
    /// key has left.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if the key cannot be stored.
    pub(super) fn save(&mut self, id: &str, store: &Store) -> Result<(), Refusal> {
        let Some(key) = self.keys.remove(id) else { return Ok(()) };
        // The indexes are updated first, so that they match the keys in memory even if the disk fails.
        self.index(&key);
        let aliases = self.leave_regions(&key);
        let exists = !key.placements.is_empty();
        let stored = aliases.iter().try_for_each(|alias| store.remove_alias(&alias.arn)).and_then(|()| match exists {
            true => store.save_key(id, &key),
            false => store.remove_key(id),
        });
        if exists {
            self.keys.insert(id.to_owned(), key);
        } else {
            self.key_of_material.retain(|_, of| of != id);
        }
        stored
    }

    /// Removes a key from the regions that it has left. Returns the aliases that it had there.
    fn leave_regions(&mut self, key: &Key) -> Vec<Alias> {
        let mut removed = Vec::new();
        let left = |((account, region), regional): &(&(String, String), &mut RegionalKeys)| {
            *account == key.account && !key.placements.contains_key(region) && regional.keys.contains(&key.id)
        };
        for (_, regional) in self.regions.iter_mut().filter(left) {
            regional.keys.remove(&key.id);
            removed.extend(regional.names_of(&key.id).iter().filter_map(|name| regional.remove(name)));
        }
        removed
    }

    fn index(&mut self, key: &Key) {
        for region in key.placements.keys() {
            let regional = self.regional_mut(&key.account, region);
            if !regional.keys.contains(&key.id) {
                regional.keys.insert(key.id.clone());
            }
        }
        for material in key.materials.iter().filter(|material| !material.id.is_empty()) {
            if !self.key_of_material.contains_key(&material.id) {
                self.key_of_material.insert(material.id.clone(), key.id.clone());
            }
        }
        self.set_due(&key.id, key.next_due());
    }

    fn set_due(&mut self, id: &str, due: Option<DateTime<Utc>>) {
        if let Some(date) = self.due_of.remove(id) {
            self.due.remove(&(date, id.to_owned()));
        }
        if let Some(date) = due {
            self.due.insert((date, id.to_owned()));
            self.due_of.insert(id.to_owned(), date);
        }
    }

    /// The ids of the keys in a region, after `after`.
    pub(super) fn ids_after(&self, account: &str, region: &str, after: &str) -> impl Iterator<Item = &String> {
        let range = (Excluded(after.to_owned()), Unbounded);
        self.regional(account, region).into_iter().flat_map(move |regional| regional.keys.range(range.clone()))
    }

    pub(super) fn alias(&self, account: &str, region: &str, name: &str) -> Option<&Alias> {
        self.regional(account, region)?.aliases.get(name)
    }

    /// The aliases in a region, after `after`.
    pub(super) fn aliases_after(&self, account: &str, region: &str, after: &str) -> impl Iterator<Item = &Alias> {
        let range = (Excluded(after.to_owned()), Unbounded);
        self.regional(account, region)
            .into_iter()
            .flat_map(move |regional| regional.aliases.range::<String, _>(range.clone()).map(|(_, alias)| alias))
    }

    /// The aliases of a key in a region, sorted by name.
    pub(super) fn aliases_of(&self, account: &str, region: &str, id: &str) -> Vec<&Alias> {
        let Some(regional) = self.regional(account, region) else { return Vec::new() };
        regional.names_of(id).iter().filter_map(|name| regional.aliases.get(name)).collect()
    }

    /// Stores a new or changed alias.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if the alias cannot be stored.
    pub(super) fn set_alias(&mut self, alias: Alias, store: &Store) -> Result<(), Refusal> {
        store.save_alias(&alias.arn, &alias)?;
        self.regional_mut(&alias.account, &alias.region).insert(alias);
        Ok(())
    }

    /// Removes an alias.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if the removal cannot be stored.
    pub(super) fn remove_alias(
        &mut self,
        account: &str,
        region: &str,
        name: &str,
        store: &Store,
    ) -> Result<(), Refusal> {
        match self.regional_mut(account, region).remove(name) {
            Some(alias) => store.remove_alias(&alias.arn),
            None => Ok(()),
        }
    }

    /// Records that the managed keys of a region are created. Returns whether they were before.
    pub(super) fn mark_managed_keys(&mut self, account: &str, region: &str) -> bool {
        std::mem::replace(&mut self.regional_mut(account, region).has_managed_keys, true)
    }

    fn regional(&self, account: &str, region: &str) -> Option<&RegionalKeys> {
        self.regions.get(&(account.to_owned(), region.to_owned()))
    }

    fn regional_mut(&mut self, account: &str, region: &str) -> &mut RegionalKeys {
        self.regions.entry((account.to_owned(), region.to_owned())).or_default()
    }
}

impl RegionalKeys {
    fn insert(&mut self, alias: Alias) {
        self.remove(&alias.name);
        if let Some(target) = &alias.target {
            self.aliases_of.insert((target.clone(), alias.name.clone()));
        }
        self.aliases.insert(alias.name.clone(), alias);
    }

    fn remove(&mut self, name: &str) -> Option<Alias> {
        let alias = self.aliases.remove(name)?;
        if let Some(target) = &alias.target {
            self.aliases_of.remove(&(target.clone(), name.to_owned()));
        }
        Some(alias)
    }

    fn names_of(&self, id: &str) -> Vec<String> {
        let from = (id.to_owned(), String::new());
        let of_it = self.aliases_of.range(from..).take_while(|(key, _)| key == id);
        of_it.map(|(_, name)| name.clone()).collect()
    }
}
