//! The principals that may assume a role.

use super::mistake::{Mistakes, Problem};
use super::validate::is_account_id;
use super::{Account, Role};
use crate::lab::partition::Partition;

/// A principal, or several, that may assume a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lab) enum Trust {
    Anyone,
    /// The principals of an account with the permission `sts:AssumeRole`.
    Account(String),
    /// A user or role, by ARN.
    Principal(String),
    /// An OpenID Connect provider, by ARN.
    OidcProvider(String),
    /// IAM Roles Anywhere, for the certificates of the account's trust anchors.
    RolesAnywhere,
}

/// The service principal of IAM Roles Anywhere.
pub(in crate::lab) const ROLES_ANYWHERE: &str = "rolesanywhere.amazonaws.com";

impl Trust {
    pub(super) fn parse(text: &str) -> Option<Trust> {
        match text {
            "*" => return Some(Trust::Anyone),
            ROLES_ANYWHERE => return Some(Trust::RolesAnywhere),
            _ if is_account_id(text) => return Some(Trust::Account(text.to_owned())),
            _ => {}
        }
        let [arn, partition, service, region, account, resource] =
            <[&str; 6]>::try_from(text.splitn(6, ':').collect::<Vec<_>>()).ok()?;
        let in_iam = arn == "arn" && Partition::parse(partition).is_some() && service == "iam" && region.is_empty();
        if !in_iam || !is_account_id(account) {
            return None;
        }
        match resource.split_once('/') {
            None if resource == "root" => Some(Trust::Account(account.to_owned())),
            Some(("user" | "role", _)) => Some(Trust::Principal(text.to_owned())),
            Some(("oidc-provider", _)) => Some(Trust::OidcProvider(text.to_owned())),
            _ => None,
        }
    }
}

/// Checks that trusted principals exist. AWS refuses a trust policy with an unknown principal too.
pub(super) fn check(accounts: &[Account], mistakes: &mut Mistakes) {
    for (a, account) in accounts.iter().enumerate() {
        for (r, role) in account.roles.iter().enumerate() {
            for (n, principal) in unknown(accounts, account, role) {
                let partition = account.partition.as_str();
                let problem = Problem::TrustUnknown { principal: principal.clone(), partition };
                mistakes.add(format!("accounts[{a}].roles[{r}].trusts[{n}]"), problem);
            }
        }
    }
}

fn unknown<'a>(
    accounts: &'a [Account],
    account: &'a Account,
    role: &'a Role,
) -> impl Iterator<Item = (usize, &'a String)> {
    let neighbours = move || accounts.iter().filter(|other| other.partition == account.partition);
    role.trusts.iter().enumerate().filter_map(move |(n, trust)| {
        let unknown = match trust {
            Trust::Anyone | Trust::RolesAnywhere => None,
            Trust::Account(id) => neighbours().all(|other| other.id != *id).then_some(id),
            Trust::Principal(arn) => neighbours()
                .flat_map(|other| {
                    let users = other.users.iter().map(|user| &user.identity);
                    users.chain(other.roles.iter().map(|role| &role.identity))
                })
                .all(|identity| identity.arn != *arn)
                .then_some(arn),
            // A role can be assumed with tokens of providers of its own account only.
            Trust::OidcProvider(arn) => account.oidc_providers.iter().all(|one| one.arn != *arn).then_some(arn),
        };
        unknown.map(|principal| (n, principal))
    })
}
