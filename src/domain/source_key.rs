//! Source keys: key material that is generated or uploaded here, to be imported into AWS keys. The material is sealed;
//! only its fingerprint and public key are not.

pub mod attributes;
pub mod command;
pub mod decide;
pub mod event;
pub mod kind;
pub mod lifecycle;
pub mod refusal;

pub use command::{NewVersion, SourceKeyCommand, SourceKeyPatch};
pub use event::SourceKeyEvent;

use super::collection::Named;
use super::id::SourceKeyId;
use super::name::{JsonText, SourceKeyName};
use super::refusal::{Bounds, Refusal};
use super::sealed::Sealed;
use super::time::Time;
use attributes::Attributes;
use kind::SourceKeyKind;
use lifecycle::Lifecycle;
use std::fmt;

/// One version of a source key. The versions share a name, and each has an id, a material and a state of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceKey {
    pub id: SourceKeyId,
    /// The number of the version, from 0 on.
    pub version: u32,
    /// The properties from its creation, with the present values of those that can be changed.
    pub made: NewSourceKey,
    pub attributes: Attributes,
    pub lifecycle: Lifecycle,
    /// The sealed material; empty once it is destroyed.
    pub material: Sealed,
    /// Whether the material was ever exported.
    pub exported: bool,
    pub created: Time,
    /// When it was last changed. An export is no change.
    pub updated: Time,
}

/// The properties of a new source key, without its material.
#[derive(Clone, PartialEq, Debug)]
pub struct NewSourceKey {
    pub name: SourceKeyName,
    pub kind: SourceKeyKind,
    pub origin: MaterialOrigin,
    /// The uses that the client declared. No rule depends on them.
    pub usage: UsageMask,
    /// Whether the material may leave only by imports into AWS.
    pub unexportable: bool,
    pub undeletable: bool,
    pub labels: Option<JsonText>,
    pub meta: Option<JsonText>,
    pub fingerprint: Fingerprint,
    /// The public key of an RSA or EC key, in PEM.
    pub public_key: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MaterialOrigin {
    Generated,
    /// A client uploaded the material, and may still have it.
    Brought,
}

/// The vendor's bits for uses of a key: 1 sign, 2 verify, 4 encrypt, 8 decrypt, and so on up to bit 21.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsageMask(u32);

impl UsageMask {
    const ALL: u32 = 4_194_303;

    /// Checks a mask.
    ///
    /// # Errors
    /// When it has unknown bits.
    pub fn parse(mask: u64) -> Result<Self, Refusal> {
        match u32::try_from(mask) {
            Ok(mask) if mask <= Self::ALL => Ok(Self(mask)),
            _ => Err(Refusal::OutOfRange {
                member: "usageMask",
                problem: format!("must be a sum of bits up to {}, and {mask} is more", Self::ALL),
                limit: Bounds::most(Self::ALL.into()),
            }),
        }
    }

    /// Returns the default mask of a kind: all uses that the kind is made for.
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

/// The SHA-256 of a symmetric material, or of the public key (DER) of an asymmetric one.
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

#[cfg(test)]
pub(super) mod tests;
