//! Policy templates: one policy for many keys of an AWS account. A key with the policy of a template has the template's
//! id in a tag, by which the template finds its keys.

pub mod decide;
pub mod patch;
pub mod refusal;

use super::collection::{Collection, Named};
use super::id::{KeyId, KmsId, TemplateId};
use super::key::policy::{PolicyContext, PolicyPrincipals, PrincipalError};
use super::key::policy_text::PolicyText;
use super::key::spec::KeyUsage;
pub use super::key::tag::TEMPLATE_TAG;
use super::name::TemplateName;
use super::patch::invalid;
use super::place::{AccountId, Partition};
use super::refusal::Refusal;
use super::time::Time;
use patch::TemplatePatch;
use std::sync::Arc;

#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    pub id: TemplateId,
    pub name: TemplateName,
    /// The account whose keys the template is for.
    pub account: AccountId,
    /// The KMS that the template was created for, if any.
    pub kms: Option<KmsId>,
    pub policy: TemplatePolicy,
    /// Whether AWS has accepted the policy on a key.
    pub verified: bool,
    pub last_push: Option<Push>,
    pub created: Time,
    /// When it was last changed.
    pub updated: Time,
}

/// The policy of a template.
#[derive(Clone, PartialEq, Debug)]
pub enum TemplatePolicy {
    Text(PolicyText),
    /// The principals, from which the policy of each key is built. Without principals, that is AWS's default policy.
    Principals(PolicyPrincipals),
}

impl TemplatePolicy {
    /// Returns the policy for a key.
    ///
    /// # Errors
    /// When a name is invalid in the key's partition, or the policy would be longer than AWS accepts.
    pub fn for_key(&self, context: &PolicyContext) -> Result<PolicyText, PrincipalError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Principals(principals) => principals.policy(context),
        }
    }

    /// Checks the policy with the usage of most keys, encryption.
    ///
    /// # Errors
    /// Those of [`Self::for_key`].
    pub fn check(&self, partition: Partition, account: AccountId) -> Result<(), Refusal> {
        let context = PolicyContext { partition, account, usage: KeyUsage::EncryptDecrypt };
        self.for_key(&context).map(drop).map_err(|problem| invalid("policy", problem))
    }
}

/// The result of a push of the policy to the keys of the template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Push {
    /// The keys that have the policy now.
    pub done: Vec<KeyId>,
    /// The keys that do not have it, with the reasons.
    pub failed: Vec<(KeyId, String)>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum TemplateEvent {
    Created {
        name: TemplateName,
        /// The account whose keys the template is for.
        account: AccountId,
        /// The KMS that the template was created for, if any.
        kms: Option<KmsId>,
        policy: TemplatePolicy,
    },
    PolicyReplaced {
        to: TemplatePolicy,
    },
    /// The policy was pushed to the keys of the template.
    Pushed(Push),
    Deleted,
    /// AWS accepted the policy on a key.
    Verified,
}

#[derive(Clone, Debug)]
pub enum TemplateCommand {
    Create {
        id: TemplateId,
        name: TemplateName,
        /// The account whose keys the template is for.
        account: AccountId,
        /// The KMS that the template is created for, if any.
        kms: Option<KmsId>,
        policy: TemplatePolicy,
    },
    ReplacePolicy {
        id: TemplateId,
        patch: Option<TemplatePatch>,
        /// Whether the new policy is pushed to the keys of the template afterwards.
        pushes: bool,
    },
    /// Record the result of a push.
    RecordPush {
        id: TemplateId,
        push: Push,
    },
    Delete {
        id: TemplateId,
    },
}

impl Named for Template {
    type Id = TemplateId;
    type Name = TemplateName;

    fn id(&self) -> TemplateId {
        self.id
    }

    fn name(&self) -> TemplateName {
        self.name.clone()
    }
}

impl Collection<Template> {
    /// Returns the template with a name in an account. Other accounts may use the name too: its being taken there would
    /// tell that they do.
    pub fn of_account(&self, name: &TemplateName, account: AccountId) -> Option<&Arc<Template>> {
        self.all_named(name).rfind(|template| template.account == account)
    }

    pub(super) fn apply(&mut self, at: Time, id: TemplateId, event: &TemplateEvent) {
        match event {
            TemplateEvent::Created { name, account, kms, policy } => self.insert(Template {
                id,
                name: name.clone(),
                account: *account,
                kms: *kms,
                policy: policy.clone(),
                verified: false,
                last_push: None,
                created: at,
                updated: at,
            }),
            TemplateEvent::Deleted => drop(self.remove(&id)),
            TemplateEvent::PolicyReplaced { .. } | TemplateEvent::Pushed(_) | TemplateEvent::Verified => {
                self.change(&id, |template| template.apply(at, event));
            }
        }
    }
}

impl Template {
    fn apply(&mut self, at: Time, event: &TemplateEvent) {
        match event {
            TemplateEvent::PolicyReplaced { to } => {
                self.policy = to.clone();
                self.verified = false;
            }
            TemplateEvent::Pushed(push) => self.last_push = Some(push.clone()),
            TemplateEvent::Verified => {
                self.verified = true;
                return;
            }
            TemplateEvent::Created { .. } | TemplateEvent::Deleted => return,
        }
        self.updated = at;
    }
}

#[cfg(test)]
mod tests;
