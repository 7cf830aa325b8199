//! The rows of reports, one file for each, beside the log.
//!
//! A file is a sequence of frames: rows, and checkpoints, which say how far the writer is. A frame has a checksum. A writer
//! appends the rows of a page and the checkpoint after it with one write. After a crash the writer goes on from the last
//! whole checkpoint: whatever follows it is cut off, so that no row is there twice or in part.
//!
//! The contents of rows and checkpoints are the caller's. The bytes of a report, and of all reports, are bounded.
//!
//! - `frame.rs` the frames; `writer.rs`, `reader.rs` the two ends of a file

mod frame;
mod reader;
mod writer;

pub use reader::RowReader;
pub use writer::RowWriter;

use std::collections::HashSet;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

const SUFFIX: &str = ".rows";
/// The end of the name of a file that is being written anew.
const NEW: &str = ".new";

/// The bounds of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub report_bytes: u64,
    pub all_bytes: u64,
    /// The free space of the disk that rows must not use. The log is on the same disk, and stops when it is full.
    pub reserve_bytes: u64,
}

/// The reason why rows cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the report has more than {0} bytes of rows, the most that the settings allow")]
    ReportFull(u64),
    #[error("all reports together have more than {0} bytes of rows, the most that the settings allow")]
    AllFull(u64),
    #[error("the disk would have less than {0} bytes of free space, the reserve of the settings")]
    DiskLow(u64),
    /// The disk failed or is full.
    #[error("the rows of the report: {0}")]
    Io(#[from] io::Error),
    #[error("the report was deleted")]
    Deleted,
    /// A frame is damaged in the middle of a file that was complete.
    #[error("the rows of the report are damaged")]
    Damaged,
}

/// The files of all reports. Clones share the count of their bytes.
#[derive(Clone, Debug)]
pub struct ReportStore {
    directory: Arc<Path>,
    bounds: Bounds,
    bytes: Arc<AtomicU64>,
    /// The reports that were deleted since the start. Whoever makes or replaces a file holds the lock, so that a writer
    /// that has not ended yet brings no file back.
    deleted: Arc<Mutex<HashSet<Uuid>>>,
    /// The free bytes of the disk of a directory.
    free: fn(&Path) -> io::Result<u64>,
}

impl ReportStore {
    /// Opens the directory, which is created. Files of reports other than these are deleted.
    ///
    /// # Errors
    /// When the directory cannot be made or read.
    pub fn open(directory: &Path, bounds: Bounds, known: &HashSet<Uuid>) -> Result<Self, StoreError> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let mut bytes = 0;
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| Uuid::try_parse(name.strip_suffix(SUFFIX)?).ok());
            if id.is_some_and(|id| known.contains(&id)) {
                bytes += entry.metadata()?.len();
            } else if name.to_str().is_some_and(|name| name.ends_with(SUFFIX) || name.ends_with(NEW)) {
                std::fs::remove_file(entry.path())?;
            }
        }
        let (bytes, deleted) = (Arc::new(AtomicU64::new(bytes)), Arc::default());
        Ok(Self { directory: directory.into(), bounds, bytes, deleted, free: free_bytes })
    }

    /// Opens the file of a report to append rows, after its last whole checkpoint, which is returned. A new file has none.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn writer(&self, report: Uuid) -> Result<(RowWriter, Option<Vec<u8>>), StoreError> {
        RowWriter::open(self.clone(), report)
    }

    /// Reads the rows of a report, from the first on.
    ///
    /// # Errors
    /// When there is no file, or the disk fails.
    pub fn reader(&self, report: Uuid) -> Result<RowReader, StoreError> {
        RowReader::open(&self.path(report))
    }

    /// Deletes the file of a report, if there is one, for good: nothing is written for the report any more. It waits for a
    /// write that is under way, and for no other work.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn remove(&self, report: Uuid) -> Result<(), StoreError> {
        let mut deleted = self.lock();
        deleted.insert(report);
        let path = self.path(report);
        let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        match std::fs::remove_file(&path) {
            Ok(()) => self.take_back(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Keeps a report from being deleted while a file of it is written.
    fn undeleted(&self, report: Uuid) -> Result<MutexGuard<'_, HashSet<Uuid>>, StoreError> {
        let deleted = self.lock();
        if deleted.contains(&report) { Err(StoreError::Deleted) } else { Ok(deleted) }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.deleted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, report: Uuid) -> PathBuf {
        self.directory.join(format!("{report}{SUFFIX}"))
    }

    fn new_path(&self, report: Uuid) -> PathBuf {
        self.directory.join(format!("{report}{NEW}"))
    }

    /// Counts bytes that are about to be written to a report that has `bytes` already.
    fn take(&self, bytes: u64, more: u64) -> Result<(), StoreError> {
        if bytes.saturating_add(more) > self.bounds.report_bytes {
            return Err(StoreError::ReportFull(self.bounds.report_bytes));
        }
        if (self.free)(&self.directory)?.saturating_sub(more) < self.bounds.reserve_bytes {
            return Err(StoreError::DiskLow(self.bounds.reserve_bytes));
        }
        if self.bytes.fetch_add(more, Ordering::Relaxed).saturating_add(more) > self.bounds.all_bytes {
            self.take_back(more);
            return Err(StoreError::AllFull(self.bounds.all_bytes));
        }
        Ok(())
    }

    fn take_back(&self, bytes: u64) {
        let taken = |all: u64| Some(all.saturating_sub(bytes));
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
    }
}

/// What an unprivileged process may still write to the disk of a directory.
fn free_bytes(directory: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(directory)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests;
