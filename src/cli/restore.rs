//! `claviger restore`: makes a data directory from a backup. Everything is written into a directory beside it, checked
//! there and synced, and gets its final name last, so a restore that fails or is interrupted leaves no data directory.

use super::backup::{KeyArguments, KeyError};
use crate::backup::{BackupReader, EncryptionError, FormatError, Part};
use crate::ledger::{LedgerError, RestoredLog, Verified};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub struct RestoreArguments {
    /// The backup; `-` for the standard input
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The data directory to make: it must not exist, or be empty
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
    #[command(flatten)]
    key: KeyArguments,
}

#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("{0}")]
    Key(#[from] KeyError),
    #[error("{0}")]
    Encryption(#[from] EncryptionError),
    #[error("{0}; nothing was restored")]
    Format(#[from] FormatError),
    #[error("the log in the backup is broken, so nothing was restored: {0}")]
    Ledger(#[from] LedgerError),
    #[error("`{}`: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("`{}` is not empty: a backup is restored into a new directory", .0.display())]
    NotEmpty(PathBuf),
    #[error("`{}` is left from a restore that was interrupted: remove it, and start again", .0.display())]
    Unfinished(PathBuf),
    #[error("the last record of the backup has the hash {found}, and its trailer has {expected}; nothing was restored")]
    OtherHash { expected: String, found: String },
}

/// Restores a backup.
///
/// # Errors
/// When the key is not the right one, or anything in the backup is not as it was written. Nothing is left then.
pub fn run(arguments: &RestoreArguments) -> Result<(), RestoreError> {
    let into = &arguments.into;
    let key = arguments.key.key()?;
    refuse_content(into)?;
    let source: Box<dyn Read> = match arguments.from.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(&arguments.from).map_err(failed(&arguments.from))?),
    };
    let mut reader = BackupReader::begin(key.open(source)?)?;
    let unfinished = beside(into);
    if unfinished.symlink_metadata().is_ok() {
        return Err(RestoreError::Unfinished(unfinished));
    }
    let has_master_key = reader.header().has_master_key;
    let restored = restore(&mut reader, &unfinished).and_then(|verified| {
        fs::rename(&unfinished, into).map_err(failed(into))?;
        sync(parent_of(into))?;
        Ok(verified)
    });
    let verified = restored.inspect_err(|_| drop(fs::remove_dir_all(&unfinished)))?;
    let key = if has_master_key { "with its master key" } else { "without the master key, which it needs to start" };
    // The directory is there in any case.
    let _ = writeln!(io::stdout(), "{} records restored into {}, {key}", verified.records, into.display());
    Ok(())
}

fn restore(reader: &mut BackupReader<impl Read>, into: &Path) -> Result<Verified, RestoreError> {
    make(into)?;
    let mut log = RestoredLog::create(into)?;
    let mut part = reader.next_part()?;
    while let Part::Record(bytes) = part {
        log.push(bytes)?;
        part = reader.next_part()?;
    }
    let verified = log.finish()?;
    let mut file: Option<(PathBuf, File)> = None;
    loop {
        match part {
            Part::File(name) => {
                finish(file.take())?;
                let path = into.join(name);
                make(parent_of(&path))?;
                file = Some((path.clone(), create(&path)?));
            }
            Part::Piece(bytes) => {
                if let Some((path, file)) = &mut file {
                    file.write_all(&bytes).map_err(failed(path))?;
                }
            }
            Part::End(trailer) => {
                finish(file.take())?;
                let found = verified.hash.to_string();
                if trailer.head_hash != found {
                    return Err(RestoreError::OtherHash { expected: trailer.head_hash, found });
                }
                sync_directories(into)?;
                return Ok(verified);
            }
            // The reader returns no record after a file.
            Part::Record(_) => return Err(FormatError::Damaged("a record follows a file").into()),
        }
        part = reader.next_part()?;
    }
}

fn finish(file: Option<(PathBuf, File)>) -> Result<(), RestoreError> {
    file.map_or(Ok(()), |(path, file)| file.sync_all().map_err(failed(&path)))
}

fn refuse_content(directory: &Path) -> Result<(), RestoreError> {
    match fs::read_dir(directory) {
        Ok(mut entries) => match entries.next() {
            Some(_) => Err(RestoreError::NotEmpty(directory.to_owned())),
            None => Ok(()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(RestoreError::Io { path: directory.to_owned(), source }),
    }
}

/// The directory beside another, with a name that says what it is.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".restoring");
    parent_of(path).join(name)
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn make(directory: &Path) -> Result<(), RestoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed(directory))
}

fn create(path: &Path) -> Result<File, RestoreError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed(path))
}

/// Makes the entries of a directory, and of those in it, durable.
fn sync_directories(directory: &Path) -> Result<(), RestoreError> {
    for entry in fs::read_dir(directory).map_err(failed(directory))? {
        let path = entry.map_err(failed(directory))?.path();
        if path.is_dir() {
            sync_directories(&path)?;
        }
    }
    sync(directory)
}

fn sync(directory: &Path) -> Result<(), RestoreError> {
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed(directory))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> RestoreError {
    let path = path.to_owned();
    move |source| RestoreError::Io { path, source }
}
