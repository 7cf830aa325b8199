//! Reads custom key stores from AWS. AWS is eventually consistent, so the result of a change is read several times if
//! needed.

use crate::aws::call::AwsCall;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{DescribeCustomKeyStores, WhichKeyStores};
use crate::aws::kms::custom_key_store::{CustomKeyStore, KeyStoreBacking};
use crate::aws::page::Paging;
use crate::domain::key_store::at_aws::{CloudHsmAtAws, ConnectionState, ProxyAtAws, StoreAtAws};
use crate::service::cloud::RegionAccess;
use std::time::Duration;

/// The maximum number of reads until AWS shows a change.
const READS: u32 = 6;
/// The pause before the second read; it doubles each time.
const PAUSE: Duration = Duration::from_millis(100);

/// Reads all stores of a region.
pub(in crate::service) async fn all(at: &RegionAccess) -> Result<Vec<StoreAtAws>, AwsFailure> {
    let list = DescribeCustomKeyStores { which: WhichKeyStores::All, paging: Paging::default() };
    let stores: Vec<CustomKeyStore> = at.pages(list).collect().await?;
    Ok(stores.into_iter().map(seen).collect())
}

/// Reads one store.
///
/// # Errors
/// Also if AWS does not have it: [`AwsFailure::is_not_found`].
pub(in crate::service) async fn one(at: &RegionAccess, id: &str) -> Result<Box<StoreAtAws>, AwsFailure> {
    let call = DescribeCustomKeyStores { which: WhichKeyStores::WithId(id.to_owned()), paging: Paging::default() };
    let page = at.call(call).await?;
    let found = page.items.into_iter().find(|store| store.id == id).map(seen);
    found.map(Box::new).ok_or_else(|| AwsFailure::Unintelligible {
        operation: DescribeCustomKeyStores::OPERATION,
        reason: format!("the answer does not describe {id}"),
    })
}

/// Reads a store until AWS shows a change; then the last read counts.
pub(super) async fn read_back(
    at: &RegionAccess,
    id: &str,
    shows: impl Fn(&StoreAtAws) -> bool,
) -> Result<Box<StoreAtAws>, AwsFailure> {
    let mut seen = one(at, id).await;
    for attempt in 1..READS {
        match &seen {
            Ok(seen) if shows(seen) => break,
            Err(failure) if !failure.is_not_found() => break,
            Ok(_) | Err(_) => tokio::time::sleep(PAUSE * (1 << attempt.min(5))).await,
        }
        seen = one(at, id).await;
    }
    seen
}

/// Adds the numbers of active HSMs to the stores of CloudHSM clusters.
pub(in crate::service) async fn count_hsms(at: &RegionAccess, stores: &mut [StoreAtAws]) -> Result<(), AwsFailure> {
    let mut stores: Vec<_> = stores.iter_mut().filter_map(|store| store.cloud_hsm.as_mut()).collect();
    if stores.is_empty() {
        return Ok(());
    }
    let clusters = at.hsm_clusters().await?;
    for store in &mut stores {
        let cluster = clusters.iter().find(|cluster| cluster.id == store.cluster);
        store.hsms = Some(cluster.map_or(0, |cluster| u32::try_from(cluster.active_hsms).unwrap_or(u32::MAX)));
    }
    Ok(())
}

fn seen(store: CustomKeyStore) -> StoreAtAws {
    let (proxy, cloud_hsm) = match store.backing {
        KeyStoreBacking::Xks(proxy) => {
            let (vpc_service, vpc_service_owner) = proxy.connectivity.vpc();
            let proxy = ProxyAtAws {
                connectivity: proxy.connectivity.as_str().to_owned(),
                vpc_service: vpc_service.to_owned(),
                vpc_service_owner: vpc_service_owner.to_owned(),
                access_key_id: proxy.access_key_id,
                endpoint: proxy.endpoint,
                path: proxy.path,
            };
            (Some(Box::new(proxy)), None)
        }
        KeyStoreBacking::CloudHsm { cluster, trust_anchor } => {
            (None, Some(Box::new(CloudHsmAtAws { cluster, trust_anchor, hsms: None })))
        }
    };
    StoreAtAws {
        id: store.id,
        name: store.name,
        connection_state: ConnectionState::parse(store.connection.as_str()),
        connection_error: store.connection_error,
        created_at: store.created_at,
        proxy,
        cloud_hsm,
    }
}
