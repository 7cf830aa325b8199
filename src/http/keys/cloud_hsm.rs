//! Keys in CloudHSM key stores.

use super::creation::{AwsParamBody, described};
use super::policy::PolicyBody;
use super::protection::ProtectionBody;
use super::view::KeyView;
use crate::domain::refusal::Refusal;
use crate::http::answer::Created;
use crate::http::body::{BodyOrNone, optional};
use crate::http::error::Problem;
use crate::http::guard::OnKeyStore;
use crate::service::Services;
use crate::service::access::CreateCloudHsmKey;
use crate::service::keys::CloudHsmKeyRequest;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;

/// A key to create in a CloudHSM key store.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = CloudHsmKeyRequest)]
pub struct CloudHsmBody {
    /// The properties of the new key at AWS.
    #[serde(default, deserialize_with = "optional")]
    aws_param: Option<AwsParamBody>,
    #[serde(flatten)]
    policy: PolicyBody,
    #[serde(flatten)]
    protection: ProtectionBody,
}

/// `POST /v1/cckm/aws/custom-key-stores/{id}/create-aws-key`
pub async fn create(
    auth: OnKeyStore<CreateCloudHsmKey>,
    body: BodyOrNone<CloudHsmBody>,
    services: Data<Services>,
) -> Result<Created<KeyView>, Problem> {
    let seen = services.keys.create_in_store(&auth.permit, &auth.context, body.0.request()?).await?;
    Ok(Created(KeyView::of(seen)))
}

impl CloudHsmBody {
    fn request(self) -> Result<CloudHsmKeyRequest, Refusal> {
        self.protection.refuse()?;
        let mut aws = self.aws_param.unwrap_or_default();
        Ok(CloudHsmKeyRequest {
            aliases: aws.aliases()?,
            description: described("aws_param.Description", aws.take_description().unwrap_or_default())?,
            policy: self.policy.choice("aws_param.Policy", aws.take_policy())?,
            bypass_lockout_check: aws.bypasses_lockout_check(),
            tags: aws.tags()?,
        })
    }
}
