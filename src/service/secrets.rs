//! How secrets are sealed for the log, opened again, and made unreadable for ever when their owner goes.

use super::caller::Change;
use super::failure::Failure;
use super::recorder::Recorder;
use crate::domain::command::Command;
use crate::domain::event::Sealed;
use crate::keyring::{Keyring, Owner};
use crate::ledger::Committed;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

/// The keyring, for use with the log. Cheap to clone.
#[derive(Clone)]
pub(in crate::service) struct Secrets {
    keyring: Keyring,
    /// For work on the disk, which no request's thread waits for.
    runtime: Handle,
}

impl Secrets {
    pub(in crate::service) fn new(keyring: Keyring, runtime: Handle) -> Self {
        Self { keyring, runtime }
    }

    /// Seals a secret; in a dry run nothing is written, so nothing is sealed either. A new owner's data key is synced
    /// to the disk, for which no other request waits.
    pub(in crate::service) async fn seal(
        &self,
        change: &Change,
        owner: &Owner,
        purpose: &'static str,
        secret: &[u8],
    ) -> Result<Sealed, Failure> {
        if change.dry_run {
            return Ok(Sealed(Vec::new()));
        }
        let (keyring, owner, secret) = (self.keyring.clone(), owner.clone(), Zeroizing::new(secret.to_vec()));
        let sealing = self.runtime.spawn_blocking(move || keyring.seal(&owner, purpose, &secret));
        Ok(Sealed(sealing.await.map_err(|_| Failure::Internal("the program is stopping"))??))
    }

    pub(in crate::service) fn unseal(
        &self,
        owner: &Owner,
        purpose: &'static str,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        Ok(self.keyring.open_sealed(owner, purpose, &sealed.0)?)
    }

    /// Writes down a new owner whose secret was sealed a moment ago. One who is refused leaves no data key behind.
    pub(in crate::service) async fn append_owner(
        &self,
        recorder: &Recorder,
        change: &Change,
        owner: &Owner,
        command: Command,
    ) -> Result<Committed, Failure> {
        let made = recorder.append(change, command).await;
        // Only a refusal is sure to have written nothing; any other doubt is resolved at the next start.
        if let Err(Failure::Refused(_)) = made {
            self.shred(change, owner).await;
        }
        made
    }

    /// Deletes the data key of an owner who is gone. The removal itself is recorded already, so a failure here is
    /// logged and made good at the next start.
    pub(in crate::service) async fn shred(&self, change: &Change, owner: &Owner) {
        if change.dry_run {
            return;
        }
        let (keyring, owner) = (self.keyring.clone(), owner.clone());
        let shredding = self.runtime.spawn_blocking(move || {
            if let Err(failure) = keyring.shred(&owner) {
                tracing::error!(%failure, %owner, "the data key of a removed owner could not be deleted");
            }
        });
        // Cut off by the end of the program: made good at the next start, too.
        let _ = shredding.await;
    }
}
