//! Seals secrets for the log, unseals them, and destroys the data keys of removed owners.

use super::caller::Change;
use super::failure::Failure;
use super::recorder::Recorder;
use crate::domain::command::Command;
use crate::domain::event::Sealed;
use crate::domain::time::Time;
use crate::keyring::{Keyring, Owner};
use crate::ledger::Committed;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

/// The keyring, for use with the log. Cheap to clone.
#[derive(Clone)]
pub(in crate::service) struct Secrets {
    keyring: Keyring,
    /// Runs disk work off the threads that serve requests.
    runtime: Handle,
}

impl Secrets {
    pub(in crate::service) fn new(keyring: Keyring, runtime: Handle) -> Self {
        Self { keyring, runtime }
    }

    /// Seals a secret; a dry run seals nothing. A new owner's data key is synced to the disk on the blocking pool, so
    /// no other request waits for it.
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

    /// Appends the creation of an owner whose secret has just been sealed. If it is refused, the data key is deleted.
    pub(in crate::service) async fn append_owner(
        &self,
        recorder: &Recorder,
        change: &Change,
        owner: &Owner,
        command: Command,
    ) -> Result<Committed, Failure> {
        self.append_owner_with(recorder, change, owner, move |_| command.clone()).await
    }

    /// Appends the creation of an owner, as [`Secrets::append_owner`], by a command that has the time of its record.
    pub(in crate::service) async fn append_owner_with(
        &self,
        recorder: &Recorder,
        change: &Change,
        owner: &Owner,
        command: impl Fn(Time) -> Command + Send + 'static,
    ) -> Result<Committed, Failure> {
        let created = recorder.append_with(change, move |_, at| Ok(command(at))).await;
        // Only after a refusal it is certain that nothing was written; the next start resolves the other cases.
        if let Err(Failure::Refused(_)) = created {
            self.shred(change, owner).await;
        }
        created
    }

    /// Deletes the data key of a removed owner. The removal is already recorded, so a failure is only logged; the next
    /// start deletes the key.
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
        // If the program stops before this ends, the next start deletes the key.
        let _ = shredding.await;
    }
}
