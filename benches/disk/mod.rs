//! The rate of durable writes of this machine's disk, as a reference for durable changes.

use std::error::Error;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Returns the number of sequential 4 KiB writes per second, each made durable before the next one.
pub(crate) fn sequential_syncs(root: &Path, time: Duration) -> Result<f64, Box<dyn Error>> {
    let file = File::create(root.join("disk"))?;
    let (started, mut written) = (Instant::now(), 0u64);
    while started.elapsed() < time {
        file.write_all_at(&[written as u8; 4096], written * 4096)?;
        file.sync_data()?;
        written += 1;
    }
    Ok(written as f64 / started.elapsed().as_secs_f64())
}
