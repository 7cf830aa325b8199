//! Key Management Service: keys, aliases, policies, tags, rotation, import, replicas, and cryptographic operations.
//!
//! Answers, key states and refusals are those of AWS, with these limits:
//!
//! - A change is complete when it is answered, except that a replica is `Creating` for a moment. The state `Updating`
//!   does not occur.
//! - There are no custom key stores, so that the state `Unavailable` does not occur.
//! - Key policies, grants and the allow and deny lists of the plan decide as in AWS (`authorization.rs`), with the
//!   condition keys of `condition_keys.rs`. Grants take effect immediately.
//! - A request for a Nitro enclave is refused, because the lab cannot check an attestation document.
//! - SM2 keys can be created and described but not used. AES-128 replaces SM4.
//!
//! The lab's clock (`clock.rs`) can be moved by a test. Due deletions, expiries and rotations are carried out at the
//! next call, with the date at which they were due.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use zeroize::Zeroizing;

use super::caller::Caller;
use super::plan::LabPlan;
use super::refusal::Refusal;
use call::Call;
use clock::Clock;
use crypto::{Bytes, Slot};
use last_usage::LastUsages;
use request::Request;
use state::State;
use store::Store;
pub(super) use store::StoreError;

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
mod tags;
mod usage;
mod wrapping;

/// The service with its state.
#[derive(Debug)]
pub(super) struct Kms {
    state: Mutex<State>,
    store: Store,
    clock: Clock,
    last_usages: LastUsages,
    /// The lab's own secrets, such as wrapping keys, by name. They are generated on first use.
    secrets: Mutex<HashMap<String, Slot>>,
}

/// The beginning of the names of the encryption algorithms of RSA keys.
const ASYMMETRIC: &[u8] = b"RSAES_";

/// The answer of an operation; `null` for an empty body.
type Answer = Result<Value, Refusal>;

impl Kms {
    /// Opens the database in a directory; without a directory, the state is only in memory.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be used, or its content cannot be read.
    pub(super) fn open(directory: Option<&Path>) -> Result<Kms, StoreError> {
        let store = Store::open(directory)?;
        let state = State::load(&store)?;
        let clock = Clock::ahead_by(store.clock()?);
        let last_usages = LastUsages::since(clock.now());
        Ok(Kms { state: Mutex::new(state), store, clock, last_usages, secrets: Mutex::default() })
    }

    /// Answers an operation for an authenticated caller.
    ///
    /// # Errors
    /// The refusal that AWS would answer.
    pub(super) fn answer(
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
        let call = Call { kms: self, plan, caller, region, operation, body: &body, now: self.clock.now() };
        managed::create_managed_keys(&call)?;
        let answer = perform(&call, &mut Request::new(&body))?;
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

type Operation = fn(&Call<'_>, &mut Request<'_>) -> Answer;

fn operation_named(name: &str) -> Option<Operation> {
    Some(match name {
        "CreateKey" => keys::create_key,
        "DescribeKey" => keys::describe_key,
        "ListKeys" => keys::list_keys,
        "EnableKey" => keys::enable_key,
        "DisableKey" => keys::disable_key,
        "GetKeyLastUsage" => last_usage::get_key_last_usage,
        "DescribeCustomKeyStores" => custom_key_store::describe_custom_key_stores,
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
        "Encrypt" => usage::encrypt,
        "Decrypt" => usage::decrypt,
        "ReEncrypt" => usage::re_encrypt,
        "GenerateRandom" => data_keys::generate_random,
        "GenerateDataKey" => data_keys::generate_data_key,
        "GenerateDataKeyWithoutPlaintext" => data_keys::generate_data_key_without_plaintext,
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
