//! Tags of keys.

use crate::domain::refusal::{Bounds, Refusal};

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag {
    /// The name, unique on an AWS key and case-sensitive.
    pub key: String,
    pub value: String,
}

/// The maximum number of tags on a key.
pub const TAGS_PER_KEY_MAX: usize = 50;

/// The tag of a key that has the policy of a template. Its value is the template's id.
pub const TEMPLATE_TAG: &str = "cckm_policy_template_id";

/// The tag of every key that Claviger creates, by which it finds the key again after a crash. Its value is the id of
/// the operation.
pub const OPERATION_TAG: &str = "claviger:operation";

const KEY_MAX: usize = 128;
const VALUE_MAX: usize = 256;

/// A tag that AWS would not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    #[error("a tag's key must not be empty")]
    KeyEmpty,
    #[error("a tag's key has up to {KEY_MAX} characters, and `{0}…` has {1}")]
    KeyTooLong(String, usize),
    #[error("a tag's value has up to {VALUE_MAX} characters, and that of `{0}` has {1}")]
    ValueTooLong(String, usize),
    #[error("the tag `{}` contains `{}`: letters, digits, spaces and `_.:/=+-@` are expected", .0.escape_debug(), .1.escape_debug())]
    Character(String, char),
    #[error("the tag `{0}` is reserved: keys that begin with `aws:` belong to AWS")]
    Reserved(String),
    #[error("the tag `{OPERATION_TAG}` is reserved: Claviger finds the keys that it creates by it")]
    OfOperations,
    #[error("the tag `{TEMPLATE_TAG}` is reserved: only policy templates set it")]
    OfTemplates,
    #[error("the tag `{0}` is given more than once")]
    Twice(String),
    #[error("a key has up to {TAGS_PER_KEY_MAX} tags, and {0} are given")]
    TooMany(usize),
    #[error("a key has up to {TAGS_PER_KEY_MAX} tags, and it would have {0}")]
    NoRoom(usize),
}

impl TagError {
    /// Returns the refusal of the member with the tags.
    pub fn refusal(self, member: &'static str) -> Refusal {
        let most = match self {
            Self::KeyTooLong(..) => KEY_MAX,
            Self::ValueTooLong(..) => VALUE_MAX,
            Self::TooMany(_) | Self::NoRoom(_) => TAGS_PER_KEY_MAX,
            Self::KeyEmpty
            | Self::Character(..)
            | Self::Reserved(_)
            | Self::OfOperations
            | Self::OfTemplates
            | Self::Twice(_) => return Refusal::Invalid { member, problem: self.to_string() },
        };
        Refusal::OutOfRange { member, problem: self.to_string(), limit: Bounds::most(most as u64) }
    }
}

impl Tag {
    /// Returns a tag from AWS, without a check.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }

    /// Checks a tag that a caller wants to set.
    ///
    /// # Errors
    /// When AWS would not accept it.
    pub fn parse(key: &str, value: &str) -> Result<Self, TagError> {
        check_tag_key(key)?;
        // Clients may remove it: that frees the key from its template.
        if key == TEMPLATE_TAG {
            return Err(TagError::OfTemplates);
        }
        let length = value.chars().count();
        if length > VALUE_MAX {
            return Err(TagError::ValueTooLong(key.to_owned(), length));
        }
        match value.chars().find(|c| !is_allowed(*c)) {
            Some(c) => Err(TagError::Character(key.to_owned(), c)),
            None => Ok(Self::new(key, value)),
        }
    }

    /// Whether clients see the tag. They do not see the one that marks an operation of Claviger.
    pub fn is_shown(&self) -> bool {
        self.key != OPERATION_TAG
    }

    /// Whether the tag belongs to AWS. Only AWS can set or remove it.
    pub fn is_of_aws(&self) -> bool {
        is_of_aws(&self.key)
    }
}

/// Checks the name of a tag that is to be set or removed.
///
/// # Errors
/// When AWS would not accept it.
pub fn check_tag_key(key: &str) -> Result<(), TagError> {
    let length = key.chars().count();
    if length == 0 {
        return Err(TagError::KeyEmpty);
    }
    if length > KEY_MAX {
        return Err(TagError::KeyTooLong(key.chars().take(32).collect(), length));
    }
    if let Some(c) = key.chars().find(|c| !is_allowed(*c)) {
        return Err(TagError::Character(key.to_owned(), c));
    }
    match key {
        OPERATION_TAG => Err(TagError::OfOperations),
        key if is_of_aws(key) => Err(TagError::Reserved(key.to_owned())),
        _ => Ok(()),
    }
}

/// Checks a set of tags: each name once, and at most [`TAGS_PER_KEY_MAX`] tags.
///
/// # Errors
/// When AWS would not accept the set.
pub fn check_tags(tags: &[Tag]) -> Result<(), TagError> {
    if tags.len() > TAGS_PER_KEY_MAX {
        return Err(TagError::TooMany(tags.len()));
    }
    let twice = tags.iter().enumerate().find(|(index, tag)| tags[..*index].iter().any(|other| other.key == tag.key));
    match twice {
        Some((_, tag)) => Err(TagError::Twice(tag.key.clone())),
        None => Ok(()),
    }
}

fn is_of_aws(key: &str) -> bool {
    key.as_bytes().get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"aws:"))
}

fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awss_limits_hold() {
        for (key, value) in [("Cost center", "7/a@b=c"), ("schlüssel", ""), (&"é".repeat(128), &"x".repeat(256))] {
            assert_eq!(Tag::parse(key, value), Ok(Tag::new(key, value)));
        }
        let said: Vec<String> = [
            ("", ""),
            (&"k".repeat(129), ""),
            ("k", &"v".repeat(257)),
            ("a\tb", ""),
            ("k", "<v>"),
            ("aws:x", ""),
            ("AWS:x", ""),
            (OPERATION_TAG, ""),
            (TEMPLATE_TAG, ""),
        ]
        .iter()
        .map(|(key, value)| Tag::parse(key, value).expect_err("not taken").to_string())
        .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        a tag's key must not be empty
        a tag's key has up to 128 characters, and `kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…` has 129
        a tag's value has up to 256 characters, and that of `k` has 257
        the tag `a\tb` contains `\t`: letters, digits, spaces and `_.:/=+-@` are expected
        the tag `k` contains `<`: letters, digits, spaces and `_.:/=+-@` are expected
        the tag `aws:x` is reserved: keys that begin with `aws:` belong to AWS
        the tag `AWS:x` is reserved: keys that begin with `aws:` belong to AWS
        the tag `claviger:operation` is reserved: Claviger finds the keys that it creates by it
        the tag `cckm_policy_template_id` is reserved: only policy templates set it
        ");
    }

    #[test]
    fn awss_own_tags_are_read() {
        assert!(Tag::new("aws:cloudformation:stack-name", "a").is_of_aws());
    }

    #[test]
    fn a_set_has_each_name_once_and_not_too_many() {
        let tags: Vec<Tag> = (0..51).map(|index| Tag::new(index.to_string(), "")).collect();
        assert_eq!(check_tags(&tags[..50]), Ok(()));
        assert_eq!(check_tags(&tags), Err(TagError::TooMany(51)));
        let twice = [Tag::new("a", "1"), Tag::new("A", "1"), Tag::new("a", "2")];
        assert_eq!(check_tags(&twice), Err(TagError::Twice("a".to_owned())));
    }
}
