//! The vocabulary of calls: services and operations by AWS's own names.

use std::fmt;

use serde::Deserialize;

/// A service of AWS, by its short name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Security tokens.
    Sts,
    /// Virtual machines; asked for the regions only.
    Ec2,
    /// Identities and policies.
    Iam,
    /// Keys.
    Kms,
    /// CloudWatch Logs.
    Logs,
}

impl Service {
    /// The short name, as in endpoints and signatures.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
            Self::Kms => "kms",
            Self::Logs => "logs",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One operation of one service, such as STS's `GetCallerIdentity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operation {
    /// The service.
    pub service: Service,
    /// The operation's name in AWS's own documentation.
    pub name: &'static str,
}

impl Operation {
    /// Who am I?
    pub const GET_CALLER_IDENTITY: Self = Self { service: Service::Sts, name: "GetCallerIdentity" };
    /// Keys for a role.
    pub const ASSUME_ROLE: Self = Self { service: Service::Sts, name: "AssumeRole" };
    /// The regions of the account.
    pub const DESCRIBE_REGIONS: Self = Self { service: Service::Ec2, name: "DescribeRegions" };
    /// What the policies allow.
    pub const SIMULATE_PRINCIPAL_POLICY: Self = Self { service: Service::Iam, name: "SimulatePrincipalPolicy" };
}

/// As an IAM policy names it: `sts:GetCallerIdentity`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}
