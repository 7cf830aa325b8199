//! The sources of a key's material and policy: source keys, templates and principals.

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
use crate::service::source_keys::{NamedBy, SourceKeyRequest, find};
use crate::service::templates;
use std::sync::Arc;

impl Keys {
    /// Returns the chosen policy; `None` for AWS's default. A template adds its tag to `tags`.
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

    /// Finds a source key whose material may be used: the newest version with a name, or the version with an id.
    ///
    /// # Errors
    /// When there is none, or it is not active.
    pub(super) fn source_key(&self, text: &str) -> Result<Arc<SourceKey>, Failure> {
        let found = find(&self.recorder.state().state, text, NamedBy::Either);
        let key = found.map_err(|failure| failure.of("source_key_identifier"))?;
        key.refuse_use(self.recorder.now())?;
        Ok(key)
    }

    /// Creates a source key whose material fits this key, for imports and rotations that name none. It is exportable if
    /// the source key of the key's current material is.
    ///
    /// # Errors
    /// When no kind of source key fits.
    pub(super) async fn fresh_source_key(&self, change: &Change, like: &Key) -> Result<SourceKeyId, Failure> {
        let published = self.recorder.state();
        let kind = fitting_kind(like).ok_or_else(|| {
            let spec = &like.metadata.spec;
            invalid(
                "source_key_identifier",
                format!("must be given: no source key can be made for a key with spec {spec}"),
            )
        })?;
        let before = like.materials.last().and_then(|material| published.state.source_keys.get(&material.source));
        let request = SourceKeyRequest {
            name: None,
            kind,
            usage: None,
            unexportable: before.is_some_and(|before| before.made.unexportable),
            undeletable: false,
            labels: None,
            meta: None,
            supplied: None,
        };
        Ok(self.source_keys.create_as(change, request).await?.id)
    }

    /// Deletes a source key that was created for an operation that failed, unless AWS may have its material.
    pub(super) async fn delete_unused(&self, change: &Change, id: SourceKeyId) {
        let published = self.recorder.state();
        let state = &published.state;
        let imported = !state.keys.find(Term::SourceKey(id)).is_empty();
        let is_open = |wanted: &Operation| wanted.import().is_some_and(|import| import.source == id);
        if imported || state.operations.values().any(|pending| is_open(&pending.wanted)) {
            return;
        }
        if let Err(failure) = self.source_keys.delete_as(change, id).await {
            tracing::warn!(source_key = %id, %failure, "an unused source key could not be deleted");
        }
    }

    /// Returns the spec of a key for a source key's material: the requested one, or the default for its kind.
    ///
    /// # Errors
    /// When the material does not fit.
    pub(super) fn fitting_spec(
        &self,
        source: &str,
        wanted: Option<KeySpec>,
        cloud: Partition,
    ) -> Result<KeySpec, Failure> {
        let source = self.source_key(source)?;
        let kind = source.made.kind;
        let unfit = |whom: String, takes: Option<String>| {
            let takes = takes.map(|takes| format!("; AWS takes {takes}")).unwrap_or_default();
            let problem = format!("`{}` is {}, which does not fit {whom}{takes}", source.made.name, kind.description());
            invalid("source_key_identifier", problem)
        };
        match (wanted, kind.aws_spec(cloud)) {
            (Some(spec), _) if kind.fits(&spec, cloud) => Ok(spec),
            (Some(spec), _) => {
                Err(unfit(format!("a key with spec {spec}"), SourceKeyKind::wanted_by(&spec, cloud)).into())
            }
            (None, Some(spec)) => Ok(spec),
            (None, None) => Err(unfit("any key of AWS's".to_owned(), kind.taken_instead(cloud)).into()),
        }
    }
}

/// The kind of source key whose material fits this key, if there is one.
pub(super) fn fitting_kind(key: &Key) -> Option<SourceKeyKind> {
    SourceKeyKind::fitting(&key.metadata.spec, key.metadata.arn.partition())
}
