//! Mistakes in a plan, each with its place in the file.

use std::fmt;

use thiserror::Error;

use crate::lab::partition::Partition;

/// One mistake in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where: the path of the member, such as `accounts[1].roles[0].trusts[2]` (counted from 0).
    pub place: String,
    /// What is the case there, and what would be right.
    pub problem: Problem,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// What is wrong at a place. None of them quotes a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Problem {
    /// A partition that AWS does not have.
    #[error("`{0}` is not a partition: aws, aws-us-gov or aws-cn")]
    PartitionUnknown(String),
    /// A text that cannot be a region's name.
    #[error("`{0}` is not a region's name: lower-case letters, digits and hyphens, such as eu-west-3")]
    RegionMalformed(String),
    /// A region that stands twice.
    #[error("region `{0}` stands here for the second time")]
    RegionRepeated(String),
    /// A region that the account's partition does not have in the list that it is taken from.
    #[error("`{region}` is not one of the regions under `partitions.{partition}.{list}`")]
    RegionUnknown {
        region: String,
        partition: &'static str,
        /// The member that would have to list it.
        list: &'static str,
    },
    /// An account in a partition that the plan gives no regions.
    #[error("the plan lists no enabled region for partition `{0}`")]
    PartitionEmpty(&'static str),
    /// A text that cannot be an account's id.
    #[error("`{0}` is not an account id: twelve digits")]
    AccountMalformed(String),
    /// Two accounts with one id.
    #[error("account `{0}` stands here for the second time")]
    AccountRepeated(String),
    /// A text that cannot be the name of a user or role.
    #[error("`{0}` is not a name: 1 to 64 letters, digits and any of _+=,.@-")]
    NameMalformed(String),
    /// Two users or two roles of one account with one name.
    #[error("`{0}` stands here for the second time in this account")]
    NameRepeated(String),
    /// A text that cannot be a path.
    #[error("`{0}` is not a path: it begins and ends with a slash, such as /teams/keys/")]
    PathMalformed(String),
    /// Half of an access key.
    #[error("an access key needs both access_key_id and secret_access_key")]
    KeyIncomplete,
    /// A text that cannot be the id of a user's access key.
    #[error("`{0}` is not an access key id: AKIA and 12 to 124 more capital letters and digits")]
    KeyMalformed(String),
    /// Two users with one access key.
    #[error("access key `{0}` stands here for the second time")]
    KeyRepeated(String),
    /// A secret access key that no client would accept.
    #[error("a secret access key has 16 to 128 printable characters and no spaces")]
    SecretMalformed,
    /// A text that cannot be a pattern of actions.
    #[error("`{0}` is not an action: *, or service:Action where * and ? are wildcards, such as kms:Describe*")]
    ActionMalformed(String),
    /// A text that cannot be a trusted principal.
    #[error("`{0}` is not a principal: *, an account id, or the ARN of an account's root, a user or a role")]
    TrustMalformed(String),
    /// A principal that the plan does not contain.
    #[error("`{principal}` is not in this plan, or not in partition `{partition}`")]
    TrustUnknown { principal: String, partition: &'static str },
    /// A text that cannot be an external id.
    #[error("`{0}` is not an external id: 2 to 1224 letters, digits and any of _+=,.@:/-")]
    ExternalIdMalformed(String),
    /// A longest session that AWS would not accept.
    #[error("{0} is not a longest session: 3600 to 43200 seconds")]
    SessionLength(i64),
    /// Nobody could sign a request.
    #[error("the plan needs at least one user with an access key")]
    NoAccessKey,
}

/// Collects the mistakes of a plan with their places.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(super) fn note(&mut self, place: impl Into<String>, problem: Problem) {
        self.0.push(Mistake { place: place.into(), problem });
    }

    /// Notes that a region is missing from a list of a partition.
    pub(super) fn note_region(&mut self, place: String, region: &str, partition: Partition, list: &'static str) {
        self.note(place, Problem::RegionUnknown { region: region.to_owned(), partition: partition.as_str(), list });
    }

    /// All of them, in the order of the file.
    pub(super) fn into_list(self) -> Vec<Mistake> {
        self.0
    }
}
