//! Custom key stores: create, view, change, block and delete them, and manage the credentials with which AWS calls the
//! XKS proxy.

pub mod cloud_hsm;
mod counters;
mod credentials;
mod health_key;
mod list;
mod operations;
pub mod refused_calls;
mod report;
mod serving;

use super::access::{
    AddKeyStore, BlockKeyStore, ConnectKeyStore, DeleteKeyStore, DisconnectKeyStore, KeyStorePermit, KmsPermit,
    LinkKeyStore, Permit, SignedIn, UnblockKeyStore, UpdateKeyStore, ViewKeyStore,
};
use super::caller::{Change, RequestContext};
use super::failure::Failure;
use super::list::{Page, Query, page};
use super::operations::Answer;
use super::recorder::Recorder;
use super::secrets::Secrets;
use super::source_keys::SourceKeys;
use crate::domain::command::Command;
use crate::domain::id::{KeyStoreId, OperationId, SourceKeyId};
use crate::domain::key_store::operation::StoreRequest;
use crate::domain::key_store::patch::KeyStorePatch;
use crate::domain::key_store::{KeyStore, StoreSettings, command::KeyStoreCommand, command::NewKeyStore};
use crate::domain::name::KeyStoreName;
use crate::domain::place::Region;
use crate::domain::refusal::KeyStoreRefusal;
use crate::domain::time::Time;
use crate::keyring::Owner;
use crate::ledger::Committed;
use crate::xks::Proxy;
pub use counters::{CallTimes, Counters, Diagnosis, Totals};
pub(super) use operations::{StoreOperations, StoreTarget, reading};
pub(super) use serving::Serving;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The use cases of custom key stores. Cheap to clone.
#[derive(Clone)]
pub struct KeyStores {
    recorder: Recorder,
    secrets: Secrets,
    source_keys: SourceKeys,
    serving: Serving,
    operations: StoreOperations,
    /// Whether the proxy has a listener.
    has_listener: bool,
}

/// A store to create.
pub struct KeyStoreRequest {
    pub name: KeyStoreName,
    /// The KMS, by name or id.
    pub kms: String,
    pub region: Region,
    /// The settings; the ciphertext of the health check key is made here.
    pub settings: StoreSettings,
    /// Whether the store is made at AWS at once.
    pub linked: bool,
    pub blocked: bool,
}

/// A store, with the secret of its newest credential, which is shown once.
pub struct WithSecret {
    pub store: Arc<KeyStore>,
    pub secret: Zeroizing<String>,
}

/// The health of a store.
pub struct Health {
    /// AWS's name of what it would be told now.
    pub status: &'static str,
    pub checked: Time,
    pub blocked: bool,
    /// Why the health check key cannot encrypt and decrypt, if it cannot.
    pub health_key_problem: Option<&'static str>,
    /// Whether the proxy has a listener.
    pub has_listener: bool,
    /// The state of the connection, as AWS last said.
    pub connection_state: String,
    /// The last call of AWS with a valid signature, since the start of the program.
    pub last_call: Option<Time>,
}

/// The owner of the secrets of a key store.
pub(super) fn owner(id: KeyStoreId) -> Owner {
    Owner::new("key-store", id.uuid())
}

impl KeyStores {
    pub(super) fn new(
        recorder: Recorder,
        secrets: Secrets,
        source_keys: SourceKeys,
        serving: Serving,
        operations: StoreOperations,
        has_listener: bool,
    ) -> Self {
        Self { recorder, secrets, source_keys, serving, operations, has_listener }
    }

    pub(super) fn recover(&self) {
        self.operations.reconcile_forever();
    }

    pub(super) fn proxy(&self) -> Proxy {
        self.serving.proxy().clone()
    }

    /// Creates a store that this program serves, with its first credential, and makes it at AWS if the request asks for
    /// it.
    ///
    /// # Errors
    /// When the caller lacks the right on the KMS, a rule forbids the store, or AWS refuses it. Then there is no store.
    pub async fn create(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        request: KeyStoreRequest,
    ) -> Result<WithSecret, Failure> {
        let permit = KmsPermit::<AddKeyStore>::authorize_named(permit.caller().clone(), &request.kms)?;
        let KeyStoreRequest { name, kms: _, region, mut settings, linked, blocked } = request;
        let change = permit.caller().change(context);
        settings.health_check_ciphertext = self.health_check(settings.health_check_key).await?;
        let id = KeyStoreId::new(Uuid::new_v4());
        let (credential, secret) = self.new_credential(&change, id).await?;
        let kms = permit.kms().id;
        let operation = OperationId::new(Uuid::new_v4());
        let link = linked.then_some(operation);
        let create = move |at| {
            let (region, name, settings) = (region.clone(), name.clone(), settings.clone());
            let credential = credential.clone();
            let new = NewKeyStore { id, kms, region, name, settings, blocked, credential, link, at };
            Command::KeyStore(KeyStoreCommand::Create(Box::new(new)))
        };
        let owner = owner(id);
        let append = self.secrets.append_owner_with(&self.recorder, &change, &owner, create);
        let store = match linked {
            true => self.answered(&change, id, self.operations.run_recorded(&change, operation, append).await?)?,
            false => {
                let committed = append.await?;
                self.serve(&change, id);
                shown(&committed, id)?
            }
        };
        Ok(WithSecret { store, secret })
    }

    /// Lists the stores that the caller may view.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<SignedIn>, query: &Query) -> Result<Page<KeyStore>, Failure> {
        page(permit.caller(), query).await
    }

    /// Changes all members of a patch, or none. What AWS knows of a linked store is changed there first. The password
    /// is that of `kmsuser`, for a store in a CloudHSM cluster.
    ///
    /// # Errors
    /// When a rule forbids a change, or AWS refuses it.
    pub async fn update(
        &self,
        permit: &KeyStorePermit<UpdateKeyStore>,
        context: &RequestContext,
        mut patch: KeyStorePatch,
        password: Option<Zeroizing<String>>,
    ) -> Result<Arc<KeyStore>, Failure> {
        if permit.store().local.is_none() {
            return self.amend(&permit.caller().change(context), permit.store(), patch, password).await;
        }
        let id = permit.store().id;
        let present = permit.store().local.as_ref().map(|local| local.settings.health_check_key);
        if let Some((key, ciphertext)) = patch.health_check.as_mut().filter(|(key, _)| Some(*key) != present) {
            *ciphertext = self.health_check(*key).await?;
        }
        let change = permit.caller().change(context);
        if permit.store().is_changed_at_aws(&patch) {
            return self.operate(&change, id, StoreRequest::Update { patch: Box::new(patch) }).await;
        }
        let update = move |at| KeyStoreCommand::Update { id, patch: Box::new(patch.clone()), at };
        let committed = self.recorder.append_with(&change, move |_, at| Ok(Command::KeyStore(update(at)))).await?;
        self.serve(&change, id);
        shown(&committed, id)
    }

    /// Makes an unlinked store at AWS, with another address if the patch has one.
    ///
    /// # Errors
    /// When the store is linked, a rule forbids the address, or AWS refuses the store.
    pub async fn link(
        &self,
        permit: &KeyStorePermit<LinkKeyStore>,
        context: &RequestContext,
        patch: KeyStorePatch,
    ) -> Result<Arc<KeyStore>, Failure> {
        let request = StoreRequest::Link { patch: Box::new(patch) };
        self.operate(&permit.caller().change(context), permit.store().id, request).await
    }

    /// Has AWS connect to the key manager of a store. Returns once AWS has accepted that. The password is that of
    /// `kmsuser`, for a store in a CloudHSM cluster.
    ///
    /// # Errors
    /// When the store is not linked, or AWS refuses.
    pub async fn connect(
        &self,
        permit: &KeyStorePermit<ConnectKeyStore>,
        context: &RequestContext,
        password: Option<Zeroizing<String>>,
    ) -> Result<Arc<KeyStore>, Failure> {
        self.connect_with(permit, &permit.caller().change(context), password).await
    }

    /// Has AWS disconnect a store. Returns once AWS has accepted that.
    ///
    /// # Errors
    /// When the store is not linked, or AWS refuses.
    pub async fn disconnect(
        &self,
        permit: &KeyStorePermit<DisconnectKeyStore>,
        context: &RequestContext,
    ) -> Result<Arc<KeyStore>, Failure> {
        self.operate(&permit.caller().change(context), permit.store().id, StoreRequest::Disconnect).await
    }

    /// Refuses every request of AWS for the store from now on.
    ///
    /// # Errors
    /// When this program does not serve the store.
    pub async fn block(
        &self,
        permit: &KeyStorePermit<BlockKeyStore>,
        context: &RequestContext,
    ) -> Result<Arc<KeyStore>, Failure> {
        let id = permit.store().id;
        self.command(&permit.caller().change(context), id, KeyStoreCommand::Block { id }).await
    }

    /// Serves requests of AWS for the store again.
    ///
    /// # Errors
    /// When this program does not serve the store.
    pub async fn unblock(
        &self,
        permit: &KeyStorePermit<UnblockKeyStore>,
        context: &RequestContext,
    ) -> Result<Arc<KeyStore>, Failure> {
        let id = permit.store().id;
        self.command(&permit.caller().change(context), id, KeyStoreCommand::Unblock { id }).await
    }

    /// Deletes a store with its credentials, at AWS first.
    ///
    /// # Errors
    /// When it still has keys, or its connection is not disconnected.
    pub async fn delete(
        &self,
        permit: &KeyStorePermit<DeleteKeyStore>,
        context: &RequestContext,
    ) -> Result<(), Failure> {
        let id = permit.store().id;
        let change = permit.caller().change(context);
        if permit.store().is_at_aws() {
            return self.request(&change, id, StoreRequest::Delete).await.map(drop);
        }
        self.recorder.append(&change, Command::KeyStore(KeyStoreCommand::Delete { id })).await?;
        self.serve(&change, id);
        self.secrets.shred(&change, &owner(id)).await;
        Ok(())
    }

    /// The health of a store that this program serves, and what AWS last said of it.
    ///
    /// # Errors
    /// When another proxy, or CloudHSM, serves it.
    pub fn health(&self, permit: &KeyStorePermit<ViewKeyStore>) -> Result<Health, Failure> {
        let store = permit.store();
        let proxy = self.serving.health(store.id).ok_or_else(|| KeyStoreRefusal::NotLocal(store.name.clone()))?;
        Ok(Health {
            status: proxy.status.name(),
            checked: self.recorder.now(),
            blocked: proxy.blocked,
            health_key_problem: proxy.health_key_problem,
            has_listener: self.has_listener,
            connection_state: store.connection_state().to_owned(),
            last_call: proxy.last_call_at.map(Time::of),
        })
    }

    /// Returns when AWS last signed a request with each credential, since the start of the program.
    pub fn credential_uses(&self, store: &KeyStore) -> Vec<(String, Time)> {
        let counted = self.serving.counters(store.id).into_iter().flat_map(|counted| counted.credentials);
        counted.filter_map(|used| Some((used.access_key_id, Time::of(used.last_used_at?)))).collect()
    }

    /// Carries out an operation at AWS, and returns the store after it.
    async fn operate(&self, change: &Change, id: KeyStoreId, request: StoreRequest) -> Result<Arc<KeyStore>, Failure> {
        let answer = self.request(change, id, request).await?;
        self.answered(change, id, answer)
    }

    async fn request(&self, change: &Change, id: KeyStoreId, request: StoreRequest) -> Result<Answer, Failure> {
        self.request_as(change, OperationId::new(Uuid::new_v4()), id, request).await
    }

    async fn request_as(
        &self,
        change: &Change,
        operation: OperationId,
        id: KeyStoreId,
        request: StoreRequest,
    ) -> Result<Answer, Failure> {
        let command = move |at| KeyStoreCommand::Request { id, operation, request: request.clone(), at };
        let append = self.recorder.append_with(change, move |_, at| Ok(Command::KeyStore(command(at))));
        self.operations.run_recorded(change, operation, append).await
    }

    /// The store after an operation. If AWS takes longer, it is as far as it is known.
    fn answered(&self, change: &Change, id: KeyStoreId, answer: Answer) -> Result<Arc<KeyStore>, Failure> {
        match answer {
            Answer::Concluded(committed) => shown(&committed, id),
            Answer::Underway(committed) if change.dry_run => shown(&committed, id),
            Answer::Underway(_) => Ok(self.recorder.state().state.key_store(id)?.clone()),
        }
    }

    async fn command(
        &self,
        change: &Change,
        id: KeyStoreId,
        command: KeyStoreCommand,
    ) -> Result<Arc<KeyStore>, Failure> {
        let committed = self.recorder.append(change, Command::KeyStore(command)).await?;
        self.serve(change, id);
        shown(&committed, id)
    }

    /// Tells the proxy the present state of a store, before the change of it is answered.
    fn serve(&self, change: &Change, id: KeyStoreId) {
        if !change.dry_run {
            self.serving.publish(id);
        }
    }

    /// Encrypts and decrypts with a health check key. Returns the ciphertext.
    async fn health_check(&self, key: SourceKeyId) -> Result<String, Failure> {
        let member = "local_hosted_params.health_check_key_id";
        let material = self.source_keys.material_for_import(key).map_err(|failure| failure.of(member))?;
        health_key::ciphertext(&material)
    }
}

fn shown(committed: &Committed, id: KeyStoreId) -> Result<Arc<KeyStore>, Failure> {
    Ok(committed.published.state.key_store(id)?.clone())
}
