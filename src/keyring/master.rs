//! The sources of the master key. It seals the data keys, and never leaves this process.

use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::Utf8Error;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::directory::{Directory, sync_ancestor, write_atomically};
use super::passphrase;
use super::sealing::{KEY_LEN, Key};
use super::{CHECK_FILE, KeyringError};

/// The source of the master key.
pub enum MasterKeySource {
    /// A file of 32 bytes, raw or as base64, that only its owner may read.
    File {
        path: PathBuf,
        /// Whether to create the file, with a random key, together with a new keyring.
        create: bool,
    },
    /// A file of the same format that systemd passes (`LoadCredential=`).
    Credential {
        /// The file's name in `$CREDENTIALS_DIRECTORY`.
        name: String,
    },
    /// A passphrase, from which Argon2id derives the key.
    Passphrase(Zeroizing<String>),
    /// A file whose first line is the passphrase, and that only its owner may read.
    PassphraseFile { path: PathBuf },
    /// A passphrase that systemd passes.
    PassphraseCredential {
        /// The file's name in `$CREDENTIALS_DIRECTORY`.
        name: String,
    },
    /// A passphrase that an operator gives to the running program.
    Operator,
}

/// Describes the source for the log, without the key or passphrase.
impl fmt::Display for MasterKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => write!(f, "the file {}", path.display()),
            Self::Credential { name } => write!(f, "systemd's credential {name}"),
            Self::Passphrase(_) => f.write_str("a passphrase"),
            Self::PassphraseFile { path } => write!(f, "the passphrase in the file {}", path.display()),
            Self::PassphraseCredential { name } => write!(f, "the passphrase in systemd's credential {name}"),
            Self::Operator => f.write_str("an operator's passphrase"),
        }
    }
}

impl std::fmt::Debug for MasterKeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { path, create } => write!(f, "File({}, create: {create})", path.display()),
            Self::Credential { name } => write!(f, "Credential({name})"),
            Self::Passphrase(_) => f.write_str("Passphrase(…)"),
            Self::PassphraseFile { path } => write!(f, "PassphraseFile({})", path.display()),
            Self::PassphraseCredential { name } => write!(f, "PassphraseCredential({name})"),
            Self::Operator => f.write_str("Operator"),
        }
    }
}

impl MasterKeySource {
    /// Reads, derives or creates the key for a directory.
    pub(super) fn key(&self, directory: &Directory) -> Result<Key, KeyringError> {
        match self {
            Self::File { path, create } => match read_private(path) {
                Ok(content) => parse(&content, path),
                Err(KeyringError::MasterKeyMissing { .. }) if *create => create_file(path, directory),
                Err(error) => Err(error),
            },
            Self::Credential { name } => {
                let path = credential(name)?;
                parse(&read(&path)?, &path)
            }
            Self::Passphrase(text) => passphrase::key(text, directory),
            Self::PassphraseFile { path } => passphrase::key(&passphrase_in(&read_private(path)?)?, directory),
            Self::PassphraseCredential { name } => {
                passphrase::key(&passphrase_in(&read(&credential(name)?)?)?, directory)
            }
            Self::Operator => Err(KeyringError::NeedsOperator),
        }
    }

    /// Reads the key, or derives it as `derivation` says. `None` if the source has a passphrase and there is no
    /// derivation, or the other way round.
    pub(super) fn key_by(&self, derivation: Option<&str>) -> Result<Option<Key>, KeyringError> {
        let derived = |text: &str| derivation.and_then(|derivation| passphrase::derived(text, derivation));
        match self {
            Self::File { .. } | Self::Credential { .. } if derivation.is_some() => Ok(None),
            Self::File { path, .. } => parse(&read_private(path)?, path).map(Some),
            Self::Credential { name } => {
                let path = credential(name)?;
                parse(&read(&path)?, &path).map(Some)
            }
            Self::Passphrase(text) => Ok(derived(text)),
            Self::PassphraseFile { path } => Ok(derived(&passphrase_in(&read_private(path)?)?)),
            Self::PassphraseCredential { name } => Ok(derived(&passphrase_in(&read(&credential(name)?)?)?)),
            Self::Operator => Err(KeyringError::NeedsOperator),
        }
    }

    /// Checks that this source can provide a key, as far as this is possible without the keyring.
    ///
    /// # Errors
    /// When the file or credential is missing and may not be created, readable by others, or not a key or passphrase.
    pub fn check(&self) -> Result<(), KeyringError> {
        match self {
            Self::File { path, create } => match read_private(path) {
                Ok(content) => parse(&content, path).map(drop),
                Err(KeyringError::MasterKeyMissing { .. }) if *create => Ok(()),
                Err(error) => Err(error),
            },
            Self::Credential { name } => {
                let path = credential(name)?;
                parse(&read(&path)?, &path).map(drop)
            }
            Self::Passphrase(text) => passphrase::check(text),
            Self::PassphraseFile { path } => passphrase::check(&passphrase_in(&read_private(path)?)?),
            Self::PassphraseCredential { name } => passphrase::check(&passphrase_in(&read(&credential(name)?)?)?),
            Self::Operator => Ok(()),
        }
    }
}

/// Creates the master key of a new keyring. A new key could not open an existing keyring.
fn create_file(path: &Path, directory: &Directory) -> Result<Key, KeyringError> {
    if directory.read(CHECK_FILE)?.is_some() {
        let remedy = "the keyring was sealed by it: put it back from a backup";
        return Err(KeyringError::MasterKeyMissing { path: path.to_owned(), remedy });
    }
    let key = Key::random().map_err(|_| KeyringError::Provider("make a master key"))?;
    let mut text = Zeroizing::new(STANDARD.encode(key.as_bytes()));
    text.push('\n');
    write_atomically(path, text.as_bytes()).map_err(|error| match error {
        KeyringError::Disk { source, .. } => KeyringError::disk("make the master key", path)(source),
        other => other,
    })?;
    sync_ancestor(path)?;
    Ok(key)
}

pub(super) fn parse(content: &[u8], path: &Path) -> Result<Key, KeyringError> {
    let not_a_key = || KeyringError::NotAMasterKey(path.to_owned());
    // 32 bytes of ASCII text are a passphrase or too short a base64 text: random bytes are practically never all ASCII.
    let text = content.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    if content.len() == KEY_LEN && !text {
        return Key::from_slice(content).ok_or_else(not_a_key);
    }
    let decoded = STANDARD.decode(content.trim_ascii()).map(Zeroizing::new).map_err(|_| not_a_key())?;
    Key::from_slice(&decoded).ok_or_else(not_a_key)
}

/// The first line of a file or an input with a passphrase or a password: editors end it, and what follows is not part
/// of it.
///
/// # Errors
/// When the line is not UTF-8.
pub fn first_line(content: &[u8]) -> Result<Zeroizing<String>, Utf8Error> {
    let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    std::str::from_utf8(line).map(|text| Zeroizing::new(text.to_owned()))
}

/// The passphrase in the content of a file.
fn passphrase_in(content: &[u8]) -> Result<Zeroizing<String>, KeyringError> {
    first_line(content).map_err(|_| KeyringError::UnfitPassphrase("not UTF-8 text"))
}

fn credential(name: &str) -> Result<PathBuf, KeyringError> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        return Err(KeyringError::CredentialName(name.to_owned()));
    }
    let directory = std::env::var_os("CREDENTIALS_DIRECTORY").filter(|path| !path.is_empty());
    let directory = directory.ok_or_else(|| KeyringError::NoCredentials(name.to_owned()))?;
    Ok(Path::new(&directory).join(name))
}

/// Reads a file, and rejects it if others than its owner may access it. Credentials need no such check, because systemd
/// restricts their directory.
fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    let (mut file, mode) = open(path)?;
    if mode & 0o077 != 0 {
        return Err(KeyringError::OpenToOthers { path: path.to_owned(), mode });
    }
    read_from(&mut file, path)
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    read_from(&mut open(path)?.0, path)
}

/// Opens a file and returns its permission bits. They are read from the open file, so that renaming another file in
/// between has no effect.
fn open(path: &Path) -> Result<(File, u32), KeyringError> {
    // Opening a named pipe would block until it has a writer.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(KeyringError::NotAMasterKey(path.to_owned()));
    }
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            KeyringError::MasterKeyMissing { path: path.to_owned(), remedy: "put it there, or name the right file" }
        }
        _ => KeyringError::disk("open", path)(error),
    })?;
    let mode = file.metadata().map_err(KeyringError::disk("examine", path))?.permissions().mode() & 0o7777;
    Ok((file, mode))
}

/// The longest key or passphrase file, in bytes.
const SECRET_MAX: usize = 4096;

fn read_from(file: &mut File, path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    // The buffer has its full size from the start: a vector that grows leaves copies of its content in memory.
    let mut content = Zeroizing::new(vec![0; SECRET_MAX + 1]);
    let mut length = 0;
    while length < content.len() {
        match file.read(&mut content[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(KeyringError::disk("read", path)(error)),
        }
    }
    if length > SECRET_MAX {
        return Err(KeyringError::NotAMasterKey(path.to_owned()));
    }
    content.truncate(length);
    Ok(content)
}
