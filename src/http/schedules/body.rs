//! Request bodies for schedules, and their conversion to typed values.

use crate::domain::cron::Cron;
use crate::domain::id::KmsId;
use crate::domain::name::{JSON_TEXT_MAX, JsonText, NAME_MAX, ScheduleName};
use crate::domain::patch::Patch;
use crate::domain::place::Region;
use crate::domain::refusal::Refusal;
use crate::domain::schedule::patch::{BackupPatch, RotationPatch, SchedulePatch, SynchronizationPatch, WatchPatch};
use crate::domain::schedule::{BackupPlan, RotationPlan, ScheduleSettings, SynchronizationPlan, WatchPlan, Work};
use crate::domain::span::Span;
use crate::domain::time::Time;
use crate::http::body::{clearable, one_of, optional, read_as, read_name, read_time, required};
use crate::service::failure::{invalid, too_long};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A schedule to create or change. A member that is absent keeps its value.
#[derive(Clone, Deserialize, ToSchema)]
#[schema(as = ScheduleRequest)]
pub struct ScheduleBody {
    /// The name of the schedule. Required for a new schedule; cannot be changed.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "weekly rotation")]
    name: Option<String>,
    /// `cckm_key_rotation`, `cckm_synchronization`, `cckm_xks_credential_rotation`, `cckm_drift_watch` or
    /// `database_backup`. Required for a new schedule; cannot be changed.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "cckm_key_rotation")]
    operation: Option<String>,
    /// The times of the runs: five fields of cron (minute, hour, day of the month, month, day of the week), in UTC.
    /// Required for a new schedule.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "0 9 * * sat")]
    run_at: Option<String>,
    /// The name of a node, or `any` (default). It is kept; runs are on this node.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "any")]
    run_on: Option<String>,
    /// A description of the schedule.
    #[serde(default, deserialize_with = "clearable")]
    description: Option<String>,
    /// The start of the period in which the schedule runs; an empty text removes it.
    #[serde(default, deserialize_with = "clearable")]
    start_date: Option<String>,
    /// The end of the period in which the schedule runs; an empty text removes it.
    #[serde(default, deserialize_with = "clearable")]
    end_date: Option<String>,
    /// Whether the schedule is disabled; a disabled schedule does not run.
    #[serde(default, deserialize_with = "optional")]
    disabled: Option<bool>,
    /// The parameters of `cckm_key_rotation`.
    #[serde(default, deserialize_with = "optional")]
    cckm_key_rotation_params: Option<RotationBody>,
    /// The parameters of `cckm_synchronization`.
    #[serde(default, deserialize_with = "optional")]
    cckm_synchronization_params: Option<SynchronizationBody>,
    /// The parameters of `cckm_drift_watch`.
    #[serde(default, deserialize_with = "optional")]
    cckm_drift_watch_params: Option<WatchBody>,
    /// The parameters of `cckm_xks_credential_rotation`.
    #[serde(default, deserialize_with = "optional")]
    cckm_xks_credential_rotation_params: Option<CredentialRotationBody>,
    /// The parameters of `database_backup`.
    #[serde(default, deserialize_with = "optional")]
    database_backup_params: Option<BackupParams>,
}

/// The parameters of a backup. What is not served is kept, and a run fails with a reason that names it.
#[derive(Clone, Deserialize, Default, ToSchema)]
#[schema(as = DatabaseBackupParams)]
pub struct BackupParams {
    /// A description of the backups.
    #[serde(default, deserialize_with = "clearable")]
    description: Option<String>,
    /// The id of a backup key. Not served: backups are encrypted for the recipients in the settings.
    #[serde(default, rename = "backupKey", alias = "backup_key", deserialize_with = "clearable")]
    backup_key: Option<String>,
    /// The id of a connection to another server. Not served.
    #[serde(default, deserialize_with = "clearable")]
    connection: Option<String>,
    /// `system` (default); `domain` is not served.
    #[serde(default, deserialize_with = "clearable")]
    scope: Option<String>,
    /// The number of backups of this schedule to keep; 0 for the setting `backup.keep`.
    #[serde(default, rename = "retentionCount", alias = "retention_count", deserialize_with = "optional")]
    retention_count: Option<u32>,
    /// Whether to send the backup to another server. Not served.
    #[serde(default, deserialize_with = "optional")]
    do_scp: Option<bool>,
    /// Whether the backup is for one HSM. Not served.
    #[serde(default, rename = "tiedToHSM", alias = "tied_to_hsm", deserialize_with = "optional")]
    tied_to_hsm: Option<bool>,
    /// A choice of resources. Not served: a backup has everything.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Vec<Object>>)]
    filters: Option<Vec<Value>>,
}

/// The parameters of a watch for changes that others make at AWS.
#[derive(Clone, Deserialize, Default, ToSchema)]
#[schema(as = DriftWatchParams)]
pub(super) struct WatchBody {
    /// Always `aws`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "aws")]
    cloud_name: Option<String>,
    /// The name or id of the KMS. Required for a new schedule.
    #[serde(default, deserialize_with = "optional")]
    kms: Option<String>,
    /// The CloudWatch log group to which a trail of the account delivers. Required for a new schedule.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "aws-cloudtrail-logs")]
    log_group: Option<String>,
    /// The region of the log group; without one, each region of the KMS has a log group of that name. An empty text
    /// removes it.
    #[serde(default, deserialize_with = "clearable")]
    log_group_region: Option<String>,
    /// How long before the end of the last run a run begins to read, 1 to 1440 minutes; default 60.
    #[serde(default, deserialize_with = "optional")]
    overlap_minutes: Option<u32>,
}

/// The parameters of a rotation of the credentials of key stores.
#[derive(Clone, Deserialize, Default, ToSchema)]
#[schema(as = XksCredentialRotationParams)]
pub(super) struct CredentialRotationBody {
    /// Always `aws`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "aws")]
    cloud_name: Option<String>,
}

/// The parameters of a rotation of keys. An empty text removes a duration.
#[derive(Clone, Deserialize, Default, ToSchema)]
#[schema(as = KeyRotationParams)]
pub(super) struct RotationBody {
    /// Always `aws`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "aws")]
    cloud_name: Option<String>,
    /// The time until new material from a source key expires, such as `90d` or `12h`.
    #[serde(default, deserialize_with = "clearable")]
    expiration: Option<String>,
    /// Rotate only keys whose material expires within this time.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(example = "30d")]
    expire_in: Option<String>,
    /// Rotate only keys whose creation or last rotation is at least this long ago.
    #[serde(default, deserialize_with = "clearable")]
    rotation_after: Option<String>,
    /// Parameters that are specific to AWS.
    #[serde(default, deserialize_with = "optional")]
    aws_param: Option<AwsRotationBody>,
}

/// The parameters of a rotation that are specific to AWS.
#[derive(Clone, Deserialize, Default, ToSchema)]
#[schema(as = AwsKeyRotationParams)]
pub(super) struct AwsRotationBody {
    /// Give a replaced key each of its aliases again, with a timestamp appended.
    #[serde(default, deserialize_with = "optional")]
    retain_alias: Option<bool>,
    /// Rotate the material of the key, instead of replacing the key by a new one.
    #[serde(default, deserialize_with = "optional")]
    rotate_material: Option<bool>,
}

/// The parameters of a synchronisation.
#[derive(Clone, Deserialize, Default, ToSchema)]
#[schema(as = SynchronizationParams)]
pub(super) struct SynchronizationBody {
    /// Always `aws`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "aws")]
    cloud_name: Option<String>,
    /// The names or ids of the KMSs to synchronise.
    #[serde(default, deserialize_with = "optional")]
    kms: Option<Vec<String>>,
    /// Synchronise all KMSs; not together with `kms`.
    #[serde(default, deserialize_with = "optional")]
    synchronize_all: Option<bool>,
}

impl ScheduleBody {
    /// The name of a new schedule, its required settings, and a patch with the other ones.
    pub(in crate::http) fn request(mut self) -> Result<(ScheduleName, ScheduleSettings, SchedulePatch), Refusal> {
        let name = read_name("name", &required("name", self.name.take())?, ScheduleName::parse)?;
        let work = one_of("operation", &required("operation", self.operation.take())?, OPERATIONS)?;
        let run_at = read_as("run_at", &required("run_at", self.run_at.take())?, Cron::parse)?;
        Ok((name, ScheduleSettings::new(run_at, work), self.patch()?))
    }

    pub(in crate::http) fn patch(self) -> Result<SchedulePatch, Refusal> {
        if self.run_on.as_ref().is_some_and(|text| text.chars().count() > NAME_MAX) {
            return Err(too_long("run_on", NAME_MAX));
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > 1024) {
            return Err(too_long("description", 1024));
        }
        Ok(SchedulePatch {
            name: self.name,
            operation: self.operation,
            description: self.description,
            run_at: self.run_at.map(|text| read_as("run_at", &text, Cron::parse)).transpose()?,
            run_on: self.run_on,
            start: date("start_date", self.start_date)?,
            end: date("end_date", self.end_date)?,
            disabled: self.disabled,
            rotation: self.cckm_key_rotation_params.map(RotationBody::patch).transpose()?,
            synchronization: self.cckm_synchronization_params.map(SynchronizationBody::patch).transpose()?,
            watch: self.cckm_drift_watch_params.map(WatchBody::patch).transpose()?,
            backup: self.database_backup_params.map(BackupParams::patch).transpose()?,
            has_credential_params: match self.cckm_xks_credential_rotation_params {
                Some(params) => check_cloud(params.cloud_name.as_ref()).map(|()| true)?,
                None => false,
            },
        })
    }
}

/// The work of the operations, before a patch.
const OPERATIONS: &[(&str, Work)] = &[
    (
        "cckm_key_rotation",
        Work::RotateKeys(RotationPlan {
            expiration: None,
            expire_in: None,
            rotation_after: None,
            retain_alias: false,
            rotate_material: false,
        }),
    ),
    // The patch must name the KMSs.
    ("cckm_synchronization", Work::Synchronize(SynchronizationPlan::Kms(Vec::new()))),
    ("cckm_xks_credential_rotation", Work::RotateCredentials),
    (
        "cckm_drift_watch",
        Work::WatchDrift(WatchPlan {
            // The patch must name the KMS and the log group.
            kms: KmsId::new(Uuid::nil()),
            log_group: String::new(),
            log_group_region: None,
            overlap_minutes: WatchPlan::DEFAULT_OVERLAP_MINUTES,
        }),
    ),
    (
        "database_backup",
        Work::BackUp(BackupPlan {
            description: String::new(),
            backup_key: String::new(),
            connection: String::new(),
            scope: String::new(),
            retention_count: 0,
            do_scp: false,
            tied_to_hsm: false,
            filters: None,
        }),
    ),
];

/// Reads a member that an empty text removes.
fn clearing<T>(given: Option<String>, read: impl FnOnce(&str) -> Result<T, Refusal>) -> Result<Patch<T>, Refusal> {
    match given.as_deref() {
        None => Ok(Patch::Keep),
        Some("") => Ok(Patch::Clear),
        Some(text) => read(text).map(Patch::Set),
    }
}

/// Reads a date that an empty text removes, and that Go's zero time leaves as it is.
pub(super) fn date(member: &'static str, given: Option<String>) -> Result<Patch<Time>, Refusal> {
    Ok(match clearing(given, |text| read_time(member, text))? {
        Patch::Keep | Patch::Set(None) => Patch::Keep,
        Patch::Clear => Patch::Clear,
        Patch::Set(Some(time)) => Patch::Set(time),
    })
}

fn check_cloud(name: Option<&String>) -> Result<(), Refusal> {
    name.map_or(Ok(()), |name| one_of("cloud_name", name, &[("aws", ())]))
}

impl RotationBody {
    fn patch(self) -> Result<RotationPatch, Refusal> {
        check_cloud(self.cloud_name.as_ref())?;
        let aws = self.aws_param.unwrap_or_default();
        let span = |member, given| clearing(given, |text| read_as(member, text, Span::parse));
        Ok(RotationPatch {
            expiration: span("expiration", self.expiration)?,
            expire_in: span("expire_in", self.expire_in)?,
            rotation_after: span("rotation_after", self.rotation_after)?,
            retain_alias: aws.retain_alias,
            rotate_material: aws.rotate_material,
        })
    }
}

impl WatchBody {
    fn patch(self) -> Result<WatchPatch, Refusal> {
        check_cloud(self.cloud_name.as_ref())?;
        if self.log_group.as_ref().is_some_and(|name| !is_log_group(name)) {
            let problem = "must be the name of a log group: 1 to 512 letters, digits and . - _ / #";
            return Err(invalid("cckm_drift_watch_params.log_group", problem));
        }
        let region = |text: &str| read_as("log_group_region", text, Region::parse);
        Ok(WatchPatch {
            kms: self.kms,
            log_group: self.log_group,
            log_group_region: clearing(self.log_group_region, region)?,
            overlap_minutes: self.overlap_minutes,
        })
    }
}

/// Whether AWS accepts the name of a log group.
fn is_log_group(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_/#".contains(c);
    (1..=512).contains(&name.len()) && name.chars().all(fits)
}

impl BackupParams {
    /// The plan of a backup that is made at once.
    pub(in crate::http) fn plan(self) -> Result<BackupPlan, Refusal> {
        Ok(BackupPlan::default().patched(self.patch()?))
    }

    fn patch(self) -> Result<BackupPatch, Refusal> {
        let texts = [
            ("description", &self.description, 1024),
            ("backupKey", &self.backup_key, NAME_MAX),
            ("connection", &self.connection, NAME_MAX),
        ];
        for (member, given, most) in texts {
            if given.as_ref().is_some_and(|text| text.chars().count() > most) {
                return Err(too_long(member, most));
            }
        }
        if let Some(scope) = &self.scope {
            one_of("scope", scope, &[("", ()), ("system", ()), ("domain", ())])?;
        }
        if self.filters.iter().flatten().any(|filter| !filter.is_object()) {
            return Err(invalid("filters", "must be a list of objects"));
        }
        let filters = self.filters.map(|filters| JsonText::of(&Value::Array(filters)));
        let filters = filters.transpose().map_err(|_| too_long("filters", JSON_TEXT_MAX))?;
        Ok(BackupPatch {
            description: self.description,
            backup_key: self.backup_key,
            connection: self.connection,
            scope: self.scope,
            retention_count: self.retention_count,
            do_scp: self.do_scp,
            tied_to_hsm: self.tied_to_hsm,
            filters,
        })
    }
}

impl SynchronizationBody {
    fn patch(self) -> Result<SynchronizationPatch, Refusal> {
        check_cloud(self.cloud_name.as_ref())?;
        match (self.kms.filter(|kms| !kms.is_empty()), self.synchronize_all.unwrap_or(false)) {
            (Some(_), true) => Err(invalid("kms", "and synchronize_all exclude each other; give one of them")),
            (Some(kms), false) => Ok(SynchronizationPatch::Kms(kms)),
            (None, true) => Ok(SynchronizationPatch::All),
            (None, false) => Ok(SynchronizationPatch::Keep),
        }
    }
}
