//! Where a key's material and its policy come from: source keys, templates, people.

use super::creation::PolicyChoice;
use crate::aws::kms::port::WrappingAlgorithm;
use crate::domain::id::SourceKeyId;
use crate::domain::key::policy::Setting;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::KeySpec;
use crate::domain::key::tag::Tag;
use crate::domain::place::Partition;
use crate::service::Core;
use crate::service::failure::{Failure, invalid};

impl Core {
    /// The policy that a choice comes to; a template leaves its tag.
    pub(super) fn policy(
        &self,
        choice: PolicyChoice,
        setting: &Setting,
        _tags: &mut Vec<Tag>,
    ) -> Result<Option<PolicyText>, Failure> {
        match choice {
            PolicyChoice::Default => Ok(None),
            PolicyChoice::Text(text) => Ok(Some(text)),
            PolicyChoice::People(people) => {
                Ok(Some(people.policy(setting).map_err(|problem| invalid("policy", problem))?))
            }
            PolicyChoice::Template(name) => Err(invalid("policytemplate", format!("`{name}` does not exist"))),
        }
    }

    /// The source key of this name or id.
    pub(super) fn source_key(&self, text: &str) -> Result<SourceKeyId, Failure> {
        Err(invalid("source_key_identifier", format!("`{text}` does not exist")))
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
