//! Policy templates: one policy for many keys of an AWS account. A key that has a template's policy carries its id in a
//! tag, and by that tag the template finds its keys again.

pub mod decide;
pub mod patch;
pub mod refusal;

use super::collection::{Collection, Named};
use super::id::{KeyId, KmsId, TemplateId};
use super::key::policy::{PeopleMistake, PolicyContext, PolicyPrincipals};
use super::key::policy_text::PolicyText;
use super::key::spec::KeyUsage;
pub use super::key::tag::TEMPLATE_TAG;
use super::name::TemplateName;
use super::patch::invalid;
use super::place::{AccountId, Partition};
use super::refusal::Refusal;
use super::time::Time;
use patch::TemplatePatch;

/// A template as it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    pub id: TemplateId,
    pub name: TemplateName,
    /// The account whose keys it is for.
    pub account: AccountId,
    /// The KMS that it was made for, if it was made for one.
    pub kms: Option<KmsId>,
    pub policy: TemplatePolicy,
    /// Since when it gives that.
    pub policy_since: Time,
    /// AWS has accepted that policy on a key.
    pub verified: bool,
    /// How the last push went.
    pub last_push: Option<Push>,
    pub created: Time,
    /// When it was last changed.
    pub updated: Time,
}

/// What a template gives: the wording for people depends on the key.
#[derive(Clone, PartialEq, Debug)]
pub enum TemplatePolicy {
    Text(PolicyText),
    /// One that gives these people their rights; nobody: AWS's default.
    Principals(PolicyPrincipals),
}

impl TemplatePolicy {
    /// The policy for a key.
    ///
    /// # Errors
    /// When a name can be none in the key's partition, or the policy would be longer than AWS takes.
    pub fn for_key(&self, setting: &PolicyContext) -> Result<PolicyText, PeopleMistake> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Principals(people) => people.policy(setting),
        }
    }

    /// Checks the policy for a key that encrypts, as most do.
    ///
    /// # Errors
    /// As for [`Self::for_key`].
    pub fn check(&self, partition: Partition, account: AccountId) -> Result<(), Refusal> {
        let context = PolicyContext { partition, account, usage: KeyUsage::EncryptDecrypt };
        self.for_key(&context).map(drop).map_err(|problem| invalid("policy", problem))
    }
}

/// What became of a policy that was pushed to the template's keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Push {
    /// The keys that have it now.
    pub done: Vec<KeyId>,
    /// The keys that do not, and why.
    pub failed: Vec<(KeyId, String)>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum TemplateEvent {
    Created {
        name: TemplateName,
        /// The account whose keys it is for.
        account: AccountId,
        /// The KMS that it was made for, if it was made for one.
        kms: Option<KmsId>,
        policy: TemplatePolicy,
    },
    PolicyReplaced {
        to: TemplatePolicy,
    },
    /// Its policy was pushed to its keys.
    Pushed(Push),
    /// The template is no more.
    Deleted,
    /// AWS has accepted its policy on a key.
    Verified,
}

/// What can be asked of templates.
#[derive(Clone, Debug)]
pub enum TemplateCommand {
    Create {
        id: TemplateId,
        name: TemplateName,
        /// The account whose keys it is for.
        account: AccountId,
        /// The KMS that it is made for.
        kms: Option<KmsId>,
        policy: TemplatePolicy,
    },
    /// Let it give another policy.
    ReplacePolicy {
        id: TemplateId,
        patch: Option<TemplatePatch>,
        /// It is pushed to the template's keys afterwards.
        pushes: bool,
    },
    /// Write down how a push went.
    NotePush {
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
    /// Takes in what has happened to a template.
    pub(super) fn apply(&mut self, at: Time, id: TemplateId, event: &TemplateEvent) {
        match event {
            TemplateEvent::Created { name, account, kms, policy } => self.insert(Template {
                id,
                name: name.clone(),
                account: *account,
                kms: *kms,
                policy: policy.clone(),
                policy_since: at,
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
                self.policy_since = at;
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
