//! The socket in the data directory by which `claviger events` and `claviger verify` ask a running server, which has
//! the log to itself. Only the directory's owner can reach it. One request a connection: a JSON line in, lines out; the
//! last of a whole list of events is `{"end": …}`, so that one that was cut off is not taken for the log.

use crate::domain::time::Time;
use crate::ledger::{Filter, Ledger, LedgerError, Verified};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// The log as JSON lines.
    Events {
        /// See [`Filter`].
        stream: Option<String>,
        /// See [`Filter`]; nanoseconds since 1970.
        since: Option<i64>,
        /// See [`Filter`]; nanoseconds since 1970.
        until: Option<i64>,
        /// See [`Filter`].
        actor: Option<String>,
        /// Go on with what is yet to come.
        follow: bool,
    },
    /// Whether the chain is whole.
    Verify,
}

/// The socket of a data directory.
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}

/// Serves the socket until the task is aborted. A socket that an earlier run left behind is replaced: whoever holds
/// the log holds the directory.
///
/// # Errors
/// When the socket cannot be made.
pub fn serve(data_dir: &Path, ledger: Ledger) -> io::Result<JoinHandle<()>> {
    let path = path(data_dir);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    Ok(tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((caller, _)) => drop(tokio::spawn(answer(caller, ledger.clone()))),
                Err(error) => {
                    tracing::warn!(%error, "the control socket could not take a caller");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }))
}

const REQUEST_MAX: u64 = 16 * 1024;

async fn answer(caller: UnixStream, ledger: Ledger) {
    let (reader, writer) = caller.into_split();
    let mut line = String::new();
    let read = BufReader::new(reader.take(REQUEST_MAX)).read_line(&mut line).await;
    if read.is_err() {
        return;
    }
    // A caller who has gone wants no answer.
    let _ = match serde_json::from_str(&line) {
        Err(_) => {
            tell(writer, &json!({"error": "the server does not know this request: is it of another version?"})).await
        }
        Ok(request) => serve_one(request, writer, ledger).await,
    };
}

async fn serve_one(request: Request, writer: OwnedWriteHalf, ledger: Ledger) -> io::Result<()> {
    match request {
        Request::Verify => verify(writer, ledger).await,
        Request::Events { stream, since, until, actor, follow } => {
            let filter =
                Filter { stream, since: since.map(Time::from_nanos), until: until.map(Time::from_nanos), actor };
            events(writer, ledger, filter, follow).await
        }
    }
}

async fn tell(mut writer: impl AsyncWrite + Unpin, line: &serde_json::Value) -> io::Result<()> {
    writer.write_all(format!("{line}\n").as_bytes()).await?;
    writer.flush().await
}

async fn verify(mut writer: OwnedWriteHalf, ledger: Ledger) -> io::Result<()> {
    let verified = tokio::task::spawn_blocking(move || ledger.verify()).await?;
    let line = serde_json::to_string(&match verified {
        Ok(verified) => Ok(said(&verified)),
        Err(broken) => Err(broken.to_string()),
    })?;
    writer.write_all(line.as_bytes()).await
}

/// What a whole chain is told as.
pub fn said(verified: &Verified) -> String {
    let span = verified.span.map(|(first, last)| format!(", from {first} to {last}")).unwrap_or_default();
    format!("{} records{span}: the chain is whole; its last hash is {}", verified.records, verified.hash)
}

async fn events(writer: OwnedWriteHalf, ledger: Ledger, filter: Filter, follow: bool) -> io::Result<()> {
    let mut head = ledger.watch_head();
    let mut writer = BufWriter::new(writer);
    let mut next = 1;
    loop {
        let until = *head.borrow_and_update();
        let (lines, mut wanted) = mpsc::channel(256);
        let (source, filter) = (ledger.clone(), filter.clone());
        let reading = tokio::task::spawn_blocking(move || read(&source, next, until, &filter, &lines));
        while let Some(line) = wanted.recv().await {
            writer.write_all(line.as_bytes()).await?;
            writer.write_all(b"\n").await?;
        }
        if let Err(broken) = reading.await? {
            return tell(writer, &json!({"error": broken.to_string()})).await;
        }
        writer.flush().await?;
        next = until + 1;
        if !follow {
            return tell(writer, &json!({"end": until})).await;
        }
        if head.changed().await.is_err() {
            return Ok(());
        }
    }
}

fn read(
    ledger: &Ledger,
    from: u64,
    until: u64,
    filter: &Filter,
    lines: &mpsc::Sender<String>,
) -> Result<(), LedgerError> {
    for record in ledger.read(from) {
        let record = record?;
        if record.seq > until {
            return Ok(());
        }
        if filter.takes(&record) && lines.blocking_send(record.to_line()).is_err() {
            return Ok(());
        }
    }
    Ok(())
}
