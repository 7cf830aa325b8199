//! For benchmarks: how fast a log could be replayed if its store cost nothing and applying neither.

use super::chain::ChainReader;
use super::error::{Fault, LedgerError};
use super::head::HeadMark;
use super::replay::decoded;
use super::store::Store;
use super::verify;
use std::path::Path;
use std::time::{Duration, Instant};

/// Reads the log of a directory into memory, and measures how long it takes from there to check and decode all of it,
/// with the threads that replay has. Returns the number of records too.
///
/// # Errors
/// The first record that is broken, or why the log cannot be read.
#[doc(hidden)]
pub fn decoding_alone(directory: &Path) -> Result<(u64, Duration), LedgerError> {
    let (store, _) = verify::open(directory)?;
    let unreadable = |error| LedgerError::Corrupt { seq: 0, fault: Fault::Unreadable(error) };
    let batches = store.read(1).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    let head = store.head();
    let started = Instant::now();
    let reader = ChainReader::over(Box::new(batches.into_iter().map(Ok)), head);
    decoded(reader, HeadMark::default(), |_, _| Ok(()))?;
    Ok((head, started.elapsed()))
}
