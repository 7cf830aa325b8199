//! The data directory: made for its owner alone, held by one process at a time, and synced, because neither sled nor
//! the file system does that unasked.

use super::error::LedgerError;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const OWNER_ONLY_DIRECTORY: u32 = 0o700;
const OWNER_ONLY_FILE: u32 = 0o600;

/// A data directory that this process holds. Let go when dropped, and by the kernel when the process ends.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// The directories that hold the names of those that were made, up to the first that was there before.
    above: Vec<PathBuf>,
    _lock: File,
}

impl Directory {
    /// Takes the directory, making it first if need be.
    pub(super) fn take(path: &Path) -> Result<Self, LedgerError> {
        let above = above(path);
        make(path)?;
        let lock = path.join("lock");
        let failed = io("lock", &lock);
        let file = owner_only().create(true).truncate(false).open(&lock).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LedgerError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(io("lock", &lock)(error)),
        }
        note_process(&file);
        Ok(Self { path: path.to_owned(), above, _lock: file })
    }

    /// Where sled keeps its files.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// Where it is noted how far the log goes.
    pub(super) fn head(&self) -> PathBuf {
        self.path.join("head")
    }

    /// Makes durable that the directory, and what is in it, is there, and closes it to others.
    pub(super) fn sync(&self) -> Result<(), LedgerError> {
        let log = self.log();
        for directory in [self.path.clone(), log.clone(), log.join("blobs")] {
            restrict(&directory, OWNER_ONLY_DIRECTORY)?;
        }
        for entry in fs::read_dir(&log).map_err(io("list", &log))? {
            let file = entry.map_err(io("list", &log))?.path();
            if file.is_file() {
                restrict(&file, OWNER_ONLY_FILE)?;
                sync(&file)?;
            }
        }
        sync(&log.join("blobs"))?;
        sync(&log)?;
        sync(&self.path)?;
        self.above.iter().try_for_each(|above| sync(above))
    }
}

/// The directories above this one, from the next to the first that is there.
fn above(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for above in path.ancestors().skip(1) {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        found.push(above.to_owned());
        if above.is_dir() {
            break;
        }
    }
    found
}

/// For the eyes of an operator who wonders who holds the lock; nothing depends on it.
fn note_process(mut lock: &File) {
    let _ = lock.set_len(0);
    let _ = writeln!(lock, "{}", std::process::id());
}

/// Makes a directory, and those above it, for the owner alone.
pub(super) fn make(path: &Path) -> Result<(), LedgerError> {
    DirBuilder::new().recursive(true).mode(OWNER_ONLY_DIRECTORY).create(path).map_err(io("create", path))
}

/// How files are opened here.
pub(super) fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(OWNER_ONLY_FILE);
    options
}

/// Makes a file's content, or a directory's entries, durable.
pub(super) fn sync(path: &Path) -> Result<(), LedgerError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(io("sync", path))
}

fn restrict(path: &Path, mode: u32) -> Result<(), LedgerError> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(io("restrict the permissions of", path))
}

/// Says what was tried, on what.
pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> LedgerError {
    let path = path.to_owned();
    move |source| LedgerError::Io { doing, path, source }
}
