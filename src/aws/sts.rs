//! The calls to STS.

use std::time::Duration;

use rusoto_sts::{AssumeRoleRequest, GetCallerIdentityRequest, Sts};

use super::call::{AwsCall, Wire};
use super::fault::{Fault, RetryPolicy};
use super::operation::AwsOperation;
use super::port::{AccessKeys, Caller, RoleToAssume};
use crate::domain::place::{AccountId, Arn, PlaceError};

/// GetCallerIdentity: the principal that the credentials belong to.
pub(super) struct GetCallerIdentity;

impl AwsCall for GetCallerIdentity {
    type Answer = Caller;
    const OPERATION: AwsOperation = AwsOperation::GET_CALLER_IDENTITY;
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Caller, Fault> {
        let answer = wire.sts(async |sts| sts.get_caller_identity(GetCallerIdentityRequest {}).await).await?;
        let odd = |error: PlaceError| Fault::Unintelligible(error.to_string());
        let account = AccountId::parse(&answer.account.unwrap_or_default()).map_err(odd)?;
        let arn = Arn::parse(&answer.arn.unwrap_or_default()).map_err(odd)?;
        Ok(Caller { account, arn })
    }
}

pub(super) struct AssumeRole {
    pub(super) role: RoleToAssume,
    /// The duration of the session.
    pub(super) duration: Duration,
}

pub(super) struct AssumedKeys {
    pub(super) keys: AccessKeys,
    pub(super) duration: Duration,
}

impl AwsCall for AssumeRole {
    type Answer = AssumedKeys;
    const OPERATION: AwsOperation = AwsOperation::ASSUME_ROLE;
    // A second session is harmless.
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<AssumedKeys, Fault> {
        let request = AssumeRoleRequest {
            role_arn: self.role.arn.to_string(),
            role_session_name: self.role.session_name.as_str().to_owned(),
            external_id: self.role.external_id.as_ref().map(ToString::to_string),
            duration_seconds: Some(self.duration.as_secs() as i64),
            ..AssumeRoleRequest::default()
        };
        let answer = wire.sts(async |sts| sts.assume_role(request).await).await?;
        let given =
            answer.credentials.filter(|given| !given.access_key_id.is_empty() && !given.session_token.is_empty());
        let given = given.ok_or_else(|| Fault::Unintelligible("the answer has no credentials".to_owned()))?;
        let duration = lifetime(&given.expiration, self.duration);
        let keys = AccessKeys {
            id: given.access_key_id,
            secret: given.secret_access_key.into(),
            session_token: Some(given.session_token.into()),
        };
        Ok(AssumedKeys { keys, duration })
    }
}

/// The remaining lifetime of a session: until AWS's expiration, but not longer than requested, in case the clocks
/// differ.
pub(super) fn lifetime(expiration: &str, requested: Duration) -> Duration {
    let Ok(ends) = chrono::DateTime::parse_from_rfc3339(expiration) else { return requested };
    let left = ends.to_utc() - chrono::Utc::now();
    left.to_std().unwrap_or_default().min(requested)
}
