//! The data directory: accessible to its owner only, locked by one process at a time, and synced explicitly, because
//! neither sled nor the file system does so by itself.

use super::error::LedgerError;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const OWNER_ONLY_DIRECTORY: u32 = 0o700;
const OWNER_ONLY_FILE: u32 = 0o600;

/// A data directory that this process has locked. The lock is released when this is dropped, or by the kernel when the
/// process ends.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// The ancestors that contain newly created directories, up to the first that existed before.
    above: Vec<PathBuf>,
    _lock: File,
}

impl Directory {
    /// Locks the directory, and creates it first if necessary.
    pub(super) fn lock(path: &Path) -> Result<Self, LedgerError> {
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
        write_process_id(&file);
        Ok(Self { path: path.to_owned(), above, _lock: file })
    }

    /// The path of sled's files.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// The path of the file with the number of the last durable record.
    pub(super) fn head(&self) -> PathBuf {
        self.path.join("head")
    }

    /// The path of the seal that a restored backup brought; the store has it once the log was opened.
    pub(super) fn restored_seal(&self) -> PathBuf {
        self.path.join(super::RESTORED_SEAL)
    }

    /// Makes the directory and its entries durable, and restricts their permissions to the owner.
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

/// The ancestors of a path, from its parent up to the first one that exists.
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

/// Writes the process id into the lock file, for operators. Nothing depends on it.
fn write_process_id(mut lock: &File) {
    let _ = lock.set_len(0);
    let _ = writeln!(lock, "{}", std::process::id());
}

/// Creates a directory and its ancestors, accessible to the owner only.
pub(super) fn make(path: &Path) -> Result<(), LedgerError> {
    DirBuilder::new().recursive(true).mode(OWNER_ONLY_DIRECTORY).create(path).map_err(io("create", path))
}

/// Options that open a file for reading and writing, and create it with access for the owner only.
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

/// Returns a function that adds the action and the path to an I/O error.
pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> LedgerError {
    let path = path.to_owned();
    move |source| LedgerError::Io { doing, path, source }
}
