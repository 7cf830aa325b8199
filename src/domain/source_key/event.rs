//! The events of source keys, and their effect. The records of events name the actor.

use super::attributes::Attributes;
use super::lifecycle::{Lifecycle, ReactivationReason, Revocation};
use super::{NewSourceKey, SourceKey, UsageMask};
use crate::domain::collection::Collection;
use crate::domain::id::SourceKeyId;
use crate::domain::name::JsonText;
use crate::domain::sealed::Sealed;
use crate::domain::time::Time;

#[derive(Clone, PartialEq, Debug)]
pub enum SourceKeyEvent {
    /// A source key was created, before source keys had versions and a lifecycle: its only version, active at once.
    Created {
        made: Box<NewSourceKey>,
        /// The sealed material.
        material: Sealed,
    },
    /// The labels or the metadata changed.
    Described {
        /// The complete new labels.
        labels: Option<JsonText>,
        /// The complete new metadata.
        meta: Option<JsonText>,
    },
    /// The material may leave only by imports into AWS from now on.
    MadeUnexportable,
    /// The material was exported in plain text.
    Exported,
    /// The version was deleted, and with it the data key that sealed its material.
    Deleted,
    /// A version of a source key was created: the first one, or a further one.
    VersionCreated {
        version: u32,
        made: Box<NewSourceKey>,
        /// The sealed material.
        material: Sealed,
        attributes: Box<Attributes>,
        lifecycle: Box<Lifecycle>,
        /// The source key whose material this one got.
        clone_of: Option<SourceKeyId>,
        /// Whether the material was exported before it was cloned.
        exported: bool,
    },
    UsageSet {
        usage: UsageMask,
    },
    UndeletableSet {
        undeletable: bool,
    },
    AttributesSet {
        /// All new attributes.
        attributes: Box<Attributes>,
    },
    /// A client set dates.
    LifecycleSet {
        /// The complete new lifecycle.
        lifecycle: Box<Lifecycle>,
    },
    Revoked {
        revocation: Revocation,
        /// When a compromise is believed to have happened; `None` for the time of the creation.
        occurred: Option<Time>,
    },
    Reactivated {
        reason: ReactivationReason,
        message: String,
    },
    Archived,
    Recovered,
    /// The material was destroyed: the data key that sealed it was deleted.
    Destroyed,
    /// The material was exported in wrapped form.
    ExportedWrapped {
        /// The source key that wraps it; `None` for a public key of the client.
        with: Option<SourceKeyId>,
    },
}

impl Collection<SourceKey> {
    pub(in crate::domain) fn apply(&mut self, at: Time, id: SourceKeyId, event: &SourceKeyEvent) {
        match event {
            SourceKeyEvent::Created { made, material } => self.insert(SourceKey {
                id,
                version: 0,
                made: made.as_ref().clone(),
                attributes: Attributes::default(),
                lifecycle: Lifecycle::active_since(at),
                material: material.clone(),
                exported: false,
                created: at,
                updated: at,
            }),
            SourceKeyEvent::VersionCreated {
                version,
                made,
                material,
                attributes,
                lifecycle,
                exported,
                clone_of: _,
            } => {
                self.insert(SourceKey {
                    id,
                    version: *version,
                    made: made.as_ref().clone(),
                    attributes: attributes.as_ref().clone(),
                    lifecycle: lifecycle.as_ref().clone(),
                    material: material.clone(),
                    exported: *exported,
                    created: at,
                    updated: at,
                });
            }
            SourceKeyEvent::Deleted => drop(self.remove(&id)),
            SourceKeyEvent::Described { .. }
            | SourceKeyEvent::MadeUnexportable
            | SourceKeyEvent::Exported
            | SourceKeyEvent::UsageSet { .. }
            | SourceKeyEvent::UndeletableSet { .. }
            | SourceKeyEvent::AttributesSet { .. }
            | SourceKeyEvent::LifecycleSet { .. }
            | SourceKeyEvent::Revoked { .. }
            | SourceKeyEvent::Reactivated { .. }
            | SourceKeyEvent::Archived
            | SourceKeyEvent::Recovered
            | SourceKeyEvent::Destroyed
            | SourceKeyEvent::ExportedWrapped { .. } => self.change(&id, |key| key.apply(at, event)),
        }
    }
}

impl SourceKey {
    fn apply(&mut self, at: Time, event: &SourceKeyEvent) {
        match event {
            SourceKeyEvent::Described { labels, meta } => {
                self.made.labels = labels.clone();
                self.made.meta = meta.clone();
            }
            SourceKeyEvent::MadeUnexportable => self.made.unexportable = true,
            SourceKeyEvent::Exported | SourceKeyEvent::ExportedWrapped { .. } => {
                self.exported = true;
                return;
            }
            SourceKeyEvent::UsageSet { usage } => self.made.usage = *usage,
            SourceKeyEvent::UndeletableSet { undeletable } => self.made.undeletable = *undeletable,
            SourceKeyEvent::AttributesSet { attributes } => self.attributes = attributes.as_ref().clone(),
            SourceKeyEvent::LifecycleSet { lifecycle } => self.lifecycle = lifecycle.as_ref().clone(),
            SourceKeyEvent::Revoked { revocation, occurred } => {
                self.lifecycle.revoke(revocation.clone(), *occurred, at, self.created);
            }
            SourceKeyEvent::Reactivated { reason, .. } => self.lifecycle.reactivate(*reason, at),
            SourceKeyEvent::Archived => self.lifecycle.archive = Some(at),
            SourceKeyEvent::Recovered => self.lifecycle.archive = None,
            SourceKeyEvent::Destroyed => {
                self.lifecycle.destroy = Some(at);
                self.material = Sealed(Vec::new());
            }
            SourceKeyEvent::Created { .. } | SourceKeyEvent::VersionCreated { .. } | SourceKeyEvent::Deleted => return,
        }
        self.updated = at;
    }
}
