//! The two ports on AWS itself. Each call says what is sent and how the answer is read; `client.rs` makes it.

use std::sync::Arc;

use async_trait::async_trait;

use super::call::AwsCall;
use super::client::Client;
use super::credentials::Freshness;
use super::ec2::DescribeRegions;
use super::failure::AwsFailure;
use super::iam_list::{ListRoles, ListUsers};
use super::iam_simulation::{Simulation, SimulationSource};
use super::kms::calls::{Answer, Request};
use super::kms::port::AwsKms;
use super::operation::AwsOperation;
use super::page::Page;
use super::port::{Access, Aws, Caller, IamListing, IamPrincipal};
use super::retry::Deadline;
use super::settings::{AwsSettings, SettingsMistake};
use super::sts::GetCallerIdentity;
use super::transport::TransportError;
use crate::domain::place::Region;

/// Why the port cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum AwsSetupError {
    /// A setting cannot be meant.
    #[error("aws.{0}")]
    Settings(SettingsMistake),
    /// The HTTP client cannot be set up from the settings.
    #[error("aws.{0}")]
    Transport(#[from] TransportError),
    /// The system has no randomness.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

/// AWS itself, or whatever the configured endpoints lead to. Clones share connections and sessions.
#[derive(Clone)]
pub struct RusotoAws {
    pub(super) client: Arc<Client>,
}

impl RusotoAws {
    /// Opens the port. Nothing is sent yet; only the CA bundle is read.
    pub fn new(settings: &AwsSettings) -> Result<Self, AwsSetupError> {
        if let Some(mistake) = settings.check().into_iter().next() {
            return Err(AwsSetupError::Settings(mistake));
        }
        Ok(Self { client: Arc::new(Client::new(settings)?) })
    }

    /// Makes a call with a kept session, if there is one.
    async fn call<C: AwsCall>(&self, access: &Access, deadline: Deadline, call: &C) -> Result<C::Answer, AwsFailure> {
        self.client.call(access, Freshness::Kept, deadline, call).await
    }
}

#[async_trait]
impl AwsKms for RusotoAws {
    async fn send(&self, access: &Access, region: &Region, request: Request) -> Result<Answer, AwsFailure> {
        request.send(&self.client, access, region).await
    }
}

#[async_trait]
impl Aws for RusotoAws {
    async fn caller(&self, access: &Access) -> Result<Caller, AwsFailure> {
        // The question is whether these keys and roles work, so that roles are assumed anew.
        self.client.call(access, Freshness::Anew, self.client.deadline(), &GetCallerIdentity).await
    }

    async fn enabled_regions(&self, access: &Access) -> Result<Vec<Region>, AwsFailure> {
        let call = DescribeRegions { partition: access.partition };
        self.call(access, self.client.deadline(), &call).await
    }

    async fn missing_permissions(&self, access: &Access, actions: &[&str]) -> Result<Vec<String>, AwsFailure> {
        const OPERATION: AwsOperation = AwsOperation::SIMULATE_PRINCIPAL_POLICY;
        let deadline = self.client.deadline();
        let source = match access.roles.last() {
            // The role as it was asked for: the session's ARN has lost the role's path.
            Some(role) => SimulationSource::Principal(role.arn.as_arn().clone()),
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
            simulation.take_in(page).map_err(unintelligible)?;
        }
        simulation.missing().map_err(unintelligible)
    }

    async fn list_users(&self, access: &Access, listing: &IamListing) -> Result<Page<IamPrincipal>, AwsFailure> {
        self.call(access, self.client.deadline(), &ListUsers(listing.clone())).await
    }

    async fn list_roles(&self, access: &Access, listing: &IamListing) -> Result<Page<IamPrincipal>, AwsFailure> {
        self.call(access, self.client.deadline(), &ListRoles(listing.clone())).await
    }
}

#[cfg(test)]
mod tests;
