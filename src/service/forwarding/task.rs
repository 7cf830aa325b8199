//! One destination: sends what it has not received, in order, and begins again where it must after a failure.

use super::Forwarding;
use super::source::{Batch, Growth, Unreadable};
use super::status::{Counts, Kind, Standing};
use crate::domain::time::Time;
use crate::forward::{Broken, Connection, Destination, Position, Progress, Sent};
use crate::service::pause::pause_after;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The time for which a new record waits for others to be sent with it.
const GATHER: Duration = Duration::from_millis(50);
/// The least time between two looks at what has been received, each of which writes a file.
const SETTLE_EVERY: Duration = Duration::from_secs(1);

/// A destination with a task of its own.
pub(super) struct Task {
    pub(super) forwarding: Forwarding,
    /// The name of its file.
    pub(super) name: String,
    /// Its kind in the metrics.
    pub(super) kind: Kind,
    pub(super) destination: Destination,
    /// Where to begin; `None` for where the file says.
    pub(super) begin_at: Option<Position>,
    /// Where to begin without a file: at the first record of this time or later.
    pub(super) since: Time,
}

/// The reason why the task cannot go on for now.
enum Trouble {
    Destination(Broken),
    Log(Unreadable),
}

impl Task {
    /// Sends for ever.
    pub(super) async fn run(self) {
        self.report(|_| {}, Counts::default());
        let mut failures = 0;
        let mut progress = loop {
            match self.first_position().await {
                Ok(position) => break Progress::from(position),
                Err(problem) => {
                    tracing::error!(destination = self.name, problem, "forwarding cannot begin");
                    sleep(LONGEST_PAUSE).await;
                }
            }
        };
        // The lag counts from here on, also before anything has been received.
        let begins_at = progress.received();
        let change = |standing: &mut Standing| {
            standing.received = Some(begins_at);
            standing.surely_received = Some(begins_at);
        };
        self.report(change, Counts::default());
        loop {
            let (before, began) = (progress.received(), Instant::now());
            let trouble = self.deliver(&mut progress).await;
            // A connection that lasted was a success, even if there was nothing to send.
            let went_well = progress.received() > before || began.elapsed() > LONGEST_PAUSE;
            failures = if went_well { 1 } else { failures + 1 };
            let text = match trouble {
                Trouble::Destination(broken) => broken.to_string(),
                Trouble::Log(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "the log cannot be read for forwarding");
                    "the log cannot be read".to_owned()
                }
            };
            // One line for each outage, not one for each attempt.
            if failures == 1 {
                tracing::warn!(destination = self.name, error = text, "records could not be forwarded");
            }
            let received = progress.received();
            let change = |standing: &mut Standing| {
                standing.received = Some(received);
                standing.surely_received = Some(received);
                standing.error = Some(text);
            };
            self.report(change, Counts { failures: 1, ..Counts::default() });
            sleep(pause_after(failures, LONGEST_PAUSE)).await;
        }
    }

    async fn first_position(&self) -> Result<Position, String> {
        if let Some(position) = self.begin_at {
            // A restart must begin here too.
            self.note(position).await;
            return Ok(position);
        }
        let (cursors, name) = (self.forwarding.cursors.clone(), self.name.clone());
        let known = tokio::task::spawn_blocking(move || cursors.read(&name)).await;
        let known = known.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        match known {
            Some(position) => Ok(self.forwarding.source.at_most_the_end(position)),
            None => self.forwarding.source.before(self.since).await.map_err(|error| error.to_string()),
        }
    }

    /// Sends over one connection, until it ends.
    async fn deliver(&self, progress: &mut Progress) -> Trouble {
        let mut connection = match self.destination.open().await {
            Ok(connection) => connection,
            Err(broken) => return Trouble::Destination(broken),
        };
        let trouble = self.send_over(&mut connection, progress).await;
        let before = progress.received();
        match &trouble {
            Trouble::Destination(broken) => progress.go_back(connection.may_have_lost(broken)),
            Trouble::Log(_) => progress.go_back(false),
        }
        if progress.received() != before {
            // A restart before the receiver is back must send this again too.
            self.note(progress.received()).await;
        }
        trouble
    }

    async fn send_over(&self, connection: &mut Connection, progress: &mut Progress) -> Trouble {
        let mut growth = self.forwarding.source.watch();
        let mut settled = Instant::now();
        loop {
            let settles_at = progress.due().map(|due| due.max(settled + SETTLE_EVERY));
            if settles_at.is_some_and(|at| at <= Instant::now()) {
                if let Err(broken) = self.settle(connection, progress).await {
                    return Trouble::Destination(broken);
                }
                settled = Instant::now();
                continue;
            }
            let batch = match self.forwarding.source.after(progress.sent(), self.destination.batch_bytes()).await {
                Ok(batch) => batch,
                Err(error) => return Trouble::Log(error),
            };
            if let Some(missed) = batch.missed {
                self.report_missed(missed);
            }
            let sent = if batch.items.is_empty() {
                // Records may have been left out that are no more.
                if batch.position != progress.sent() {
                    progress.send(batch.position, 0, Instant::now());
                    continue;
                }
                wait(connection, &mut growth, settles_at).await
            } else {
                self.send(connection, progress, batch).await
            };
            if let Err(broken) = sent {
                return Trouble::Destination(broken);
            }
        }
    }

    async fn send(&self, connection: &mut Connection, progress: &mut Progress, batch: Batch) -> Result<(), Broken> {
        let Batch { items, position, .. } = batch;
        let count = items.len() as u64;
        // A connection that ended meanwhile would still take the first bytes.
        tokio::select! {
            biased;
            broken = connection.closed() => return Err(broken),
            () = std::future::ready(()) => {}
        }
        let Sent { bytes, skipped } = connection.send(items).await?;
        progress.send(position, bytes, Instant::now());
        let now = self.forwarding.recorder.clock_time();
        let counts = Counts { sent: count.saturating_sub(skipped), skipped, ..Counts::default() };
        self.report(|standing| standing.last_sent = Some(now), counts);
        Ok(())
    }

    /// Counts as received what was sent long enough ago, and notes it in the file.
    async fn settle(&self, connection: &mut Connection, progress: &mut Progress) -> Result<(), Broken> {
        connection.confirm().await?;
        progress.settle(Instant::now());
        let position = progress.received();
        let surely_received = if connection.has_buffers() { progress.surely_received() } else { position };
        let change = |standing: &mut Standing| {
            standing.received = Some(position);
            standing.surely_received = Some(surely_received);
            standing.error = None;
        };
        self.report(change, Counts::default());
        self.note(position).await;
        Ok(())
    }

    /// Writes up to where records count as received into the file of the destination.
    async fn note(&self, position: Position) {
        let (cursors, name) = (self.forwarding.cursors.clone(), self.name.clone());
        let written = tokio::task::spawn_blocking(move || cursors.write(&name, position)).await;
        if let Err(error) = written.map_err(std::io::Error::other).and_then(|written| written) {
            // The records are sent again after a restart; nothing is lost.
            tracing::warn!(destination = self.name, %error, "the position of a destination could not be written");
        }
    }

    /// Counts failed attempts that were deleted before they were sent, each once, and reports the first time.
    fn report_missed(&self, (before, last): (u64, u64)) {
        let (mut counts, mut is_new) = (Counts::default(), false);
        self.forwarding.statuses.change(&self.name, |standing| {
            let (known_before, known_last) = standing.missed;
            is_new = known_last == 0 || known_before != before;
            counts.skipped = last.saturating_sub(before.max(known_last));
            standing.missed = (before, last.max(known_last));
        });
        self.forwarding.statuses.count(self.kind, counts);
        if is_new && counts.skipped > 0 {
            tracing::warn!(
                destination = self.name,
                from = before + 1,
                to = last,
                "failed attempts were deleted before they were sent: `[audit]` in the settings bounds how many are kept"
            );
        }
    }

    fn report(&self, change: impl FnOnce(&mut Standing), counts: Counts) {
        let statuses = &self.forwarding.statuses;
        statuses.change(&self.name, |standing| {
            standing.kind = Some(self.kind);
            change(standing);
        });
        statuses.count(self.kind, counts);
    }
}

/// Waits until there is something to send or to settle.
async fn wait(connection: &mut Connection, growth: &mut Growth, settles_at: Option<Instant>) -> Result<(), Broken> {
    let settles = async {
        match settles_at {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
    };
    let grown = async {
        if growth.grown().await {
            sleep(GATHER).await;
        } else {
            std::future::pending().await
        }
    };
    tokio::select! {
        broken = connection.closed() => Err(broken),
        () = grown => Ok(()),
        () = settles => Ok(()),
    }
}
