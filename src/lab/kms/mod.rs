//! Key Management Service: keys, aliases, policies, tags, rotation, import, replicas, and cryptographic operations.
//!
//! Answers, key states and refusals are those of AWS, with these limits:
//!
//! - A change is complete when it is answered, except that a replica is `Creating` for a moment. The state `Updating`
//!   does not occur.
//! - Custom key stores are connected within seconds. The lab reaches only the XKS proxy that it is given (`xks/`), and
//!   the CloudHSM clusters of the plan are simulated: keys in them have material of the lab.
//! - Key policies, grants and the allow and deny lists of the plan decide as in AWS (`authorization.rs`), with the
//!   condition keys of `condition_keys.rs`. Grants take effect immediately.
//! - A request for a Nitro enclave is refused, because the lab cannot check an attestation document.
//! - SM2 keys can be created and described but not used. AES-128 replaces SM4.
//!
//! The lab's clock (`clock.rs`) can be moved by a test. Due deletions, expiries and rotations are carried out at the
//! next call, with the date at which they were due.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use super::caller::Caller;
use super::plan::LabPlan;
use super::refusal::Refusal;
use super::secret::Secret;
use call::Call;
use clock::Clock;
use crypto::{Bytes, Slot};
use last_usage::LastUsages;
use request::Request;
use state::State;
use store::Store;
pub(super) use store::StoreError;
pub use xks::XksListener;
pub(super) use xks::{SERVICE as XKS_SERVICE, XksClient};

mod alias;
mod asymmetric;
mod authorization;
mod call;
mod clock;
mod condition_keys;
mod crypto;
mod custom_key_store;
mod data_keys;
mod deletion;
mod der;
mod ed25519_prehash;
mod envelope;
mod exception;
mod grant;
mod import;
mod key;
mod keys;
mod last_usage;
mod mac;
mod managed;
mod ml_dsa_mu;
mod ml_kem;
mod page;
mod policy;
mod principal;
mod recipient;
mod replica;
mod request;
mod rotation;
mod signing;
mod spec;
mod state;
mod store;
mod subjects;
mod tags;
mod usage;
mod wrapping;
mod wrapping_keys;
mod xks;

/// The service with its state.
#[derive(Debug)]
pub(super) struct Kms {
    state: Mutex<State>,
    store: Store,
    clock: Clock,
    last_usages: LastUsages,
    /// The lab's own secrets, such as the key of import tokens, by name. They are generated on first use.
    secrets: Mutex<HashMap<String, Slot>>,
    /// The client of the proxies of external key stores.
    xks: Arc<XksClient>,
    /// The runtime of what KMS does after an answer.
    background: Handle,
    /// This service, for what it does in the background. The database is closed when nothing else holds the service.
    this: Weak<Kms>,
}

/// The beginning of the names of the encryption algorithms of RSA keys.
const ASYMMETRIC: &[u8] = b"RSAES_";

/// The answer of an operation; `null` for an empty body.
type Answer = Result<Value, Refusal>;

impl Kms {
    /// Opens the database in a directory; without a directory, the state is only in memory. The function must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be used, or its content cannot be read.
    pub(super) fn open(directory: Option<&Path>, xks: XksClient) -> Result<Arc<Kms>, StoreError> {
        let store = Store::open(directory)?;
        let state = State::load(&store)?;
        let clock = Clock::ahead_by(store.clock()?);
        let last_usages = LastUsages::since(clock.now());
        let background = Handle::current();
        Ok(Arc::new_cyclic(|this| Kms {
            state: Mutex::new(state),
            store,
            clock,
            last_usages,
            secrets: Mutex::default(),
            xks: Arc::new(xks),
            background,
            this: this.clone(),
        }))
    }

    /// Answers an operation for an authenticated caller.
    ///
    /// # Errors
    /// The refusal that AWS would answer.
    pub(super) async fn answer(
        &self,
        plan: &LabPlan,
        caller: &Caller<'_>,
        region: &str,
        operation: &str,
        body: &[u8],
        request_id: &str,
    ) -> Answer {
        let perform = operation_named(operation).ok_or_else(|| Refusal::OperationUnknown {
            operation: operation.to_owned(),
            version: super::service::Service::Kms.version().to_owned(),
        })?;
        let body = Request::object(body)?;
        let call = Call { kms: self, plan, caller, region, operation, body: &body, now: self.clock.now(), request_id };
        managed::create_managed_keys(&call)?;
        let mut request = Request::new(&body);
        let answer = match perform {
            Operation::Plain(perform) => perform(&call, &mut request)?,
            Operation::WithProxy(perform) => perform(&call, request).await?,
        };
        self.last_usages.record(operation, &answer, call.now, request_id);
        Ok(answer)
    }

    /// Whether an operation may need a key pair. Symmetric keys, HMAC keys and metadata take microseconds.
    pub(super) fn is_heavy(operation: &str, body: &[u8]) -> bool {
        match operation {
            "Encrypt" | "Decrypt" | "ReEncrypt" => body.windows(ASYMMETRIC.len()).any(|part| part == ASYMMETRIC),
            "Sign"
            | "Verify"
            | "GetPublicKey"
            | "DeriveSharedSecret"
            | "Encapsulate"
            | "Decapsulate"
            | "GenerateDataKeyPair"
            | "GenerateDataKeyPairWithoutPlaintext"
            | "GetParametersForImport"
            | "ImportKeyMaterial" => true,
            _ => false,
        }
    }

    /// Waits until all changes so far are on the disk. The answer is sent after that.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if the disk fails.
    pub(super) async fn flush(&self) -> Result<(), Refusal> {
        self.store.flush().await
    }

    /// The tree of the events of CloudTrail in the database, if there is one.
    pub(super) fn event_tree(&self) -> Option<sled::Tree> {
        self.store.events()
    }

    /// The time of the lab's clock.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The offset of the clock to the machine's clock, in seconds.
    pub(super) fn ahead_seconds(&self) -> u32 {
        self.clock.ahead_seconds()
    }

    /// Sets the offset of the clock.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if the disk fails.
    pub(super) fn move_clock(&self, ahead_seconds: u32) -> Result<(), Refusal> {
        self.store.save_clock(ahead_seconds)?;
        self.clock.set(ahead_seconds);
        Ok(())
    }

    /// The client of the proxies of external key stores.
    pub(super) fn xks(&self) -> &XksClient {
        &self.xks
    }

    /// Sets the password of `kmsuser` on a cluster, as an administrator of the cluster can.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if the disk fails.
    pub(super) fn set_kmsuser_password(&self, cluster: &str, password: Secret) -> Result<(), Refusal> {
        self.state()?.set_kmsuser_password(cluster, password, &self.store)
    }

    /// Shows the unique id of a user or role in place of its ARN in all key policies, as AWS does once it is deleted.
    ///
    /// # Errors
    /// [`Refusal::Internal`] if the disk fails.
    pub(super) fn show_id_of(&self, arn: &str, unique_id: &str) -> Result<(), Refusal> {
        self.state()?.show_id_of(arn, unique_id, &self.store)
    }

    /// Returns one of the lab's own secrets. It is generated and stored on first use.
    fn lab_secret(&self, name: &str, generate: impl FnOnce() -> Result<Bytes, Refusal>) -> Result<Slot, Refusal> {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = secrets.get(name) {
            return Ok(slot.clone());
        }
        let secret = match self.store.lab_secret(name)? {
            Some(stored) => Zeroizing::new(stored),
            None => {
                let generated = generate()?;
                self.store.save_lab_secret(name, &generated)?;
                generated
            }
        };
        let slot = Slot::of(secret);
        secrets.insert(name.to_owned(), slot.clone());
        Ok(slot)
    }

    /// Locks the state and carries out what is due.
    fn state(&self) -> Result<MutexGuard<'_, State>, Refusal> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.catch_up(self.clock.now(), &self.store)?;
        Ok(state)
    }
}

type Perform = fn(&Call<'_>, &mut Request<'_>) -> Answer;
type PerformWithProxy = for<'c> fn(&'c Call<'c>, Request<'c>) -> BoxFuture<'c, Answer>;

enum Operation {
    Plain(Perform),
    /// An operation that may call the proxy of an external key store.
    WithProxy(PerformWithProxy),
}

fn operation_named(name: &str) -> Option<Operation> {
    let with_proxy: PerformWithProxy = match name {
        "CreateCustomKeyStore" => |call, request| Box::pin(custom_key_store::create_custom_key_store(call, request)),
        "UpdateCustomKeyStore" => |call, request| Box::pin(custom_key_store::update_custom_key_store(call, request)),
        "CreateKey" => |call, request| Box::pin(keys::create_key(call, request)),
        "Encrypt" => |call, request| Box::pin(usage::encrypt(call, request)),
        "Decrypt" => |call, request| Box::pin(usage::decrypt(call, request)),
        "ReEncrypt" => |call, request| Box::pin(usage::re_encrypt(call, request)),
        "GenerateDataKey" => |call, request| Box::pin(data_keys::generate_data_key(call, request)),
        "GenerateDataKeyWithoutPlaintext" => {
            |call, request| Box::pin(data_keys::generate_data_key_without_plaintext(call, request))
        }
        _ => return plain_operation_named(name).map(Operation::Plain),
    };
    Some(Operation::WithProxy(with_proxy))
}

fn plain_operation_named(name: &str) -> Option<Perform> {
    Some(match name {
        "DescribeKey" => keys::describe_key,
        "ListKeys" => keys::list_keys,
        "EnableKey" => keys::enable_key,
        "DisableKey" => keys::disable_key,
        "GetKeyLastUsage" => last_usage::get_key_last_usage,
        "DescribeCustomKeyStores" => custom_key_store::describe_custom_key_stores,
        "ConnectCustomKeyStore" => custom_key_store::connect_custom_key_store,
        "DisconnectCustomKeyStore" => custom_key_store::disconnect_custom_key_store,
        "DeleteCustomKeyStore" => custom_key_store::delete_custom_key_store,
        "UpdateKeyDescription" => keys::update_key_description,
        "CreateGrant" => grant::create_grant,
        "ListGrants" => grant::list_grants,
        "ListRetirableGrants" => grant::list_retirable_grants,
        "RetireGrant" => grant::retire_grant,
        "RevokeGrant" => grant::revoke_grant,
        "CreateAlias" => alias::create_alias,
        "UpdateAlias" => alias::update_alias,
        "DeleteAlias" => alias::delete_alias,
        "ListAliases" => alias::list_aliases,
        "GetKeyPolicy" => policy::get_key_policy,
        "PutKeyPolicy" => policy::put_key_policy,
        "ListKeyPolicies" => policy::list_key_policies,
        "TagResource" => tags::tag_resource,
        "UntagResource" => tags::untag_resource,
        "ListResourceTags" => tags::list_resource_tags,
        "EnableKeyRotation" => rotation::enable_key_rotation,
        "DisableKeyRotation" => rotation::disable_key_rotation,
        "GetKeyRotationStatus" => rotation::get_key_rotation_status,
        "RotateKeyOnDemand" => rotation::rotate_key_on_demand,
        "ListKeyRotations" => rotation::list_key_rotations,
        "GetParametersForImport" => wrapping::get_parameters_for_import,
        "ImportKeyMaterial" => import::import_key_material,
        "DeleteImportedKeyMaterial" => import::delete_imported_key_material,
        "ScheduleKeyDeletion" => deletion::schedule_key_deletion,
        "CancelKeyDeletion" => deletion::cancel_key_deletion,
        "ReplicateKey" => replica::replicate_key,
        "UpdatePrimaryRegion" => replica::update_primary_region,
        "GenerateRandom" => data_keys::generate_random,
        "GenerateDataKeyPair" => data_keys::generate_data_key_pair,
        "GenerateDataKeyPairWithoutPlaintext" => data_keys::generate_data_key_pair_without_plaintext,
        "GetPublicKey" => signing::get_public_key,
        "Sign" => signing::sign,
        "Verify" => signing::verify,
        "DeriveSharedSecret" => signing::derive_shared_secret,
        "Encapsulate" => ml_kem::encapsulate,
        "Decapsulate" => ml_kem::decapsulate,
        "GenerateMac" => mac::generate_mac,
        "VerifyMac" => mac::verify_mac,
        _ => return None,
    })
}
