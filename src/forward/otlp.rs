//! Records as logs of OpenTelemetry: OTLP over HTTP, in JSON.

use super::destination::{Broken, Sent};
use super::item::{Item, Severity};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT_SECONDS: u64 = 30;
/// The bytes of an answer that are read.
const ANSWER_MAX: usize = 64 * 1024;
/// The longest record that is sent whole, in bytes of its JSON. Only the start of a job with very many keys is longer.
pub(super) const RECORD_MAX: usize = 64 * 1024;

/// A collector. Its headers may have secrets, so it has no `Debug`.
#[derive(Clone)]
pub struct Otlp {
    url: Url,
    headers: HeaderMap,
    client: Client,
}

/// The reason why the settings of a collector cannot be used. No text has the value of a header.
#[derive(Debug, thiserror::Error)]
pub enum OtlpError {
    #[error("an URL with http or https, a host and a path, without user and password, is expected")]
    Url,
    #[error("line {0} of the headers is not `name: value`")]
    Header(usize),
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[source] reqwest::Error),
}

impl Otlp {
    /// A collector. `headers` are lines `name: value`; empty lines and those that begin with `#` do not count.
    ///
    /// # Errors
    /// [`OtlpError`]
    pub fn new(url: &str, headers: &str) -> Result<Self, OtlpError> {
        let url = Url::parse(url).map_err(|_| OtlpError::Url)?;
        let is_plain = url.username().is_empty() && url.password().is_none() && url.has_host();
        if !is_plain || !["http", "https"].contains(&url.scheme()) {
            return Err(OtlpError::Url);
        }
        let builder = || {
            Client::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(Duration::from_secs(TIMEOUT_SECONDS))
                .redirect(Policy::none())
                .referer(false)
                .no_proxy()
                .user_agent(concat!("claviger/", env!("CARGO_PKG_VERSION")))
        };
        // A system without certificate authorities must still start; https collectors then fail.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        Ok(Self { url, headers: read_headers(headers)?, client: client.map_err(OtlpError::Client)? })
    }

    /// Sends items. What the collector refuses for good is sent again in halves, and left out once it is one item: it
    /// would hold up all that follows it for ever. Whether it is left out is decided at the end: a collector that refuses
    /// everything, such as one with another path, must not cost a record.
    pub(super) async fn send(&self, items: &[Item]) -> Result<Sent, Broken> {
        let (mut sent, mut parts, mut left_out, mut is_accepting) = (Sent::default(), vec![items], Vec::new(), false);
        while let Some(part) = parts.pop() {
            let status = match self.post(part).await? {
                Answer::Accepted { bytes } => {
                    sent.bytes += bytes;
                    is_accepting = true;
                    continue;
                }
                Answer::Refused(status) => status,
            };
            let (first, second) = part.split_at(part.len() / 2);
            match (first, second) {
                ([], [item]) => left_out.push((item, status)),
                ([], _) => return Err(refused(status)),
                _ => parts.extend([second, first]),
            }
        }
        if let Some((_, status)) = left_out.first().filter(|_| !is_accepting) {
            // OTLP asks every collector to accept a request without items.
            match self.post(&[]).await? {
                Answer::Accepted { .. } => {}
                Answer::Refused(_) => return Err(refused(*status)),
            }
        }
        for (item, status) in left_out {
            let (source, number) = (item.number.noun(), item.number.value());
            tracing::error!(source, number, status, "the OpenTelemetry collector refused it for good: skipped");
            sent.skipped += 1;
        }
        Ok(sent)
    }

    /// Sends one request.
    async fn post(&self, items: &[Item]) -> Result<Answer, Broken> {
        let body = request(items).to_string();
        let bytes = body.len();
        let request = self.client.post(self.url.clone()).headers(self.headers.clone());
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let mut answer = request.send().await.map_err(|error| failure(&error.without_url()))?;
        let status = answer.status();
        if is_for_good(status) {
            return Ok(Answer::Refused(status.as_u16()));
        }
        if !status.is_success() {
            return Err(refused(status.as_u16()));
        }
        let mut text = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            text.extend_from_slice(&chunk);
            if text.len() > ANSWER_MAX {
                break;
            }
        }
        // The specification forbids to send these again: the collector would refuse them for ever.
        if let Some(count) = rejected(&text) {
            tracing::warn!(count, "the OpenTelemetry collector rejected records for good");
        }
        Ok(Answer::Accepted { bytes })
    }
}

/// What a collector answered, if it will not answer otherwise later.
enum Answer {
    Accepted { bytes: usize },
    Refused(u16),
}

/// Whether an answer speaks of the records, and not of the path, the headers or the load of the collector, which an
/// operator or time may change.
fn is_for_good(status: StatusCode) -> bool {
    status.is_client_error() && ![401, 403, 404, 405, 407, 408, 415, 421, 425, 426, 429].contains(&status.as_u16())
}

fn refused(status: u16) -> Broken {
    Broken::Refused(format!("it answered {status}"))
}

fn read_headers(text: &str) -> Result<HeaderMap, OtlpError> {
    let mut headers = HeaderMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let invalid = || OtlpError::Header(number);
        let (name, value) = line.split_once(':').ok_or_else(invalid)?;
        let name = HeaderName::try_from(name.trim()).map_err(|_| invalid())?;
        let mut value = HeaderValue::try_from(value.trim()).map_err(|_| invalid())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// The body of a request: an `ExportLogsServiceRequest`.
pub(super) fn request(items: &[Item]) -> Value {
    let service = json!({"attributes": [text("service.name", "claviger"),
        text("service.version", env!("CARGO_PKG_VERSION"))]});
    let records: Vec<_> = items.iter().map(log_record).collect();
    json!({"resourceLogs": [{"resource": service,
        "scopeLogs": [{"scope": {"name": "claviger.audit"}, "logRecords": records}]}]})
}

fn log_record(item: &Item) -> Value {
    let (severity, name) = match item.severity {
        Severity::Info => (9, "INFO"),
        Severity::Warning => (13, "WARN"),
        Severity::Error => (17, "ERROR"),
    };
    let mut attributes = vec![
        json!({"key": format!("claviger.{}", item.number.name()), "value": {"intValue": item.number.value().to_string()}}),
        json!({"key": "claviger.success", "value": {"boolValue": item.success}}),
        text("claviger.resource", &item.resource),
        text("enduser.id", &item.username),
        text("claviger.record", &shortened(&item.json)),
    ];
    attributes.extend(item.hash.as_ref().map(|hash| text("claviger.hash", hash)));
    attributes.extend(item.client_ip.as_ref().map(|ip| text("client.address", ip)));
    let nanos = item.nanos.max(0).to_string();
    json!({"timeUnixNano": nanos, "observedTimeUnixNano": nanos, "severityNumber": severity, "severityText": name,
        "eventName": format!("claviger.{}", item.event), "body": {"stringValue": item.message},
        "attributes": attributes})
}

/// The JSON of a record; one that a collector may refuse for its length has the length of its details in their place.
/// Its hash is still there, and the log has the rest.
fn shortened(json: &str) -> Cow<'_, str> {
    if json.len() <= RECORD_MAX {
        return Cow::Borrowed(json);
    }
    let Ok(Value::Object(mut members)) = serde_json::from_str(json) else { return Cow::Borrowed(json) };
    if let Some(details) = members.get_mut("details") {
        *details = json!({"cut": true, "bytes": details.to_string().len()});
    }
    Cow::Owned(Value::Object(members).to_string())
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// The number of records that the collector rejected although it accepted the request.
fn rejected(answer: &[u8]) -> Option<u64> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let count = &answer["partialSuccess"]["rejectedLogRecords"];
    // Whole numbers of 64 bits are texts in this encoding.
    count.as_u64().or_else(|| count.as_str()?.parse().ok()).filter(|count| *count > 0)
}

fn failure(error: &reqwest::Error) -> Broken {
    if error.is_timeout() {
        Broken::TimedOut(TIMEOUT_SECONDS)
    } else if error.is_connect() {
        Broken::NotConnected("the collector cannot be reached".to_owned())
    } else {
        Broken::Lost("the request ended without an answer".to_owned())
    }
}
