//! AWS's own words for the states and kinds of keys, as open enumerations.

/// An enumeration of AWS's words: known ones are variants, others are kept. The log keeps the word, so that one which
/// becomes known later is read as that from old records too.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that was not known when this was written. Never one of those above: use `parse`.
            Other(Box<str>),
        }

        impl $name {
            /// Every known one, in AWS's order.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant,)*];

            /// Takes a word of AWS's as it is.
            pub fn parse(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    other => Self::Other(other.into()),
                }
            }

            /// Takes a known word only: what a caller may ask for.
            ///
            /// # Errors
            /// When it is none of them; the message names all that are.
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

pub(super) use open_enum;

/// A word that AWS does not know, where a known one is needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not known to AWS: one of {} is expected", .known.join(", "))]
pub struct UnknownWord {
    given: String,
    known: &'static [&'static str],
}

impl UnknownWord {
    pub(super) fn new(given: &str, known: &'static [&'static str]) -> Self {
        Self { given: given.chars().take(80).collect(), known }
    }
}

open_enum! {
    /// Where the key material comes from.
    Origin {
        AwsKms = "AWS_KMS",
        External = "EXTERNAL",
        /// It lives in a CloudHSM cluster.
        AwsCloudHsm = "AWS_CLOUDHSM",
        /// It lives in a key manager outside AWS.
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

open_enum! {
    /// What a key can be used for at the moment.
    KeyState {
        Creating = "Creating",
        Enabled = "Enabled",
        Disabled = "Disabled",
        PendingDeletion = "PendingDeletion",
        /// It has no material yet, or no longer.
        PendingImport = "PendingImport",
        /// A primary that will be deleted once its replicas are gone.
        PendingReplicaDeletion = "PendingReplicaDeletion",
        /// The store that it lives in does not answer.
        Unavailable = "Unavailable",
        /// Its primary region is being changed.
        Updating = "Updating",
    }
}

open_enum! {
    KeyManager {
        /// The service's that uses it.
        Aws = "AWS",
        Customer = "CUSTOMER",
    }
}

open_enum! {
    /// Whether imported material ends by itself.
    ExpirationModel {
        /// At its `ValidTo`.
        Expires = "KEY_MATERIAL_EXPIRES",
        DoesNotExpire = "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }
}

open_enum! {
    /// The role of a multi-region key in its family.
    MultiRegionKind {
        /// The one that the others are made from.
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
