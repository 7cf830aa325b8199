//! Custom key stores of the model. What backs them is not modelled: a scripted failure stands for its refusals.
//!
//! A store that connects or disconnects shows so in one description, and is connected or disconnected in the next one.

use super::model::{Model, NOW, page, refused};
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{
    CreateCustomKeyStore, DescribeCustomKeyStores, NewKeyStoreBacking, UpdateCustomKeyStore, WhichKeyStores,
};
use crate::aws::kms::custom_key_store::{ConnectionState, CustomKeyStore, KeyStoreBacking, XksProxy};
use crate::aws::operation::AwsOperation;
use crate::aws::page::Page;
use crate::domain::place::Region;

type ModelResult<T> = Result<T, AwsFailure>;

impl Model {
    fn key_store(&mut self, operation: AwsOperation, region: &Region, id: &str) -> ModelResult<&mut CustomKeyStore> {
        let found = self.key_stores.get_mut(&(region.clone(), id.to_owned()));
        found.ok_or_else(|| refused(operation, "CustomKeyStoreNotFoundException", &format!("{id} does not exist")))
    }

    /// The store, if its connection is in one of the states.
    fn key_store_that_is(
        &mut self,
        operation: AwsOperation,
        region: &Region,
        id: &str,
        states: &[ConnectionState],
    ) -> ModelResult<&mut CustomKeyStore> {
        let store = self.key_store(operation, region, id)?;
        if states.contains(&store.connection) {
            return Ok(store);
        }
        let message = format!("{id} is {}.", store.connection.as_str());
        Err(refused(operation, "CustomKeyStoreInvalidStateException", &message))
    }

    pub(super) fn create_key_store(
        &mut self,
        operation: AwsOperation,
        region: &Region,
        call: &CreateCustomKeyStore,
    ) -> ModelResult<String> {
        let mut here = self.key_stores.iter().filter(|((there, _), _)| there == region);
        if here.any(|(_, store)| store.name == call.name) {
            return Err(refused(operation, "CustomKeyStoreNameInUseException", "the name is in use"));
        }
        self.made += 1;
        let id = format!("cks-{:017x}", self.made);
        let backing = match &call.backing {
            NewKeyStoreBacking::Xks { endpoint, path, connectivity, credential } => KeyStoreBacking::Xks(XksProxy {
                endpoint: endpoint.clone(),
                path: path.clone(),
                connectivity: connectivity.clone(),
                access_key_id: credential.access_key_id.clone(),
            }),
            NewKeyStoreBacking::CloudHsm { cluster, trust_anchor, .. } => {
                KeyStoreBacking::CloudHsm { cluster: cluster.clone(), trust_anchor: trust_anchor.clone() }
            }
        };
        let store = CustomKeyStore {
            id: id.clone(),
            name: call.name.clone(),
            connection: ConnectionState::Disconnected,
            connection_error: None,
            created_at: Some(NOW),
            backing,
        };
        self.key_stores.insert((region.clone(), id.clone()), store);
        Ok(id)
    }

    pub(super) fn describe_key_stores(
        &mut self,
        operation: AwsOperation,
        region: &Region,
        call: &DescribeCustomKeyStores,
    ) -> ModelResult<Page<CustomKeyStore>> {
        let is_wanted = |store: &CustomKeyStore| match &call.which {
            WhichKeyStores::All => true,
            WhichKeyStores::WithId(id) => store.id == *id,
            WhichKeyStores::WithName(name) => store.name == *name,
        };
        let here = self.key_stores.iter_mut().filter(|((there, _), store)| there == region && is_wanted(store));
        let mut described = Vec::new();
        for (_, store) in here {
            described.push(store.clone());
            match store.connection {
                ConnectionState::Connecting => store.connection = ConnectionState::Connected,
                ConnectionState::Disconnecting => store.connection = ConnectionState::Disconnected,
                _ => {}
            }
        }
        if described.is_empty() && call.which != WhichKeyStores::All {
            return Err(refused(operation, "CustomKeyStoreNotFoundException", "the store does not exist"));
        }
        Ok(page(described, &call.paging))
    }

    pub(super) fn connect_key_store(&mut self, operation: AwsOperation, region: &Region, id: &str) -> ModelResult<()> {
        use ConnectionState::{Connected, Connecting, Disconnected};
        let store = self.key_store_that_is(operation, region, id, &[Disconnected, Connecting, Connected])?;
        if store.connection == Disconnected {
            store.connection = Connecting;
        }
        Ok(())
    }

    pub(super) fn disconnect_key_store(
        &mut self,
        operation: AwsOperation,
        region: &Region,
        id: &str,
    ) -> ModelResult<()> {
        use ConnectionState::{Connected, Connecting, Disconnected, Disconnecting, Failed};
        let store = self.key_store_that_is(operation, region, id, &[Connecting, Connected, Failed])?;
        store.connection = if store.connection == Failed { Disconnected } else { Disconnecting };
        store.connection_error = None;
        Ok(())
    }

    pub(super) fn update_key_store(
        &mut self,
        operation: AwsOperation,
        region: &Region,
        call: &UpdateCustomKeyStore,
    ) -> ModelResult<()> {
        use ConnectionState::{Connected, Disconnected};
        let while_connected =
            call.endpoint.is_none() && call.connectivity.is_none() && call.cluster.is_none() && call.password.is_none();
        let states: &[ConnectionState] = if while_connected { &[Disconnected, Connected] } else { &[Disconnected] };
        let store = self.key_store_that_is(operation, region, &call.store, states)?;
        if let Some(name) = &call.name {
            store.name.clone_from(name);
        }
        match &mut store.backing {
            KeyStoreBacking::Xks(proxy) => {
                let credential = call.credential.as_ref().map(|new| &new.access_key_id);
                for (old, new) in [
                    (&mut proxy.endpoint, call.endpoint.as_ref()),
                    (&mut proxy.path, call.path.as_ref()),
                    (&mut proxy.access_key_id, credential),
                ] {
                    if let Some(new) = new {
                        old.clone_from(new);
                    }
                }
                if let Some(connectivity) = &call.connectivity {
                    proxy.connectivity.clone_from(connectivity);
                }
            }
            KeyStoreBacking::CloudHsm { cluster, .. } => {
                if let Some(new) = &call.cluster {
                    cluster.clone_from(new);
                }
            }
        }
        Ok(())
    }

    pub(super) fn delete_key_store(&mut self, operation: AwsOperation, region: &Region, id: &str) -> ModelResult<()> {
        self.key_store_that_is(operation, region, id, &[ConnectionState::Disconnected])?;
        let here = self.keys.iter().filter(|((there, _), _)| there == region);
        if here.into_iter().any(|(_, key)| key.metadata.custom_key_store_id.as_deref() == Some(id)) {
            return Err(refused(operation, "CustomKeyStoreHasCMKsException", "the store contains keys"));
        }
        self.key_stores.remove(&(region.clone(), id.to_owned()));
        Ok(())
    }
}
