//! The mark of an operation on the key that it creates, by which the key is found again after a crash. The mark is a
//! tag. A key that is to have as many tags as AWS allows has no room for it, and has it at the beginning of its
//! description until the operation has ended.

use super::tag::{OPERATION_TAG, TAGS_PER_KEY_MAX, Tag};
use crate::domain::id::OperationId;

/// The longest description that AWS accepts, in characters.
pub const DESCRIPTION_MAX: usize = 8192;

const PREFIX: &str = "claviger:operation=";
/// The length of an operation's id.
const ID: usize = 36;

/// The longest description of a key that has the mark in it, in characters. A space separates the two.
pub const MARKED_DESCRIPTION_MAX: usize = DESCRIPTION_MAX - PREFIX.len() - ID - 1;

/// Returns whether a key that is to have so many tags gets the mark in its description.
pub const fn is_in_description(tags: usize) -> bool {
    tags >= TAGS_PER_KEY_MAX
}

/// Adds the mark to the tags or to the description of a key that is to be created.
pub fn marked(tags: &[Tag], description: &str, operation: OperationId) -> (Vec<Tag>, String) {
    let (mut tags, mut text) = (tags.to_vec(), description.to_owned());
    match is_in_description(tags.len()) {
        true => text = format!("{PREFIX}{operation} {description}").trim_end().to_owned(),
        false => tags.push(Tag::new(OPERATION_TAG, operation.to_string())),
    }
    (tags, text)
}

/// Returns whether one of the tags is the mark of this operation.
pub fn is_among(tags: &[Tag], operation: OperationId) -> bool {
    let mark = operation.to_string();
    tags.iter().any(|tag| tag.key == OPERATION_TAG && tag.value == mark)
}

/// Returns the operation whose mark a description has.
pub fn of_description(description: &str) -> Option<OperationId> {
    split(description).map(|(operation, _)| operation)
}

/// Returns a description without a mark, as clients see it.
pub fn without_mark(description: &str) -> &str {
    split(description).map_or(description, |(_, rest)| rest)
}

fn split(description: &str) -> Option<(OperationId, &str)> {
    let (id, rest) = description.strip_prefix(PREFIX)?.split_at_checked(ID)?;
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(' ')? };
    Some((OperationId::parse(id).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn tags(count: usize) -> Vec<Tag> {
        (0..count).map(|number| Tag::new(number.to_string(), "")).collect()
    }

    #[test]
    fn the_mark_is_a_tag_as_long_as_there_is_room_for_one() {
        let operation = OperationId::new(Uuid::from_u128(7));
        let (marked_tags, description) = marked(&tags(49), "payroll", operation);
        assert!(marked_tags.len() == 50 && is_among(&marked_tags, operation));
        assert_eq!((description.as_str(), of_description(&description)), ("payroll", None));
        for text in ["", "payroll", " of a key"] {
            let (all, description) = marked(&tags(50), text, operation);
            assert_eq!((all.len(), of_description(&description)), (50, Some(operation)));
            assert_eq!(without_mark(&description), text);
        }
        let longest = "é".repeat(MARKED_DESCRIPTION_MAX);
        assert_eq!(marked(&tags(50), &longest, operation).1.chars().count(), DESCRIPTION_MAX);
    }

    #[test]
    fn other_descriptions_have_no_mark() {
        let id = Uuid::from_u128(7);
        for text in [
            "",
            "claviger:operation=",
            "claviger:operation=ééééééééééééééééééé",
            &format!("claviger:operation={id}x"),
            &format!("see claviger:operation={id}"),
        ] {
            assert_eq!((of_description(text), without_mark(text)), (None, text));
        }
    }
}
