//! The filter of the list of keys by tags: `key`, `key:value`, or JSON.

use crate::domain::key::tag::Tag;
use crate::domain::refusal::Refusal;
use crate::service::failure::invalid;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Separates the key and the value of a tag that JSON gives exactly: no tag contains it.
const EXACT: char = '\0';

/// The texts that a filter can name a tag by.
pub(super) fn texts(tag: &Tag) -> [String; 3] {
    [tag.key.clone(), format!("{}:{}", tag.key, tag.value), format!("{}{EXACT}{}", tag.key, tag.value)]
}

/// The texts that a filter's value stands for; a key must have all of them. JSON is an object of keys and values, an
/// AWS tag (`TagKey`, `TagValue`), a key, or a list of these.
///
/// # Errors
/// When the value begins as JSON and is something else.
pub(super) fn expand(value: &str) -> Result<Vec<Cow<'_, str>>, Refusal> {
    if !value.trim_start().starts_with(['{', '[']) {
        return Ok(vec![Cow::Borrowed(value)]);
    }
    let json = serde_json::from_str(value).map_err(|error| invalid("tags", format!("is not JSON: {error}")))?;
    let mut texts = Vec::new();
    match &json {
        Value::Array(tags) => tags.iter().try_for_each(|tag| add(tag, &mut texts))?,
        tag => add(tag, &mut texts)?,
    }
    Ok(texts.into_iter().map(Cow::Owned).collect())
}

fn add(tag: &Value, texts: &mut Vec<String>) -> Result<(), Refusal> {
    match tag {
        Value::String(key) => texts.push(key.clone()),
        Value::Object(members) => match aws_tag(members) {
            Some(text) => texts.push(text),
            None => {
                for (key, value) in members {
                    texts.push(match value {
                        Value::String(value) => exact(key, value),
                        Value::Null => key.clone(),
                        _ => return Err(invalid("tags", "the value of a tag must be a string")),
                    });
                }
            }
        },
        _ => {
            let problem = r#"must be like {"team": "a"}, or a list of AWS's tags or of their keys"#;
            return Err(invalid("tags", problem));
        }
    }
    Ok(())
}

/// The text of a tag in AWS's form; without a value, that of its key.
fn aws_tag(members: &Map<String, Value>) -> Option<String> {
    let text = |names: [&str; 2]| names.iter().find_map(|name| members.get(*name))?.as_str();
    let key = text(["TagKey", "tag_key"])?;
    Some(match text(["TagValue", "tag_value"]) {
        Some(value) => exact(key, value),
        None => key.to_owned(),
    })
}

fn exact(key: &str, value: &str) -> String {
    format!("{key}{EXACT}{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(filter: &str) -> bool {
        let tags = [Tag::new("team", "a"), Tag::new("stage", "test:1")];
        let of_key: Vec<String> = tags.iter().flat_map(texts).collect();
        let wanted = expand(filter).unwrap_or_else(|refusal| panic!("{filter}: {refusal}"));
        wanted.iter().all(|text| of_key.iter().any(|of_key| of_key == text))
    }

    #[test]
    fn tags_are_given_as_text_or_as_json() {
        for filter in [
            "team",
            "team:a",
            "stage:test:1",
            r#"{"team": "a"}"#,
            r#"{"team": "a", "stage": "test:1"}"#,
            r#"{"team": null}"#,
            r#"[{"TagKey": "team", "TagValue": "a"}, {"tag_key": "stage"}]"#,
            r#" ["team", "stage"]"#,
            r#"{"TagKey": "team", "TagValue": "a"}"#,
        ] {
            assert!(matches(filter), "{filter}");
        }
        for filter in
            ["a", "team:b", r#"{"team": "b"}"#, r#"{"team": "a", "stage": "x"}"#, r#"{"stage:test": "1"}"#, r#"["x"]"#]
        {
            assert!(!matches(filter), "{filter}");
        }
        for filter in [r#"{"team": 1}"#, "[1]", "{team", "[[]]"] {
            assert!(expand(filter).is_err_and(|refusal| refusal.to_string().starts_with("tags: ")), "{filter}");
        }
    }
}
