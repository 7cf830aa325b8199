//! Keys whose material this program holds and never gives to AWS ("hold your own key"): keys of external key stores
//! that the program serves. AWS asks the XKS proxy for each encryption and decryption.
//!
//! A key is linked once AWS knows it. Before that its metadata is what AWS is going to be told, and its ARN has the id
//! that the key has here.

pub mod decide;
#[cfg(test)]
mod linking_tests;

use super::aggregate::Key;
use super::event::{Aspect, KeyEvent};
use super::metadata::KeyMetadata;
use super::operation::NewKey;
use crate::domain::id::{KeyId, KeyStoreId, KmsId, OperationId, SourceKeyId};
use crate::domain::key_store::caller_rules::CallerRules;
use crate::domain::place::Region;
use crate::domain::refusal::{KeyRefusal, Refusal};
use crate::domain::time::Time;

/// What this program holds of a key.
#[derive(Clone, PartialEq, Debug)]
pub struct HyokKey {
    pub store: KeyStoreId,
    /// Whether AWS knows the key.
    pub linked: bool,
    /// Whether the proxy refuses every request for the key.
    pub blocked: bool,
    /// The tier of the source keys, as the client named it.
    pub source_key_tier: String,
    /// The callers that the key serves; they narrow those of the store.
    pub caller_rules: CallerRules,
    /// The versions, oldest first. The last one encrypts; each decrypts what it has encrypted.
    pub versions: Vec<HyokVersion>,
}

/// A version of a key: its number is its place in the list, from 1 on.
#[derive(Clone, PartialEq, Debug)]
pub struct HyokVersion {
    pub source: SourceKeyId,
    pub created: Time,
    /// The number of encryptions that was recorded last. There may have been fewer, and up to one step more.
    pub encryptions: u64,
}

/// A key to create that AWS does not know yet.
#[derive(Clone, PartialEq, Debug)]
pub struct NewHyokKey {
    pub store: KeyStoreId,
    pub source: SourceKeyId,
    /// The tier of the source key, as the client named it.
    pub source_key_tier: String,
    pub blocked: bool,
    pub caller_rules: CallerRules,
    /// What AWS is going to be told: metadata, aliases, tags, policy.
    pub planned: Vec<Aspect>,
}

#[derive(Clone, Debug)]
pub enum HyokCommand {
    Create {
        id: KeyId,
        new: Box<NewHyokKey>,
        at: Time,
        /// The operation that links the key at once; `None` for a key that stays unlinked.
        link: Option<OperationId>,
        /// Accept a policy that would lock everybody out (`BypassPolicyLockoutSafetyCheck`).
        bypass_lockout_check: bool,
    },
    Block {
        id: KeyId,
    },
    Unblock {
        id: KeyId,
    },
    SetCallerRules {
        id: KeyId,
        rules: CallerRules,
    },
    /// Encrypt with another source key from now on.
    Rotate {
        id: KeyId,
        source: SourceKeyId,
        at: Time,
    },
    /// Remove a key that AWS does not know, or does not have any more, with its versions.
    Delete {
        id: KeyId,
    },
    /// Record a number of encryptions that the version is not going to exceed before the next record.
    CountEncryptions {
        id: KeyId,
        version: u32,
        encryptions: u64,
    },
}

impl HyokKey {
    /// The number of the version that encrypts.
    pub fn active(&self) -> u32 {
        u32::try_from(self.versions.len()).unwrap_or(u32::MAX)
    }

    pub fn version(&self, number: u32) -> Option<&HyokVersion> {
        self.versions.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The source key that encrypts now.
    pub fn source(&self) -> Option<SourceKeyId> {
        self.versions.last().map(|version| version.source)
    }

    fn count(&mut self, number: u32, encryptions: u64) {
        let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        if let Some(version) = place.and_then(|place| self.versions.get_mut(place)) {
            version.encryptions = version.encryptions.max(encryptions);
        }
    }
}

impl Key {
    /// Returns a key that AWS does not know yet; `None` if its metadata is not planned.
    pub(super) fn unlinked(id: KeyId, kms: KmsId, region: Region, at: Time, new: &NewHyokKey) -> Option<Self> {
        let mut key = Self::known(id, kms, region, at, &new.planned)?;
        let NewHyokKey { store, source, source_key_tier, blocked, caller_rules, planned: _ } = new.clone();
        let versions = vec![HyokVersion { source, created: at, encryptions: 0 }];
        key.hyok = Some(Box::new(HyokKey { store, linked: false, blocked, source_key_tier, caller_rules, versions }));
        Some(key)
    }

    /// Whether AWS does not know the key yet.
    pub fn is_unlinked(&self) -> bool {
        self.hyok.as_ref().is_some_and(|hyok| !hyok.linked)
    }

    /// The settings with which AWS creates an unlinked key as it is planned.
    pub fn plan(&self) -> NewKey {
        let KeyMetadata { spec, usage, origin, description, .. } = self.metadata.clone();
        NewKey {
            aliases: self.aliases.clone(),
            spec,
            usage,
            origin,
            description,
            multi_region: false,
            policy: self.policy.clone(),
            bypass_lockout_check: false,
            tags: self.tags.clone(),
        }
    }

    /// Records that AWS knows the key.
    pub(super) fn link(&mut self) {
        if let Some(hyok) = &mut self.hyok {
            hyok.linked = true;
        }
    }

    /// # Errors
    /// When AWS does not know the key yet.
    pub fn refuse_unlinked(&self) -> Result<(), Refusal> {
        if self.is_unlinked() { Err(KeyRefusal::Unlinked(self.id).into()) } else { Ok(()) }
    }

    /// Applies the events of keys that this program holds.
    pub(super) fn apply_hyok(&mut self, at: Time, event: &KeyEvent) {
        let Some(hyok) = &mut self.hyok else { return };
        match event {
            KeyEvent::HyokBlocked => hyok.blocked = true,
            KeyEvent::HyokUnblocked => hyok.blocked = false,
            KeyEvent::CallerRulesSet { rules } => hyok.caller_rules = rules.clone(),
            KeyEvent::HyokRotated { source } => {
                hyok.versions.push(HyokVersion { source: *source, created: at, encryptions: 0 });
                self.rotated_at = Some(at);
                self.last_rotation = Some(Ok(()));
            }
            KeyEvent::EncryptionsCounted { version, encryptions } => {
                hyok.count(*version, *encryptions);
                // A count is no change that a client would look for.
                return;
            }
            KeyEvent::OperationRequested { .. }
            | KeyEvent::OperationDone { .. }
            | KeyEvent::OperationFailed { .. }
            | KeyEvent::OperationReconciled { .. }
            | KeyEvent::Found { .. }
            | KeyEvent::Observed { .. }
            | KeyEvent::Vanished
            | KeyEvent::RotationJobSet { .. }
            | KeyEvent::Forgotten
            | KeyEvent::Unmanaged { .. }
            | KeyEvent::Replaced { .. }
            | KeyEvent::AliasMoved { .. }
            | KeyEvent::MaterialNotRotated { .. }
            | KeyEvent::HyokCreated { .. }
            | KeyEvent::HyokLinked { .. }
            | KeyEvent::VirtualKeyMade { .. }
            | KeyEvent::VirtualKeyDeletable { .. }
            | KeyEvent::VirtualKeyDeleted => return,
        }
        self.updated = at;
    }
}
