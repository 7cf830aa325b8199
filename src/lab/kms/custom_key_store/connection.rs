//! The connection of a store: its states, ConnectCustomKeyStore and DisconnectCustomKeyStore.
//!
//! KMS answers at once, and connects in the background: it asks the proxy for its health, or logs in to the cluster.
//! The store is connected when the answer is there and the time of a connection has passed on the lab's clock.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::super::call::Call;
use super::super::request::Request;
use super::super::state::State;
use super::super::{Answer, Kms, crypto, exception};
use super::{Backing, CustomKeyStore, ID, not_found};
use crate::lab::plan::LabPlan;
use crate::lab::refusal::Refusal;
use crate::lab::secret::Secret;

/// The state of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Connection {
    Disconnected,
    Connecting {
        /// The earliest time of the end.
        until: DateTime<Utc>,
        outcome: Outcome,
    },
    Connected,
    Disconnecting {
        until: DateTime<Utc>,
    },
    /// The attempt to connect failed, with AWS's `ConnectionErrorCode`.
    Failed(String),
}

/// The result of an attempt to connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Pending,
    Connected,
    Failed(String),
}

impl Connection {
    /// AWS's `ConnectionState`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Connection::Disconnected => "DISCONNECTED",
            Connection::Connecting { .. } => "CONNECTING",
            Connection::Connected => "CONNECTED",
            Connection::Disconnecting { .. } => "DISCONNECTING",
            Connection::Failed(_) => "FAILED",
        }
    }

    /// The state that follows at a time; `None` if nothing is due.
    fn next(&self, now: DateTime<Utc>) -> Option<Connection> {
        match self {
            Connection::Connecting { until, outcome: Outcome::Connected } if *until <= now => {
                Some(Connection::Connected)
            }
            Connection::Connecting { until, outcome: Outcome::Failed(code) } if *until <= now => {
                Some(Connection::Failed(code.clone()))
            }
            Connection::Disconnecting { until } if *until <= now => Some(Connection::Disconnected),
            _ => None,
        }
    }
}

impl CustomKeyStore {
    /// The store in the state that follows at a time; `None` if nothing is due.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if the system provides no randomness.
    pub(in crate::lab::kms) fn advanced(&self, now: DateTime<Utc>) -> Result<Option<CustomKeyStore>, Refusal> {
        let Some(connection) = self.connection.next(now) else { return Ok(None) };
        let mut store = CustomKeyStore { connection, ..self.clone() };
        if let Backing::CloudHsm(login) = &mut store.backing
            && store.connection == Connection::Connected
        {
            // AWS changes the password as soon as it has logged in, so that nobody else knows it.
            let digits: String = crypto::random(16)?.iter().map(|byte| format!("{byte:02x}")).collect();
            login.password = Secret::new(digits);
        }
        Ok(Some(store))
    }
}

/// `ConnectCustomKeyStore`
pub(in crate::lab::kms) fn connect_custom_key_store(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let id = request.required("CustomKeyStoreId", ID);
    request.finish()?;
    call.require("*")?;
    let mut state = call.kms.state()?;
    let store = call.custom_key_store(&state, id)?.clone();
    match store.connection {
        Connection::Connecting { .. } | Connection::Connected => return Ok(json!({})),
        Connection::Disconnected => {}
        Connection::Disconnecting { .. } | Connection::Failed(_) => {
            return Err(store.wrong_state("Only a disconnected custom key store can be connected."));
        }
    }
    let until = call.now + TimeDelta::seconds(call.plan.custom_key_stores().connection_seconds);
    let outcome = match &store.backing {
        Backing::Xks(proxy) => {
            let vpc = proxy.vpc.as_ref().map(|vpc| vpc.name.as_str());
            match vpc.filter(|name| !call.finds_vpc_endpoint_service(name)) {
                Some(_) => Outcome::Failed("XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND".to_owned()),
                None => {
                    call.kms.try_proxy(&store, until);
                    Outcome::Pending
                }
            }
        }
        Backing::CloudHsm(_) => log_in(call.plan, &state, &store)?,
    };
    let connection = Connection::Connecting { until, outcome };
    state.set_custom_key_store(CustomKeyStore { connection, ..store }, &call.kms.store)?;
    Ok(json!({}))
}

/// The result of the login to the cluster of a store.
///
/// # Errors
/// `CloudHsmClusterNotActiveException` or `CloudHsmClusterInvalidConfigurationException`.
fn log_in(plan: &LabPlan, state: &State, store: &CustomKeyStore) -> Result<Outcome, Refusal> {
    let Backing::CloudHsm(login) = &store.backing else { return Ok(Outcome::Pending) };
    let account = plan.account(&store.account);
    let Some(cluster) = account.and_then(|account| account.cluster(&store.region, &login.cluster)) else {
        return Ok(Outcome::Failed("CLUSTER_NOT_FOUND".to_owned()));
    };
    if !cluster.is_active() {
        return Err(exception::cluster_not_active(format!("Cluster {} is not active.", cluster.id)));
    }
    if cluster.active_hsms().next().is_none() {
        let why = format!("Cluster {} has no active HSM.", cluster.id);
        return Err(exception::cluster_invalid_configuration(why));
    }
    let known = state.custom_key_stores.kmsuser_password(cluster);
    Ok(if known.reveal() != login.password.reveal() {
        Outcome::Failed("INVALID_CREDENTIALS".to_owned())
    } else if cluster.kmsuser_logged_in {
        Outcome::Failed("USER_LOGGED_IN".to_owned())
    } else {
        Outcome::Connected
    })
}

/// `DisconnectCustomKeyStore`
pub(in crate::lab::kms) fn disconnect_custom_key_store(call: &Call<'_>, request: &mut Request<'_>) -> Answer {
    let id = request.required("CustomKeyStoreId", ID);
    request.finish()?;
    call.require("*")?;
    let mut state = call.kms.state()?;
    let store = call.custom_key_store(&state, id)?.clone();
    let connection = match store.connection {
        Connection::Disconnected | Connection::Disconnecting { .. } => {
            return Err(store.wrong_state("It is disconnected already."));
        }
        Connection::Failed(_) => Connection::Disconnected,
        Connection::Connecting { .. } | Connection::Connected => {
            let seconds = call.plan.custom_key_stores().connection_seconds;
            Connection::Disconnecting { until: call.now + TimeDelta::seconds(seconds) }
        }
    };
    state.set_custom_key_store(CustomKeyStore { connection, ..store }, &call.kms.store)?;
    Ok(json!({}))
}

impl Call<'_> {
    /// A custom key store of this account and region.
    ///
    /// # Errors
    /// `CustomKeyStoreNotFoundException`.
    pub(in crate::lab::kms) fn custom_key_store<'s>(
        &self,
        state: &'s State,
        id: &str,
    ) -> Result<&'s CustomKeyStore, Refusal> {
        state.custom_key_stores.get(self.account(), self.region, id).ok_or_else(|| not_found(id))
    }
}

impl Kms {
    /// Asks the proxy of a connecting store for its health, in the background. `until` identifies the attempt.
    fn try_proxy(&self, store: &CustomKeyStore, until: DateTime<Utc>) {
        let Some(proxy) = store.proxy() else { return };
        let (id, region, access) = (store.id.clone(), store.region.clone(), proxy.access.clone());
        let (kms, xks) = (self.this.clone(), Arc::clone(&self.xks));
        self.background.spawn(async move {
            let outcome = match xks.health(&access, &region, "ConnectCustomKeyStore", &new_request_id()).await {
                Ok(()) => Outcome::Connected,
                Err(failure) => Outcome::Failed(failure.connection_error().to_owned()),
            };
            if let Some(kms) = kms.upgrade() {
                kms.end_attempt(&id, until, outcome);
            }
        });
    }

    fn end_attempt(&self, id: &str, until: DateTime<Utc>, outcome: Outcome) {
        // The disk has failed, which the next call reports.
        let Ok(mut state) = self.state() else { return };
        let Some(store) = state.custom_key_stores.any(id).cloned() else { return };
        // The store may have been disconnected, and connected again, since then.
        if store.connection == (Connection::Connecting { until, outcome: Outcome::Pending }) {
            let connection = Connection::Connecting { until, outcome };
            let _ = state.set_custom_key_store(CustomKeyStore { connection, ..store }, &self.store);
        }
    }

    /// Continues the attempts to connect that a stop of the lab has interrupted.
    pub(in crate::lab) fn resume_connections(&self) {
        let Ok(state) = self.state() else { return };
        for store in state.custom_key_stores.all() {
            if let Connection::Connecting { until, outcome: Outcome::Pending } = store.connection {
                self.try_proxy(store, until);
            }
        }
    }

    /// Asks the proxies of all connected stores for their health, in the background. AWS publishes the results as
    /// metrics; no result changes the connection.
    pub(in crate::lab) fn check_health(&self) {
        let Ok(state) = self.state() else { return };
        for store in state.custom_key_stores.all().filter(|store| store.is_connected()) {
            let Some(proxy) = store.proxy() else { continue };
            let (access, region, xks) = (proxy.access.clone(), store.region.clone(), Arc::clone(&self.xks));
            self.background.spawn(async move {
                if let Err(failure) = xks.health(&access, &region, "KmsHealthCheck", &new_request_id()).await {
                    tracing::info!(endpoint = %access.endpoint, ?failure, "a proxy is not healthy");
                }
            });
        }
    }
}

/// The id of a request to a proxy that no call of a client causes directly.
fn new_request_id() -> String {
    Uuid::new_v4().to_string()
}
