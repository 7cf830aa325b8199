//! The plan of the lab cloud: regions, accounts, users, roles. It is read once at start.
//!
//! `file.rs` defines the TOML. `validate.rs` converts it to the types below and reports every mistake (`mistake.rs`).

use crate::bounded_file;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

use super::LabError;
use super::partition::Partition;
use super::permission::Permissions;
use super::secret::Secret;

mod cloudtrail;
mod custom_key_stores;
mod federation;
mod file;
mod mistake;
mod trust;
mod validate;

pub(in crate::lab) use cloudtrail::{TrailRules, is_log_group_name};
pub(in crate::lab) use custom_key_stores::{Cluster, CustomKeyStoreRules, is_cluster_id};
pub(in crate::lab) use federation::{ManagedPolicy, OidcProvider, Profile, TrustAnchor};
pub use mistake::{Mistake, Problem};
pub(in crate::lab) use trust::{ROLES_ANYWHERE, Trust};

/// The default plan: `config/lab-cloud.toml`, which documents every member.
const BUILT_IN: &str = include_str!("../../../config/lab-cloud.toml");

/// The creation date of all users and roles in IAM's lists, in RFC 3339.
pub(in crate::lab) const CREATED: &str = "2020-11-05T05:29:17Z";

/// The validated plan of a lab cloud.
#[derive(Debug, Clone)]
pub struct LabPlan {
    partitions: HashMap<Partition, Offer>,
    accounts: Vec<Account>,
    keys: LabKeys,
    custom_key_stores: CustomKeyStoreRules,
    trail: TrailRules,
}

impl LabPlan {
    /// The plan of `config/lab-cloud.toml`, which is compiled in.
    pub fn built_in() -> LabPlan {
        LabPlan::parse(BUILT_IN).expect("a test reads the plan that is compiled in")
    }

    /// Reads a plan from a TOML file.
    ///
    /// # Errors
    /// [`LabError`] if the file cannot be read, is not of the documented form, or has mistakes, all of which are named.
    pub fn read(path: &Path) -> Result<LabPlan, LabError> {
        let text = bounded_file::read_text(path, bounded_file::SETTINGS_MAX)
            .map_err(|source| LabError::PlanUnreadable { path: path.to_owned(), source })?;
        LabPlan::parse(&text)
    }

    /// Parses a plan from the text of a TOML file.
    ///
    /// # Errors
    /// As for [`LabPlan::read`].
    pub fn parse(text: &str) -> Result<LabPlan, LabError> {
        let file = toml::from_str(text).map_err(|error| LabError::plan_syntax(text, &error))?;
        validate::validate(file).map_err(LabError::PlanMistaken)
    }

    /// The first access key in the plan. The default connection uses it, and `claviger lab` prints it for SDKs.
    pub fn default_keys(&self) -> LabKeys {
        self.keys.clone()
    }

    pub(in crate::lab) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// The unique id of the user or role with this ARN.
    pub(in crate::lab) fn unique_id_of(&self, arn: &str) -> Option<&str> {
        let account = self.account(arn.split(':').nth(4)?)?;
        let users = account.users.iter().map(|user| &user.identity);
        let mut identities = users.chain(account.roles.iter().map(|role| &role.identity));
        identities.find(|identity| identity.arn == arn).map(|identity| identity.id.as_str())
    }

    /// The user with an access key.
    pub(in crate::lab) fn key_holder(&self, access_key_id: &str) -> Option<(&Account, &User, &LabKeys)> {
        self.accounts.iter().find_map(|account| {
            account.users.iter().find_map(|user| {
                let keys = user.keys.as_ref().filter(|keys| keys.access_key_id == access_key_id)?;
                Some((account, user, keys))
            })
        })
    }

    /// A policy that sessions of an account may name.
    pub(in crate::lab) fn managed_policy(&self, account: &str, arn: &str) -> Option<&ManagedPolicy> {
        self.account(account)?.policies.iter().find(|policy| policy.arn == arn)
    }

    pub(in crate::lab) fn custom_key_stores(&self) -> &CustomKeyStoreRules {
        &self.custom_key_stores
    }

    pub(in crate::lab) fn trail(&self) -> &TrailRules {
        &self.trail
    }

    /// The cluster with an id, in any account.
    pub(in crate::lab) fn cluster(&self, id: &str) -> Option<&Cluster> {
        self.accounts.iter().find_map(|account| account.clusters.iter().find(|cluster| cluster.id == id))
    }

    pub(in crate::lab) fn partition_of(&self, region: &str) -> Option<Partition> {
        Partition::ALL.into_iter().find(|partition| {
            self.partitions
                .get(partition)
                .is_some_and(|offer| offer.enabled.iter().chain(&offer.opt_in).any(|offered| offered == region))
        })
    }
}

/// An access key pair of a lab user. It is valid only in the lab.
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

#[derive(Debug, Clone, Default)]
struct Offer {
    enabled: Vec<String>,
    opt_in: Vec<String>,
}

#[derive(Debug, Clone)]
pub(in crate::lab) struct Account {
    pub id: String,
    pub partition: Partition,
    /// All regions of the partition with their status for the account, in the order of the plan.
    pub regions: Vec<Region>,
    pub users: Vec<User>,
    pub roles: Vec<Role>,
    pub policies: Vec<ManagedPolicy>,
    pub oidc_providers: Vec<OidcProvider>,
    pub trust_anchors: Vec<TrustAnchor>,
    pub profiles: Vec<Profile>,
    pub clusters: Vec<Cluster>,
}

impl Account {
    pub(super) fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.identity.name == name)
    }

    pub(super) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.identity.name == name)
    }

    /// The CloudHSM cluster of an id in a region.
    pub(super) fn cluster(&self, region: &str, id: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.id == id && cluster.region == region)
    }

    /// Whether a region is enabled for the account.
    pub(super) fn may_use(&self, region: &str) -> bool {
        self.regions.iter().any(|known| known.name == region && known.opt_in != OptIn::NotOptedIn)
    }
}

/// A region and its status for an account.
#[derive(Debug, Clone)]
pub(in crate::lab) struct Region {
    pub name: String,
    pub opt_in: OptIn,
}

/// The status of a region for an account, as in EC2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lab) enum OptIn {
    NotRequired,
    OptedIn,
    NotOptedIn,
}

impl OptIn {
    /// The value in EC2's answers.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            OptIn::NotRequired => "opt-in-not-required",
            OptIn::OptedIn => "opted-in",
            OptIn::NotOptedIn => "not-opted-in",
        }
    }
}

/// The common members of users and roles.
#[derive(Debug, Clone)]
pub(in crate::lab) struct Identity {
    pub name: String,
    /// The IAM path: `/`, or one or more parts between slashes.
    pub path: String,
    pub arn: String,
    /// AWS's unique id: `AIDA…` for a user, `AROA…` for a role.
    pub id: String,
    pub permissions: Permissions,
    /// The tags, which conditions of policies can name.
    pub tags: BTreeMap<String, String>,
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
    /// Patterns of the subjects of tokens of OpenID Connect providers; any subject if empty.
    pub subjects: Vec<String>,
    /// The maximum duration of a session, in seconds.
    pub max_session: i64,
}

#[cfg(test)]
mod tests;
