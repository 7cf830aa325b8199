//! Who may view the past of a resource: whoever may view it now; of a deleted one, those who administer its kind.

use super::{
    ManageConnections, Right, administers_kms, manages_users, sees_key_of, sees_key_store, sees_kms_of, sees_template,
};
use crate::domain::event::Stream;
use crate::domain::state::State;
use crate::domain::user::User;
use crate::service::caller::is_one_of;

/// Returns whether this user may view the past of the resource with these events. The rights to view all users, all
/// connections or all source keys are those of the permits for them.
pub fn sees_past(user: &User, state: &State, stream: &Stream) -> bool {
    match stream {
        Stream::Kms(id) => sees_kms_of(user, state, *id),
        Stream::Key(id) => sees_key_of(user, state, *id),
        Stream::Template(id) => match state.templates.get(id) {
            Some(template) => sees_template(user, state, template),
            None => administers_kms(user),
        },
        Stream::KeyStore(id) => match state.key_stores.get(id) {
            Some(store) => sees_key_store(user, state, store),
            None => administers_kms(user),
        },
        Stream::Connection(id) => {
            state.connections.get(id).is_some() || is_one_of(user, ManageConnections::REQUIRED.groups())
        }
        Stream::User(_) => manages_users(user),
        Stream::Group(name) => state.groups.get(name).is_some() || manages_users(user),
        Stream::Schedule(id) => state.schedules.all.get(id).is_some() || administers_kms(user),
        Stream::SourceKey(id) => state.source_keys.get(id).is_some() || administers_kms(user),
        // These have no history.
        Stream::Installation
        | Stream::Session(_)
        | Stream::Job(_)
        | Stream::Posture
        | Stream::Report(_)
        | Stream::Webhook(_)
        | Stream::Alarm(_)
        | Stream::Drift(_)
        | Stream::Backup(_)
        | Stream::Forwarder(_) => false,
    }
}
