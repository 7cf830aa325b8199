//! The files of backups, in one directory. The log may be on the same disk, which stays free enough for it.

use super::contents::ContentsError;
use super::{BackupSettings, Backups};
use crate::backup::{EncryptionError, Lock, hex};
use crate::domain::backup::BackupFile;
use crate::domain::id::{BackupId, ScheduleId};
use aws_lc_rs::digest::{Context, SHA256};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const SUFFIX: &str = ".age";
/// Added to the name until the file is complete.
const UNFINISHED: &str = ".part";
/// The number of bytes after which the free space is looked at again.
const LOOK_EVERY: u64 = 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub(in crate::service) enum BackupError {
    #[error("backups are not set up: the setting backup.recipients is empty")]
    NotSetUp,
    #[error("the setting backup.recipients: {0}")]
    Encryption(#[from] EncryptionError),
    #[error(transparent)]
    Contents(#[from] ContentsError),
    #[error("the disk would have less free space than the setting backup.reserve_mib leaves")]
    DiskLow,
    #[error("`{}`: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl Backups {
    /// Makes the file of a backup. It takes a while, so callers have a thread for it.
    ///
    /// # Errors
    /// The reason why there is no file.
    pub(super) fn make(&self, id: BackupId, schedule: Option<ScheduleId>) -> Result<BackupFile, BackupError> {
        let settings = &*self.settings;
        if settings.recipients.is_empty() {
            return Err(BackupError::NotSetUp);
        }
        let lock = Lock::of_recipients(&settings.recipients)?;
        let directory = &settings.directory;
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed(directory))?;
        // What an interrupted attempt left.
        self.remove(id)?;
        let time = chrono::Utc::now().format("%Y%m%dT%H%M%SZ");
        let by = schedule.map_or_else(|| "asked".to_owned(), |schedule| schedule.to_string());
        let name = format!("claviger-{time}-{by}-{id}{SUFFIX}");
        let (part, path) = (directory.join(format!("{name}{UNFINISHED}")), directory.join(&name));
        let written = self.write(&lock, &part, &name);
        let made = written
            .and_then(|made| fs::rename(&part, &path).map(|()| made).map_err(failed(&path)))
            .inspect_err(|_| {
                drop(fs::remove_file(&part));
            })?;
        sync_directory(directory)?;
        Ok(made)
    }

    fn write(&self, lock: &Lock, path: &Path, name: &str) -> Result<BackupFile, BackupError> {
        let settings = &*self.settings;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed(path))?;
        let file = Reserving {
            file,
            directory: settings.directory.clone(),
            reserve: settings.reserve_bytes,
            since: LOOK_EVERY,
            bytes: 0,
            digest: Context::new(&SHA256),
        };
        let (contents, installation) = self.contents(false)?;
        let written = contents.write_to(lock.seal(file)?, installation);
        let (sealed, trailer) = written.map_err(|error| match is_disk_low(&error) {
            true => BackupError::DiskLow,
            false => error.into(),
        })?;
        let Reserving { file, bytes, digest, .. } = sealed.finish().map_err(failed(path))?;
        file.sync_all().map_err(failed(path))?;
        let (records, head_hash) = (trailer.records, trailer.head_hash);
        Ok(BackupFile { name: name.to_owned(), bytes, sha256: hex(digest.finish().as_ref()), records, head_hash })
    }

    /// Removes the file of a backup, and what an interrupted attempt left of it.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn remove(&self, id: BackupId) -> Result<(), BackupError> {
        self.remove_where(&|name| name.contains(&format!("-{id}{SUFFIX}")))
    }

    /// Removes the files that a schedule made before backups were recorded, but for the newest.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn prune(&self, schedule: ScheduleId, keep: usize) -> Result<(), BackupError> {
        let mut all = self.names(&|name| name.contains(&format!("-{schedule}-")) && name.ends_with(SUFFIX))?;
        // The names begin with the time.
        all.sort();
        let beyond = &all[..all.len().saturating_sub(keep)];
        self.remove_where(&|name| beyond.iter().any(|known| known == name))
    }

    /// Opens the file of a backup, if it is there with its length.
    pub(super) fn open(&self, file: &BackupFile) -> Option<File> {
        let open = File::open(self.settings.directory.join(&file.name)).ok()?;
        open.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == file.bytes).then_some(open)
    }

    /// Whether the file of a backup is there with its length.
    pub(super) fn has(&self, file: &BackupFile) -> bool {
        let metadata = fs::metadata(self.settings.directory.join(&file.name));
        metadata.is_ok_and(|metadata| metadata.is_file() && metadata.len() == file.bytes)
    }

    /// The number of backups of one schedule to keep; 0 for that of the settings.
    pub(super) fn keep(&self, wanted: u32) -> usize {
        let keep = if wanted == 0 { self.settings.keep } else { wanted };
        usize::try_from(keep).unwrap_or(usize::MAX)
    }

    fn remove_where(&self, fits: &dyn Fn(&str) -> bool) -> Result<(), BackupError> {
        let directory = &self.settings.directory;
        let names = self.names(fits)?;
        for name in &names {
            match fs::remove_file(directory.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(directory)(error)),
                _ => {}
            }
        }
        if names.is_empty() { Ok(()) } else { sync_directory(directory) }
    }

    /// The names of our files that fit.
    fn names(&self, fits: &dyn Fn(&str) -> bool) -> Result<Vec<String>, BackupError> {
        let directory = &self.settings.directory;
        let mut found = Vec::new();
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            entries => entries.map_err(failed(directory))?,
        };
        for entry in entries {
            let name = entry.map_err(failed(directory))?.file_name();
            if let Some(name) = name.to_str().filter(|name| name.starts_with("claviger-") && fits(name)) {
                found.push(name.to_owned());
            }
        }
        Ok(found)
    }
}

fn sync_directory(directory: &Path) -> Result<(), BackupError> {
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed(directory))
}

/// A file that leaves free space on its disk. The log may be on the same disk, and stops when it is full.
struct Reserving {
    file: File,
    directory: PathBuf,
    reserve: u64,
    since: u64,
    /// What was written.
    bytes: u64,
    digest: Context,
}

impl Write for Reserving {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.since >= LOOK_EVERY {
            self.since = 0;
            let disk = rustix::fs::statvfs(&self.directory)?;
            if disk.f_bavail.saturating_mul(disk.f_frsize) < self.reserve {
                return Err(io::ErrorKind::QuotaExceeded.into());
            }
        }
        let written = self.file.write(bytes)?;
        self.since += written as u64;
        self.bytes += written as u64;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn is_disk_low(error: &ContentsError) -> bool {
    matches!(error, ContentsError::Format(crate::backup::FormatError::Io(error))
        if error.kind() == io::ErrorKind::QuotaExceeded)
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { path, source }
}

impl BackupSettings {
    /// Settings with which schedules make no backups.
    pub fn without_schedules(data_dir: PathBuf) -> Self {
        let directory = data_dir.join("backups");
        Self { data_dir, master_key_file: None, directory, recipients: Vec::new(), keep: 1, reserve_bytes: 0 }
    }
}
