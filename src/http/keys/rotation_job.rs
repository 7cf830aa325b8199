//! Putting keys under a schedule that rotates them, and taking them off it.

use super::view::KeyView;
use crate::domain::id::ScheduleId;
use crate::domain::key::event::{LOCAL, NATIVE, RotationJob};
use crate::domain::refusal::Refusal;
use crate::http::answer::Json;
use crate::http::body::{Body, one_of, optional, read_as, required};
use crate::http::error::Problem;
use crate::http::guard::OnKey;
use crate::service::Services;
use crate::service::access::RotateKey;
use crate::service::failure::invalid;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;

/// Which schedule rotates a key, and how.
#[derive(Deserialize, ToSchema)]
#[schema(as = RotationJobRequest)]
pub struct RotationJobBody {
    /// The id of the schedule.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "0b90f8de-8617-498d-ad63-ca18eb717ae7")]
    job_config_id: Option<String>,
    /// Where new material comes from: `native` (default), from AWS; `local`, from a new source key.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "native")]
    auto_rotate_key_source: Option<String>,
    /// The old key may not encrypt any more, for its own account.
    #[serde(default, deserialize_with = "optional")]
    auto_rotate_disable_encrypt: Option<bool>,
    /// The old key may not encrypt any more, for all accounts.
    #[serde(default, deserialize_with = "optional")]
    auto_rotate_disable_encrypt_on_all_accounts: Option<bool>,
}

/// `POST /v1/cckm/aws/keys/{id}/enable-rotation-job`
pub async fn enable(
    who: OnKey<RotateKey>,
    body: Body<RotationJobBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let job = body.0.job()?;
    Ok(Json(KeyView::of(services.keys.set_rotation_job(&who.permit, &who.context, Some(job)).await?)))
}

/// `POST /v1/cckm/aws/keys/{id}/disable-rotation-job`
pub async fn disable(who: OnKey<RotateKey>, services: Data<Services>) -> Result<Json<KeyView>, Problem> {
    Ok(Json(KeyView::of(services.keys.set_rotation_job(&who.permit, &who.context, None).await?)))
}

impl RotationJobBody {
    fn job(self) -> Result<RotationJob, Refusal> {
        // Some clients name the product where others name the tier.
        let words = [(NATIVE, NATIVE), (LOCAL, LOCAL), ("ciphertrust", LOCAL)];
        let source = self.auto_rotate_key_source.map(|text| one_of("auto_rotate_key_source", &text, &words));
        let job = RotationJob {
            schedule: read_as("job_config_id", &required("job_config_id", self.job_config_id)?, ScheduleId::parse)?,
            key_source: source.transpose()?.unwrap_or(NATIVE).to_owned(),
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
