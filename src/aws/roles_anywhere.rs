//! IAM Roles Anywhere: CreateSession exchanges a signature with the private key of a certificate for a session of a
//! role.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::call::{AwsCall, Wire};
use super::fault::{Fault, RetryPolicy};
use super::operation::AwsOperation;
use super::port::AccessKeys;
use super::sts::{AssumedKeys, lifetime};
use crate::domain::place::{Arn, RoleArn};
use crate::sigv4::{Identity, IdentityError};

/// A certificate that stands for an access key, and what AWS gives for it.
#[derive(Clone)]
pub struct RolesAnywhere {
    /// The role of the sessions.
    pub role: RoleArn,
    pub profile: Arn,
    /// The trust anchor. Its region is that of the endpoint.
    pub trust_anchor: Arn,
    /// The certificate in PEM, followed by its chain.
    pub certificate: String,
    /// The private key in PEM.
    pub private_key: Zeroizing<String>,
}

impl fmt::Debug for RolesAnywhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RolesAnywhere").field("role", &self.role.as_arn().to_string()).finish_non_exhaustive()
    }
}

#[cfg(test)]
impl RolesAnywhere {
    /// An access for tests, whose texts are no certificate and no key.
    pub(super) fn example() -> RolesAnywhere {
        let arn = |kind: &str| format!("arn:aws:rolesanywhere:eu-west-3:123456789012:{kind}/a");
        RolesAnywhere {
            role: RoleArn::parse("arn:aws:iam::123456789012:role/anywhere").expect("a role"),
            profile: Arn::parse(&arn("profile")).expect("an ARN"),
            trust_anchor: Arn::parse(&arn("trust-anchor")).expect("an ARN"),
            certificate: "a certificate".to_owned(),
            private_key: Zeroizing::new("a private key".to_owned()),
        }
    }
}

/// The text that is wrong in a certificate and its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongText {
    Certificate(String),
    PrivateKey(String),
}

/// Checks that a certificate and a private key can sign together.
///
/// # Errors
/// The text that is wrong, and the reason.
pub fn check_identity(certificate: &str, private_key: &str) -> Result<(), WrongText> {
    match Identity::from_pem(certificate, private_key) {
        Ok(_) => Ok(()),
        Err(IdentityError::Certificate(error)) => Err(WrongText::Certificate(error.to_string())),
        Err(error) => Err(WrongText::PrivateKey(error.to_string())),
    }
}

/// CreateSession.
pub(super) struct CreateSession {
    pub(super) access: RolesAnywhere,
    /// The duration of the session. AWS shortens it to what the profile and the role allow.
    pub(super) duration: Duration,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    duration_seconds: u64,
    profile_arn: String,
    role_arn: String,
    trust_anchor_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    credential_set: Vec<CredentialSet>,
}

#[derive(Deserialize)]
struct CredentialSet {
    credentials: Credentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    access_key_id: String,
    secret_access_key: Zeroizing<String>,
    session_token: Zeroizing<String>,
    expiration: String,
}

impl AwsCall for CreateSession {
    type Answer = AssumedKeys;
    const OPERATION: AwsOperation = AwsOperation::CREATE_SESSION;
    // A second session is harmless.
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<AssumedKeys, Fault> {
        let request = Request {
            duration_seconds: self.duration.as_secs(),
            profile_arn: self.access.profile.to_string(),
            role_arn: self.access.role.as_arn().to_string(),
            trust_anchor_arn: self.access.trust_anchor.to_string(),
        };
        let answer: Answer = wire.rest_json("/sessions", &request).await?;
        let mut sets = answer.credential_set.into_iter().map(|set| set.credentials);
        let given = sets.find(|given| !given.access_key_id.is_empty() && !given.session_token.is_empty());
        let given = given.ok_or_else(|| Fault::Unintelligible("the answer has no credentials".to_owned()))?;
        let duration = lifetime(&given.expiration, self.duration);
        let keys = AccessKeys {
            id: given.access_key_id,
            secret: given.secret_access_key,
            session_token: Some(given.session_token),
        };
        Ok(AssumedKeys { keys, duration })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_private_key() {
        let shown = format!("{:?}", RolesAnywhere::example());
        assert!(shown.contains("role/anywhere") && !shown.contains("a private key"), "{shown}");
    }

    #[test]
    fn the_wrong_text_is_told() {
        assert!(matches!(check_identity("x", "y"), Err(WrongText::Certificate(_))));
    }
}
