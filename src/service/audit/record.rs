//! One record of the log as auditors get it.

use crate::attempt_log::{Attempt, NOT_RECORDED, NewAttempt};
use crate::domain::event::Stream;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::ledger::{self, Record};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A record for auditors. Its JSON is what is forwarded, and what the API shows.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct AuditRecord {
    /// The id of the event; `attempt-<n>` for a failed attempt.
    pub id: String,
    /// The number of the record in the log, from 1, without gaps; null for a failed attempt.
    #[schema(required = true, example = 42)]
    pub number: Option<u64>,
    /// The time of the event.
    #[serde(rename = "createdAt")]
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The part of the product: `cckm`, `admin`, `vault` or `scheduler`.
    pub service: &'static str,
    /// The event in words.
    #[schema(example = "Regions replaced")]
    pub message: String,
    /// The name of the event.
    #[schema(example = "RegionsReplaced")]
    pub event: String,
    /// The members of the event, or one word; secrets are `[sealed]`.
    #[schema(value_type = Value)]
    pub details: Value,
    /// Whether the event reports a success.
    pub success: bool,
    /// `info`, `warning` or `error`.
    pub severity: &'static str,
    /// The user who caused the event, by the name at that time; or a schedule, or `system`. Empty for an attempt of
    /// somebody unknown.
    #[schema(example = "admin")]
    pub username: String,
    /// The id of the user or schedule; null for `system`.
    #[schema(required = true)]
    pub user_id: Option<String>,
    /// The address of the client; null for events without a client, and for those of earlier versions.
    #[serde(rename = "clientIP")]
    #[schema(required = true)]
    pub client_ip: Option<String>,
    /// The session of the user, as far as it is known.
    #[schema(required = true)]
    pub session_id: Option<String>,
    /// The id of the request.
    #[serde(rename = "requestId")]
    pub request_id: String,
    /// The resource, such as `kms/<id>`.
    pub resource: String,
    /// The present name of the resource, of a key its first alias; null if it has none, or no longer exists.
    #[schema(required = true)]
    pub resource_name: Option<String>,
    /// The SHA-256 of the record; null for a failed attempt.
    #[schema(required = true)]
    pub hash: Option<String>,
    /// The SHA-256 of the record before; null for a failed attempt.
    #[serde(rename = "previousHash")]
    #[schema(required = true)]
    pub previous_hash: Option<String>,
}

impl AuditRecord {
    /// Renders a record. The state only gives the name of the resource.
    pub fn of(record: &Record, state: &State) -> Self {
        let (event, details) = ledger::name_and_members(&record.event);
        let stream = record.stream();
        let success = is_success(&event);
        Self {
            id: record.event_id.to_string(),
            number: Some(record.seq),
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
            hash: Some(record.hash.to_string()),
            previous_hash: Some(record.previous.to_string()),
        }
    }

    /// Renders a failed attempt.
    pub fn of_attempt(attempt: &Attempt) -> Self {
        let what = &attempt.what;
        let (resource, service) = resource_of(&what.path);
        let event = attempted(what);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut details = json!({"status": what.status, "reason": what.reason, "times": attempt.times});
        if let Value::Object(members) = &mut details {
            for (name, text) in [("method", some(&what.method)), ("path", some(&what.path))] {
                members.extend(text.map(|text| (name.to_owned(), text.into())));
            }
            members.extend(what.name_hash.clone().map(|hash| ("username_hash".to_owned(), hash.into())));
        }
        Self {
            id: format!("{ATTEMPT}{}", attempt.number),
            number: None,
            created_at: Time::from_nanos(what.nanos).to_string(),
            service,
            message: words(event),
            event: event.to_owned(),
            details,
            success: false,
            severity: attempt_severity(event),
            username: what.user.clone().unwrap_or_default(),
            user_id: what.user_id.clone(),
            client_ip: some(&what.source),
            session_id: None,
            request_id: what.request_id.clone(),
            resource,
            resource_name: None,
            hash: None,
            previous_hash: None,
        }
    }
}

/// The beginning of the ids of failed attempts.
pub(super) const ATTEMPT: &str = "attempt-";

/// The name of an attempt, like that of an event.
pub(super) fn attempted(what: &NewAttempt) -> &'static str {
    match what.status {
        _ if what.reason == NOT_RECORDED => "AttemptsNotRecorded",
        _ if what.path.ends_with("/auth/tokens") || what.path.ends_with("/auth/changepw") => "LoginRefused",
        401 | 403 => "AccessDenied",
        _ => "ChangeRefused",
    }
}

pub(super) fn attempt_severity(event: &str) -> &'static str {
    if event == "ChangeRefused" { "warning" } else { "error" }
}

/// The resource that a path names, like a stream, and its part of the product.
pub(super) fn resource_of(path: &str) -> (String, &'static str) {
    let path = path.strip_prefix("/api").unwrap_or(path);
    let service = match path {
        _ if path.starts_with("/v1/vault/") => "vault",
        _ if path.starts_with("/v1/scheduler/") => "scheduler",
        _ if path.starts_with("/v1/cckm/") || path.starts_with("/v1/connectionmgmt/") => "cckm",
        _ => "admin",
    };
    let mut segments = path.split('/').skip_while(|segment| kind_of(segment).is_none());
    let kind = segments.next().and_then(kind_of);
    let resource = match (kind, segments.next().filter(|id| !id.is_empty())) {
        (Some(kind), Some(id)) => {
            let id = id.replace("%7C", "|").replace("%7c", "|");
            format!("{kind}/{}", id.strip_prefix("local|").unwrap_or(&id))
        }
        (Some(kind), None) => kind.to_owned(),
        (None, _) => "request".to_owned(),
    };
    (resource, service)
}

/// The kind of the resources under this segment of a path, as streams call it.
fn kind_of(segment: &str) -> Option<&'static str> {
    Some(match segment {
        "kms" => "kms",
        "keys" => "key",
        "keys2" => "source-key",
        "connections" => "connection",
        "users" => "user",
        "groups" => "group",
        "templates" => "template",
        "job-configs" => "schedule",
        "custom-key-stores" => "key-store",
        "reports" => "report",
        "webhooks" => "webhook",
        "tokens" => "session",
        _ => return None,
    })
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
        Stream::Key(id) => state.keys.get(id).and_then(|key| key.aliases.first()).map(ToString::to_string),
        Stream::KeyStore(id) => state.key_stores.get(id).map(|store| store.name.to_string()),
        Stream::Report(id) => state.reports.get(id).map(|report| report.name.to_string()),
        Stream::Webhook(id) => state.alarms.webhooks.get(id).map(|webhook| webhook.name.to_string()),
        Stream::Installation
        | Stream::Session(_)
        | Stream::Job(_)
        | Stream::Posture
        | Stream::Alarm(_)
        | Stream::Backup(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_names_the_resource_of_its_path() {
        for (path, resource, service) in [
            ("/v1/cckm/aws/kms/0b90f8de/archive", "kms/0b90f8de", "cckm"),
            ("/v1/usermgmt/users/local%7C0b90f8de", "user/0b90f8de", "admin"),
            ("/v1/usermgmt/groups/team/users/local%7C0b90f8de", "group/team", "admin"),
            ("/v1/vault/keys2", "source-key", "vault"),
            ("/v1/scheduler/job-configs/0b90f8de", "schedule/0b90f8de", "scheduler"),
            ("/v1/auth/tokens", "session", "admin"),
            ("/metrics", "request", "admin"),
        ] {
            assert_eq!(resource_of(path), (resource.to_owned(), service), "{path}");
        }
    }

    #[test]
    fn an_event_has_words_a_severity_and_a_result() {
        assert_eq!(words("RegionsReplaced"), "Regions replaced");
        let rows: Vec<_> =
            ["LoginFailed", "Deleted", "Added"].map(|event| (is_success(event), severity(event))).to_vec();
        assert_eq!(rows, [(false, "error"), (true, "warning"), (true, "info")]);
    }
}
