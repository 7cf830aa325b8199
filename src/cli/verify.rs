//! `claviger verify`: checks the log against its hashes, its seal, and checkpoints that are given. It asks the server
//! that has the log open, or reads the directory.

use super::config::{Config, MasterKeySettings};
use super::control::{self, Request};
use super::events::{EventsError, LogArguments, ask, become_owner, last_error, print_line};
use crate::keyring::Keyring;
use crate::ledger::{self, HeadMark, RecordHash, SealKey, SealSource};
use crate::service::checkpoints::{self, Checkpoint, CheckpointError, PublicKey};
use crate::service::log_seal;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Args, Debug)]
pub struct VerifyArguments {
    #[command(flatten)]
    log: LogArguments,
    /// Checkpoints, one a line, that the log must fit: a copy that was kept elsewhere
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The public key of the checkpoints [default: that of the keyring, which takes the master key]
    #[arg(long, value_name = "PEM", requires = "checkpoint")]
    key: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Log(#[from] EventsError),
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("line {line} of `{}` is refused: {source}", path.display())]
    Checkpoint { path: PathBuf, line: usize, source: CheckpointError },
    #[error("`{}` has no checkpoint", .0.display())]
    NoCheckpoint(PathBuf),
    #[error("`{}`: {source}", path.display())]
    Key { path: PathBuf, source: CheckpointError },
    #[error("the public key of the checkpoints is not known here: give it with --key")]
    NoKey,
}

/// The longest line of a file with checkpoints, and the longest key.
const READ_MAX: u64 = 64 * 1024;

/// A record that the log must have, in a request to the server.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Expected {
    number: u64,
    hash: String,
}

impl Expected {
    fn of(mark: &HeadMark) -> Self {
        Self { number: mark.seq, hash: mark.hash.to_string() }
    }

    pub fn mark(&self) -> Option<HeadMark> {
        Some(HeadMark { seq: self.number, hash: RecordHash::parse(&self.hash)? })
    }
}

/// Checks the log, and prints a summary if nothing is wrong with it.
///
/// # Errors
/// The first broken record, or what does not fit.
pub fn run(arguments: &VerifyArguments) -> Result<(), VerifyError> {
    let data_dir = arguments.log.data_dir().map_err(EventsError::from)?;
    become_owner(&data_dir)?;
    let key = arguments.key.as_deref().map(read_key).transpose()?;
    let connect = || UnixStream::connect(control::path(&data_dir));
    if let Ok(server) = connect() {
        let Some(path) = &arguments.checkpoint else { return say(&asked(server, &Request::Verify, &[])?, &[]) };
        // The server has the keyring open. A connection that asks nothing would hold up a sealed server.
        let marks = read_checkpoints(path, &key.map_or_else(|| key_of(server), Ok)?)?;
        let server = connect().map_err(EventsError::from)?;
        return say(&asked(server, &Request::VerifyRecords, &marks)?, &marks);
    }
    let keyring = open_keyring(&arguments.log, &data_dir);
    let marks = match &arguments.checkpoint {
        Some(path) => {
            let own = || keyring.as_ref().and_then(|keyring| checkpoints::existing_key(keyring).ok()?);
            read_checkpoints(path, &key.or_else(own).ok_or(VerifyError::NoKey)?)?
        }
        None => Vec::new(),
    };
    let own = keyring.clone();
    let seal: SealSource = Arc::new(move || own.as_ref().map_or(SealKey::Unavailable, log_seal::existing_key));
    let verified = ledger::verify(&data_dir, Some(&seal), marks.clone()).map_err(EventsError::from)?;
    keyring.map_or(Ok(()), |keyring| keyring.check()).map_err(EventsError::from)?;
    say(&control::summary(&verified), &marks)
}

fn say(summary: &str, marks: &[HeadMark]) -> Result<(), VerifyError> {
    let newest = marks.iter().max_by_key(|mark| mark.seq);
    let fits = newest.map(|newest| {
        format!(
            "; {} checkpoint(s) fit it, the last of record {} with the hash {}",
            marks.len(),
            newest.seq,
            newest.hash
        )
    });
    print_line(&mut io::stdout(), &format!("{summary}{}", fits.unwrap_or_default())).map_err(EventsError::from)?;
    Ok(())
}

/// Sends a request and the records that it names. The server reads all of them before it answers.
fn asked(mut server: UnixStream, request: &Request, records: &[HeadMark]) -> Result<String, EventsError> {
    let mut line = String::new();
    let mut answer = ask(server.try_clone()?, request)?;
    let mut sender = BufWriter::new(&mut server);
    let lines = records.iter().map(Expected::of).try_for_each(|expected| {
        serde_json::to_writer(&mut sender, &expected)?;
        sender.write_all(b"\n")
    });
    match lines.and_then(|()| sender.flush()) {
        // A server that does not read on has answered already.
        Err(error) if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => {
            return Err(error.into());
        }
        _ => {}
    }
    drop(sender);
    let _ = server.shutdown(Shutdown::Write);
    answer.read_line(&mut line)?;
    if let Some(reason) = last_error(&line) {
        return Err(EventsError::reported(reason));
    }
    let answer: Result<String, String> = serde_json::from_str(&line).map_err(|_| EventsError::CutOff)?;
    answer.map_err(EventsError::reported)
}

/// The key by which a running server signs.
fn key_of(server: UnixStream) -> Result<PublicKey, VerifyError> {
    let pem = asked(server, &Request::CheckpointKey, &[])?;
    PublicKey::from_pem(pem.as_bytes()).map_err(|_| VerifyError::NoKey)
}

/// Reads a file with checkpoints, one a line, and checks their signatures. Returns the records that they attest, which
/// is all that is kept of them: a file may have any number.
fn read_checkpoints(path: &Path, key: &PublicKey) -> Result<Vec<HeadMark>, VerifyError> {
    let unreadable = |source| VerifyError::Read { path: path.to_owned(), source };
    let mut reader = BufReader::new(std::fs::File::open(path).map_err(unreadable)?);
    let (mut marks, mut line, mut number) = (Vec::new(), Vec::new(), 0);
    while (&mut reader).take(READ_MAX).read_until(b'\n', &mut line).map_err(unreadable)? > 0 {
        number += 1;
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            let mark = Checkpoint::parse(text.trim()).and_then(|checkpoint| checkpoint.check(key));
            marks.push(mark.map_err(|source| refused(path, number, source))?);
        }
        line.clear();
    }
    if marks.is_empty() { Err(VerifyError::NoCheckpoint(path.to_owned())) } else { Ok(marks) }
}

fn refused(path: &Path, line: usize, source: CheckpointError) -> VerifyError {
    VerifyError::Checkpoint { path: path.to_owned(), line, source }
}

fn read_key(path: &Path) -> Result<PublicKey, VerifyError> {
    let mut pem = Vec::new();
    let file = std::fs::File::open(path).and_then(|file| file.take(READ_MAX).read_to_end(&mut pem));
    file.map_err(|source| VerifyError::Read { path: path.to_owned(), source })?;
    PublicKey::from_pem(&pem).map_err(|source| VerifyError::Key { path: path.to_owned(), source })
}

/// Opens the keyring of a data directory, if its master key is here. Nothing is made.
fn open_keyring(log: &LogArguments, data_dir: &Path) -> Option<Keyring> {
    let config = Config::load_here(log.config.as_deref()).unwrap_or_default();
    let settings = MasterKeySettings { create: false, ..config.master_key };
    let (master, directory) = (settings.source(data_dir), data_dir.join("keyring"));
    if !directory.join("master.check").is_file() {
        return None;
    }
    let opened = Keyring::open(&directory, master).inspect_err(|error| {
        // The chain can be checked nevertheless.
        let _ = writeln!(io::stderr(), "claviger: the seal is not checked: {error}");
    });
    opened.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A public key in PEM, of 32 zeros.
    fn some_key() -> PublicKey {
        let pem =
            format!("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA{}=\n-----END PUBLIC KEY-----\n", "A".repeat(43));
        PublicKey::from_pem(pem.as_bytes()).expect("a key")
    }

    #[test]
    fn what_is_no_checkpoint_is_refused_with_its_line() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("checkpoints");
        for (content, reason) in [
            ("", "has no checkpoint"),
            ("\n \n", "has no checkpoint"),
            ("\n{\"number\":1}\n", "line 2 of"),
            ("{\"claviger_checkpoint\":9}", "a later version of Claviger made it"),
        ] {
            std::fs::write(&path, content).expect("written");
            let Err(refused) = read_checkpoints(&path, &some_key()) else { panic!("{content:?} is accepted") };
            let refused = refused.to_string();
            assert!(refused.contains(reason), "{refused}");
        }
        assert!(matches!(read_checkpoints(&home.path().join("none"), &some_key()), Err(VerifyError::Read { .. })));
        assert!(matches!(read_key(&path), Err(VerifyError::Key { .. })));
    }
}
