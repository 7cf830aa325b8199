//! The same done to many keys: each by the operation that a single call would be, and by the rights of the one who
//! wanted it, as they are at that moment. A key that may not be touched, or that AWS refuses, fails alone.

use super::access::{
    self, CancelKeyDeletion, DeleteKey, KeyPermit, KeyRight, Permit, RunBulkJobs, SignedIn, UpdateKey,
};
use super::caller::{Caller, Change, RequestContext};
use super::failure::Failure;
use super::keys::{Keys, PolicyChoice};
use super::list::{self, Candidates, Field, Listed, Page, Query};
use super::recorder::Recorder;
use crate::domain::action::Action;
use crate::domain::command::Command;
use crate::domain::id::{JobId, KeyId, UserId};
use crate::domain::job::bulk::{BulkCommand, BulkJob, BulkTask, check_keys};
use crate::domain::job::command::JobCommand;
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::KeyState;
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

/// So many keys of a job are worked on at once.
const KEYS_AT_ONCE: usize = 8;

/// After a restart, so often it is looked whether what was under way on a key has come to its end,
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOKS: u32 = 240;

/// The use cases of bulk jobs. Cheap to clone.
#[derive(Clone)]
pub struct BulkJobs {
    recorder: Recorder,
    keys: Keys,
    /// Where jobs go on when the caller has gone away.
    runtime: Handle,
}

/// Is a job begun, or gone on with after a restart?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    First,
    Again,
}

impl BulkJobs {
    pub(super) fn new(recorder: Recorder, keys: Keys, runtime: Handle) -> Self {
        Self { recorder, keys, runtime }
    }

    /// Begins a job. The caller must be permitted bulk jobs on one of the keys at least; what is not permitted on the
    /// others is told with each.
    ///
    /// # Errors
    /// When there are too many keys or none, or the caller may not.
    pub async fn start(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        task: BulkTask,
        keys: Vec<KeyId>,
    ) -> Result<Arc<BulkJob>, Failure> {
        let caller = permit.caller();
        check_keys(&keys)?;
        let first = first_permitted(caller, &keys)?;
        if let BulkTask::ApplyTemplate { template } = &task {
            // Says that there is no such template before anything is begun.
            self.keys.policy_for(first.key(), PolicyChoice::Template(template.to_string()))?;
        }
        let change = first.caller().change(context);
        let id = JobId::new(Uuid::new_v4());
        let committed = self.command(&change, BulkCommand::Start { id, by: caller.user.id, task, keys }).await?;
        let job = committed.published.state.bulk_job(id)?.clone();
        if !change.dry_run {
            self.launch(&job, change.done(), Run::First);
        }
        Ok(job)
    }

    /// The jobs that the caller may see.
    ///
    /// # Errors
    /// When the query sorts by what cannot be sorted by.
    pub async fn list(&self, permit: &Permit<SignedIn>, query: &Query) -> Result<Page<BulkJob>, Failure> {
        list::page(permit.caller(), query).await
    }

    /// One job.
    ///
    /// # Errors
    /// When there is none, or none that the caller may see.
    pub fn get(&self, permit: &Permit<SignedIn>, id: JobId) -> Result<Arc<BulkJob>, Failure> {
        visible(permit.caller(), id).cloned()
    }

    /// Lets a job stop: keys that it has not begun with are left as they are.
    ///
    /// # Errors
    /// When there is none that the caller may see, or it has ended.
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

    /// Goes on with the jobs that the last run of the program left open.
    pub(super) fn resume(&self) {
        let published = self.recorder.state();
        let state = &published.state;
        for job in state.jobs.bulk.all().iter().filter(|job| job.completed.is_none()) {
            tracing::info!(job = %job.id, "a bulk job goes on");
            self.launch(job, Change::resumed(state, Some(job.by)), Run::Again);
        }
    }

    fn launch(&self, job: &Arc<BulkJob>, change: Change, run: Run) {
        let (jobs, job) = (self.clone(), job.clone());
        self.runtime.spawn(async move {
            let open: Vec<KeyId> = job.keys.iter().filter(|key| key.end.is_none()).map(|key| key.id).collect();
            let work = open.into_iter().map(|key| jobs.run_key(&job, key, &change, run));
            stream::iter(work).buffer_unordered(KEYS_AT_ONCE).collect::<()>().await;
            jobs.note(&change, BulkCommand::Finish { id: job.id }).await;
        });
    }

    /// Does it to one key, and writes down what came of it. If the log takes nothing any more, the key stays open.
    async fn run_key(&self, job: &BulkJob, key: KeyId, change: &Change, run: Run) {
        if self.recorder.state().state.jobs.bulk.get(job.id).is_none_or(|job| job.cancelled) {
            return;
        }
        let context = RequestContext { request_id: change.request_id.clone(), dry_run: false };
        let end = match self.perform(job, key, &context, run).await {
            Err(Failure::Stopped(_)) => return,
            end => end.map_err(|failure| failure.to_string()),
        };
        self.note(change, BulkCommand::EndKey { id: job.id, key, end }).await;
    }

    async fn perform(&self, job: &BulkJob, key: KeyId, context: &RequestContext, run: Run) -> Result<(), Failure> {
        if run == Run::Again {
            self.wait_until_idle(key).await;
        }
        let caller = self.caller(job.by)?;
        let permit = KeyPermit::<RunBulkJobs>::authorize(caller.clone(), key)?;
        if run == Run::Again && is_so(permit.key(), &job.task) {
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
        }
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

    /// The one who wanted the job, with today's rights.
    fn caller(&self, by: UserId) -> Result<Caller, Failure> {
        let published = self.recorder.state();
        let user = published.state.user(by)?.clone();
        Ok(Caller::absent(user, published))
    }

    /// What the last run of the program left open on a key is ended by others; until then nothing is known of it.
    async fn wait_until_idle(&self, key: KeyId) {
        for _ in 0..LOOKS {
            if self.recorder.state().state.keys.get(&key).is_none_or(|key| key.pending.is_none()) {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn note(&self, change: &Change, command: BulkCommand) {
        if let Err(failure) = self.command(change, command).await {
            tracing::warn!(%failure, "what came of a bulk job could not be written down");
        }
    }

    async fn command(&self, change: &Change, command: BulkCommand) -> Result<Committed, Failure> {
        self.recorder.append(change, Command::Job(JobCommand::Bulk(command))).await
    }
}

/// The first key on which the caller may run bulk jobs; if there is none, what stands against the first key.
fn first_permitted(caller: &Caller, keys: &[KeyId]) -> Result<KeyPermit<RunBulkJobs>, Failure> {
    let mut refusal = Failure::Internal("a bulk job has no keys");
    for key in keys.iter().rev() {
        match KeyPermit::authorize(caller.clone(), *key) {
            Ok(permit) => return Ok(permit),
            Err(failure) => refusal = failure,
        }
    }
    Err(refusal)
}

/// Is the key as the task would have it? Asked after a restart only: the last run may have come so far.
fn is_so(key: &Key, task: &BulkTask) -> bool {
    match task {
        BulkTask::Enable => key.metadata.state == KeyState::Enabled,
        BulkTask::Disable => key.metadata.state == KeyState::Disabled,
        BulkTask::ScheduleDeletion { .. } => key.metadata.is_pending_deletion(),
        BulkTask::CancelDeletion => !key.metadata.is_pending_deletion(),
        // To do it again harms nothing.
        BulkTask::ApplyTemplate { .. } => false,
    }
}

fn visible(caller: &Caller, id: JobId) -> Result<&Arc<BulkJob>, Failure> {
    let job = caller.published.state.bulk_job(id)?;
    if sees(caller, job) { Ok(job) } else { Err(JobRefusal::Unknown(id.to_string()).into()) }
}

/// A job is seen by the one who wanted it, and by those who could have wanted all of it.
fn sees(caller: &Caller, job: &BulkJob) -> bool {
    let (user, state) = (&caller.user, &caller.published.state);
    let could = |key: KeyId| {
        access::sees_key_of(user, state, key)
            && state
                .keys
                .get(&key)
                .is_none_or(|key| access::may_on_all(user, state, Action::KeyBulkOperation, [key.kms]))
    };
    job.by == user.id || job.keys.iter().all(|key| could(key.id))
}

impl Listed for BulkJob {
    type Rows = Table<JobId, Self>;
    const SORTS: &'static [&'static str] =
        &["id", "operation", "overall_status", "completed_at", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &["id", "operation", "overall_status", "cloud", "keys", "abort"];
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
