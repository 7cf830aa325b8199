//! What is sent: the records of the log, and the failed attempts of the side log, as auditors see them. Each source has
//! a place in [`Position`]; the tasks know nothing of the sources.

use crate::attempt_log::{Attempt, AttemptLog};
use crate::domain::time::Time;
use crate::forward::{Item, Number, Position, Severity, blocking};
use crate::ledger::{LedgerError, Record};
use crate::service::audit::record::AuditRecord;
use crate::service::recorder::Recorder;
use std::io;
use tokio::sync::watch;

/// The most records of each source that are read at once.
const BATCH: usize = 256;
/// The most bytes of JSON that are sent at once, unless one record alone is longer: collectors have a limit too.
const BATCH_BYTES: usize = 1024 * 1024;

/// Records to send, and the position after them.
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    pub(super) position: Position,
}

/// Notices that there is more to send.
pub(super) struct Growth {
    head: watch::Receiver<u64>,
    attempts: watch::Receiver<u64>,
}

/// The reason why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error(transparent)]
    Log(#[from] LedgerError),
    #[error("the side log of failed attempts cannot be read: {0}")]
    Attempts(#[from] io::Error),
}

/// All that is sent. Cheap to clone.
#[derive(Clone)]
pub(super) struct Source {
    recorder: Recorder,
    attempts: AttemptLog,
}

impl Source {
    pub(super) fn new(recorder: Recorder, attempts: AttemptLog) -> Self {
        Self { recorder, attempts }
    }

    /// The position at the end.
    pub(super) fn end(&self) -> Position {
        [self.recorder.state().head, self.attempts.head()]
    }

    /// The next records after a position; none if there are no more. Both sources are read each time, so that neither
    /// waits for the end of the other.
    pub(super) async fn after(&self, position: Position) -> Result<Batch, Unreadable> {
        let [mut number, mut attempt] = position;
        let (mut items, mut bytes) = (Vec::new(), 0);
        let published = self.recorder.state();
        for record in self.records_after(number).await? {
            let audit = AuditRecord::of(&record, &published.state);
            let next = item(Number::Record(record.seq), record.time.nanos(), &audit);
            bytes += next.json.len();
            if bytes > BATCH_BYTES && !items.is_empty() {
                break;
            }
            items.push(next);
            number = record.seq;
        }
        // Attempts are short, and few fit into a batch.
        for found in self.attempts_after(attempt).await? {
            attempt = found.number;
            items.push(item(Number::Attempt(attempt), found.what.nanos, &AuditRecord::of_attempt(&found)));
        }
        Ok(Batch { items, position: [number, attempt] })
    }

    /// The time of the oldest record after a position, in nanoseconds since 1970; `None` at the end.
    pub(super) async fn oldest_after(&self, [number, attempt]: Position) -> Result<Option<i64>, Unreadable> {
        let record = match number < self.recorder.state().head {
            true => self.recorder.ledger().read_one(number + 1).await?.map(|record| record.time.nanos()),
            false => None,
        };
        let attempt = match attempt < self.attempts.head() {
            true => {
                let log = self.attempts.clone();
                let found = blocking(move || log.read(attempt + 1, 1)).await?;
                found.first().map(|found| found.what.nanos)
            }
            false => None,
        };
        Ok(record.into_iter().chain(attempt).min())
    }

    async fn records_after(&self, number: u64) -> Result<Vec<Record>, LedgerError> {
        match self.recorder.state().head {
            head if number >= head => Ok(Vec::new()),
            _ => self.recorder.ledger().read_range(number + 1, BATCH).await,
        }
    }

    async fn attempts_after(&self, number: u64) -> io::Result<Vec<Attempt>> {
        if number >= self.attempts.head() {
            return Ok(Vec::new());
        }
        let log = self.attempts.clone();
        blocking(move || log.read(number + 1, BATCH)).await
    }

    pub(super) fn watch(&self) -> Growth {
        Growth { head: self.recorder.ledger().watch_head(), attempts: self.attempts.watch_head() }
    }

    /// The position before everything that is of this time or later.
    pub(super) async fn before(&self, time: Time) -> Result<Position, Unreadable> {
        let ledger = self.recorder.ledger();
        let (mut low, mut high) = (0, self.recorder.state().head);
        // Times only increase. Record `low` is earlier, and those after `high` are not.
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            match ledger.read_one(middle).await? {
                Some(record) if record.time < time => low = middle,
                _ => high = middle - 1,
            }
        }
        let log = self.attempts.clone();
        Ok([low, blocking(move || last_attempt_before(&log, time)).await?])
    }

    /// The position at the end, or the given one if that is earlier: logs that were restored from a backup may be
    /// shorter than the position of a destination.
    pub(super) fn at_most_the_end(&self, position: Position) -> Position {
        let ([number, attempt], [last, last_attempt]) = (position, self.end());
        [number.min(last), attempt.min(last_attempt)]
    }
}

/// The number of the last attempt before a time. It blocks.
fn last_attempt_before(log: &AttemptLog, time: Time) -> io::Result<u64> {
    let (mut low, mut high) = (log.first()?.saturating_sub(1), log.head());
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        // Some numbers may be missing; the next one that is there decides.
        match log.read(middle, 1)?.first() {
            Some(attempt) if attempt.what.nanos < time.nanos() => low = attempt.number.clamp(middle, high),
            _ => high = middle - 1,
        }
    }
    Ok(low)
}

impl Growth {
    /// Waits until there is more. Returns false if there never is again.
    pub(super) async fn grown(&mut self) -> bool {
        tokio::select! {
            changed = self.head.changed() => changed.is_ok(),
            changed = self.attempts.changed() => changed.is_ok(),
        }
    }
}

fn item(number: Number, nanos: i64, audit: &AuditRecord) -> Item {
    Item {
        number,
        nanos,
        severity: match audit.severity {
            "error" => Severity::Error,
            "warning" => Severity::Warning,
            _ => Severity::Info,
        },
        event: audit.event.clone(),
        message: audit.message.clone(),
        username: audit.username.clone(),
        client_ip: audit.client_ip.clone(),
        resource: audit.resource.clone(),
        hash: audit.hash.clone(),
        success: audit.success,
        // The maps of the record have texts as keys, so that this does not fail.
        json: serde_json::to_string(audit).unwrap_or_default(),
    }
}
