//! What is in a backup: the log, the keyring, and the files beside the log, as of one moment.
//!
//! The keyring is copied while it is locked, and the number of the last record is read before it is unlocked. A data
//! key is made before the first record with a secret that it seals, and deleted after the record that removes its
//! owner. So the copy of the keyring has every key that the records need. Records are only ever appended, so they are
//! read afterwards, while others are written. Files are cut at the length that they had when they were listed.

use crate::backup::{BackupWriter, FormatError, Header, Trailer};
use crate::bounded_file;
use crate::keyring::{self, CopiedFiles, Keyring, KeyringError};
use crate::ledger::{CopyError, Ledger, LedgerError, RESTORED_SEAL, RecordCopy};
use crate::service::checkpoints;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The name of the master key in a backup, and in the restored directory.
const MASTER_KEY: &str = "master.key";
/// The directory of the keyring in a data directory.
const KEYRING: &str = "keyring";
/// Entries of a data directory that are never copied as files. The log is copied as records, the keyring under its
/// lock; the others belong to one process, can be made again, or are secrets in the clear.
const LEFT_OUT: &[&str] =
    &["log", "head", "lock", "control.sock", KEYRING, "backups", "first-admin-password", "lost+found"];
/// Beginnings and ends of names of caches, keys and files that are being written.
const LEFT_OUT_BEGINNINGS: &[&str] = &["snapshot", "master.key", ".unfinished-", "keyring."];
const LEFT_OUT_ENDS: &[&str] = &[".new", ".part", ".old", ".restoring"];

#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Format(#[from] FormatError),
    #[error("`{}` cannot be read: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the master key is not in a file, so it cannot be in the backup")]
    NoMasterKeyFile,
    #[error("`{}` does not open the keyring: the master key was replaced meanwhile, or by one of another kind", .0.display())]
    OtherMasterKey(PathBuf),
}

/// Everything that goes into one backup.
pub struct Contents {
    data_dir: PathBuf,
    /// What is left out besides, because of the settings: the directory of backups and the file of the master key.
    left_out: Vec<PathBuf>,
    records: RecordCopy,
    keyring: CopiedFiles,
    /// The files beside the log, with their lengths.
    files: Vec<(String, PathBuf, u64)>,
    master_key: Option<Zeroizing<Vec<u8>>>,
}

impl Contents {
    /// The contents of a running installation.
    pub fn of_running(data_dir: &Path, ledger: &Ledger, keyring: &Keyring) -> Result<Self, ContentsError> {
        let (keyring, records) = keyring.copy_with(|| ledger.record_copy())?;
        Ok(Self::new(data_dir, records, keyring))
    }

    /// The contents of a data directory that no process has open.
    pub fn of_directory(data_dir: &Path) -> Result<Self, ContentsError> {
        let records = RecordCopy::of_directory(data_dir)?;
        Ok(Self::new(data_dir, records, keyring::copy_of(&data_dir.join(KEYRING))?))
    }

    fn new(data_dir: &Path, records: RecordCopy, keyring: CopiedFiles) -> Self {
        let data_dir = data_dir.to_owned();
        Self { data_dir, left_out: Vec::new(), records, keyring, files: Vec::new(), master_key: None }
    }

    /// Leaves out a directory or a file, because it has backups or the master key.
    pub fn without(mut self, path: &Path) -> Self {
        self.left_out.push(resolved(path));
        self
    }

    /// Adds the master key, or the passphrase it is derived from, which is in this file. Refuses one that does not open
    /// the keyring as it was copied.
    pub fn with_master_key(self, file: Option<&Path>) -> Result<Self, ContentsError> {
        let path = file.ok_or(ContentsError::NoMasterKeyFile)?;
        let key = bounded_file::read(path, bounded_file::SECRET_MAX)
            .map_err(|source| ContentsError::Io { path: path.to_owned(), source })?;
        if !keyring::opens(&self.keyring, key.clone()) {
            return Err(ContentsError::OtherMasterKey(path.to_owned()));
        }
        Ok(Self { master_key: Some(key), ..self })
    }

    pub fn records(&self) -> u64 {
        self.records.records()
    }

    /// Writes the backup.
    pub fn write_to<W: Write>(mut self, to: W, installation: String) -> Result<(W, Trailer), ContentsError> {
        self.list(&self.data_dir.clone(), "")?;
        let header = Header {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            installation,
            records: self.records.records(),
            made: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            has_master_key: self.master_key.is_some(),
        };
        let mut writer = BackupWriter::begin(to, &header)?;
        let hash = self.records.each(|record| writer.record(record)).map_err(|error| match error {
            CopyError::Ledger(error) => ContentsError::Ledger(error),
            CopyError::Taker(error) => error.into(),
        })?;
        for (name, content) in &self.keyring {
            writer.file(&format!("{KEYRING}/{name}"), content.as_slice(), u64::MAX)?;
        }
        if let Some(seal) = self.records.seal() {
            writer.file(RESTORED_SEAL, seal, u64::MAX)?;
        }
        for (name, path, length) in &self.files {
            // Those of later records would contradict the backup.
            if name == checkpoints::NAME {
                let failed = |source| ContentsError::Io { path: path.clone(), source };
                let lines = checkpoints::upto(path, self.records.records()).map_err(failed)?;
                writer.file(name, lines.as_slice(), u64::MAX)?;
                continue;
            }
            match File::open(path) {
                Ok(file) => writer.file(name, file, *length)?,
                // It was deleted meanwhile, as a report can be.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(ContentsError::Io { path: path.clone(), source }),
            }
        }
        if let Some(key) = &self.master_key {
            writer.file(MASTER_KEY, key.as_slice(), u64::MAX)?;
        }
        Ok(writer.end(hash.to_string())?)
    }

    /// Lists the files of a directory and of those in it.
    fn list(&mut self, directory: &Path, prefix: &str) -> Result<(), ContentsError> {
        let failed = |source| ContentsError::Io { path: directory.to_owned(), source };
        for entry in std::fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (path, file_name) = (entry.path(), entry.file_name());
            let Some(name) = file_name.to_str().filter(|name| !is_left_out(name, prefix.is_empty())) else { continue };
            if self.left_out.contains(&resolved(&path)) {
                continue;
            }
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata.map_err(failed)?,
            };
            let name = format!("{prefix}{name}");
            if metadata.is_dir() {
                self.list(&path, &format!("{name}/"))?;
            } else if metadata.is_file() {
                self.files.push((name, path, metadata.len()));
            }
        }
        Ok(())
    }
}

fn is_left_out(name: &str, is_top: bool) -> bool {
    let unfinished = LEFT_OUT_ENDS.iter().any(|end| name.ends_with(end));
    unfinished
        || (is_top && (LEFT_OUT.contains(&name) || LEFT_OUT_BEGINNINGS.iter().any(|from| name.starts_with(from))))
}

/// The path without links and `..`, if it exists.
fn resolved(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
