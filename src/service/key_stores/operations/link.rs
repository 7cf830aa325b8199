//! Link: makes the store at AWS, with the newest credential.
//!
//! - AWS calls the proxy before it answers
//! - recovery: finds the store by its path, which has our id of the store in it
//! - a store with our path that was made at AWS by hand is taken over

use super::reading::{all, read_back};
use super::{StoreStepError, Work};
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{CreateCustomKeyStore, NewKeyStoreBacking};
use crate::aws::kms::custom_key_store::{Connectivity as AwsConnectivity, XksCredential};
use crate::domain::key_store::at_aws::{ConnectionState, ProxyAtAws, StoreAtAws};
use crate::domain::key_store::{Connectivity, KeyStore, StoreSettings};
use crate::service::failure::Failure;
use crate::service::operations::{Attempt, Stage};

/// AWS's codes for a store whose name, or whose address, another store has.
const IN_USE: [&str; 4] = [
    "CustomKeyStoreNameInUseException",
    "XksProxyUriInUseException",
    "XksProxyUriEndpointInUseException",
    "XksProxyVpcEndpointServiceInUseException",
];

pub(super) async fn link(
    work: &Work<'_>,
    settings: &StoreSettings,
    attempt: &Attempt<String>,
) -> Result<Box<StoreAtAws>, StoreStepError> {
    let (id, created) = match attempt {
        Attempt::First => match create(work, settings).await {
            Ok((id, created)) => (id, Some(Box::new(created))),
            Err(Failure::Cloud(refused)) if refused.code().is_some_and(|code| IN_USE.contains(&code)) => {
                return match find(work).await {
                    Ok(Some(seen)) => Ok(seen),
                    Ok(None) | Err(_) => Err(refused.into()),
                };
            }
            Err(failure) => return Err(failure.into()),
        },
        Attempt::Recovery { made: Some(id) } => (id.clone(), None),
        Attempt::Recovery { made: None } => {
            return match find(work).await? {
                Some(seen) => Ok(seen),
                None if work.target.is_consistent_since(work.pending.since) => Err(Failure::Interrupted.into()),
                None => Err(StoreStepError::from(Failure::NotYetConsistent).with(Stage::Unknown)),
            };
        }
    };
    let unread = |failure: AwsFailure| StoreStepError { created: created.clone(), ..super::unread(&id)(failure) };
    read_back(&work.at, &id, |_| true).await.map_err(unread)
}

async fn create(work: &Work<'_>, settings: &StoreSettings) -> Result<(String, StoreAtAws), Failure> {
    let store = &work.pending.store;
    let local = store.local.as_ref().ok_or(Failure::Internal("a store of another proxy is not linked"))?;
    let newest = local.newest_credential().ok_or(Failure::Internal("a store has no credential"))?;
    let secret_access_key = work.target.secret(store.id, newest)?;
    let id = work.at.call(CreateCustomKeyStore {
        name: store.name.to_string(),
        backing: NewKeyStoreBacking::Xks {
            endpoint: settings.endpoint.clone(),
            path: KeyStore::proxy_path(store.id),
            connectivity: connectivity(settings),
            credential: XksCredential { access_key_id: newest.access_key_id.clone(), secret_access_key },
        },
    });
    let id = id.await?;
    let created = StoreAtAws {
        id: id.clone(),
        name: store.name.to_string(),
        connection_state: ConnectionState::Disconnected,
        connection_error: None,
        created_at: None,
        proxy: Some(Box::new(ProxyAtAws {
            connectivity: settings.connectivity.name().to_owned(),
            access_key_id: newest.access_key_id.clone(),
            endpoint: settings.endpoint.clone(),
            path: KeyStore::proxy_path(store.id),
            vpc_service: settings.vpc_service.clone(),
            vpc_service_owner: settings.vpc_service_owner.clone(),
        })),
        cloud_hsm: None,
    };
    Ok((id, created))
}

/// How AWS reaches the proxy with these settings.
pub(super) fn connectivity(settings: &StoreSettings) -> AwsConnectivity {
    let owner = Some(settings.vpc_service_owner.clone()).filter(|owner| !owner.is_empty());
    match settings.connectivity {
        Connectivity::PublicEndpoint => AwsConnectivity::Public,
        Connectivity::VpcEndpointService => AwsConnectivity::Vpc { service: settings.vpc_service.clone(), owner },
    }
}

/// Finds the store with our path.
async fn find(work: &Work<'_>) -> Result<Option<Box<StoreAtAws>>, AwsFailure> {
    let store = &work.pending.store;
    let path = KeyStore::proxy_path(store.id);
    let is_ours = |seen: &StoreAtAws| seen.proxy.as_ref().is_some_and(|proxy| proxy.path == path);
    let found = all(&work.at).await?.into_iter().find(is_ours);
    if let Some(proxy) = found.as_ref().and_then(|seen| seen.proxy.as_ref()) {
        let mut known = store.local.iter().flat_map(|local| &local.credentials);
        if !known.any(|credential| credential.access_key_id == proxy.access_key_id) {
            tracing::warn!(store = %store.id, "AWS has a credential of the store that is not valid here");
        }
    }
    Ok(found.map(Box::new))
}
