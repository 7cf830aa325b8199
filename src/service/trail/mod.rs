//! Reads the events of KMS in a CloudTrail log group, page by page.
//!
//! FilterLogEvents goes by the time of the events and delivers them in that order. Pages can be short or empty and yet
//! have a next one. Events are read and used on a thread of the lowest priority (`worker.rs`), while AWS is asked for
//! the next page. An event that was read before is left out (`seen.rs`).

mod seen;
#[cfg(test)]
mod tests;
mod worker;

use super::cloud::Cloud;
use super::failure::Failure;
use crate::aws::asker::Asker;
use crate::aws::cloudtrail::{KMS_EVENTS, NotAnEvent, TrailEvent};
use crate::aws::failure::AwsFailure;
use crate::aws::logs::{LogWindow, RawLogPage};
use crate::aws::operation::AwsOperation;
use crate::aws::page::Marker;
use crate::call_journal::{CallJournal, OwnCalls};
use crate::domain::id::KmsId;
use crate::domain::place::Region;
use crate::domain::time::Time;
pub(in crate::service) use seen::Seen;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
pub(in crate::service) use worker::Worker;

/// The log group of a trail, and the KMS whose credentials read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) struct TrailSource {
    pub kms: KmsId,
    pub region: Region,
    pub log_group: String,
}

/// The times of the events to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct TrailWindow {
    pub start: Time,
    /// Events of this time and later ones are not read.
    pub end: Time,
}

/// The numbers of a page, or the sums of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::service) struct TrailCounts {
    /// The messages that AWS returned.
    pub read: u64,
    pub pages: u64,
    /// Events that had been read before.
    pub repeated: u64,
    /// Messages that are no events: cut, not JSON, too long, or of something else than CloudTrail.
    pub skipped: u64,
}

impl TrailCounts {
    #[allow(dead_code)] // for readers that add up pages themselves
    pub(in crate::service) fn add(&mut self, other: Self) {
        self.read += other.read;
        self.pages += other.pages;
        self.repeated += other.repeated;
        self.skipped += other.skipped;
    }
}

/// A page, as whoever uses its events gets it.
pub(in crate::service) struct ReadPage {
    /// The events that were not read before.
    pub events: Vec<TrailEvent>,
    pub counts: TrailCounts,
    /// The token with which the reading continues after this page; `None` after the last one.
    pub next: Option<Marker>,
}

/// A page whose events have been used.
pub(in crate::service) struct UsedPage<T> {
    /// What the use of its events returned.
    pub result: T,
    pub counts: TrailCounts,
    /// The token with which the reading continues after this page; `None` after the last one.
    pub next: Option<Marker>,
}

/// The waits between the attempts at a page. AWS allows few calls per second, and other readers share them.
#[derive(Debug, Clone, Copy)]
struct Patience {
    attempts: u32,
    first: Duration,
    longest: Duration,
}

const PATIENCE: Patience =
    Patience { attempts: 12, first: Duration::from_millis(500), longest: Duration::from_secs(20) };
/// The most attempts at a page that is not sent. Wrong credentials are another reason for it, and do not pass.
const NOT_SENT_ATTEMPTS: u32 = 4;
/// The most pages without events in a row: a list of more has no end.
const EMPTY_PAGES_MAX: u32 = 20_000;
/// The most pages in a row with the same token: AWS may have searched nothing in a call, and goes on in the next one.
const SAME_TOKENS_MAX: u32 = 20;

/// What reports and the drift watch need to read CloudTrail. Cheap to clone.
#[derive(Clone)]
pub(in crate::service) struct Trails {
    cloud: Arc<Cloud>,
    worker: Worker,
    call_journal: CallJournal,
}

impl Trails {
    /// Starts the worker.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(in crate::service) fn start(cloud: Arc<Cloud>, call_journal: CallJournal) -> Result<Self, Failure> {
        Ok(Self { cloud, worker: Worker::start()?, call_journal })
    }

    /// Reads a window, from its first page or from that of a token of an earlier reading.
    pub(in crate::service) fn reader(
        &self,
        source: TrailSource,
        window: TrailWindow,
        token: Option<Marker>,
    ) -> TrailReader {
        TrailReader::new(self.cloud.clone(), self.worker.clone(), source, window, token)
    }

    /// The thread for work that no request waits for.
    pub(in crate::service) fn worker(&self) -> &Worker {
        &self.worker
    }

    /// The journal of our calls; to read it blocks, so that the worker does it.
    pub(in crate::service) fn call_journal(&self) -> &CallJournal {
        &self.call_journal
    }

    /// Our calls to AWS in a window. AWS's clock and ours differ, and a call takes time, so that the calls of some
    /// minutes before and after belong to it.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(in crate::service) async fn own_calls(&self, window: TrailWindow) -> Result<OwnCalls, Failure> {
        let journal = self.call_journal.clone();
        let (from, to) = (milliseconds(window.start) - CLOCK_SKEW_MS, milliseconds(window.end) + CLOCK_SKEW_MS);
        let found = self.worker.run(move || journal.between(from, to)).await?;
        found.map_err(|error| {
            tracing::error!(%error, "the journal of our calls to AWS cannot be read");
            Failure::Internal("the journal of our calls to AWS cannot be read")
        })
    }
}

/// The most by which AWS's clock and ours differ.
pub(in crate::service) const CLOCK_SKEW_MS: i64 = 15 * 60 * 1_000;

/// A page that AWS is asked for.
type Asked = JoinHandle<Result<RawLogPage, Failure>>;

/// Reads the events of a window.
pub(in crate::service) struct TrailReader {
    cloud: Arc<Cloud>,
    worker: Worker,
    source: TrailSource,
    window: TrailWindow,
    patience: Patience,
    seen: Arc<Seen>,
    pattern: &'static str,
    /// The page that AWS is asked for, and its token.
    next: Option<(Option<Marker>, Asked)>,
    /// The token of the next page; `None` for the first one.
    token: Option<Marker>,
    empty_pages: u32,
    /// How often in a row the token of the next page was that of the page itself.
    same_tokens: u32,
    is_done: bool,
}

impl TrailReader {
    fn new(cloud: Arc<Cloud>, worker: Worker, source: TrailSource, window: TrailWindow, token: Option<Marker>) -> Self {
        Self {
            cloud,
            worker,
            source,
            window,
            patience: PATIENCE,
            seen: Arc::default(),
            pattern: KMS_EVENTS,
            next: None,
            token,
            empty_pages: 0,
            same_tokens: 0,
            is_done: false,
        }
    }

    /// Shares the memory of the events that were read, so that an event in two log groups or windows counts once.
    pub(in crate::service) fn remembering(mut self, seen: Arc<Seen>) -> Self {
        self.seen = seen;
        self
    }

    /// Reads the events that a filter pattern selects, in place of all of KMS.
    pub(in crate::service) fn selecting(mut self, pattern: &'static str) -> Self {
        self.pattern = pattern;
        self
    }

    /// Reads the next page, and passes its new events to `work`, which runs on the worker. `None` after the last page.
    ///
    /// # Errors
    /// When AWS refuses or fails, or the pages have no end.
    pub(in crate::service) async fn next<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(Vec<TrailEvent>) -> T + Send + 'static,
    ) -> Result<Option<UsedPage<T>>, Failure> {
        self.next_page(|page| work(page.events)).await
    }

    /// Does the same, and passes the whole page to `work`.
    ///
    /// # Errors
    /// As [`TrailReader::next`].
    pub(in crate::service) async fn next_page<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(ReadPage) -> T + Send + 'static,
    ) -> Result<Option<UsedPage<T>>, Failure> {
        if self.is_done {
            return Ok(None);
        }
        let (token, asked) = match self.next.take() {
            Some(next) => next,
            None => (self.token.clone(), self.ask(self.token.clone())),
        };
        let page = asked.await.map_err(|_| Failure::Internal("a page of CloudTrail could not be read"))??;
        let (tell, told) = oneshot::channel();
        let seen = self.seen.clone();
        let used = self.worker.run(move || use_page(&page, &seen, tell, work));
        let next = told.await.ok().flatten();
        self.same_tokens = if next.is_some() && next == token { self.same_tokens + 1 } else { 0 };
        if self.same_tokens > SAME_TOKENS_MAX {
            return Err(endless());
        }
        // AWS is asked for the next page while the worker reads this one.
        match &next {
            Some(marker) => self.next = Some((Some(marker.clone()), self.ask(Some(marker.clone())))),
            None => self.is_done = true,
        }
        self.token.clone_from(&next);
        let (result, counts) = used.await??;
        self.empty_pages = if counts.read == 0 { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > EMPTY_PAGES_MAX {
            return Err(endless());
        }
        Ok(Some(UsedPage { result, counts, next }))
    }

    fn ask(&self, token: Option<Marker>) -> Asked {
        let (cloud, source, patience) = (self.cloud.clone(), self.source.clone(), self.patience);
        let window = LogWindow {
            log_group: source.log_group.clone(),
            start_ms: milliseconds(self.window.start),
            end_ms: milliseconds(self.window.end.just_before()),
            pattern: Some(self.pattern.to_owned()),
            token,
            limit: None,
        };
        tokio::spawn(Asker::inherit(async move { page(&cloud, &source, &window, patience).await }))
    }
}

impl Drop for TrailReader {
    fn drop(&mut self) {
        if let Some((_, asked)) = &self.next {
            asked.abort();
        }
    }
}

/// Reads a page, again and again while AWS throttles or cannot be reached.
async fn page(
    cloud: &Cloud,
    source: &TrailSource,
    window: &LogWindow,
    patience: Patience,
) -> Result<RawLogPage, Failure> {
    let mut made = 0;
    loop {
        made += 1;
        match cloud.log_events(source.kms, &source.region, window).await {
            Err(Failure::Cloud(failure)) if made < attempts(&failure, patience) => {
                let longest = patience.first.saturating_mul(1 << (made - 1).min(16)).min(patience.longest);
                tracing::debug!(%failure, attempt = made, "a page of CloudTrail is asked for again");
                tokio::time::sleep(longest.mul_f64(jitter())).await;
            }
            outcome => return outcome,
        }
    }
}

/// The number of attempts at a page that fails so.
fn attempts(failure: &AwsFailure, patience: Patience) -> u32 {
    match failure {
        AwsFailure::Throttled { .. }
        | AwsFailure::Faulty { .. }
        | AwsFailure::Unreachable { .. }
        | AwsFailure::Timeout { .. } => patience.attempts,
        // Other calls of ours may have taken the permits of the region, each time until the deadline of a call.
        AwsFailure::NotSent { .. } => patience.attempts.min(NOT_SENT_ATTEMPTS),
        AwsFailure::Refused { .. } | AwsFailure::Unintelligible { .. } => 1,
    }
}

/// A random number between a half and one: readers that were throttled together do not ask again together.
fn jitter() -> f64 {
    let mut random = [0; 4];
    match aws_lc_rs::rand::fill(&mut random) {
        Ok(()) => 0.5 + f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX) / 2.0,
        Err(_) => 1.0,
    }
}

/// Reads the events of a page and uses the new ones. It tells the token of the next page first.
fn use_page<T>(
    page: &RawLogPage,
    seen: &Seen,
    tell: oneshot::Sender<Option<Marker>>,
    work: impl FnOnce(ReadPage) -> T,
) -> Result<(T, TrailCounts), Failure> {
    let read = page.read()?;
    // The reader has gone if nobody listens.
    let _ = tell.send(read.next.clone());
    let mut counts = TrailCounts { read: read.events.len() as u64, pages: 1, ..TrailCounts::default() };
    let mut events = Vec::with_capacity(read.events.len());
    for entry in &read.events {
        match TrailEvent::parse(&entry.message) {
            Ok(event) if seen.is_new(&event.event_id) => events.push(event),
            Ok(_) => counts.repeated += 1,
            Err(NotAnEvent::TooLong | NotAnEvent::NotJson | NotAnEvent::Foreign) => counts.skipped += 1,
        }
    }
    Ok((work(ReadPage { events, counts, next: read.next.clone() }), counts))
}

fn endless() -> Failure {
    let reason = "the list of events has no end".to_owned();
    AwsFailure::Unintelligible { operation: AwsOperation::FILTER_LOG_EVENTS, reason }.into()
}

fn milliseconds(time: Time) -> i64 {
    // AWS takes no times before 1970.
    time.nanos().div_euclid(1_000_000).max(0)
}
