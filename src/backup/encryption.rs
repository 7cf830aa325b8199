//! The encryption of backups: the format of age, for a passphrase or for recipients (X25519). age checks every 64 KiB
//! and the end of the stream, so changed and cut-off files are noticed when they are read.

use age::secrecy::{ExposeSecret, SecretString};
use age::stream::{StreamReader, StreamWriter};
use age::{Decryptor, Encryptor, Identity, Recipient, scrypt, x25519};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::str::FromStr;
use zeroize::Zeroizing;

/// The work of deriving a key from a passphrase, as a power of two: about a second.
const WORK_FACTOR: u8 = 17;
/// The least characters of the passphrase of a new backup. Those that exist open with theirs.
const CHARACTERS_MIN: usize = 12;
/// The most work that a file may ask for.
const WORK_FACTOR_MAX: u8 = 22;

#[derive(Debug, thiserror::Error)]
pub enum EncryptionError {
    #[error("`{0}` is not a recipient of age: `age1…` is expected")]
    Recipient(String),
    #[error("a backup needs a passphrase or at least one recipient")]
    NoRecipient,
    #[error("the file has no line `AGE-SECRET-KEY-1…`")]
    NoIdentity,
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    #[error("the passphrase of a backup needs at least {CHARACTERS_MIN} characters")]
    ShortPassphrase,
    #[error("the backup could not be encrypted: {0}")]
    Encrypt(#[from] age::EncryptError),
    #[error("the backup does not open: {0}")]
    Decrypt(#[from] age::DecryptError),
    #[error("the backup could not be written: {0}")]
    Io(#[from] io::Error),
}

/// For whom a backup is encrypted.
#[derive(Clone)]
pub enum Lock {
    Passphrase(SecretString),
    Recipients(Vec<x25519::Recipient>),
}

impl Lock {
    /// Encrypts for the passphrase in the first line of a text.
    ///
    /// # Errors
    /// When it is empty or short.
    pub fn of_passphrase(text: &str) -> Result<Self, EncryptionError> {
        let passphrase = secret(text)?;
        if passphrase.expose_secret().chars().count() < CHARACTERS_MIN {
            return Err(EncryptionError::ShortPassphrase);
        }
        Ok(Self::Passphrase(passphrase))
    }

    pub fn of_recipients(texts: &[String]) -> Result<Self, EncryptionError> {
        let parse = |text: &String| {
            x25519::Recipient::from_str(text.trim()).map_err(|_| EncryptionError::Recipient(text.clone()))
        };
        let recipients: Vec<_> = texts.iter().map(parse).collect::<Result<_, _>>()?;
        if recipients.is_empty() { Err(EncryptionError::NoRecipient) } else { Ok(Self::Recipients(recipients)) }
    }

    /// Begins an encrypted stream.
    pub fn seal<W: Write>(&self, to: W) -> Result<Sealed<W>, EncryptionError> {
        let encryptor = match self {
            Self::Passphrase(passphrase) => {
                let mut recipient = scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(WORK_FACTOR);
                Encryptor::with_recipients(std::iter::once(&recipient as &dyn Recipient))?
            }
            Self::Recipients(recipients) => {
                Encryptor::with_recipients(recipients.iter().map(|recipient| recipient as &dyn Recipient))?
            }
        };
        Ok(Sealed(encryptor.wrap_output(to)?))
    }
}

/// An encrypted stream; [`Sealed::finish`] writes its end, without which it does not open.
pub struct Sealed<W: Write>(StreamWriter<W>);

impl<W: Write> Sealed<W> {
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for Sealed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// What opens a backup.
pub enum Key {
    Passphrase(SecretString),
    Identities(Vec<x25519::Identity>),
}

impl Key {
    pub fn of_passphrase(text: &str) -> Result<Self, EncryptionError> {
        secret(text).map(Self::Passphrase)
    }

    /// Reads the identities of a file as `age-keygen` writes it.
    pub fn of_identity_file(text: &str) -> Result<Self, EncryptionError> {
        let identities: Vec<_> = text.lines().filter_map(|line| x25519::Identity::from_str(line.trim()).ok()).collect();
        if identities.is_empty() { Err(EncryptionError::NoIdentity) } else { Ok(Self::Identities(identities)) }
    }

    /// Opens an encrypted stream.
    pub fn open<R: Read>(&self, from: R) -> Result<StreamReader<BufReader<R>>, EncryptionError> {
        let mut from = BufReader::new(from);
        // An empty file would otherwise be reported as one of an unknown format.
        from.fill_buf()?;
        let decryptor = Decryptor::new_buffered(from)?;
        Ok(match self {
            Self::Passphrase(passphrase) => {
                let mut identity = scrypt::Identity::new(passphrase.clone());
                identity.set_max_work_factor(WORK_FACTOR_MAX);
                decryptor.decrypt(std::iter::once(&identity as &dyn Identity))?
            }
            Self::Identities(identities) => {
                decryptor.decrypt(identities.iter().map(|identity| identity as &dyn Identity))?
            }
        })
    }
}

fn secret(text: &str) -> Result<SecretString, EncryptionError> {
    // The first line counts, as for the passphrase of the master key.
    let line = Zeroizing::new(text.lines().next().unwrap_or_default().to_owned());
    if line.is_empty() { Err(EncryptionError::EmptyPassphrase) } else { Ok(SecretString::from(line.as_str())) }
}
