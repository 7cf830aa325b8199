//! The state, and its change by events. A copy is cheap: readers keep one while the writer continues.

use super::alarm::Alarms;
use super::backup::Backup;
use super::cascade;
use super::collection::Collection;
use super::connection::Connection;
use super::drift::Drift;
use super::event::{Event, InstallationEvent, Sealed};
use super::forwarder::Forwarder;
use super::group::Group;
use super::id::{
    BackupId, ConnectionId, ForwarderId, InstallationId, JobId, KeyId, KeyStoreId, KmsId, ReportId, ScheduleId,
    SourceKeyId, TemplateId, UserId,
};
use super::job::bulk::BulkJob;
use super::job::command::Jobs;
use super::job::sync::SyncJob;
use super::key::aggregate::Key;
use super::key::collection::KeyCollection;
use super::key::event::KeyEvent;
use super::key::index::Term;
use super::key::name::AwsKeyId;
pub use super::key::operation::{PendingOperation, PendingOperations};
use super::key_store::KeyStore;
use super::kms::{Kms, KmsCollection};
use super::name::{ConnectionName, GroupName, KeyStoreName, KmsName, PasswordPolicyName, SourceKeyName, UserName};
use super::password::policies::{NamedPasswordPolicy, PasswordPolicies};
use super::place::{AccountId, Region};
use super::posture::PostureTrend;
use super::refusal::{
    BackupRefusal, ConnectionRefusal, GroupRefusal, InstallationRefusal, JobRefusal, KeyRefusal, KeyStoreRefusal,
    KmsRefusal, Refusal, ReportRefusal, ScheduleRefusal, SourceKeyRefusal, TemplateRefusal, UserRefusal,
};
use super::report::Report;
use super::schedule::{Schedule, ScheduleEvent, Schedules, WatchPlan, Work};
use super::session::Sessions;
use super::source_key::SourceKey;
use super::table::Table;
use super::template::Template;
use super::time::Time;
use super::user::User;
use std::sync::Arc;

/// The state after some number of events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The installation; `None` before the first event.
    pub installation: Option<Installation>,
    pub password_policies: PasswordPolicies,
    pub users: Collection<User>,
    pub groups: Table<GroupName, Group>,
    pub sessions: Sessions,
    pub connections: Collection<Connection>,
    pub kms: KmsCollection,
    pub keys: KeyCollection,
    pub source_keys: Collection<SourceKey>,
    pub operations: PendingOperations,
    pub jobs: Jobs,
    pub templates: Collection<Template>,
    pub schedules: Schedules,
    pub key_stores: Collection<KeyStore>,
    /// The daily counts of keys and findings.
    pub posture: PostureTrend,
    pub reports: Table<ReportId, Report>,
    /// Alarms, webhooks, and what is to be delivered.
    pub alarms: Alarms,
    /// Changes that were made outside.
    pub drift: Drift,
    pub backups: Table<BackupId, Backup>,
    /// The syslog receivers to which audit records are sent.
    pub forwarders: Table<ForwarderId, Forwarder>,
}

/// The installation, which the first event creates.
#[derive(Clone, Debug, PartialEq)]
pub struct Installation {
    /// The audience of the tokens that this installation issues.
    pub id: InstallationId,
    /// The key that signs the tokens, sealed.
    pub token_key: Sealed,
    /// When this key was made.
    pub token_key_made: Time,
    /// The first of these keys, sealed. What must stay the same is derived from it, such as the lockout of names.
    pub first_token_key: Sealed,
    pub created: Time,
    /// The token with which programs read the metrics, sealed; `None` if there is none.
    pub metrics_token: Option<Sealed>,
}

impl State {
    /// Updates the state with an event. It cannot fail: an event is a fact.
    pub fn apply(&mut self, at: Time, event: &Event) {
        match event {
            Event::Installation(event) => self.apply_installation(at, event),
            Event::User(id, event) => self.users.apply(at, *id, event),
            Event::Group(name, event) => {
                cascade::index_memberships(self, name, event);
                self.groups.apply(at, name, event);
            }
            Event::Session(id, event) => {
                // A session also ends by time alone, without an event.
                self.sessions.drop_ended(at);
                self.sessions.apply(at, *id, event);
            }
            Event::Connection(id, event) => self.connections.apply(at, *id, event),
            Event::Kms(id, event) => {
                cascade::hide_keys(self, *id, event);
                cascade::forget_read_times(self, *id, event);
                self.kms.apply(at, *id, event);
            }
            Event::Key(id, event) => {
                let differences = cascade::differences_made_outside(self, *id, event);
                cascade::note_unanswered_change(self, at, *id, event);
                self.keys.apply(&mut self.operations, at, *id, event);
                self.drift.note(at, *id, differences);
                if matches!(event, KeyEvent::Forgotten | KeyEvent::Unmanaged { .. }) {
                    self.alarms.forget_key(*id);
                    self.drift.forget_key(*id);
                }
            }
            Event::SourceKey(id, event) => self.source_keys.apply(at, *id, event),
            Event::Job(id, event) => {
                cascade::note_read_times(self, *id, event);
                self.jobs.apply(at, *id, event);
            }
            Event::Template(id, event) => self.templates.apply(at, *id, event),
            Event::Schedule(id, event) => {
                self.schedules.apply(at, *id, event);
                if matches!(event, ScheduleEvent::Deleted) {
                    self.drift.forget_schedule(*id);
                }
            }
            Event::KeyStore(id, event) => self.key_stores.apply(at, *id, event),
            Event::Posture(event) => self.posture.apply(event),
            Event::Report(id, event) => self.reports.apply(at, *id, event),
            Event::Webhook(id, event) => self.alarms.apply_webhook(at, *id, event),
            Event::Alarm(number, event) => self.alarms.apply(at, *number, event),
            Event::Drift(kms, event) => self.drift.apply(at, *kms, event),
            Event::Backup(id, event) => self.backups.apply(at, *id, event),
            Event::Forwarder(id, event) => self.forwarders.apply(at, *id, event),
        }
    }

    fn apply_installation(&mut self, at: Time, event: &InstallationEvent) {
        match event {
            InstallationEvent::Created { id, token_key } => {
                let (token_key, first_token_key) = (token_key.clone(), token_key.clone());
                let (created, token_key_made, metrics_token) = (at, at, None);
                self.installation =
                    Some(Installation { id: *id, token_key, token_key_made, first_token_key, created, metrics_token });
            }
            InstallationEvent::PasswordPolicyChanged { policy } => {
                let global = NamedPasswordPolicy::clone(self.password_policies.global());
                self.password_policies.set(NamedPasswordPolicy { policy: policy.clone(), ..global });
            }
            InstallationEvent::PasswordPolicySet { name, policy, expiry_notification_days } => {
                let (name, policy) = (name.clone(), policy.clone());
                let expiry_notification_days = *expiry_notification_days;
                self.password_policies.set(NamedPasswordPolicy { name, policy, expiry_notification_days });
            }
            InstallationEvent::PasswordPolicyDeleted { name } => self.password_policies.remove(name),
            InstallationEvent::MetricsEnabled { token } => self.set_metrics_token(Some(token.clone())),
            InstallationEvent::MetricsDisabled => self.set_metrics_token(None),
            InstallationEvent::TokenKeyReplaced { token_key } => {
                if let Some(installation) = &mut self.installation {
                    installation.token_key = token_key.clone();
                    installation.token_key_made = at;
                }
            }
            InstallationEvent::MasterKeyReplaced | InstallationEvent::Unsealed { .. } => {}
        }
    }
}

impl State {
    fn set_metrics_token(&mut self, token: Option<Sealed>) {
        if let Some(installation) = &mut self.installation {
            installation.metrics_token = token;
        }
    }
}

/// Lookups. A lookup by id that finds nothing returns the `Unknown` refusal of the aggregate.
impl State {
    pub fn kms(&self, id: KmsId) -> Result<&Arc<Kms>, Refusal> {
        self.kms.get(&id).ok_or_else(|| KmsRefusal::Unknown(id.to_string()).into())
    }

    pub fn key(&self, id: KeyId) -> Result<&Arc<Key>, Refusal> {
        self.keys.get(&id).ok_or_else(|| KeyRefusal::Unknown(id.to_string()).into())
    }

    pub fn sync_job(&self, id: JobId) -> Result<&Arc<SyncJob>, Refusal> {
        self.jobs.sync.get(id).ok_or_else(|| JobRefusal::Unknown(id.to_string()).into())
    }

    pub fn bulk_job(&self, id: JobId) -> Result<&Arc<BulkJob>, Refusal> {
        self.jobs.bulk.get(id).ok_or_else(|| JobRefusal::Unknown(id.to_string()).into())
    }

    /// Returns the key with this AWS id in a region of a KMS.
    pub fn key_at_aws(&self, kms: KmsId, region: &Region, id: &AwsKeyId) -> Option<&Arc<Key>> {
        self.keys.at_aws(kms, region, id)
    }

    /// Whether AWS does not have a key any more, or its region was taken from its KMS.
    pub fn is_gone(&self, key: &Key) -> bool {
        key.gone || self.kms.get(&key.kms).is_some_and(|kms| !kms.regions.contains(&key.region))
    }

    /// Returns the managed keys of a multi-region family, which share an AWS id.
    pub fn family(&self, account: AccountId, id: &AwsKeyId) -> Vec<Arc<Key>> {
        let places = self.kms_of_account(account).flat_map(|kms| kms.regions.iter().map(|region| (kms.id, region)));
        places.filter_map(|(kms, region)| self.key_at_aws(kms, region, id).cloned()).collect()
    }

    /// Returns the keys of a KMS, in no order.
    pub fn keys_of_kms(&self, kms: KmsId) -> impl Iterator<Item = &Arc<Key>> {
        self.keys.of_kms(kms)
    }

    pub fn template(&self, id: TemplateId) -> Result<&Arc<Template>, Refusal> {
        self.templates.get(&id).ok_or_else(|| TemplateRefusal::Unknown(id.to_string()).into())
    }

    pub fn report(&self, id: ReportId) -> Result<&Arc<Report>, Refusal> {
        self.reports.get(&id).ok_or_else(|| ReportRefusal::Unknown(id.to_string()).into())
    }

    pub fn backup(&self, id: BackupId) -> Result<&Arc<Backup>, Refusal> {
        self.backups.get(&id).ok_or_else(|| BackupRefusal::Unknown(id.to_string()).into())
    }

    pub fn key_store(&self, id: KeyStoreId) -> Result<&Arc<KeyStore>, Refusal> {
        self.key_stores.get(&id).ok_or_else(|| KeyStoreRefusal::Unknown(id.to_string()).into())
    }

    /// Returns the key store with this id, if the text is one.
    pub fn key_store_with_id(&self, text: &str) -> Option<&Arc<KeyStore>> {
        self.key_stores.get(&KeyStoreId::parse(text).ok()?)
    }

    /// Returns the key stores with this name, newest first. AWS allows the same name in several accounts and regions.
    pub fn key_stores_named(&self, text: &str) -> impl Iterator<Item = &Arc<KeyStore>> {
        let name = KeyStoreName::parse(text).ok();
        let named: Vec<_> = name.iter().flat_map(|name| self.key_stores.all_named(name).rev()).collect();
        named.into_iter()
    }

    pub fn connection(&self, id: ConnectionId) -> Result<&Arc<Connection>, Refusal> {
        self.connections.get(&id).ok_or_else(|| ConnectionRefusal::Unknown(id.to_string()).into())
    }

    pub fn source_key(&self, id: SourceKeyId) -> Result<&Arc<SourceKey>, Refusal> {
        self.source_keys.get(&id).ok_or_else(|| SourceKeyRefusal::Unknown(id.to_string()).into())
    }

    pub fn user(&self, id: UserId) -> Result<&Arc<User>, Refusal> {
        self.users.get(&id).ok_or_else(|| UserRefusal::Unknown(id.subject()).into())
    }

    pub fn group(&self, name: &GroupName) -> Result<&Arc<Group>, Refusal> {
        self.groups.get(name).ok_or_else(|| GroupRefusal::Unknown(name.to_string()).into())
    }

    pub fn password_policy(&self, name: &PasswordPolicyName) -> Result<&Arc<NamedPasswordPolicy>, Refusal> {
        let policy = self.password_policies.get(name);
        policy.ok_or_else(|| InstallationRefusal::PolicyUnknown(name.to_string()).into())
    }

    /// Returns the user with this name, without regard to case.
    pub fn user_named(&self, name: &UserName) -> Option<&Arc<User>> {
        self.users.named(&name.folded())
    }

    pub fn connection_named(&self, name: &ConnectionName) -> Option<&Arc<Connection>> {
        self.connections.named(name)
    }

    pub fn kms_named(&self, name: &KmsName) -> Option<&Arc<Kms>> {
        self.kms.named(name)
    }

    /// Returns the KMS with this id or else this name. The id has precedence, so that no name can hide another KMS.
    ///
    /// # Errors
    /// When there is none.
    pub fn kms_by_id_or_name(&self, text: &str) -> Result<&Arc<Kms>, Refusal> {
        let with_id = KmsId::parse(text).ok().and_then(|id| self.kms.get(&id));
        let named = || self.kms_named(&KmsName::parse(text).ok()?);
        with_id.or_else(named).ok_or_else(|| KmsRefusal::Unknown(text.chars().take(80).collect()).into())
    }

    pub fn source_key_named(&self, name: &SourceKeyName) -> Option<&Arc<SourceKey>> {
        self.source_keys.named(name)
    }

    /// Returns the KMSs that manage regions of this account.
    pub fn kms_of_account(&self, account: AccountId) -> impl Iterator<Item = &Arc<Kms>> {
        self.kms.of_account(account)
    }

    pub fn schedule(&self, id: ScheduleId) -> Result<&Arc<Schedule>, Refusal> {
        self.schedules.all.get(&id).ok_or_else(|| ScheduleRefusal::Unknown(id.to_string()).into())
    }

    /// Returns the schedule with this id, which must rotate keys.
    ///
    /// # Errors
    /// When there is none, or it does other work.
    pub fn rotation_schedule(&self, id: ScheduleId) -> Result<&Arc<Schedule>, Refusal> {
        let schedule = self.schedule(id)?;
        match schedule.settings.work {
            Work::RotateKeys(_) => Ok(schedule),
            Work::Synchronize(_) | Work::RotateCredentials | Work::WatchDrift(_) | Work::BackUp(_) => {
                Err(ScheduleRefusal::NotRotating(schedule.name.clone()).into())
            }
        }
    }

    /// Returns the schedule with this id, which must rotate credentials of key stores.
    ///
    /// # Errors
    /// When there is none, or it does other work.
    pub fn credential_schedule(&self, id: ScheduleId) -> Result<&Arc<Schedule>, Refusal> {
        let schedule = self.schedule(id)?;
        match schedule.settings.work {
            Work::RotateCredentials => Ok(schedule),
            Work::RotateKeys(_) | Work::Synchronize(_) | Work::WatchDrift(_) | Work::BackUp(_) => {
                Err(ScheduleRefusal::NotRotatingCredentials(schedule.name.clone()).into())
            }
        }
    }

    /// Returns the time since when a schedule watches a KMS for changes that others make; `None` if none does.
    pub fn watched_since(&self, kms: KmsId) -> Option<Time> {
        let watches = |schedule: &&Arc<Schedule>| match &schedule.settings.work {
            Work::WatchDrift(plan) => plan.kms == kms,
            Work::RotateKeys(_) | Work::Synchronize(_) | Work::RotateCredentials | Work::BackUp(_) => false,
        };
        self.schedules.all.iter().filter(watches).map(|schedule| schedule.created).min()
    }

    /// Returns where the first schedule that watches a KMS for changes finds its events.
    pub fn watch_of(&self, kms: KmsId) -> Option<&WatchPlan> {
        self.schedules.all.iter().find_map(|schedule| match &schedule.settings.work {
            Work::WatchDrift(plan) if plan.kms == kms => Some(plan),
            Work::WatchDrift(_)
            | Work::RotateKeys(_)
            | Work::Synchronize(_)
            | Work::RotateCredentials
            | Work::BackUp(_) => None,
        })
    }

    /// Returns the key stores whose credentials a schedule rotates, in order of creation.
    pub fn stores_under(&self, id: ScheduleId) -> impl Iterator<Item = KeyStoreId> {
        let is_under =
            move |store: &&Arc<KeyStore>| store.local.as_ref().is_some_and(|local| local.rotation_schedule == Some(id));
        self.key_stores.iter().filter(is_under).map(|store| store.id)
    }

    /// Returns the keys that a schedule rotates, in order of creation.
    pub fn keys_under(&self, id: ScheduleId) -> impl Iterator<Item = KeyId> {
        self.keys.find(Term::Schedule(id)).into_iter().map(|key| key.id)
    }
}
