//! The errors of the keyring. No variant contains a secret.

use std::io;
use std::path::{Path, PathBuf};

use super::Owner;

#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The operating system returned an error.
    #[error("cannot {doing} `{}`: {source}", path.display())]
    Disk {
        /// The failed action, as a verb.
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// Another process, or another keyring in this one, has the directory open.
    #[error("the keyring `{}` is in use by another process: stop that one first", .0.display())]
    InUse(PathBuf),
    /// Others may access the file of a secret.
    #[error("`{}` is open to others (mode {mode:04o}): run `chmod 600 {}`", path.display(), path.display())]
    OpenToOthers { path: PathBuf, mode: u32 },
    /// There is no master key, and none may be created.
    #[error("the master key `{}` does not exist: {remedy}", path.display())]
    MasterKeyMissing { path: PathBuf, remedy: &'static str },
    /// The file's content is not a master key.
    #[error("`{}` is not a master key: 32 random bytes are expected, raw or as base64, for example from \
             `openssl rand -base64 32`", .0.display())]
    NotAMasterKey(PathBuf),
    /// The passphrase is empty or not UTF-8 text.
    #[error("the passphrase for the master key is {0}")]
    UnfitPassphrase(&'static str),
    /// The service manager passed no credentials.
    #[error(
        "credential `{0}`: $CREDENTIALS_DIRECTORY is not set: start the program through systemd with \
             LoadCredential={0}:PATH, or choose another source for the master key"
    )]
    NoCredentials(String),
    /// A credential's name that could leave the directory of credentials.
    #[error("credential `{0}`: a name without `/` is expected")]
    CredentialName(String),
    /// The keyring was sealed with another master key.
    #[error("the keyring `{}` was sealed by another master key: give the one that it was made with", .0.display())]
    WrongMasterKey(PathBuf),
    /// A file of the keyring was changed after it was written.
    #[error("`{}` is damaged: {what}: restore the keyring from a backup", path.display())]
    Damaged { path: PathBuf, what: &'static str },
    /// The owner has no data key: it was shredded, or never had one.
    #[error("{0} has no data key: its secrets were shredded or never sealed here")]
    Shredded(Owner),
    /// The bytes were not sealed for that owner and purpose with its current data key.
    #[error("{purpose} of {owner} cannot be opened: it was altered, or sealed with a key that no longer exists")]
    Unreadable { owner: Owner, purpose: &'static str },
    /// The master key is derived from a passphrase that only an operator knows.
    #[error("an operator must give the passphrase: start the server and run `claviger unseal`")]
    NeedsOperator,
    /// The replacement of the master key failed after the new key was put in its place.
    #[error(
        "the replacement of the master key was interrupted after it began: keep both keys, and start the program again with \
         the new one, which completes it"
    )]
    UnfinishedRekey,
    /// The cryptographic provider failed, for example to generate random bytes.
    #[error("the cryptographic provider failed to {0}")]
    Provider(&'static str),
}

impl KeyringError {
    /// Whether the disk failed. It may work again later.
    pub fn is_of_the_disk(&self) -> bool {
        matches!(self, Self::Disk { .. })
    }

    /// Returns a function for `map_err` that adds the action and the path.
    pub(super) fn disk(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { doing, path: path.to_owned(), source }
    }
}
