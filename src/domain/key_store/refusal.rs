//! Refusals of a custom key store: the message, the kind and the reason of each.

use super::super::id::CredentialId;
use super::super::name::{KeyStoreName, SourceKeyName};
use super::super::refusal::reason::reasons;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum KeyStoreRefusal {
    /// Clients look for `Resource not found`.
    #[error("Resource not found: there is no custom key store `{0}`")]
    Unknown(String),
    #[error("{stores} key stores are named `{name}`: use the id of the one that is meant")]
    Ambiguous { name: KeyStoreName, stores: usize },
    #[error("name: there is a custom key store named `{0}` already; choose another name")]
    NameTaken(KeyStoreName),
    #[error(
        "local_hosted_params.health_check_key_id: source key `{key}` cannot be the health check key: it must be an \
         AES-256 key that encrypts and decrypts, unexportable, undeletable and active, and {problem}"
    )]
    HealthKeyUnfit { key: SourceKeyName, problem: &'static str },
    #[error("key store `{0}` is not served by this manager; the call is for stores of type LOCAL")]
    NotLocal(KeyStoreName),
    #[error("key store `{0}` has no CloudHSM cluster; keys of external key stores are made by create-hyok-key")]
    NotCloudHsm(KeyStoreName),
    #[error("key store `{0}` is not served by this manager, which has no credentials of it")]
    NoCredentials(KeyStoreName),
    #[error("key store `{store}` has {keys} keys, unlinked ones included: delete them first")]
    HasKeys { store: KeyStoreName, keys: usize },
    #[error("{0}")]
    Fixed(&'static str),
    #[error("this manager is connected to no HSM: only source keys of the tier `local` can be used")]
    NoHsm,
    #[error("key store `{0}` is not linked to AWS yet: link it first")]
    Unlinked(KeyStoreName),
    #[error(
        "key store `{store}` has {credentials} credentials, as many as it can have: delete the oldest one first, \
         {oldest}"
    )]
    CredentialsFull { store: KeyStoreName, credentials: u16, oldest: CredentialId },
    #[error("there is no credential `{0}` of this key store")]
    CredentialUnknown(String),
    #[error("credential {0} is the one that AWS has, or is to have: rotate the credential first")]
    CredentialInUse(CredentialId),
    #[error("key store `{0}` is linked to AWS already")]
    Linked(KeyStoreName),
    #[error("AWS no longer has key store `{0}`")]
    Gone(KeyStoreName),
    #[error("another operation on key store `{store}` is under way at AWS: {operation}")]
    Busy { store: KeyStoreName, operation: &'static str },
    #[error("key store `{store}` is {state} at AWS, and must be {wanted}: connect or disconnect it first")]
    WrongState { store: KeyStoreName, state: String, wanted: &'static str },
}

reasons! { KeyStoreRefusal =>
    Unknown: Unknown, "key_store_unknown", "There is no such custom key store, or none that the caller may see.";
    Ambiguous: Conflict, "key_store_ambiguous", "Several custom key stores have the name: the id says which one is meant.";
    NameTaken: Taken of "name", "key_store_name_taken", "A custom key store has the name already.";
    HealthKeyUnfit: Unprocessable of "local_hosted_params.health_check_key_id", "health_check_key_unfit", "The source key cannot be the health check key of a store.";
    NotLocal: Unprocessable, "key_store_not_local", "The store is not served by this manager.";
    NotCloudHsm: Unprocessable, "key_store_not_cloudhsm", "The store has no CloudHSM cluster.";
    NoCredentials: Conflict, "key_store_without_credentials", "This manager has no credentials of the store.";
    HasKeys: InUse, "key_store_has_keys", "The store still has keys.";
    Fixed: Unprocessable, "key_store_member_fixed", "The member of a key store cannot be changed, or not by this call.";
    NoHsm: Unprocessable, "no_hsm", "No HSM is connected.";
    Unlinked: Conflict, "key_store_unlinked", "The store is not linked to AWS.";
    CredentialsFull: InUse, "credentials_full", "The store has as many credentials as it can have.";
    CredentialUnknown: Unknown, "credential_unknown", "The store has no such credential.";
    CredentialInUse: InUse, "credential_in_use", "The credential is the one that AWS has.";
    Linked: Conflict, "key_store_linked", "The store is linked to AWS already.";
    Gone: Conflict, "key_store_gone", "AWS no longer has the store.";
    Busy: Busy, "key_store_busy", "Another operation on the store is under way at AWS.";
    WrongState: Conflict, "key_store_wrong_state", "The state of the store's connection at AWS does not allow the operation.";
}
