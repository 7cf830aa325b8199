//! A secret text, which `Debug` does not show.
//!
//! The lab's secrets protect nothing, but the rule that no secret is printed applies here too.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A secret text. `Debug` does not show it, and `Display` is not implemented.
#[derive(Clone)]
pub(super) struct Secret(Zeroizing<String>);

impl Secret {
    pub(super) fn new(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }

    /// The text, for signatures and for the answer with the credentials.
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
    // The detour avoids serde's "invalid type" message, which would quote the value.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        match toml::Value::deserialize(from)? {
            toml::Value::String(text) => Ok(Secret::new(text)),
            _ => Err(D::Error::custom("a secret is a string")),
        }
    }
}

/// Only for a session, which is encrypted immediately afterwards.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.reveal())
    }
}
