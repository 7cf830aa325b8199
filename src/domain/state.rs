//! All state, and how each event changes it. A copy is cheap: readers keep one while the writer continues.

use super::cascade;
use super::collection::Collection;
use super::connection::Connection;
use super::event::{Event, InstallationEvent, Sealed};
use super::group::Group;
use super::id::{ConnectionId, InstallationId, JobId, KeyId, KmsId, ScheduleId, SourceKeyId, TemplateId, UserId};
use super::job::bulk::BulkJob;
use super::job::command::Jobs;
use super::job::sync::SyncJob;
use super::key::aggregate::Key;
use super::key::collection::KeyCollection;
use super::key::index::Term;
use super::key::name::AwsKeyId;
pub use super::key::operation::{PendingOperation, PendingOperations};
use super::kms::{Kms, KmsCollection};
use super::name::{ConnectionName, GroupName, KmsName, SourceKeyName, UserName};
use super::password::PasswordPolicy;
use super::place::{AccountId, Region};
use super::refusal::{
    ConnectionRefusal, GroupRefusal, JobRefusal, KeyRefusal, KmsRefusal, Refusal, ScheduleRefusal, SourceKeyRefusal,
    TemplateRefusal, UserRefusal,
};
use super::schedule::{Schedule, Schedules, Work};
use super::session::Sessions;
use super::source_key::SourceKey;
use super::table::Table;
use super::template::Template;
use super::time::Time;
use super::user::User;
use std::sync::Arc;

/// All that is known, after some number of events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The installation; none before the first event.
    pub installation: Option<Installation>,
    /// The rules for passwords and lockout.
    pub password_policy: PasswordPolicy,
    pub users: Collection<User>,
    pub groups: Table<GroupName, Group>,
    pub sessions: Sessions,
    pub connections: Collection<Connection>,
    pub kms: KmsCollection,
    pub keys: KeyCollection,
    pub source_keys: Collection<SourceKey>,
    /// What is being asked of AWS at the moment, or was when the program ended.
    pub operations: PendingOperations,
    pub jobs: Jobs,
    pub templates: Collection<Template>,
    /// The schedules and their runs.
    pub schedules: Schedules,
}

/// What the first event made.
#[derive(Clone, Debug, PartialEq)]
pub struct Installation {
    /// The audience of the tokens made here.
    pub id: InstallationId,
    /// The key that signs them, sealed.
    pub token_key: Sealed,
    pub created: Time,
}

impl State {
    /// Takes in what has happened. It cannot fail: an event is a fact.
    pub fn apply(&mut self, at: Time, event: &Event) {
        match event {
            Event::Installation(event) => self.apply_installation(at, event),
            Event::User(id, event) => self.users.apply(at, *id, event),
            Event::Group(name, event) => {
                cascade::index_memberships(self, name, event);
                self.groups.apply(at, name, event);
            }
            Event::Session(id, event) => {
                // A session also ends by time alone, and no event says so.
                self.sessions.drop_ended(at);
                self.sessions.apply(at, *id, event);
            }
            Event::Connection(id, event) => self.connections.apply(at, *id, event),
            Event::Kms(id, event) => {
                cascade::hide_keys(self, *id, event);
                self.kms.apply(at, *id, event);
            }
            Event::Key(id, event) => self.keys.apply(&mut self.operations, at, *id, event),
            Event::SourceKey(id, event) => self.source_keys.apply(at, *id, event),
            Event::Job(id, event) => self.jobs.apply(at, *id, event),
            Event::Template(id, event) => self.templates.apply(at, *id, event),
            Event::Schedule(id, event) => self.schedules.apply(at, *id, event),
        }
    }

    /// The KMS of this id.
    ///
    /// # Errors
    /// When there is none.
    pub fn kms(&self, id: KmsId) -> Result<&Arc<Kms>, Refusal> {
        self.kms.get(&id).ok_or_else(|| KmsRefusal::Unknown(id.to_string()).into())
    }

    /// The key of this id.
    ///
    /// # Errors
    /// When there is none.
    pub fn key(&self, id: KeyId) -> Result<&Arc<Key>, Refusal> {
        self.keys.get(&id).ok_or_else(|| KeyRefusal::Unknown(id.to_string()).into())
    }

    /// The synchronisation job of this id.
    ///
    /// # Errors
    /// When there is none.
    pub fn sync_job(&self, id: JobId) -> Result<&Arc<SyncJob>, Refusal> {
        self.jobs.sync.get(id).ok_or_else(|| JobRefusal::Unknown(id.to_string()).into())
    }

    /// The bulk job of this id.
    ///
    /// # Errors
    /// When there is none.
    pub fn bulk_job(&self, id: JobId) -> Result<&Arc<BulkJob>, Refusal> {
        self.jobs.bulk.get(id).ok_or_else(|| JobRefusal::Unknown(id.to_string()).into())
    }

    /// The key that AWS names so.
    pub fn key_at_aws(&self, kms: KmsId, region: &Region, id: &AwsKeyId) -> Option<&Arc<Key>> {
        self.keys.at_aws(kms, region, id)
    }

    /// The keys of a multi-region family: they share AWS's id.
    pub fn family(&self, account: AccountId, id: &AwsKeyId) -> Vec<Arc<Key>> {
        let places = self.kms_of_account(account).flat_map(|kms| kms.regions.iter().map(|region| (kms.id, region)));
        places.filter_map(|(kms, region)| self.key_at_aws(kms, region, id).cloned()).collect()
    }

    /// The keys of a KMS, in no order.
    pub fn keys_of_kms(&self, kms: KmsId) -> impl Iterator<Item = &Arc<Key>> {
        self.keys.of_kms(kms)
    }

    /// The policy template of this id.
    ///
    /// # Errors
    /// When there is none.
    pub fn template(&self, id: TemplateId) -> Result<&Arc<Template>, Refusal> {
        self.templates.get(&id).ok_or_else(|| TemplateRefusal::Unknown(id.to_string()).into())
    }

    /// The connection of this id.
    ///
    /// # Errors
    /// When there is none.
    pub fn connection(&self, id: ConnectionId) -> Result<&Arc<Connection>, Refusal> {
        self.connections.get(&id).ok_or_else(|| ConnectionRefusal::Unknown(id.to_string()).into())
    }

    /// The source key of this id.
    ///
    /// # Errors
    /// When there is none.
    pub fn source_key(&self, id: SourceKeyId) -> Result<&Arc<SourceKey>, Refusal> {
        self.source_keys.get(&id).ok_or_else(|| SourceKeyRefusal::Unknown(id.to_string()).into())
    }

    /// The user of this id.
    ///
    /// # Errors
    /// When there is none.
    pub fn user(&self, id: UserId) -> Result<&Arc<User>, Refusal> {
        self.users.get(&id).ok_or_else(|| UserRefusal::Unknown(id.subject()).into())
    }

    /// The group of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn group(&self, name: &GroupName) -> Result<&Arc<Group>, Refusal> {
        self.groups.get(name).ok_or_else(|| GroupRefusal::Unknown(name.to_string()).into())
    }

    /// The user who signs in with this name, in whatever case.
    pub fn user_named(&self, name: &UserName) -> Option<&Arc<User>> {
        self.users.named(&name.folded())
    }

    /// The connection of this name.
    pub fn connection_named(&self, name: &ConnectionName) -> Option<&Arc<Connection>> {
        self.connections.named(name)
    }

    /// The KMS of this name.
    pub fn kms_named(&self, name: &KmsName) -> Option<&Arc<Kms>> {
        self.kms.named(name)
    }

    /// The KMS of this id, or else of this name: nobody can take a KMS's place by a name.
    ///
    /// # Errors
    /// When there is none.
    pub fn kms_called(&self, text: &str) -> Result<&Arc<Kms>, Refusal> {
        let with_id = KmsId::parse(text).ok().and_then(|id| self.kms.get(&id));
        let named = || self.kms_named(&KmsName::parse(text).ok()?);
        with_id.or_else(named).ok_or_else(|| KmsRefusal::Unknown(text.chars().take(80).collect()).into())
    }

    /// The source key of this name.
    pub fn source_key_named(&self, name: &SourceKeyName) -> Option<&Arc<SourceKey>> {
        self.source_keys.named(name)
    }

    /// The KMSs that manage regions of this account.
    pub fn kms_of_account(&self, account: AccountId) -> impl Iterator<Item = &Arc<Kms>> {
        self.kms.of_account(account)
    }

    /// The schedule of this id.
    ///
    /// # Errors
    /// When there is none.
    pub fn schedule(&self, id: ScheduleId) -> Result<&Arc<Schedule>, Refusal> {
        self.schedules.all.get(&id).ok_or_else(|| ScheduleRefusal::Unknown(id.to_string()).into())
    }

    /// The schedule of this id, which rotates keys.
    ///
    /// # Errors
    /// When there is none, or it does other work.
    pub fn rotation_schedule(&self, id: ScheduleId) -> Result<&Arc<Schedule>, Refusal> {
        let schedule = self.schedule(id)?;
        match schedule.settings.work {
            Work::RotateKeys(_) => Ok(schedule),
            Work::Synchronize(_) => Err(ScheduleRefusal::NotRotating(schedule.name.clone()).into()),
        }
    }

    /// The keys that a schedule rotates, in order of creation.
    pub fn keys_under(&self, id: ScheduleId) -> impl Iterator<Item = KeyId> {
        self.keys.find(Term::Schedule(id)).into_iter().map(|key| key.id)
    }

    fn apply_installation(&mut self, at: Time, event: &InstallationEvent) {
        match event {
            InstallationEvent::Created { id, token_key } => {
                self.installation = Some(Installation { id: *id, token_key: token_key.clone(), created: at });
            }
            InstallationEvent::PasswordPolicyChanged { policy } => self.password_policy = policy.clone(),
        }
    }
}
