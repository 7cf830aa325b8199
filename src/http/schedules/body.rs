//! What clients say of schedules: bodies, and the settings that they come to.

use crate::domain::cron::Cron;
use crate::domain::name::ScheduleName;
use crate::domain::refusal::Refusal;
use crate::domain::schedule::{RotationPlan, Schedule, ScheduleSettings, SynchronizationPlan, Work};
use crate::domain::span::Span;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::http::body::{clearable, one_of, optional, read_as, required};
use crate::http::keys::material::moment;
use crate::service::failure::invalid;
use crate::service::schedules;
use serde::Deserialize;
use utoipa::ToSchema;

/// A schedule to make, or what is to change of one. Members that are not given are left as they are.
#[derive(Clone, Deserialize, ToSchema)]
#[schema(as = ScheduleRequest)]
pub struct ScheduleBody {
    /// Its name. A new schedule needs one; it cannot be changed.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "weekly rotation")]
    name: Option<String>,
    /// `cckm_key_rotation` or `cckm_synchronization`. A new schedule needs one; it cannot be changed.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "cckm_key_rotation")]
    operation: Option<String>,
    /// When it is due: five fields of cron (minute, hour, day of the month, month, day of the week), in UTC. A new
    /// schedule needs it.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "0 9 * * sat")]
    run_at: Option<String>,
    /// `any`, always.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "any")]
    run_on: Option<String>,
    /// What it is for.
    #[serde(default, deserialize_with = "clearable")]
    description: Option<String>,
    /// It is not due before this moment; the empty text: due from the beginning.
    #[serde(default, deserialize_with = "clearable")]
    start_date: Option<String>,
    /// It is not due after this moment; the empty text: due for ever.
    #[serde(default, deserialize_with = "clearable")]
    end_date: Option<String>,
    /// It is not due at all.
    #[serde(default, deserialize_with = "optional")]
    disabled: Option<bool>,
    /// How keys are rotated.
    #[serde(default, deserialize_with = "optional")]
    cckm_key_rotation_params: Option<RotationBody>,
    /// What is synchronised.
    #[serde(default, deserialize_with = "optional")]
    cckm_synchronization_params: Option<SynchronizationBody>,
}

/// How keys are rotated. The empty text takes a length of time away.
#[derive(Clone, Deserialize, Default, ToSchema)]
#[schema(as = KeyRotationParams)]
pub(super) struct RotationBody {
    /// `aws`, always.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "aws")]
    cloud_name: Option<String>,
    /// New material that comes from here lasts so long, such as `90d` or `12h`.
    #[serde(default, deserialize_with = "clearable")]
    expiration: Option<String>,
    /// Only keys whose material lasts no longer than so.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(example = "30d")]
    expire_in: Option<String>,
    /// Only keys that were made or rotated so long ago.
    #[serde(default, deserialize_with = "clearable")]
    rotation_after: Option<String>,
    /// What concerns AWS alone.
    #[serde(default, deserialize_with = "optional")]
    aws_param: Option<AwsRotationBody>,
}

/// How keys of AWS's are rotated.
#[derive(Clone, Deserialize, Default, ToSchema)]
#[schema(as = AwsKeyRotationParams)]
pub(super) struct AwsRotationBody {
    /// A key that is replaced keeps each alias with a time stamp behind it.
    #[serde(default, deserialize_with = "optional")]
    retain_alias: Option<bool>,
    /// The key stays, and gets new material; otherwise a new key takes its place.
    #[serde(default, deserialize_with = "optional")]
    rotate_material: Option<bool>,
}

/// What is synchronised.
#[derive(Clone, Deserialize, Default, ToSchema)]
#[schema(as = SynchronizationParams)]
pub(super) struct SynchronizationBody {
    /// `aws`, always.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "aws")]
    cloud_name: Option<String>,
    /// Names or ids of KMSs.
    #[serde(default, deserialize_with = "optional")]
    kms: Option<Vec<String>>,
    /// Every KMS; excludes `kms`.
    #[serde(default, deserialize_with = "optional")]
    synchronize_all: Option<bool>,
}

impl ScheduleBody {
    /// The name and the settings of a new schedule.
    pub fn request(mut self, state: &State) -> Result<(ScheduleName, ScheduleSettings), Refusal> {
        let name = read_as("name", &required("name", self.name.take())?, ScheduleName::parse)?;
        let rotates = one_of("operation", &required("operation", self.operation.take())?, OPERATIONS)?;
        let work = match rotates {
            true => Work::RotateKeys(RotationPlan::default()),
            // Which KMSs, the parameters must say.
            false => Work::Synchronize(SynchronizationPlan::Kms(Vec::new())),
        };
        let (run_at, description) = (required("run_at", self.run_at.take())?, String::new());
        let run_at = read_as("run_at", &run_at, Cron::parse)?;
        let blank = ScheduleSettings { description, run_at, start: None, end: None, disabled: false, work };
        Ok((name, self.settings(state, blank)?))
    }

    /// The settings that a schedule is to have.
    pub fn updated(self, state: &State, schedule: &Schedule) -> Result<ScheduleSettings, Refusal> {
        let differs = |given: &Option<String>, known: &str| given.as_ref().is_some_and(|given| given != known);
        if differs(&self.name, schedule.name.as_str()) {
            return Err(invalid("name", "the name of a schedule cannot be changed"));
        }
        if differs(&self.operation, schedule.settings.work.name()) {
            return Err(invalid("operation", "the operation of a schedule cannot be changed"));
        }
        self.settings(state, schedule.settings.clone())
    }

    /// The settings with what is given put in.
    fn settings(self, state: &State, now: ScheduleSettings) -> Result<ScheduleSettings, Refusal> {
        if let Some(run_on) = &self.run_on {
            one_of("run_on", run_on, &[("any", ())])?;
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > 1024) {
            return Err(invalid("description", "must not be longer than 1024 characters"));
        }
        let work = match (now.work, self.cckm_key_rotation_params, self.cckm_synchronization_params) {
            (Work::RotateKeys(plan), params, None) => Work::RotateKeys(params.unwrap_or_default().plan(plan)?),
            (Work::Synchronize(plan), None, params) => Work::Synchronize(params.unwrap_or_default().plan(state, plan)?),
            (Work::RotateKeys(_), _, Some(_)) => {
                return Err(invalid("cckm_synchronization_params", "does not go with the operation cckm_key_rotation"));
            }
            (Work::Synchronize(_), Some(_), _) => {
                return Err(invalid("cckm_key_rotation_params", "does not go with the operation cckm_synchronization"));
            }
        };
        Ok(ScheduleSettings {
            description: self.description.unwrap_or(now.description),
            run_at: self.run_at.map_or(Ok(now.run_at), |text| read_as("run_at", &text, Cron::parse))?,
            start: changed(self.start_date, now.start, |text| moment("start_date", text))?,
            end: changed(self.end_date, now.end, |text| moment("end_date", text))?,
            disabled: self.disabled.unwrap_or(now.disabled),
            work,
        })
    }
}

/// Is it the rotation of keys?
const OPERATIONS: &[(&str, bool)] = &[("cckm_key_rotation", true), ("cckm_synchronization", false)];

/// What a member that may be emptied comes to: absent, as now; empty, nothing; else what it says.
fn changed<T>(
    given: Option<String>,
    now: Option<T>,
    read: impl FnOnce(&str) -> Result<T, Refusal>,
) -> Result<Option<T>, Refusal> {
    match given.as_deref() {
        None => Ok(now),
        Some("") => Ok(None),
        Some(text) => read(text).map(Some),
    }
}

fn check_cloud(name: Option<&String>) -> Result<(), Refusal> {
    name.map_or(Ok(()), |name| one_of("cloud_name", name, &[("aws", ())]))
}

impl RotationBody {
    fn plan(self, now: RotationPlan) -> Result<RotationPlan, Refusal> {
        check_cloud(self.cloud_name.as_ref())?;
        let aws = self.aws_param.unwrap_or_default();
        let plan = RotationPlan {
            expiration: changed(self.expiration, now.expiration, |text| read_as("expiration", text, Span::parse))?,
            expire_in: changed(self.expire_in, now.expire_in, |text| read_as("expire_in", text, Span::parse))?,
            rotation_after: changed(self.rotation_after, now.rotation_after, |text| {
                read_as("rotation_after", text, Span::parse)
            })?,
            retain_alias: aws.retain_alias.unwrap_or(now.retain_alias),
            rotate_material: aws.rotate_material.unwrap_or(now.rotate_material),
        };
        let start = Time::from_nanos(0);
        if plan.expiration.is_some_and(|span| span.after(start) > start.plus_seconds(365 * 86_400)) {
            return Err(invalid("expiration", "must be no longer than 365 days, as AWS has it"));
        }
        Ok(plan)
    }
}

impl SynchronizationBody {
    fn plan(self, state: &State, now: SynchronizationPlan) -> Result<SynchronizationPlan, Refusal> {
        check_cloud(self.cloud_name.as_ref())?;
        let all = self.synchronize_all.unwrap_or(false);
        let plan = match self.kms.filter(|kms| !kms.is_empty()) {
            Some(_) if all => return Err(invalid("kms", "and synchronize_all exclude each other; give one of them")),
            Some(kms) => SynchronizationPlan::Kms(schedules::named_kms(state, &kms)?),
            None if all => SynchronizationPlan::All,
            None => now,
        };
        match plan {
            SynchronizationPlan::Kms(kms) if kms.is_empty() => {
                Err(invalid("cckm_synchronization_params.kms", "or synchronize_all must be given"))
            }
            plan => Ok(plan),
        }
    }
}
