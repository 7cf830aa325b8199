//! An implementation of the port for tests of the services. It answers, fails or hangs as scripted, and records the
//! calls.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use super::failure::AwsFailure;
use super::logs::{LogGroup, LogGroupListing, LogWindow, RawLogPage};
use super::operation::AwsOperation;
use super::page::Page;
use super::port::{Access, Aws, Caller, HsmCluster, IamListing, IamPrincipal};
use crate::domain::place::{AccountId, Arn, Region};

/// The scripted outcome of a call.
#[derive(Debug, Clone)]
pub enum Cue<T> {
    Answer(T),
    Fail(AwsFailure),
    /// The call never returns.
    Hang,
}

/// The scripted outcomes of one operation.
#[derive(Debug)]
pub struct Part<T> {
    next: Mutex<VecDeque<Cue<T>>>,
    always: Mutex<Option<Cue<T>>>,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self { next: Mutex::default(), always: Mutex::default() }
    }
}

impl<T: Clone> Part<T> {
    /// Adds the outcome of one call. Outcomes are used in the order in which they were added.
    pub fn next(&self, cue: Cue<T>) {
        lock(&self.next).push_back(cue);
    }

    /// Sets the outcome of every call that has none of its own.
    pub fn always(&self, cue: Cue<T>) {
        *lock(&self.always) = Some(cue);
    }

    async fn play(&self, operation: AwsOperation) -> Result<T, AwsFailure> {
        let next = lock(&self.next).pop_front();
        let cue = next.or_else(|| lock(&self.always).clone());
        match cue {
            Some(Cue::Answer(answer)) => Ok(answer),
            Some(Cue::Fail(failure)) => Err(failure),
            Some(Cue::Hang) => std::future::pending().await,
            None => Err(AwsFailure::NotSent { operation, reason: "the script has no cue for it".to_owned() }),
        }
    }
}

/// A recorded call.
#[derive(Debug, Clone)]
pub struct RecordedCall {
    pub operation: AwsOperation,
    pub access: Access,
    /// The actions of SimulatePrincipalPolicy; empty for other operations.
    pub actions: Vec<String>,
}

#[derive(Debug, Default)]
pub struct ScriptedAws {
    pub caller: Part<Caller>,
    pub regions: Part<Vec<Region>>,
    pub missing: Part<Vec<String>>,
    pub users: Part<Page<IamPrincipal>>,
    pub roles: Part<Page<IamPrincipal>>,
    pub clusters: Part<Vec<HsmCluster>>,
    pub log_groups: Part<Page<LogGroup>>,
    pub log_pages: Part<RawLogPage>,
    log_windows: Mutex<Vec<LogWindow>>,
    recorded: Mutex<Vec<RecordedCall>>,
}

impl ScriptedAws {
    /// An account with a user `user1`, these regions, and no missing permissions.
    pub fn with_account(account: &str, regions: &[&str]) -> Self {
        let scripted = Self::default();
        scripted.caller.always(Cue::Answer(Caller {
            account: AccountId::parse(account).expect("the test gives an account"),
            arn: Arn::parse(&format!("arn:aws:iam::{account}:user/user1")).expect("an ARN of that account"),
        }));
        let regions = regions.iter().map(|name| Region::parse(name).expect("the test gives regions"));
        scripted.regions.always(Cue::Answer(regions.collect()));
        scripted.missing.always(Cue::Answer(Vec::new()));
        scripted
    }

    /// The calls so far, in order.
    pub fn calls(&self) -> Vec<RecordedCall> {
        lock(&self.recorded).clone()
    }

    /// The windows of the calls of FilterLogEvents so far, in order.
    pub fn log_windows(&self) -> Vec<LogWindow> {
        lock(&self.log_windows).clone()
    }

    fn record(&self, operation: AwsOperation, access: &Access, actions: &[&str]) {
        let actions = actions.iter().map(ToString::to_string).collect();
        lock(&self.recorded).push(RecordedCall { operation, access: access.clone(), actions });
    }
}

impl Aws for ScriptedAws {
    fn caller<'a>(&'a self, access: &'a Access) -> BoxFuture<'a, Result<Caller, AwsFailure>> {
        Box::pin(async move {
            self.record(AwsOperation::GET_CALLER_IDENTITY, access, &[]);
            self.caller.play(AwsOperation::GET_CALLER_IDENTITY).await
        })
    }

    fn enabled_regions<'a>(&'a self, access: &'a Access) -> BoxFuture<'a, Result<Vec<Region>, AwsFailure>> {
        Box::pin(async move {
            self.record(AwsOperation::DESCRIBE_REGIONS, access, &[]);
            self.regions.play(AwsOperation::DESCRIBE_REGIONS).await
        })
    }

    fn missing_permissions<'a>(
        &'a self,
        access: &'a Access,
        actions: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<String>, AwsFailure>> {
        Box::pin(async move {
            self.record(AwsOperation::SIMULATE_PRINCIPAL_POLICY, access, actions);
            self.missing.play(AwsOperation::SIMULATE_PRINCIPAL_POLICY).await
        })
    }

    fn list_users<'a>(
        &'a self,
        access: &'a Access,
        _: &'a IamListing,
    ) -> BoxFuture<'a, Result<Page<IamPrincipal>, AwsFailure>> {
        Box::pin(async move {
            self.record(AwsOperation::LIST_USERS, access, &[]);
            self.users.play(AwsOperation::LIST_USERS).await
        })
    }

    fn list_roles<'a>(
        &'a self,
        access: &'a Access,
        _: &'a IamListing,
    ) -> BoxFuture<'a, Result<Page<IamPrincipal>, AwsFailure>> {
        Box::pin(async move {
            self.record(AwsOperation::LIST_ROLES, access, &[]);
            self.roles.play(AwsOperation::LIST_ROLES).await
        })
    }

    fn hsm_clusters<'a>(
        &'a self,
        access: &'a Access,
        _: &'a Region,
    ) -> BoxFuture<'a, Result<Vec<HsmCluster>, AwsFailure>> {
        Box::pin(async move {
            self.record(AwsOperation::DESCRIBE_CLUSTERS, access, &[]);
            self.clusters.play(AwsOperation::DESCRIBE_CLUSTERS).await
        })
    }

    fn log_groups<'a>(
        &'a self,
        access: &'a Access,
        _: &'a Region,
        _: &'a LogGroupListing,
    ) -> BoxFuture<'a, Result<Page<LogGroup>, AwsFailure>> {
        Box::pin(async move {
            self.record(AwsOperation::DESCRIBE_LOG_GROUPS, access, &[]);
            self.log_groups.play(AwsOperation::DESCRIBE_LOG_GROUPS).await
        })
    }

    fn log_events<'a>(
        &'a self,
        access: &'a Access,
        _: &'a Region,
        window: &'a LogWindow,
    ) -> BoxFuture<'a, Result<RawLogPage, AwsFailure>> {
        Box::pin(async move {
            self.record(AwsOperation::FILTER_LOG_EVENTS, access, &[]);
            lock(&self.log_windows).push(window.clone());
            self.log_pages.play(AwsOperation::FILTER_LOG_EVENTS).await
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::aws::port::AccessKeys;
    use crate::domain::place::Partition;

    #[tokio::test]
    async fn single_cues_precede_the_standing_one_and_calls_are_recorded() {
        let keys = AccessKeys { id: "AKIA1".to_owned(), secret: "s3cret".to_owned().into(), session_token: None };
        let access = Access::with_keys(Partition::Aws, keys);
        let aws = ScriptedAws::with_account("123456789012", &["eu-west-1"]);
        let timeout =
            AwsFailure::Timeout { operation: AwsOperation::GET_CALLER_IDENTITY, after: Duration::from_secs(1) };
        aws.caller.next(Cue::Fail(timeout.clone()));
        aws.regions.next(Cue::Hang);

        assert_eq!(aws.caller(&access).await, Err(timeout));
        assert_eq!(aws.caller(&access).await.expect("answered").account.to_string(), "123456789012");
        let hung = tokio::time::timeout(Duration::from_millis(10), aws.enabled_regions(&access)).await;
        assert!(hung.is_err());
        assert_eq!(aws.enabled_regions(&access).await.expect("answered").len(), 1);
        assert!(ScriptedAws::default().missing_permissions(&access, &["kms:CreateKey"]).await.is_err());
        assert_eq!(aws.calls().len(), 4);
        assert_eq!(aws.calls()[0].access.keys.id, "AKIA1");
    }
}
