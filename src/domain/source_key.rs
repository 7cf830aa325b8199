//! Source keys: material that is made or brought here, to be imported into AWS keys. The material is sealed and passes
//! through untouched; only the fingerprint and the public half are here in the clear.

pub mod decide;
pub mod kind;
pub mod refusal;

use super::collection::{Collection, Named};
use super::id::SourceKeyId;
use super::name::{JsonText, SourceKeyName};
use super::refusal::Refusal;
use super::sealed::Sealed;
use super::time::Time;
use kind::SourceKeyKind;
use std::fmt;

/// A source key as it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceKey {
    pub id: SourceKeyId,
    /// What it was made as, with labels and metadata as they are now.
    pub made: NewSourceKey,
    /// Its material, sealed.
    pub material: Sealed,
    /// Did its material ever leave by an export?
    pub exported: bool,
    pub created: Time,
    /// When it was last changed (an export changes nothing).
    pub updated: Time,
}

/// All that is known of a source key when it is made, save its material.
#[derive(Clone, PartialEq, Debug)]
pub struct NewSourceKey {
    pub name: SourceKeyName,
    pub kind: SourceKeyKind,
    /// Where the material comes from.
    pub origin: MaterialOrigin,
    /// What clients say that it may be used for. Nothing here depends on it.
    pub usage: UsageMask,
    /// Must the material stay here, save for imports into AWS?
    pub unexportable: bool,
    /// Is it never to be deleted?
    pub undeletable: bool,
    pub labels: Option<JsonText>,
    pub meta: Option<JsonText>,
    pub fingerprint: Fingerprint,
    /// The public half of an RSA or EC key, in PEM.
    pub public_key: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MaterialOrigin {
    Generated,
    /// A client brought it, and may still have it.
    Brought,
}

/// The vendor's bits for uses of a key: 1 sign, 2 verify, 4 encrypt, 8 decrypt, and so on up to bit 21.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsageMask(u32);

impl UsageMask {
    const ALL: u32 = 4_194_303;

    /// Takes a mask.
    ///
    /// # Errors
    /// When it has bits that mean nothing.
    pub fn parse(mask: u64) -> Result<Self, Refusal> {
        match u32::try_from(mask) {
            Ok(mask) if mask <= Self::ALL => Ok(Self(mask)),
            _ => Err(Refusal::Invalid {
                member: "usageMask",
                problem: format!("must be a sum of bits up to {}, and {mask} is more", Self::ALL),
            }),
        }
    }

    /// The mask of a key for which none was given: all that a key of its kind is made for.
    pub const fn usual(kind: SourceKeyKind) -> Self {
        match kind {
            SourceKeyKind::Aes(_) => Self(4 | 8),
            SourceKeyKind::Rsa(_) => Self(1 | 2 | 4 | 8),
            SourceKeyKind::Ec(_) => Self(1 | 2),
            SourceKeyKind::Hmac(..) => Self(128 | 256),
        }
    }

    pub const fn bits(self) -> u32 {
        self.0
    }
}

/// SHA-256 of a symmetric material, or of the public half (DER) of an asymmetric one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Events of a source key. Their records name the actor.
#[derive(Clone, PartialEq, Debug)]
pub enum SourceKeyEvent {
    /// A source key was made.
    Created {
        /// All that is known of it.
        made: Box<NewSourceKey>,
        /// Its material, sealed.
        material: Sealed,
    },
    /// Labels or metadata were changed.
    Described {
        /// All of them, as they are now.
        labels: Option<JsonText>,
        /// All of it, as it is now.
        meta: Option<JsonText>,
    },
    /// The material is not to leave any more, save for imports into AWS.
    MadeUnexportable,
    /// The material left, in the clear.
    Exported,
    /// The source key is no more; nor is the key that its material was sealed with.
    Deleted,
}

/// What can be asked of source keys.
#[derive(Clone, Debug)]
pub enum SourceKeyCommand {
    Create {
        id: SourceKeyId,
        /// All that is known of it.
        made: Box<NewSourceKey>,
        /// Its material, sealed.
        material: Sealed,
    },
    /// Change what differs; what is none stays as it is.
    Update {
        id: SourceKeyId,
        labels: Option<JsonText>,
        meta: Option<JsonText>,
        /// Must the material stay here? Only ever towards yes.
        unexportable: Option<bool>,
    },
    /// Note that the material is about to leave.
    Export {
        id: SourceKeyId,
    },
    Delete {
        id: SourceKeyId,
    },
}

impl Named for SourceKey {
    type Id = SourceKeyId;
    type Name = SourceKeyName;

    fn id(&self) -> SourceKeyId {
        self.id
    }

    fn name(&self) -> SourceKeyName {
        self.made.name.clone()
    }
}

impl Collection<SourceKey> {
    /// Takes in what has happened to a source key.
    pub(super) fn apply(&mut self, at: Time, id: SourceKeyId, event: &SourceKeyEvent) {
        match event {
            SourceKeyEvent::Created { made, material } => self.insert(SourceKey {
                id,
                made: made.as_ref().clone(),
                material: material.clone(),
                exported: false,
                created: at,
                updated: at,
            }),
            SourceKeyEvent::Deleted => drop(self.remove(&id)),
            SourceKeyEvent::Described { .. } | SourceKeyEvent::MadeUnexportable | SourceKeyEvent::Exported => {
                self.change(&id, |key| key.apply(at, event));
            }
        }
    }
}

impl SourceKey {
    /// In which state of the KMIP standard it is: usable, as all source keys are as long as they exist.
    pub const STATE: &str = "Active";

    fn apply(&mut self, at: Time, event: &SourceKeyEvent) {
        match event {
            SourceKeyEvent::Described { labels, meta } => {
                self.made.labels = labels.clone();
                self.made.meta = meta.clone();
            }
            SourceKeyEvent::MadeUnexportable => self.made.unexportable = true,
            SourceKeyEvent::Exported => {
                self.exported = true;
                return;
            }
            SourceKeyEvent::Created { .. } | SourceKeyEvent::Deleted => return,
        }
        self.updated = at;
    }
}

#[cfg(test)]
mod tests;
