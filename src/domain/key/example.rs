//! Test fixtures for the domain and the services: events that create a KMS with keys.

use super::aggregate::Snapshot;
use super::aws_enums::{KeyManager, KeyState, Origin};
use super::event::KeyEvent;
use super::metadata::KeyMetadata;
use super::name::{AwsKeyId, KeyArn};
use super::operation::NewKey;
use super::spec::{KeySpec, KeyUsage};
use crate::domain::event::{Event, KmsEvent};
use crate::domain::id::{ConnectionId, KeyId, KmsId};
use crate::domain::name::KmsName;
use crate::domain::place::{AccountId, Arn, Partition, Region};
use crate::domain::state::State;
use crate::domain::time::Time;
use uuid::Uuid;

pub(crate) const ACCOUNT: &str = "123456789012";

pub(crate) fn at(second: i64) -> Time {
    Time::from_nanos(second * 1_000_000_000)
}

pub(crate) fn region(name: &str) -> Region {
    Region::parse(name).expect("a region")
}

pub(crate) fn kms_id(n: u128) -> KmsId {
    KmsId::new(Uuid::from_u128(0x1000 + n))
}

pub(crate) fn key_id(n: u128) -> KeyId {
    KeyId::new(Uuid::from_u128(0x2000 + n))
}

pub(crate) fn connection_id() -> ConnectionId {
    ConnectionId::new(Uuid::from_u128(0x3000))
}

/// A KMS with these regions is added.
pub(crate) fn added(n: u128, regions: &[&str]) -> Event {
    let event = KmsEvent::Added {
        name: KmsName::parse(&format!("kms-{n}")).expect("a name"),
        account: AccountId::parse(ACCOUNT).expect("an account"),
        arn: Arn::parse(&format!("arn:aws:iam::{ACCOUNT}:root")).expect("an ARN"),
        connection: connection_id(),
        role: None,
        regions: regions.iter().map(|name| region(name)).collect(),
        cloud: Partition::Aws,
    };
    Event::Kms(kms_id(n), event)
}

/// Returns the state after these events, the first at second 1, the next at second 2, and so on.
pub(crate) fn after(events: &[Event]) -> State {
    let mut state = State::default();
    for (second, event) in (1..).zip(events) {
        state.apply(at(second), event);
    }
    state
}

/// A key in Paris with this description, without aliases and tags.
pub(crate) fn snapshot(n: u128, description: &str) -> Snapshot {
    let id = AwsKeyId::parse(&Uuid::from_u128(n).to_string()).expect("an id");
    let metadata = KeyMetadata {
        arn: KeyArn::of(AccountId::parse(ACCOUNT).expect("an account"), region("eu-west-3"), id),
        created_at: None,
        description: description.to_owned(),
        enabled: true,
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        state: KeyState::Enabled,
        origin: Origin::AwsKms,
        manager: KeyManager::Customer,
        multi_region: None,
        deletion_date: None,
        pending_window: None,
        valid_to: None,
        expiration_model: None,
        algorithms: Default::default(),
        current_material: None,
        custom_key_store_id: None,
        cloud_hsm_cluster_id: None,
        xks_key_id: None,
    };
    Snapshot {
        metadata,
        aliases: Some(vec![]),
        tags: Some(vec![]),
        policy: None,
        rotation: None,
        last_use: None,
        imported: None,
    }
}

/// The settings of a symmetric key, without aliases, policy and tags.
pub(crate) fn new_key() -> NewKey {
    NewKey {
        aliases: vec![],
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        description: String::new(),
        multi_region: false,
        policy: None,
        bypass_lockout_check: false,
        tags: vec![],
    }
}

/// A key of the first KMS, in Paris, is found.
pub(crate) fn found(n: u128, description: &str) -> Event {
    let learned = snapshot(n, description).all();
    Event::Key(key_id(n), KeyEvent::Found { kms: kms_id(0), region: region("eu-west-3"), learned })
}
