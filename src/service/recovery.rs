//! The changes that an operator of the machine makes by a command, without a token. Each is recorded under the number
//! of the user of the operating system. A running server makes them for the command; without one, [`Offline`] does.

use super::Services;
use super::caller::Change;
use super::failure::Failure;
use super::limits::Limits;
use super::passwords::{Hasher, Hashing};
use super::proof::Proof;
use super::recorder::Recorder;
use super::secrets::Secrets;
use super::users::Users;
use super::{Clock, system_change};
use crate::domain::command::Command;
use crate::domain::event::Actor;
use crate::keyring::{Keyring, KeyringError, NewMasterKey};
use crate::ledger::Ledger;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::PathBuf;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

/// The place of the master key, by the settings.
#[derive(Clone, Debug)]
pub struct MasterKeyPlace {
    /// The file that has it; `None` if it is not in a file.
    pub file: Option<PathBuf>,
    /// Whether it is derived from a passphrase.
    pub is_passphrase: bool,
    /// The file with the snapshot of the state, whose MAC depends on the master key.
    pub snapshot: PathBuf,
}

impl Services {
    /// Signs access tokens with a new key.
    ///
    /// # Errors
    /// When the log or the keyring fails.
    pub async fn rotate_token_key(&self, uid: u32) -> Result<(), Failure> {
        self.tokens.replace_key(&change(uid, "rotate-token-key")).await
    }

    /// Sets a password of a user, who must change it at the next sign-in. The user's sessions end.
    ///
    /// # Errors
    /// When there is no such user, or the password violates the policy.
    pub async fn reset_password(&self, uid: u32, user: &str, password: Zeroizing<String>) -> Result<(), Failure> {
        self.users.reset_password(&change(uid, "reset-password"), user, password).await
    }

    /// Records that an operator unsealed the server.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn note_unsealed(&self, uid: u32, failures: u32) -> Result<(), Failure> {
        self.recorder.append(&change(uid, "unseal"), Command::NoteUnsealed { failures }).await.map(drop)
    }

    /// Replaces the master key. Returns the file with the new one, if it was put into the place of the
    /// old one. Without a new one, it is random, which is possible only if it is put there.
    ///
    /// # Errors
    /// When the new key is unfit, or the keyring or the log fails.
    pub async fn replace_master_key(
        &self,
        uid: u32,
        keyring: &Keyring,
        place: &MasterKeyPlace,
        new: Option<NewMasterKey>,
    ) -> Result<Option<PathBuf>, Failure> {
        replace_master_key(&self.recorder, keyring, place, &change(uid, "rekey"), new).await
    }
}

/// The changes that need no server, on a data directory that no process has open. Nothing works in the background.
pub struct Offline {
    recorder: Recorder,
    users: Users,
    keyring: Keyring,
}

impl Offline {
    /// # Errors
    /// When the log has no installation yet, or the system fails.
    pub fn new(
        ledger: Ledger,
        keyring: Keyring,
        clock: Clock,
        limits: Limits,
        hashing: Hashing,
    ) -> Result<Self, Failure> {
        let recorder = Recorder::new(ledger, clock, limits);
        if recorder.state().state.installation.is_none() {
            return Err(Failure::Internal("the log has no installation: start the server once"));
        }
        let secrets = Secrets::new(keyring.clone(), Handle::current());
        let proof = Proof::new(recorder.clone(), secrets.clone(), Hasher::new(hashing)?);
        Ok(Self { users: Users::new(recorder.clone(), secrets, proof), recorder, keyring })
    }

    /// See [`Services::reset_password`].
    ///
    /// # Errors
    /// When there is no such user, or the password violates the policy.
    pub async fn reset_password(&self, uid: u32, user: &str, password: Zeroizing<String>) -> Result<(), Failure> {
        self.users.reset_password(&change(uid, "reset-password"), user, password).await
    }

    /// See [`Services::replace_master_key`].
    ///
    /// # Errors
    /// When the new key is unfit, or the keyring or the log fails.
    pub async fn replace_master_key(
        &self,
        uid: u32,
        place: &MasterKeyPlace,
        new: Option<NewMasterKey>,
    ) -> Result<Option<PathBuf>, Failure> {
        replace_master_key(&self.recorder, &self.keyring, place, &change(uid, "rekey"), new).await
    }

    /// Closes the log.
    pub async fn close(self) {
        self.recorder.ledger().clone().close().await;
    }
}

/// Records that the master key was replaced, if the program ended before it could.
pub(super) async fn note_interrupted_replacement(recorder: &Recorder, keyring: &Keyring) -> Result<(), Failure> {
    if keyring.was_replaced()? {
        note_replacement(recorder, keyring, &system_change("rekey")).await?;
    }
    Ok(())
}

async fn replace_master_key(
    recorder: &Recorder,
    keyring: &Keyring,
    place: &MasterKeyPlace,
    change: &Change,
    new: Option<NewMasterKey>,
) -> Result<Option<PathBuf>, Failure> {
    let new = match new {
        Some(new) => new,
        None if place.file.is_some() && !place.is_passphrase => random()?,
        None => return Err(Failure::Internal(NOT_GIVEN)),
    };
    let fits = place.is_passphrase == matches!(new, NewMasterKey::Passphrase(_));
    let install = place.file.clone().filter(|_| fits);
    let installed = install.clone();
    let replacing = keyring.clone();
    let replaced = tokio::task::spawn_blocking(move || replacing.replace_master_key(&new, install.as_deref())).await;
    replaced.map_err(|_| Failure::Internal("the replacement of the master key ended early"))??;
    // Its MAC is of the old key, so the next start would not use it. It is written again.
    match std::fs::remove_file(&place.snapshot) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, "the snapshot of the state could not be removed");
        }
        _ => {}
    }
    // The key is replaced, whatever follows: an error would say that it is not.
    if let Err(failure) = note_replacement(recorder, keyring, change).await {
        tracing::error!(%failure, "the replacement of the master key is recorded at the next start");
    }
    Ok(installed)
}

const NOT_GIVEN: &str = "the new master key must be given with --key-file or --passphrase-file: the present one is not a \
                         key in a file that the settings name";

fn random() -> Result<NewMasterKey, Failure> {
    let mut key = Zeroizing::new(vec![0u8; 32]);
    aws_lc_rs::rand::fill(&mut key).map_err(|_| Failure::Internal("the system gives no random numbers"))?;
    // As base64, since 32 bytes that happen to be text are refused.
    Ok(NewMasterKey::Key(Zeroizing::new(STANDARD.encode(&*key).into_bytes())))
}

async fn note_replacement(recorder: &Recorder, keyring: &Keyring, change: &Change) -> Result<(), Failure> {
    recorder.append(change, Command::NoteMasterKeyReplaced).await?;
    let keyring = keyring.clone();
    let noted = tokio::task::spawn_blocking(move || keyring.note_replacement()).await;
    noted
        .map_err(|_| Failure::Internal("the keyring could not be written"))?
        .map_err(|error: KeyringError| error.into())
}

fn change(uid: u32, request_id: &str) -> Change {
    Change::of(Actor::Operator { uid }, request_id.into())
}
