//! The credentials of a store: new ones, their list, their deletion.

use super::serving::CREDENTIAL;
use super::{KeyStores, WithSecret, owner, shown};
use crate::domain::command::Command;
use crate::domain::id::{CredentialId, KeyStoreId, ScheduleId};
use crate::domain::key_store::operation::StoreRequest;
use crate::domain::key_store::{Credential, KeyStore, NewCredential, command::KeyStoreCommand};
use crate::domain::refusal::KeyStoreRefusal;
use crate::service::access::{KeyStorePermit, UpdateKeyStore, ViewKeyStore};
use crate::service::caller::{Change, RequestContext};
use crate::service::failure::Failure;
use crate::service::secrets::Secrets;
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The characters of an access key id, as AWS accepts them.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// The length of an access key id; AWS accepts 20 to 30.
const ACCESS_KEY_ID_LENGTH: usize = 24;
/// The random bytes of a secret; in Base64 AWS accepts 43 to 64 characters.
const SECRET_BYTES: usize = 32;
/// A credential is unused if AWS does not have it and no request was signed with it in this time. AWS uses the
/// credential that it was told last, and an earlier one at most for the requests that are under way.
const UNUSED_SECONDS: i64 = 600;

impl KeyStores {
    /// Adds a credential to a store, and tells AWS if it has the store. The earlier ones stay valid.
    ///
    /// # Errors
    /// When the store has as many credentials as it can have, or AWS refuses the new one, which is removed then.
    pub async fn rotate_credential(
        &self,
        permit: &KeyStorePermit<UpdateKeyStore>,
        context: &RequestContext,
    ) -> Result<WithSecret, Failure> {
        let (id, change) = (permit.store().id, permit.caller().change(context));
        refuse_other(permit.store())?;
        if permit.store().is_at_aws() {
            let (store, _, secret) = self.rotate_at_aws(&change, id).await?;
            return Ok(WithSecret { store, secret });
        }
        let (credential, secret) = self.new_credential(&change, id).await?;
        let command = Command::KeyStore(KeyStoreCommand::AddCredential { id, credential });
        let committed = self.recorder.append(&change, command).await?;
        self.serve(&change, id);
        Ok(WithSecret { store: shown(&committed, id)?, secret })
    }

    /// Adds a credential to a store that AWS has, and tells AWS. If the store is full, its oldest unused credential is
    /// deleted first. Returns the id of the new credential; AWS may not have taken it yet.
    ///
    /// # Errors
    /// When the store is full and all its credentials are used, its connection does not allow it, or AWS refuses.
    pub(in crate::service) async fn rotate_credential_as(
        &self,
        change: &Change,
        id: KeyStoreId,
    ) -> Result<CredentialId, Failure> {
        let published = self.recorder.state();
        let store = published.state.key_store(id)?;
        published.state.kms(store.kms)?.refuse_archived()?;
        store.refuse_credential_rotation()?;
        if let Some(credential) = self.credential_to_replace(store) {
            self.command(change, id, KeyStoreCommand::RemoveCredential { id, credential }).await?;
        }
        let (_, credential, _) = self.rotate_at_aws(change, id).await?;
        Ok(credential)
    }

    async fn rotate_at_aws(
        &self,
        change: &Change,
        id: KeyStoreId,
    ) -> Result<(Arc<KeyStore>, CredentialId, Zeroizing<String>), Failure> {
        let (credential, secret) = self.new_credential(change, id).await?;
        let new = credential.id;
        let store = self.operate(change, id, StoreRequest::RotateCredential { credential }).await?;
        Ok((store, new, secret))
    }

    /// The oldest unused credential of a full store: AWS does not have it, and no request was signed with it lately.
    fn credential_to_replace(&self, store: &KeyStore) -> Option<CredentialId> {
        let local = store.local.as_ref().filter(|local| local.is_full())?;
        let lately = self.recorder.now().plus_seconds(-UNUSED_SECONDS);
        let uses = self.credential_uses(store);
        let is_used =
            |credential: &Credential| uses.iter().any(|(used, at)| *used == credential.access_key_id && *at > lately);
        local
            .credentials
            .iter()
            .find(|credential| !store.is_told_to_aws(credential) && !is_used(credential))
            .map(|c| c.id)
    }

    /// Returns the valid credentials of the store, oldest first.
    ///
    /// # Errors
    /// When this program does not serve the store.
    pub fn credentials<'a>(&self, permit: &'a KeyStorePermit<ViewKeyStore>) -> Result<&'a [Credential], Failure> {
        refuse_other(permit.store())?;
        Ok(permit.store().local.as_ref().map_or(&[], |local| &local.credentials))
    }

    /// Returns one credential of the store, without its secret.
    ///
    /// # Errors
    /// When the store has no such credential.
    pub fn credential(&self, permit: &KeyStorePermit<ViewKeyStore>, text: &str) -> Result<Credential, Failure> {
        refuse_other(permit.store())?;
        Ok(find(permit.store(), text)?.clone())
    }

    /// Deletes a credential. AWS's requests with it are refused from now on.
    ///
    /// # Errors
    /// When the store has no such credential, or it is the one that AWS has.
    pub async fn delete_credential(
        &self,
        permit: &KeyStorePermit<UpdateKeyStore>,
        context: &RequestContext,
        text: &str,
    ) -> Result<(), Failure> {
        let id = permit.store().id;
        refuse_other(permit.store())?;
        let credential = find(permit.store(), text)?.id;
        let change = permit.caller().change(context);
        self.command(&change, id, KeyStoreCommand::RemoveCredential { id, credential }).await.map(drop)
    }

    /// Puts the store under a schedule that rotates its credentials, or takes it off.
    ///
    /// # Errors
    /// When the schedule does other work, or the store is not linked.
    pub async fn set_rotation_schedule(
        &self,
        permit: &KeyStorePermit<UpdateKeyStore>,
        context: &RequestContext,
        schedule: Option<ScheduleId>,
    ) -> Result<Arc<KeyStore>, Failure> {
        let id = permit.store().id;
        let change = permit.caller().change(context);
        self.command(&change, id, KeyStoreCommand::SetRotationSchedule { id, schedule }).await
    }

    /// Generates a credential and seals its secret.
    pub(super) async fn new_credential(
        &self,
        change: &Change,
        store: KeyStoreId,
    ) -> Result<(NewCredential, Zeroizing<String>), Failure> {
        let id = CredentialId::new(Uuid::new_v4());
        let (access_key_id, secret) = generate()?;
        let sealed = seal(&self.secrets, change, store, id, &secret).await?;
        Ok((NewCredential { id, access_key_id, secret: sealed }, secret))
    }
}

/// The secret is sealed for its own credential, so that one cannot be put in the place of another.
async fn seal(
    secrets: &Secrets,
    change: &Change,
    store: KeyStoreId,
    id: CredentialId,
    secret: &str,
) -> Result<crate::domain::event::Sealed, Failure> {
    let bound = Zeroizing::new([id.uuid().as_bytes().as_slice(), secret.as_bytes()].concat());
    secrets.seal(change, &owner(store), CREDENTIAL, &bound).await
}

fn refuse_other(store: &KeyStore) -> Result<(), Failure> {
    match store.local {
        Some(_) => Ok(()),
        None => Err(KeyStoreRefusal::NotLocal(store.name.clone()).into()),
    }
}

fn find<'a>(store: &'a KeyStore, text: &str) -> Result<&'a Credential, Failure> {
    let id = CredentialId::parse(text).ok();
    let mut all = store.local.iter().flat_map(|local| &local.credentials);
    let found = all.find(|credential| Some(credential.id) == id);
    found.ok_or_else(|| KeyStoreRefusal::CredentialUnknown(text.chars().take(80).collect()).into())
}

/// Generates an access key id and a secret access key.
fn generate() -> Result<(String, Zeroizing<String>), Failure> {
    let no_random = |_| Failure::Internal("the system provides no random bytes");
    let mut random = [0; ACCESS_KEY_ID_LENGTH];
    rand::fill(&mut random).map_err(no_random)?;
    let access_key_id = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    rand::fill(secret.as_mut()).map_err(no_random)?;
    Ok((access_key_id, Zeroizing::new(STANDARD.encode(secret.as_ref()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_have_the_form_that_aws_accepts() {
        let (id, secret) = generate().expect("random bytes");
        assert!(id.len() == 24 && id.bytes().all(|b| ALPHABET.contains(&b)), "{id}");
        let is_secret = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+' | b'=');
        assert!((43..=64).contains(&secret.len()) && secret.bytes().all(is_secret));
        assert_ne!(generate().expect("random bytes").0, id);
    }
}
