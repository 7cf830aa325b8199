//! Creation of a store at AWS.
//!
//! - recovery: finds the store among all stores of the region; if AWS does not have it, AWS has never been asked

use super::reading::{all, read_back};
use super::{StoreStepError, Work};
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{CreateCustomKeyStore, NewKeyStoreBacking};
use crate::domain::key_store::at_aws::{CloudHsmAtAws, ConnectionState, ProxyAtAws, StoreAtAws};
use crate::service::failure::Failure;
use crate::service::operations::{Attempt, Stage};

/// The store to create.
pub(super) struct Creation<B, I> {
    /// What backs it; AWS is not asked if this fails.
    pub backing: B,
    /// Recognises the store at AWS.
    pub is_ours: I,
    /// AWS's codes of refusals because there is such a store: if it is ours, it is taken over.
    pub taken_over_after: &'static [&'static str],
}

impl<B, I> Creation<B, I>
where
    B: FnOnce() -> Result<NewKeyStoreBacking, Failure>,
    I: Fn(&StoreAtAws) -> bool,
{
    pub(super) async fn attempt(
        self,
        work: &Work<'_>,
        attempt: &Attempt<String>,
    ) -> Result<Box<StoreAtAws>, StoreStepError> {
        let Self { backing, is_ours, taken_over_after } = self;
        let (id, created) = match attempt {
            Attempt::First => match create(work, backing()?).await {
                Ok((id, created)) => (id, Some(Box::new(created))),
                Err(refused) if refused.code().is_some_and(|code| taken_over_after.contains(&code)) => {
                    return match find(work, is_ours).await {
                        Ok(Some(seen)) => Ok(seen),
                        Ok(None) | Err(_) => Err(refused.into()),
                    };
                }
                Err(failure) => return Err(failure.into()),
            },
            Attempt::Recovery { made: Some(id) } => (id.clone(), None),
            Attempt::Recovery { made: None } => {
                return match find(work, is_ours).await? {
                    Some(seen) => Ok(seen),
                    None if work.target.is_consistent_since(work.pending.since) => Err(Failure::Interrupted.into()),
                    None => Err(StoreStepError::from(Failure::NotYetConsistent).with(Stage::Unknown)),
                };
            }
        };
        let unread = |failure: AwsFailure| StoreStepError { created: created.clone(), ..super::unread(&id)(failure) };
        read_back(&work.at, &id, |_| true).await.map_err(unread)
    }
}

async fn create(work: &Work<'_>, backing: NewKeyStoreBacking) -> Result<(String, StoreAtAws), AwsFailure> {
    let name = work.pending.store.name.to_string();
    let mut created = described(&name, &backing);
    created.id = work.at.call(CreateCustomKeyStore { name, backing }).await?;
    Ok((created.id.clone(), created))
}

async fn find(work: &Work<'_>, is_ours: impl Fn(&StoreAtAws) -> bool) -> Result<Option<Box<StoreAtAws>>, AwsFailure> {
    Ok(all(&work.at).await?.into_iter().find(is_ours).map(Box::new))
}

/// The new store, as AWS describes it except for its id.
fn described(name: &str, backing: &NewKeyStoreBacking) -> StoreAtAws {
    let (proxy, cloud_hsm) = match backing {
        NewKeyStoreBacking::Xks { endpoint, path, connectivity, credential } => {
            let (vpc_service, vpc_service_owner) = connectivity.vpc();
            let proxy = ProxyAtAws {
                connectivity: connectivity.as_str().to_owned(),
                access_key_id: credential.access_key_id.clone(),
                endpoint: endpoint.clone(),
                path: path.clone(),
                vpc_service: vpc_service.to_owned(),
                vpc_service_owner: vpc_service_owner.to_owned(),
            };
            (Some(Box::new(proxy)), None)
        }
        NewKeyStoreBacking::CloudHsm { cluster, trust_anchor, password: _ } => {
            let (cluster, trust_anchor) = (cluster.clone(), trust_anchor.clone());
            (None, Some(Box::new(CloudHsmAtAws { cluster, trust_anchor, hsms: None })))
        }
    };
    StoreAtAws {
        id: String::new(),
        name: name.to_owned(),
        connection_state: ConnectionState::Disconnected,
        connection_error: None,
        created_at: None,
        proxy,
        cloud_hsm,
    }
}
