//! Everything that the keyring refuses or cannot do. No variant holds a secret.

use std::io;
use std::path::{Path, PathBuf};

use super::Owner;

/// Why the keyring could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The disk or the file system failed.
    #[error("cannot {doing} `{}`: {source}", path.display())]
    Disk {
        /// What was being done, as a verb.
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// Another process, or another keyring in this one, has the directory open.
    #[error("the keyring `{}` is in use by another process: stop that one first", .0.display())]
    InUse(PathBuf),
    /// The file that holds a secret is open to others.
    #[error("`{}` is open to others (mode {mode:04o}): run `chmod 600 {}`", path.display(), path.display())]
    OpenToOthers { path: PathBuf, mode: u32 },
    /// There is no master key, and none may be made.
    #[error("the master key `{}` does not exist: {remedy}", path.display())]
    MasterKeyMissing {
        /// Where it was looked for.
        path: PathBuf,
        remedy: &'static str,
    },
    /// What was found is not a master key.
    #[error("`{}` is not a master key: 32 random bytes are expected, raw or as base64, for example from \
             `openssl rand -base64 32`", .0.display())]
    NotAMasterKey(PathBuf),
    /// The passphrase is empty or not UTF-8 text.
    #[error("the passphrase for the master key is {0}")]
    UnfitPassphrase(&'static str),
    /// The service manager handed over no credentials.
    #[error(
        "credential `{0}`: $CREDENTIALS_DIRECTORY is not set: start the program through systemd with \
             LoadCredential={0}:PATH, or choose another source for the master key"
    )]
    NoCredentials(String),
    /// A credential's name that could leave the directory of credentials.
    #[error("credential `{0}`: a name without `/` is expected")]
    CredentialName(String),
    /// The keyring was sealed by another master key.
    #[error("the keyring `{}` was sealed by another master key: give the one that it was made with", .0.display())]
    WrongMasterKey(PathBuf),
    /// A file of the keyring is not what was written there.
    #[error("`{}` is damaged: {what}: restore the keyring from a backup", path.display())]
    Damaged {
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The owner has no data key: it was shredded, or never had one.
    #[error("{0} has no data key: its secrets were shredded or never sealed here")]
    Shredded(Owner),
    /// The sealed bytes are not what was sealed for that owner and purpose under its present data key.
    #[error("{purpose} of {owner} cannot be opened: it was altered, or sealed under a key that is no more")]
    Unreadable {
        /// For whom it should have been sealed.
        owner: Owner,
        purpose: &'static str,
    },
    /// The cryptographic provider failed, for example for want of random bytes.
    #[error("the cryptographic provider failed to {0}")]
    Provider(&'static str),
}

impl KeyringError {
    /// For `map_err`: what was being done to which path.
    pub(super) fn disk(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { doing, path: path.to_owned(), source }
    }
}
