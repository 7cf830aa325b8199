//! A text that nobody may see by accident.
//!
//! The lab's secrets protect nothing, but the habit of never printing one has to hold here as everywhere.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A secret text. `Debug` shows none of it, and there is no `Display`.
#[derive(Clone)]
pub(super) struct Secret(Zeroizing<String>);

impl Secret {
    pub(super) fn new(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }

    /// The text itself, for signing and for the answer that hands it out.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    // Through a value, because serde's own "invalid type" message would quote what stands there.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        match toml::Value::deserialize(from)? {
            toml::Value::String(text) => Ok(Secret::new(text)),
            _ => Err(D::Error::custom("a secret is a string")),
        }
    }
}

/// Only for what is sealed right afterwards: a session inside its token.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.reveal())
    }
}
