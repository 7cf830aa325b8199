//! Where a key's material and its policy come from: source keys, templates, people.

use super::creation::PolicyChoice;
use crate::domain::id::SourceKeyId;
use crate::domain::key::policy::Setting;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::KeySpec;
use crate::domain::key::tag::Tag;
use crate::domain::place::Partition;
use crate::domain::source_key::SourceKey;
use crate::service::Core;
use crate::service::failure::{Failure, invalid};
use crate::service::material::wrapping::Wrapping;
use crate::service::source_keys::{NamedBy, find};
use std::sync::Arc;

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
    pub(super) fn source_key(&self, text: &str) -> Result<Arc<SourceKey>, Failure> {
        find(&self.state().state, text, NamedBy::Either)
    }

    /// The spec that a source key's material fits: the wanted one, or the only one there is.
    ///
    /// # Errors
    /// When it fits none.
    pub(super) fn fitting_spec(
        &self,
        source: &str,
        wanted: Option<KeySpec>,
        cloud: Partition,
    ) -> Result<KeySpec, Failure> {
        let source = self.source_key(source)?;
        let kind = source.made.kind;
        let problem = |spec: &str| {
            invalid(
                "source_key_identifier",
                format!("`{}` is {} {}, which does not fit {spec}", source.made.name, kind.algorithm(), kind.bits()),
            )
        };
        match (wanted, kind.aws_spec(cloud)) {
            (Some(spec), _) if kind.fits(&spec, cloud) => Ok(spec),
            (Some(spec), _) => Err(problem(&format!("a key with spec {spec}"))),
            (None, Some(spec)) => Ok(spec),
            (None, None) => Err(problem("any key of AWS's")),
        }
    }

    /// The material of a source key, wrapped for AWS with its public key.
    pub(super) fn wrap(&self, source: SourceKeyId, wrapping_key: &[u8]) -> Result<Vec<u8>, Failure> {
        let kind = self.state().state.source_key(source)?.made.kind;
        Wrapping::of(kind).wrap(&self.material(source)?, wrapping_key)
    }
}
