//! The materials of a key: AWS's ids and states of them.

use std::fmt;
use std::sync::Arc;

use super::aws_enums::open_enum;

/// AWS's id of one material of a key: 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MaterialId(Arc<str>);

/// A text that is not the id of a material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the id of a key material: 64 hexadecimal digits are expected")]
pub struct NotAMaterialId(String);

impl MaterialId {
    /// Returns an id from AWS, without a check.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Parses an id from a caller.
    ///
    /// # Errors
    /// When it is not 64 hexadecimal digits in lower case.
    pub fn parse(text: &str) -> Result<Self, NotAMaterialId> {
        let hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() == 64 && hex { Ok(Self::new(text)) } else { Err(NotAMaterialId(text.chars().take(80).collect())) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MaterialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

open_enum! {
    /// The state of a material, on which its use depends.
    MaterialState {
        /// The material decrypts only.
        NonCurrent = "NON_CURRENT",
        /// The material encrypts and decrypts.
        Current = "CURRENT",
        /// The material is not used until the next rotation.
        PendingRotation = "PENDING_ROTATION",
        /// The material is not used until it is imported into all replicas and the key is rotated.
        PendingMultiRegionImportAndRotation = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION",
    }
}

open_enum! {
    /// Whether AWS has an imported material.
    ImportState {
        Imported = "IMPORTED",
        /// The material has expired or was deleted.
        PendingImport = "PENDING_IMPORT",
    }
}

open_enum! {
    /// The cause of a rotation.
    RotationKind {
        Automatic = "AUTOMATIC",
        OnDemand = "ON_DEMAND",
    }
}

open_enum! {
    /// Whether a material is new to its key.
    ImportType {
        /// The material becomes current at the next rotation.
        NewKeyMaterial = "NEW_KEY_MATERIAL",
        /// The key had the material before.
        ExistingKeyMaterial = "EXISTING_KEY_MATERIAL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_material_id_has_64_digits() {
        assert!(MaterialId::parse(&"0f".repeat(32)).is_ok());
        for text in ["", &"0F".repeat(32), &"0f".repeat(31), &"0g".repeat(32)] {
            assert!(MaterialId::parse(text).is_err(), "{text}");
        }
    }
}
