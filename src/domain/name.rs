//! Names of resources, and JSON texts that clients attach to them. Both are parsed once.

use std::fmt;
use std::sync::Arc;

/// The longest name, in characters.
pub const NAME_MAX: usize = 255;

/// The reason why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or white space only.
    #[error("must not be empty")]
    Empty,
    /// Over [`NAME_MAX`] characters.
    #[error("must not be longer than {NAME_MAX} characters, and this one has {0}")]
    TooLong(usize),
    /// A control character, which would hide in logs and terminals.
    #[error("must not contain control characters")]
    Control,
    /// A character that is not shown, or that changes the order in which others are shown: two names could look the same.
    #[error("must not contain invisible characters (U+{:04X})", *.0 as u32)]
    Invisible(char),
    /// White space at either end, which makes two names look the same.
    #[error("must not begin or end with white space")]
    Padded,
}

fn check(text: &str) -> Result<(), NameError> {
    if text.trim().is_empty() {
        return Err(NameError::Empty);
    }
    let length = text.chars().count();
    if length > NAME_MAX {
        return Err(NameError::TooLong(length));
    }
    if text.chars().any(char::is_control) {
        return Err(NameError::Control);
    }
    if text.trim() != text { Err(NameError::Padded) } else { Ok(()) }
}

/// Refuses invisible characters in a name that is given to something. Where a name is looked up they are allowed: it may
/// be older than this rule.
///
/// # Errors
/// The first of them.
pub fn refuse_invisible(text: &str) -> Result<(), NameError> {
    text.chars().find(|character| is_invisible(*character)).map_or(Ok(()), |found| Err(NameError::Invisible(found)))
}

/// Whether a character has no shape of its own, or changes the direction of the text around it (Unicode's properties
/// `Default_Ignorable_Code_Point` and `Bidi_Control`, and the line separators). U+200D joins emoji; a name that needs it
/// looks like one without it.
pub fn is_invisible(character: char) -> bool {
    matches!(character,
 '\u{AD}' | '\u{34F}' | '\u{FE00}'..='\u{FE0F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses a name.
            ///
            /// # Errors
            /// When it is empty, too long or padded, or contains control characters.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                check(text)?;
                Ok(Self(text.into()))
            }

            /// Returns a name that was read from the log. It was valid when it was recorded, so it is not checked
            /// again.
            pub fn stored(text: &str) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

name!(
    /// The name of a KMS, unique in the domain.
    KmsName);
name!(
    /// The name of a connection, unique in the domain.
    ConnectionName);
name!(
    /// The name that a user signs in with, unique without regard to case.
    UserName);
name!(
    /// The name of a group, which is its identity.
    GroupName);
name!(
    /// The name of a source key, unique in the domain.
    SourceKeyName);
name!(
    /// The name of a policy template, unique in the domain.
    TemplateName);
name!(
    /// The name of a custom key store. Those of stores that this program serves are unique in the domain.
    KeyStoreName);
name!(
    /// The name of a report, which need not be unique.
    ReportName);
name!(
    /// The name of a schedule, unique in the domain.
    ScheduleName);
name!(
    /// The name of a webhook, unique in the domain.
    WebhookName);
name!(
    /// The name of a password policy, unique in the domain.
    PasswordPolicyName);

impl PasswordPolicyName {
    /// Returns the name of the policy of all users who have no other one.
    pub fn global() -> Self {
        Self("global".into())
    }

    pub fn is_global(&self) -> bool {
        *self == Self::global()
    }
}

impl UserName {
    /// Whether the program calls itself so where it names who did something: `system`, or `schedule` and a name.
    pub fn is_reserved(&self) -> bool {
        let folded = self.0.to_lowercase();
        matches!(&*folded, "system" | "operator" | "schedule") || folded.starts_with("schedule ")
    }

    /// Returns the name in lower case, the form in which names are compared.
    pub fn folded(&self) -> Self {
        Self(self.0.to_lowercase().into())
    }
}

/// A JSON value that a client attached (labels, metadata). It is stored as text because the log's codec is not
/// self-describing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JsonText(Arc<str>);

/// The longest attached JSON text, in bytes.
pub const JSON_TEXT_MAX: usize = 16 * 1024;

impl JsonText {
    /// Takes the text of a JSON value.
    ///
    /// # Errors
    /// When its text is longer than [`JSON_TEXT_MAX`] bytes; the length is returned.
    pub fn of(value: &serde_json::Value) -> Result<Self, usize> {
        Self::at_most(value, JSON_TEXT_MAX)
    }

    /// Takes the text of a JSON value that may have another length.
    ///
    /// # Errors
    /// When its text is longer than `most` bytes; the length is returned.
    pub fn at_most(value: &serde_json::Value, most: usize) -> Result<Self, usize> {
        let text = value.to_string();
        if text.len() > most { Err(text.len()) } else { Ok(Self(text.into())) }
    }

    /// Returns a text that was read from the log, where it was stored as valid JSON.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses the text; `null` if it is not JSON.
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or(serde_json::Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_visible_line_of_at_most_255_characters() {
        assert!(KmsName::parse("ключ 🔑").is_ok());
        assert!(KmsName::parse(&"é".repeat(255)).is_ok());
        assert_eq!(KmsName::parse(&"é".repeat(256)), Err(NameError::TooLong(256)));
        assert_eq!(KmsName::parse("  "), Err(NameError::Empty));
        assert_eq!(KmsName::parse(" a"), Err(NameError::Padded));
        assert_eq!(KmsName::parse("a\u{7}b"), Err(NameError::Control));
        for invisible in ['\u{FE0F}', '\u{200B}', '\u{202E}', '\u{2066}', '\u{2028}', '\u{FEFF}', '\u{E0041}', '\u{AD}']
        {
            assert_eq!(refuse_invisible(&format!("a{invisible}b")), Err(NameError::Invisible(invisible)));
            assert!(KmsName::parse(&format!("a{invisible}b")).is_ok());
        }
        assert_eq!(NameError::Invisible('\u{AD}').to_string(), "must not contain invisible characters (U+00AD)");
    }
}
