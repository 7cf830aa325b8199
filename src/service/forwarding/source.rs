//! What is sent: the records of the log, and the failed attempts of the side log, as auditors see them, and the
//! checkpoints as `claviger verify` takes them. Each source has a place in [`Position`]; the tasks know nothing of the
//! sources.

use crate::attempt_log::{Attempt, AttemptLog};
use crate::domain::event::{Actor, Stream};
use crate::domain::time::Time;
use crate::forward::{Item, Number, Position, Severity, blocking};
use crate::ledger::{LedgerError, Record};
use crate::service::audit::record::AuditRecord;
use crate::service::checkpoints::{Checkpoint, Checkpoints};
use crate::service::recorder::Recorder;
use std::io;
use tokio::sync::watch;

/// The most records of each source that are read at once.
const BATCH: usize = 256;
/// The most checkpoints that are read at once.
const CHECKPOINTS: usize = 32;

/// Records to send, and the position after them.
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    pub(super) position: Position,
    /// The failed attempts before those of the batch that were deleted before they were sent: the number before the
    /// first, and the last.
    pub(super) missed: Option<(u64, u64)>,
}

/// Failed attempts, and those before them that are no more.
#[derive(Default)]
struct AttemptsFound {
    attempts: Vec<Attempt>,
    missed: Option<(u64, u64)>,
}

/// Notices that there is more to send.
pub(super) struct Growth {
    head: watch::Receiver<u64>,
    attempts: watch::Receiver<u64>,
    checkpoints: watch::Receiver<u64>,
}

/// The reason why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error(transparent)]
    Log(#[from] LedgerError),
    #[error("the side log of failed attempts cannot be read: {0}")]
    Attempts(#[source] io::Error),
    #[error("the checkpoints cannot be read: {0}")]
    Checkpoints(#[source] io::Error),
}

/// All that is sent. Cheap to clone.
#[derive(Clone)]
pub(super) struct Source {
    recorder: Recorder,
    attempts: AttemptLog,
    checkpoints: Checkpoints,
}

impl Source {
    pub(super) fn new(recorder: Recorder, attempts: AttemptLog, checkpoints: Checkpoints) -> Self {
        Self { recorder, attempts, checkpoints }
    }

    /// The position at the end.
    pub(super) fn end(&self) -> Position {
        [self.recorder.state().head, self.attempts.head(), self.checkpoints.count()]
    }

    /// The next records after a position, of about so many bytes of JSON at most; none if there are no more. All
    /// sources are read each time, so that none waits for the end of another.
    pub(super) async fn after(&self, position: Position, bytes: usize) -> Result<Batch, Unreadable> {
        let [mut number, mut attempt, checkpoint] = position;
        let mut items = Vec::new();
        // The shares of the log and of the attempts. Checkpoints are short, and there are few.
        let share = bytes / 2;
        let mut room = Room::new(share);
        let published = self.recorder.state();
        for record in self.records_after(number).await? {
            let audit = AuditRecord::of(&record, &published.state);
            let next = item(Number::Record(record.seq), record.time.nanos(), &audit);
            if !room.takes(&next) {
                break;
            }
            items.push(next);
            number = record.seq;
        }
        let AttemptsFound { attempts, missed } = self.attempts_after(attempt).await.map_err(Unreadable::Attempts)?;
        attempt = missed.map_or(attempt, |(_, last)| last);
        let mut room = Room::new(share);
        for found in attempts {
            let audit = AuditRecord::of_attempt(&found);
            let next = item(Number::Attempt(found.number), found.what.nanos, &audit);
            if !room.takes(&next) {
                break;
            }
            items.push(next);
            attempt = found.number;
        }
        let (found, passed) = self.checkpoints_after(checkpoint, CHECKPOINTS).await?;
        items.extend(found.iter().map(of_checkpoint));
        Ok(Batch { items, position: [number, attempt, passed], missed })
    }

    /// The time of the oldest record after a position, in nanoseconds since 1970; `None` at the end.
    pub(super) async fn oldest_after(&self, position: Position) -> Result<Option<i64>, Unreadable> {
        let [number, attempt, checkpoint] = position;
        let record = match number < self.recorder.state().head {
            true => self.recorder.ledger().read_one(number + 1).await?.map(|record| record.time.nanos()),
            false => None,
        };
        let attempt = match attempt < self.attempts.head() {
            true => {
                let log = self.attempts.clone();
                let found = blocking(move || log.read(attempt + 1, 1)).await.map_err(Unreadable::Attempts)?;
                found.first().map(|found| found.what.nanos)
            }
            false => None,
        };
        let (checkpoints, _) = self.checkpoints_after(checkpoint, 1).await?;
        let checkpoint = checkpoints.first().map(Checkpoint::nanos);
        Ok(record.into_iter().chain(attempt).chain(checkpoint).min())
    }

    async fn records_after(&self, number: u64) -> Result<Vec<Record>, LedgerError> {
        match self.recorder.state().head {
            head if number >= head => Ok(Vec::new()),
            _ => self.recorder.ledger().read_range(number + 1, BATCH).await,
        }
    }

    async fn attempts_after(&self, number: u64) -> io::Result<AttemptsFound> {
        if number >= self.attempts.head() {
            return Ok(AttemptsFound::default());
        }
        let log = self.attempts.clone();
        blocking(move || {
            let attempts = log.read(number + 1, BATCH)?;
            // What is deleted after the attempts were read is not missed.
            let first = attempts.first().map_or(u64::MAX, |attempt| attempt.number).min(log.first()?);
            Ok(AttemptsFound { attempts, missed: (first > number + 1).then_some((number, first - 1)) })
        })
        .await
    }

    async fn checkpoints_after(&self, passed: u64, most: usize) -> Result<(Vec<Checkpoint>, u64), Unreadable> {
        if passed >= self.checkpoints.count() {
            return Ok((Vec::new(), passed));
        }
        let checkpoints = self.checkpoints.clone();
        blocking(move || checkpoints.after(passed, most)).await.map_err(Unreadable::Checkpoints)
    }

    pub(super) fn watch(&self) -> Growth {
        Growth {
            head: self.recorder.ledger().watch_head(),
            attempts: self.attempts.watch_head(),
            checkpoints: self.checkpoints.watch_count(),
        }
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
        let (log, checkpoints) = (self.attempts.clone(), self.checkpoints.clone());
        let attempt = blocking(move || last_attempt_before(&log, time)).await.map_err(Unreadable::Attempts)?;
        let passed = blocking(move || checkpoints_before(&checkpoints, time)).await.map_err(Unreadable::Checkpoints)?;
        Ok([low, attempt, passed])
    }

    /// The position at the end, or the given one if that is earlier: logs that were restored from a backup may be
    /// shorter than the position of a destination.
    pub(super) fn at_most_the_end(&self, mut position: Position) -> Position {
        for (place, end) in position.iter_mut().zip(self.end()) {
            *place = end.min(*place);
        }
        position
    }
}

/// What still fits into a batch.
struct Room {
    bytes: usize,
    is_empty: bool,
}

impl Room {
    fn new(bytes: usize) -> Self {
        Self { bytes, is_empty: true }
    }

    /// Takes the room for a record, if there is so much. The first is always taken: it may alone be longer.
    fn takes(&mut self, item: &Item) -> bool {
        let fits = item.json.len() <= self.bytes || self.is_empty;
        self.bytes = self.bytes.saturating_sub(item.json.len());
        self.is_empty = false;
        fits
    }
}

/// How many checkpoints are from before a time. It blocks.
fn checkpoints_before(checkpoints: &Checkpoints, time: Time) -> io::Result<u64> {
    let mut passed = 0;
    loop {
        let (found, next) = checkpoints.after(passed, BATCH)?;
        match found.iter().position(|checkpoint| checkpoint.nanos() >= time.nanos()) {
            // One that is damaged may be among those before, so that fewer are passed than could be.
            Some(before) => return Ok(passed + before as u64),
            None if next == passed => return Ok(passed),
            None => passed = next,
        }
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
            changed = self.checkpoints.changed() => changed.is_ok(),
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

/// A checkpoint. Its JSON is the line that `claviger verify --checkpoint` takes.
fn of_checkpoint(checkpoint: &Checkpoint) -> Item {
    Item {
        number: Number::Checkpoint(checkpoint.number),
        nanos: checkpoint.nanos(),
        severity: Severity::Info,
        event: "Checkpoint".to_owned(),
        message: format!("Checkpoint of record {}", checkpoint.number),
        username: Actor::System.to_string(),
        client_ip: None,
        resource: Stream::Installation.to_string(),
        hash: Some(checkpoint.hash.clone()),
        success: true,
        json: checkpoint.to_line(),
    }
}
