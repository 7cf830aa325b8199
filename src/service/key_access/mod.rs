//! Who may use a key: by its policy at AWS, by its grants, and who may change it through this program's own rights.
//! `policy` reads and decides; this module brings the state, AWS's grants and the reader's rights together.

mod entry;
mod grants;
mod managers;
mod search;
mod used_by;

pub use entry::{ActionNames, ConditionSeen, Entry, Source};
pub use grants::GrantFilter;
pub use managers::Manager;
pub use search::{Found, PrincipalSearch};
pub use used_by::{LastCall, PrincipalUse, UseWindow, UsedBy};

pub use crate::policy::access::{Subject, Verdict};
pub use crate::policy::actions::Group;

use super::access::{self, KeyPermit, ViewKey};
use super::cloud::Cloud;
use super::failure::Failure;
use super::list::pool;
use super::policies::{Meaning, Policies};
use super::trail::Trails;
use crate::domain::action::Action;
use crate::domain::key::aggregate::Key;
use crate::domain::key::grant::KeyGrant;
use crate::domain::key::spec::KeyUsage;
use crate::policy::access::{Target, decide};
use crate::policy::actions::ACTIONS;
use crate::policy::grant::{self, Constraints, Grant};
use crate::policy::{NotUnderstood, Policy, Reading};
use grants::{GrantReader, GrantsRead};
use std::sync::{Arc, LazyLock};

/// The use cases of access to keys. Cheap to clone.
#[derive(Clone)]
pub struct KeyAccess {
    grants: GrantReader,
    trails: Trails,
    policies: Policies,
}

/// The most grants of a key that the answer about its access has.
const GRANTS_MAX: usize = 1_000;

/// Who may use a key.
pub struct AccessSeen {
    pub key: Arc<Key>,
    pub kms: String,
    /// What the policy and the grants say, of everybody or of the subject.
    pub entries: Vec<Entry>,
    /// Whether the policy is known; without it only grants are shown.
    pub policy_known: bool,
    /// The statements that could not be read.
    pub not_understood: Vec<NotUnderstood>,
    /// Why the grants could not be read.
    pub grants_error: Option<String>,
    /// Whether there are more grants than were read.
    pub grants_truncated: bool,
    /// What the subject may do, by action; empty without a subject.
    pub verdicts: Vec<(&'static str, Group, Verdict)>,
    /// Who may change the key here; `None` if the reader may not see it.
    pub managed_by: Option<Vec<Manager>>,
}

impl KeyAccess {
    pub(super) fn new(cloud: Arc<Cloud>, trails: Trails, policies: Policies) -> Self {
        Self { grants: GrantReader::new(cloud), trails, policies }
    }

    /// Lists the grants of a key, from AWS.
    ///
    /// # Errors
    /// When AWS does not know the key yet, or refuses.
    pub async fn grants(&self, permit: &KeyPermit<ViewKey>, filter: &GrantFilter) -> Result<Vec<KeyGrant>, Failure> {
        self.grants.list(permit.key(), filter).await
    }

    /// Returns who may use a key; with a subject, what this one may do and why. If the grants cannot be read, whatever
    /// prevents it, the answer says so: the policy is known here.
    ///
    /// # Errors
    /// When the program stops.
    pub async fn of_key(&self, permit: &KeyPermit<ViewKey>, subject: Option<&Subject>) -> Result<AccessSeen, Failure> {
        let key = permit.key();
        let (read, grants_error) = match self.grants.some(key, subject, GRANTS_MAX).await {
            Ok(read) => (read, None),
            Err(failure @ (Failure::Stopped(_) | Failure::Interrupted)) => return Err(failure),
            Err(failure) => (GrantsRead::default(), Some(failure.to_string())),
        };
        let (caller, kms) = (permit.caller(), permit.kms());
        let may_see =
            access::administers_kms(&caller.user) || access::granted(&caller.user, kms).permits(Action::KeyUpdate);
        let managed_by = may_see.then(|| managers::of(&caller.published.state, kms, key));
        let (key, kms, policies, subject) =
            (key.clone(), kms.name.to_string(), self.policies.clone(), subject.cloned());
        pool::run(move || {
            let policy = Judged::of(&key, &policies);
            let granted: Vec<Grant> = read.grants.iter().map(grant_of).collect();
            let target = policy.target(&granted);
            let mut entries = entry::of_policy(&target, subject.as_ref());
            entries.extend(entry::of_grants(&target, &read.grants, subject.as_ref()));
            let mut verdicts = subject.map(|subject| policy.verdicts(&target, &subject)).unwrap_or_default();
            if read.truncated || (grants_error.is_some() && !key.is_unlinked()) {
                verdicts.iter_mut().for_each(consider_other_grants);
            }
            AccessSeen {
                kms,
                entries,
                policy_known: policy.meaning.is_some(),
                not_understood: policy.reading().not_understood.clone(),
                grants_error,
                grants_truncated: read.truncated,
                verdicts,
                managed_by,
                key: key.clone(),
            }
        })
        .await
    }
}

/// What nothing allows, a grant that was not read may allow.
fn consider_other_grants((action, _, verdict): &mut (&'static str, Group, Verdict)) {
    let operation = action.strip_prefix("kms:").unwrap_or(action);
    if *verdict == Verdict::NotAllowed && grant::OPERATIONS.contains(&operation) {
        *verdict = Verdict::NotKnown;
    }
}

/// A key with what its policy means.
struct Judged<'a> {
    key: &'a Key,
    arn: String,
    account: String,
    /// `None` if the policy is not known.
    meaning: Option<Arc<Meaning>>,
}

static NOTHING: LazyLock<Reading> = LazyLock::new(|| Reading { policy: Policy::empty(), not_understood: Vec::new() });

impl<'a> Judged<'a> {
    fn of(key: &'a Key, policies: &Policies) -> Self {
        let meaning = key.policy.as_ref().map(|policy| policies.meaning(policy));
        Self { key, arn: key.metadata.arn.to_string(), account: key.metadata.account().to_string(), meaning }
    }

    fn reading(&self) -> &Reading {
        match &self.meaning {
            Some(meaning) => &meaning.reading,
            None => &NOTHING,
        }
    }

    fn target<'b>(&'b self, grants: &'b [Grant]) -> Target<'b> {
        Target { arn: &self.arn, account: &self.account, reading: self.reading(), grants }
    }

    /// What a subject may do with the key, for each action that the key's usage has.
    fn verdicts(&self, target: &Target<'_>, subject: &Subject) -> Vec<(&'static str, Group, Verdict)> {
        let actions = ACTIONS.iter().filter(|(action, _)| fits(&self.key.metadata.usage, action));
        let verdict = |action: &str| match self.meaning.is_some() {
            true => decide(target, subject, action),
            false => Verdict::NotKnown,
        };
        actions.map(|(action, group)| (*action, *group, verdict(action))).collect()
    }
}

/// What is possible in a group of actions: the verdict about the action of which most is possible.
pub fn of_group(verdicts: &[(&'static str, Group, Verdict)], group: Group) -> Verdict {
    let of_group = verdicts.iter().filter(|(_, of, _)| *of == group).map(|(.., verdict)| *verdict);
    of_group.max().unwrap_or(Verdict::NotAllowed)
}

/// Whether keys of a usage can do an action; those that are no cryptography fit every key.
fn fits(usage: &KeyUsage, action: &str) -> bool {
    let wanted = match action {
        "kms:Encrypt" | "kms:Decrypt" | "kms:ReEncryptFrom" | "kms:ReEncryptTo" => "ENCRYPT_DECRYPT",
        "kms:Sign" | "kms:Verify" => "SIGN_VERIFY",
        "kms:GenerateMac" | "kms:VerifyMac" => "GENERATE_VERIFY_MAC",
        "kms:DeriveSharedSecret" => "KEY_AGREEMENT",
        "kms:Encapsulate" | "kms:Decapsulate" => "ENCAPSULATE_DECAPSULATE",
        _ if action.starts_with("kms:GenerateDataKey") => "ENCRYPT_DECRYPT",
        _ => return true,
    };
    let known = ["ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"];
    // A usage that is not known here may have any action.
    usage.as_str() == wanted || !known.contains(&usage.as_str())
}

fn grant_of(grant: &KeyGrant) -> Grant {
    let issuing = grant.issuing_account.split(':').nth(4).unwrap_or(&grant.issuing_account);
    Grant {
        id: grant.id.clone(),
        grantee: grant.grantee.clone(),
        retiring: grant.retiring.clone(),
        operations: grant.operations.clone(),
        constraints: Constraints { subset: grant.context_subset.clone(), equals: grant.context_equals.clone() },
        issuing_account: issuing.to_owned(),
    }
}
