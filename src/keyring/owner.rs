//! The owner whose secrets a data key protects.

use std::borrow::Cow;
use std::fmt;

use uuid::Uuid;

/// An owner of secrets, for example a connection: its kind and its id. The text form, `connection-<uuid>`, is the name
/// of the owner's file in the keyring.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Owner {
    kind: Cow<'static, str>,
    id: Uuid,
}

/// The longest kind. With the id it is far shorter than the longest file name.
const KIND_MAX: usize = 64;

impl Owner {
    /// # Panics
    /// When the kind, which is a constant of the program, has other characters than lower-case letters, digits and
    /// inner dashes.
    pub fn new(kind: &'static str, id: Uuid) -> Self {
        assert!(is_kind(kind), "`{kind}` is not a kind of owner: it becomes part of a file name");
        Self { kind: Cow::Borrowed(kind), id }
    }

    /// The kind of the owner: `connection`, `user`, ...
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The id of the owner, unique among owners of its kind.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Parses the text form. Returns `None` for any other text, so that foreign files in the directory are ignored.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_at_checked(text.len().checked_sub(uuid::fmt::Hyphenated::LENGTH)?)?;
        let kind = kind.strip_suffix('-').filter(|kind| is_kind(kind))?;
        let owner = Self { kind: Cow::Owned(kind.to_owned()), id: Uuid::try_parse(id).ok()? };
        // An upper-case id would be a second name of the same owner.
        (owner.to_string() == text).then_some(owner)
    }
}

fn is_kind(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    plain && !text.is_empty() && text.len() <= KIND_MAX && !text.starts_with('-') && !text.ends_with('-')
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kind, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(0x0b90_7a5e_0000_4000_8000_0000_0000_0001);

    #[test]
    fn the_text_form_reads_back() {
        for kind in ["connection", "source-key", "user2"] {
            let owner = Owner::new(kind, ID);
            assert_eq!(Owner::parse(&owner.to_string()), Some(owner));
        }
    }

    #[test]
    fn other_file_names_are_no_owners() {
        let id = ID.to_string();
        for text in ["", "master.check", &id, &format!("-{id}"), &format!("a.b-{id}"), &format!("a-{id}.bak")] {
            assert_eq!(Owner::parse(text), None, "{text}");
        }
        assert_eq!(Owner::parse(&format!("user-{}", id.to_uppercase())), None);
        assert_eq!(Owner::parse(&format!("../user-{id}")), None);
    }

    #[test]
    #[should_panic(expected = "not a kind")]
    fn a_kind_cannot_leave_the_directory() {
        Owner::new("../x", ID);
    }
}
