//! `claviger checkpoint`: a signed checkpoint of the end of the log, which the running server makes.

use super::admin::{AdminError, change};
use super::control::{self, Request};
use super::events::{LogArguments, become_owner, print_line};
use std::io;
use std::os::unix::net::UnixStream;

#[derive(clap::Args, Debug)]
pub struct CheckpointArguments {
    #[command(flatten)]
    log: LogArguments,
    /// Print the public key of the checkpoints in PEM instead
    #[arg(long)]
    key: bool,
}

/// Prints a checkpoint of the end of the log, or the public key of the checkpoints.
///
/// # Errors
/// When there is no server, or it cannot make one.
pub fn run(arguments: &CheckpointArguments) -> Result<(), AdminError> {
    let data_dir = arguments.log.data_dir()?;
    become_owner(&data_dir)?;
    let server = UnixStream::connect(control::path(&data_dir)).map_err(|_| AdminError::NoServer)?;
    let request = if arguments.key { Request::CheckpointKey } else { Request::Checkpoint };
    for line in change::<String>(server, &request)?.lines() {
        print_line(&mut io::stdout(), line)?;
    }
    Ok(())
}
