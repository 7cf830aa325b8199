//! `UpdateCustomKeyStore`

use serde_json::json;

use super::super::call::Call;
use super::super::request::Request;
use super::super::state::State;
use super::super::{Answer, exception};
use super::create::not_of;
use super::settings::Settings;
use super::{Backing, ClusterLogin, Connection, CustomKeyStore, ID};
use crate::lab::refusal::Refusal;
use crate::lab::secret::Secret;

/// `UpdateCustomKeyStore`. KMS asks the proxy for its health with the new settings before it answers.
pub(in crate::lab::kms) async fn update_custom_key_store(call: &Call<'_>, mut request: Request<'_>) -> Answer {
    let id = request.required("CustomKeyStoreId", ID);
    let settings = Settings::read(&mut request, "NewCustomKeyStoreName");
    request.finish()?;
    call.require("*")?;
    let changed = judge(call, &*call.kms.state()?, id, &settings)?;
    if let Some(proxy) = changed.proxy()
        && settings.change_the_proxy()
    {
        let health = call.kms.xks.health(&proxy.access, call.region, call.operation, call.request_id).await;
        health.map_err(|failure| failure.for_store())?;
    }
    let mut state = call.kms.state()?;
    let changed = judge(call, &state, id, &settings)?;
    state.set_custom_key_store(changed, &call.kms.store)?;
    Ok(json!({}))
}

/// The changed store.
fn judge(call: &Call<'_>, state: &State, id: &str, settings: &Settings<'_>) -> Result<CustomKeyStore, Refusal> {
    let store = call.custom_key_store(state, id)?;
    require_state(store, settings)?;
    let mut changed = store.clone();
    if let Some(name) = settings.name {
        call.require_free_name(state, name, Some(store))?;
        changed.name = name.to_owned();
    }
    match &store.backing {
        Backing::Xks(_) if settings.are_of_cluster() => return Err(not_of("CloudHSM", "EXTERNAL_KEY_STORE")),
        Backing::CloudHsm(_) if settings.are_of_xks() => return Err(not_of("external key store", "AWS_CLOUDHSM")),
        Backing::Xks(old) => {
            let proxy = settings.proxy(Some(old))?;
            call.require_free_proxy(state, &proxy, Some(store))?;
            if proxy.vpc != old.vpc {
                call.require_vpc_endpoint_service(&proxy)?;
            }
            changed.backing = Backing::Xks(proxy);
        }
        Backing::CloudHsm(old) => changed.backing = Backing::CloudHsm(login(call, state, store, old, settings)?),
    }
    Ok(changed)
}

/// Requires the state of the connection that AWS requires for the settings.
fn require_state(store: &CustomKeyStore, settings: &Settings<'_>) -> Result<(), Refusal> {
    let needs_disconnection = settings.endpoint.is_some()
        || settings.connectivity.is_some()
        || settings.vpc_name.is_some()
        || settings.vpc_owner.is_some()
        || settings.are_of_cluster();
    match store.connection {
        Connection::Disconnected => Ok(()),
        Connection::Connected if !needs_disconnection => Ok(()),
        Connection::Connected => {
            Err(store.wrong_state("Disconnect it to change anything but its name, its credential and its path."))
        }
        _ => Err(store.wrong_state("It cannot be changed in this state.")),
    }
}

fn login(
    call: &Call<'_>,
    state: &State,
    store: &CustomKeyStore,
    old: &ClusterLogin,
    settings: &Settings<'_>,
) -> Result<ClusterLogin, Refusal> {
    let mut login = old.clone();
    if settings.are_of_cluster() {
        call.caller.require("cloudhsm:DescribeClusters", None)?;
        let id = settings.cluster.unwrap_or(&old.cluster);
        let cluster = call.ready_cluster(id)?;
        if !cluster.has_certificate(&old.certificate) {
            let why = format!("Cluster {id} does not share a backup history with the cluster of the key store.");
            return Err(exception::cluster_not_related(why));
        }
        call.require_free_cluster(state, cluster, Some(store))?;
        login.cluster = id.to_owned();
    }
    if let Some(password) = settings.password {
        login.password = Secret::new(password.to_owned());
    }
    Ok(login)
}
