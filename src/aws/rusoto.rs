//! The port on rusoto's clients for STS and EC2, and on signed query requests for IAM; `kms/adapter.rs` adds KMS.
//!
//! Each call: resolve the credentials (assume the roles, or take a kept session), find the endpoint, make attempts until
//! one succeeds or the deadline is near. A kept session that AWS no longer takes is forgotten and assumed once more.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryFutureExt;
use rusoto_core::credential::{AwsCredentials, StaticProvider};
use rusoto_core::{Client, RusotoError};
use rusoto_ec2::{DescribeRegionsRequest, Ec2, Ec2Client};
use rusoto_sts::{AssumeRoleRequest, GetCallerIdentityRequest, Sts, StsClient};
use tokio::time::Instant;
use tracing::Instrument;

use super::credentials::{Freshness, Session, Sessions};
use super::endpoint::{Endpoint, Endpoints};
use super::failure::AwsFailure;
use super::fault::{Fault, Protocol, Repeat, Veil};
use super::in_flight::Lanes;
use super::operation::Operation;
use super::page::Page;
use super::port::{Access, AccessKeys, Aws, Caller, IamListing, IamPrincipal, RoleToAssume};
use super::retry::{Deadline, Retry};
use super::settings::{AwsSettings, SettingsMistake};
use super::transport::{Attempt, Transport, TransportError};
use super::{iam, iam_list};
use crate::domain::place::{AccountId, Arn, Partition, Region};

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
    pub(super) line: Arc<Line>,
}

pub(super) struct Line {
    pub(super) transport: Transport,
    pub(super) endpoints: Endpoints,
    pub(super) lanes: Lanes,
    sessions: Sessions,
    pub(super) retry: Retry,
    pub(super) time_limit: Duration,
    session_time: Duration,
}

/// One operation, where it goes, and when it may be sent again.
#[derive(Debug, Clone)]
pub(super) struct Errand {
    pub(super) operation: Operation,
    pub(super) endpoint: Endpoint,
    pub(super) protocol: Protocol,
    pub(super) repeat: Repeat,
}

/// A session for each connection and role of a large installation, and some more.
const MOST_SESSIONS: usize = 4_096;

/// AWS's own limit for a role that is assumed with keys of another role.
const LONGEST_CHAINED_SESSION: Duration = Duration::from_secs(3_600);

impl RusotoAws {
    /// Opens the port. Nothing is sent yet; only the CA bundle is read.
    pub fn new(settings: &AwsSettings) -> Result<Self, AwsSetupError> {
        if let Some(mistake) = settings.check().into_iter().next() {
            return Err(AwsSetupError::Settings(mistake));
        }
        let line = Line {
            transport: Transport::new(settings)?,
            endpoints: Endpoints::new(&settings.endpoints),
            lanes: Lanes::of_width(settings.max_in_flight_per_region),
            sessions: Sessions::with_capacity(MOST_SESSIONS).map_err(|_| AwsSetupError::NoRandomness)?,
            retry: Retry::up_to(settings.max_attempts),
            time_limit: settings.deadline(),
            session_time: Duration::from_secs(u64::from(settings.assume_role_duration_seconds)),
        };
        Ok(Self { line: Arc::new(line) })
    }
}

#[async_trait]
impl Aws for RusotoAws {
    async fn caller(&self, access: &Access) -> Result<Caller, AwsFailure> {
        // The question is whether these keys and roles work, so that roles are assumed anew.
        let ask = |keys, deadline| self.line.clone().identity(access.clone(), keys, deadline);
        self.line.ask(Operation::GET_CALLER_IDENTITY, access, None, Freshness::Anew, self.line.deadline(), ask).await
    }

    async fn enabled_regions(&self, access: &Access) -> Result<Vec<Region>, AwsFailure> {
        let ask = |keys, deadline| self.line.clone().regions(access.clone(), keys, deadline);
        self.line.ask(Operation::DESCRIBE_REGIONS, access, None, Freshness::Kept, self.line.deadline(), ask).await
    }

    async fn missing_permissions(&self, access: &Access, actions: &[&str]) -> Result<Vec<String>, AwsFailure> {
        let actions: Arc<[String]> = actions.iter().map(ToString::to_string).collect();
        let ask = |keys, deadline| self.line.clone().missing(access.clone(), keys, Arc::clone(&actions), deadline);
        let operation = Operation::SIMULATE_PRINCIPAL_POLICY;
        self.line.ask(operation, access, None, Freshness::Kept, self.line.deadline(), ask).await
    }

    async fn list_users(&self, access: &Access, listing: &IamListing) -> Result<Page<IamPrincipal>, AwsFailure> {
        let ask = |keys, deadline| {
            self.line.clone().principals(iam_list::Kind::User, access.clone(), keys, listing.clone(), deadline)
        };
        self.line.ask(Operation::LIST_USERS, access, None, Freshness::Kept, self.line.deadline(), ask).await
    }

    async fn list_roles(&self, access: &Access, listing: &IamListing) -> Result<Page<IamPrincipal>, AwsFailure> {
        let ask = |keys, deadline| {
            self.line.clone().principals(iam_list::Kind::Role, access.clone(), keys, listing.clone(), deadline)
        };
        self.line.ask(Operation::LIST_ROLES, access, None, Freshness::Kept, self.line.deadline(), ask).await
    }
}

impl Line {
    /// The moment at which a call that begins now is given up.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.time_limit)
    }

    /// Resolves the credentials and asks; asks once more with new sessions if AWS no longer takes the kept ones.
    /// `region` is where the call goes, if that is not for the access to say.
    pub(super) async fn ask<T, F, A>(
        self: &Arc<Self>,
        operation: Operation,
        access: &Access,
        region: Option<&Region>,
        freshness: Freshness,
        deadline: Deadline,
        ask: A,
    ) -> Result<T, AwsFailure>
    where
        A: Fn(AccessKeys, Deadline) -> F,
        F: Future<Output = Result<T, AwsFailure>>,
    {
        let region = region.or(access.region.as_ref()).map(Region::as_str);
        let span = tracing::info_span!("aws_call", %operation, partition = %access.partition, region);
        async {
            is_coherent(access).map_err(|reason| AwsFailure::NotSent { operation, reason })?;
            let may_be_stale = freshness == Freshness::Kept && self.has_kept_sessions(access);
            let asked = async { ask(self.keys(access, freshness, deadline).await?, deadline).await }.await;
            match asked {
                Err(failure) if may_be_stale && is_stale(&failure) => {
                    tracing::debug!(%failure, "kept sessions are forgotten");
                    ask(self.keys(access, Freshness::Anew, deadline).await?, deadline).await
                }
                asked => asked,
            }
        }
        .instrument(span)
        .await
    }

    fn has_kept_sessions(&self, access: &Access) -> bool {
        let mut depths = 1..=access.roles.len();
        depths.any(|depth| self.sessions.kept(self.sessions.fingerprint(access, depth)).is_some())
    }

    /// The keys at the end of the chain of roles.
    async fn keys(
        self: &Arc<Self>,
        access: &Access,
        freshness: Freshness,
        deadline: Deadline,
    ) -> Result<AccessKeys, AwsFailure> {
        if freshness == Freshness::Kept
            && !access.roles.is_empty()
            && let Some(session) = self.sessions.kept(self.sessions.fingerprint(access, access.roles.len()))
        {
            return Ok(session.keys);
        }
        let mut keys = access.keys.clone();
        for (index, role) in access.roles.iter().enumerate() {
            let fingerprint = self.sessions.fingerprint(access, index + 1);
            let assume = || self.clone().assume(access.clone(), keys, role.clone());
            keys = self.sessions.get(fingerprint, freshness, deadline, assume).await?.keys;
        }
        Ok(keys)
    }

    /// Assumes one role, with a deadline of its own: others may be waiting for the same session.
    async fn assume(
        self: Arc<Self>,
        access: Access,
        keys: AccessKeys,
        role: RoleToAssume,
    ) -> Result<Session, AwsFailure> {
        const OPERATION: Operation = Operation::ASSUME_ROLE;
        let time = match keys.session_token {
            Some(_) => self.session_time.min(LONGEST_CHAINED_SESSION),
            None => self.session_time,
        };
        let request = AssumeRoleRequest {
            role_arn: role.arn.to_string(),
            role_session_name: role.session_name.as_str().to_owned(),
            external_id: role.external_id.as_ref().map(ToString::to_string),
            duration_seconds: Some(time.as_secs() as i64),
            ..AssumeRoleRequest::default()
        };
        let asked_at = Instant::now();
        let deadline = self.deadline();
        let ask = |client, region| {
            let (client, request) = (StsClient::new_with_client(client, region), request.clone());
            async move { client.assume_role(request).await }
        };
        let answer = self.call(&self.query(OPERATION, &access), &keys, deadline, ask).await?;
        let given =
            answer.credentials.filter(|given| !given.access_key_id.is_empty() && !given.session_token.is_empty());
        let given = given.ok_or_else(|| unintelligible(OPERATION, "it holds no credentials"))?;
        let lasts = lifetime(&given.expiration, time);
        let keys = AccessKeys {
            id: given.access_key_id,
            secret: given.secret_access_key.into(),
            session_token: Some(given.session_token.into()),
        };
        Ok(Session::new(keys, asked_at, lasts))
    }

    async fn identity(
        self: Arc<Self>,
        access: Access,
        keys: AccessKeys,
        deadline: Deadline,
    ) -> Result<Caller, AwsFailure> {
        const OPERATION: Operation = Operation::GET_CALLER_IDENTITY;
        let ask = |client, region| {
            let client = StsClient::new_with_client(client, region);
            async move { client.get_caller_identity(GetCallerIdentityRequest {}).await }
        };
        let answer = self.call(&self.query(OPERATION, &access), &keys, deadline, ask).await?;
        let account = AccountId::parse(&answer.account.unwrap_or_default());
        let arn = Arn::parse(&answer.arn.unwrap_or_default());
        let odd = |error: crate::domain::place::PlaceError| unintelligible(OPERATION, &error.to_string());
        Ok(Caller { account: account.map_err(odd)?, arn: arn.map_err(odd)? })
    }

    async fn regions(
        self: Arc<Self>,
        access: Access,
        keys: AccessKeys,
        deadline: Deadline,
    ) -> Result<Vec<Region>, AwsFailure> {
        const OPERATION: Operation = Operation::DESCRIBE_REGIONS;
        let ask = |client, region| {
            let client = Ec2Client::new_with_client(client, region);
            async move { client.describe_regions(DescribeRegionsRequest::default()).await }
        };
        let answer = self.call(&self.query(OPERATION, &access), &keys, deadline, ask).await?;
        let enabled = answer.regions.unwrap_or_default().into_iter();
        let enabled = enabled.filter(|region| region.opt_in_status.as_deref() != Some("not-opted-in"));
        let names = enabled.filter_map(|region| region.region_name);
        let regions: Vec<Region> = names.filter_map(|name| known(&name, access.partition)).collect();
        if regions.is_empty() {
            return Err(unintelligible(OPERATION, "it names no region"));
        }
        Ok(regions)
    }

    async fn missing(
        self: Arc<Self>,
        access: Access,
        keys: AccessKeys,
        actions: Arc<[String]>,
        deadline: Deadline,
    ) -> Result<Vec<String>, AwsFailure> {
        const OPERATION: Operation = Operation::SIMULATE_PRINCIPAL_POLICY;
        let principal = match access.roles.last() {
            // The role as it was asked for: the session's ARN has lost the role's path.
            Some(role) => iam::Principal::Source(role.arn.as_arn().clone()),
            None => {
                let caller = self.clone().identity(access.clone(), keys.clone(), deadline).await?;
                iam::Principal::of(&caller).map_err(|reason| AwsFailure::NotSent { operation: OPERATION, reason })?
            }
        };
        let source = match principal {
            iam::Principal::Source(source) => source,
            iam::Principal::Root => return Ok(Vec::new()),
        };
        let mut simulation = iam::Simulation::new(source, actions);
        while let Some(parameters) = simulation.next_page() {
            let errand = self.query(OPERATION, &access);
            let page = self.ask_iam(&errand, &keys, deadline, &parameters, iam::Page::parse).await?;
            simulation.take_in(page).map_err(|reason| unintelligible(OPERATION, &reason))?;
        }
        simulation.missing().map_err(|reason| unintelligible(OPERATION, &reason))
    }

    async fn principals(
        self: Arc<Self>,
        kind: iam_list::Kind,
        access: Access,
        keys: AccessKeys,
        listing: IamListing,
        deadline: Deadline,
    ) -> Result<Page<IamPrincipal>, AwsFailure> {
        let errand = self.query(kind.operation(), &access);
        let parameters = kind.parameters(&listing);
        self.ask_iam(&errand, &keys, deadline, &parameters, |body| kind.parse(body)).await
    }

    /// Asks IAM one thing: a signed form, and XML that the caller reads.
    async fn ask_iam<T: Send>(
        &self,
        errand: &Errand,
        keys: &AccessKeys,
        deadline: Deadline,
        parameters: &[(String, String)],
        read: impl Fn(&[u8]) -> Result<T, String> + Send + Sync,
    ) -> Result<T, AwsFailure> {
        let read = &read;
        let attempt = || async move {
            let mut request = iam::request(&errand.endpoint, parameters);
            request.sign(&rusoto_keys(keys));
            let answer = self.transport.send(request).await?;
            if answer.is_success() {
                read(&answer.body).map_err(Fault::Garbled)
            } else {
                Err(answer.fault(errand.protocol))
            }
        };
        self.attempts(errand, keys, deadline, attempt).await
    }

    /// A question in the query protocol, which may be asked again at any time.
    fn query(&self, operation: Operation, access: &Access) -> Errand {
        let endpoint = self.endpoints.find(operation.service, access);
        Errand { operation, endpoint, protocol: Protocol::Query, repeat: Repeat::Reading }
    }

    /// Calls through one of rusoto's clients.
    pub(super) async fn call<T, E, F, A>(
        &self,
        errand: &Errand,
        keys: &AccessKeys,
        deadline: Deadline,
        ask: A,
    ) -> Result<T, AwsFailure>
    where
        A: Fn(Client, rusoto_core::Region) -> F + Sync,
        F: Future<Output = Result<T, RusotoError<E>>> + Send,
        E: Send,
        T: Send,
    {
        let attempt = || self.attempt(errand, keys, &ask);
        self.attempts(errand, keys, deadline, attempt).await
    }

    /// One attempt through one of rusoto's clients.
    fn attempt<'a, T, E, F, A>(
        &'a self,
        errand: &'a Errand,
        keys: &'a AccessKeys,
        ask: &'a A,
    ) -> Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>
    where
        A: Fn(Client, rusoto_core::Region) -> F + Sync,
        F: Future<Output = Result<T, RusotoError<E>>> + Send,
        E: Send,
        T: Send,
    {
        Box::pin(async move {
            let attempt = Attempt::over(&self.transport, errand.protocol);
            let client = Client::new_with(StaticProvider::from(rusoto_keys(keys)), attempt.clone());
            let not_understood = match ask(client, errand.endpoint.as_rusoto()).await {
                Ok(answer) => return Ok(answer),
                Err(RusotoError::ParseError(reason)) => super::fault::tidy(&reason),
                Err(_) => "rusoto did not understand it".to_owned(),
            };
            Err(attempt.fault().unwrap_or(Fault::Garbled(not_understood)))
        })
    }

    /// Makes attempts; what they fail with is told without the credentials that they were made with.
    pub(super) async fn attempts<T, F>(
        &self,
        errand: &Errand,
        keys: &AccessKeys,
        deadline: Deadline,
        mut attempt: impl FnMut() -> F + Send,
    ) -> Result<T, AwsFailure>
    where
        F: Future<Output = Result<T, Fault>> + Send,
    {
        let operation = errand.operation;
        // Without keys rusoto would send the call unsigned.
        if keys.id.is_empty() || keys.secret.is_empty() {
            let reason = "an access key id and a secret access key are needed".to_owned();
            return Err(AwsFailure::NotSent { operation, reason });
        }
        let mut veil = Veil::default();
        veil.hide(&keys.secret);
        keys.session_token.iter().for_each(|token| veil.hide(token));
        let veiled = || attempt().map_err(|fault| fault.veiled(&veil));
        let outcome = self.retry.run(deadline, errand.repeat, veiled).await;
        outcome.map_err(|fault| fault.into_failure(operation, deadline.elapsed()))
    }
}

/// Nothing crosses from one partition to another: a role or region elsewhere is a mistake to be told, not sent.
fn is_coherent(access: &Access) -> Result<(), String> {
    let partition = access.partition;
    if let Some(region) = access.region.as_ref().filter(|region| region.partition() != partition) {
        return Err(format!("`{region}` is not a region of partition `{partition}`"));
    }
    match access.roles.iter().find(|role| role.arn.partition() != partition) {
        Some(role) => Err(format!("`{}` is not a role of partition `{partition}`", role.arn)),
        None => Ok(()),
    }
}

/// Whether AWS no longer takes the credentials as such, whatever they were to be used for.
fn is_stale(failure: &AwsFailure) -> bool {
    const STALE: [&str; 7] = [
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidToken",
        "RequestExpired",
        "UnrecognizedClientException",
    ];
    failure.code().is_some_and(|code| STALE.contains(&code))
}

/// How long a session lasts: by AWS's word, but no longer than was asked for, should the clocks differ.
fn lifetime(expiration: &str, asked: Duration) -> Duration {
    let Ok(ends) = chrono::DateTime::parse_from_rfc3339(expiration) else { return asked };
    let left = ends.to_utc() - chrono::Utc::now();
    left.to_std().unwrap_or_default().min(asked)
}

/// A region of a kind that is not known here must not hide the others, and one of another partition (some emulators name
/// all there are) is of no use with these keys.
fn known(name: &str, partition: Partition) -> Option<Region> {
    let region = Region::parse(name);
    let region = region.inspect_err(|error| tracing::warn!(%error, "AWS named a region that is left out")).ok()?;
    (region.partition() == partition).then_some(region)
}

pub(super) fn rusoto_keys(keys: &AccessKeys) -> AwsCredentials {
    let token = keys.session_token.as_ref().map(|token| token.to_string());
    AwsCredentials::new(keys.id.clone(), keys.secret.to_string(), token, None)
}

pub(super) fn unintelligible(operation: Operation, reason: &str) -> AwsFailure {
    AwsFailure::Unintelligible { operation, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
