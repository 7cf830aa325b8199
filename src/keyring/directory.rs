//! The keyring's directory: small files that are written atomically and durably, and overwritten before they are
//! removed.
//!
//! The keyring is the only user, and holds the directory's lock while it is open. This module does not interpret the
//! files' content.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::KeyringError;

const LOCK: &str = "keyring.lock";
/// The prefix of files that are being written. A file with it was left by a process that died, and is not in use.
const UNFINISHED: &str = ".unfinished-";
/// The largest file of a keyring, in bytes. A larger file is not a keyring's.
const FILE_MAX: u64 = 4096;

/// The directory, open and locked.
pub(super) struct Directory {
    path: PathBuf,
    /// Syncing this handle makes the names of files durable.
    handle: File,
    _lock: File,
}

impl Directory {
    /// Opens the directory, creates it if necessary, and removes files that a crash left incomplete.
    pub(super) fn open(path: &Path) -> Result<Self, KeyringError> {
        if !path.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(KeyringError::disk("create", path))?;
            sync_ancestor(path)?;
        }
        fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(KeyringError::disk("restrict", path))?;
        let handle = File::open(path).map_err(KeyringError::disk("open", path))?;
        let directory = Self { path: path.to_owned(), handle, _lock: lock(path)? };
        directory.remove_unfinished()?;
        Ok(directory)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The content of a file; `None` if it does not exist.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, KeyringError> {
        let path = self.path_of(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(KeyringError::disk("open", &path)(error)),
        };
        let mut content = Vec::new();
        file.take(FILE_MAX + 1).read_to_end(&mut content).map_err(KeyringError::disk("read", &path))?;
        if content.len() as u64 > FILE_MAX {
            return Err(KeyringError::Damaged { path, what: "it is larger than any file of the keyring" });
        }
        Ok(Some(content))
    }

    /// The content of a file of any length; `None` if it does not exist.
    pub(super) fn read_whole(&self, name: &str) -> Result<Option<Vec<u8>>, KeyringError> {
        let path = self.path_of(name);
        match fs::read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KeyringError::disk("read", &path)(error)),
        }
    }

    /// Writes a file atomically and durably: it survives a power cut, and is never visible in part.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<(), KeyringError> {
        write_atomically(&self.path_of(name), content)?;
        self.sync_names()
    }

    /// Overwrites a file and removes it durably. Succeeds if the file does not exist.
    ///
    /// Flash memory and copy-on-write file systems may keep the overwritten blocks for a while.
    pub(super) fn wipe(&self, name: &str) -> Result<(), KeyringError> {
        let path = self.path_of(name);
        let mut file = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(KeyringError::disk("open", &path)(error)),
        };
        let length = file.metadata().map_err(KeyringError::disk("examine", &path))?.len();
        // A crash before the removal leaves a file of zeros, which is recognised as wiped.
        let overwritten = io::copy(&mut io::repeat(0).take(length), &mut file);
        overwritten.and_then(|_| file.sync_all()).map_err(KeyringError::disk("overwrite", &path))?;
        fs::remove_file(&path).map_err(KeyringError::disk("remove", &path))?;
        self.sync_names()
    }

    /// Removes a file that must never be seen half overwritten, and overwrites it then.
    pub(super) fn retire(&self, name: &str) -> Result<(), KeyringError> {
        let (path, retired) = (self.path_of(name), format!("{UNFINISHED}{}", Uuid::new_v4()));
        match fs::rename(&path, self.path_of(&retired)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(KeyringError::disk("remove", &path)(error)),
        }
        self.sync_names()?;
        self.wipe(&retired)
    }

    /// The names of all files.
    pub(super) fn names(&self) -> Result<Vec<String>, KeyringError> {
        let entries = fs::read_dir(&self.path).map_err(KeyringError::disk("list", &self.path))?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect::<Result<_, _>>().map_err(KeyringError::disk("list", &self.path))
    }

    /// The names and contents of all files in use.
    pub(super) fn copy(&self) -> Result<super::CopiedFiles, KeyringError> {
        let mut files = Vec::new();
        for name in self.names()?.into_iter().filter(|name| name != LOCK && !name.starts_with(UNFINISHED)) {
            // A replacement that was interrupted has all data keys in one file.
            let content = if name == super::rekey::STAGED { self.read_whole(&name)? } else { self.read(&name)? };
            if let Some(content) = content {
                files.push((name, content));
            }
        }
        Ok(files)
    }

    fn remove_unfinished(&self) -> Result<(), KeyringError> {
        for name in self.names()?.iter().filter(|name| name.starts_with(UNFINISHED)) {
            self.wipe(name)?;
        }
        Ok(())
    }

    fn sync_names(&self) -> Result<(), KeyringError> {
        self.handle.sync_all().map_err(KeyringError::disk("sync", &self.path))
    }
}

/// Writes a file that only its owner may read, under a temporary name in the same directory, syncs its content, and
/// renames it. The new name is not synced. A failure leaves no temporary file.
pub(super) fn write_atomically(path: &Path, content: &[u8]) -> Result<(), KeyringError> {
    let unfinished = path.with_file_name(format!("{UNFINISHED}{}", Uuid::new_v4()));
    let written = write_synced(&unfinished, content)
        .and_then(|()| fs::rename(&unfinished, path).map_err(KeyringError::disk("name", path)));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn write_synced(path: &Path, content: &[u8]) -> Result<(), KeyringError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).map_err(KeyringError::disk("create", path))?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(KeyringError::disk("write", path))
}

/// Makes the name of a new entry durable, by syncing the directory that holds it.
pub(super) fn sync_ancestor(path: &Path) -> Result<(), KeyringError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(KeyringError::disk("sync", parent))
}

fn lock(directory: &Path) -> Result<File, KeyringError> {
    let path = directory.join(LOCK);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&path).map_err(KeyringError::disk("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(KeyringError::InUse(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(KeyringError::disk("lock", &path)(error)),
    }
}
