//! New keys: create, upload, replicate.

use super::material::{ImportBody, import};
use super::policy::PolicyBody;
use super::view::KeyView;
use crate::domain::key::aws_enums::Origin;
use crate::domain::key::mark::{self, DESCRIPTION_MAX};
use crate::domain::key::name::AliasName;
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::key::tag::{Tag, check_tags};
use crate::domain::place::Region;
use crate::domain::refusal::{Bounds, Refusal};
use crate::http::answer::Created;
use crate::http::body::{Body, optional, read_as, required};
use crate::http::error::Problem;
use crate::http::guard::{Authorized, OnKey};
use crate::service::Services;
use crate::service::access::{CreateKey, SignedIn};
use crate::service::failure::{invalid, out_of_range};
use crate::service::keys::{KeyRequest, ReplicaRequest};
use actix_web::web::Data;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A key to create.
#[derive(Deserialize, ToSchema)]
#[schema(as = KeyRequest)]
pub struct CreateBody {
    /// The name or id of the KMS.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "kms")]
    kms: Option<String>,
    /// The region in which AWS creates the key.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "eu-west-3")]
    region: Option<String>,
    /// The properties of the new key at AWS.
    #[serde(default, deserialize_with = "optional")]
    aws_param: Option<AwsParamBody>,
    #[serde(flatten)]
    policy: PolicyBody,
    #[serde(flatten)]
    import: ImportBody,
}

/// The properties of a new key, under AWS's names.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = NewKey)]
#[serde(rename_all = "PascalCase")]
pub struct AwsParamBody {
    /// The alias of the key, with or without the prefix `alias/`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "payroll")]
    alias: Option<String>,
    /// Accept a policy under which nobody could change the policy of the key any more.
    #[serde(default, deserialize_with = "optional")]
    bypass_policy_lockout_safety_check: Option<bool>,
    /// An older name of `KeySpec`.
    #[serde(default, deserialize_with = "optional")]
    customer_master_key_spec: Option<String>,
    /// The spec of the key; default `SYMMETRIC_DEFAULT`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "SYMMETRIC_DEFAULT")]
    key_spec: Option<String>,
    /// The usage of the key; can be absent if the spec allows only one.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "ENCRYPT_DECRYPT")]
    key_usage: Option<String>,
    /// A description of the key.
    #[serde(default, deserialize_with = "optional")]
    description: Option<String>,
    /// Create a multi-region primary key, which can have replicas.
    #[serde(default, deserialize_with = "optional")]
    multi_region: Option<bool>,
    /// `AWS_KMS` (default) or `EXTERNAL`.
    #[serde(default, deserialize_with = "optional")]
    origin: Option<String>,
    /// The policy of the key, as a JSON object or as its text.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    policy: Option<Value>,
    /// The tags of the key.
    #[serde(default, deserialize_with = "optional")]
    tags: Option<Vec<AwsTag>>,
    /// The time at which uploaded material expires and AWS deletes it.
    #[serde(default, deserialize_with = "optional")]
    valid_to: Option<String>,
}

/// A tag, under AWS's names.
#[derive(Deserialize, ToSchema)]
#[schema(as = AwsTag)]
#[serde(rename_all = "PascalCase")]
pub struct AwsTag {
    /// The key of the tag.
    tag_key: String,
    /// The value of the tag.
    #[serde(default)]
    tag_value: String,
}

/// A replica to create.
#[derive(Deserialize, ToSchema)]
#[schema(as = ReplicateKeyRequest)]
pub struct ReplicateBody {
    /// The region in which AWS creates the replica.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "eu-west-1")]
    replica_region: Option<String>,
    /// The properties of the new key at AWS.
    #[serde(default, deserialize_with = "optional")]
    aws_param: Option<AwsParamBody>,
    #[serde(flatten)]
    policy: PolicyBody,
}

/// `POST /v1/cckm/aws/keys`
pub async fn create(
    auth: Authorized<SignedIn>,
    body: Body<CreateBody>,
    services: Data<Services>,
) -> Result<Created<KeyView>, Problem> {
    let (request, material) = body.0.request()?;
    // To ignore the source key would make a key with other material than the client asked for.
    if let Some(member) = material.asking() {
        return Err(invalid(member, "is for keys with the material of a source key: use upload-key").into());
    }
    let seen = services.keys.create(&auth.permit, &auth.context, request).await?;
    Ok(Created(KeyView::of(seen)))
}

/// `POST /v1/cckm/aws/upload-key`
pub async fn upload(
    auth: Authorized<SignedIn>,
    body: Body<CreateBody>,
    services: Data<Services>,
) -> Result<Created<KeyView>, Problem> {
    let (request, material) = body.0.request()?;
    let material = import(material)?;
    required("source_key_identifier", material.source.as_ref())?;
    let seen = services.keys.upload(&auth.permit, &auth.context, request, material).await?;
    Ok(Created(KeyView::of(seen)))
}

/// `POST /v1/cckm/aws/keys/{id}/replicate-key`
pub async fn replicate(
    auth: OnKey<CreateKey>,
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
        bypass_lockout_check: aws.bypasses_lockout_check(),
        tags: aws.tags()?,
    };
    let seen = services.keys.replicate(&auth.permit, &auth.context, request).await?;
    Ok(Created(KeyView::of(seen)))
}

impl CreateBody {
    /// The typed request, and the members of the body that concern imported material.
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
        let import = self.import.with_expiration(aws.valid_to.take());
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
            bypass_lockout_check: aws.bypasses_lockout_check(),
            tags: aws.tags()?,
        };
        Ok((request, import))
    }
}

impl AwsParamBody {
    /// Takes the description as it was given.
    pub(super) fn take_description(&mut self) -> Option<String> {
        self.description.take()
    }

    /// Takes the policy as it was given.
    pub(super) fn take_policy(&mut self) -> Option<Value> {
        self.policy.take()
    }

    /// Whether AWS is to accept a policy that would lock everybody out.
    pub(super) fn bypasses_lockout_check(&self) -> bool {
        self.bypass_policy_lockout_safety_check.unwrap_or(false)
    }

    /// The tags, if there are any in the body.
    pub(super) fn given_tags(&mut self) -> Result<Option<Vec<Tag>>, Refusal> {
        self.tags.is_some().then(|| self.tags()).transpose()
    }

    pub(super) fn aliases(&self) -> Result<Vec<AliasName>, Refusal> {
        let alias = self.alias.as_deref().map(|text| read_as("aws_param.Alias", text, AliasName::parse_own));
        Ok(alias.transpose()?.into_iter().collect())
    }

    pub(super) fn tags(&mut self) -> Result<Vec<Tag>, Refusal> {
        let tags = self.tags.take().unwrap_or_default();
        let tag =
            |tag: AwsTag| Tag::parse(&tag.tag_key, &tag.tag_value).map_err(|problem| problem.refusal("aws_param.Tags"));
        let tags = tags.into_iter().map(tag).collect::<Result<Vec<_>, _>>()?;
        check_tags(&tags).map_err(|problem| problem.refusal("aws_param.Tags"))?;
        Ok(tags)
    }
}

/// Checks that a description is not longer than AWS allows, and has no mark of an operation.
///
/// # Errors
/// [`Refusal`] otherwise.
pub fn described(member: &'static str, text: String) -> Result<String, Refusal> {
    if mark::of_description(&text).is_some() {
        return Err(invalid(member, "must not begin with `claviger:operation=`: Claviger finds keys by it"));
    }
    match text.chars().count() {
        0..=DESCRIPTION_MAX => Ok(text),
        length => {
            let problem = format!("must not be longer than {DESCRIPTION_MAX} characters, and has {length}");
            Err(out_of_range(member, Bounds::most(DESCRIPTION_MAX as u64), problem))
        }
    }
}
