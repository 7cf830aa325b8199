//! Mistakes in a plan, with their positions in the file.

use std::fmt;

use thiserror::Error;

use crate::lab::partition::Partition;

/// One mistake in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The path of the member, such as `accounts[1].roles[0].trusts[2]`, with indexes from 0.
    pub place: String,
    /// The mistake, and a valid form.
    pub problem: Problem,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// The kinds of mistakes. None quotes a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Problem {
    /// An unknown partition.
    #[error("`{0}` is not a partition: aws, aws-us-gov or aws-cn")]
    PartitionUnknown(String),
    /// An invalid name of a region.
    #[error("`{0}` is not a region's name: lower-case letters, digits and hyphens, such as eu-west-3")]
    RegionMalformed(String),
    /// A region that is listed twice.
    #[error("region `{0}` is listed twice")]
    RegionRepeated(String),
    /// A region that the list of the account's partition does not contain.
    #[error("`{region}` is not one of the regions under `partitions.{partition}.{list}`")]
    RegionUnknown {
        region: String,
        partition: &'static str,
        /// The member of the partition that must contain the region.
        list: &'static str,
    },
    /// An account in a partition without regions.
    #[error("the plan lists no enabled region for partition `{0}`")]
    PartitionEmpty(&'static str),
    /// An invalid account id.
    #[error("`{0}` is not an account id: twelve digits")]
    AccountMalformed(String),
    /// Two accounts with the same id.
    #[error("account `{0}` is defined twice")]
    AccountRepeated(String),
    /// An invalid name of a user or role.
    #[error("`{0}` is not a name: 1 to 64 letters, digits and any of _+=,.@-")]
    NameMalformed(String),
    /// Two users or two roles of an account with the same name.
    #[error("`{0}` is defined twice in this account")]
    NameRepeated(String),
    /// An invalid path.
    #[error("`{0}` is not a path: it begins and ends with a slash, such as /teams/keys/")]
    PathMalformed(String),
    /// An access key without its id or without its secret.
    #[error("an access key needs both access_key_id and secret_access_key")]
    KeyIncomplete,
    /// An invalid id of an access key.
    #[error("`{0}` is not an access key id: AKIA and 12 to 124 more capital letters and digits")]
    KeyMalformed(String),
    /// Two users with the same access key.
    #[error("access key `{0}` is defined twice")]
    KeyRepeated(String),
    /// An invalid secret access key.
    #[error("a secret access key has 16 to 128 printable characters and no spaces")]
    SecretMalformed,
    /// An invalid pattern of actions.
    #[error("`{0}` is not an action: *, or service:Action where * and ? are wildcards, such as kms:Describe*")]
    ActionMalformed(String),
    /// An invalid principal of a trust.
    #[error(
        "`{0}` is not a principal: *, an account id, the ARN of an account's root, a user, a role or an OpenID Connect \
         provider, or rolesanywhere.amazonaws.com"
    )]
    TrustMalformed(String),
    /// A trusted principal that the plan does not contain.
    #[error("`{principal}` is not in this plan, or not in partition `{partition}`")]
    TrustUnknown { principal: String, partition: &'static str },
    /// An invalid external id.
    #[error("`{0}` is not an external id: 2 to 1224 letters, digits and any of _+=,.@:/-")]
    ExternalIdMalformed(String),
    /// An invalid maximum duration of a session.
    #[error("{0} is not a maximum session duration: 3600 to 43200 seconds")]
    SessionLength(i64),
    /// An invalid URL of an OpenID Connect provider.
    #[error("`{0}` is not the URL of an issuer: https, a host, and a path without a slash at its end")]
    IssuerMalformed(String),
    /// An invalid set of keys.
    #[error("not a JSON Web Key Set: {0}")]
    JwksMalformed(String),
    /// An OpenID Connect provider whose tokens would never be valid.
    #[error("an OpenID Connect provider needs an audience, such as sts.amazonaws.com")]
    NoAudience,
    /// An invalid certificate of a trust anchor.
    #[error("the certificate {0}")]
    CertificateMalformed(String),
    /// An invalid id of a trust anchor or profile.
    #[error("`{0}` is not a UUID")]
    IdMalformed(String),
    /// An invalid duration of the sessions of a profile.
    #[error("{0} is not a session duration: 900 to 43200 seconds")]
    ProfileSessionLength(i64),
    /// A role of a profile that the account does not have.
    #[error("`{0}` is not a role of this account")]
    RoleUnknown(String),
    /// A number that is too small or too large.
    #[error("{number} is not between {least} and {most}")]
    NumberOutOfRange { number: i64, least: i64, most: i64 },
    /// A value that is none of the known ones.
    #[error("`{value}` is none of {values}")]
    ValueUnknown { value: String, values: String },
    /// An invalid name of a host.
    #[error("`{0}` is not the name of a host: letters, digits, dots and hyphens")]
    HostMalformed(String),
    /// An invalid name of a log group.
    #[error(
        "`{0}` is not the name of a log group: 1 to 512 letters, digits and any of _-/.#, where {{account}} stands for the account"
    )]
    LogGroupMalformed(String),
    /// An invalid id of a CloudHSM cluster.
    #[error("`{0}` is not a cluster id: cluster- and 11 to 16 letters and digits from 2 to 7")]
    ClusterMalformed(String),
    /// An invalid availability zone of an HSM.
    #[error("`{zone}` is not an availability zone of {region}: the region and a letter, such as us-east-1a")]
    ZoneMalformed { zone: String, region: String },
    /// An invalid password of `kmsuser`.
    #[error("the password of kmsuser has 7 to 32 characters")]
    PasswordMalformed,
    /// An invalid tag.
    #[error("`{0}` is not a tag: up to 50, with a key of 1 to 128 characters and a value of up to 256")]
    TagMalformed(String),
    /// No user has an access key, so that no request could be signed.
    #[error("the plan needs at least one user with an access key")]
    NoAccessKey,
}

/// Collects the mistakes of a plan.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(&mut self, place: impl Into<String>, problem: Problem) {
        self.0.push(Mistake { place: place.into(), problem });
    }

    /// Records that a list of a partition does not contain a region.
    pub(super) fn add_unknown_region(&mut self, place: String, region: &str, partition: Partition, list: &'static str) {
        self.add(place, Problem::RegionUnknown { region: region.to_owned(), partition: partition.as_str(), list });
    }

    /// All mistakes, in the order of the file.
    pub(super) fn into_list(self) -> Vec<Mistake> {
        self.0
    }
}
