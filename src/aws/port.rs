//! The port to STS, EC2, IAM, CloudHSM and CloudWatch Logs, in domain terms.
//!
//! The services hold an `Arc<dyn Aws>`; `rusoto.rs` implements it for AWS, `scripted.rs` for tests. Every call has a
//! deadline and retries only what is safe to repeat, so that callers need neither.

use std::fmt;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::failure::AwsFailure;
use super::logs::{LogGroup, LogGroupListing, LogWindow, RawLogPage};
use super::page::{Page, Paging};
use super::roles_anywhere::RolesAnywhere;
use crate::domain::connection::StsEndpoints;
use crate::domain::place::{AccountId, Arn, ExternalId, Partition, Region, RoleArn};
use crate::domain::time::Time;

/// The operations of STS, EC2, IAM, CloudHSM and CloudWatch Logs that the services use.
pub trait Aws: Send + Sync + 'static {
    /// The principal that the credentials belong to after all roles are assumed (STS GetCallerIdentity).
    fn caller<'a>(&'a self, access: &'a Access) -> BoxFuture<'a, Result<Caller, AwsFailure>>;

    /// The regions that are enabled for the account, in the order in which AWS names them (EC2 DescribeRegions).
    fn enabled_regions<'a>(&'a self, access: &'a Access) -> BoxFuture<'a, Result<Vec<Region>, AwsFailure>>;

    /// The subset of `actions` (such as `kms:CreateKey`) that the caller's policies do not allow, in the given order
    /// (IAM SimulatePrincipalPolicy, for which the caller itself needs the permission).
    fn missing_permissions<'a>(
        &'a self,
        access: &'a Access,
        actions: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<String>, AwsFailure>>;

    /// A page of the account's users (IAM ListUsers).
    fn list_users<'a>(
        &'a self,
        access: &'a Access,
        listing: &'a IamListing,
    ) -> BoxFuture<'a, Result<Page<IamPrincipal>, AwsFailure>>;

    /// A page of the account's roles (IAM ListRoles).
    fn list_roles<'a>(
        &'a self,
        access: &'a Access,
        listing: &'a IamListing,
    ) -> BoxFuture<'a, Result<Page<IamPrincipal>, AwsFailure>>;

    /// All CloudHSM clusters of the account in a region (CloudHSM DescribeClusters).
    fn hsm_clusters<'a>(
        &'a self,
        access: &'a Access,
        region: &'a Region,
    ) -> BoxFuture<'a, Result<Vec<HsmCluster>, AwsFailure>>;

    /// A page of the log groups of the account in a region (CloudWatch Logs DescribeLogGroups).
    fn log_groups<'a>(
        &'a self,
        access: &'a Access,
        region: &'a Region,
        listing: &'a LogGroupListing,
    ) -> BoxFuture<'a, Result<Page<LogGroup>, AwsFailure>>;

    /// A page of the events of a log group (CloudWatch Logs FilterLogEvents).
    fn log_events<'a>(
        &'a self,
        access: &'a Access,
        region: &'a Region,
        window: &'a LogWindow,
    ) -> BoxFuture<'a, Result<RawLogPage, AwsFailure>>;
}

/// A CloudHSM cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct HsmCluster {
    /// AWS's id, such as `cluster-1a23b4cdefg`.
    pub id: String,
    pub is_active: bool,
    pub active_hsms: usize,
    /// AWS's description in AWS's form, with times in RFC 3339 and without certificates and passwords.
    pub description: Map<String, Value>,
}

/// The access to an account: partition, keys and roles.
#[derive(Debug, Clone)]
pub struct Access {
    /// The partition that the keys belong to.
    pub partition: Partition,
    /// The keys that sign the first call, unless there is a certificate.
    pub keys: AccessKeys,
    /// The certificate that IAM Roles Anywhere exchanges for the keys of the first call.
    pub roles_anywhere: Option<RolesAnywhere>,
    /// The region of the endpoints.
    pub region: Region,
    /// The choice between the global and the regional endpoints of STS.
    pub sts: StsEndpoints,
    /// The roles to assume one after the other: the connection's role first, then the role of the KMS.
    pub roles: Vec<RoleToAssume>,
}

impl Access {
    /// Plain keys in a partition: no role, the default region, the legacy STS endpoint.
    pub fn with_keys(partition: Partition, keys: AccessKeys) -> Self {
        Self {
            partition,
            keys,
            roles_anywhere: None,
            region: partition.default_region(),
            sts: StsEndpoints::Legacy,
            roles: Vec::new(),
        }
    }

    /// The role whose session makes the calls; `None` if the keys themselves do.
    pub fn last_role(&self) -> Option<&RoleArn> {
        let assumed = self.roles.last().map(|role| &role.arn);
        assumed.or_else(|| self.roles_anywhere.as_ref().map(|access| &access.role))
    }
}

/// An access key pair, with a session token if it is temporary.
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

/// A role and the parameters of AssumeRole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoleToAssume {
    pub arn: RoleArn,
    /// The external id, if the role's trust policy requires one.
    pub external_id: Option<ExternalId>,
    /// The name of the session in CloudTrail.
    pub session_name: SessionName,
}

/// The name of an assumed role's session: 2 to 64 letters, digits and `_+=,.@-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionName(String);

impl SessionName {
    /// Makes a valid name of any text: it replaces invalid characters by `-` and truncates the text.
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

/// The principal that the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub account: AccountId,
    /// The user, or the session of a role.
    pub arn: Arn,
}

/// Selects users or roles to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IamListing {
    /// The prefix of the path, such as `/division/`; all paths if `None`.
    pub path_prefix: Option<String>,
    /// The page. IAM returns up to 1000 items, and 100 by default.
    pub paging: Paging,
}

/// A user or a role in a list of IAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IamPrincipal {
    /// The path, `/` if it has none.
    pub path: String,
    /// The name, without the path.
    pub name: String,
    /// IAM's unique id, such as `AIDA…` or `AROA…`.
    pub id: String,
    pub arn: Arn,
    pub created_at: Option<Time>,
    /// The description; only roles have one.
    pub description: Option<String>,
}
