//! The principals of a KMS's account, for policies: IAM's users and roles, in AWS's own form.

use super::answer::Json;
use super::body::{Body, optional, required};
use super::error::Problem;
use super::guard::Authorized;
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;
use crate::service::Services;
use crate::service::access::SignedIn;
use crate::service::failure::invalid;
use crate::service::iam::{Principal, Principals, PrincipalsRequest};
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whose principals, and which.
#[derive(Deserialize, ToSchema)]
#[schema(as = IamRequest)]
pub struct IamBody {
    /// Name or id of the KMS.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "kms")]
    kms: Option<String>,
    /// Only those whose path begins so.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "/division/")]
    path_prefix: Option<String>,
    /// How many at most, 1 to 1000; AWS's own default if absent or 0.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = 100)]
    max_items: Option<i64>,
    /// The `Marker` of the answer before, to go on from there.
    #[serde(default, deserialize_with = "optional")]
    marker: Option<String>,
}

/// A page of users.
#[derive(Serialize, ToSchema)]
#[schema(as = IamUsers)]
#[serde(rename_all = "PascalCase")]
pub struct UsersView {
    /// They.
    users: Vec<UserView>,
    #[serde(flatten)]
    end: EndView,
}

/// A page of roles.
#[derive(Serialize, ToSchema)]
#[schema(as = IamRoles)]
#[serde(rename_all = "PascalCase")]
pub struct RolesView {
    /// They.
    roles: Vec<RoleView>,
    #[serde(flatten)]
    end: EndView,
}

/// Where a page ends.
#[derive(Serialize, ToSchema)]
#[schema(as = IamPageEnd)]
#[serde(rename_all = "PascalCase")]
pub struct EndView {
    /// Are there more?
    is_truncated: bool,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    marker: Option<String>,
}

/// A user of IAM's.
#[derive(Serialize, ToSchema)]
#[schema(as = IamUser)]
#[serde(rename_all = "PascalCase")]
pub struct UserView {
    /// Its path.
    path: String,
    /// Its name.
    user_name: String,
    /// IAM's id of it.
    user_id: String,
    /// Its ARN.
    arn: String,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    create_date: Option<String>,
}

/// A role of IAM's.
#[derive(Serialize, ToSchema)]
#[schema(as = IamRole)]
#[serde(rename_all = "PascalCase")]
pub struct RoleView {
    /// Its path.
    path: String,
    /// Its name.
    role_name: String,
    /// IAM's id of it.
    role_id: String,
    /// Its ARN.
    arn: String,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    create_date: Option<String>,
    /// What somebody said about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
}

/// `POST /v1/cckm/aws/get-iam-users`
pub async fn users(
    who: Authorized<SignedIn>,
    body: Body<IamBody>,
    services: Data<Services>,
) -> Result<Json<UsersView>, Problem> {
    let page = services.kms.iam_users(&who.permit, body.0.wanted()?).await?;
    Ok(Json(UsersView { end: EndView::of(&page), users: page.items.into_iter().map(UserView::of).collect() }))
}

/// `POST /v1/cckm/aws/get-iam-roles`
pub async fn roles(
    who: Authorized<SignedIn>,
    body: Body<IamBody>,
    services: Data<Services>,
) -> Result<Json<RolesView>, Problem> {
    let page = services.kms.iam_roles(&who.permit, body.0.wanted()?).await?;
    Ok(Json(RolesView { end: EndView::of(&page), roles: page.items.into_iter().map(RoleView::of).collect() }))
}

impl IamBody {
    fn wanted(self) -> Result<PrincipalsRequest, Refusal> {
        let limit = match self.max_items {
            // Clients that want no limit send 0.
            None | Some(0) => None,
            Some(items @ 1..=1000) => u16::try_from(items).ok(),
            Some(_) => return Err(invalid("max_items", "must be from 1 to 1000")),
        };
        if let Some(prefix) = &self.path_prefix {
            let fits = prefix.starts_with('/') && prefix.len() <= 512 && prefix.bytes().all(|b| b.is_ascii_graphic());
            if !fits {
                return Err(invalid("path_prefix", "must begin with `/`, such as `/division/`"));
            }
        }
        if self.marker.as_ref().is_some_and(|marker| marker.len() > 4096) {
            return Err(invalid("marker", "must be the `Marker` of an answer"));
        }
        let kms = required("kms", self.kms)?;
        Ok(PrincipalsRequest { kms, path_prefix: self.path_prefix, limit, marker: self.marker })
    }
}

impl EndView {
    fn of(page: &Principals) -> Self {
        Self { is_truncated: page.next.is_some(), marker: page.next.clone() }
    }
}

impl UserView {
    fn of(user: Principal) -> Self {
        Self {
            path: user.path,
            user_name: user.name,
            user_id: user.id,
            arn: user.arn.to_string(),
            create_date: text(user.created_at),
        }
    }
}

impl RoleView {
    fn of(role: Principal) -> Self {
        Self {
            path: role.path,
            role_name: role.name,
            role_id: role.id,
            arn: role.arn.to_string(),
            create_date: text(role.created_at),
            description: role.description,
        }
    }
}

fn text(at: Option<Time>) -> Option<String> {
    at.map(|at| at.to_string())
}
