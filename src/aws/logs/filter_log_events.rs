//! CloudWatch Logs' FilterLogEvents, as signed JSON. A page holds up to a megabyte of events, and reading it takes tens
//! of milliseconds of a processor, so that the call returns the bytes: the caller reads them where nobody waits.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::aws::call::{AwsCall, Wire};
use crate::aws::failure::AwsFailure;
use crate::aws::fault::{Fault, RetryPolicy, sanitize};
use crate::aws::operation::AwsOperation;
use crate::aws::page::Marker;

/// The events to read. AWS goes by the time of an event, not by its arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogWindow {
    pub log_group: String,
    /// The first millisecond since 1970.
    pub start_ms: i64,
    /// The last millisecond since 1970, which belongs to the window.
    pub end_ms: i64,
    /// AWS's filter pattern; all events if `None`.
    pub pattern: Option<String>,
    /// The token of the page; `None` for the first one.
    pub token: Option<Marker>,
    /// The largest number of events, 1 to 10 000; AWS's default, 10 000, if `None`.
    pub limit: Option<u16>,
}

/// FilterLogEvents: a page of the events of a log group.
pub(in crate::aws) struct FilterLogEvents(pub(in crate::aws) LogWindow);

impl AwsCall for FilterLogEvents {
    type Answer = RawLogPage;
    const OPERATION: AwsOperation = AwsOperation::FILTER_LOG_EVENTS;
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<RawLogPage, Fault> {
        let window = &self.0;
        let body = RequestBody {
            log_group_name: &window.log_group,
            start_time: window.start_ms,
            end_time: window.end_ms,
            filter_pattern: window.pattern.as_deref(),
            next_token: window.token.as_ref().map(Marker::as_str),
            limit: window.limit,
        };
        wire.json_bytes(&body).await.map(RawLogPage)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestBody<'a> {
    log_group_name: &'a str,
    start_time: i64,
    end_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_pattern: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u16>,
}

/// A page that nobody has read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawLogPage(pub Bytes);

/// A page of events. It can be empty and yet have a next page.
#[derive(Debug, PartialEq, Eq)]
pub struct LogPage<'a> {
    pub events: Vec<LogEvent<'a>>,
    pub next: Option<Marker>,
}

/// An event of a log group.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEvent<'a> {
    /// What was logged: CloudTrail logs one event as JSON.
    #[serde(borrow, default)]
    pub message: Cow<'a, str>,
}

impl RawLogPage {
    /// Reads the page.
    ///
    /// # Errors
    /// When the answer does not have the form of AWS's.
    pub fn read(&self) -> Result<LogPage<'_>, AwsFailure> {
        let read: AnswerBody<'_> = serde_json::from_slice(&self.0).map_err(|error| AwsFailure::Unintelligible {
            operation: FilterLogEvents::OPERATION,
            reason: sanitize(&error.to_string()),
        })?;
        let next = read.next_token.filter(|token| !token.is_empty()).map(Marker::new);
        Ok(LogPage { events: read.events, next })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerBody<'a> {
    #[serde(borrow, default)]
    events: Vec<LogEvent<'a>>,
    next_token: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::fake::{Fake, Reply, access, client};
    use crate::aws::port::Aws as _;
    use crate::domain::place::Region;

    fn window() -> LogWindow {
        LogWindow {
            log_group: "trail".to_owned(),
            start_ms: 1_000,
            end_ms: 2_000,
            pattern: Some("{ $.eventSource = \"kms.amazonaws.com\" }".to_owned()),
            token: Some(Marker::new("t")),
            limit: Some(100),
        }
    }

    #[tokio::test]
    async fn a_page_of_events_is_read() {
        let fake = Fake::answering(|asked, _| {
            assert_eq!(asked.header("x-amz-target"), Some("Logs_20140328.FilterLogEvents"));
            let body: Value = serde_json::from_str(&asked.body).expect("JSON");
            let pattern = "{ $.eventSource = \"kms.amazonaws.com\" }";
            let expected = json!({ "logGroupName": "trail", "startTime": 1000, "endTime": 2000, "filterPattern": pattern, "nextToken": "t", "limit": 100 });
            assert_eq!(body, expected);
            let events = json!([{ "message": "{\"a\":1}", "timestamp": 1 }, { "timestamp": 2 }]);
            Reply::Http(200, json!({ "events": events, "searchedLogStreams": [], "nextToken": "u" }).to_string())
        })
        .await;
        let region = Region::parse("eu-west-3").expect("a region");
        let raw = client(&fake.settings()).log_events(&access(), &region, &window()).await.expect("a page");
        let page = raw.read().expect("it is AWS's form");
        let messages: Vec<_> = page.events.iter().map(|event| event.message.as_ref()).collect();
        assert_eq!(messages, ["{\"a\":1}", ""]);
        assert_eq!(page.next, Some(Marker::new("u")));
    }

    #[tokio::test]
    async fn a_page_larger_than_other_answers_is_read() {
        let fake = Fake::answering(|_, _| {
            let event = json!({ "message": "x".repeat(60_000) });
            Reply::Http(200, json!({ "events": vec![event; 100] }).to_string())
        })
        .await;
        let region = Region::parse("eu-west-3").expect("a region");
        let raw = client(&fake.settings()).log_events(&access(), &region, &window()).await.expect("a page");
        assert_eq!(raw.read().expect("it is AWS's form").events.len(), 100);
    }

    #[test]
    fn what_is_not_a_page_is_refused() {
        for text in ["", "[]", "{\"events\":7}", "{\"events\":[{\"message\":7}]}", "{\"events\":["] {
            let read = RawLogPage(Bytes::from_static(text.as_bytes())).read().map(|page| page.events.len());
            assert!(matches!(read, Err(AwsFailure::Unintelligible { .. })) || text == "[]", "{text}: {read:?}");
        }
        assert_eq!(RawLogPage(Bytes::from_static(b"{}")).read().map(|page| page.next), Ok(None));
    }
}
