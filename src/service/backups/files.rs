//! The backups that schedules make: files in a directory, of which each schedule keeps the newest.

use super::contents::ContentsError;
use super::{BackupSettings, Backups};
use crate::backup::{EncryptionError, Lock};
use crate::domain::id::{JobId, ScheduleId};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const SUFFIX: &str = ".age";
const UNFINISHED: &str = ".age.part";
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
    /// Makes a backup for a schedule, and deletes the oldest ones of the same schedule beyond `keep`; 0 for the number
    /// of the settings. It takes a while, so callers have a thread for it.
    ///
    /// # Errors
    /// The reason why there is no new backup. Older ones stay then.
    pub(in crate::service) fn make(&self, schedule: ScheduleId, run: JobId, keep: u32) -> Result<PathBuf, BackupError> {
        let settings = &*self.settings;
        if settings.recipients.is_empty() {
            return Err(BackupError::NotSetUp);
        }
        let lock = Lock::of_recipients(&settings.recipients)?;
        let directory = &settings.directory;
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed(directory))?;
        // What an interrupted run left.
        for path in of_schedule(directory, schedule, UNFINISHED)? {
            fs::remove_file(&path).map_err(failed(&path))?;
        }
        let time = chrono::Utc::now().format("%Y%m%dT%H%M%SZ");
        let name = format!("claviger-{time}-{schedule}-{run}");
        let (part, path) = (directory.join(format!("{name}{UNFINISHED}")), directory.join(format!("{name}{SUFFIX}")));
        let written = self.write(&lock, &part).and_then(|()| fs::rename(&part, &path).map_err(failed(&path)));
        written.inspect_err(|_| drop(fs::remove_file(&part)))?;
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed(directory))?;
        let keep = if keep == 0 { settings.keep } else { keep };
        let mut all = of_schedule(directory, schedule, SUFFIX)?;
        // The names begin with the time.
        all.sort();
        let beyond = all.len().saturating_sub(usize::try_from(keep).unwrap_or(usize::MAX));
        for path in &all[..beyond] {
            fs::remove_file(path).map_err(failed(path))?;
        }
        Ok(path)
    }

    fn write(&self, lock: &Lock, path: &Path) -> Result<(), BackupError> {
        let settings = &*self.settings;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed(path))?;
        let file = Reserving {
            file,
            directory: settings.directory.clone(),
            reserve: settings.reserve_bytes,
            since: LOOK_EVERY,
        };
        let (contents, installation) = self.contents(false)?;
        let written = contents.write_to(lock.seal(file)?, installation);
        let (sealed, _) = written.map_err(|error| match is_disk_low(&error) {
            true => BackupError::DiskLow,
            false => error.into(),
        })?;
        let file = sealed.finish().map_err(failed(path))?.file;
        file.sync_all().map_err(failed(path))
    }
}

/// The files of a schedule with this end of their names.
fn of_schedule(directory: &Path, schedule: ScheduleId, end: &str) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = Vec::new();
    let of = format!("-{schedule}-");
    for entry in fs::read_dir(directory).map_err(failed(directory))? {
        let entry = entry.map_err(failed(directory))?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with("claviger-") && name.contains(&of) && name.ends_with(end))
        {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// A file that leaves free space on its disk. The log may be on the same disk, and stops when it is full.
struct Reserving {
    file: File,
    directory: PathBuf,
    reserve: u64,
    since: u64,
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
