//! The socket in the data directory through which the commands ask a running server, which has the log open
//! exclusively. Only the directory's owner can access it. Changes, checkpoints and backups are only for the user whom
//! the server runs as; changes are recorded under that user's number. Each connection carries one request, a JSON line,
//! which more lines follow if it is for a check of records; the answer is lines too. A complete list of events ends with
//! `{"end": …}`, so that a client recognises one that was cut off.

use super::verify::Expected;
use super::{backup_stream, with_causes};
use crate::bounded_file;
use crate::domain::time::Time;
use crate::keyring::{Keyring, NewMasterKey};
use crate::ledger::{Filter, HeadMark, Ledger, Record, Verified};
use crate::service::Services;
use crate::service::backups::Backups;
use crate::service::recovery::MasterKeyPlace;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Asks for the log as JSON lines.
    Events {
        /// See [`Filter`].
        stream: Option<String>,
        /// See [`Filter`]; nanoseconds since 1970.
        since: Option<i64>,
        /// See [`Filter`]; nanoseconds since 1970.
        until: Option<i64>,
        /// See [`Filter`].
        actor: Option<String>,
        /// Whether to continue with new events.
        follow: bool,
    },
    /// Asks for a check of the hash chain.
    Verify,
    /// Asks for a check of the hash chain, and for the records in it that the following lines name, up to the end of
    /// what the caller sends.
    VerifyRecords,
    /// Asks for a checkpoint of the end of the log.
    Checkpoint,
    /// Asks for the public key of the checkpoints.
    CheckpointKey,
    /// Asks for an unencrypted backup; see `backup_stream`.
    Backup { with_master_key: bool },
    /// Signs tokens with a new key.
    RotateTokenKey,
    /// Sets a password of a user.
    ResetPassword { user: String, password: Password },
    /// Replaces the master key.
    Rekey(NewKey),
    /// Gives a sealed server the passphrase of its master key.
    Unseal { passphrase: Password },
}

/// A new master key in a request.
#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum NewKey {
    /// A random key, which is known only in its file.
    Random,
    /// 32 bytes in base64.
    Key(Password),
    Passphrase(Password),
}

impl NewKey {
    /// The given key; `None` for a random one.
    pub(super) fn given(self) -> Option<NewMasterKey> {
        match self {
            Self::Random => None,
            Self::Key(text) => Some(NewMasterKey::Key(Zeroizing::new(text.0.as_bytes().to_vec()))),
            Self::Passphrase(text) => Some(NewMasterKey::Passphrase(text.0)),
        }
    }
}

/// A password in a request, which its `Debug` text does not show.
#[derive(Serialize, Deserialize)]
pub struct Password(pub Zeroizing<String>);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What the requests other than for the log need, once it has started.
#[derive(Clone, Default)]
pub struct Started {
    pub backups: Arc<OnceLock<Backups>>,
    pub services: Arc<OnceLock<Services>>,
    pub master_key: Arc<OnceLock<(Keyring, MasterKeyPlace)>>,
}

/// The path of a data directory's socket.
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}

/// Serves the socket until the task is aborted. A socket that an earlier process left behind is replaced: the process
/// that has the log open owns the directory.
///
/// # Errors
/// When the socket cannot be created.
pub fn serve(data_dir: &Path, ledger: Ledger, started: Started) -> io::Result<JoinHandle<()>> {
    let listener = listen(data_dir)?;
    Ok(tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((caller, _)) => drop(tokio::spawn(answer(caller, ledger.clone(), started.clone()))),
                Err(error) => {
                    tracing::warn!(%error, "the control socket could not take a caller");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }))
}

/// Makes the socket. The caller owns the directory.
pub(super) fn listen(data_dir: &Path) -> io::Result<UnixListener> {
    let path = path(data_dir);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    UnixListener::bind(&path)
}

/// The longest line that a caller sends: a secret of a file, with escapes for JSON.
const LINE_MAX: u64 = 2 * bounded_file::SECRET_MAX;
/// The most records that a caller names: about as many as hours in a century, each of which may have a checkpoint.
const RECORDS_MAX: usize = 1_000_000;

async fn answer(caller: UnixStream, ledger: Ledger, started: Started) {
    let peer = caller.peer_cred().map(|peer| peer.uid());
    let (reader, writer) = caller.into_split();
    let mut reader = BufReader::new(reader);
    // If the caller has closed the connection, the answer is dropped.
    let _ = match read_request(&mut reader).await {
        Ok(Some(Request::VerifyRecords)) => match read_records(&mut reader).await {
            Ok(Some(records)) => verify(writer, ledger, records).await,
            Ok(None) => write_line(writer, &json!({"error": NO_RECORDS})).await,
            Err(error) => Err(error),
        },
        Ok(Some(request)) => answer_request(request, peer, writer, ledger, started).await,
        Ok(None) => write_line(writer, &json!({"error": UNKNOWN_REQUEST})).await,
        Err(error) => Err(error),
    };
}

const NO_RECORDS: &str = "a line names no record, or there are more than a million";
pub(super) const UNKNOWN_REQUEST: &str = "the server does not know this request: is it of another version?";
/// The answer of a sealed server to any other request than for its unsealing.
pub(super) const SEALED: &str = "the server is sealed; unseal it first, with `claviger unseal`";

/// Reads the request of a connection; `None` if it is not known.
pub(super) async fn read_request(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<Request>> {
    let mut line = Zeroizing::new(String::with_capacity(1024));
    (&mut *reader).take(LINE_MAX).read_line(&mut line).await?;
    Ok(serde_json::from_str(&line).ok())
}

/// Reads the records that the lines name; `None` if one names none, or there are too many.
async fn read_records(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<Vec<HeadMark>>> {
    let (mut records, mut line) = (Vec::new(), String::new());
    while (&mut *reader).take(LINE_MAX).read_line(&mut line).await? > 0 {
        let Some(mark) = serde_json::from_str(&line).ok().and_then(|expected: Expected| expected.mark()) else {
            return Ok(None);
        };
        if records.len() == RECORDS_MAX {
            return Ok(None);
        }
        records.push(mark);
        line.clear();
    }
    Ok(Some(records))
}

async fn answer_request(
    request: Request,
    peer: io::Result<u32>,
    writer: OwnedWriteHalf,
    ledger: Ledger,
    started: Started,
) -> io::Result<()> {
    match request {
        // The records of the other were read before.
        Request::Verify | Request::VerifyRecords => verify(writer, ledger, Vec::new()).await,
        Request::Checkpoint => {
            let outcome = match operator(peer).and_then(|_| ready(&started.services)) {
                Ok(services) => services.checkpoints.make().await.map_err(|failure| failure.to_string()),
                Err(reason) => Err(reason),
            };
            write_line(writer, &json!(outcome.map(|checkpoint| checkpoint.to_line()))).await
        }
        Request::CheckpointKey => {
            let key = ready(&started.services).map(|services| services.checkpoints.public_key().pem());
            write_line(writer, &json!(key)).await
        }
        Request::Events { stream, since, until, actor, follow } => {
            let filter =
                Filter { stream, since: since.map(Time::from_nanos), until: until.map(Time::from_nanos), actor };
            events(writer, ledger, filter, follow).await
        }
        Request::Backup { with_master_key } => {
            let backups = operator(peer).and_then(|_| ready(&started.backups));
            backup_stream::answer(backups, with_master_key, writer).await
        }
        Request::RotateTokenKey => {
            let outcome = match operator(peer).and_then(|uid| Ok((uid, ready(&started.services)?))) {
                Ok((uid, services)) => services.rotate_token_key(uid).await.map_err(|failure| failure.to_string()),
                Err(reason) => Err(reason),
            };
            write_line(writer, &json!(outcome)).await
        }
        Request::Unseal { .. } => write_line(writer, &json!(Err::<(), _>("the server is not sealed"))).await,
        Request::Rekey(new) => write_line(writer, &json!(rekey(peer, &started, new).await)).await,
        Request::ResetPassword { user, password } => {
            let outcome = match operator(peer).and_then(|uid| Ok((uid, ready(&started.services)?))) {
                Ok((uid, services)) => {
                    services.reset_password(uid, &user, password.0).await.map_err(|failure| failure.to_string())
                }
                Err(reason) => Err(reason),
            };
            write_line(writer, &json!(outcome)).await
        }
    }
}

/// Replaces the master key. Answers with the file that has the new one, if it is in its place.
async fn rekey(peer: io::Result<u32>, started: &Started, new: NewKey) -> Result<Option<PathBuf>, String> {
    let (uid, services) = (operator(peer)?, ready(&started.services)?);
    let (keyring, place) = ready(&started.master_key)?;
    let replaced = services.replace_master_key(uid, &keyring, &place, new.given()).await;
    replaced.map_err(|failure| with_causes(&failure))
}

/// The number of the operating system's user who asks, if it is the one whom the server runs as.
pub(super) fn operator(peer: io::Result<u32>) -> Result<u32, String> {
    let uid = peer.map_err(|error| format!("the caller is not known: {error}"))?;
    match uid == rustix::process::geteuid().as_raw() {
        true => Ok(uid),
        false => Err(format!("user {uid} is not the one whom the server runs as")),
    }
}

fn ready<T: Clone>(part: &OnceLock<T>) -> Result<T, String> {
    part.get().cloned().ok_or_else(|| "the server is starting; ask again in a moment".to_owned())
}

pub(super) async fn write_line(mut writer: impl AsyncWrite + Unpin, line: &serde_json::Value) -> io::Result<()> {
    writer.write_all(format!("{line}\n").as_bytes()).await?;
    writer.flush().await
}

async fn verify(mut writer: OwnedWriteHalf, ledger: Ledger, expected: Vec<HeadMark>) -> io::Result<()> {
    let verified = ledger.verify(expected).await;
    let line = serde_json::to_string(&match verified {
        // What has happened to the files of the log since it was opened, only a start shows.
        Ok(verified) => Ok(format!("{} ({AS_OPEN})", summary(&verified))),
        Err(broken) => Err(broken.to_string()),
    })?;
    writer.write_all(line.as_bytes()).await
}

/// Which log was checked, if a server has it open.
const AS_OPEN: &str = "checked by the running server, of the log as it has it open";

/// The message about an intact chain.
pub fn summary(verified: &Verified) -> String {
    let span = verified.span.map(|(first, last)| format!(", from {first} to {last}")).unwrap_or_default();
    let seal = if verified.is_sealed { "it fits its seal" } else { "it was not checked against its seal" };
    format!("{} records{span}: the chain is whole, and {seal}; its last hash is {}", verified.records, verified.hash)
}

async fn events(writer: OwnedWriteHalf, ledger: Ledger, filter: Filter, follow: bool) -> io::Result<()> {
    let mut head = ledger.watch_head();
    let mut writer = BufWriter::new(writer);
    let filter = Arc::new(filter);
    let mut next = 1;
    loop {
        let until = *head.borrow_and_update();
        while next <= until {
            let records = match ledger.read_range(next, RECORDS_PER_READ).await {
                Ok(records) => records,
                Err(broken) => return write_line(writer, &json!({"error": broken.to_string()})).await,
            };
            let Some(last) = records.last() else { break };
            next = last.seq + 1;
            let filter = filter.clone();
            let lines = tokio::task::spawn_blocking(move || lines(&records, &filter)).await?;
            writer.write_all(lines.as_bytes()).await?;
        }
        writer.flush().await?;
        if !follow {
            return write_line(writer, &json!({"end": next - 1})).await;
        }
        if head.changed().await.is_err() {
            return Ok(());
        }
    }
}

/// The number of records that one read of the log asks for.
const RECORDS_PER_READ: usize = 1000;

/// The records that match the filter, as JSON lines.
fn lines(records: &[Record], filter: &Filter) -> String {
    let wanted = records.iter().filter(|record| filter.matches(record));
    wanted.flat_map(|record| [record.to_line(), "\n".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_user_whom_the_server_runs_as_may_make_changes() {
        let own = rustix::process::geteuid().as_raw();
        assert_eq!(operator(Ok(own)), Ok(own));
        assert!(operator(Ok(own + 1)).is_err_and(|reason| reason.contains("is not the one")));
        assert!(operator(Err(io::ErrorKind::Unsupported.into())).is_err());
    }

    #[test]
    fn a_password_in_a_request_is_not_in_its_debug_text() {
        let password = Password(Zeroizing::new("planted".to_owned()));
        let request = Request::ResetPassword { user: "ann".to_owned(), password };
        assert!(!format!("{request:?}").contains("planted"));
    }
}
