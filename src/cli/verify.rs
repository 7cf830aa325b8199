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
use std::io::{self, BufRead, BufReader, Read, Write};
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
    #[error("`{}` has more than {CHECKPOINTS_MAX} lines: give the newest", .0.display())]
    TooMany(PathBuf),
    #[error("`{}`: {source}", path.display())]
    Key { path: PathBuf, source: CheckpointError },
    #[error("the public key of the checkpoints is not known here: give it with --key")]
    NoKey,
}

/// The most checkpoints in one run. A running server gets them in one request.
const CHECKPOINTS_MAX: usize = 10_000;
/// The longest line of a file with checkpoints, and the longest key.
const READ_MAX: u64 = 64 * 1024;

/// A record that the log must have, in a request to the server.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Expected {
    number: u64,
    hash: String,
}

impl Expected {
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
    let given = arguments.checkpoint.as_deref().map(read_checkpoints).transpose()?;
    let key = arguments.key.as_deref().map(read_key).transpose()?;
    if let Ok(server) = UnixStream::connect(control::path(&data_dir)) {
        let marks = match &given {
            Some(given) => given.check(key.or_else(|| key_of_server(&data_dir)))?,
            None => Vec::new(),
        };
        let checkpoints = marks.iter().map(|mark| Expected { number: mark.seq, hash: mark.hash.to_string() }).collect();
        let request = if given.is_some() { Request::VerifyCheckpoints { checkpoints } } else { Request::Verify };
        let summary = asked(server, &request)?;
        return say(&summary, &marks);
    }
    let keyring = open_keyring(&arguments.log, &data_dir);
    let marks = match &given {
        Some(given) => {
            let own = || keyring.as_ref().and_then(|keyring| checkpoints::existing_key(keyring).ok()?);
            given.check(key.or_else(own))?
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

fn asked(server: UnixStream, request: &Request) -> Result<String, EventsError> {
    let mut line = String::new();
    ask(server, request)?.read_line(&mut line)?;
    if let Some(broken) = last_error(&line) {
        return Err(EventsError::Corrupt(broken));
    }
    let answer: Result<String, String> = serde_json::from_str(&line).map_err(|_| EventsError::CutOff)?;
    answer.map_err(EventsError::Corrupt)
}

/// The key by which a running server signs: it has the keyring open.
fn key_of_server(data_dir: &Path) -> Option<PublicKey> {
    let server = UnixStream::connect(control::path(data_dir)).ok()?;
    PublicKey::from_pem(asked(server, &Request::CheckpointKey).ok()?.as_bytes()).ok()
}

/// The lines of a file with checkpoints.
struct Given {
    path: PathBuf,
    /// With the numbers of their lines.
    checkpoints: Vec<(usize, Checkpoint)>,
}

impl Given {
    /// Checks all signatures.
    fn check(&self, key: Option<PublicKey>) -> Result<Vec<HeadMark>, VerifyError> {
        let key = key.ok_or(VerifyError::NoKey)?;
        let check = |(line, checkpoint): &(usize, Checkpoint)| {
            checkpoint.check(&key).map_err(|source| refused(&self.path, *line, source))
        };
        self.checkpoints.iter().map(check).collect()
    }
}

fn read_checkpoints(path: &Path) -> Result<Given, VerifyError> {
    let unreadable = |source| VerifyError::Read { path: path.to_owned(), source };
    let mut reader = BufReader::new(std::fs::File::open(path).map_err(unreadable)?);
    let (mut checkpoints, mut number) = (Vec::new(), 0);
    loop {
        let mut line = Vec::new();
        if (&mut reader).take(READ_MAX).read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
            break;
        }
        number += 1;
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            let parsed = Checkpoint::parse(text.trim()).map_err(|source| refused(path, number, source))?;
            checkpoints.push((number, parsed));
        }
        if checkpoints.len() > CHECKPOINTS_MAX {
            return Err(VerifyError::TooMany(path.to_owned()));
        }
    }
    match checkpoints.is_empty() {
        true => Err(VerifyError::NoCheckpoint(path.to_owned())),
        false => Ok(Given { path: path.to_owned(), checkpoints }),
    }
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
            let refused = read_checkpoints(&path).err().expect("refused").to_string();
            assert!(refused.contains(reason), "{refused}");
        }
        assert!(matches!(read_checkpoints(&home.path().join("none")), Err(VerifyError::Read { .. })));
        assert!(matches!(read_key(&path), Err(VerifyError::Key { .. })));
    }
}
