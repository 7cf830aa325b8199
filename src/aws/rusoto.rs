//! The implementation of both ports for AWS. The calls define requests and answers; `client.rs` sends them.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::call::AwsCall;
use super::client::Client;
use super::cloudhsm::{self, DescribeClusters};
use super::credentials::Freshness;
use super::ec2::DescribeRegions;
use super::failure::AwsFailure;
use super::iam_list::{ListRoles, ListUsers};
use super::iam_simulation::{Simulation, SimulationSource};
use super::kms::calls::{Answer, Request};
use super::kms::port::AwsKms;
use super::logs::{DescribeLogGroups, FilterLogEvents, LogGroup, LogGroupListing, LogWindow, RawLogPage};
use super::operation::AwsOperation;
use super::page::{Page, Paging};
use super::port::{Access, Aws, Caller, HsmCluster, IamListing, IamPrincipal};
use super::retry::Deadline;
use super::settings::{AwsSettings, SettingsMistake};
use super::sts::GetCallerIdentity;
use super::transport::TransportError;
use super::witness::{CallWitness, NoWitness};
use crate::domain::place::Region;

/// The reason why the client cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AwsSetupError {
    /// A setting is invalid.
    #[error("aws.{0}")]
    Settings(SettingsMistake),
    /// The HTTP client cannot be set up from the settings.
    #[error("aws.{0}")]
    Transport(#[from] TransportError),
    /// The system provides no randomness.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

/// AWS, or the servers behind the configured endpoints. Clones share connections and sessions.
#[derive(Clone)]
pub struct RusotoAws {
    pub(super) client: Arc<Client>,
}

impl RusotoAws {
    /// Creates the client. It reads the CA bundle and sends nothing.
    pub fn new(settings: &AwsSettings) -> Result<Self, AwsSetupError> {
        Self::witnessed(settings, Arc::new(NoWitness))
    }

    /// Creates the client with a witness of its calls. It reads the CA bundle and sends nothing.
    pub fn witnessed(settings: &AwsSettings, witness: Arc<dyn CallWitness>) -> Result<Self, AwsSetupError> {
        if let Some(mistake) = settings.check().into_iter().next() {
            return Err(AwsSetupError::Settings(mistake));
        }
        Ok(Self { client: Arc::new(Client::new(settings, witness)?) })
    }

    /// Sends a call, with a cached session if there is one.
    async fn call<C: AwsCall>(&self, access: &Access, deadline: Deadline, call: &C) -> Result<C::Answer, AwsFailure> {
        self.client.call(access, Freshness::Cached, deadline, call).await
    }
}

impl AwsKms for RusotoAws {
    fn send<'a>(
        &'a self,
        access: &'a Access,
        region: &'a Region,
        request: Request,
    ) -> BoxFuture<'a, Result<Answer, AwsFailure>> {
        Box::pin(async move { request.send(&self.client, access, region).await })
    }
}

impl Aws for RusotoAws {
    fn caller<'a>(&'a self, access: &'a Access) -> BoxFuture<'a, Result<Caller, AwsFailure>> {
        Box::pin(async move {
            // The call checks that keys and roles work, so that it must not use cached sessions.
            self.client.call(access, Freshness::Renewed, self.client.deadline(), &GetCallerIdentity).await
        })
    }

    fn enabled_regions<'a>(&'a self, access: &'a Access) -> BoxFuture<'a, Result<Vec<Region>, AwsFailure>> {
        Box::pin(async move {
            let call = DescribeRegions { partition: access.partition };
            self.call(access, self.client.deadline(), &call).await
        })
    }

    fn missing_permissions<'a>(
        &'a self,
        access: &'a Access,
        actions: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<String>, AwsFailure>> {
        Box::pin(async move {
            const OPERATION: AwsOperation = AwsOperation::SIMULATE_PRINCIPAL_POLICY;
            let deadline = self.client.deadline();
            let source = match access.last_role() {
                // The ARN of the session lacks the role's path, which IAM needs.
                Some(role) => SimulationSource::Principal(role.as_arn().clone()),
                None => {
                    let caller = self.call(access, deadline, &GetCallerIdentity).await?;
                    let source = SimulationSource::of(&caller);
                    source.map_err(|reason| AwsFailure::NotSent { operation: OPERATION, reason })?
                }
            };
            let principal = match source {
                SimulationSource::Principal(principal) => principal,
                SimulationSource::Root => return Ok(Vec::new()),
            };
            let unintelligible = |reason| AwsFailure::Unintelligible { operation: OPERATION, reason };
            let mut simulation = Simulation::new(principal, actions.iter().map(ToString::to_string).collect());
            while let Some(call) = simulation.next_call() {
                let page = self.call(access, deadline, &call).await?;
                simulation.add_page(page).map_err(unintelligible)?;
            }
            simulation.missing().map_err(unintelligible)
        })
    }

    fn list_users<'a>(
        &'a self,
        access: &'a Access,
        listing: &'a IamListing,
    ) -> BoxFuture<'a, Result<Page<IamPrincipal>, AwsFailure>> {
        Box::pin(async move { self.call(access, self.client.deadline(), &ListUsers(listing.clone())).await })
    }

    fn list_roles<'a>(
        &'a self,
        access: &'a Access,
        listing: &'a IamListing,
    ) -> BoxFuture<'a, Result<Page<IamPrincipal>, AwsFailure>> {
        Box::pin(async move { self.call(access, self.client.deadline(), &ListRoles(listing.clone())).await })
    }

    fn hsm_clusters<'a>(
        &'a self,
        access: &'a Access,
        region: &'a Region,
    ) -> BoxFuture<'a, Result<Vec<HsmCluster>, AwsFailure>> {
        Box::pin(async move {
            let mut clusters = Vec::new();
            let mut paging = Paging::first(cloudhsm::PAGE);
            loop {
                let page = self.client.call_in_region(access, region, &DescribeClusters(paging.clone())).await?;
                clusters.extend(page.items);
                if page.next.is_some() && page.next == paging.marker {
                    let reason = "the list has no end".to_owned();
                    return Err(AwsFailure::Unintelligible { operation: AwsOperation::DESCRIBE_CLUSTERS, reason });
                }
                match page.next {
                    Some(marker) => paging.marker = Some(marker),
                    None => return Ok(clusters),
                }
            }
        })
    }

    fn log_groups<'a>(
        &'a self,
        access: &'a Access,
        region: &'a Region,
        listing: &'a LogGroupListing,
    ) -> BoxFuture<'a, Result<Page<LogGroup>, AwsFailure>> {
        Box::pin(async move { self.client.call_in_region(access, region, &DescribeLogGroups(listing.clone())).await })
    }

    fn log_events<'a>(
        &'a self,
        access: &'a Access,
        region: &'a Region,
        window: &'a LogWindow,
    ) -> BoxFuture<'a, Result<RawLogPage, AwsFailure>> {
        Box::pin(async move { self.client.call_in_region(access, region, &FilterLogEvents(window.clone())).await })
    }
}

#[cfg(test)]
mod tests;
