//! Link: makes the store at AWS, with the newest credential.
//!
//! - AWS calls the proxy before it answers
//! - recovery: finds the store by its path, which has our id of the store in it
//! - a store with our path that was made at AWS by hand is taken over

use super::create::Creation;
use super::{StoreStepError, Work};
use crate::aws::kms::calls::NewKeyStoreBacking;
use crate::aws::kms::custom_key_store::{Connectivity as AwsConnectivity, XksCredential};
use crate::domain::key_store::at_aws::StoreAtAws;
use crate::domain::key_store::{Connectivity, KeyStore, StoreSettings};
use crate::service::failure::Failure;
use crate::service::operations::Attempt;

/// AWS's codes for a store whose name, or whose address, another store has.
const IN_USE: &[&str] = &[
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
    let path = KeyStore::proxy_path(work.pending.store.id);
    let creation = Creation {
        backing: || backing(work, settings),
        is_ours: |seen: &StoreAtAws| seen.proxy.as_ref().is_some_and(|proxy| proxy.path == path),
        taken_over_after: IN_USE,
    };
    creation.attempt(work, attempt).await
}

fn backing(work: &Work<'_>, settings: &StoreSettings) -> Result<NewKeyStoreBacking, Failure> {
    let store = &work.pending.store;
    let local = store.local.as_ref().ok_or(Failure::Internal("a store of another proxy is not linked"))?;
    let newest = local.newest_credential().ok_or(Failure::Internal("a store has no credential"))?;
    let secret_access_key = work.target.secret(store.id, newest)?;
    Ok(NewKeyStoreBacking::Xks {
        endpoint: settings.endpoint.clone(),
        path: KeyStore::proxy_path(store.id),
        connectivity: connectivity(settings),
        credential: XksCredential { access_key_id: newest.access_key_id.clone(), secret_access_key },
    })
}

/// How AWS reaches the proxy with these settings.
pub(super) fn connectivity(settings: &StoreSettings) -> AwsConnectivity {
    let owner = Some(settings.vpc_service_owner.clone()).filter(|owner| !owner.is_empty());
    match settings.connectivity {
        Connectivity::PublicEndpoint => AwsConnectivity::Public,
        Connectivity::VpcEndpointService => AwsConnectivity::Vpc { service: settings.vpc_service.clone(), owner },
    }
}
