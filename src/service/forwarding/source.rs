//! What is sent: the records of the log, as auditors see them. Each further source gets a place in
//! [`crate::forward::Position`] and a part in [`Source::after`] and [`Source::grown`]; the tasks know nothing of it.

use crate::domain::time::Time;
use crate::forward::{Item, Position, Severity};
use crate::ledger::{LedgerError, Record};
use crate::service::audit::record::AuditRecord;
use crate::service::recorder::Recorder;
use tokio::sync::watch;

/// The most records that are read at once.
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
}

/// All that is sent. Cheap to clone.
#[derive(Clone)]
pub(super) struct Source {
    recorder: Recorder,
}

impl Source {
    pub(super) fn new(recorder: Recorder) -> Self {
        Self { recorder }
    }

    /// The next records after a position; none if there are no more.
    pub(super) async fn after(&self, position: Position) -> Result<Batch, LedgerError> {
        let [number] = position;
        let published = self.recorder.state();
        if number >= published.head {
            return Ok(Batch { items: Vec::new(), position });
        }
        let records = self.recorder.ledger().read_range(number + 1, BATCH).await?;
        let (mut items, mut last, mut bytes) = (Vec::new(), number, 0);
        for record in records {
            let item = item(&record, &AuditRecord::of(&record, &published.state));
            bytes += item.json.len();
            if bytes > BATCH_BYTES && !items.is_empty() {
                break;
            }
            items.push(item);
            last = record.seq;
        }
        Ok(Batch { items, position: [last] })
    }

    pub(super) fn watch(&self) -> Growth {
        Growth { head: self.recorder.ledger().watch_head() }
    }

    /// The position before everything that is of this time or later.
    pub(super) async fn before(&self, time: Time) -> Result<Position, LedgerError> {
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
        Ok([low])
    }

    /// The position at the end, or the given one if that is earlier: a log that was restored from a backup may be
    /// shorter than the position of a destination.
    pub(super) fn at_most_the_end(&self, position: Position) -> Position {
        let [number] = position;
        [number.min(self.recorder.state().head)]
    }
}

impl Growth {
    /// Waits until there is more. Returns false if there never is again.
    pub(super) async fn grown(&mut self) -> bool {
        self.head.changed().await.is_ok()
    }
}

fn item(record: &Record, audit: &AuditRecord) -> Item {
    Item {
        number: record.seq,
        nanos: record.time.nanos(),
        severity: match audit.severity {
            "critical" => Severity::Critical,
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
