//! The plan of the lab cloud: regions, accounts, users, roles. Read once at start, never changed.
//!
//! `file.rs` spells the TOML, `validate.rs` turns it into the types below and names every mistake (`mistake.rs`).

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use super::LabError;
use super::partition::Partition;
use super::permission::Permissions;
use super::secret::Secret;

mod file;
mod mistake;
mod validate;

pub use mistake::{Mistake, Problem};

/// The plan that is used when none is given: `config/lab-cloud.toml`, which documents every member.
const BUILT_IN: &str = include_str!("../../../config/lab-cloud.toml");

/// When everything in the plan was created, as far as IAM's listings tell. RFC 3339.
pub(in crate::lab) const CREATED: &str = "2020-11-05T05:29:17Z";

/// A lab cloud as planned: parsed and validated.
#[derive(Debug, Clone)]
pub struct LabPlan {
    partitions: HashMap<Partition, Offer>,
    accounts: Vec<Account>,
    keys: LabKeys,
}

impl LabPlan {
    /// The plan of `config/lab-cloud.toml`, which is part of the program.
    pub fn built_in() -> LabPlan {
        LabPlan::parse(BUILT_IN).expect("a test reads the plan that is compiled in")
    }

    /// Reads a plan from a TOML file.
    ///
    /// # Errors
    /// If the file cannot be read, is not TOML of the documented form, or contradicts itself; every mistake is named.
    pub fn read(path: &Path) -> Result<LabPlan, LabError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| LabError::PlanUnreadable { path: path.to_owned(), source })?;
        LabPlan::parse(&text)
    }

    /// Reads a plan from the text of a TOML file.
    ///
    /// # Errors
    /// As for [`LabPlan::read`].
    pub fn parse(text: &str) -> Result<LabPlan, LabError> {
        let file = toml::from_str(text).map_err(|error| LabError::plan_syntax(text, &error))?;
        validate::validate(file).map_err(LabError::PlanMistaken)
    }

    /// The access key of the plan's first user that has one: for the ready-made connection and for people's SDKs.
    pub fn default_keys(&self) -> LabKeys {
        self.keys.clone()
    }

    /// The account with this id.
    pub(in crate::lab) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// The user that this access key belongs to.
    pub(in crate::lab) fn key_holder(&self, access_key_id: &str) -> Option<(&Account, &User, &LabKeys)> {
        self.accounts.iter().find_map(|account| {
            account.users.iter().find_map(|user| {
                let keys = user.keys.as_ref().filter(|keys| keys.access_key_id == access_key_id)?;
                Some((account, user, keys))
            })
        })
    }

    /// The partition that a region belongs to.
    pub(in crate::lab) fn partition_of(&self, region: &str) -> Option<Partition> {
        Partition::ALL.into_iter().find(|partition| {
            self.partitions
                .get(partition)
                .is_some_and(|offer| offer.enabled.iter().chain(&offer.opt_in).any(|offered| offered == region))
        })
    }
}

/// An access key pair of a lab user. It opens nothing outside the lab.
#[derive(Clone)]
pub struct LabKeys {
    access_key_id: String,
    secret_access_key: Secret,
}

impl LabKeys {
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    pub fn secret_access_key(&self) -> &str {
        self.secret_access_key.reveal()
    }
}

impl fmt::Debug for LabKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LabKeys").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// The regions of a partition.
#[derive(Debug, Clone, Default)]
struct Offer {
    enabled: Vec<String>,
    opt_in: Vec<String>,
}

/// An account with everything in it.
#[derive(Debug, Clone)]
pub(in crate::lab) struct Account {
    pub id: String,
    pub partition: Partition,
    /// All regions of the partition, as they stand for this account; the order is the plan's.
    pub regions: Vec<Region>,
    pub users: Vec<User>,
    pub roles: Vec<Role>,
}

impl Account {
    /// The user with this name.
    pub(super) fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.identity.name == name)
    }

    /// The role with this name.
    pub(super) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.identity.name == name)
    }

    /// Whether the account may use a region.
    pub(super) fn may_use(&self, region: &str) -> bool {
        self.regions.iter().any(|known| known.name == region && known.opt_in != OptIn::NotOptedIn)
    }
}

/// A region as it stands for an account.
#[derive(Debug, Clone)]
pub(in crate::lab) struct Region {
    pub name: String,
    pub opt_in: OptIn,
}

/// Whether an account may use a region, in EC2's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lab) enum OptIn {
    NotRequired,
    OptedIn,
    NotOptedIn,
}

impl OptIn {
    /// As EC2 writes it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            OptIn::NotRequired => "opt-in-not-required",
            OptIn::OptedIn => "opted-in",
            OptIn::NotOptedIn => "not-opted-in",
        }
    }
}

/// What users and roles have in common.
#[derive(Debug, Clone)]
pub(in crate::lab) struct Identity {
    pub name: String,
    /// `/`, or one or more parts between slashes.
    pub path: String,
    pub arn: String,
    /// AWS's unique id: `AIDA…` for a user, `AROA…` for a role.
    pub id: String,
    pub permissions: Permissions,
}

#[derive(Debug, Clone)]
pub(in crate::lab) struct User {
    pub identity: Identity,
    pub keys: Option<LabKeys>,
}

#[derive(Debug, Clone)]
pub(in crate::lab) struct Role {
    pub identity: Identity,
    pub description: Option<String>,
    pub external_id: Option<String>,
    pub trusts: Vec<Trust>,
    /// The longest session, in seconds.
    pub max_session: i64,
}

/// The principals that may assume a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lab) enum Trust {
    Anyone,
    /// Everybody in an account whom that account allows `sts:AssumeRole`.
    Account(String),
    /// One user or role, by ARN.
    Principal(String),
}

#[cfg(test)]
mod tests;
