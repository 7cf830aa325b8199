//! `claviger events`: reads the log from its directory, or from the server that has it open.

use super::config::{Config, ConfigError};
use super::control::{self, Request};
use crate::domain::time::Time;
use crate::keyring::KeyringError;
use crate::ledger::{self, Filter, LedgerError};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(clap::Args, Debug)]
pub struct LogArguments {
    /// The data directory [default: from the configuration]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration that names the data directory
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
pub struct EventsArguments {
    #[command(flatten)]
    log: LogArguments,
    /// Only streams with this prefix, e.g. `kms/` or `user/<id>`
    #[arg(long)]
    stream: Option<String>,
    /// Not earlier than this (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Time>,
    /// Not later than this (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Time>,
    /// Only events by this user or schedule (name or id), or by `system`
    #[arg(long)]
    actor: Option<String>,
    /// Continue with new events, while a server runs
    #[arg(long, conflicts_with = "until")]
    follow: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A data key is damaged.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The connection to the server or the output failed.
    #[error("the event log could not be printed")]
    Io(#[from] io::Error),
    /// The server reported that the log is broken, or that it does not know the request.
    #[error("{0}")]
    Corrupt(String),
    /// The server waits for the passphrase of its master key.
    #[error("{}", control::SEALED)]
    Sealed,
    /// Root could not switch to the directory's owner.
    #[error("cannot continue as user {uid}, who owns the data directory; start the command as that user")]
    Owner { uid: u32, source: io::Error },
    #[error("the server ended before it had told all of the log; ask again")]
    CutOff,
    #[error("--follow needs a running server on this data directory, and there is none")]
    NoServer,
}

impl EventsError {
    /// What a server reports.
    pub(super) fn reported(reason: String) -> Self {
        if reason == control::SEALED { Self::Sealed } else { Self::Corrupt(reason) }
    }
}

/// Prints events as JSON lines.
///
/// # Errors
/// When the log cannot be read.
pub fn print(arguments: &EventsArguments) -> Result<(), EventsError> {
    let data_dir = arguments.log.data_dir()?;
    become_owner(&data_dir)?;
    let mut out = io::stdout().lock();
    if let Ok(server) = UnixStream::connect(control::path(&data_dir)) {
        let (since, until) = (arguments.since.map(Time::nanos), arguments.until.map(Time::nanos));
        let (stream, actor) = (arguments.stream.clone(), arguments.actor.clone());
        let request = Request::Events { stream, since, until, actor, follow: arguments.follow };
        for line in ask(server, &request)?.lines() {
            let line = line?;
            match last_line(&line) {
                Some(LastLine::Error(reason)) => return Err(EventsError::reported(reason)),
                Some(LastLine::End(_)) => return Ok(()),
                None => {}
            }
            if !print_line(&mut out, &line)? {
                return Ok(());
            }
        }
        // With --follow, the list ends when the server does.
        return if arguments.follow { Ok(()) } else { Err(EventsError::CutOff) };
    }
    if arguments.follow {
        return Err(EventsError::NoServer);
    }
    let filter = Filter {
        stream: arguments.stream.clone(),
        since: arguments.since,
        until: arguments.until,
        actor: arguments.actor.clone(),
    };
    for record in ledger::read(&data_dir, 1)? {
        let record = record?;
        if filter.matches(&record) && !print_line(&mut out, &record.to_line())? {
            return Ok(());
        }
    }
    Ok(())
}

/// Runs the command again as the owner of the data directory if the user is root. The service could not open files that
/// root creates there, and root must not follow links that the directory's owner placed there.
pub(super) fn become_owner(data_dir: &Path) -> Result<(), EventsError> {
    let Ok(owner) = std::fs::metadata(data_dir) else { return Ok(()) };
    if !rustix::process::geteuid().is_root() || owner.uid() == 0 {
        return Ok(());
    }
    let mut again = Command::new("/proc/self/exe");
    again.args(std::env::args_os().skip(1)).uid(owner.uid()).gid(owner.gid());
    Err(EventsError::Owner { uid: owner.uid(), source: again.exec() })
}

impl LogArguments {
    /// The settings, with the data directory that the arguments name.
    pub(super) fn config(&self) -> Result<Config, ConfigError> {
        let mut config = Config::load_here(self.config.as_deref())?;
        if let Some(data) = &self.data {
            config.storage.data_dir.clone_from(data);
        }
        Ok(config)
    }

    pub(super) fn data_dir(&self) -> Result<PathBuf, ConfigError> {
        match &self.data {
            Some(data) => Ok(data.clone()),
            None => Ok(Config::load_here(self.config.as_deref())?.storage.data_dir),
        }
    }

    /// The file with the master key of a data directory, or with its passphrase; `None` if it is not in a file.
    pub(super) fn master_key_file(&self, data_dir: &Path) -> Result<Option<PathBuf>, ConfigError> {
        match &self.data {
            Some(_) => Ok(Some(data_dir.join("master.key"))),
            None => Ok(Config::load_here(self.config.as_deref())?.master_key.file(data_dir)),
        }
    }
}

pub(super) fn ask(mut server: UnixStream, request: &Request) -> io::Result<BufReader<UnixStream>> {
    let mut line = zeroize::Zeroizing::new(serde_json::to_string(request)?);
    line.push('\n');
    server.write_all(line.as_bytes())?;
    Ok(BufReader::new(server))
}

/// Writes a line, without characters that command a terminal; returns false if the output is closed
/// (`claviger events | head`).
pub(super) fn print_line(out: &mut impl Write, line: &str) -> io::Result<bool> {
    match writeln!(out, "{}", ledger::escaped_for_terminal(line.to_owned())).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true),
    }
}

/// The line after the last event.
#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum LastLine {
    /// The list is complete, up to this record.
    End(serde::de::IgnoredAny),
    /// The log is broken, the server does not know the request, or it is sealed.
    #[serde(alias = "Err")]
    Error(String),
}

/// The error in a server's answer, if it is one.
pub(super) fn last_error(line: &str) -> Option<String> {
    match last_line(line) {
        Some(LastLine::Error(error)) => Some(error),
        Some(LastLine::End(_)) | None => None,
    }
}

fn last_line(line: &str) -> Option<LastLine> {
    let may_be = [r#"{"error":"#, r#"{"Err":"#, r#"{"end":"#].iter().any(|begin| line.starts_with(begin));
    may_be.then(|| serde_json::from_str(line).ok()).flatten()
}

fn time(text: &str) -> Result<Time, String> {
    chrono::DateTime::parse_from_rfc3339(text)
        .map(|moment| Time::of(moment.to_utc()))
        .map_err(|_| "an RFC 3339 time is expected, such as 2026-01-31T12:00:00Z".to_owned())
}
