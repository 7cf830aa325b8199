//! Records as JSON lines, and filters of records. A secret shows as a placeholder. The JSON is that of the layouts,
//! whose names never change; the domain's types are not serialised.

use super::layout::{LayoutOf, v2};
use super::record::Record;
use crate::domain::event::{Actor, Event};
use crate::domain::name::is_invisible;
use crate::domain::time::Time;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;

/// A filter of records: a record must match every member that is set.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A prefix of the stream, e.g. `kms/` or `user/<id>`.
    pub stream: Option<String>,
    pub since: Option<Time>,
    pub until: Option<Time>,
    /// The actor: `system`, a user's or schedule's name at that time, or its id; a user's with or without `local|`.
    pub actor: Option<String>,
}

impl Filter {
    pub fn matches(&self, record: &Record) -> bool {
        self.since.is_none_or(|since| record.time >= since)
            && self.until.is_none_or(|until| record.time <= until)
            && self.actor.as_deref().is_none_or(|actor| is_by(&record.actor, actor))
            && self.stream.as_deref().is_none_or(|stream| record.stream().to_string().starts_with(stream))
    }
}

fn is_by(actor: &Actor, wanted: &str) -> bool {
    match actor {
        Actor::System => wanted == "system",
        Actor::Operator { .. } => wanted == "operator" || actor.to_string() == wanted,
        Actor::User { id, name } | Actor::Client { id, name, .. } => {
            name.as_str() == wanted || id.subject() == wanted || id.to_string() == wanted
        }
        Actor::Schedule { id, name } => {
            actor.to_string() == wanted || name.as_str() == wanted || id.to_string() == wanted
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    id: String,
    time: String,
    actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_id: Option<String>,
    /// The address of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    request_id: &'a str,
    stream: String,
    event: v2::Event<'a>,
    hash: String,
}

impl Record {
    /// The record as one line of JSON, without the line's end.
    pub fn to_line(&self) -> String {
        let line = Line {
            seq: self.seq,
            id: self.event_id.to_string(),
            time: self.time.to_string(),
            actor: self.actor.to_string(),
            actor_id: self.actor.id_text(),
            source: self.actor.source(),
            session: self.actor.session().map(|id| id.to_string()),
            request_id: &self.request_id,
            stream: self.stream().to_string(),
            event: LayoutOf::of(&self.event),
            hash: self.hash.to_string(),
        };
        // Events consist of named members and strings, which JSON can always represent.
        let line = serde_json::to_string(&line);
        let line = line.unwrap_or_else(|error| format!("{{\"seq\":{},\"error\":\"{error}\"}}", self.seq));
        escaped_for_terminal(line)
    }
}

/// Escapes the characters of a line that JSON allows in strings and that command a terminal, are not shown, or change the
/// order of others: clients choose them in labels and descriptions, and an auditor's terminal shows them.
pub fn escaped_for_terminal(line: String) -> String {
    let is_escaped = |character: char| character.is_control() || is_invisible(character);
    if !line.chars().any(is_escaped) {
        return line;
    }
    let mut escaped = String::with_capacity(line.len() + 64);
    for character in line.chars() {
        match is_escaped(character) {
            true => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a `String` does not fail.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
            false => escaped.push(character),
        }
    }
    escaped
}

/// The name of an event, such as `RegionsReplaced`, and its members.
pub fn name_and_members(event: &Event) -> (String, Value) {
    // An event is written as `{"Kms": [id, {"Name": {members}}]}` or `{"Kms": [id, "Name"]}`.
    let inner = match serde_json::to_value(v2::Event::of(event)) {
        Ok(Value::Object(outer)) => outer.into_iter().next().map(|(_, value)| value),
        _ => None,
    };
    let own = match inner {
        Some(Value::Array(parts)) => parts.into_iter().nth(1),
        other => other,
    };
    match own {
        Some(Value::String(name)) => (name, Value::Object(Default::default())),
        Some(Value::Object(one)) => one.into_iter().next().unwrap_or_default(),
        _ => (String::new(), Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_line_reaches_a_terminal_raw() {
        let text = "a\u{7f}\u{9b}31m\u{202e}\u{2028}\u{200b}\u{feff}\u{e0041}ключ 🔑";
        let line = escaped_for_terminal(serde_json::to_string(text).expect("JSON"));
        assert_eq!(line, r#""a\u007f\u009b31m\u202e\u2028\u200b\ufeff\udb40\udc41ключ 🔑""#);
        assert_eq!(serde_json::from_str::<String>(&line).expect("JSON"), text);
        assert_eq!(escaped_for_terminal("{}".to_owned()), "{}");
    }
}
