//! The program as a user of a shell or a service manager meets it: settings, log, commands.
//!
//! It may use every module; none may use it.

pub mod appliance;
pub mod config;
pub mod control;
pub mod events;
pub mod lab;
pub mod logging;
pub mod notify;
pub mod serve;
pub mod tls;

use clap::{Parser, Subcommand};
use std::error::Error;
use std::process::ExitCode;

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
    /// Serve the API with an AWS of its own, to try things out
    Lab(lab::LabArguments),
    /// Check the configuration, and say what is wrong with it
    CheckConfig(serve::ServeArguments),
    /// Walk the event log's chain, and name the first broken record
    Verify(events::LogArguments),
    /// Print the event log as JSON lines
    Events(events::EventsArguments),
}

/// Runs the command that the arguments name.
pub async fn run(arguments: Arguments) -> ExitCode {
    let outcome: Result<ExitCode, Box<dyn Error>> = match arguments.command {
        Command::Serve(arguments) => serve::run(arguments).await.map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Command::Lab(arguments) => lab::run(arguments).await.map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Command::CheckConfig(arguments) => serve::check(&arguments).map_err(Into::into),
        Command::Verify(arguments) => events::verify(&arguments).map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Command::Events(arguments) => events::print(&arguments).map(|()| ExitCode::SUCCESS).map_err(Into::into),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("claviger: {}", with_causes(error.as_ref()));
        ExitCode::FAILURE
    })
}

/// An error with its causes, in one line; a cause that the text names already is not told twice.
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
