//! The IAM users and roles of a KMS's account, for use in policies, in AWS's own format.

use super::answer::Json;
use super::body::{Body, optional, required};
use super::error::Problem;
use super::guard::Authorized;
use crate::domain::refusal::{Bounds, Refusal};
use crate::domain::time::Time;
use crate::service::Services;
use crate::service::access::SignedIn;
use crate::service::failure::{invalid, out_of_range};
use crate::service::iam::{Principal, Principals, PrincipalsRequest};
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The KMS whose account is read, and the page of it.
#[derive(Deserialize, ToSchema)]
#[schema(as = IamRequest)]
pub struct IamBody {
    /// The name or id of the KMS.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "kms")]
    kms: Option<String>,
    /// Only users or roles whose path begins with this prefix.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "/division/")]
    path_prefix: Option<String>,
    /// The largest number of rows, 1 to 1000; AWS's default if absent or 0.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = 100)]
    max_items: Option<i64>,
    /// The `Marker` of the previous page.
    #[serde(default, deserialize_with = "optional")]
    marker: Option<String>,
}

/// A page of users.
#[derive(Serialize, ToSchema)]
#[schema(as = IamUsers)]
#[serde(rename_all = "PascalCase")]
pub struct IamUsersView {
    /// The users on this page.
    users: Vec<IamUserView>,
    #[serde(flatten)]
    end: PageEndView,
}

/// A page of roles.
#[derive(Serialize, ToSchema)]
#[schema(as = IamRoles)]
#[serde(rename_all = "PascalCase")]
pub struct IamRolesView {
    /// The roles on this page.
    roles: Vec<IamRoleView>,
    #[serde(flatten)]
    end: PageEndView,
}

/// The end of a page.
#[derive(Serialize, ToSchema)]
#[schema(as = IamPageEnd)]
#[serde(rename_all = "PascalCase")]
pub struct PageEndView {
    /// Whether there are more pages.
    is_truncated: bool,
    /// The value of `marker` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    marker: Option<String>,
}

/// An IAM user.
#[derive(Serialize, ToSchema)]
#[schema(as = IamUser)]
#[serde(rename_all = "PascalCase")]
pub struct IamUserView {
    /// The path of the user.
    path: String,
    /// The name of the user.
    user_name: String,
    /// The id that IAM has given the user.
    user_id: String,
    /// The ARN of the user.
    arn: String,
    /// The time at which the user was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    create_date: Option<String>,
}

/// An IAM role.
#[derive(Serialize, ToSchema)]
#[schema(as = IamRole)]
#[serde(rename_all = "PascalCase")]
pub struct IamRoleView {
    /// The path of the role.
    path: String,
    /// The name of the role.
    role_name: String,
    /// The id that IAM has given the role.
    role_id: String,
    /// The ARN of the role.
    arn: String,
    /// The time at which the role was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    create_date: Option<String>,
    /// The description of the role.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
}

/// `POST /v1/cckm/aws/get-iam-users`
pub async fn users(
    auth: Authorized<SignedIn>,
    body: Body<IamBody>,
    services: Data<Services>,
) -> Result<Json<IamUsersView>, Problem> {
    let page = services.kms.iam_users(&auth.permit, body.0.wanted()?).await?;
    Ok(Json(IamUsersView { end: PageEndView::of(&page), users: page.items.into_iter().map(IamUserView::of).collect() }))
}

/// `POST /v1/cckm/aws/get-iam-roles`
pub async fn roles(
    auth: Authorized<SignedIn>,
    body: Body<IamBody>,
    services: Data<Services>,
) -> Result<Json<IamRolesView>, Problem> {
    let page = services.kms.iam_roles(&auth.permit, body.0.wanted()?).await?;
    Ok(Json(IamRolesView { end: PageEndView::of(&page), roles: page.items.into_iter().map(IamRoleView::of).collect() }))
}

impl IamBody {
    fn wanted(self) -> Result<PrincipalsRequest, Refusal> {
        let limit = match self.max_items {
            // Clients send 0 for "no limit".
            None | Some(0) => None,
            Some(items @ 1..=1000) => u16::try_from(items).ok(),
            Some(_) => return Err(out_of_range("max_items", Bounds::between(1, 1000), "must be from 1 to 1000")),
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

impl PageEndView {
    fn of(page: &Principals) -> Self {
        Self { is_truncated: page.next.is_some(), marker: page.next.clone() }
    }
}

impl IamUserView {
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

impl IamRoleView {
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
