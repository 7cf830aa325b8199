//! What an event changed of its resource: the members that differ before and after it.

use crate::domain::drift;
use crate::domain::event::{Event, GroupEvent, Stream};
use crate::ledger::{self, Ledger, Record};
use crate::service::failure::Failure;
use crate::service::history;
use serde_json::{Map, Value};

/// The members that differ, as JSON objects: what was there before, and what is there after.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub before: Map<String, Value>,
    pub after: Map<String, Value>,
}

/// The members that every change sets.
const TIMES: &[&str] = &["updated", "created"];

/// What a record changed; `None` if its resource has no history, or nothing that is shown differs. It replays the
/// resource up to the record.
///
/// # Errors
/// When the log cannot be read.
pub(super) async fn of(ledger: &Ledger, record: &Record) -> Result<Option<Difference>, Failure> {
    let stream = record.stream();
    if ledger.history(&stream).is_empty() {
        return Ok(None);
    }
    let before = history::state_before(ledger, stream.clone(), record.seq).await?;
    let mut after = before.clone();
    after.apply(record.time, &record.event);
    let difference = match &stream {
        Stream::Key(id) => match (before.keys.get(id), after.keys.get(id)) {
            (was, Some(is)) => by_aspect(drift::differences_between(was.map(AsRef::as_ref), is)),
            (_, None) => by_aspect(Vec::new()),
        },
        stream => {
            let renamed = match &record.event {
                Event::Group(_, GroupEvent::Renamed { to }) => Stream::Group(to.clone()),
                _ => stream.clone(),
            };
            let members = |state, stream| match ledger::members_of(state, stream) {
                Some(Value::Object(members)) => members,
                _ => Map::new(),
            };
            let (was, is) = (members(&before, stream), members(&after, &renamed));
            let (mut before, mut after) = (only_in(&was, &is), only_in(&is, &was));
            for name in TIMES.iter().filter(|_| !was.is_empty() && !is.is_empty()) {
                before.remove(*name);
                after.remove(*name);
            }
            Difference { before, after }
        }
    };
    Ok(Some(difference).filter(|difference| !difference.before.is_empty() || !difference.after.is_empty()))
}

fn by_aspect(differences: Vec<drift::difference::Difference>) -> Difference {
    let mut difference = Difference { before: Map::new(), after: Map::new() };
    for one in differences {
        let read = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        difference.before.insert(one.aspect.name().to_owned(), read(&one.before));
        difference.after.insert(one.aspect.name().to_owned(), read(&one.after));
    }
    difference
}

/// The members that are only in one of two objects or have another value there; of objects in them, what differs.
fn only_in(these: &Map<String, Value>, those: &Map<String, Value>) -> Map<String, Value> {
    let mut own = Map::new();
    for (name, value) in these {
        match (value, those.get(name)) {
            (value, Some(other)) if value == other => {}
            (Value::Object(value), Some(Value::Object(other))) => {
                own.insert(name.clone(), Value::Object(only_in(value, other)));
            }
            (value, _) => drop(own.insert(name.clone(), value.clone())),
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_shown() {
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        let was = object(json!({"a": 1, "b": {"c": 1, "d": 2}, "e": [1]}));
        let is = object(json!({"a": 1, "b": {"c": 3, "d": 2}, "e": [1, 2], "f": null}));
        assert_eq!(Value::Object(only_in(&was, &is)), json!({"b": {"c": 1}, "e": [1]}));
        assert_eq!(Value::Object(only_in(&is, &was)), json!({"b": {"c": 3}, "e": [1, 2], "f": null}));
    }
}
