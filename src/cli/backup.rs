//! `claviger backup`: writes an encrypted backup. The server that has the directory open sends the contents over its
//! control socket, unencrypted and to its own user only; this command encrypts them. Without a server, this command
//! reads the directory itself.

use super::config::ConfigError;
use super::control::{self, Request};
use super::events::{EventsError, LogArguments, ask, become_owner};
use crate::backup::{BackupReader, EncryptionError, FormatError, Key, Lock, Part, Sealed};
use crate::bounded_file;
use crate::service::backups::{Contents, ContentsError};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

#[derive(clap::Args, Debug)]
pub struct BackupArguments {
    #[command(flatten)]
    log: LogArguments,
    /// The file to write; `-` for the standard output
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Encrypt for this recipient of age (`age1…`); may be given several times
    #[arg(long, value_name = "AGE1…", required_unless_present = "passphrase_file")]
    recipient: Vec<String>,
    /// Encrypt with the passphrase in the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "recipient")]
    passphrase_file: Option<PathBuf>,
    /// Also put the master key into the backup
    #[arg(long)]
    include_master_key: bool,
}

/// What opens a backup.
#[derive(clap::Args, Debug)]
pub struct KeyArguments {
    /// The passphrase of the backup is the first line of this file
    #[arg(long, value_name = "FILE", required_unless_present = "identity")]
    passphrase_file: Option<PathBuf>,
    /// The file with the secret key of a recipient, as `age-keygen` writes it
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    identity: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("`{}`: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{0}")]
    Encryption(#[from] EncryptionError),
    #[error("a backup opens with --passphrase-file or --identity")]
    Missing,
}

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Encryption(#[from] EncryptionError),
    #[error(transparent)]
    Contents(#[from] ContentsError),
    #[error(transparent)]
    Format(#[from] FormatError),
    #[error(transparent)]
    Owner(#[from] EventsError),
    #[error("`{}`: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the server makes no backup: {0}")]
    Refused(String),
}

/// Writes a backup.
///
/// # Errors
/// When the log, the keyring or a file cannot be read, or the backup cannot be written. No file is left then.
pub fn run(arguments: &BackupArguments) -> Result<(), BackupError> {
    let data_dir = arguments.log.data_dir()?;
    become_owner(&data_dir)?;
    let lock = match &arguments.passphrase_file {
        Some(file) => Lock::of_passphrase(&read_secret(file)?)?,
        None => Lock::of_recipients(&arguments.recipient)?,
    };
    if arguments.to.as_os_str() == "-" {
        let mut written = write(arguments, &data_dir, lock.seal(io::stdout().lock())?)?;
        return written.flush().map_err(|source| BackupError::Io { path: arguments.to.clone(), source });
    }
    let to = &arguments.to;
    let failed = |source| BackupError::Io { path: to.clone(), source };
    if to.symlink_metadata().is_ok() {
        return Err(failed(io::ErrorKind::AlreadyExists.into()));
    }
    let part = part_of(to);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).map_err(failed)?;
    let written = lock.seal(BufWriter::new(file)).map_err(BackupError::from);
    let written = written.and_then(|sealed| write(arguments, &data_dir, sealed)).and_then(|file| {
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().and_then(|()| fs::rename(&part, to)).map_err(failed)?;
        File::open(directory_of(to)).and_then(|directory| directory.sync_all()).map_err(failed)
    });
    written.inspect_err(|_| drop(fs::remove_file(&part)))
}

fn write<W: Write>(arguments: &BackupArguments, data_dir: &Path, sealed: Sealed<W>) -> Result<W, BackupError> {
    let sealed = match UnixStream::connect(control::path(data_dir)) {
        Ok(server) => from_server(server, arguments.include_master_key, sealed)?,
        Err(_) => {
            let master_key = arguments.log.master_key_file(data_dir)?;
            let contents = Contents::of_directory(data_dir)?;
            let mut contents = master_key.iter().fold(contents, |contents, file| contents.without(file));
            if arguments.include_master_key {
                contents = contents.with_master_key(master_key.as_deref())?;
            }
            contents.write_to(sealed, String::new())?.0
        }
    };
    sealed.finish().map_err(|source| BackupError::Io { path: arguments.to.clone(), source })
}

/// Copies the backup that the server sends, and checks it on the way.
fn from_server<W: Write>(server: UnixStream, with_master_key: bool, to: Sealed<W>) -> Result<Sealed<W>, BackupError> {
    let request = Request::Backup { with_master_key };
    let mut answer = ask(server, &request).map_err(FormatError::from)?;
    let mut line = String::new();
    answer.read_line(&mut line).map_err(FormatError::from)?;
    match serde_json::from_str::<Result<(), String>>(&line) {
        Ok(Ok(())) => {}
        Ok(Err(reason)) => return Err(BackupError::Refused(reason)),
        Err(_) => return Err(BackupError::Refused("it is of another version".to_owned())),
    }
    let mut copy = Tee { from: answer, to };
    let mut reader = BackupReader::begin(&mut copy)?;
    while !matches!(reader.next_part()?, Part::End(_)) {}
    Ok(copy.to)
}

/// Reads, and writes what was read.
struct Tee<W> {
    from: BufReader<UnixStream>,
    to: W,
}

impl<W: Write> Read for Tee<W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.to.write_all(&buffer[..read])?;
        Ok(read)
    }
}

impl KeyArguments {
    pub(super) fn key(&self) -> Result<Key, KeyError> {
        match (&self.passphrase_file, &self.identity) {
            (Some(file), _) => Ok(Key::of_passphrase(&read_secret(file)?)?),
            (None, Some(file)) => Ok(Key::of_identity_file(&read_secret(file)?)?),
            (None, None) => Err(KeyError::Missing),
        }
    }
}

fn read_secret(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let read = bounded_file::read_text(path, bounded_file::SECRET_MAX);
    read.map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
