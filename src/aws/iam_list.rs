//! IAM's ListUsers and ListRoles.

use std::fmt::Display;

use chrono::DateTime;

use super::call::{AwsCall, Wire};
use super::fault::{Fault, RetryPolicy};
use super::operation::AwsOperation;
use super::page::Page;
use super::port::{IamListing, IamPrincipal};
use super::xml::Element;
use crate::domain::place::Arn;
use crate::domain::time::Time;

/// ListUsers: a page of the account's users.
pub(super) struct ListUsers(pub(super) IamListing);

/// ListRoles: a page of the account's roles.
pub(super) struct ListRoles(pub(super) IamListing);

impl AwsCall for ListUsers {
    type Answer = Page<IamPrincipal>;
    const OPERATION: AwsOperation = AwsOperation::LIST_USERS;
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Page<IamPrincipal>, Fault> {
        PrincipalKind::User.list(&self.0, wire).await
    }
}

impl AwsCall for ListRoles {
    type Answer = Page<IamPrincipal>;
    const OPERATION: AwsOperation = AwsOperation::LIST_ROLES;
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<Page<IamPrincipal>, Fault> {
        PrincipalKind::Role.list(&self.0, wire).await
    }
}

#[derive(Clone, Copy)]
enum PrincipalKind {
    User,
    Role,
}

impl PrincipalKind {
    async fn list(self, listing: &IamListing, wire: &Wire<'_>) -> Result<Page<IamPrincipal>, Fault> {
        self.parse(&wire.form(&self.parameters(listing)).await?)
    }

    const fn operation(self) -> AwsOperation {
        match self {
            Self::User => ListUsers::OPERATION,
            Self::Role => ListRoles::OPERATION,
        }
    }

    fn parameters(self, listing: &IamListing) -> Vec<(String, String)> {
        let mut parameters = vec![("Action", self.operation().name.to_owned()), ("Version", "2010-05-08".to_owned())];
        parameters.extend(listing.path_prefix.iter().map(|prefix| ("PathPrefix", prefix.clone())));
        parameters.extend(listing.paging.limit.iter().map(|limit| ("MaxItems", limit.to_string())));
        parameters.extend(listing.paging.marker.iter().map(|marker| ("Marker", marker.as_str().to_owned())));
        parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn parse(self, body: &[u8]) -> Result<Page<IamPrincipal>, Fault> {
        let (result, list, name, id) = match self {
            Self::User => ("ListUsersResult", "Users", "UserName", "UserId"),
            Self::Role => ("ListRolesResult", "Roles", "RoleName", "RoleId"),
        };
        let root = Element::parse(body).map_err(unintelligible)?;
        let result = root.child(result).ok_or_else(|| unintelligible(format!("`{}` is not a list", root.name())))?;
        let members = result.child(list).into_iter().flat_map(|members| members.children("member"));
        let items = members.map(|member| {
            let text = |name| member.child_text(name).unwrap_or_default().to_owned();
            let created = DateTime::parse_from_rfc3339(&text("CreateDate"));
            Ok(IamPrincipal {
                path: text("Path"),
                name: text(name),
                id: text(id),
                arn: Arn::parse(&text("Arn")).map_err(unintelligible)?,
                created_at: created.ok().map(|moment| Time::of(moment.to_utc())),
                description: member.child_text("Description").map(str::to_owned),
            })
        });
        let truncated = result.child_text("IsTruncated").map(|word| word == "true");
        let marker = result.child_text("Marker").map(str::to_owned);
        Page::of(items.collect::<Result<_, Fault>>()?, truncated, marker)
    }
}

fn unintelligible(error: impl Display) -> Fault {
    Fault::Unintelligible(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::page::{Marker, Paging};

    #[test]
    fn a_listing_sends_prefix_limit_and_marker() {
        let paging = Paging { marker: Some(Marker::new("m/1")), limit: Some(7) };
        let listing = IamListing { path_prefix: Some("/ops/".to_owned()), paging };
        let said: Vec<String> =
            PrincipalKind::Role.parameters(&listing).iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(said, ["Action=ListRoles", "Version=2010-05-08", "PathPrefix=/ops/", "MaxItems=7", "Marker=m/1"]);
    }

    #[test]
    fn users_and_roles_are_read_from_their_pages() {
        let users = "<ListUsersResponse><ListUsersResult><Users><member><Path>/ops/</Path><UserName>ann</UserName>\
                     <UserId>AIDA1</UserId><Arn>arn:aws:iam::123456789012:user/ops/ann</Arn>\
                     <CreateDate>2026-01-02T03:04:05Z</CreateDate></member></Users><IsTruncated>true</IsTruncated>\
                     <Marker>m2</Marker></ListUsersResult></ListUsersResponse>";
        let page = PrincipalKind::User.parse(users.as_bytes()).expect("a page");
        assert_eq!(page.next, Some(Marker::new("m2")));
        let ann = &page.items[0];
        assert_eq!((ann.path.as_str(), ann.name.as_str(), ann.id.as_str()), ("/ops/", "ann", "AIDA1"));
        assert_eq!(ann.created_at.expect("it is there").to_string(), "2026-01-02T03:04:05Z");
        let roles = "<ListRolesResponse><ListRolesResult><Roles><member><Path>/</Path><RoleName>r</RoleName>\
                     <RoleId>AROA1</RoleId><Arn>arn:aws:iam::123456789012:role/r</Arn><Description>d</Description>\
                     </member></Roles><IsTruncated>false</IsTruncated></ListRolesResult></ListRolesResponse>";
        let page = PrincipalKind::Role.parse(roles.as_bytes()).expect("a page");
        assert_eq!((page.items[0].description.as_deref(), page.next), (Some("d"), None));
        assert!(PrincipalKind::User.parse(roles.as_bytes()).is_err() && PrincipalKind::Role.parse(b"<html/>").is_err());
    }
}
