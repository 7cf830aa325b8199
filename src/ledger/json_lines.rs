//! Records as JSON lines, and filters of records. A secret shows as a placeholder. The JSON is that of the layouts,
//! whose names never change; the domain's types are not serialised.

use super::layout::{LayoutOf, v2};
use super::record::Record;
use crate::domain::event::{Actor, Event};
use crate::domain::time::Time;
use serde::Serialize;
use serde_json::Value;

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
        Actor::User { id, name } => name.as_str() == wanted || id.subject() == wanted || id.to_string() == wanted,
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
            actor_id: match &self.actor {
                Actor::System => None,
                Actor::User { id, .. } => Some(id.subject()),
                Actor::Schedule { id, .. } => Some(id.to_string()),
            },
            request_id: &self.request_id,
            stream: self.stream().to_string(),
            event: LayoutOf::of(&self.event),
            hash: self.hash.to_string(),
        };
        // Events consist of named members and strings, which JSON can always represent.
        serde_json::to_string(&line).unwrap_or_else(|error| format!("{{\"seq\":{},\"error\":\"{error}\"}}", self.seq))
    }
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
