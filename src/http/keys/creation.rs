//! Making keys: creating, uploading, replicating.

use super::material::{ImportBody, import};
use super::policy::PolicyBody;
use super::view::KeyView;
use crate::domain::key::aws_enums::Origin;
use crate::domain::key::name::AliasName;
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::key::tag::{Tag, check_tags};
use crate::domain::place::Region;
use crate::domain::refusal::Refusal;
use crate::http::answer::Created;
use crate::http::body::{Body, optional, read_as, required};
use crate::http::error::Problem;
use crate::http::guard::{Authorized, OnKey};
use crate::service::Services;
use crate::service::access::{CreateKey, SignedIn};
use crate::service::failure::invalid;
use crate::service::keys::{KeyRequest, ReplicaRequest};
use actix_web::web::Data;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A key that is to be made.
#[derive(Deserialize, ToSchema)]
#[schema(as = KeyRequest)]
pub struct CreateBody {
    /// Name or id of the KMS.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "kms")]
    kms: Option<String>,
    /// In which region.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "eu-west-3")]
    region: Option<String>,
    /// What AWS is to make.
    #[serde(default, deserialize_with = "optional")]
    aws_param: Option<AwsParam>,
    #[serde(flatten)]
    policy: PolicyBody,
    #[serde(flatten)]
    import: ImportBody,
}

/// What AWS is to make, in AWS's words.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = NewKey)]
#[serde(rename_all = "PascalCase")]
pub struct AwsParam {
    /// Its alias, with or without `alias/`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "payroll")]
    alias: Option<String>,
    /// Accept a policy that locks everybody out?
    #[serde(default, deserialize_with = "optional")]
    bypass_policy_lockout_safety_check: Option<bool>,
    /// Older name of `KeySpec`.
    #[serde(default, deserialize_with = "optional")]
    customer_master_key_spec: Option<String>,
    /// Its spec; `SYMMETRIC_DEFAULT` if absent.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "SYMMETRIC_DEFAULT")]
    key_spec: Option<String>,
    /// What it is for; may be absent where its spec leaves no choice.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "ENCRYPT_DECRYPT")]
    key_usage: Option<String>,
    /// Its description.
    #[serde(default, deserialize_with = "optional")]
    description: Option<String>,
    /// May it have replicas?
    #[serde(default, deserialize_with = "optional")]
    multi_region: Option<bool>,
    /// `AWS_KMS` (default) or `EXTERNAL`.
    #[serde(default, deserialize_with = "optional")]
    origin: Option<String>,
    /// Its policy, as an object or as text.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    policy: Option<Value>,
    /// Its tags.
    #[serde(default, deserialize_with = "optional")]
    tags: Option<Vec<AwsTag>>,
    /// When AWS is to forget uploaded material.
    #[serde(default, deserialize_with = "optional")]
    valid_to: Option<String>,
}

/// A tag, in AWS's words.
#[derive(Deserialize, ToSchema)]
#[schema(as = AwsTag)]
#[serde(rename_all = "PascalCase")]
pub struct AwsTag {
    /// Its key.
    tag_key: String,
    /// Its value.
    #[serde(default)]
    tag_value: String,
}

/// A replica that is to be made.
#[derive(Deserialize, ToSchema)]
#[schema(as = ReplicateKeyRequest)]
pub struct ReplicateBody {
    /// In which region.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "eu-west-1")]
    replica_region: Option<String>,
    /// What AWS is to make.
    #[serde(default, deserialize_with = "optional")]
    aws_param: Option<AwsParam>,
    #[serde(flatten)]
    policy: PolicyBody,
}

/// `POST /v1/cckm/aws/keys`
pub async fn create(
    who: Authorized<SignedIn>,
    body: Body<CreateBody>,
    services: Data<Services>,
) -> Result<Created<KeyView>, Problem> {
    let (request, _) = body.0.request()?;
    let seen = services.keys.create(&who.permit, &who.context, request).await?;
    Ok(Created(KeyView::of(seen)))
}

/// `POST /v1/cckm/aws/upload-key`
pub async fn upload(
    who: Authorized<SignedIn>,
    body: Body<CreateBody>,
    services: Data<Services>,
) -> Result<Created<KeyView>, Problem> {
    let (request, material) = body.0.request()?;
    let material = import(material, "source_key_identifier")?;
    let seen = services.keys.upload(&who.permit, &who.context, request, material).await?;
    Ok(Created(KeyView::of(seen)))
}

/// `POST /v1/cckm/aws/keys/{id}/replicate-key`
pub async fn replicate(
    who: OnKey<CreateKey>,
    body: Body<ReplicateBody>,
    services: Data<Services>,
) -> Result<Created<KeyView>, Problem> {
    let ReplicateBody { replica_region, aws_param, policy } = body.0;
    let mut aws = aws_param.unwrap_or_default();
    let request = ReplicaRequest {
        region: read_as("replica_region", &required("replica_region", replica_region)?, Region::parse)?,
        aliases: aws.aliases()?,
        description: aws.description.take().map(|text| described("aws_param.Description", text)).transpose()?,
        policy: policy.choice("aws_param.Policy", aws.policy.take())?,
        bypass_lockout_check: aws.bypass_policy_lockout_safety_check.unwrap_or(false),
        tags: aws.tags()?,
    };
    let seen = services.keys.replicate(&who.permit, &who.context, request).await?;
    Ok(Created(KeyView::of(seen)))
}

impl CreateBody {
    /// What is wished, and the material that may come with it.
    fn request(self) -> Result<(KeyRequest, ImportBody), Refusal> {
        let kms = required("kms", self.kms)?;
        let region = read_as("region", &required("region", self.region)?, Region::parse)?;
        let mut aws = self.aws_param.unwrap_or_default();
        let spec = aws.key_spec.take().or(aws.customer_master_key_spec.take());
        let spec = spec.map(|text| read_as("aws_param.KeySpec", &text, KeySpec::parse_known)).transpose()?;
        let usage = aws.key_usage.take();
        let usage = usage.map(|text| read_as("aws_param.KeyUsage", &text, KeyUsage::parse_known)).transpose()?;
        let origin = aws.origin.take();
        let origin = origin.map(|text| read_as("aws_param.Origin", &text, Origin::parse_known)).transpose()?;
        let description = described("aws_param.Description", aws.description.take().unwrap_or_default())?;
        let import = self.import.with_end(aws.valid_to.take());
        let request = KeyRequest {
            kms,
            region,
            aliases: aws.aliases()?,
            spec,
            usage,
            origin: origin.unwrap_or(Origin::AwsKms),
            description,
            multi_region: aws.multi_region.unwrap_or(false),
            policy: self.policy.choice("aws_param.Policy", aws.policy.take())?,
            bypass_lockout_check: aws.bypass_policy_lockout_safety_check.unwrap_or(false),
            tags: aws.tags()?,
        };
        Ok((request, import))
    }
}

impl AwsParam {
    fn aliases(&self) -> Result<Vec<AliasName>, Refusal> {
        let alias = self.alias.as_deref().map(|text| read_as("aws_param.Alias", text, AliasName::parse_own));
        Ok(alias.transpose()?.into_iter().collect())
    }

    fn tags(&mut self) -> Result<Vec<Tag>, Refusal> {
        let tags = self.tags.take().unwrap_or_default();
        let tag = |tag: AwsTag| {
            Tag::parse(&tag.tag_key, &tag.tag_value).map_err(|problem| invalid("aws_param.Tags", problem))
        };
        let tags = tags.into_iter().map(tag).collect::<Result<Vec<_>, _>>()?;
        check_tags(&tags).map_err(|problem| invalid("aws_param.Tags", problem))?;
        Ok(tags)
    }
}

/// A description that AWS takes.
///
/// # Errors
/// When it is longer.
pub fn described(member: &'static str, text: String) -> Result<String, Refusal> {
    match text.chars().count() {
        0..=8192 => Ok(text),
        length => Err(invalid(member, format!("must not be longer than 8192 characters, and has {length}"))),
    }
}
