//! `claviger rotate-token-key`, `rekey`, `unseal` and `admin reset-password`: changes that an operator of the machine
//! makes. A running server makes them, over its control socket. Without one, `rekey` and `reset-password` open the data
//! directory.

use super::appliance::{self, StartError};
use super::config::{Config, ConfigError};
use super::control::{self, NewKey, Password, Request};
use super::events::{EventsError, LogArguments, ask, become_owner};
use super::options;
use crate::bounded_file;
use crate::keyring::first_line;
use crate::service::failure::Failure;
use crate::service::recovery::Offline;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

#[derive(clap::Args, Debug)]
pub struct AdminArguments {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(clap::Subcommand, Debug)]
enum AdminCommand {
    /// Set a password, from the first line of the standard input; the user must change it, and all sessions end
    ResetPassword {
        #[command(flatten)]
        log: LogArguments,
        /// The user
        #[arg(long, default_value = "admin")]
        user: String,
    },
}

#[derive(clap::Args, Debug)]
pub struct RekeyArguments {
    #[command(flatten)]
    log: LogArguments,
    /// The new master key: a file with 32 random bytes, raw or as base64 [default: a random key, if the settings name a
    /// file for it]
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    key_file: Option<PathBuf>,
    /// A new passphrase: the first line of this file, or of the standard input (`-`)
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Owner(#[from] EventsError),
    #[error("this needs a running server on this data directory, and there is none: start it first")]
    NoServer,
    #[error("`{}` is no data directory of this program", .0.display())]
    NoDataDirectory(PathBuf),
    #[error("no server runs, and the data directory cannot be opened")]
    Open(#[source] Box<StartError>),
    #[error("the server did not answer")]
    Io(#[from] io::Error),
    #[error("`{}` cannot be read: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("no password was given on the standard input")]
    NoPassword,
    #[error("the two passphrases differ; nothing was done")]
    NotTheSame,
    #[error("the server did not do it: {0}")]
    Refused(String),
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Resets a password.
///
/// # Errors
/// When the change is refused, or the data directory cannot be opened.
pub async fn run(arguments: AdminArguments) -> Result<(), AdminError> {
    let AdminCommand::ResetPassword { log, user } = arguments.command;
    // Before the password is read: root starts the command again as the owner of the directory.
    let target = Target::of(&log)?;
    let password = read_password(&mut io::stdin().lock())?;
    match target {
        Target::Server(server) => {
            change::<()>(server, &Request::ResetPassword { user, password: Password(password) })?;
        }
        Target::Directory(config) => {
            let offline = open(&config)?;
            let outcome = offline.reset_password(own_uid(), &user, password).await;
            offline.close().await;
            outcome?;
        }
    }
    say("the password is set; it must be changed at the next sign-in")
}

/// Replaces the master key.
///
/// # Errors
/// When the new key is unfit, or the data directory cannot be opened.
pub async fn rekey(arguments: RekeyArguments) -> Result<(), AdminError> {
    let target = Target::of(&arguments.log)?;
    let new = match (arguments.key_file, arguments.passphrase_file) {
        (Some(path), _) => NewKey::Key(Password(base64_of(&path)?)),
        (None, Some(path)) if path == Path::new("-") => {
            // On a terminal it is asked for twice: nothing opens the keyring after a slip.
            let is_terminal = io::stdin().is_terminal();
            NewKey::Passphrase(Password(if is_terminal {
                asked(true)?
            } else {
                read_password(&mut io::stdin().lock())?
            }))
        }
        (None, Some(path)) => {
            let file = File::open(&path).map_err(|source| AdminError::File { path, source })?;
            NewKey::Passphrase(Password(read_password(&mut BufReader::new(file))?))
        }
        (None, None) => NewKey::Random,
    };
    let installed = match target {
        Target::Server(server) => change::<Option<PathBuf>>(server, &Request::Rekey(new))?,
        Target::Directory(config) => {
            let (offline, place) = (open(&config)?, options::master_key_place(&config));
            let outcome = offline.replace_master_key(own_uid(), &place, new.given()).await;
            offline.close().await;
            outcome?
        }
    };
    match installed {
        Some(file) => say(&format!(
            "the master key is replaced; {} has the new one: copy it elsewhere. Backups that were made before need the \
             old one",
            file.display()
        )),
        None => say(
            "the master key is replaced; change the source that the settings name (`[master_key]`) before the next \
             start, which needs the new one. Backups that were made before need the old one",
        ),
    }
}

/// Gives a sealed server the passphrase of its master key.
///
/// # Errors
/// When there is no server, or the passphrase is wrong.
pub fn unseal(log: &LogArguments) -> Result<(), AdminError> {
    let config = log.config()?;
    let Target::Server(server) = Target::of(log)? else { return Err(AdminError::NoServer) };
    let passphrase = match io::stdin().is_terminal() {
        true => asked(!config.storage.keyring_dir().join("master.check").exists())?,
        false => read_password(&mut io::stdin().lock())?,
    };
    change::<()>(server, &Request::Unseal { passphrase: Password(passphrase) })?;
    say("unsealed; the server starts")
}

/// Asks for the passphrase at the terminal, and for that of a new keyring twice.
fn asked(is_new: bool) -> Result<Zeroizing<String>, AdminError> {
    let passphrase = without_echo("Passphrase: ")?;
    if is_new && *without_echo("The same again: ")? != *passphrase {
        return Err(AdminError::NotTheSame);
    }
    Ok(passphrase)
}

/// Reads a line from the terminal, which does not show it.
fn without_echo(prompt: &str) -> Result<Zeroizing<String>, AdminError> {
    let terminal = io::stdin();
    let before = tcgetattr(&terminal).map_err(io::Error::from)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    let _ = write!(io::stderr(), "{prompt}");
    tcsetattr(&terminal, OptionalActions::Flush, &silent).map_err(io::Error::from)?;
    let line = read_password(&mut terminal.lock());
    let restored = tcsetattr(&terminal, OptionalActions::Now, &before).map_err(io::Error::from);
    let _ = writeln!(io::stderr());
    restored?;
    line
}

/// Replaces the key that signs tokens.
///
/// # Errors
/// When there is no server, or it refuses the change.
pub fn rotate_token_key(log: &LogArguments) -> Result<(), AdminError> {
    let Target::Server(server) = Target::of(log)? else { return Err(AdminError::NoServer) };
    change::<()>(server, &Request::RotateTokenKey)?;
    say("access tokens are signed with a new key; earlier ones stay valid until they expire")
}

/// Who makes a change.
enum Target {
    Server(UnixStream),
    /// This process, since no server has the data directory open.
    Directory(Box<Config>),
}

impl Target {
    fn of(log: &LogArguments) -> Result<Self, AdminError> {
        let config = log.config()?;
        let data_dir = &config.storage.data_dir;
        become_owner(data_dir)?;
        Ok(match UnixStream::connect(control::path(data_dir)) {
            Ok(server) => Self::Server(server),
            Err(_) => Self::Directory(Box::new(config)),
        })
    }
}

/// Opens a data directory. One that is empty stays so.
fn open(config: &Config) -> Result<Offline, AdminError> {
    let data_dir = &config.storage.data_dir;
    if !config.storage.keyring_dir().is_dir() {
        return Err(AdminError::NoDataDirectory(data_dir.clone()));
    }
    appliance::offline(config).map_err(|error| AdminError::Open(Box::new(error)))
}

pub(super) fn change<T: DeserializeOwned>(server: UnixStream, request: &Request) -> Result<T, AdminError> {
    let mut line = String::new();
    ask(server, request)?.read_line(&mut line)?;
    match serde_json::from_str::<Result<T, String>>(&line) {
        Ok(outcome) => outcome.map_err(AdminError::Refused),
        Err(_) if line.is_empty() => Err(AdminError::Refused("it ended before its answer".to_owned())),
        Err(_) => Err(AdminError::Refused("it is of another version".to_owned())),
    }
}

/// The longest line with a password.
const LINE_MAX: usize = 4096;

/// Reads a password from the first line of an input.
fn read_password(from: &mut impl BufRead) -> Result<Zeroizing<String>, AdminError> {
    // Room for all of it: what moves in memory leaves copies.
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_MAX));
    from.take(LINE_MAX as u64).read_until(b'\n', &mut line)?;
    let text = first_line(&line).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    if text.is_empty() { Err(AdminError::NoPassword) } else { Ok(text) }
}

/// The key in a file, as base64.
fn base64_of(path: &Path) -> Result<Zeroizing<String>, AdminError> {
    let content = bounded_file::read(path, bounded_file::SECRET_MAX)
        .map_err(|source| AdminError::File { path: path.to_owned(), source })?;
    // Raw bytes are not text; whether it is a key is decided by who replaces the old one.
    Ok(Zeroizing::new(match std::str::from_utf8(&content) {
        Ok(text) if text.is_ascii() => text.trim().to_owned(),
        _ => STANDARD.encode(&*content),
    }))
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn say(text: &str) -> Result<(), AdminError> {
    // If the output is closed, the exit code says it.
    let _ = writeln!(io::stdout(), "{text}");
    Ok(())
}
