//! The names of users and groups, for those who permit actions on KMSs.

use super::error::Problem;
use super::guard::Authorized;
use super::paging::{Columns, List, Listing};
use crate::service::access::ManageKms;
use crate::service::list::Words;
use crate::service::principals::{self, PrincipalName};
use serde::Serialize;
use utoipa::ToSchema;

/// A user or a group to which actions can be permitted.
#[derive(Serialize, ToSchema)]
#[schema(as = AclPrincipal)]
pub struct PrincipalView {
    /// `user` or `group`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The id of a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_id: Option<String>,
    /// The name, which for a group is its id.
    name: String,
}

impl Columns for PrincipalName {
    const SORTS: &'static [&'static str] = principals::SORTS;
    const FILTERS: &'static [&'static str] = principals::FILTERS;
    const WORDS: Words = principals::WORDS;
}

/// `GET /v1/cckm/aws/principals`
pub async fn list(
    auth: Authorized<ManageKms>,
    listing: Listing<PrincipalName>,
) -> Result<List<PrincipalView>, Problem> {
    let found = principals::find(&auth.permit, &listing.0).await?;
    let (query, total) = (&listing.0, found.len());
    let rows = found.into_iter().skip(query.skip).take(query.limit.rows());
    let view = |row: PrincipalName| PrincipalView { kind: row.kind(), user_id: row.user, name: row.name };
    List::of(query, query.limit, total, rows.map(view))
}
