//! One record of the log as auditors get it.

use crate::domain::event::Stream;
use crate::domain::state::State;
use crate::ledger::{self, Record};
use serde::Serialize;
use serde_json::Value;

/// A record for auditors. Secrets in `details` are `[sealed]`. Its JSON is what is forwarded, and what the API shows.
#[derive(Clone, Debug, Serialize)]
pub struct AuditRecord {
    pub id: String,
    /// The number in the log.
    pub number: u64,
    #[serde(rename = "createdAt")]
    pub created_at: String,
    /// The part of the product: `cckm`, `admin`, `vault` or `scheduler`.
    pub service: &'static str,
    /// The event in words.
    pub message: String,
    pub event: String,
    pub details: Value,
    pub success: bool,
    /// `info`, `warning`, `error` or `critical`.
    pub severity: &'static str,
    /// The user, a schedule, or `system`.
    pub username: String,
    pub user_id: Option<String>,
    #[serde(rename = "clientIP")]
    pub client_ip: Option<String>,
    pub session_id: Option<String>,
    #[serde(rename = "requestId")]
    pub request_id: String,
    /// The stream, such as `kms/<id>`.
    pub resource: String,
    /// The present name of the resource, if it has one and still exists.
    pub resource_name: Option<String>,
    pub hash: String,
    #[serde(rename = "previousHash")]
    pub previous_hash: String,
}

impl AuditRecord {
    /// Renders a record. The state only gives the name of the resource.
    pub fn of(record: &Record, state: &State) -> Self {
        let (event, details) = ledger::name_and_members(&record.event);
        let stream = record.stream();
        let success = is_success(&event);
        Self {
            id: record.event_id.to_string(),
            number: record.seq,
            created_at: record.time.to_string(),
            service: service(&stream),
            message: words(&event),
            success,
            severity: severity(&event),
            event,
            details,
            username: record.actor.to_string(),
            user_id: record.actor.id_text(),
            client_ip: record.actor.source().map(str::to_owned),
            session_id: record.actor.session().map(|id| id.to_string()),
            request_id: record.request_id.clone(),
            resource_name: name_of(&stream, state),
            resource: stream.to_string(),
            hash: record.hash.to_string(),
            previous_hash: record.previous.to_string(),
        }
    }
}

/// Whether an event of this name reports a success: `LoginFailed` and `OperationFailed` do not.
pub(super) fn is_success(event: &str) -> bool {
    !event.ends_with("Failed")
}

/// How much an event of this name deserves attention.
pub(super) fn severity(event: &str) -> &'static str {
    match event {
        _ if !is_success(event) => "error",
        _ if event.ends_with("Deleted") || event.ends_with("Removed") || event.ends_with("Exported") => "warning",
        _ => "info",
    }
}

/// The part of the product that a stream belongs to.
pub(super) fn service(stream: &Stream) -> &'static str {
    match stream {
        Stream::Installation | Stream::User(_) | Stream::Group(_) | Stream::Session(_) | Stream::Forwarder(_) => {
            "admin"
        }
        Stream::SourceKey(_) => "vault",
        Stream::Schedule(_) => "scheduler",
        _ => "cckm",
    }
}

/// `RegionsReplaced` as `Regions replaced`.
pub(super) fn words(event: &str) -> String {
    let mut words = String::with_capacity(event.len() + 4);
    for character in event.chars() {
        if character.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
            words.push(character.to_ascii_lowercase());
        } else {
            words.push(character);
        }
    }
    words
}

fn name_of(stream: &Stream, state: &State) -> Option<String> {
    match stream {
        Stream::Group(name) => Some(name.to_string()),
        Stream::User(id) => state.users.get(id).map(|user| user.name.to_string()),
        Stream::Connection(id) => state.connections.get(id).map(|connection| connection.name.to_string()),
        Stream::Kms(id) | Stream::Drift(id) => state.kms.get(id).map(|kms| kms.name.to_string()),
        Stream::Template(id) => state.templates.get(id).map(|template| template.name.to_string()),
        Stream::Schedule(id) => state.schedules.all.get(id).map(|schedule| schedule.name.to_string()),
        Stream::Forwarder(id) => state.forwarders.get(id).map(|forwarder| forwarder.settings.host.clone()),
        Stream::SourceKey(id) => state.source_keys.get(id).map(|key| key.made.name.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_words_a_severity_and_a_result() {
        assert_eq!(words("RegionsReplaced"), "Regions replaced");
        let rows: Vec<_> =
            ["LoginFailed", "Deleted", "Added"].map(|event| (is_success(event), severity(event))).to_vec();
        assert_eq!(rows, [(false, "error"), (true, "warning"), (true, "info")]);
    }
}
