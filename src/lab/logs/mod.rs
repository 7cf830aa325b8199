//! CloudWatch Logs: DescribeLogGroups and FilterLogEvents, with the log groups of CloudTrail.
//!
//! As at AWS, a page can be short, or empty, and have a `nextToken`: FilterLogEvents searches a limited number of
//! events in a call. A fault of the lab asks for such pages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::fault::FaultAnswer;
use super::plan::{CREATED, is_log_group_name};
use super::refusal::Refusal;
use super::service::Service;
use super::trail::{OVERHEAD, Place, Shown, Trail, Window};
use filter::Filter;

mod filter;

/// The largest number, and size, of the events of a page.
const MAX_EVENTS: i64 = 10_000;
const MAX_BYTES: usize = 1 << 20;
/// The number of events that a call searches.
const MAX_SEARCHED: usize = 20_000;
const MAX_GROUPS: i64 = 50;
const MAX_PATTERN: usize = 1024;

/// The parameters of DescribeLogGroups.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DescribeLogGroups {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
    log_group_class: Option<String>,
}

/// The parameters of FilterLogEvents.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FilterLogEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

/// Counts the calls of FilterLogEvents of each account and region in the current second.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<HashMap<(String, String), (Instant, u32)>>);

impl Rates {
    /// Takes a call.
    ///
    /// # Errors
    /// [`Refusal::Throttled`] if there were too many in this second.
    fn take(&self, account: &str, region: &str, most: u32) -> Result<(), Refusal> {
        let now = Instant::now();
        let mut rates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = rates.entry((account.to_owned(), region.to_owned())).or_insert((now, 0));
        if now.duration_since(*since) >= Duration::from_secs(1) {
            (*since, *count) = (now, 0);
        }
        if *count >= most {
            return Err(Refusal::Throttled);
        }
        *count += 1;
        Ok(())
    }
}

/// Answers an operation for an authenticated caller. `now` is the time of the lab's clock.
///
/// # Errors
/// The refusal that AWS would answer.
pub(super) async fn answer(
    trail: &Arc<Trail>,
    rates: &Rates,
    caller: &Caller<'_>,
    (region, operation): (&str, &str),
    body: &[u8],
    injected: Option<FaultAnswer>,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    match operation {
        "DescribeLogGroups" => describe_log_groups(trail, caller, region, &read(body)?),
        "FilterLogEvents" => {
            let search = Search::read(trail, rates, caller, region, read(body)?, injected, now)?;
            let trail = Arc::clone(trail);
            // The search of a page takes milliseconds.
            tokio::task::spawn_blocking(move || search.page(&trail)).await.map_err(|_| Refusal::Internal)
        }
        _ => {
            let version = Service::Logs.version().to_owned();
            Err(Refusal::OperationUnknown { operation: operation.to_owned(), version })
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|_| Refusal::Special {
        status: 400,
        code: "SerializationException",
        message: String::new(),
    })
}

fn describe_log_groups(
    trail: &Trail,
    caller: &Caller<'_>,
    region: &str,
    request: &DescribeLogGroups,
) -> Result<Value, Refusal> {
    check_range("limit", request.limit, MAX_GROUPS)?;
    let DescribeLogGroups { log_group_name_prefix: prefix, log_group_name_pattern: pattern, .. } = request;
    if prefix.is_some() && pattern.is_some() {
        return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    for (name, given) in [("logGroupNamePrefix", prefix), ("logGroupNamePattern", pattern)] {
        if let Some(given) = given {
            check_name(name, given)?;
        }
    }
    let classes = ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"];
    if let Some(class) = request.log_group_class.as_deref().filter(|class| !classes.contains(class)) {
        let rule = format!("Member must satisfy enum value set: [{}]", classes.join(", "));
        return Err(violated("logGroupClass", class, &rule));
    }
    let account = caller.account;
    let partition = account.partition;
    // AWS names an empty log group where a call is about all of them.
    let all = format!("arn:{partition}:logs:{region}:{}:log-group::log-stream:", account.id);
    caller.require("logs:DescribeLogGroups", Some(all))?;
    if request.next_token.is_some() {
        // An account has one log group in a region, so that there is no second page.
        return Err(invalid("The specified nextToken is invalid."));
    }
    let name = trail.rules().log_group(&account.id);
    let is_asked = prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
        && pattern.as_ref().is_none_or(|part| name.to_lowercase().contains(&part.to_lowercase()))
        && request.log_group_class.as_deref().is_none_or(|class| class == "STANDARD");
    let arn = format!("arn:{partition}:logs:{region}:{}:log-group:{name}", account.id);
    let created = DateTime::parse_from_rfc3339(CREATED).map(|time| time.timestamp_millis()).unwrap_or_default();
    let group = json!({
        "logGroupName": name,
        "creationTime": created,
        "metricFilterCount": 0,
        "arn": format!("{arn}:*"),
        "storedBytes": trail.bytes(&account.id, region),
        "logGroupClass": "STANDARD",
        "logGroupArn": arn,
    });
    Ok(json!({ "logGroups": if is_asked { vec![group] } else { Vec::new() } }))
}

/// A checked call of FilterLogEvents.
struct Search {
    account: String,
    region: String,
    stream: String,
    /// Whether the events are asked for: the stream can be another one.
    has_stream: bool,
    window: Window,
    filter: Option<Filter>,
    most: usize,
    searched: usize,
}

impl Search {
    fn read(
        trail: &Trail,
        rates: &Rates,
        caller: &Caller<'_>,
        region: &str,
        request: FilterLogEvents,
        injected: Option<FaultAnswer>,
        now: DateTime<Utc>,
    ) -> Result<Search, Refusal> {
        let account = caller.account;
        let name = group_name(&request)?.to_owned();
        check_range("limit", request.limit, MAX_EVENTS)?;
        for (name, time) in [("startTime", request.start_time), ("endTime", request.end_time)] {
            if let Some(time) = time.filter(|time| *time < 0) {
                return Err(violated(name, &time.to_string(), "Member must have value greater than or equal to 0"));
            }
        }
        if request.log_stream_names.is_some() && request.log_stream_name_prefix.is_some() {
            return Err(invalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters."));
        }
        let pattern = request.filter_pattern.unwrap_or_default();
        if pattern.chars().count() > MAX_PATTERN {
            let rule = format!("Member must have length less than or equal to {MAX_PATTERN}");
            return Err(violated("filterPattern", &pattern, &rule));
        }
        let arn = format!("arn:{}:logs:{region}:{}:log-group:{name}:log-stream:", account.partition, account.id);
        caller.require("logs:FilterLogEvents", Some(arn))?;
        rates.take(&account.id, region, trail.rules().filter_log_events_per_second)?;
        let own = trail.rules().log_group(&account.id);
        let own_arn = format!("arn:{}:logs:{region}:{}:log-group:{own}", account.partition, account.id);
        // The identifier can be an ARN, also one of another account or region.
        let is_foreign = |identifier: &String| identifier.starts_with("arn:") && *identifier != own_arn;
        if name != own || request.log_group_identifier.as_ref().is_some_and(is_foreign) {
            let message = "The specified log group does not exist.".to_owned();
            return Err(Refusal::Special { status: 400, code: "ResourceNotFoundException", message });
        }
        if let (Some(start), Some(end)) = (request.start_time, request.end_time)
            && start > end
        {
            return Err(invalid("The start time must not be after the end time."));
        }
        let filter = Filter::parse(&pattern).map_err(|_| invalid("Invalid filter pattern"))?;
        let after = match &request.next_token {
            None => None,
            Some(token) => Some(place_of(token).ok_or_else(|| invalid("The specified nextToken is invalid."))?),
        };
        let stream = format!("{}_CloudTrail_{region}", account.id);
        let has_stream = request.log_stream_names.is_none_or(|names| names.contains(&stream))
            && request.log_stream_name_prefix.is_none_or(|prefix| stream.starts_with(&prefix));
        let window = Window {
            start: request.start_time.unwrap_or_default(),
            end: request.end_time.unwrap_or(i64::MAX),
            after,
            now: now.timestamp_millis(),
        };
        let limit = usize::try_from(request.limit.unwrap_or(MAX_EVENTS)).unwrap_or_default();
        let (most, searched) = match injected {
            Some(FaultAnswer::EmptyPage) => (limit, 0),
            Some(FaultAnswer::ShortPage) => (1, MAX_SEARCHED),
            _ => (limit, MAX_SEARCHED),
        };
        let (account, region) = (account.id.clone(), region.to_owned());
        Ok(Search { account, region, stream, has_stream, window, filter, most, searched })
    }

    fn page(&self, trail: &Trail) -> Value {
        let mut log = trail.log(&self.account, &self.region, &self.window, self.searched).peekable();
        let (mut events, mut bytes, mut searched) = (Vec::new(), 0, 0);
        let mut last = self.window.after.unwrap_or(START);
        let mut more = false;
        while let Some(next) = log.peek().filter(|_| self.has_stream) {
            let size = next.message.len() + OVERHEAD;
            if searched >= self.searched || events.len() >= self.most || (bytes + size > MAX_BYTES && bytes > 0) {
                more = true;
                break;
            }
            let Some(next) = log.next() else { break };
            searched += 1;
            last = next.place;
            if self.filter.as_ref().is_none_or(|filter| filter.matches(&next.message)) {
                bytes += size;
                events.push(self.entry(next));
            }
        }
        let mut answer = json!({ "events": events, "searchedLogStreams": [] });
        if more {
            answer["nextToken"] = json!(token_of(last));
        }
        answer
    }

    fn entry(&self, event: Shown) -> Value {
        let timestamp = event.place.second * 1000;
        json!({
            "logStreamName": self.stream,
            "timestamp": timestamp,
            "message": event.message,
            "ingestionTime": event.arrived,
            "eventId": format!("3{timestamp:016}{:039}", event.id),
        })
    }
}

/// The place before all events.
const START: Place = Place { second: i64::MIN, source: 0, number: 0 };

fn token_of(last: Place) -> String {
    URL_SAFE_NO_PAD.encode(format!("after {} {} {}", last.second, last.source, last.number))
}

fn place_of(token: &str) -> Option<Place> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let mut parts = text.strip_prefix("after ")?.split(' ');
    let place = Place {
        second: parts.next()?.parse().ok()?,
        source: parts.next()?.parse().ok()?,
        number: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(place)
}

/// The name of the log group of a request, which can be given as an ARN.
fn group_name(request: &FilterLogEvents) -> Result<&str, Refusal> {
    match (&request.log_group_name, &request.log_group_identifier) {
        (Some(_), Some(_)) => Err(invalid("LogGroup name and LogGroup identifier are mutually exclusive parameters.")),
        (None, None) => Err(invalid("LogGroup name or LogGroup identifier is required.")),
        (Some(name), None) => check_name("logGroupName", name).map(|()| name.as_str()),
        (None, Some(identifier)) => {
            let name = identifier.split_once(":log-group:").map_or(identifier.as_str(), |(_, name)| name);
            // AWS takes the ARN without the asterisk at its end only.
            check_name("logGroupIdentifier", name).map(|()| name)
        }
    }
}

fn check_name(member: &str, name: &str) -> Result<(), Refusal> {
    if is_log_group_name(name) {
        return Ok(());
    }
    let rule = match name.chars().count() {
        0 => "Member must have length greater than or equal to 1",
        513.. => "Member must have length less than or equal to 512",
        _ => r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+",
    };
    Err(violated(member, name, rule))
}

fn check_range(member: &str, given: Option<i64>, most: i64) -> Result<(), Refusal> {
    match given {
        Some(number) if number < 1 => {
            Err(violated(member, &number.to_string(), "Member must have value greater than or equal to 1"))
        }
        Some(number) if number > most => {
            let rule = format!("Member must have value less than or equal to {most}");
            Err(violated(member, &number.to_string(), &rule))
        }
        _ => Ok(()),
    }
}

fn violated(member: &str, value: &str, rule: &str) -> Refusal {
    invalid(&format!("1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"))
}

fn invalid(message: &str) -> Refusal {
    Refusal::Special { status: 400, code: "InvalidParameterException", message: message.to_owned() }
}
