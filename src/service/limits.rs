//! The largest numbers of what users can create, so that nobody fills the memory and the log with it.

use crate::domain::connection::ConnectionEvent;
use crate::domain::event::{Actor, Event, GroupEvent, InstallationEvent, KmsEvent, UserEvent};
use crate::domain::job::event::{BulkEvent, JobEvent, SyncEvent};
use crate::domain::key_store::event::KeyStoreEvent;
use crate::domain::refusal::{InstallationRefusal, Refusal};
use crate::domain::schedule::ScheduleEvent;
use crate::domain::source_key::SourceKeyEvent;
use crate::domain::state::State;
use crate::domain::template::TemplateEvent;
use serde::{Deserialize, Serialize};

/// `[limits]`: the largest numbers of what users can create.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub users: usize,
    pub groups: usize,
    pub connections: usize,
    pub kms: usize,
    pub key_stores: usize,
    pub password_policies: usize,
    pub templates: usize,
    /// Of versions of source keys.
    pub source_keys: usize,
    pub schedules: usize,
    /// Of synchronisations and bulk jobs that have not ended.
    pub open_jobs: usize,
    /// Of sessions of a user. One more is not refused: it closes the least recently used one.
    pub sessions_per_user: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            users: 10_000,
            groups: 1_000,
            connections: 1_000,
            kms: 10_000,
            key_stores: 1_000,
            password_policies: 100,
            templates: 1_000,
            source_keys: 100_000,
            schedules: 1_000,
            open_jobs: 100,
            sessions_per_user: 1_000,
        }
    }
}

impl Limits {
    /// Refuses events by which a user creates one more than allowed of something. What the program and schedules do is
    /// not refused: users must not be able to stop it.
    ///
    /// # Errors
    /// [`InstallationRefusal::LimitReached`]
    pub(super) fn refuse_more(&self, state: &State, actor: &Actor, events: &[Event]) -> Result<(), Refusal> {
        if actor.user_id().is_none() {
            return Ok(());
        }
        for event in events {
            let (what, setting, count, most) = match event {
                Event::User(_, UserEvent::Created { .. }) => ("users", "users", state.users.len(), self.users),
                Event::Group(_, GroupEvent::Created { .. }) => ("groups", "groups", state.groups.len(), self.groups),
                Event::Connection(_, ConnectionEvent::Created { .. }) => {
                    ("connections", "connections", state.connections.len(), self.connections)
                }
                Event::Kms(_, KmsEvent::Added { .. }) => ("KMSs", "kms", state.kms.len(), self.kms),
                Event::KeyStore(_, KeyStoreEvent::Created { .. } | KeyStoreEvent::CloudHsmCreated { .. }) => {
                    ("key stores", "key_stores", state.key_stores.len(), self.key_stores)
                }
                Event::Installation(InstallationEvent::PasswordPolicySet { name, .. })
                    if state.password_policies.get(name).is_none() =>
                {
                    let count = state.password_policies.all().len();
                    ("password policies", "password_policies", count, self.password_policies)
                }
                Event::Template(_, TemplateEvent::Created { .. }) => {
                    ("policy templates", "templates", state.templates.len(), self.templates)
                }
                Event::SourceKey(_, SourceKeyEvent::Created { .. } | SourceKeyEvent::VersionCreated { .. }) => {
                    ("source keys", "source_keys", state.source_keys.len(), self.source_keys)
                }
                Event::Schedule(_, ScheduleEvent::Created { .. }) => {
                    ("schedules", "schedules", state.schedules.all.len(), self.schedules)
                }
                Event::Job(
                    _,
                    JobEvent::Bulk(BulkEvent::Started { .. })
                    | JobEvent::Synchronisation(SyncEvent::Started { .. } | SyncEvent::KeyStoresStarted { .. }),
                ) => ("jobs that have not ended", "open_jobs", state.jobs.open(), self.open_jobs),
                _ => continue,
            };
            if count >= most {
                return Err(InstallationRefusal::LimitReached { what, setting, most }.into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::example::{group, user, user_id, user_name};
    use crate::domain::id::{KeyStoreId, KmsId};
    use crate::domain::name::KeyStoreName;
    use crate::domain::place::Region;
    use crate::domain::scenario::given;
    use uuid::Uuid;

    #[test]
    fn one_more_than_allowed_is_refused_and_other_events_are_not() {
        let limits = Limits { users: 2, groups: 0, ..Limits::default() };
        let actor = Actor::User { id: user_id(1), name: user_name("ann") };
        let state = given([user(1)]);
        assert_eq!(limits.refuse_more(&state, &actor, &[user(2)]), Ok(()));
        let state = given([user(1), user(2)]);
        let refused = |what, setting, most| Err(InstallationRefusal::LimitReached { what, setting, most }.into());
        assert_eq!(limits.refuse_more(&state, &actor, &[user(3)]), refused("users", "users", 2));
        assert_eq!(limits.refuse_more(&state, &actor, &[group("ops")]), refused("groups", "groups", 0));
        assert_eq!(limits.refuse_more(&state, &actor, &[crate::domain::example::logged_in(1)]), Ok(()));
        assert_eq!(limits.refuse_more(&state, &Actor::System, &[user(3)]), Ok(()));
        // A store in a CloudHSM cluster counts as any other one.
        let region = Region::parse("eu-west-3").expect("a region");
        let store = KeyStoreEvent::CloudHsmCreated {
            kms: KmsId::new(Uuid::nil()),
            region,
            name: KeyStoreName::parse("cluster").expect("a name"),
            cluster: String::new(),
            trust_anchor: String::new(),
        };
        let store = Event::KeyStore(KeyStoreId::new(Uuid::nil()), store);
        let limits = Limits { key_stores: 0, ..limits };
        assert_eq!(limits.refuse_more(&state, &actor, &[store]), refused("key stores", "key_stores", 0));
        let text = InstallationRefusal::LimitReached { what: "users", setting: "users", most: 2 }.to_string();
        assert!(text.starts_with("the setting limits.users allows at most 2 users"), "{text}");
    }
}
