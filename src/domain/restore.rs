//! Restores a state from the entries in a snapshot. Indexes are not in a snapshot: they follow from the entries.

use super::alarm::{AlarmEntries, Alarms};
use super::backup::Backup;
use super::connection::Connection;
use super::drift::{Drift, DriftEntries};
use super::forwarder::Forwarder;
use super::group::Group;
use super::id::{JobId, OperationId};
use super::job::bulk::BulkJob;
use super::job::command::Jobs;
use super::job::retained::{Parted, Retained};
use super::job::sync::SyncJob;
use super::key::aggregate::Key;
use super::key::collection::{KeyCollection, UnmanagedKeys};
use super::key::operation::PendingOperation;
use super::key::virtual_key::VirtualKey;
use super::key_store::KeyStore;
use super::kms::{Kms, KmsCollection};
use super::password::policies::{NamedPasswordPolicy, PasswordPolicies};
use super::posture::{DayCounts, PostureTrend};
use super::report::Report;
use super::schedule::{Run, Schedule, Schedules};
use super::session::{Session, Sessions};
use super::source_key::SourceKey;
use super::state::{Installation, State};
use super::table::Table;
use super::template::Template;
use super::user::User;

/// The entries of a state, in the order that they have there.
pub struct Entries {
    pub installation: Option<Installation>,
    pub password_policies: Vec<NamedPasswordPolicy>,
    pub users: Vec<User>,
    pub groups: Vec<Group>,
    pub sessions: Vec<Session>,
    pub connections: Vec<Connection>,
    pub kms: Vec<Kms>,
    /// All rows, including those of keys that are no longer managed.
    pub keys: Vec<Key>,
    pub unmanaged_keys: Vec<UnmanagedKeys>,
    pub virtual_keys: Vec<VirtualKey>,
    pub source_keys: Vec<SourceKey>,
    pub operations: Vec<(OperationId, PendingOperation)>,
    pub sync_jobs: Vec<SyncJob>,
    /// The ended jobs, and the number of their parts.
    pub ended_sync_jobs: (Vec<JobId>, usize),
    pub bulk_jobs: Vec<BulkJob>,
    pub ended_bulk_jobs: (Vec<JobId>, usize),
    pub templates: Vec<Template>,
    pub schedules: Vec<Schedule>,
    pub runs: Vec<Run>,
    pub ownerless_runs: Vec<JobId>,
    pub key_stores: Vec<KeyStore>,
    pub posture: Vec<DayCounts>,
    pub reports: Vec<Report>,
    pub alarms: AlarmEntries,
    pub drift: DriftEntries,
    pub backups: Vec<Backup>,
    pub forwarders: Vec<Forwarder>,
}

impl From<Entries> for State {
    fn from(entries: Entries) -> Self {
        let mut reports = Table::default();
        entries.reports.into_iter().for_each(|report| reports.insert(report.id, report));
        let mut backups = Table::default();
        entries.backups.into_iter().for_each(|backup| backups.insert(backup.id, backup));
        let mut forwarders = Table::default();
        entries.forwarders.into_iter().for_each(|forwarder| forwarders.insert(forwarder.id, forwarder));
        let table = |entries: Vec<Group>| {
            let mut table = Table::default();
            entries.into_iter().for_each(|group| table.insert(group.name.clone(), group));
            table
        };
        Self {
            installation: entries.installation,
            password_policies: PasswordPolicies::restored(entries.password_policies),
            users: entries.users.into_iter().collect(),
            groups: table(entries.groups),
            sessions: Sessions::restored(entries.sessions),
            connections: entries.connections.into_iter().collect(),
            kms: KmsCollection::restored(entries.kms),
            keys: KeyCollection::restored(entries.keys, entries.unmanaged_keys, entries.virtual_keys),
            source_keys: entries.source_keys.into_iter().collect(),
            operations: entries.operations.into_iter().collect(),
            jobs: Jobs {
                sync: restored_jobs(entries.sync_jobs, |job| job.id, entries.ended_sync_jobs),
                bulk: restored_jobs(entries.bulk_jobs, |job| job.id, entries.ended_bulk_jobs),
            },
            templates: entries.templates.into_iter().collect(),
            schedules: Schedules::restored(entries.schedules, entries.runs, entries.ownerless_runs),
            key_stores: entries.key_stores.into_iter().collect(),
            posture: PostureTrend::restored(entries.posture),
            reports,
            alarms: Alarms::restored(entries.alarms),
            drift: Drift::restored(entries.drift),
            backups,
            forwarders,
        }
    }
}

fn restored_jobs<J: Clone + Parted>(
    jobs: Vec<J>,
    id: impl Fn(&J) -> JobId,
    (ended, parts): (Vec<JobId>, usize),
) -> Retained<J> {
    Retained::restored(jobs, id, ended, parts)
}
