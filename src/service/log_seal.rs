//! The key of the log's seal: derived from a data key of its own, so that it stays when the master key is replaced.

use super::tokens;
use crate::keyring::{Keyring, KeyringError, Owner};
use crate::ledger::SealKey;
use uuid::Uuid;

pub(super) const OWNER: &str = "log-seal";

/// The owner of the data key. The log is sealed before its installation has an id, so the owner has none.
pub(super) fn owner() -> Owner {
    Owner::new(OWNER, Uuid::nil())
}

/// What the keyring says about the key of the log's seal. A keyring that never had one gets it.
pub fn key(keyring: &Keyring) -> SealKey {
    read(keyring).unwrap_or_else(|error| {
        tracing::error!(%error, "the key of the log's seal cannot be read");
        SealKey::Lost
    })
}

fn read(keyring: &Keyring) -> Result<SealKey, KeyringError> {
    let owners = keyring.owners()?;
    let required = keyring.expects_sealed_log()?;
    let is_of_installation = owners.iter().any(|owner| owner.kind() == tokens::OWNER);
    if required && is_of_installation && !owners.contains(&owner()) {
        return Ok(SealKey::Lost);
    }
    Ok(SealKey::Key { key: keyring.mac_key(&owner(), "seal of the log")?, required, is_of_installation })
}
