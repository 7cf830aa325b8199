//! One destination: sends what it has not received, in order, and begins again where it must after a failure.

use super::Forwarding;
use super::source::{Batch, Growth, Unreadable};
use super::status::{Kind, Standing};
use crate::domain::time::Time;
use crate::forward::{Broken, Connection, Destination, Position, Progress};
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
        self.report(|_| {}, 0, 0);
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
        self.report(|standing| standing.received = Some(begins_at), 0, 0);
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
                standing.error = Some(text);
            };
            self.report(change, 0, 1);
            sleep(pause_after(failures, LONGEST_PAUSE)).await;
        }
    }

    async fn first_position(&self) -> Result<Position, String> {
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
            let batch = match self.forwarding.source.after(progress.sent()).await {
                Ok(batch) => batch,
                Err(error) => return Trouble::Log(error),
            };
            let sent = if batch.items.is_empty() {
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
        let Batch { items, position } = batch;
        let count = items.len();
        // A connection that ended meanwhile would still take the first bytes.
        tokio::select! {
            biased;
            broken = connection.closed() => return Err(broken),
            () = std::future::ready(()) => {}
        }
        let bytes = connection.send(items).await?;
        progress.send(position, bytes, Instant::now());
        let now = self.forwarding.recorder.clock_time();
        self.report(|standing| standing.last_sent = Some(now), count, 0);
        Ok(())
    }

    /// Counts as received what was sent long enough ago, and notes it in the file.
    async fn settle(&self, connection: &mut Connection, progress: &mut Progress) -> Result<(), Broken> {
        connection.confirm().await?;
        progress.settle(Instant::now());
        let position = progress.received();
        let change = |standing: &mut Standing| {
            standing.received = Some(position);
            standing.error = None;
        };
        self.report(change, 0, 0);
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

    fn report(&self, change: impl FnOnce(&mut Standing), sent: usize, failures: u64) {
        let statuses = &self.forwarding.statuses;
        statuses.change(&self.name, |standing| {
            standing.kind = Some(self.kind);
            change(standing);
        });
        statuses.count(self.kind, sent, failures);
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
