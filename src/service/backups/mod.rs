//! Backups of the installation. `contents` decides what is in one; `files` has those
//! that schedules and administrators make, and `jobs` what they may do with them.

mod contents;
mod files;
mod jobs;

pub use contents::{Contents, ContentsError};
pub use jobs::BackupJobs;

use crate::keyring::Keyring;
use crate::ledger::Ledger;
use std::path::PathBuf;
use std::sync::Arc;

/// Makes backups. Cheap to clone.
#[derive(Clone)]
pub struct Backups {
    ledger: Ledger,
    keyring: Keyring,
    settings: Arc<BackupSettings>,
}

/// Settings of the installation.
#[derive(Debug)]
pub struct BackupSettings {
    pub data_dir: PathBuf,
    /// The file with the master key or its passphrase, if it is in one.
    pub master_key_file: Option<PathBuf>,
    /// Where the backups are that schedules and administrators make.
    pub directory: PathBuf,
    /// The recipients of age for whom these are encrypted.
    pub recipients: Vec<String>,
    /// The number of backups of one schedule to keep.
    pub keep: u32,
    /// The free space of the disk that these backups leave.
    pub reserve_bytes: u64,
}

impl Backups {
    pub fn new(ledger: Ledger, keyring: Keyring, settings: BackupSettings) -> Self {
        Self { ledger, keyring, settings: Arc::new(settings) }
    }

    /// What a backup would have now, and the id of the installation.
    ///
    /// # Errors
    /// When the keyring or the master key cannot be read.
    pub fn contents(&self, with_master_key: bool) -> Result<(Contents, String), ContentsError> {
        let installation = self.ledger.state().state.installation.as_ref().map(|installation| installation.id);
        let file = self.settings.master_key_file.as_deref();
        let contents = Contents::of_running(&self.settings.data_dir, &self.ledger, &self.keyring)?;
        let contents = contents.without(&self.settings.directory);
        let contents = file.into_iter().fold(contents, |contents, file| contents.without(file));
        let contents = if with_master_key { contents.with_master_key(file)? } else { contents };
        Ok((contents, installation.map(|id| id.to_string()).unwrap_or_default()))
    }
}
