//! Changes of keys at AWS. Each call is one operation, and answers with the key as AWS then has it.

use super::creation::described;
use super::policy::PolicyBody;
use super::view::KeyView;
use crate::domain::key::days::DeletionWindow;
use crate::domain::key::name::AliasName;
use crate::domain::key::operation::Operation;
use crate::domain::key::tag::{Tag, check_tag_key, check_tags};
use crate::domain::place::Region;
use crate::domain::refusal::Refusal;
use crate::http::answer::Json;
use crate::http::body::{Body, clearable, optional, read_as, required};
use crate::http::error::Problem;
use crate::http::guard::OnKey;
use crate::service::Services;
use crate::service::access::{CancelKeyDeletion, DeleteKey, KeyRight, UpdateKey};
use crate::service::failure::no_entries;
use actix_web::web::Data;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A new description for a key.
#[derive(Deserialize, ToSchema)]
#[schema(as = DescriptionRequest)]
pub struct DescriptionBody {
    /// The description; can be empty.
    #[serde(default, deserialize_with = "clearable")]
    description: Option<String>,
}

/// A new policy for a key.
#[derive(Deserialize, ToSchema)]
#[schema(as = KeyPolicyRequest)]
pub struct PolicyChangeBody {
    /// The policy, as a JSON object or as its text.
    #[serde(default, alias = "Policy", deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    policy: Option<Value>,
    #[serde(flatten)]
    choice: PolicyBody,
}

/// Tags to add.
#[derive(Deserialize, ToSchema)]
#[schema(as = AddTagsRequest)]
pub struct AddTagsBody {
    /// The tags to add, each with a key and a value.
    #[serde(default, deserialize_with = "optional")]
    tags: Option<Vec<TagBody>>,
}

/// A tag.
#[derive(Deserialize, ToSchema)]
#[schema(as = Tag)]
pub struct TagBody {
    /// The key of the tag.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "team")]
    tag_key: Option<String>,
    /// The value of the tag; can be empty.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(example = "payroll")]
    tag_value: Option<String>,
}

/// Tags to remove.
#[derive(Deserialize, ToSchema)]
#[schema(as = RemoveTagsRequest)]
pub struct RemoveTagsBody {
    /// The keys of the tags to remove.
    #[serde(default, deserialize_with = "optional")]
    tags: Option<Vec<String>>,
}

/// An alias.
#[derive(Deserialize, ToSchema)]
#[schema(as = AliasRequest)]
pub struct AliasBody {
    /// The alias, with or without the prefix `alias/`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "payroll")]
    alias: Option<String>,
}

/// The waiting period before AWS deletes a key.
#[derive(Deserialize, ToSchema)]
#[schema(as = DeletionRequest)]
pub struct DeletionBody {
    /// Days until AWS deletes the key, 7 to 30.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = 30)]
    days: Option<i64>,
}

/// The replica that becomes the primary key.
#[derive(Deserialize, ToSchema)]
#[schema(as = PrimaryRegionRequest)]
#[serde(rename_all = "PascalCase")]
pub struct PrimaryRegionBody {
    /// The region of the replica.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "eu-west-1")]
    primary_region: Option<String>,
}

/// `POST /v1/cckm/aws/keys/{id}/enable`
pub async fn enable(auth: OnKey<UpdateKey>, services: Data<Services>) -> Result<Json<KeyView>, Problem> {
    changed(auth, &services, Operation::Enable).await
}

/// `POST /v1/cckm/aws/keys/{id}/disable`
pub async fn disable(auth: OnKey<UpdateKey>, services: Data<Services>) -> Result<Json<KeyView>, Problem> {
    changed(auth, &services, Operation::Disable).await
}

/// `POST /v1/cckm/aws/keys/{id}/update-description`
pub async fn update_description(
    auth: OnKey<UpdateKey>,
    body: Body<DescriptionBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let to = described("description", required("description", body.0.description)?)?;
    changed(auth, &services, Operation::Describe { to }).await
}

/// `POST /v1/cckm/aws/keys/{id}/policy`
pub async fn policy(
    auth: OnKey<UpdateKey>,
    body: Body<PolicyChangeBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let choice = body.0.choice.choice("policy", body.0.policy)?;
    let wanted = services.keys.policy_for(auth.permit.key(), choice)?;
    changed(auth, &services, wanted).await
}

/// `POST /v1/cckm/aws/keys/{id}/add-tags`
pub async fn add_tags(
    auth: OnKey<UpdateKey>,
    body: Body<AddTagsBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let tags = non_empty("tags", body.0.tags)?.into_iter().map(tag).collect::<Result<Vec<_>, _>>()?;
    check_tags(&tags).map_err(|problem| problem.refusal("tags"))?;
    changed(auth, &services, Operation::Tag { tags }).await
}

/// `POST /v1/cckm/aws/keys/{id}/remove-tags`
pub async fn remove_tags(
    auth: OnKey<UpdateKey>,
    body: Body<RemoveTagsBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let keys = non_empty("tags", body.0.tags)?;
    for key in &keys {
        check_tag_key(key).map_err(|problem| problem.refusal("tags"))?;
    }
    changed(auth, &services, Operation::Untag { keys }).await
}

/// `POST /v1/cckm/aws/keys/{id}/add-alias`
pub async fn add_alias(
    auth: OnKey<UpdateKey>,
    body: Body<AliasBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let alias = alias(body.0)?;
    Ok(Json(KeyView::of(services.keys.add_alias(&auth.permit, &auth.context, alias).await?)))
}

/// `POST /v1/cckm/aws/keys/{id}/delete-alias`
pub async fn delete_alias(
    auth: OnKey<UpdateKey>,
    body: Body<AliasBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let alias = alias(body.0)?;
    Ok(Json(KeyView::of(services.keys.delete_alias(&auth.permit, &auth.context, alias).await?)))
}

/// `POST /v1/cckm/aws/keys/{id}/schedule-deletion`
pub async fn schedule_deletion(
    auth: OnKey<DeleteKey>,
    body: Body<DeletionBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let window = DeletionWindow::parse(required("days", body.0.days)?).map_err(|problem| problem.refusal("days"))?;
    changed(auth, &services, Operation::ScheduleDeletion { window }).await
}

/// `POST /v1/cckm/aws/keys/{id}/cancel-deletion`
pub async fn cancel_deletion(
    auth: OnKey<CancelKeyDeletion>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    changed(auth, &services, Operation::CancelDeletion).await
}

/// `POST /v1/cckm/aws/keys/{id}/update-primary-region`
pub async fn update_primary_region(
    auth: OnKey<UpdateKey>,
    body: Body<PrimaryRegionBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let to = read_as("PrimaryRegion", &required("PrimaryRegion", body.0.primary_region)?, Region::parse)?;
    Ok(Json(KeyView::of(services.keys.move_primary(&auth.permit, &auth.context, to).await?)))
}

pub(super) async fn changed<A: KeyRight>(
    auth: OnKey<A>,
    services: &Services,
    wanted: Operation,
) -> Result<Json<KeyView>, Problem> {
    Ok(Json(KeyView::of(services.keys.change(&auth.permit, &auth.context, wanted).await?)))
}

fn alias(body: AliasBody) -> Result<AliasName, Refusal> {
    read_as("alias", &required("alias", body.alias)?, AliasName::parse_own)
}

fn tag(body: TagBody) -> Result<Tag, Refusal> {
    let key = required("tags.tag_key", body.tag_key)?;
    Tag::parse(&key, &body.tag_value.unwrap_or_default()).map_err(|problem| problem.refusal("tags"))
}

/// The value of a mandatory list, which must not be empty.
fn non_empty<T>(member: &'static str, list: Option<Vec<T>>) -> Result<Vec<T>, Refusal> {
    match required(member, list)? {
        list if list.is_empty() => Err(no_entries(member)),
        list => Ok(list),
    }
}
