//! A member of a patch that can be changed or cleared. A member that can only be changed is an `Option`.

use super::name::{JSON_TEXT_MAX, JsonText};
use super::refusal::{Bounds, Refusal};
use serde_json::{Map, Value};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Patch<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    /// Returns the value of the member after the patch.
    pub fn over(self, now: Option<T>) -> Option<T> {
        match self {
            Self::Keep => now,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// Returns a JSON object that clients attach, after a patch: a member of the patch that is `null` is removed, others
/// are set, and all others stay. A new object is the patch of none.
///
/// # Errors
/// When the object becomes too long.
pub fn merged(
    member: &'static str,
    now: Option<JsonText>,
    patch: Option<JsonText>,
) -> Result<Option<JsonText>, Refusal> {
    let Some(patch) = patch else { return Ok(now) };
    let object = |text: &JsonText| match text.value() {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    };
    let before = now.as_ref().map(object).unwrap_or_default();
    let mut after = before.clone();
    for (name, value) in object(&patch) {
        if value.is_null() {
            after.remove(&name);
        } else {
            after.insert(name, value);
        }
    }
    if after == before {
        return Ok(now);
    }
    JsonText::of(&Value::Object(after)).map(Some).map_err(|length| text_too_long(member, length))
}

/// The refusal of a JSON text of so many bytes that a client attaches.
pub fn text_too_long(member: &'static str, length: usize) -> Refusal {
    Refusal::OutOfRange {
        member,
        problem: format!("must not be longer than {JSON_TEXT_MAX} bytes, and has {length}"),
        limit: Bounds::most(JSON_TEXT_MAX as u64),
    }
}

/// Returns the refusal of a member of the request.
pub(super) fn invalid(member: &'static str, problem: impl ToString) -> Refusal {
    Refusal::Invalid { member, problem: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(value: Value) -> Option<JsonText> {
        Some(JsonText::of(&value).expect("short"))
    }

    #[test]
    fn a_patch_of_an_object_sets_and_removes_members_and_keeps_the_others() {
        let now = text(json!({"a": 1, "b": {"c": null}}));
        for (patch, after) in [
            (None, now.clone()),
            (text(json!({})), now.clone()),
            (text(json!({"x": null})), now.clone()),
            (text(json!({"a": null})), text(json!({"b": {"c": null}}))),
            (text(json!({"a": 2, "d": [null]})), text(json!({"a": 2, "b": {"c": null}, "d": [null]}))),
            (text(json!({"b": 0, "a": null})), text(json!({"b": 0}))),
        ] {
            assert_eq!(merged("labels", now.clone(), patch), Ok(after));
        }
        assert_eq!(merged("labels", None, text(json!({"a": null}))), Ok(None));
        assert_eq!(merged("labels", None, text(json!({"a": 1, "b": null}))), Ok(text(json!({"a": 1}))));
        let (half, other) = (json!({"a": "x".repeat(9_000)}), json!({"b": "x".repeat(9_000)}));
        assert!(merged("labels", text(half), text(other)).is_err());
    }
}
