//! Who may use a key: by its policy at AWS, by its grants, and who may change it through this program's own rights.
//! `policy` reads and decides; this module brings the state, AWS's grants and the reader's rights together.

mod entry;
mod managers;
mod search;
mod used_by;

pub use entry::{ActionNames, ConditionSeen, Entry, Source};
pub use managers::Manager;
pub use search::{Found, PrincipalSearch};
pub use used_by::{LastCall, PrincipalUse, UseWindow, UsedBy};

pub use crate::policy::access::{Subject, Verdict};
pub use crate::policy::actions::Group;

use super::access::{self, KeyPermit, ViewKey};
use super::cloud::Cloud;
use super::failure::Failure;
use super::trail::Trails;
use crate::aws::kms::calls::ListGrants;
use crate::domain::action::Action;
use crate::domain::key::aggregate::Key;
use crate::domain::key::grant::KeyGrant;
use crate::domain::key::spec::KeyUsage;
use crate::policy::access::{Target, decide};
use crate::policy::actions::ACTIONS;
use crate::policy::grant::{Constraints, Grant};
use crate::policy::{NotUnderstood, Policy, Reading};
use std::sync::Arc;

/// The use cases of access to keys. Cheap to clone.
#[derive(Clone)]
pub struct KeyAccess {
    cloud: Arc<Cloud>,
    trails: Trails,
}

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
    /// Why AWS does not show the grants.
    pub grants_error: Option<String>,
    /// What the subject may do, by action; empty without a subject.
    pub verdicts: Vec<(&'static str, Group, Verdict)>,
    /// Who may change the key here; `None` if the reader may not see it.
    pub managed_by: Option<Vec<Manager>>,
}

impl KeyAccess {
    pub(super) fn new(cloud: Arc<Cloud>, trails: Trails) -> Self {
        Self { cloud, trails }
    }

    /// Lists the grants of a key, from AWS.
    ///
    /// # Errors
    /// When AWS does not know the key yet, or refuses.
    pub async fn grants(&self, permit: &KeyPermit<ViewKey>) -> Result<Vec<KeyGrant>, Failure> {
        self.grants_of(permit.key()).await
    }

    /// Returns who may use a key; with a subject, what this one may do and why. If AWS does not show the grants, the
    /// answer says so.
    ///
    /// # Errors
    /// The refusal by a rule.
    pub async fn of_key(&self, permit: &KeyPermit<ViewKey>, subject: Option<&Subject>) -> Result<AccessSeen, Failure> {
        let key = permit.key();
        let (grants, grants_error) = match self.grants_of(key).await {
            Ok(grants) => (grants, None),
            Err(failure @ Failure::Cloud(_)) => (Vec::new(), Some(failure.to_string())),
            Err(failure) if key.is_unlinked() => (Vec::new(), Some(failure.to_string())),
            Err(failure) => return Err(failure),
        };
        let (reading, policy_known) = reading(key);
        let (arn, account) = (key.metadata.arn.to_string(), key.metadata.account().to_string());
        let granted: Vec<Grant> = grants.iter().map(grant_of).collect();
        let target = Target { arn: &arn, account: &account, reading: &reading, grants: &granted };
        let mut entries = entry::of_policy(&target, subject);
        entries.extend(entry::of_grants(&target, &grants, subject));
        let verdicts = subject.map(|subject| verdicts(key, &target, subject, policy_known)).unwrap_or_default();
        let (caller, kms) = (permit.caller(), permit.kms());
        let may_see =
            access::administers_kms(&caller.user) || access::granted(&caller.user, kms).permits(Action::KeyUpdate);
        Ok(AccessSeen {
            key: key.clone(),
            kms: kms.name.to_string(),
            entries,
            policy_known,
            not_understood: reading.not_understood,
            grants_error,
            verdicts,
            managed_by: may_see.then(|| managers::of(&caller.published.state, kms, key)),
        })
    }

    async fn grants_of(&self, key: &Key) -> Result<Vec<KeyGrant>, Failure> {
        key.refuse_unlinked()?;
        let at = self.cloud.region(key.kms, &key.region).await?;
        Ok(at.pages(ListGrants::of(key.aws_id().clone())).collect().await?)
    }
}

/// Reads the policy of a key, and returns whether it is known. A text that is no policy is not understood as a whole.
fn reading(key: &Key) -> (Reading, bool) {
    let nothing = |not_understood| Reading { policy: Policy::empty(), not_understood };
    match &key.policy {
        None => (nothing(Vec::new()), false),
        Some(text) => match Policy::returned(text.as_str()) {
            Ok(reading) => (reading, true),
            Err(error) => {
                let whole = NotUnderstood { number: 0, sid: None, reason: error.to_string() };
                (nothing(vec![whole]), true)
            }
        },
    }
}

/// What a subject may do with a key, for each action that the key's usage has.
fn verdicts(
    key: &Key,
    target: &Target<'_>,
    subject: &Subject,
    policy_known: bool,
) -> Vec<(&'static str, Group, Verdict)> {
    let actions = ACTIONS.iter().filter(|(action, _)| fits(&key.metadata.usage, action));
    let verdict = |action: &str| match policy_known {
        true => decide(target, subject, action),
        false => Verdict::NotKnown,
    };
    actions.map(|(action, group)| (*action, *group, verdict(action))).collect()
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
