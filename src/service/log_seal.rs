//! The key of the log's seal: derived from a data key of its own, so that it stays when the master key is replaced.

use super::failure::Failure;
use super::{keyring_check, tokens};
use crate::keyring::{Keyring, KeyringError, Owner};
use crate::ledger::{Ledger, SealKey};
use uuid::Uuid;

pub(super) const OWNER: &str = "log-seal";

const NOT_CHECKED: &str = "the log could not be checked against its seal, because the keyring could not be opened at \
                           that moment; start again";

/// The owner of the data key. The log is sealed before its installation has an id, so the owner has none.
pub(super) fn owner() -> Owner {
    Owner::new(OWNER, Uuid::nil())
}

/// What the keyring says about the key of the log's seal, for a start. A keyring that never had one gets it.
pub fn key(keyring: &Keyring) -> SealKey {
    read(keyring, true).unwrap_or_else(lost)
}

/// What the keyring says about the key of the log's seal, for a check that makes nothing.
pub fn existing_key(keyring: &Keyring) -> SealKey {
    match read(keyring, false).unwrap_or_else(lost) {
        // A start refuses this keyring with better advice.
        SealKey::Key { required: true, is_of_installation: false, .. } => SealKey::Lost,
        known => known,
    }
}

/// Seals a log that has no seal yet, and refuses one whose seal was not checked; from now on the keyring requires a
/// seal. Without this, who can write the files could let the keyring fail while the log is opened, and work again
/// afterwards.
///
/// # Errors
/// When the log and the keyring do not belong together, or the seal was not checked.
pub fn require(ledger: &Ledger, keyring: &Keyring) -> Result<(), Failure> {
    keyring_check::refuse_strays(keyring, &ledger.state().state)?;
    if !ledger.is_sealed() {
        return Err(Failure::Internal(NOT_CHECKED));
    }
    ledger.seal()?;
    Ok(keyring.expect_sealed_log()?)
}

fn read(keyring: &Keyring, make: bool) -> Result<SealKey, KeyringError> {
    let owners = keyring.owners()?;
    let required = keyring.expects_sealed_log()?;
    let is_of_installation = owners.iter().any(|owner| owner.kind() == tokens::OWNER);
    match owners.contains(&owner()) {
        false if required && is_of_installation => Ok(SealKey::Lost),
        false if !make => Ok(if required { SealKey::Lost } else { SealKey::Unavailable }),
        _ => Ok(SealKey::Key { key: keyring.owner_key(&owner(), "seal of the log")?, required, is_of_installation }),
    }
}

fn lost(error: KeyringError) -> SealKey {
    tracing::error!(%error, "the key of the log's seal cannot be read");
    SealKey::Lost
}
