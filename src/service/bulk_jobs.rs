//! Bulk jobs: one task applied to many keys. Each key gets the same operation as by a single call, with the rights that
//! the user who started the job has at that time. A key fails alone if the right is missing or AWS refuses.

use super::access::{
    self, CancelKeyDeletion, DeleteKey, KeyPermit, KeyRight, Permit, RotateKey, RunBulkJobs, SignedIn, UpdateKey,
};
use super::caller::{Caller, Change, RequestContext};
use super::failure::Failure;
use super::keys::{Keys, PolicyChoice};
use super::list::{self, Candidates, Field, Listed, Page, Query};
use super::recorder::Recorder;
use crate::domain::command::Command;
use crate::domain::id::{JobId, KeyId, UserId};
use crate::domain::job::bulk::{BulkCommand, BulkJob, BulkTask, check_count, check_keys};
use crate::domain::job::command::JobCommand;
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::event::RotationJob;
use crate::domain::key::operation::Operation;
use crate::domain::refusal::JobRefusal;
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::ledger::Committed;
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use uuid::Uuid;

/// The number of keys that a job changes concurrently.
const KEYS_AT_ONCE: usize = 8;

/// The interval at which a job that continues after a restart checks whether a pending operation on a key has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The maximum number of these checks.
const POLLS_MAX: u32 = 240;

/// The use cases of bulk jobs. Cheap to clone.
#[derive(Clone)]
pub struct BulkJobs {
    recorder: Recorder,
    keys: Keys,
    /// Runs jobs independently of the request that starts them.
    runtime: Handle,
}

/// The keys of a new job.
pub enum Chosen {
    Keys(Vec<KeyId>),
    /// The keys of a list that the caller may view.
    Filter(Box<Query>),
}

/// Whether a job is new or continues after a restart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    First,
    Resumed,
}

impl BulkJobs {
    pub(super) fn new(recorder: Recorder, keys: Keys, runtime: Handle) -> Self {
        Self { recorder, keys, runtime }
    }

    /// Starts a job. The caller needs the right to run bulk jobs on at least one of the keys. A missing right on
    /// another key fails that key. A dry run answers what would happen to each key, as far as AWS need not be asked.
    ///
    /// # Errors
    /// When there are too many keys or none, or the caller lacks the right on all of them.
    pub async fn start(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        task: BulkTask,
        chosen: Chosen,
    ) -> Result<Arc<BulkJob>, Failure> {
        let caller = permit.caller();
        let (keys, by_filter) = match chosen {
            Chosen::Keys(keys) => (keys, false),
            Chosen::Filter(query) => (keys_of(caller, &query).await?, true),
        };
        check_keys(&keys, by_filter)?;
        let permitted = any_permitted(caller, &keys)?;
        match &task {
            // A job with an unknown template or schedule is refused before it starts.
            BulkTask::ApplyTemplate { template } => {
                self.keys.policy_for(permitted.key(), PolicyChoice::Template(template.to_string()))?;
            }
            BulkTask::AssignSchedule { schedule } => {
                caller.published.state.rotation_schedule(*schedule)?;
            }
            BulkTask::Enable
            | BulkTask::Disable
            | BulkTask::ScheduleDeletion { .. }
            | BulkTask::CancelDeletion
            | BulkTask::RemoveSchedule => {}
        }
        let change = permitted.caller().change(context);
        let id = JobId::new(Uuid::new_v4());
        let command = BulkCommand::Start { id, by: caller.user.id, task, keys, by_filter };
        let committed = self.command(&change, command).await?;
        let job = committed.published.state.bulk_job(id)?.clone();
        if change.dry_run {
            return Ok(Arc::new(self.tried(BulkJob::clone(&job), context).await));
        }
        self.launch(&job, change.done(), Run::First);
        Ok(job)
    }

    /// The job as if it had ended: each key with what a dry run of the single call says.
    async fn tried(&self, mut job: BulkJob, context: &RequestContext) -> BulkJob {
        let keys: Vec<KeyId> = job.keys.iter().map(|key| key.id).collect();
        let work = keys.into_iter().map(|key| self.apply(&job, key, context, Run::First));
        let ends: Vec<Result<(), Failure>> = stream::iter(work).buffered(KEYS_AT_ONCE).collect().await;
        for (key, end) in job.keys.iter_mut().zip(ends) {
            key.end = Some(end.map_err(|failure| failure.to_string().into()));
        }
        job.completed = Some(self.recorder.now());
        job
    }

    /// Lists the jobs that the caller may view.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<SignedIn>, query: &Query) -> Result<Page<BulkJob>, Failure> {
        list::page(permit.caller(), query).await
    }

    /// Returns one job.
    ///
    /// # Errors
    /// When there is no such job, or the caller may not view it.
    pub fn get(&self, permit: &Permit<SignedIn>, id: JobId) -> Result<Arc<BulkJob>, Failure> {
        visible(permit.caller(), id).cloned()
    }

    /// Cancels a job: keys that it has not started on stay as they are.
    ///
    /// # Errors
    /// When there is no such job, the caller may not view it, or it has ended.
    pub async fn cancel(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        id: JobId,
    ) -> Result<Arc<BulkJob>, Failure> {
        visible(permit.caller(), id)?;
        let committed = self.command(&permit.caller().change(context), BulkCommand::Cancel { id }).await?;
        Ok(committed.published.state.bulk_job(id)?.clone())
    }

    /// Resumes the jobs that were open when the program ended.
    pub(super) fn resume(&self) {
        let published = self.recorder.state();
        let state = &published.state;
        for job in state.jobs.bulk.all().iter().filter(|job| job.completed.is_none()) {
            tracing::info!(job = %job.id, "resuming a bulk job");
            self.launch(job, Change::resumed(state, Some(job.by)), Run::Resumed);
        }
    }

    fn launch(&self, job: &Arc<BulkJob>, change: Change, run: Run) {
        let (jobs, job) = (self.clone(), job.clone());
        self.runtime.spawn(async move {
            let open: Vec<KeyId> = job.keys.iter().filter(|key| key.end.is_none()).map(|key| key.id).collect();
            let work = open.into_iter().map(|key| jobs.run_key(&job, key, &change, run));
            stream::iter(work).buffer_unordered(KEYS_AT_ONCE).collect::<()>().await;
            jobs.record(&change, BulkCommand::Finish { id: job.id }).await;
        });
    }

    /// Applies the task to one key, and records the result. If the log has stopped, the key stays open.
    async fn run_key(&self, job: &BulkJob, key: KeyId, change: &Change, run: Run) {
        if self.recorder.state().state.jobs.bulk.get(job.id).is_none_or(|job| job.cancelled) {
            return;
        }
        let context =
            RequestContext { request_id: change.request_id.clone(), dry_run: false, source: None, expected: None };
        let end = match self.apply(job, key, &context, run).await {
            Err(Failure::Stopped(_)) => return,
            end => end.map_err(|failure| failure.to_string()),
        };
        self.record(change, BulkCommand::EndKey { id: job.id, key, end }).await;
    }

    async fn apply(&self, job: &BulkJob, key: KeyId, context: &RequestContext, run: Run) -> Result<(), Failure> {
        if run == Run::Resumed {
            self.wait_until_idle(key).await;
        }
        let caller = self.caller(job.by)?;
        let permit = KeyPermit::<RunBulkJobs>::authorize(caller.clone(), key)?;
        if run == Run::Resumed && is_applied(permit.key(), &job.task) {
            return Ok(());
        }
        match &job.task {
            BulkTask::Enable => self.change::<UpdateKey>(caller, key, context, Operation::Enable).await,
            BulkTask::Disable => self.change::<UpdateKey>(caller, key, context, Operation::Disable).await,
            BulkTask::ScheduleDeletion { window } => {
                self.change::<DeleteKey>(caller, key, context, Operation::ScheduleDeletion { window: *window }).await
            }
            BulkTask::CancelDeletion => {
                self.change::<CancelKeyDeletion>(caller, key, context, Operation::CancelDeletion).await
            }
            BulkTask::ApplyTemplate { template } => {
                let choice = PolicyChoice::Template(template.to_string());
                let wanted = self.keys.policy_for(permit.key(), choice)?;
                self.change::<UpdateKey>(caller, key, context, wanted).await
            }
            BulkTask::AssignSchedule { schedule } => {
                let rotation = RotationJob {
                    schedule: *schedule,
                    key_source: permit.key().default_key_source().to_owned(),
                    disable_encrypt: false,
                    disable_encrypt_on_all_accounts: false,
                };
                self.set_rotation_job(caller, key, context, Some(rotation)).await
            }
            BulkTask::RemoveSchedule => self.set_rotation_job(caller, key, context, None).await,
        }
    }

    async fn set_rotation_job(
        &self,
        caller: Caller,
        key: KeyId,
        context: &RequestContext,
        job: Option<RotationJob>,
    ) -> Result<(), Failure> {
        let permit = KeyPermit::<RotateKey>::authorize(caller, key)?;
        self.keys.set_rotation_job(&permit, context, job).await.map(drop)
    }

    async fn change<A: KeyRight>(
        &self,
        caller: Caller,
        key: KeyId,
        context: &RequestContext,
        wanted: Operation,
    ) -> Result<(), Failure> {
        let permit = KeyPermit::<A>::authorize(caller, key)?;
        self.keys.change(&permit, context, wanted).await.map(drop)
    }

    /// The user who started the job, with the current rights.
    fn caller(&self, by: UserId) -> Result<Caller, Failure> {
        let published = self.recorder.state();
        let user = published.state.user(by)?.clone();
        Ok(Caller::absent(user, published))
    }

    /// Waits until the reconciliation has ended an operation that was pending when the program ended.
    async fn wait_until_idle(&self, key: KeyId) {
        for _ in 0..POLLS_MAX {
            if self.recorder.state().state.keys.get(&key).is_none_or(|key| key.pending.is_none()) {
                return;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    async fn record(&self, change: &Change, command: BulkCommand) {
        if let Err(failure) = self.command(change, command).await {
            tracing::warn!(%failure, "the result of a bulk job could not be recorded");
        }
    }

    async fn command(&self, change: &Change, command: BulkCommand) -> Result<Committed, Failure> {
        self.recorder.append(change, Command::Job(JobCommand::Bulk(command))).await
    }
}

/// The keys of a filter that the caller may view.
///
/// # Errors
/// When a filter has an invalid value, no key matches, or too many do.
async fn keys_of(caller: &Caller, query: &Query) -> Result<Vec<KeyId>, Failure> {
    let mut page = list::page::<Key>(caller, query).await?;
    check_count(page.total, true)?;
    Ok(page.rows.take(page.total).iter().map(|key| key.id).collect())
}

/// Authorizes the caller to run bulk jobs on any of these keys.
///
/// # Errors
/// The failure for the first key, if the caller may run bulk jobs on none.
fn any_permitted(caller: &Caller, keys: &[KeyId]) -> Result<KeyPermit<RunBulkJobs>, Failure> {
    let mut refusal = Failure::Internal("a bulk job has no keys");
    for key in keys.iter().rev() {
        match KeyPermit::authorize(caller.clone(), *key) {
            Ok(permit) => return Ok(permit),
            Err(failure) => refusal = failure,
        }
    }
    Err(refusal)
}

/// Returns whether the task has already been applied to the key. A job checks this after a restart only, since the
/// previous run may have changed the key without recording it in the job.
fn is_applied(key: &Key, task: &BulkTask) -> bool {
    match task {
        BulkTask::Enable => key.metadata.state == KeyState::Enabled,
        BulkTask::Disable => key.metadata.state == KeyState::Disabled,
        BulkTask::ScheduleDeletion { .. } => key.metadata.is_pending_deletion(),
        BulkTask::CancelDeletion => !key.metadata.is_pending_deletion(),
        // Doing these twice is harmless.
        BulkTask::ApplyTemplate { .. } | BulkTask::AssignSchedule { .. } | BulkTask::RemoveSchedule => false,
    }
}

fn visible(caller: &Caller, id: JobId) -> Result<&Arc<BulkJob>, Failure> {
    let job = caller.published.state.bulk_job(id)?;
    if sees(caller, job) { Ok(job) } else { Err(JobRefusal::Unknown(id.to_string()).into()) }
}

fn sees(caller: &Caller, job: &BulkJob) -> bool {
    access::sees_bulk_job(&caller.user, &caller.published.state, job)
}

impl Listed for BulkJob {
    type Rows = Table<JobId, Self>;
    const SORTS: &'static [&'static str] =
        &["id", "operation", "overall_status", "completed_at", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &["id", "operation", "overall_status", "cloud", "keys", "abort"];
    const SEARCHES: &'static [&'static str] = &["id", "operation"];
    const IDENTITIES: &'static [&'static str] = &["id"];
    const SEES: Option<fn(&Caller, &Self) -> bool> = Some(sees);

    fn rows(state: &State) -> &Self::Rows {
        state.jobs.bulk.all()
    }

    fn identified<'a>(_: &'a State, _: &str, value: &str) -> Candidates<'a, Self> {
        Box::new(JobId::parse(value).into_iter())
    }

    fn field(&self, member: &str, _: &Caller) -> Field {
        match member {
            "id" => Field::Text(self.id.to_string()),
            "operation" => Field::Text(self.task.name().to_owned()),
            "overall_status" => Field::Text(self.status().name().to_owned()),
            "cloud" => Field::Text("aws".to_owned()),
            "keys" => Field::Texts(self.keys.iter().map(|key| key.id.to_string()).collect()),
            "abort" => Field::Flag(self.cancelled),
            "completed_at" => self.completed.map_or(Field::Absent, Field::Moment),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}
