//! A measurement for benchmarks: the speed of replay without the costs of the store and of applying events.

use super::chain::ChainReader;
use super::error::{Fault, LedgerError};
use super::head::HeadMark;
use super::replay::decoded;
use super::store::Store;
use super::verify;
use std::path::Path;
use std::time::{Duration, Instant};

/// Reads the log of a directory into memory, and measures the time to check and decode it from there, with as many
/// threads as replay uses. Returns the number of records and that time.
///
/// # Errors
/// The first broken record, or the reason why the log cannot be read.
#[doc(hidden)]
pub fn time_decoding(directory: &Path) -> Result<(u64, Duration), LedgerError> {
    let (store, _) = verify::open(directory)?;
    let unreadable = |error| LedgerError::Corrupt { seq: 0, fault: Fault::Unreadable(error) };
    let batches = store.read(1).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    let head = store.head();
    let started = Instant::now();
    let reader = ChainReader::over(Box::new(batches.into_iter().map(Ok)), head);
    decoded(reader, HeadMark::default(), |_, _| Ok(()))?;
    Ok((head, started.elapsed()))
}
