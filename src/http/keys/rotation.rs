//! Rotation of keys: replacement by a new key, new material in the same key, AWS's automatic rotation, and rotation by
//! a schedule.

use super::change::changed;
use super::creation::described;
use super::material::{ImportBody, import};
use super::view::KeyView;
use crate::domain::id::{ScheduleId, SourceKeyId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::days::RotationPeriod;
use crate::domain::key::event::{LOCAL, NATIVE, RotationJob};
use crate::domain::key::metadata::RotationStatus;
use crate::domain::key::operation::{EncryptFor, Operation, RetiredKey};
use crate::domain::refusal::{KeyRefusal, Refusal};
use crate::http::answer::Json;
use crate::http::body::{Body, BodyOrNone, one_of, optional, read_as, required};
use crate::http::error::Problem;
use crate::http::guard::OnKey;
use crate::service::Services;
use crate::service::access::{RotateKey, UpdateKey, ViewKey};
use crate::service::failure::invalid;
use crate::service::keys::{ImportRequest, MaterialRotation, RotationRequest};
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The options for the replacement of a key by a new one.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = RotateKeyRequest)]
pub struct RotateBody {
    /// The description of the new key; default: that of the old key.
    #[serde(default, deserialize_with = "optional")]
    description: Option<String>,
    /// Deny encryption with the old key to principals of its own account.
    #[serde(default, deserialize_with = "optional")]
    disable_encrypt: Option<bool>,
    /// Deny encryption with the old key to principals of all accounts.
    #[serde(default, deserialize_with = "optional")]
    disable_encrypt_on_all_accounts: Option<bool>,
    /// Give the old key each of its aliases again, with a timestamp appended.
    #[serde(default, deserialize_with = "optional")]
    retain_alias: Option<bool>,
    #[serde(flatten)]
    import: ImportBody,
}

/// The period of AWS's automatic rotation.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = AutoRotationRequest)]
pub struct AutoRotationBody {
    /// The rotation period in days, 90 to 2560; AWS's default if absent.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = 365)]
    rotation_period_in_days: Option<i64>,
}

/// The schedule that rotates a key, and the options of the rotation.
#[derive(Deserialize, ToSchema)]
#[schema(as = RotationJobRequest)]
pub struct RotationJobBody {
    /// The id of the schedule.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "0b90f8de-8617-498d-ad63-ca18eb717ae7")]
    job_config_id: Option<String>,
    /// The source of new material: `native` for AWS, `local` or `ciphertrust` for a new source key. The default is
    /// `local` for a key with imported material, else `native`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "native")]
    auto_rotate_key_source: Option<String>,
    /// Deny encryption with the old key to principals of its own account.
    #[serde(default, deserialize_with = "optional")]
    auto_rotate_disable_encrypt: Option<bool>,
    /// Deny encryption with the old key to principals of all accounts.
    #[serde(default, deserialize_with = "optional")]
    auto_rotate_disable_encrypt_on_all_accounts: Option<bool>,
}

/// The state of AWS's automatic rotation of a key.
#[derive(Serialize, ToSchema)]
#[schema(as = RotationStatus)]
#[serde(rename_all = "PascalCase")]
pub struct RotationStatusView {
    /// The id of the key at AWS.
    key_id: String,
    /// Whether automatic rotation is enabled.
    key_rotation_enabled: bool,
    /// The date of the next rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_rotation_date: Option<String>,
    /// The start of a pending on-demand rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    on_demand_rotation_start_date: Option<String>,
    /// The rotation period in days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rotation_period_in_days: Option<u16>,
}

/// The state of the last rotation of a key's material.
#[derive(Serialize, ToSchema)]
#[schema(as = MaterialRotationStatus)]
pub struct MaterialRotationView {
    /// `success`, `failed` or `in_progress`.
    overall_status: &'static str,
    /// The reason of a failure, or empty.
    error_details: String,
}

/// `POST /v1/cckm/aws/keys/{id}/rotate`
pub async fn rotate(
    auth: OnKey<RotateKey>,
    body: BodyOrNone<RotateBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let body = body.0;
    if auth.permit.key().hyok.is_some() {
        let source = body.hyok_source()?;
        return Ok(Json(KeyView::of(services.keys.rotate_hyok(&auth.permit, &auth.context, source).await?)));
    }
    let disable_encrypt = match (body.disable_encrypt, body.disable_encrypt_on_all_accounts) {
        (Some(true), Some(true)) => {
            return Err(invalid("disable_encrypt", "excludes disable_encrypt_on_all_accounts; give one of them").into());
        }
        (Some(true), _) => Some(EncryptFor::OwnAccount),
        (_, Some(true)) => Some(EncryptFor::AllAccounts),
        _ => None,
    };
    let request = RotationRequest {
        description: body.description.map(|text| described("description", text)).transpose()?,
        import: asked(body.import)?,
        old: RetiredKey { retain_alias: body.retain_alias.unwrap_or(false), disable_encrypt },
    };
    let seen = services.keys.rotate(&auth.permit, &auth.context, request).await?;
    Ok(Json(KeyView::of(seen)))
}

impl RotateBody {
    /// The source key of the next version of a HYOK key, which takes no other member.
    fn hyok_source(&self) -> Result<Option<SourceKeyId>, Problem> {
        let other = [
            ("description", self.description.is_some()),
            ("disable_encrypt", self.disable_encrypt == Some(true)),
            ("disable_encrypt_on_all_accounts", self.disable_encrypt_on_all_accounts == Some(true)),
            ("retain_alias", self.retain_alias == Some(true)),
        ];
        let given = other.into_iter().find(|(_, given)| *given).map(|(member, _)| member);
        let source = match (given, self.import.only_source()) {
            (Some(member), _) | (None, Err(member)) => {
                return Err(Refusal::from(KeyRefusal::HyokRotation).of(member).into());
            }
            (None, Ok(source)) => source,
        };
        Ok(source.map(|text| read_as("source_key_id", text, SourceKeyId::parse)).transpose()?)
    }
}

/// `POST /v1/cckm/aws/keys/{id}/rotate-material`
pub async fn rotate_material(
    auth: OnKey<RotateKey>,
    body: BodyOrNone<ImportBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let import = asked(body.0)?;
    Ok(Json(KeyView::of(services.keys.rotate_material(&auth.permit, &auth.context, import).await?)))
}

/// `GET /v1/cckm/aws/keys/{id}/rotate-material/status`
pub async fn material_rotation_status(
    auth: OnKey<ViewKey>,
    services: Data<Services>,
) -> Result<Json<MaterialRotationView>, Problem> {
    Ok(Json(match services.keys.material_rotation(&auth.permit).await? {
        MaterialRotation::InProgress => MaterialRotationView::of("in_progress", String::new()),
        MaterialRotation::Done => MaterialRotationView::of("success", String::new()),
        MaterialRotation::Failed(reason) => MaterialRotationView::of("failed", reason),
    }))
}

/// `POST /v1/cckm/aws/keys/{id}/enable-auto-rotation`
pub async fn enable_auto_rotation(
    auth: OnKey<UpdateKey>,
    body: BodyOrNone<AutoRotationBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    // Clients send 0 for a period that their user left out.
    let period = body.0.rotation_period_in_days.filter(|days| *days != 0).map(RotationPeriod::parse).transpose();
    let period = period.map_err(|problem| problem.refusal("rotation_period_in_days"))?;
    changed(auth, &services, Operation::EnableRotation { period }).await
}

/// `POST /v1/cckm/aws/keys/{id}/disable-auto-rotation`
pub async fn disable_auto_rotation(auth: OnKey<UpdateKey>, services: Data<Services>) -> Result<Json<KeyView>, Problem> {
    changed(auth, &services, Operation::DisableRotation).await
}

/// `POST /v1/cckm/aws/keys/{id}/get-key-rotation-status`
pub async fn rotation_status(
    auth: OnKey<ViewKey>,
    services: Data<Services>,
) -> Result<Json<RotationStatusView>, Problem> {
    let status = services.keys.rotation_status(&auth.permit).await?;
    Ok(Json(RotationStatusView::of(auth.permit.key(), &status)))
}

/// `POST /v1/cckm/aws/keys/{id}/enable-rotation-job`
pub async fn enable_job(
    auth: OnKey<RotateKey>,
    body: Body<RotationJobBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let job = body.0.job(auth.permit.key())?;
    Ok(Json(KeyView::of(services.keys.set_rotation_job(&auth.permit, &auth.context, Some(job)).await?)))
}

/// `POST /v1/cckm/aws/keys/{id}/disable-rotation-job`
pub async fn disable_job(auth: OnKey<RotateKey>, services: Data<Services>) -> Result<Json<KeyView>, Problem> {
    Ok(Json(KeyView::of(services.keys.set_rotation_job(&auth.permit, &auth.context, None).await?)))
}

/// The import that a body asks for, if it asks for one.
fn asked(body: ImportBody) -> Result<Option<ImportRequest>, Refusal> {
    body.asking().is_some().then(|| import(body)).transpose()
}

impl MaterialRotationView {
    fn of(overall_status: &'static str, error_details: String) -> Self {
        Self { overall_status, error_details }
    }
}

impl RotationJobBody {
    fn job(self, key: &Key) -> Result<RotationJob, Refusal> {
        // Some clients give the name of the vendor's product instead of the tier, and compare the answer with it.
        let words = [NATIVE, LOCAL, "ciphertrust"].map(|word| (word, word));
        let source = self.auto_rotate_key_source.map(|text| one_of("auto_rotate_key_source", &text, &words));
        let job = RotationJob {
            schedule: read_as("job_config_id", &required("job_config_id", self.job_config_id)?, ScheduleId::parse)?,
            key_source: source.transpose()?.unwrap_or(key.default_key_source()).to_owned(),
            disable_encrypt: self.auto_rotate_disable_encrypt.unwrap_or(false),
            disable_encrypt_on_all_accounts: self.auto_rotate_disable_encrypt_on_all_accounts.unwrap_or(false),
        };
        if job.disable_encrypt && job.disable_encrypt_on_all_accounts {
            let problem = "excludes auto_rotate_disable_encrypt_on_all_accounts; give one of them";
            return Err(invalid("auto_rotate_disable_encrypt", problem));
        }
        Ok(job)
    }
}

impl RotationStatusView {
    fn of(key: &Key, status: &RotationStatus) -> Self {
        Self {
            key_id: key.aws_id().as_str().to_owned(),
            key_rotation_enabled: status.enabled,
            next_rotation_date: status.next.map(|at| at.to_string()),
            on_demand_rotation_start_date: status.on_demand_started.map(|at| at.to_string()),
            rotation_period_in_days: status.period.map(|period| period.days()),
        }
    }
}
