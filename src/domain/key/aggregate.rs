//! An AWS key in the state: the properties that AWS last reported, and those that only Claviger keeps.

use super::aws_enums::{KeyState, MultiRegionKind, Origin};
use super::event::{Aspect, KeyEvent, LOCAL, NATIVE, RotationJob};
use super::hyok::HyokKey;
use super::last_use::LastUse;
use super::mark;
use super::material::{MaterialId, MaterialState};
use super::metadata::{KeyMetadata, Rotation, RotationStatus};
use super::name::{AliasName, AwsKeyId};
use super::operation::{Import, KeyRotation, Operation};
use super::policy_text::PolicyText;
use super::shared::share_algorithms;
use super::tag::Tag;
use crate::domain::action::Action;
use crate::domain::id::{KeyId, KmsId, OperationId, SourceKeyId};
use crate::domain::place::Region;
use crate::domain::time::Time;

#[derive(Clone, PartialEq, Debug)]
pub struct Key {
    pub id: KeyId,
    pub kms: KmsId,
    pub region: Region,
    pub metadata: KeyMetadata,
    pub aliases: Vec<AliasName>,
    /// The tags, including Claviger's own.
    pub tags: Vec<Tag>,
    /// The policy; `None` if it was not read yet, or may not be read.
    pub policy: Option<PolicyText>,
    /// The automatic rotation; `None` if the key has none, or it was not read yet.
    pub rotation: Option<RotationStatus>,
    /// When AWS last saw the key in use; `None` if that was not read yet, or may not be read.
    pub last_use: Option<LastUse>,
    /// The materials that Claviger imported, oldest first.
    pub materials: Vec<ImportedMaterial>,
    /// What this program holds of the key; `None` for a key whose material AWS or another key manager holds.
    pub hyok: Option<Box<HyokKey>>,
    /// The pending operation on the key.
    pub pending: Option<OperationId>,
    /// Whether AWS no longer has the key.
    pub gone: bool,
    /// When AWS was first seen to have the present material; `None` if the key was never seen to have another.
    pub material_changed: Option<Time>,
    /// The key that this one replaced.
    pub rotated_from: Option<KeyId>,
    /// The key that replaced this one.
    pub rotated_to: Option<KeyId>,
    /// When Claviger replaced the key or rotated its material.
    pub rotated_at: Option<Time>,
    /// The result of the last rotation by Claviger, with the reason of a failure.
    pub last_rotation: Option<Result<(), String>>,
    /// The schedule that rotates the key.
    pub rotation_job: Option<RotationJob>,
    /// When the key was last read at AWS.
    pub synced: Time,
    /// When the key was added to the state.
    pub created: Time,
    /// When the key last changed in the state.
    pub updated: Time,
}

/// A material that Claviger imported.
#[derive(Clone, PartialEq, Debug)]
pub struct ImportedMaterial {
    pub source: SourceKeyId,
    /// AWS's id of the material, once it is known.
    pub material: Option<MaterialId>,
    pub valid_to: Option<Time>,
    pub imported: Time,
}

/// The origin of a key's material, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MaterialOrigin {
    Native,
    /// Claviger imported it, or holds it.
    Cckm,
    /// Another program imported it, or it is in a custom key store.
    Unknown,
}

impl MaterialOrigin {
    /// The word that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Cckm => "cckm",
            Self::Unknown => "unknown",
        }
    }
}

/// The properties of a key as AWS reported them. A property that was not requested is `None`.
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    pub metadata: KeyMetadata,
    pub aliases: Option<Vec<AliasName>>,
    pub tags: Option<Vec<Tag>>,
    pub policy: Option<PolicyText>,
    pub rotation: Option<RotationStatus>,
    pub last_use: Option<LastUse>,
    /// AWS's id of the material that an operation imported.
    pub imported: Option<MaterialId>,
}

/// The evidence for the outcome of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Certainty {
    /// AWS confirmed the operation.
    Done,
    /// AWS's answer was lost; the outcome is inferred from the present properties of the key.
    Inferred,
}

impl Key {
    /// Creates a key from its aspects; `None` if its metadata is not among them.
    pub fn known(id: KeyId, kms: KmsId, region: Region, at: Time, learned: &[Aspect]) -> Option<Self> {
        let metadata = learned.iter().find_map(|aspect| match aspect {
            Aspect::Metadata(metadata) => Some(metadata.as_ref().clone()),
            Aspect::Aliases(_)
            | Aspect::Tags(_)
            | Aspect::Policy(_)
            | Aspect::Rotation(_)
            | Aspect::ImportedMaterial(_)
            | Aspect::LastUse(_) => None,
        })?;
        let mut key = Self {
            id,
            kms,
            region,
            metadata,
            aliases: Vec::new(),
            tags: Vec::new(),
            policy: None,
            rotation: None,
            last_use: None,
            materials: Vec::new(),
            hyok: None,
            pending: None,
            gone: false,
            material_changed: None,
            rotated_from: None,
            rotated_to: None,
            rotated_at: None,
            last_rotation: None,
            rotation_job: None,
            synced: at,
            created: at,
            updated: at,
        };
        key.learn(at, learned);
        Some(key)
    }

    /// Shares the memory of equal values with other keys. Values from events are shared already, those from a snapshot
    /// are not.
    pub(super) fn share(&mut self) {
        self.policy = self.policy.as_ref().map(PolicyText::shared);
        self.metadata.algorithms = share_algorithms(&self.metadata.algorithms);
    }

    /// Updates the key with aspects that were read at AWS.
    pub fn learn(&mut self, at: Time, learned: &[Aspect]) {
        for aspect in learned {
            match aspect {
                Aspect::Metadata(metadata) => self.set_metadata(at, metadata),
                Aspect::Aliases(aliases) => self.aliases.clone_from(aliases),
                Aspect::Tags(tags) => self.tags.clone_from(tags),
                Aspect::Policy(policy) => self.policy = Some(policy.shared()),
                Aspect::Rotation(rotation) => self.rotation = Some(rotation.clone()),
                // The operation that imported it has the rest.
                Aspect::ImportedMaterial(_) => {}
                Aspect::LastUse(last_use) => self.last_use = Some(last_use.clone()),
            }
        }
        self.synced = at;
        // To use a key is not to change it.
        if self.gone || !is_of_use_alone(learned) {
            self.updated = at;
        }
        self.gone = false;
    }

    /// Updates the key with an event. Events of operations are in `apply.rs`.
    pub fn apply(&mut self, at: Time, event: &KeyEvent) {
        match event {
            KeyEvent::Observed { learned } => self.learn(at, learned),
            KeyEvent::Vanished => {
                self.gone = true;
                self.synced = at;
                self.updated = at;
            }
            KeyEvent::RotationJobSet { job } => {
                self.rotation_job.clone_from(job);
                self.updated = at;
            }
            KeyEvent::Replaced { by } => {
                self.rotated_to = Some(*by);
                self.rotation_job = None;
                self.rotated_at = Some(at);
                self.last_rotation = Some(Ok(()));
                self.updated = at;
            }
            KeyEvent::AliasMoved { alias, .. } => {
                self.aliases.retain(|mine| mine != alias);
                self.updated = at;
            }
            KeyEvent::MaterialNotRotated { reason } => {
                self.last_rotation = Some(Err(reason.clone()));
                self.updated = at;
            }
            KeyEvent::HyokBlocked
            | KeyEvent::HyokUnblocked
            | KeyEvent::HyokRotated { .. }
            | KeyEvent::CallerRulesSet { .. }
            | KeyEvent::EncryptionsCounted { .. } => self.apply_hyok(at, event),
            KeyEvent::HyokLinked { learned } => {
                self.learn(at, learned);
                self.link();
            }
            KeyEvent::OperationRequested { .. }
            | KeyEvent::OperationDone { .. }
            | KeyEvent::OperationFailed { .. }
            | KeyEvent::OperationReconciled { .. }
            | KeyEvent::Found { .. }
            | KeyEvent::HyokCreated { .. }
            | KeyEvent::Forgotten
            | KeyEvent::Unmanaged { .. }
            | KeyEvent::VirtualKeyMade { .. }
            | KeyEvent::VirtualKeyDeletable { .. }
            | KeyEvent::VirtualKeyDeleted => {}
        }
    }

    /// Updates the key with the outcome of an operation.
    pub fn complete(&mut self, at: Time, done: &Operation, learned: &[Aspect], certainty: Certainty) {
        let (waited, material) = (self.is_waiting(), self.metadata.current_material.clone());
        self.pending = None;
        self.learn(at, learned);
        let is_certain = certainty == Certainty::Done;
        if let Some(import) = done.import()
            && (is_certain || !self.is_waiting())
        {
            let imported = learned.iter().find_map(|aspect| match aspect {
                Aspect::ImportedMaterial(material) => Some(material),
                Aspect::Metadata(_)
                | Aspect::Aliases(_)
                | Aspect::Tags(_)
                | Aspect::Policy(_)
                | Aspect::Rotation(_)
                | Aspect::LastUse(_) => None,
            });
            self.record_import(at, import, imported, waited);
        }
        if let Operation::Link { .. } = done {
            self.link();
        }
        // Deleted material stays in `materials`: AWS lists it too, and accepts only the same material again.
        match done.rotation() {
            Some(KeyRotation::Replaces(old)) => self.rotated_from = Some(old),
            Some(KeyRotation::OfMaterial) if is_certain || self.metadata.current_material != material => {
                self.rotated_at = Some(at);
                self.last_rotation = Some(Ok(()));
            }
            Some(KeyRotation::OfMaterial) | None => {}
        }
    }

    /// Whether AWS has deleted the key or is about to.
    pub fn is_ending(&self) -> bool {
        self.gone || self.metadata.is_pending_deletion()
    }

    fn is_waiting(&self) -> bool {
        self.metadata.state == KeyState::PendingImport
    }

    /// Updates the key after an operation that failed.
    pub fn fail(&mut self, at: Time, wanted: &Operation, reason: &str) {
        self.pending = None;
        self.updated = at;
        if wanted.rotation().is_some() {
            self.last_rotation = Some(Err(reason.to_owned()));
        }
    }

    /// Returns the source of new material for rotations by a schedule that name none.
    pub fn default_key_source(&self) -> &'static str {
        match self.metadata.origin == Origin::External || self.hyok.is_some() {
            true => LOCAL,
            false => NATIVE,
        }
    }

    /// Replaces the metadata. A material that waited for a rotation gets its AWS id when it becomes the current one.
    fn set_metadata(&mut self, at: Time, metadata: &KeyMetadata) {
        if self.shows_new_material(metadata) {
            self.material_changed = Some(at);
        }
        let current = &metadata.current_material;
        if *current != self.metadata.current_material
            && !self.materials.iter().any(|known| known.material == *current)
            && let Some(waiting) = self.materials.iter_mut().rfind(|known| known.material.is_none())
        {
            waiting.material.clone_from(current);
        }
        self.metadata = metadata.clone();
        self.metadata.algorithms = share_algorithms(&metadata.algorithms);
    }

    /// Records an import. If AWS has not returned the id of the material, it is inferred from the request.
    fn record_import(&mut self, at: Time, import: &Import, imported: Option<&MaterialId>, waited: bool) {
        let may_return = import.existing || waited;
        let of_source = || self.materials.iter().rfind(|known| may_return && known.source == import.source);
        let is_first = may_return || self.materials.is_empty();
        let material = match (imported.or(import.material.as_ref()), of_source()) {
            (Some(material), _) => Some(material.clone()),
            (None, Some(known)) => known.material.clone(),
            (None, None) if is_first => self.metadata.current_material.clone(),
            // A further material is not the current one yet.
            (None, None) => None,
        };
        self.materials.retain(|known| known.source != import.source || known.material != material);
        self.materials.push(ImportedMaterial {
            source: import.source,
            material,
            valid_to: import.valid_to,
            imported: at,
        });
    }

    /// Returns the aspects of a snapshot that differ from the key.
    pub fn news(&self, seen: Snapshot) -> Vec<Aspect> {
        let mut news = Vec::new();
        if seen.metadata != self.metadata {
            news.push(Aspect::Metadata(Box::new(seen.metadata)));
        }
        news.extend(seen.aliases.filter(|aliases| *aliases != self.aliases).map(Aspect::Aliases));
        news.extend(seen.tags.filter(|tags| *tags != self.tags).map(Aspect::Tags));
        news.extend(seen.policy.filter(|policy| Some(policy) != self.policy.as_ref()).map(Aspect::Policy));
        news.extend(seen.rotation.filter(|rotation| Some(rotation) != self.rotation.as_ref()).map(Aspect::Rotation));
        news.extend(seen.imported.map(Aspect::ImportedMaterial));
        let is_news = |seen: &LastUse| seen.is_news(self.last_use.as_ref());
        news.extend(seen.last_use.filter(is_news).map(Aspect::LastUse));
        news
    }

    /// The description, without the mark of an operation.
    pub fn description(&self) -> &str {
        mark::without_mark(&self.metadata.description)
    }

    /// Returns whether the key is a replica with imported material.
    pub fn is_imported_replica(&self) -> bool {
        let kind = self.metadata.multi_region.as_ref().map(|family| &family.kind);
        kind == Some(&MultiRegionKind::Replica) && self.metadata.origin == Origin::External
    }

    /// The key's id at AWS.
    pub fn aws_id(&self) -> &AwsKeyId {
        self.metadata.key_id()
    }

    /// Returns the imported material of a rotation that AWS lists. A material that waits for its rotation has no AWS id
    /// yet.
    pub fn material(&self, told: &Rotation) -> Option<&ImportedMaterial> {
        let named = told.material.as_ref();
        let named = self.materials.iter().rfind(|ours| named.is_some() && ours.material.as_ref() == named);
        use MaterialState::{PendingMultiRegionImportAndRotation, PendingRotation};
        let waits = matches!(told.state, Some(PendingRotation | PendingMultiRegionImportAndRotation));
        named.or_else(|| self.materials.iter().rfind(|ours| waits && ours.material.is_none()))
    }

    /// Returns the import of the current material. Without AWS's id of it, the last import counts.
    pub fn current_import(&self) -> Option<&ImportedMaterial> {
        let current = self.metadata.current_material.as_ref();
        let named = self.materials.iter().rfind(|ours| current.is_some() && ours.material.as_ref() == current);
        named.or(self.materials.last())
    }

    pub fn material_origin(&self) -> MaterialOrigin {
        match self.metadata.origin {
            _ if self.hyok.is_some() => MaterialOrigin::Cckm,
            Origin::AwsKms => MaterialOrigin::Native,
            Origin::External if !self.materials.is_empty() => MaterialOrigin::Cckm,
            // Claviger created the key, and it waits for its material.
            Origin::External if self.metadata.state == KeyState::PendingImport => MaterialOrigin::Cckm,
            Origin::External | Origin::ExternalKeyStore | Origin::AwsCloudHsm | Origin::Other(_) => {
                MaterialOrigin::Unknown
            }
        }
    }

    /// Returns the action that permits viewing the key.
    pub fn view_action(&self) -> Action {
        match self.metadata.origin {
            Origin::External => Action::ViewByok,
            Origin::ExternalKeyStore => Action::ViewHyokKey,
            Origin::AwsCloudHsm => Action::ViewCloudHsmKey,
            Origin::AwsKms | Origin::Other(_) => Action::ViewNative,
        }
    }

    /// Returns the value of a tag.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|tag| tag.key == key).map(|tag| tag.value.as_str())
    }
}

impl Snapshot {
    /// Returns all aspects of the snapshot, for a key that is not in the state.
    pub fn all(self) -> Vec<Aspect> {
        let mut all = vec![Aspect::Metadata(Box::new(self.metadata))];
        all.extend(self.aliases.map(Aspect::Aliases));
        all.extend(self.tags.map(Aspect::Tags));
        all.extend(self.policy.map(Aspect::Policy));
        all.extend(self.rotation.map(Aspect::Rotation));
        all.extend(self.imported.map(Aspect::ImportedMaterial));
        all.extend(self.last_use.map(Aspect::LastUse));
        all
    }
}

/// Whether these aspects say only that the key was used.
pub fn is_of_use_alone(learned: &[Aspect]) -> bool {
    !learned.is_empty() && learned.iter().all(|aspect| matches!(aspect, Aspect::LastUse(_)))
}
