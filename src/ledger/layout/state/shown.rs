//! One entry of the state as JSON for people. Secrets are `[sealed]`.

use super::entries::{Connection, Group, Kms, Schedule, SourceKey, Template, User};
use super::key_stores::KeyStore;
use crate::domain::event::Stream;
use crate::domain::state::State;
use crate::ledger::layout::LayoutOf;
use serde_json::Value;

/// The resource of a stream with all its members; `None` if it does not exist, or is of a kind without a history. Keys
/// are compared by aspects, and are not here.
pub fn members_of(state: &State, stream: &Stream) -> Option<Value> {
    let members = match stream {
        Stream::Kms(id) => serde_json::to_value(Kms::of(state.kms.get(id)?)),
        Stream::Connection(id) => serde_json::to_value(Connection::of(state.connections.get(id)?)),
        Stream::User(id) => serde_json::to_value(User::of(state.users.get(id)?)),
        Stream::Group(name) => serde_json::to_value(Group::of(state.groups.get(name)?)),
        Stream::Template(id) => serde_json::to_value(Template::of(state.templates.get(id)?)),
        Stream::Schedule(id) => serde_json::to_value(Schedule::of(state.schedules.all.get(id)?)),
        Stream::SourceKey(id) => serde_json::to_value(SourceKey::of(state.source_keys.get(id)?)),
        Stream::KeyStore(id) => serde_json::to_value(KeyStore::of(state.key_stores.get(id)?)),
        _ => return None,
    };
    members.ok()
}
