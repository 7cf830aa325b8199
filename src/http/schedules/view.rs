//! Schedules and their runs in answers.

use crate::domain::id::{KeyId, KeyStoreId, KmsId};
use crate::domain::name::JsonText;
use crate::domain::schedule::{
    BackupPlan, Cause, KeyOutcome, Run, RunOutcome, Schedule, StoreOutcome, SynchronizationPlan, Work,
};
use crate::http::envelope::Envelope;
use crate::service::access;
use crate::service::caller::Caller;
use crate::service::schedules::{self, LastRun, ScheduleSeen};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// A schedule.
#[derive(Serialize, ToSchema)]
#[schema(as = Schedule)]
pub struct ScheduleView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name of the schedule.
    name: String,
    /// A description of the schedule.
    description: String,
    /// The operation: `cckm_key_rotation`, `cckm_synchronization`, `cckm_xks_credential_rotation`, `cckm_drift_watch`
    /// or `database_backup`.
    operation: &'static str,
    /// The times of the runs, in cron's format.
    run_at: String,
    /// The node that the client gave; `any` by default.
    run_on: String,
    /// The start of the period in which the schedule runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    start_date: Option<String>,
    /// The end of the period in which the schedule runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    end_date: Option<String>,
    /// Whether the schedule is disabled.
    disabled: bool,
    /// The time of the next run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_run_at: Option<String>,
    /// `run_at` in words, in English; times are in UTC.
    #[schema(example = "every Saturday at 09:00")]
    run_at_words: String,
    /// The next five runs; fewer if the schedule ends before, none if it is disabled.
    next_runs: Vec<String>,
    /// The last run, which may be in progress; absent before the first one, and in the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_run: Option<LastRunView>,
    /// The id of the run in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    running_job_id: Option<String>,
    /// The number of keys that the schedule rotates and the caller may see; `GET /v1/cckm/aws/keys?job_config_id=`
    /// lists them. Absent in the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    keys_count: Option<usize>,
    /// The number of key stores whose credentials the schedule rotates, and that the caller may see. Absent in the
    /// past.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    custom_key_stores_count: Option<usize>,
    /// The parameters of the operation.
    #[schema(value_type = Object)]
    job_config_params: Value,
    /// The parameters once more, if the operation is `cckm_key_rotation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    cckm_key_rotation_params: Option<Value>,
    /// The parameters once more, if the operation is `cckm_synchronization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    cckm_synchronization_params: Option<Value>,
    /// The parameters once more, if the operation is `cckm_xks_credential_rotation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    cckm_xks_credential_rotation_params: Option<Value>,
    /// The parameters once more, if the operation is `cckm_drift_watch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    cckm_drift_watch_params: Option<Value>,
    /// The parameters once more, if the operation is `database_backup`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    database_backup_params: Option<Value>,
}

/// The last run of a schedule.
#[derive(Serialize, ToSchema)]
#[schema(as = LastScheduledJob)]
struct LastRunView {
    /// The id of the run, for `GET /v1/scheduler/jobs/{id}`.
    id: String,
    /// The cause of the run: `due`, `missed` or `asked`.
    cause: &'static str,
    /// The status of the run: `in_progress`, `completed` or `failed`.
    overall_status: &'static str,
    /// The time at which the run began.
    started_at: String,
    /// The time at which the run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    completed_at: Option<String>,
    /// The keys and key stores of the run, of those that the caller may see, whose work succeeded.
    succeeded: usize,
    /// Those whose work failed.
    failed: usize,
}

/// A run of a schedule.
#[derive(Serialize, ToSchema)]
#[schema(as = ScheduledJob)]
pub struct RunView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name of the schedule.
    name: String,
    /// The id of the schedule.
    job_config_id: String,
    /// The operation: `cckm_key_rotation`, `cckm_synchronization`, `cckm_xks_credential_rotation`, `cckm_drift_watch`
    /// or `database_backup`.
    operation: &'static str,
    /// The cause of the run: `due`, `missed` (due while the program was not running) or `asked` (by a user).
    cause: &'static str,
    /// The time at which the run was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    due_at: Option<String>,
    /// The status of the run: `in_progress`, `completed` or `failed`.
    overall_status: &'static str,
    /// The error, if the run failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
    /// The time at which the run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    completed_at: Option<String>,
    /// The result for each key, or each key store, that the caller may see.
    results: Vec<ResultView>,
}

/// The result of a run for one key or one key store.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = ScheduledJobResult)]
pub(super) struct ResultView {
    /// The id of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key_id: Option<String>,
    /// The id of the key store.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    custom_key_store_id: Option<String>,
    /// `Success`, or the error.
    status: String,
    /// The id of the key that replaced it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rotated_to: Option<String>,
}

impl ScheduleView {
    /// The view of a schedule.
    pub fn of(seen: &ScheduleSeen) -> Self {
        let schedule: &Schedule = &seen.schedule;
        let settings = &schedule.settings;
        let params = params(&settings.work, &seen.kms);
        let of = |is_work: bool| is_work.then(|| params.clone());
        Self {
            envelope: Envelope::new(
                schedule.id,
                "scheduler:job-configs",
                schedule.id,
                schedule.created,
                schedule.updated,
            ),
            name: schedule.name.to_string(),
            description: settings.description.clone(),
            operation: settings.work.name(),
            run_at: settings.run_at.to_string(),
            run_on: schedule.run_on.clone(),
            start_date: settings.start.map(|at| at.to_string()),
            end_date: settings.end.map(|at| at.to_string()),
            disabled: settings.disabled,
            next_run_at: schedule.next_due().map(|at| at.to_string()),
            run_at_words: settings.run_at.words(),
            next_runs: seen.next_runs.iter().map(ToString::to_string).collect(),
            last_run: seen.last_run.as_ref().map(LastRunView::of),
            running_job_id: schedule.running.map(|run| run.to_string()),
            keys_count: seen.keys,
            custom_key_stores_count: seen.stores,
            cckm_key_rotation_params: of(matches!(settings.work, Work::RotateKeys(_))),
            cckm_synchronization_params: of(matches!(settings.work, Work::Synchronize(_))),
            cckm_xks_credential_rotation_params: of(matches!(settings.work, Work::RotateCredentials)),
            cckm_drift_watch_params: of(matches!(settings.work, Work::WatchDrift(_))),
            database_backup_params: of(matches!(settings.work, Work::BackUp(_))),
            job_config_params: params,
        }
    }
}

impl LastRunView {
    fn of(last: &LastRun) -> Self {
        let run = &last.run;
        Self {
            id: run.id.to_string(),
            cause: schedules::cause(run),
            overall_status: schedules::status(run),
            started_at: run.started.to_string(),
            completed_at: run.ended.as_ref().map(|(at, _)| at.to_string()),
            succeeded: last.succeeded,
            failed: last.failed,
        }
    }
}

fn params(work: &Work, kms: &[KmsId]) -> Value {
    if let Work::BackUp(plan) = work {
        return backup_params(plan);
    }
    let mut all = Map::new();
    all.insert("cloud_name".to_owned(), json!("aws"));
    match work {
        Work::RotateKeys(plan) => {
            for (name, span) in [
                ("expiration", plan.expiration),
                ("expire_in", plan.expire_in),
                ("rotation_after", plan.rotation_after),
            ] {
                if let Some(span) = span {
                    all.insert(name.to_owned(), json!(span.to_string()));
                }
            }
            let aws = json!({"retain_alias": plan.retain_alias, "rotate_material": plan.rotate_material});
            all.insert("aws_param".to_owned(), aws);
        }
        Work::RotateCredentials => {}
        // Only who may view the KMS is told where its events are.
        Work::WatchDrift(plan) if kms.contains(&plan.kms) => {
            all.insert("kms".to_owned(), json!(plan.kms.to_string()));
            all.insert("log_group".to_owned(), json!(plan.log_group));
            if let Some(region) = &plan.log_group_region {
                all.insert("log_group_region".to_owned(), json!(region.as_str()));
            }
            all.insert("overlap_minutes".to_owned(), json!(plan.overlap_minutes));
        }
        Work::WatchDrift(_) | Work::BackUp(_) => {}
        Work::Synchronize(SynchronizationPlan::All) => drop(all.insert("synchronize_all".to_owned(), json!(true))),
        Work::Synchronize(SynchronizationPlan::Kms(_)) => {
            let ids: Vec<String> = kms.iter().map(ToString::to_string).collect();
            all.insert("kms".to_owned(), json!(ids));
        }
    }
    Value::Object(all)
}

/// The vendor's clients read each of these members as this type.
pub(in crate::http) fn backup_params(plan: &BackupPlan) -> Value {
    json!({
        "backupKey": plan.backup_key,
        "connection": plan.connection,
        "description": plan.description,
        "do_scp": plan.do_scp,
        "filters": plan.filters.as_ref().map_or_else(|| json!([]), JsonText::value),
        "retentionCount": plan.retention_count,
        "scope": plan.scope,
        "tiedToHSM": plan.tied_to_hsm,
    })
}

impl RunView {
    /// The view of a run, with the keys that the caller may see.
    pub fn of(run: &Run, viewer: &Caller) -> Self {
        let ended = run.ended.as_ref();
        let state = &viewer.published.state;
        let keys = run.keys.iter().filter(|(key, _)| access::sees_key_of(&viewer.user, state, *key));
        let sees =
            |id| state.key_stores.get(&id).is_some_and(|store| access::sees_key_store(&viewer.user, state, store));
        let stores = run.stores.iter().filter(|(store, _)| sees(*store));
        Self {
            envelope: Envelope::new(
                run.id,
                "scheduler:jobs",
                run.id,
                run.started,
                ended.map_or(run.started, |(at, _)| *at),
            ),
            name: run.name.to_string(),
            job_config_id: run.schedule.to_string(),
            operation: run.operation,
            cause: schedules::cause(run),
            due_at: match run.cause {
                Cause::Due(at) | Cause::Missed(at) => Some(at.to_string()),
                Cause::Asked => None,
            },
            overall_status: schedules::status(run),
            error: ended.and_then(|(_, outcome)| match outcome {
                RunOutcome::Done => None,
                // The reason names KMSs and counts keys that the caller may not be allowed to see.
                RunOutcome::Failed(reason) if access::administers_kms(&viewer.user) => Some(reason.clone()),
                RunOutcome::Failed(_) => Some("some of the work failed".to_owned()),
            }),
            completed_at: ended.map(|(at, _)| at.to_string()),
            results: keys.map(ResultView::of_key).chain(stores.map(ResultView::of_store)).collect(),
        }
    }
}

const SUCCESS: &str = "Success";

impl ResultView {
    fn of_key((key, outcome): &(KeyId, KeyOutcome)) -> Self {
        let (status, rotated_to) = match outcome {
            KeyOutcome::Failed(reason) => (reason.clone(), None),
            KeyOutcome::MaterialRotated => (SUCCESS.to_owned(), None),
            KeyOutcome::ReplacedBy(new) => (SUCCESS.to_owned(), Some(new.to_string())),
        };
        Self { key_id: Some(key.to_string()), status, rotated_to, ..Self::default() }
    }

    fn of_store((store, outcome): &(KeyStoreId, StoreOutcome)) -> Self {
        let status = match outcome {
            StoreOutcome::CredentialRotated => SUCCESS.to_owned(),
            StoreOutcome::Failed(reason) => reason.clone(),
        };
        Self { custom_key_store_id: Some(store.to_string()), status, ..Self::default() }
    }
}
