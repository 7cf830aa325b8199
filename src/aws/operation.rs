//! Services and operations by AWS's names. The operations of KMS are defined in the files of their calls.

use std::fmt;

use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    Sts,
    /// Only the list of regions is used.
    Ec2,
    Iam,
    Kms,
    Logs,
    RolesAnywhere,
    /// Only the list of clusters is used.
    CloudHsm,
}

impl Service {
    /// The name in signatures and policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
            Self::Kms => "kms",
            Self::Logs => "logs",
            Self::RolesAnywhere => "rolesanywhere",
            Self::CloudHsm => "cloudhsm",
        }
    }

    /// The name in endpoints.
    pub const fn host(self) -> &'static str {
        match self {
            Self::CloudHsm => "cloudhsmv2",
            other => other.as_str(),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An operation of a service, such as STS's `GetCallerIdentity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AwsOperation {
    pub service: Service,
    /// The operation's name in AWS's documentation.
    pub name: &'static str,
}

impl AwsOperation {
    pub const fn kms(name: &'static str) -> Self {
        Self { service: Service::Kms, name }
    }

    pub const GET_CALLER_IDENTITY: Self = Self { service: Service::Sts, name: "GetCallerIdentity" };
    pub const ASSUME_ROLE: Self = Self { service: Service::Sts, name: "AssumeRole" };
    pub const CREATE_SESSION: Self = Self { service: Service::RolesAnywhere, name: "CreateSession" };
    pub const DESCRIBE_REGIONS: Self = Self { service: Service::Ec2, name: "DescribeRegions" };
    pub const SIMULATE_PRINCIPAL_POLICY: Self = Self { service: Service::Iam, name: "SimulatePrincipalPolicy" };
    pub const DESCRIBE_CLUSTERS: Self = Self { service: Service::CloudHsm, name: "DescribeClusters" };
    pub const DESCRIBE_LOG_GROUPS: Self = Self { service: Service::Logs, name: "DescribeLogGroups" };
    pub const FILTER_LOG_EVENTS: Self = Self { service: Service::Logs, name: "FilterLogEvents" };
    pub const LIST_USERS: Self = Self { service: Service::Iam, name: "ListUsers" };
    pub const LIST_ROLES: Self = Self { service: Service::Iam, name: "ListRoles" };
}

/// The form of IAM policies: `sts:GetCallerIdentity`.
impl fmt::Display for AwsOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}
