//! What this machine's disk does by itself, to measure durable changes against.

use std::error::Error;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Sequential writes of 4 KiB per second, each made durable before the next one.
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
