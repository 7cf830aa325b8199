//! The command line interface: settings, logging, commands, start and stop of the service.
//!
//! It may use every module; no module may use it.

pub mod admin;
pub mod appliance;
pub mod backup;
mod backup_stream;
pub mod checkpoint;
pub mod config;
pub mod control;
pub mod events;
mod first_password;
pub mod lab;
pub mod logging;
pub mod notify;
mod options;
mod process;
pub mod restore;
pub mod sealed;
pub mod serve;
mod terminal;
pub mod tls;
pub mod verify;

use crate::ledger::escaped_for_terminal;
use clap::{Parser, Subcommand};
use events::EventsError;
use std::error::Error;
use std::process::ExitCode;
use verify::VerifyError;

/// A cloud key manager for AWS that an organisation runs itself.
#[derive(Parser, Debug)]
#[command(version, about, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Serve the API
    Serve(serve::ServeArguments),
    /// Serve the API with an embedded AWS, for trying it out
    Lab(lab::LabArguments),
    /// Check the configuration and report its problems
    CheckConfig(serve::ServeArguments),
    /// Verify the event log's hash chain, and report the first broken record or what contradicts a checkpoint
    Verify(verify::VerifyArguments),
    /// Print a signed checkpoint of the end of the event log, to be kept elsewhere
    Checkpoint(checkpoint::CheckpointArguments),
    /// Write an encrypted backup, also while a server runs
    Backup(backup::BackupArguments),
    /// Make a data directory from a backup
    Restore(restore::RestoreArguments),
    /// Recover the access of administrators
    Admin(admin::AdminArguments),
    /// Replace the master key, also while a server runs
    Rekey(admin::RekeyArguments),
    /// Give a sealed server the passphrase of its master key
    Unseal(events::LogArguments),
    /// Sign access tokens with a new key
    RotateTokenKey(events::LogArguments),
    /// Print the event log as JSON lines
    Events(events::EventsArguments),
}

/// Runs the command that the arguments name.
pub async fn run(arguments: Arguments) -> ExitCode {
    let outcome: Result<ExitCode, Box<dyn Error>> = match arguments.command {
        Command::Serve(arguments) => serve::run(arguments).await.map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Command::Lab(arguments) => lab::run(arguments).await.map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Command::CheckConfig(arguments) => serve::check(&arguments).map_err(Into::into),
        Command::Verify(arguments) => verify::run(&arguments).map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Command::Checkpoint(arguments) => checkpoint::run(&arguments).map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Command::Backup(arguments) => backup::run(&arguments).map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Command::Restore(arguments) => restore::run(&arguments).map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Command::Unseal(arguments) => admin::unseal(&arguments).map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Command::Rekey(arguments) => admin::rekey(arguments).await.map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Command::Admin(arguments) => admin::run(arguments).await.map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Command::RotateTokenKey(arguments) => {
            admin::rotate_token_key(&arguments).map(|()| ExitCode::SUCCESS).map_err(Into::into)
        }
        Command::Events(arguments) => events::print(&arguments).map(|()| ExitCode::SUCCESS).map_err(Into::into),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("claviger: {}", escaped_for_terminal(with_causes(error.as_ref())));
        if is_sealed(error.as_ref()) { ExitCode::from(SEALED) } else { ExitCode::FAILURE }
    })
}

/// The exit code when a server could not say anything of its log because it is sealed. Scripts that verify must not take
/// that for a broken log.
const SEALED: u8 = 3;

fn is_sealed(error: &(dyn Error + 'static)) -> bool {
    let of_events = |error: &EventsError| matches!(error, EventsError::Sealed);
    match error.downcast_ref::<VerifyError>() {
        Some(VerifyError::Log(error)) => of_events(error),
        Some(_) => false,
        None => error.downcast_ref().is_some_and(of_events),
    }
}

/// Formats an error with its causes, in one line. A cause that the text contains already is not repeated.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        cause = error.source();
    }
    text
}
