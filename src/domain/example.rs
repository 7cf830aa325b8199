//! Test fixtures: events that create a connection, users and a group. Those of KMSs and keys are in `key::example`.

use super::connection::{ConnectionSettings, StsEndpoints};
use super::event::{ConnectionEvent, Event, GroupEvent, RefreshGrant, Sealed, SessionEvent, TokenHash, UserEvent};
use super::id::{RefreshTokenId, SessionId, UserId};
use super::key::example::connection_id;
use super::name::{ConnectionName, GroupName, UserName};
use super::place::Partition;
use uuid::Uuid;

pub(crate) fn user_id(n: u128) -> UserId {
    UserId::new(Uuid::from_u128(0x4000 + n))
}

pub(crate) fn user_name(text: &str) -> UserName {
    UserName::parse(text).expect("a name")
}

/// A stand-in for the sealed hash of password `n`.
pub(crate) fn password(n: u8) -> Sealed {
    Sealed(vec![n])
}

/// User `n` is created, with password `n`.
pub(crate) fn user(n: u8) -> Event {
    let name = user_name(&format!("user{n}"));
    let made = UserEvent::Created { name, profile: Default::default(), password: password(n), must_change: false };
    Event::User(user_id(n.into()), made)
}

pub(crate) fn group_name(text: &str) -> GroupName {
    GroupName::parse(text).expect("a name")
}

pub(crate) fn group(name: &str) -> Event {
    let made = GroupEvent::Created { description: String::new(), metadata: Default::default() };
    Event::Group(group_name(name), made)
}

/// A user joins a group.
pub(crate) fn joined(name: &str, user: u128) -> Event {
    Event::Group(group_name(name), GroupEvent::MemberAdded { user: user_id(user) })
}

pub(crate) fn session_id(n: u128) -> SessionId {
    SessionId::new(Uuid::from_u128(0x5000 + n))
}

/// A refresh token whose hash consists of the byte `n`.
pub(crate) fn refresh(n: u8, lifetime_seconds: Option<u64>, unused_seconds: Option<u64>) -> RefreshGrant {
    let id = RefreshTokenId::new(Uuid::from_u128(0x6000 + u128::from(n)));
    RefreshGrant { id, hash: TokenHash([n; 32]), lifetime_seconds, unused_seconds }
}

/// The event that a sign-in adds to the stream of user `n`.
pub(crate) fn logged_in(n: u8) -> Event {
    Event::User(user_id(n.into()), UserEvent::LoggedIn { source: "192.0.2.1".to_owned() })
}

/// User `n` signs in, which opens session `n`.
pub(crate) fn signed_in(n: u8, refresh: RefreshGrant) -> Event {
    let source = "192.0.2.1".to_owned();
    let opened = SessionEvent::Opened { user: user_id(n.into()), source, refresh, labels: vec![] };
    Event::Session(session_id(n.into()), opened)
}

pub(crate) fn connection_name(text: &str) -> ConnectionName {
    ConnectionName::parse(text).expect("a name")
}

/// The settings of a connection to this partition.
pub(crate) fn settings(cloud: Partition) -> ConnectionSettings {
    ConnectionSettings {
        description: String::new(),
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        cloud,
        role: None,
        region: None,
        sts_endpoints: StsEndpoints::Legacy,
        products: vec!["cckm".to_owned()],
        labels: None,
        meta: None,
    }
}

/// The connection of the example KMSs is created.
pub(crate) fn connected() -> Event {
    let (name, settings) = (connection_name("lab"), settings(Partition::Aws));
    Event::Connection(connection_id(), ConnectionEvent::Created { name, settings, secret: Sealed(vec![1]) })
}
