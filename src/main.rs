//! The `claviger` program.
#![forbid(unsafe_code)]

use clap::Parser;
use std::alloc::System;
use std::process::ExitCode;
use zeroizing_alloc::ZeroAlloc;

/// Wipes all memory that is freed: bodies with secrets pass through buffers of libraries, which do not wipe them.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

#[tokio::main]
async fn main() -> ExitCode {
    claviger::cli::run(claviger::cli::Arguments::parse()).await
}
