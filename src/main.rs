//! The `claviger` program.
#![forbid(unsafe_code)]

use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    claviger::cli::run(claviger::cli::Arguments::parse()).await
}
