//! Where a key's material and its policy come from: source keys, templates, people.

use super::Keys;
use super::creation::PolicyChoice;
use crate::domain::id::SourceKeyId;
use crate::domain::key::aggregate::Key;
use crate::domain::key::index::Term;
use crate::domain::key::operation::Operation;
use crate::domain::key::policy::PolicyContext;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::KeySpec;
use crate::domain::key::tag::Tag;
use crate::domain::place::Partition;
use crate::domain::source_key::SourceKey;
use crate::domain::source_key::kind::SourceKeyKind;
use crate::domain::template::TEMPLATE_TAG;
use crate::service::caller::Change;
use crate::service::failure::{Failure, invalid};
use crate::service::source_keys::{NamedBy, SourceKeyDraft, find};
use crate::service::templates;
use std::sync::Arc;

impl Keys {
    /// The policy that a choice comes to; a template leaves its tag.
    pub(super) fn policy(
        &self,
        choice: PolicyChoice,
        policy_context: &PolicyContext,
        tags: &mut Vec<Tag>,
    ) -> Result<Option<PolicyText>, Failure> {
        match choice {
            PolicyChoice::Default => Ok(None),
            PolicyChoice::Text(text) => Ok(Some(text)),
            PolicyChoice::Principals(principals) => {
                Ok(Some(principals.policy(policy_context).map_err(|problem| invalid("policy", problem))?))
            }
            PolicyChoice::Template(text) => {
                let template = templates::find_for(&self.recorder.state().state, &text, policy_context.account)?;
                tags.retain(|tag| tag.key != TEMPLATE_TAG);
                tags.push(Tag::new(TEMPLATE_TAG, template.id.to_string()));
                let policy = template.policy.for_key(policy_context);
                Ok(Some(policy.map_err(|problem| invalid("policytemplate", problem))?))
            }
        }
    }

    /// The source key of this name or id.
    pub(super) fn source_key(&self, text: &str) -> Result<Arc<SourceKey>, Failure> {
        find(&self.recorder.state().state, text, NamedBy::Either)
    }

    /// Makes a source key whose material fits a key like this one: where the new material of keys with the key source
    /// `local` comes from. It may be exported if that whose place it takes may.
    ///
    /// # Errors
    /// When no source key fits.
    pub(in crate::service) async fn fresh_source_key(
        &self,
        change: &Change,
        like: &Key,
    ) -> Result<SourceKeyId, Failure> {
        let published = self.recorder.state();
        let Some(kind) = SourceKeyKind::fitting(&like.metadata.spec, like.metadata.arn.partition()) else {
            let problem = format!("`local`: no source key fits a key with spec {}", like.metadata.spec);
            return Err(invalid("auto_rotate_key_source", problem).into());
        };
        let before = like.materials.last().and_then(|material| published.state.source_keys.get(&material.source));
        let draft = SourceKeyDraft {
            name: None,
            kind,
            usage: None,
            unexportable: before.is_some_and(|before| before.made.unexportable),
            undeletable: false,
            labels: None,
            meta: None,
            brought: None,
        };
        Ok(self.source_keys.make(change, draft).await?.id)
    }

    /// Deletes a source key that was made for an operation which came to nothing, unless AWS may have its material.
    pub(in crate::service) async fn drop_unused(&self, change: &Change, id: SourceKeyId) {
        let published = self.recorder.state();
        let state = &published.state;
        let imported = !state.keys.find(Term::SourceKey(id)).is_empty();
        let is_open = |wanted: &Operation| wanted.import().is_some_and(|import| import.source == id);
        if imported || state.operations.values().any(|pending| is_open(&pending.wanted)) {
            return;
        }
        if let Err(failure) = self.source_keys.remove(change, id).await {
            tracing::warn!(source_key = %id, %failure, "a source key that nobody needs could not be deleted");
        }
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
            (Some(spec), _) => Err(problem(&format!("a key with spec {spec}")).into()),
            (None, Some(spec)) => Ok(spec),
            (None, None) => Err(problem("any key of AWS's").into()),
        }
    }
}
