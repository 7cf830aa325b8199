//! The tags of sessions: their rules, and how they pass from session to session.

use serde::{Deserialize, Serialize};

use super::constraint::Constraints;
use super::refusal::Refusal;
use super::wire::query::Parameters;

const MAX_TAGS: usize = 50;
const KEY_LENGTH: (usize, usize) = (1, 128);
const VALUE_LENGTH: (usize, usize) = (0, 256);
const PATTERN: &str = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]";

/// A tag of a session. Its key is unique without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SessionTag {
    pub key: String,
    pub value: String,
    /// Whether the sessions of roles that this session assumes inherit the tag.
    pub transitive: bool,
}

/// The tags of a request, in the order of their numbers. The tags are not transitive yet.
pub(super) fn read(parameters: &Parameters, constraints: &mut Constraints) -> Vec<SessionTag> {
    let tags = parameters.entries("Tags.member").into_iter().map(|entry| SessionTag {
        key: entry.get("Key").copied().unwrap_or_default().to_owned(),
        value: entry.get("Value").copied().unwrap_or_default().to_owned(),
        transitive: false,
    });
    let tags: Vec<SessionTag> = tags.collect();
    if tags.len() > MAX_TAGS {
        constraints.violated("Tags", "[tags]", &format!("Member must have length less than or equal to {MAX_TAGS}"));
    }
    for (n, tag) in tags.iter().enumerate() {
        let place = |member: &str| format!("tags.{}.member.{member}", n + 1);
        check(constraints, &place("key"), &tag.key, KEY_LENGTH, '+');
        check(constraints, &place("value"), &tag.value, VALUE_LENGTH, '*');
    }
    tags
}

fn check(constraints: &mut Constraints, place: &str, text: &str, (shortest, longest): (usize, usize), repeat: char) {
    let length = text.chars().count();
    if length > longest {
        constraints.violated(place, text, &format!("Member must have length less than or equal to {longest}"));
    }
    if length < shortest {
        constraints.violated(place, text, &format!("Member must have length greater than or equal to {shortest}"));
    }
    let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    if !text.chars().all(allowed) {
        let constraint = format!("Member must satisfy regular expression pattern: {PATTERN}{repeat}");
        constraints.violated(place, text, &constraint);
    }
}

/// The tags of a new session: those that the calling session passes on, then those of the request.
///
/// # Errors
/// AWS's `InvalidParameterValue` for a key that is reserved or given twice, for a transitive key without a tag, and for
/// a tag that the calling session passes on already.
pub(super) fn combine(
    inherited: &[SessionTag],
    mut given: Vec<SessionTag>,
    transitive_keys: &[&str],
) -> Result<Vec<SessionTag>, Refusal> {
    let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
    if let Some(tag) = given.iter().find(|tag| tag.key.to_lowercase().starts_with("aws:")) {
        return Err(invalid(&format!("The tag key {} begins with the reserved prefix aws:.", tag.key)));
    }
    let twice = given.iter().enumerate().any(|(n, tag)| given[..n].iter().any(|before| same(&before.key, &tag.key)));
    if twice {
        return Err(invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive."));
    }
    if transitive_keys.iter().any(|key| given.iter().all(|tag| !same(&tag.key, key))) {
        return Err(invalid("The specified transitive tag key must be included in the requested tags."));
    }
    let inherited = inherited.iter().filter(|tag| tag.transitive);
    if inherited.clone().any(|tag| given.iter().any(|new| same(&new.key, &tag.key))) {
        return Err(invalid(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from \
             the calling session.",
        ));
    }
    for tag in &mut given {
        tag.transitive = transitive_keys.iter().any(|key| same(key, &tag.key));
    }
    Ok(inherited.cloned().chain(given).collect())
}

fn invalid(message: &str) -> Refusal {
    Refusal::Special { status: 400, code: "InvalidParameterValue", message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str, transitive: bool) -> SessionTag {
        SessionTag { key: key.to_owned(), value: value.to_owned(), transitive }
    }

    #[test]
    fn transitive_tags_pass_on_and_others_do_not() {
        let calling = [tag("Team", "keys", true), tag("Shift", "late", false)];
        let given = vec![tag("Shift", "early", false), tag("Cost", "1", false)];
        let combined = combine(&calling, given, &["cost"]).expect("valid tags");
        assert_eq!(combined, [tag("Team", "keys", true), tag("Shift", "early", false), tag("Cost", "1", true)]);
    }

    #[test]
    fn keys_are_compared_without_regard_to_case() {
        let calling = [tag("Team", "keys", true)];
        for (given, transitive, part) in [
            (vec![tag("team", "x", false)], vec![], "conflicts with a transitive tag key from the calling session"),
            (vec![tag("A", "1", false), tag("a", "2", false)], vec![], "Duplicate tag keys found"),
            (vec![tag("A", "1", false)], vec!["B"], "must be included in the requested tags"),
            (vec![tag("AWS:a", "1", false)], vec![], "reserved"),
        ] {
            let Err(Refusal::Special { status: 400, code: "InvalidParameterValue", message }) =
                combine(&calling, given, &transitive)
            else {
                panic!("not refused: {part}")
            };
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn keys_and_values_have_limits() {
        let form = format!("Tags.member.1.Key=a%3Cb&Tags.member.1.Value={}&Tags.member.2.Value=x", "v".repeat(257));
        let mut constraints = Constraints::default();
        assert_eq!(read(&Parameters::read(&form, b""), &mut constraints).len(), 2);
        let Err(Refusal::Invalid(message)) = constraints.finish() else { panic!("no violations") };
        for part in [
            "3 validation errors detected: Value 'a<b' at 'tags.1.member.key' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+",
            "'tags.1.member.value' failed to satisfy constraint: Member must have length less than or equal to 256",
            "'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }
}
