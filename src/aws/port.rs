//! What the services need of AWS, in domain terms.
//!
//! The services hold an `Arc<dyn Aws>`; `rusoto.rs` is the real one, `scripted.rs` the one for tests. Every call has a
//! deadline of its own and repeats only what is safe to repeat, so that a caller needs neither.

use std::fmt;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::failure::AwsFailure;
use super::page::{Page, Paging};
use crate::domain::connection::StsEndpoints;
use crate::domain::place::{AccountId, Arn, ExternalId, Partition, Region, RoleArn};
use crate::domain::time::Time;

/// AWS as the services see it.
#[async_trait]
pub trait Aws: Send + Sync + 'static {
    /// The principal that the credentials belong to after all roles are assumed (STS GetCallerIdentity).
    async fn caller(&self, access: &Access) -> Result<Caller, AwsFailure>;

    /// The regions that are enabled for the account, in the order in which AWS names them (EC2 DescribeRegions).
    async fn enabled_regions(&self, access: &Access) -> Result<Vec<Region>, AwsFailure>;

    /// Those of `actions` (such as `kms:CreateKey`) that the caller's policies do not allow, in the given order
    /// (IAM SimulatePrincipalPolicy, which the caller must itself be allowed to call).
    async fn missing_permissions(&self, access: &Access, actions: &[&str]) -> Result<Vec<String>, AwsFailure>;

    /// A page of the account's users (IAM ListUsers).
    async fn list_users(&self, access: &Access, listing: &IamListing) -> Result<Page<IamPrincipal>, AwsFailure>;

    /// A page of the account's roles (IAM ListRoles).
    async fn list_roles(&self, access: &Access, listing: &IamListing) -> Result<Page<IamPrincipal>, AwsFailure>;
}

/// How to get at an account: where it is, with which keys, through which roles.
#[derive(Debug, Clone)]
pub struct Access {
    /// The partition that the keys belong to.
    pub partition: Partition,
    /// The keys that sign the first call.
    pub keys: AccessKeys,
    /// The region whose endpoints are asked; the partition's default region if there is none.
    pub region: Option<Region>,
    /// Which endpoint of STS is asked.
    pub sts: StsEndpoints,
    /// Assumed one after the other: the connection's own role first, then the one asked for on the KMS.
    pub roles: Vec<RoleToAssume>,
}

impl Access {
    /// Plain keys in a partition: no role, the default region, the legacy STS endpoint.
    pub fn with_keys(partition: Partition, keys: AccessKeys) -> Self {
        Self { partition, keys, region: None, sts: StsEndpoints::Legacy, roles: Vec::new() }
    }
}

/// An access key pair, with a session token if it is a temporary one.
#[derive(Clone)]
pub struct AccessKeys {
    /// The access key id, which is not a secret.
    pub id: String,
    pub secret: Zeroizing<String>,
    /// The session token of temporary credentials.
    pub session_token: Option<Zeroizing<String>>,
}

impl fmt::Debug for AccessKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKeys").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A role, and how to ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoleToAssume {
    pub arn: RoleArn,
    /// What its trust policy asks for, if it does.
    pub external_id: Option<ExternalId>,
    /// What the session is called in AWS's own logs.
    pub session_name: SessionName,
}

/// The name of an assumed role's session: 2 to 64 letters, digits and `_+=,.@-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionName(String);

impl SessionName {
    /// Makes a name out of any text: what STS would refuse becomes `-`, what is too long is cut.
    pub fn shaped_from(text: &str) -> Self {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        let mut name: String = text.chars().take(64).map(|c| if allowed(c) { c } else { '-' }).collect();
        while name.len() < 2 {
            name.push('-');
        }
        Self(name)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The caller, as AWS names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account that the caller belongs to.
    pub account: AccountId,
    /// The user, or the session of a role.
    pub arn: Arn,
}

/// Selects users or roles to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IamListing {
    /// Only those whose path begins so, such as `/division/`.
    pub path_prefix: Option<String>,
    /// Where to begin, and how many; IAM gives up to 1000 at once, and 100 if nothing is said.
    pub paging: Paging,
}

/// A user or a role, as IAM lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IamPrincipal {
    /// The path, `/` if it has none.
    pub path: String,
    /// The name, without the path.
    pub name: String,
    /// IAM's id of it, such as `AIDA…` or `AROA…`.
    pub id: String,
    pub arn: Arn,
    pub created_at: Option<Time>,
    /// What somebody said about it; roles only.
    pub description: Option<String>,
}
