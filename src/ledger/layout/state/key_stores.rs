//! The layouts of custom key stores in a snapshot.

use super::super::v2::key_store::{StoreAtAws, StoreOperation, StoreSettings};
use super::super::v2::primitives::{Bytes, Moment, Text};
use crate::domain::key_store;
use uuid::Uuid;

layout! {
    struct KeyStore<'a> of key_store::KeyStore {
        id: Uuid,
        kms: Uuid,
        region: Text<'a>,
        name: Text<'a>,
        local: Option<Box<LocalStore<'a>>>,
        cloud_hsm: Option<Box<CloudHsmStore<'a>>>,
        at_aws: Option<Box<StoreAtAws<'a>>>,
        gone: bool,
        operation: Option<Box<PendingStoreOperation<'a>>>,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    struct CloudHsmStore<'a> of key_store::cloud_hsm::CloudHsmStore {
        cluster: Text<'a>,
        trust_anchor: Text<'a>,
        told: Option<Bytes<'a>>,
    }
}

layout! {
    struct PendingStoreOperation<'a> of key_store::operation::PendingStoreOperation {
        id: Uuid,
        wanted: StoreOperation<'a>,
        since: Moment,
    }
}

layout! {
    struct LocalStore<'a> of key_store::LocalStore {
        settings: StoreSettings<'a>,
        blocked: bool,
        credentials: Vec<Credential<'a>>,
        credentials_made: u32,
        rotation_schedule: Option<Uuid>,
    }
}

layout! {
    struct Credential<'a> of key_store::Credential {
        id: Uuid,
        access_key_id: Text<'a>,
        secret: Bytes<'a>,
        version: u32,
        created: Moment,
    }
}
