//! Tests of connections at AWS: those that a user asks for, and those in the background.

use super::{Connections, NewConnection, find};
use crate::aws::port::Access;
use crate::domain::connection::ConnectionCommand;
use crate::domain::id::ConnectionId;
use crate::domain::kms::AssumedRole;
use crate::domain::name::KmsName;
use crate::domain::place::{AccountId, Arn, Region};
use crate::service::access::{ManageConnections, Permit};
use crate::service::caller::RequestContext;
use crate::service::cloud;
use crate::service::failure::{AwsFailure, Failure};
use crate::service::permissions::{self, Capability};

/// The result of a test of a connection.
pub struct TestOutcome {
    /// The reason why AWS did not accept the credentials; `None` if the test succeeded.
    pub error: Option<String>,
    /// What AWS says of the credentials, if that was asked for and the test succeeded.
    pub details: Option<TestDetails>,
}

/// What AWS says of the credentials of a connection. What could not be asked has the reason in its place.
pub struct TestDetails {
    pub account: AccountId,
    /// The user, or the session of a role.
    pub arn: Arn,
    /// The regions that are enabled in the account.
    pub regions: Result<Vec<Region>, String>,
    /// The actions that the policy of the wanted capabilities has and IAM does not allow.
    pub missing: Result<Vec<String>, String>,
}

impl Connections {
    /// Tests a stored connection at AWS, and records the result.
    ///
    /// # Errors
    /// When there is no such connection.
    pub async fn test(
        &self,
        permit: Permit<ManageConnections>,
        context: &RequestContext,
        text: &str,
        details: Option<&[Capability]>,
    ) -> Result<TestOutcome, Failure> {
        let change = permit.caller().change(context);
        let connection = find(&permit.caller().published.state, text)?;
        let access = self.cloud.access(&connection, None)?;
        let outcome = self.try_access(&access, details).await;
        let command = ConnectionCommand::RecordTest { id: connection.id, error: outcome.error.clone() };
        self.command(&change, command).await?;
        Ok(outcome)
    }

    /// Asks AWS who calls with this access; with details, also for its regions and for what it lacks for the capabilities.
    async fn try_access(&self, access: &Access, details: Option<&[Capability]>) -> TestOutcome {
        let caller = match self.cloud.aws.caller(access).await {
            Ok(caller) => caller,
            Err(failure) => return TestOutcome { error: Some(failure.to_string()), details: None },
        };
        let Some(wanted) = details else { return TestOutcome { error: None, details: None } };
        let actions = permissions::comparable_actions(wanted);
        let (regions, missing) =
            tokio::join!(self.cloud.aws.enabled_regions(access), self.cloud.aws.missing_permissions(access, &actions));
        let details = TestDetails {
            account: caller.account,
            arn: caller.arn,
            regions: regions.map_err(|failure| failure.to_string()),
            missing: missing.map_err(|failure| failure.to_string()),
        };
        TestOutcome { error: None, details: Some(details) }
    }

    /// Tests a stored connection in the background, by itself if a KMS uses it so, and with each role that a KMS assumes
    /// over it. Records the result if it differs from the last one.
    ///
    /// # Errors
    /// When the result cannot be recorded.
    pub(in crate::service) async fn check(&self, id: ConnectionId, patience: Patience) -> Result<Checked, Failure> {
        let published = self.recorder.state();
        let Some(connection) = published.state.connections.get(&id) else { return Ok(Checked::Recorded) };
        let mut roles: Vec<(Option<&AssumedRole>, &KmsName)> = Vec::new();
        for kms in published.state.kms.iter().filter(|kms| kms.connection == id && !kms.archived) {
            if !roles.iter().any(|(role, _)| *role == kms.role.as_ref()) {
                roles.push((kms.role.as_ref(), &kms.name));
            }
        }
        let (mut error, mut is_doubtful, mut is_busy) = (None, false, false);
        for (role, kms) in roles {
            let called = match self.cloud.access(connection, role) {
                Ok(access) => self.cloud.aws.caller(&access).await.map(drop).map_err(Failure::from),
                Err(failure) => Err(failure),
            };
            let Err(failure) = called else { continue };
            match (doubt_of(&failure), patience) {
                // AWS is busy, which says nothing of the connection.
                (Doubt::Throttled, _) => is_busy = true,
                (Doubt::NoAnswer, Patience::ForSecondFailure) => is_doubtful = true,
                (Doubt::NoAnswer, Patience::Over) | (Doubt::None, _) => {
                    let text = lasting_text(&failure);
                    error.get_or_insert(match role {
                        Some(_) => format!("with the role of KMS {kms}: {text}"),
                        None => text,
                    });
                }
            }
        }
        if error.is_none() && is_doubtful {
            return Ok(Checked::Doubtful);
        }
        let last = connection.last_test.as_ref().and_then(|test| test.error.as_ref());
        if last == error.as_ref() || (error.is_none() && is_busy) {
            return Ok(Checked::Recorded);
        }
        match self.command(&crate::service::system_change("check"), ConnectionCommand::RecordTest { id, error }).await {
            // The connection was deleted meanwhile.
            Ok(_) | Err(Failure::Refused(_)) => Ok(Checked::Recorded),
            Err(failure) => Err(failure),
        }
    }

    /// Tests a connection that is not stored.
    pub async fn test_unstored(
        &self,
        _permit: &Permit<ManageConnections>,
        new: &NewConnection,
        details: Option<&[Capability]>,
    ) -> TestOutcome {
        let access = cloud::access(&new.settings, &new.secret, new.roles_anywhere.clone(), None);
        self.try_access(&access, details).await
    }
}

/// Whether a check waits for a second failure where AWS did not answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::service) enum Patience {
    ForSecondFailure,
    Over,
}

/// The end of a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::service) enum Checked {
    /// The result is recorded, or the same as the last one.
    Recorded,
    /// AWS did not answer, which may be over in a moment: the connection is to be checked once more.
    Doubtful,
}

/// What speaks against a failure of the connection itself.
enum Doubt {
    None,
    Throttled,
    NoAnswer,
}

fn doubt_of(failure: &Failure) -> Doubt {
    let Failure::Cloud(failure) = failure else { return Doubt::None };
    match failure {
        AwsFailure::Throttled { .. } => Doubt::Throttled,
        AwsFailure::Timeout { .. } | AwsFailure::Unreachable { .. } | AwsFailure::Faulty { .. } => Doubt::NoAnswer,
        AwsFailure::Refused { .. } | AwsFailure::Unintelligible { .. } | AwsFailure::NotSent { .. } => Doubt::None,
    }
}

/// The text of a failure, without the time that a call took: each check would record another one.
fn lasting_text(failure: &Failure) -> String {
    match failure {
        Failure::Cloud(AwsFailure::Timeout { operation, .. }) => format!("{operation} had no answer from AWS in time"),
        failure => failure.to_string(),
    }
}
