//! AWS's enumerations of the states and kinds of keys. They are open: values that AWS adds later are kept.

/// Defines an enumeration of AWS's words. Known words are variants, others are kept as `Other`. The log stores the word
/// itself, so that a variant that is added later is read from old records too.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word without a variant. Construct it with `parse` only, so that it is never a known word.
            Other(Box<str>),
        }

        impl $name {
            /// Every known value, in AWS's order.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant,)*];

            /// Parses a word of AWS; an unknown one becomes `Other`.
            pub fn parse(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    other => Self::Other(other.into()),
                }
            }

            /// Parses a word of a caller, which must be a known one.
            ///
            /// # Errors
            /// When the word is unknown; the message lists the known ones.
            pub fn parse_known(word: &str) -> Result<Self, $crate::domain::key::aws_enums::UnknownWord> {
                match Self::parse(word) {
                    Self::Other(_) => Err($crate::domain::key::aws_enums::UnknownWord::new(word, &[$($word,)*])),
                    known => Ok(known),
                }
            }

            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(in crate::domain) use open_enum;

/// A word that is unknown where a known one is required.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not known to AWS: one of {} is expected", .known.join(", "))]
pub struct UnknownWord {
    given: String,
    known: &'static [&'static str],
}

impl UnknownWord {
    pub(in crate::domain) fn new(given: &str, known: &'static [&'static str]) -> Self {
        Self { given: given.chars().take(80).collect(), known }
    }
}

open_enum! {
    /// The origin of the key material.
    Origin {
        AwsKms = "AWS_KMS",
        External = "EXTERNAL",
        /// The material is in a CloudHSM cluster.
        AwsCloudHsm = "AWS_CLOUDHSM",
        /// The material is in a key manager outside AWS.
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

open_enum! {
    /// The state of a key, on which its permitted uses depend.
    KeyState {
        Creating = "Creating",
        Enabled = "Enabled",
        Disabled = "Disabled",
        PendingDeletion = "PendingDeletion",
        /// The key has no material yet, or no longer.
        PendingImport = "PendingImport",
        /// A primary key that will be deleted once its replicas are gone.
        PendingReplicaDeletion = "PendingReplicaDeletion",
        /// The custom key store of the key does not respond.
        Unavailable = "Unavailable",
        /// The primary region is being changed.
        Updating = "Updating",
    }
}

open_enum! {
    KeyManager {
        /// An AWS service manages the key for its own use.
        Aws = "AWS",
        Customer = "CUSTOMER",
    }
}

open_enum! {
    /// Whether imported material expires.
    ExpirationModel {
        /// The material expires at its `ValidTo`.
        Expires = "KEY_MATERIAL_EXPIRES",
        DoesNotExpire = "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }
}

open_enum! {
    /// The role of a multi-region key in its family.
    MultiRegionKind {
        /// The key that replicas are made from.
        Primary = "PRIMARY",
        Replica = "REPLICA",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_caller_may_ask_for_known_words_only_and_is_told_which() {
        assert_eq!(Origin::parse_known("EXTERNAL"), Ok(Origin::External));
        let said = Origin::parse_known("external").expect_err("case matters to AWS").to_string();
        assert_eq!(
            said,
            "`external` is not known to AWS: one of AWS_KMS, EXTERNAL, AWS_CLOUDHSM, EXTERNAL_KEY_STORE is expected"
        );
    }

    #[test]
    fn every_known_word_is_parsed_as_itself() {
        for state in KeyState::KNOWN {
            assert_eq!(KeyState::parse(state.as_str()), *state);
        }
    }

    proptest! {
        #[test]
        fn any_word_is_kept(word in "\\PC{0,40}") {
            let state = KeyState::parse(&word);
            prop_assert_eq!(state.as_str(), word.as_str());
        }
    }
}
