//! What clients say of schedules: bodies, and the settings made from them.

use crate::domain::cron::Cron;
use crate::domain::name::ScheduleName;
use crate::domain::patch::Patch;
use crate::domain::refusal::Refusal;
use crate::domain::schedule::patch::{RotationPatch, SchedulePatch, SynchronizationPatch};
use crate::domain::schedule::{RotationPlan, ScheduleSettings, SynchronizationPlan, Work};
use crate::domain::span::Span;
use crate::http::body::{clearable, one_of, optional, read_as, required};
use crate::http::keys::material::moment;
use crate::service::failure::invalid;
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
    /// The name of a new schedule, what it must have, and the rest.
    pub(in crate::http) fn request(mut self) -> Result<(ScheduleName, ScheduleSettings, SchedulePatch), Refusal> {
        let name = read_as("name", &required("name", self.name.take())?, ScheduleName::parse)?;
        let rotates = one_of("operation", &required("operation", self.operation.take())?, OPERATIONS)?;
        let work = match rotates {
            true => Work::RotateKeys(RotationPlan::default()),
            // The parameters must name the KMSs.
            false => Work::Synchronize(SynchronizationPlan::Kms(Vec::new())),
        };
        let run_at = read_as("run_at", &required("run_at", self.run_at.take())?, Cron::parse)?;
        Ok((name, ScheduleSettings::new(run_at, work), self.patch()?))
    }

    pub(in crate::http) fn patch(self) -> Result<SchedulePatch, Refusal> {
        if let Some(run_on) = &self.run_on {
            one_of("run_on", run_on, &[("any", ())])?;
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > 1024) {
            return Err(invalid("description", "must not be longer than 1024 characters"));
        }
        Ok(SchedulePatch {
            name: self.name,
            operation: self.operation,
            description: self.description,
            run_at: self.run_at.map(|text| read_as("run_at", &text, Cron::parse)).transpose()?,
            start: clearing(self.start_date, |text| moment("start_date", text))?,
            end: clearing(self.end_date, |text| moment("end_date", text))?,
            disabled: self.disabled,
            rotation: self.cckm_key_rotation_params.map(RotationBody::patch).transpose()?,
            synchronization: self.cckm_synchronization_params.map(SynchronizationBody::patch).transpose()?,
        })
    }
}

/// Is it the rotation of keys?
const OPERATIONS: &[(&str, bool)] = &[("cckm_key_rotation", true), ("cckm_synchronization", false)];

/// Reads a member that the empty text takes away.
fn clearing<T>(given: Option<String>, read: impl FnOnce(&str) -> Result<T, Refusal>) -> Result<Patch<T>, Refusal> {
    match given.as_deref() {
        None => Ok(Patch::Keep),
        Some("") => Ok(Patch::Clear),
        Some(text) => read(text).map(Patch::Set),
    }
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
