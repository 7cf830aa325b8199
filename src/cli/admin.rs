//! `claviger rotate-token-key` and `claviger admin reset-password`: changes that the running server makes for an operator
//! of the machine, over its control socket.

use super::config::ConfigError;
use super::control::{self, Password, Request};
use super::events::{EventsError, LogArguments, ask, become_owner};
use std::io::{self, BufRead, Write};
use std::os::unix::net::UnixStream;
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

#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Owner(#[from] EventsError),
    #[error("this needs a running server on this data directory, and there is none: start it first")]
    NoServer,
    #[error("the server did not answer")]
    Io(#[from] io::Error),
    #[error("no password was given on the standard input")]
    NoPassword,
    #[error("the server did not do it: {0}")]
    Refused(String),
}

/// Resets a password.
///
/// # Errors
/// When there is no server, or it refuses the change.
pub fn run(arguments: AdminArguments) -> Result<(), AdminError> {
    let AdminCommand::ResetPassword { log, user } = arguments.command;
    // Before the password is read: root starts the command again as the owner of the directory.
    let server = connect(&log)?;
    let mut line = Zeroizing::new(String::with_capacity(1024));
    io::stdin().lock().read_line(&mut line)?;
    let password = Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned());
    if password.is_empty() {
        return Err(AdminError::NoPassword);
    }
    change(server, &Request::ResetPassword { user, password: Password(password) })?;
    say("the password is set; it must be changed at the next sign-in")
}

/// Replaces the key that signs tokens.
///
/// # Errors
/// When there is no server, or it refuses the change.
pub fn rotate_token_key(log: &LogArguments) -> Result<(), AdminError> {
    change(connect(log)?, &Request::RotateTokenKey)?;
    say("access tokens are signed with a new key; earlier ones stay valid until they expire")
}

fn connect(log: &LogArguments) -> Result<UnixStream, AdminError> {
    let data_dir = log.data_dir()?;
    become_owner(&data_dir)?;
    UnixStream::connect(control::path(&data_dir)).map_err(|_| AdminError::NoServer)
}

fn change(server: UnixStream, request: &Request) -> Result<(), AdminError> {
    let mut line = String::new();
    ask(server, request)?.read_line(&mut line)?;
    match serde_json::from_str::<Result<(), String>>(&line) {
        Ok(outcome) => outcome.map_err(AdminError::Refused),
        Err(_) if line.is_empty() => Err(AdminError::Refused("it ended before its answer".to_owned())),
        Err(_) => Err(AdminError::Refused("it is of another version".to_owned())),
    }
}

fn say(text: &str) -> Result<(), AdminError> {
    // If the output is closed, the exit code says it.
    let _ = writeln!(io::stdout(), "{text}");
    Ok(())
}
