//! The version of a resource: the time of its last change. No two changes have the same time.

use super::event::Stream;
use super::refusal::{InstallationRefusal, Refusal};
use super::state::State;
use super::time::Time;

/// The versions of a resource of which a change requires one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expected {
    pub resource: Stream,
    pub versions: Vec<Time>,
}

impl Expected {
    /// Checks the present version. A resource that does not exist is left to the change, which refuses it.
    ///
    /// # Errors
    /// [`InstallationRefusal::VersionStale`] if the resource has another version.
    pub fn check(&self, state: &State) -> Result<(), Refusal> {
        match state.version(&self.resource) {
            Some(present) if !self.versions.contains(&present) => {
                Err(InstallationRefusal::VersionStale { present }.into())
            }
            _ => Ok(()),
        }
    }
}

impl State {
    /// The version of a resource that can be changed; `None` if there is no such resource.
    pub fn version(&self, of: &Stream) -> Option<Time> {
        match of {
            Stream::Kms(id) => self.kms.get(id).map(|kms| kms.updated),
            Stream::Key(id) => self.keys.get(id).map(|key| key.updated),
            Stream::KeyStore(id) => self.key_stores.get(id).map(|store| store.updated),
            Stream::SourceKey(id) => self.source_keys.get(id).map(|key| key.updated),
            Stream::Template(id) => self.templates.get(id).map(|template| template.updated),
            Stream::Schedule(id) => self.schedules.all.get(id).map(|schedule| schedule.updated),
            Stream::Connection(id) => self.connections.get(id).map(|connection| connection.updated),
            Stream::User(id) => self.users.get(id).map(|user| user.updated),
            Stream::Group(name) => self.groups.get(name).map(|group| group.updated),
            Stream::Webhook(id) => self.alarms.webhooks.get(id).map(|webhook| webhook.updated),
            Stream::Forwarder(id) => self.forwarders.get(id).map(|forwarder| forwarder.updated),
            // These change by themselves, or not at all.
            Stream::Installation
            | Stream::Session(_)
            | Stream::Job(_)
            | Stream::Posture
            | Stream::Report(_)
            | Stream::Alarm(_)
            | Stream::Drift(_)
            | Stream::Backup(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Event, KmsEvent};
    use crate::domain::key::example::{added, after, at, found, key_id, kms_id};

    #[test]
    fn a_version_is_that_of_the_last_change_of_the_resource() {
        let state = after(&[added(0, &["eu-west-3"]), found(1, "a"), Event::Kms(kms_id(0), KmsEvent::Archived)]);
        assert_eq!(state.version(&Stream::Kms(kms_id(0))), Some(at(3)));
        assert_eq!(state.version(&Stream::Key(key_id(1))), Some(at(2)));
        assert_eq!(state.version(&Stream::Key(key_id(2))), None);
        let expected = |versions: &[Time]| Expected { resource: Stream::Kms(kms_id(0)), versions: versions.to_vec() };
        assert_eq!(expected(&[at(1), at(3)]).check(&state), Ok(()));
        let refusal = expected(&[at(1)]).check(&state).expect_err("it is another one");
        assert_eq!(refusal.reason().name, "version_stale");
        let gone = Expected { resource: Stream::Kms(kms_id(9)), versions: vec![] };
        assert_eq!(gone.check(&state), Ok(()));
    }
}
