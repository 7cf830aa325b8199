//! Where a key's material and its policy come from: source keys, templates, people.

use super::creation::PolicyChoice;
use crate::aws::kms::port::WrappingAlgorithm;
use crate::domain::id::SourceKeyId;
use crate::domain::key::aggregate::Key;
use crate::domain::key::policy::Setting;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::KeySpec;
use crate::domain::key::tag::Tag;
use crate::domain::place::Partition;
use crate::domain::template::TEMPLATE_TAG;
use crate::service::caller::Change;
use crate::service::failure::{Failure, invalid};
use crate::service::{Core, templates};

impl Core {
    /// The policy that a choice comes to; a template leaves its tag.
    pub(super) fn policy(
        &self,
        choice: PolicyChoice,
        setting: &Setting,
        tags: &mut Vec<Tag>,
    ) -> Result<Option<PolicyText>, Failure> {
        match choice {
            PolicyChoice::Default => Ok(None),
            PolicyChoice::Text(text) => Ok(Some(text)),
            PolicyChoice::People(people) => {
                Ok(Some(people.policy(setting).map_err(|problem| invalid("policy", problem))?))
            }
            PolicyChoice::Template(text) => {
                let template = templates::find_for(&self.state().state, &text, setting.account)?;
                tags.retain(|tag| tag.key != TEMPLATE_TAG);
                tags.push(Tag::told(TEMPLATE_TAG, template.id.to_string()));
                let policy = template.policy.for_key(setting);
                Ok(Some(policy.map_err(|problem| invalid("policytemplate", problem))?))
            }
        }
    }

    /// The source key of this name or id.
    pub(super) fn source_key(&self, text: &str) -> Result<SourceKeyId, Failure> {
        Err(invalid("source_key_identifier", format!("`{text}` does not exist")))
    }

    /// Makes a source key whose material fits a key like this one, and gives its id: where the new material of keys
    /// with the key source `local` comes from.
    pub(in crate::service) async fn fresh_source_key(&self, _change: &Change, _like: &Key) -> Result<String, Failure> {
        Err(invalid("auto_rotate_key_source", "`local`: there are no source keys in this version"))
    }

    /// The spec that a source key's material fits.
    pub(super) fn fitting_spec(
        &self,
        source: &str,
        _wanted: Option<KeySpec>,
        _cloud: Partition,
    ) -> Result<KeySpec, Failure> {
        self.source_key(source).map(|_| KeySpec::SymmetricDefault)
    }

    /// The material of a source key, wrapped for AWS.
    pub(super) fn wrap(
        &self,
        _source: SourceKeyId,
        _wrapping_key: &[u8],
        _algorithm: WrappingAlgorithm,
    ) -> Result<Vec<u8>, Failure> {
        Err(Failure::Broken("there are no source keys"))
    }
}
