//! Endpoints of custom key stores, and of the keys that this manager holds in them.

use crate::domain::action::Action::{
    CloudHsmKeyCreate, HyokKeyBlockUnblock, HyokKeyCreate, HyokKeyDelete, HyokKeyLink, KeyStoreAdd, KeyStoreBlock,
    KeyStoreConnect, KeyStoreDelete, KeyStoreDisconnect, KeyStoreLink, KeyStoreUnblock, KeyStoreUpdate, KeySynchronize,
    KeyUpdate, ViewHyokKey,
};
use crate::http::endpoint::{Endpoint, delete, get, patch, post};
use crate::http::key_stores;
use crate::http::keys::{cloud_hsm, hyok, virtual_keys};
use crate::http::sync_jobs;
use crate::service::access::RequiredRight::{
    OnEveryKms, OnKey, OnKeyStore, OnKms, OnSomeKms, SignedIn, ViewKey, ViewKeyStore, ViewSyncJob,
};

/// The statuses of a call that AWS can refuse or leave unanswered.
const AT_AWS: &[u16] = &[409, 422, 502, 504];

/// These come first: their paths look like those of a store.
pub(super) fn synchronisation() -> Vec<Endpoint> {
    let job = |path: &str| format!("/cckm/aws/custom-key-stores/synchronization-jobs{path}");
    vec![
        post(
            &job(""),
            sync_jobs::start_key_stores,
            "synchronizeCustomKeyStores",
            "Start a job that reads custom key stores from AWS, and links those that were made there by hand",
        )
        .needs(OnEveryKms(KeySynchronize))
        .refuses(&[409]),
        get(
            &job(""),
            sync_jobs::list_key_stores,
            "listCustomKeyStoreSynchronizationJobs",
            "List the synchronisation jobs of custom key stores that the caller may see",
        )
        .needs(SignedIn),
        get(
            &job("/{id}"),
            sync_jobs::get_key_stores,
            "getCustomKeyStoreSynchronizationJob",
            "Get a synchronisation job of custom key stores and its progress",
        )
        .needs(ViewSyncJob),
        post(
            &job("/{id}/cancel"),
            sync_jobs::cancel_key_stores,
            "cancelCustomKeyStoreSynchronizationJob",
            "Cancel a synchronisation job of custom key stores at once",
        )
        .needs(ViewSyncJob)
        .refuses(&[409]),
    ]
}

pub(super) fn key_stores() -> Vec<Endpoint> {
    let one = |path: &str| format!("/cckm/aws/custom-key-stores/{{id}}{path}");
    vec![
        post("/cckm/aws/custom-key-stores", key_stores::create, "createCustomKeyStore", "Create a custom key store")
            .needs(OnKms(KeyStoreAdd))
            .refuses(AT_AWS),
        post(
            "/cckm/aws/custom-key-stores/get-unused-cloudhsm-clusters",
            key_stores::unused_clusters,
            "getUnusedCloudHsmClusters",
            "List the active CloudHSM clusters of a region that back no custom key store",
        )
        .needs(OnKms(KeyStoreAdd))
        .refuses(&[409, 422, 502, 504]),
        get(
            "/cckm/aws/custom-key-stores",
            key_stores::list,
            "listCustomKeyStores",
            "List the custom key stores that the caller may see",
        )
        .needs(SignedIn),
        get(&one(""), key_stores::get, "getCustomKeyStore", "Get a custom key store by id or name").needs(ViewKeyStore),
        patch(&one(""), key_stores::update, "updateCustomKeyStore", "Change a custom key store")
            .needs(OnKeyStore(KeyStoreUpdate))
            .refuses(AT_AWS),
        delete(&one(""), key_stores::delete, "deleteCustomKeyStore", "Delete a custom key store that has no keys")
            .needs(OnKeyStore(KeyStoreDelete))
            .refuses(AT_AWS),
        post(&one("/link"), key_stores::link, "linkCustomKeyStore", "Make an unlinked store at AWS")
            .needs(OnKeyStore(KeyStoreLink))
            .refuses(AT_AWS),
        post(
            &one("/connect"),
            key_stores::connect,
            "connectCustomKeyStore",
            "Have AWS connect to the key manager of a store, in the background",
        )
        .needs(OnKeyStore(KeyStoreConnect))
        .refuses(AT_AWS),
        post(
            &one("/disconnect"),
            key_stores::disconnect,
            "disconnectCustomKeyStore",
            "Have AWS disconnect a store, in the background",
        )
        .needs(OnKeyStore(KeyStoreDisconnect))
        .refuses(AT_AWS),
        post(&one("/block"), key_stores::block, "blockCustomKeyStore", "Refuse every request of AWS for a store")
            .needs(OnKeyStore(KeyStoreBlock))
            .refuses(&[409, 422]),
        post(&one("/unblock"), key_stores::unblock, "unblockCustomKeyStore", "Serve requests of AWS for a store again")
            .needs(OnKeyStore(KeyStoreUnblock))
            .refuses(&[409, 422]),
        get(&one("/health"), key_stores::health, "getCustomKeyStoreHealth", "Check a store that this manager serves")
            .needs(ViewKeyStore)
            .refuses(&[422]),
        get(
            &one("/counters"),
            key_stores::counters,
            "getCustomKeyStoreCounters",
            "Get what the XKS proxy has counted for a store since the program started",
        )
        .needs(ViewKeyStore)
        .refuses(&[422]),
        get(
            &one("/refused-calls"),
            key_stores::refused_calls::list,
            "listRefusedCalls",
            "List the last calls of AWS that the XKS proxy refused for a store",
        )
        .needs(ViewKeyStore)
        .refuses(&[422]),
        post(
            &one("/rotate-credential"),
            key_stores::rotate_credential,
            "rotateCustomKeyStoreCredential",
            "Add a credential to a store; the earlier ones stay valid",
        )
        .needs(OnKeyStore(KeyStoreUpdate))
        .refuses(AT_AWS),
        get(
            &one("/credentials"),
            key_stores::list_credentials,
            "listCustomKeyStoreCredentials",
            "List the valid credentials of a store, without their secrets",
        )
        .needs(ViewKeyStore)
        .refuses(&[422]),
        get(
            &one("/credentials/{cid}"),
            key_stores::get_credential,
            "getCustomKeyStoreCredential",
            "Get a credential of a store, without its secret",
        )
        .needs(ViewKeyStore)
        .refuses(&[422]),
        delete(
            &one("/credentials/{cid}"),
            key_stores::delete_credential,
            "deleteCustomKeyStoreCredential",
            "Delete a credential of a store; AWS's requests with it are refused from now on",
        )
        .needs(OnKeyStore(KeyStoreUpdate))
        .refuses(&[409, 422]),
        post(
            &one("/enable-credential-rotation-job"),
            key_stores::enable_rotation_job,
            "enableCredentialRotationJob",
            "Rotate the credentials of a linked store by a schedule",
        )
        .needs(OnKeyStore(KeyStoreUpdate))
        .refuses(&[409, 422]),
        post(
            &one("/disable-credential-rotation-job"),
            key_stores::disable_rotation_job,
            "disableCredentialRotationJob",
            "Take a store off the schedule that rotates its credentials",
        )
        .needs(OnKeyStore(KeyStoreUpdate))
        .refuses(&[409, 422]),
        post(
            "/cckm/aws/xks-proxy-endpoints/{id}/kms/xks/v1/health",
            key_stores::diagnose_health,
            "diagnoseXksHealth",
            "Get what the XKS proxy would answer AWS's call of health now",
        )
        .needs(ViewKeyStore)
        .read_only()
        .refuses(&[422]),
        post(
            "/cckm/aws/xks-proxy-endpoints/{id}/kms/xks/v1/keys/{xks_key_id}/metadata",
            key_stores::diagnose_metadata,
            "diagnoseXksMetadata",
            "Get what the XKS proxy would answer AWS's call of metadata now",
        )
        .needs(ViewKeyStore)
        .read_only()
        .refuses(&[422]),
    ]
}

pub(super) fn hyok_keys() -> Vec<Endpoint> {
    let one = |path: &str| format!("/cckm/aws/keys/{{id}}{path}");
    vec![
        post(
            "/cckm/aws/create-hyok-key",
            hyok::create,
            "createHyokKey",
            "Create a key whose material this manager keeps, in a custom key store that it serves",
        )
        .needs(OnKms(HyokKeyCreate))
        .refuses(AT_AWS),
        post(
            "/cckm/aws/custom-key-stores/{id}/create-aws-key",
            cloud_hsm::create,
            "createCloudHsmKey",
            "Create a key in a CloudHSM key store",
        )
        .needs(OnKeyStore(CloudHsmKeyCreate))
        .refuses(AT_AWS),
        post(&one("/link"), hyok::link, "linkKey", "Create a HYOK key at AWS, which asks this manager for it")
            .needs(OnKey(HyokKeyLink))
            .refuses(&[409, 502, 504]),
        post(&one("/block"), hyok::block, "blockKey", "Refuse every request of AWS for a HYOK key")
            .needs(OnKey(HyokKeyBlockUnblock)),
        post(&one("/unblock"), hyok::unblock, "unblockKey", "Serve requests of AWS for a HYOK key again")
            .needs(OnKey(HyokKeyBlockUnblock)),
        post(
            &one("/caller-rules"),
            hyok::caller_rules,
            "setKeyCallerRules",
            "Limit the callers that a HYOK key serves",
        )
        .needs(OnKey(KeyUpdate)),
        get(
            &one("/counters"),
            hyok::counters,
            "getKeyCounters",
            "Get what the XKS proxy has counted for the versions of a HYOK key",
        )
        .needs(ViewKey),
        get(&one("/versions"), hyok::versions, "listKeyVersions", "List the versions of a HYOK key, newest first")
            .needs(ViewKey),
    ]
}

pub(super) fn virtual_keys() -> Vec<Endpoint> {
    let (all, one) = ("/cckm/virtual/keys", "/cckm/virtual/keys/{id}");
    vec![
        post(all, virtual_keys::create, "createVirtualKey", "Make a virtual key, whose id a HYOK key is going to have")
            .needs(OnSomeKms(HyokKeyCreate))
            .refuses(&[404, 409, 422]),
        get(all, virtual_keys::list, "listVirtualKeys", "List the virtual keys that the caller may see")
            .needs(SignedIn),
        get(one, virtual_keys::get, "getVirtualKey", "Get a virtual key").needs(OnSomeKms(ViewHyokKey)).refuses(&[404]),
        patch(one, virtual_keys::update, "updateVirtualKey", "Allow or forbid the deletion of a virtual key")
            .needs(OnSomeKms(KeyUpdate))
            .refuses(&[404, 409]),
        delete(one, virtual_keys::delete, "deleteVirtualKey", "Delete a virtual key without a HYOK key")
            .needs(OnSomeKms(HyokKeyDelete))
            .refuses(&[404, 409]),
        get(
            "/cckm/virtual/keys/{id}/versions",
            virtual_keys::versions,
            "listVirtualKeyVersions",
            "List the versions of a virtual key, newest first",
        )
        .needs(OnSomeKms(ViewHyokKey))
        .refuses(&[404]),
    ]
}
