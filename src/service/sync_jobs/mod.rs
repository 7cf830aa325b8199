//! Synchronisation: updates the entries of keys, or of custom key stores, from AWS. A job reads regions of KMSs
//! independently, so that the failure of one region does not affect the others (`run`). A region is read key by key,
//! and only differences are recorded (`region`); of key stores, one list is read (`key_stores`). The counts of a
//! running job are visible (`live`).

mod key_stores;
mod last_use;
mod list;
mod live;
mod region;
mod run;
#[cfg(test)]
mod tests;

use super::access::{self, KmsPermit, Permit, SignedIn, Synchronize};
use super::caller::{Caller, Change, RequestContext};
use super::cloud::Cloud;
use super::failure::{Failure, MissingRight, invalid};
use super::list::{Page, Query, page};
use super::recorder::Recorder;
use crate::domain::action::Action;
use crate::domain::command::Command;
use crate::domain::id::{JobId, KmsId, UserId};
use crate::domain::job::command::JobCommand;
use crate::domain::job::sync::{Counts, SyncCommand, SyncJob, SyncScope};
use crate::domain::place::Region;
use crate::domain::refusal::JobRefusal;
use crate::domain::state::State;
use crate::ledger::Committed;
use live::Running;
use std::sync::Arc;
use tokio::runtime::Handle;
use uuid::Uuid;

/// The use cases of synchronisation jobs. Cheap to clone.
#[derive(Clone)]
pub struct SyncJobs {
    recorder: Recorder,
    cloud: Arc<Cloud>,
    running: Arc<Running>,
    /// Runs jobs independently of the requests for them.
    runtime: Handle,
}

/// The scope of a synchronisation.
pub enum SyncRequest {
    /// All regions of all KMSs that the caller may synchronise.
    All,
    Some {
        /// The names or ids of KMSs.
        kms: Vec<String>,
        /// The regions; `None` for all regions that each KMS manages.
        regions: Option<Vec<Region>>,
    },
}

/// A job with the related values that the API shows.
pub struct SyncJobSeen {
    pub job: Arc<SyncJob>,
    /// The names of its KMSs; the id of a deleted one.
    pub kms: Vec<String>,
    /// The current counts of each region, and the number of its newly linked entries.
    pub counts: Vec<(Counts, u64)>,
}

impl SyncJobs {
    pub(super) fn new(recorder: Recorder, cloud: Arc<Cloud>, runtime: Handle) -> Self {
        Self { recorder, cloud, running: Arc::default(), runtime }
    }

    /// Starts a job.
    ///
    /// # Errors
    /// When the caller lacks the right on one of the KMSs, or a rule forbids the job.
    pub async fn start(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        scope: SyncScope,
        request: SyncRequest,
    ) -> Result<SyncJobSeen, Failure> {
        let caller = permit.caller();
        let (all, kms, regions) = match request {
            SyncRequest::All => (true, permitted(caller)?, None),
            SyncRequest::Some { kms, regions } => (false, named(caller, &kms)?, regions),
        };
        let caller = access::on_all(caller.clone(), Action::KeySynchronize, kms.clone())?;
        self.start_as(&caller.change(context), scope, Some(caller.user.id), all, kms, regions).await
    }

    /// Starts a job for a user, or for a schedule if `by` is `None`.
    ///
    /// # Errors
    /// The refusal by a rule.
    pub(super) async fn start_as(
        &self,
        change: &Change,
        scope: SyncScope,
        by: Option<UserId>,
        all: bool,
        kms: Vec<KmsId>,
        regions: Option<Vec<Region>>,
    ) -> Result<SyncJobSeen, Failure> {
        let id = JobId::new(Uuid::new_v4());
        let skip_unavailable = by.is_none();
        let start = SyncCommand::Start { id, scope, by, all, kms, regions, skip_unavailable };
        let committed = self.command(change, start).await?;
        let state = &committed.published.state;
        let job = state.sync_job(id)?;
        if !change.dry_run {
            self.launch(job, change.done());
        }
        Ok(self.seen(job, state))
    }

    /// Lists the jobs of one scope that the caller may view.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(
        &self,
        permit: &Permit<SignedIn>,
        scope: SyncScope,
        mut query: Query,
    ) -> Result<(Page<SyncJob>, Caller), Failure> {
        let caller = permit.caller();
        query.filters.push((list::SCOPE.to_owned(), list::scope(scope).to_owned()));
        Ok((page(caller, &query).await?, caller.clone()))
    }

    /// Returns one job.
    ///
    /// # Errors
    /// When there is no such job, or the caller may not view it.
    pub fn get(&self, permit: &Permit<SignedIn>, scope: SyncScope, id: JobId) -> Result<SyncJobSeen, Failure> {
        let caller = permit.caller();
        Ok(self.seen(visible(caller, scope, id)?, &caller.published.state))
    }

    /// Cancels a job at once.
    ///
    /// # Errors
    /// When there is no such job, the caller may not view it, or it has ended.
    pub async fn cancel(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        scope: SyncScope,
        id: JobId,
    ) -> Result<SyncJobSeen, Failure> {
        visible(permit.caller(), scope, id)?;
        let change = permit.caller().change(context);
        let committed = self.command(&change, SyncCommand::Cancel { id }).await?;
        if !change.dry_run {
            self.running.cancel(id);
        }
        let state = &committed.published.state;
        Ok(self.seen(state.sync_job(id)?, state))
    }

    /// Returns a job with the related values that the API shows.
    pub fn seen(&self, job: &Arc<SyncJob>, state: &State) -> SyncJobSeen {
        let name = |id: KmsId| state.kms.get(&id).map_or_else(|| id.to_string(), |kms| kms.name.to_string());
        SyncJobSeen {
            job: job.clone(),
            kms: job.kms().into_iter().map(name).collect(),
            counts: self.running.counts(job),
        }
    }

    async fn command(&self, change: &Change, command: SyncCommand) -> Result<Committed, Failure> {
        self.recorder.append(change, Command::Job(JobCommand::Sync(command))).await
    }
}

/// Authorizes the caller on the KMSs of these names or ids, and returns their ids without duplicates.
fn named(caller: &Caller, texts: &[String]) -> Result<Vec<KmsId>, Failure> {
    let mut ids = Vec::new();
    for text in texts {
        let id = KmsPermit::<Synchronize>::authorize_named(caller.clone(), text)?.kms().id;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// The KMSs that the caller may synchronise, except archived ones.
fn permitted(caller: &Caller) -> Result<Vec<KmsId>, Failure> {
    let authorize = |id: KmsId| KmsPermit::<Synchronize>::authorize(caller.clone(), id).is_ok();
    let of_caller = caller.published.state.kms.iter().filter(|kms| authorize(kms.id));
    let (archived, ids): (Vec<_>, Vec<_>) = of_caller.partition(|kms| kms.archived);
    if ids.is_empty() && archived.is_empty() && !access::administers_kms(&caller.user) {
        return Err(Failure::Forbidden(MissingRight::Action(Action::KeySynchronize)));
    }
    if ids.is_empty() {
        return Err(invalid("synchronize_all", "there is no KMS to synchronise; add one, or recover one").into());
    }
    Ok(ids.into_iter().map(|kms| kms.id).collect())
}

fn visible(caller: &Caller, scope: SyncScope, id: JobId) -> Result<&Arc<SyncJob>, Failure> {
    let state = &caller.published.state;
    let job = state.sync_job(id)?;
    match job.scope == scope && sees(caller, job) {
        true => Ok(job),
        false => Err(JobRefusal::Unknown(id.to_string()).into()),
    }
}

fn sees(caller: &Caller, job: &SyncJob) -> bool {
    access::sees_sync_job(&caller.user, &caller.published.state, job)
}
