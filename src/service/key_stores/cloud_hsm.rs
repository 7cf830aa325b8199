//! Stores in CloudHSM clusters, and changes of stores that this program does not serve. The password of `kmsuser` is
//! never recorded: of the last one that AWS was told, a keyed hash is, so that AWS is not told an old one again, which
//! it has replaced since by one of its own.

use super::operations::reading::all;
use super::{KeyStores, owner};
use crate::aws::kms::custom_key_store::KmsuserPassword;
use crate::domain::command::Command;
use crate::domain::id::{KeyStoreId, OperationId};
use crate::domain::key::decide::check_place;
use crate::domain::key_store::cloud_hsm::NewCloudHsmStore;
use crate::domain::key_store::operation::StoreRequest;
use crate::domain::key_store::patch::KeyStorePatch;
use crate::domain::key_store::{KeyStore, StoreKind, command::KeyStoreCommand};
use crate::domain::name::KeyStoreName;
use crate::domain::place::Region;
use crate::domain::sealed::Sealed;
use crate::service::access::{AddKeyStore, ConnectKeyStore, KeyStorePermit, KmsPermit, Permit, SignedIn};
use crate::service::caller::{Change, RequestContext};
use crate::service::failure::Failure;
use aws_lc_rs::{hmac, rand};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The purpose under which the hash of a password is sealed.
const PASSWORD_HASH: &str = "kmsuser-password-hash";
/// The length of the key of a hash, which precedes the hash.
const KEY_BYTES: usize = 32;

/// A store in a CloudHSM cluster to create.
pub struct CloudHsmRequest {
    pub name: KeyStoreName,
    /// The KMS, by name or id.
    pub kms: String,
    pub region: Region,
    pub cluster: String,
    pub trust_anchor: String,
    /// The password of `kmsuser`.
    pub password: Zeroizing<String>,
}

/// The descriptions of clusters in AWS's form.
pub type Clusters = Vec<serde_json::Map<String, serde_json::Value>>;

impl KeyStores {
    /// Creates a store in a CloudHSM cluster, at AWS at once.
    ///
    /// # Errors
    /// When the caller lacks the right on the KMS, a rule forbids the store, or AWS refuses it. Then there is no store.
    pub async fn create_cloud_hsm(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        request: CloudHsmRequest,
    ) -> Result<Arc<KeyStore>, Failure> {
        let permit = KmsPermit::<AddKeyStore>::authorize_named(permit.caller().clone(), &request.kms)?;
        let CloudHsmRequest { name, kms: _, region, cluster, trust_anchor, password } = request;
        let change = permit.caller().change(context);
        let (id, operation) = (KeyStoreId::new(Uuid::new_v4()), OperationId::new(Uuid::new_v4()));
        let hash = self.hash(&change, id, &password).await?;
        let kms = permit.kms().id;
        let new = NewCloudHsmStore { id, kms, region, name, cluster, trust_anchor, password: hash, operation };
        let command = Command::KeyStore(KeyStoreCommand::CreateCloudHsm(Box::new(new)));
        let owner = owner(id);
        let append = self.secrets.append_owner(&self.recorder, &change, &owner, command);
        let answer = self.with_password(operation, password, self.operations.run_recorded(&change, operation, append));
        self.answered(&change, id, answer.await?)
    }

    /// Connects a store. A password that AWS was not told last is told first.
    pub(super) async fn connect_with(
        &self,
        permit: &KeyStorePermit<ConnectKeyStore>,
        change: &Change,
        password: Option<Zeroizing<String>>,
    ) -> Result<Arc<KeyStore>, Failure> {
        let store = permit.store();
        let Some(password) = self.news(store, password)? else {
            return self.operate(change, store.id, StoreRequest::Connect).await;
        };
        let hash = self.hash(change, store.id, &password).await?;
        self.operate_with(change, store.id, StoreRequest::ConnectWith { password: hash }, password).await
    }

    /// Changes a store that this program does not serve, at AWS.
    pub(super) async fn amend(
        &self,
        change: &Change,
        store: &Arc<KeyStore>,
        patch: KeyStorePatch,
        password: Option<Zeroizing<String>>,
    ) -> Result<Arc<KeyStore>, Failure> {
        let known = store.cloud_hsm.as_ref().map(|known| &known.cluster);
        let cluster = patch.cluster.filter(|cluster| Some(cluster) != known);
        let name = patch.name.filter(|name| *name != store.name);
        let password = self.news(store, password)?;
        let hash = match &password {
            Some(password) => Some(self.hash(change, store.id, password).await?),
            None => None,
        };
        if name.is_none() && cluster.is_none() && password.is_none() {
            return Ok(store.clone());
        }
        let request = StoreRequest::Amend { name, cluster, password: hash };
        match password {
            Some(password) => self.operate_with(change, store.id, request, password).await,
            None => self.operate(change, store.id, request).await,
        }
    }

    /// Returns the active clusters of a region that back no key store, in AWS's form.
    ///
    /// # Errors
    /// When the caller lacks the right on the KMS, the KMS does not manage the region, or AWS refuses.
    pub async fn unused_clusters(
        &self,
        permit: &Permit<SignedIn>,
        kms: &str,
        region: &Region,
    ) -> Result<Clusters, Failure> {
        let permit = KmsPermit::<AddKeyStore>::authorize_named(permit.caller().clone(), kms)?;
        let kms = permit.kms().id;
        check_place(&permit.caller().published.state, kms, region)?;
        let at = self.operations.target().cloud.region(kms, region).await?;
        let (clusters, stores) = tokio::try_join!(at.hsm_clusters(), all(&at))?;
        let used: HashSet<&String> =
            stores.iter().filter_map(|store| Some(&store.cloud_hsm.as_ref()?.cluster)).collect();
        let unused = clusters.iter().filter(|cluster| cluster.is_active && !used.contains(&cluster.id));
        Ok(unused.map(|cluster| cluster.description.clone()).collect())
    }

    /// The password, unless it is the last one that AWS was told, or the store has none.
    fn news(
        &self,
        store: &KeyStore,
        password: Option<Zeroizing<String>>,
    ) -> Result<Option<Zeroizing<String>>, Failure> {
        let Some(password) = password.filter(|_| store.kind() == StoreKind::CloudHsm) else { return Ok(None) };
        let Some(told) = store.cloud_hsm.as_ref().and_then(|known| known.told.as_ref()) else {
            return Ok(Some(password));
        };
        let stored = self.secrets.unseal(&owner(store.id), PASSWORD_HASH, told)?;
        let (key, tag) = stored.split_at_checked(KEY_BYTES).ok_or(Failure::Internal("a sealed hash is too short"))?;
        let is_told = hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), password.as_bytes(), tag).is_ok();
        Ok((!is_told).then_some(password))
    }

    /// A keyed hash of a password, sealed together with its key.
    async fn hash(&self, change: &Change, store: KeyStoreId, password: &str) -> Result<Sealed, Failure> {
        let mut stored = Zeroizing::new(vec![0; KEY_BYTES]);
        rand::fill(&mut stored).map_err(|_| Failure::Internal("the system provides no random bytes"))?;
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &stored), password.as_bytes());
        stored.extend_from_slice(tag.as_ref());
        self.secrets.seal(change, &owner(store), PASSWORD_HASH, &stored).await
    }

    async fn operate_with(
        &self,
        change: &Change,
        id: KeyStoreId,
        request: StoreRequest,
        password: Zeroizing<String>,
    ) -> Result<Arc<KeyStore>, Failure> {
        let operation = OperationId::new(Uuid::new_v4());
        let answer = self.with_password(operation, password, self.request_as(change, operation, id, request));
        self.answered(change, id, answer.await?)
    }

    /// Keeps a password in memory while its operation is pending.
    async fn with_password<A>(
        &self,
        operation: OperationId,
        password: Zeroizing<String>,
        run: impl Future<Output = Result<A, Failure>>,
    ) -> Result<A, Failure> {
        let is_pending = || self.recorder.state().state.store_operation(operation).is_some();
        // Also if the request ends before its operation is recorded.
        let _kept = self.operations.target().passwords.keep(operation, KmsuserPassword(password), is_pending);
        run.await
    }
}
