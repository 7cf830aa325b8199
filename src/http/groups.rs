//! Groups and their members.

use super::answer::{Created, Json, NoContent};
use super::body::{Body, clearable, optional, read_known_name, read_name, required};
use super::error::Problem;
use super::guard::Authorized;
use super::history::{InPath, at};
use super::json_object::{object_or_empty, read_object};
use super::paging::{self, List, Listing};
use super::users::{self, UserView};
use crate::domain::event::GroupMetadata;
use crate::domain::group::{Group, GroupPatch};
use crate::domain::name::GroupName;
use crate::domain::refusal::Refusal;
use crate::service::Services;
use crate::service::access::{ManageUsers, SignedIn};
use crate::service::failure::too_long;
use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// A group to create or change. A member that is absent keeps its value.
#[derive(Deserialize, ToSchema)]
#[schema(as = GroupRequest)]
pub struct GroupBody {
    /// The name of the group. Required for a new group; system groups keep theirs.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "key officers")]
    name: Option<String>,
    /// A description of the group.
    #[serde(default, deserialize_with = "clearable")]
    description: Option<String>,
    /// A JSON object for the use of applications.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    app_metadata: Option<Value>,
    /// A JSON object for the use of clients.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    client_metadata: Option<Value>,
    /// A JSON object for the use of users.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    user_metadata: Option<Value>,
}

/// A group.
#[derive(Serialize, ToSchema)]
#[schema(as = Group)]
pub struct GroupView {
    /// The name of the group.
    name: String,
    /// A description of the group.
    description: String,
    /// A JSON object for the use of applications.
    #[schema(value_type = Object)]
    app_metadata: Value,
    /// A JSON object for the use of clients.
    #[schema(value_type = Object)]
    client_metadata: Value,
    /// A JSON object for the use of users.
    #[schema(value_type = Object)]
    user_metadata: Value,
    /// The number of users in the group.
    users_count: u64,
    /// The time at which the group was created.
    #[schema(format = DateTime)]
    created_at: String,
    /// The time of the last change.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// `POST /v1/usermgmt/groups`
pub async fn create(
    auth: Authorized<ManageUsers>,
    body: Body<GroupBody>,
    services: Data<Services>,
) -> Result<Created<GroupView>, Problem> {
    let mut body = body.0;
    let name = read_name("name", &required("name", body.name.take())?, GroupName::parse)?;
    let group = services.groups.create(auth.permit, &auth.context, name, body.patch()?).await?;
    Ok(Created(GroupView::of(&group)))
}

/// `GET /v1/usermgmt/groups`
pub async fn list(
    auth: Authorized<SignedIn>,
    listing: Listing<Group>,
    services: Data<Services>,
) -> Result<List<GroupView>, Problem> {
    let page = services.groups.list(&auth.permit, &listing.0).await?;
    paging::answer(page, |group: &Arc<Group>| GroupView::of(group)).await
}

/// `GET /v1/usermgmt/groups/{name}`
pub async fn get(
    auth: Authorized<SignedIn>,
    name: Path<String>,
    services: Data<Services>,
) -> Result<Json<GroupView>, Problem> {
    let group = services.groups.get(&auth.permit, &group_name(&name)?)?;
    Ok(Json(GroupView::of(&group)))
}

/// `GET /v1/usermgmt/groups/{name}?at=<RFC 3339>`
pub async fn get_at(
    auth: Authorized<SignedIn>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<GroupView>, Problem> {
    let name = GroupName::of(&request, &auth.permit.caller().published.state)?;
    let group = services.histories.group(&auth.permit, &name, at(&request)?).await?;
    Ok(Json(GroupView::of(&group)))
}

/// `PATCH /v1/usermgmt/groups/{name}`
pub async fn update(
    auth: Authorized<ManageUsers>,
    name: Path<String>,
    body: Body<GroupBody>,
    services: Data<Services>,
) -> Result<Json<GroupView>, Problem> {
    let name = group_name(&name)?;
    let group = services.groups.update(auth.permit, &auth.context, name, body.0.patch()?).await?;
    Ok(Json(GroupView::of(&group)))
}

/// `DELETE /v1/usermgmt/groups/{name}`
pub async fn remove(
    auth: Authorized<ManageUsers>,
    name: Path<String>,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    services.groups.remove(auth.permit, &auth.context, group_name(&name)?).await?;
    Ok(NoContent)
}

/// `POST /v1/usermgmt/groups/{name}/users/{user_id}`
pub async fn add_member(
    auth: Authorized<ManageUsers>,
    path: Path<(String, String)>,
    services: Data<Services>,
) -> Result<Json<UserView>, Problem> {
    let (name, user) = (group_name(&path.0)?, users::user_id(&path.1)?);
    let user = services.groups.add_member(auth.permit, &auth.context, name, user).await?;
    Ok(Json(users::view(&services, &user)))
}

/// `DELETE /v1/usermgmt/groups/{name}/users/{user_id}`
pub async fn remove_member(
    auth: Authorized<ManageUsers>,
    path: Path<(String, String)>,
    services: Data<Services>,
) -> Result<NoContent, Problem> {
    let (name, user) = (group_name(&path.0)?, users::user_id(&path.1)?);
    services.groups.remove_member(auth.permit, &auth.context, name, user).await?;
    Ok(NoContent)
}

/// The name of a group in a path or a body.
pub fn group_name(text: &str) -> Result<GroupName, Refusal> {
    read_known_name("name", text, GroupName::parse)
}

impl GroupBody {
    fn patch(self) -> Result<GroupPatch, Refusal> {
        if self.description.as_ref().is_some_and(|text| text.chars().count() > 1024) {
            return Err(too_long("description", 1024));
        }
        Ok(GroupPatch {
            name: self.name.map(|name| group_name(&name)).transpose()?,
            description: self.description,
            metadata: GroupMetadata {
                app: read_object("app_metadata", self.app_metadata)?,
                client: read_object("client_metadata", self.client_metadata)?,
                user: read_object("user_metadata", self.user_metadata)?,
            },
        })
    }
}

impl GroupView {
    fn of(group: &Group) -> Self {
        Self {
            name: group.name.to_string(),
            description: group.description.clone(),
            app_metadata: object_or_empty(group.metadata.app.as_ref()),
            client_metadata: object_or_empty(group.metadata.client.as_ref()),
            user_metadata: object_or_empty(group.metadata.user.as_ref()),
            users_count: group.members,
            created_at: group.created.to_string(),
            updated_at: group.updated.to_string(),
        }
    }
}
