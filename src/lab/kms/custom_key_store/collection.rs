//! All custom key stores of the lab, by id.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Excluded, Unbounded};

use super::{Backing, CustomKeyStore};
use crate::lab::plan::Cluster;
use crate::lab::secret::Secret;

#[derive(Debug, Default)]
pub(crate) struct CustomKeyStores {
    by_id: BTreeMap<String, CustomKeyStore>,
    /// The passwords of `kmsuser` that differ from the plan, by the id of the cluster.
    passwords: HashMap<String, Secret>,
}

impl CustomKeyStores {
    pub(in crate::lab::kms) fn new(stores: Vec<CustomKeyStore>, passwords: HashMap<String, Secret>) -> CustomKeyStores {
        CustomKeyStores { by_id: stores.into_iter().map(|store| (store.id.clone(), store)).collect(), passwords }
    }

    /// A store of an account in a region.
    pub(in crate::lab::kms) fn get(&self, account: &str, region: &str, id: &str) -> Option<&CustomKeyStore> {
        self.by_id.get(id).filter(|store| store.account == account && store.region == region)
    }

    /// A store of any account and region.
    pub(in crate::lab::kms) fn any(&self, id: &str) -> Option<&CustomKeyStore> {
        self.by_id.get(id)
    }

    pub(in crate::lab::kms) fn all(&self) -> impl Iterator<Item = &CustomKeyStore> {
        self.by_id.values()
    }

    /// The stores of an account in a region.
    pub(in crate::lab::kms) fn of<'s>(
        &'s self,
        account: &'s str,
        region: &'s str,
    ) -> impl Iterator<Item = &'s CustomKeyStore> {
        self.following(account, region, "")
    }

    /// The stores of an account in a region whose ids follow `after`.
    pub(in crate::lab::kms) fn following<'s>(
        &'s self,
        account: &'s str,
        region: &'s str,
        after: &str,
    ) -> impl Iterator<Item = &'s CustomKeyStore> {
        let range = (Excluded(after.to_owned()), Unbounded);
        let stores = self.by_id.range(range).map(|(_, store)| store);
        stores.filter(move |store| store.account == account && store.region == region)
    }

    /// Inserts or replaces a store.
    pub(in crate::lab::kms) fn set(&mut self, store: CustomKeyStore) {
        self.by_id.insert(store.id.clone(), store);
    }

    pub(in crate::lab::kms) fn remove(&mut self, id: &str) {
        let removed = self.by_id.remove(id);
        // An administrator of the cluster sets the password that AWS has chosen back.
        if let Some(Backing::CloudHsm(login)) = removed.map(|store| store.backing) {
            self.passwords.remove(&login.cluster);
        }
    }

    /// The password that `kmsuser` has on a cluster.
    pub(in crate::lab::kms) fn kmsuser_password<'s>(&'s self, cluster: &'s Cluster) -> &'s Secret {
        self.passwords.get(&cluster.id).unwrap_or(&cluster.kmsuser_password)
    }

    pub(in crate::lab::kms) fn set_kmsuser_password(&mut self, cluster: &str, password: Secret) {
        self.passwords.insert(cluster.to_owned(), password);
    }

    /// The passwords that differ from the plan.
    pub(in crate::lab::kms) fn passwords(&self) -> &HashMap<String, Secret> {
        &self.passwords
    }
}
