//! Sends every call to AWS. A call to KMS first acquires a permit of the concurrency limiter. The client then resolves
//! the credentials through the chain of roles, and makes attempts until one succeeds or the deadline is near. If AWS
//! rejects a cached session, the client assumes the roles again and repeats the call once.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument;

use super::call::{AwsCall, Wire};
use super::concurrency_limiter::ConcurrencyLimiter;
use super::credentials::{Freshness, Session, Sessions};
use super::endpoint::{Endpoint, Endpoints, is_legacy_sts_region};
use super::failure::AwsFailure;
use super::fault::Redactor;
use super::port::{Access, AccessKeys, RoleToAssume};
use super::retry::{Deadline, Retry};
use super::roles_anywhere::CreateSession;
use super::rusoto::AwsSetupError;
use super::settings::AwsSettings;
use super::sts::AssumeRole;
use super::transport::Transport;
use super::witness::CallWitness;
use crate::domain::connection::StsEndpoints;
use crate::domain::place::Region;
use crate::sigv4::{Identity, SecretKey, SigningKey};

pub(super) struct Client {
    transport: Transport,
    endpoints: Endpoints,
    limiter: ConcurrencyLimiter,
    sessions: Sessions,
    pub(super) retry: Retry,
    time_limit: Duration,
    session_time: Duration,
}

/// Room for a session of each connection and role of a large installation.
const SESSIONS_MAX: usize = 4_096;

/// AWS's limit for a role that is assumed with the credentials of another role.
const CHAINED_SESSION_MAX: Duration = Duration::from_secs(3_600);

/// The destination, the credentials and the deadline of a call.
struct Route<'a> {
    access: &'a Access,
    region: Option<&'a Region>,
    endpoint: Endpoint,
    freshness: Freshness,
    deadline: Deadline,
}

impl Client {
    /// Builds the client from settings that have passed `AwsSettings::check`. It reads the CA bundle and sends nothing.
    pub(super) fn new(settings: &AwsSettings, witness: Arc<dyn CallWitness>) -> Result<Self, AwsSetupError> {
        Ok(Self {
            transport: Transport::new(settings)?.witnessed_by(witness),
            endpoints: Endpoints::new(&settings.endpoints),
            limiter: ConcurrencyLimiter::new(settings.max_in_flight_per_region),
            sessions: Sessions::with_capacity(SESSIONS_MAX).map_err(|_| AwsSetupError::NoRandomness)?,
            retry: Retry::up_to(settings.max_attempts),
            time_limit: settings.deadline(),
            session_time: Duration::from_secs(u64::from(settings.assume_role_duration_seconds)),
        })
    }

    /// The deadline of a call that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.time_limit)
    }

    /// Sends a call to a service that has an endpoint in each region.
    pub(super) async fn call_in_region<C: AwsCall>(
        self: &Arc<Self>,
        access: &Access,
        region: &Region,
        call: &C,
    ) -> Result<C::Answer, AwsFailure> {
        let not_sent = |reason| AwsFailure::NotSent { operation: C::OPERATION, reason };
        if region.partition() != access.partition {
            let partition = access.partition;
            return Err(not_sent(format!("`{region}` is not a region of partition `{partition}`")));
        }
        let deadline = self.deadline();
        let permit = self.limiter.acquire(access, region, deadline).await;
        let _permit = permit.ok_or_else(|| not_sent(format!("too many concurrent calls to `{region}`")))?;
        let endpoint = self.endpoints.in_region(C::OPERATION.service, region);
        let access = access_in(access, region);
        let route = Route { access: &access, region: Some(region), endpoint, freshness: Freshness::Cached, deadline };
        self.call_on(&route, call).await
    }

    /// Sends a call to a service whose endpoint follows from the access.
    pub(super) async fn call<C: AwsCall>(
        self: &Arc<Self>,
        access: &Access,
        freshness: Freshness,
        deadline: Deadline,
        call: &C,
    ) -> Result<C::Answer, AwsFailure> {
        let endpoint = self.endpoints.find(C::OPERATION.service, access);
        let region = Some(&access.region);
        self.call_on(&Route { access, region, endpoint, freshness, deadline }, call).await
    }

    /// Resolves the credentials and sends the call. If AWS rejects cached sessions, the call is sent once more with new
    /// ones.
    async fn call_on<C: AwsCall>(self: &Arc<Self>, route: &Route<'_>, call: &C) -> Result<C::Answer, AwsFailure> {
        let (operation, access) = (C::OPERATION, route.access);
        let region = route.region.map(Region::as_str);
        let span = tracing::info_span!("aws_call", %operation, partition = %access.partition, region);
        async {
            is_coherent(access).map_err(|reason| AwsFailure::NotSent { operation, reason })?;
            let may_be_stale = route.freshness == Freshness::Cached && self.has_cached_sessions(access);
            match self.call_once(route, route.freshness, call).await {
                Err(failure) if may_be_stale && is_stale(&failure) => {
                    tracing::debug!(%failure, "cached sessions are renewed");
                    self.call_once(route, Freshness::Renewed, call).await
                }
                outcome => outcome,
            }
        }
        .instrument(span)
        .await
    }

    async fn call_once<C: AwsCall>(
        self: &Arc<Self>,
        route: &Route<'_>,
        freshness: Freshness,
        call: &C,
    ) -> Result<C::Answer, AwsFailure> {
        let keys = self.keys(route.access, freshness, route.deadline).await?;
        self.send(&route.endpoint, &keys, route.deadline, call).await
    }

    /// Makes attempts with an access key.
    async fn send<C: AwsCall>(
        &self,
        endpoint: &Endpoint,
        keys: &AccessKeys,
        deadline: Deadline,
        call: &C,
    ) -> Result<C::Answer, AwsFailure> {
        let operation = C::OPERATION;
        // rusoto sends a call unsigned if the keys are empty.
        if keys.id.is_empty() || keys.secret.is_empty() {
            let reason = "an access key id and a secret access key are needed".to_owned();
            return Err(AwsFailure::NotSent { operation, reason });
        }
        let mut redactor = Redactor::default();
        redactor.hide(&keys.secret);
        keys.session_token.iter().for_each(|token| redactor.hide(token));
        let key = SigningKey::Secret(SecretKey {
            access_key_id: &keys.id,
            secret_access_key: &keys.secret,
            session_token: keys.session_token.as_ref().map(|token| token.as_str()),
        });
        self.send_with(endpoint, key, redactor, deadline, call).await
    }

    /// Makes attempts with a key. The redactor removes the credentials from the texts of their errors.
    async fn send_with<C: AwsCall>(
        &self,
        endpoint: &Endpoint,
        key: SigningKey<'_>,
        redactor: Redactor,
        deadline: Deadline,
        call: &C,
    ) -> Result<C::Answer, AwsFailure> {
        let operation = C::OPERATION;
        let transport = self.transport.for_call(operation, C::RETRY);
        let wire = Wire { transport: &transport, operation, endpoint, key };
        let attempt = || async { call.attempt(&wire).await.map_err(|fault| fault.redacted(&redactor)) };
        let outcome = self.retry.run(deadline, C::RETRY, attempt).await;
        outcome.map_err(|fault| fault.into_failure(operation, deadline.elapsed()))
    }

    fn has_cached_sessions(&self, access: &Access) -> bool {
        let mut depths = usize::from(access.roles_anywhere.is_none())..=access.roles.len();
        depths.any(|depth| self.sessions.cached(self.sessions.fingerprint(access, depth)).is_some())
    }

    /// The credentials of the last role of the chain, or the first keys if there is no role.
    async fn keys(
        self: &Arc<Self>,
        access: &Access,
        freshness: Freshness,
        deadline: Deadline,
    ) -> Result<AccessKeys, AwsFailure> {
        if freshness == Freshness::Cached
            && access.last_role().is_some()
            && let Some(session) = self.sessions.cached(self.sessions.fingerprint(access, access.roles.len()))
        {
            return Ok(session.keys);
        }
        let mut keys = match &access.roles_anywhere {
            None => access.keys.clone(),
            Some(_) => {
                let create = || self.clone().create_session(access.clone());
                self.sessions.get(self.sessions.fingerprint(access, 0), freshness, deadline, create).await?.keys
            }
        };
        for (index, role) in access.roles.iter().enumerate() {
            let fingerprint = self.sessions.fingerprint(access, index + 1);
            let assume = || self.clone().assume(access.clone(), keys, role.clone());
            keys = self.sessions.get(fingerprint, freshness, deadline, assume).await?.keys;
        }
        Ok(keys)
    }

    /// Exchanges a signature with the certificate of an access for a session.
    async fn create_session(self: Arc<Self>, access: Access) -> Result<Session, AwsFailure> {
        let operation = CreateSession::OPERATION;
        let not_sent = |reason: String| AwsFailure::NotSent { operation, reason };
        let Some(roles_anywhere) = access.roles_anywhere.clone() else {
            return Err(not_sent("the access has no certificate".to_owned()));
        };
        let identity = Identity::from_pem(&roles_anywhere.certificate, &roles_anywhere.private_key);
        let identity = identity.map_err(|error| not_sent(format!("the certificate or its key {error}")))?;
        let call = CreateSession { access: roles_anywhere, duration: self.session_time };
        let requested_at = Instant::now();
        let endpoint = self.endpoints.find(operation.service, &access);
        let key = SigningKey::Certificate(&identity);
        let created = self.send_with(&endpoint, key, Redactor::default(), self.deadline(), &call).await?;
        Ok(Session::new(created.keys, requested_at, created.duration))
    }

    /// Assumes one role. The deadline is not that of the caller, because several callers can wait for the same session.
    async fn assume(
        self: Arc<Self>,
        access: Access,
        keys: AccessKeys,
        role: RoleToAssume,
    ) -> Result<Session, AwsFailure> {
        let duration = match keys.session_token {
            Some(_) => self.session_time.min(CHAINED_SESSION_MAX),
            None => self.session_time,
        };
        let call = AssumeRole { role, duration };
        let requested_at = Instant::now();
        let endpoint = self.endpoints.find(AssumeRole::OPERATION.service, &access);
        let assumed = self.send(&endpoint, &keys, self.deadline(), &call).await?;
        Ok(Session::new(assumed.keys, requested_at, assumed.duration))
    }
}

/// Checks that regions and roles belong to the partition of the access. A call never crosses partitions.
fn is_coherent(access: &Access) -> Result<(), String> {
    let partition = access.partition;
    if access.region.partition() != partition {
        let region = &access.region;
        return Err(format!("`{region}` is not a region of partition `{partition}`"));
    }
    match access.roles.iter().find(|role| role.arn.partition() != partition) {
        Some(role) => Err(format!("`{}` is not a role of partition `{partition}`", role.arn)),
        None => Ok(()),
    }
}

/// Whether AWS rejected the credentials themselves, regardless of the operation.
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

/// The access for a call to a region. Sessions of the global endpoint of STS are valid only in the regions that are
/// enabled by default, so that other regions need a session of a regional endpoint.
fn access_in<'a>(access: &'a Access, region: &Region) -> Cow<'a, Access> {
    match access.roles.is_empty() || access.sts == StsEndpoints::Regional || is_legacy_sts_region(region) {
        true => Cow::Borrowed(access),
        false => Cow::Owned(Access { sts: StsEndpoints::Regional, ..access.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::port::{RoleToAssume, SessionName};
    use crate::domain::place::{Partition, RoleArn};
    use zeroize::Zeroizing;

    #[test]
    fn sessions_for_regions_that_are_opted_in_come_from_a_regional_endpoint() {
        let secret = Zeroizing::new("secret".to_owned());
        let keys = AccessKeys { id: "AKIA1".to_owned(), secret, session_token: None };
        let plain = Access::with_keys(Partition::Aws, keys);
        let role = RoleToAssume {
            arn: RoleArn::parse("arn:aws:iam::123456789012:role/keys").expect("a role"),
            external_id: None,
            session_name: SessionName::shaped_from("test"),
        };
        let assuming = Access { roles: vec![role], ..plain.clone() };
        let sts = |access: &Access, region: &str| access_in(access, &Region::parse(region).expect("a region")).sts;
        assert_eq!(sts(&assuming, "eu-west-3"), StsEndpoints::Legacy);
        assert_eq!(sts(&assuming, "eu-south-1"), StsEndpoints::Regional);
        assert_eq!(sts(&plain, "eu-south-1"), StsEndpoints::Legacy, "keys of a user are good everywhere");
    }
}
