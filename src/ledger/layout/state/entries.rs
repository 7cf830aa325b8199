//! The layouts of the state's entries. Types that events contain too have the layouts of the events.

use super::super::v2::backup::BackupFile;
use super::super::v2::connection::{ConnectionSettings, RolesAnywhere};
use super::super::v2::forwarder::ForwarderSettings;
use super::super::v2::group::GroupMetadata;
use super::super::v2::installation::PasswordPolicy;
use super::super::v2::job::{BulkTask, Counts, SyncPlace};
use super::super::v2::key::{KeyMetadata, LastUse, RotationJob, RotationStatus, Tag};
use super::super::v2::key_store::CallerRules;
use super::super::v2::kms::{Action, AssumedRole, Principal};
use super::super::v2::operation::Operation;
use super::super::v2::posture::KmsCounts;
use super::super::v2::primitives::{Bytes, Moment, Partition, Text, TokenHash};
use super::super::v2::report::{ReportCounts, ReportKind, ReportSource};
use super::super::v2::schedule::{BackupPlan, ScheduleSettings};
use super::super::v2::session::RefreshGrant;
use super::super::v2::source_key::{Attributes, Lifecycle, NewSourceKey};
use super::super::v2::template::{Push, TemplatePolicy};
use super::super::v2::user::UserProfile;
use super::super::{Impossible, IntoLive, LayoutOf};
use crate::domain::job::{bulk, sync};
use crate::domain::key::{aggregate, collection, event as key_event, hyok, operation, virtual_key};
use crate::domain::password::policies;
use crate::domain::{
    acl, backup, connection, forwarder, group, kms, posture, report, schedule, session, source_key, state, template,
    user,
};
use uuid::Uuid;

layout! {
    struct Installation<'a> of state::Installation {
        id: Uuid,
        token_key: Bytes<'a>,
        token_key_made: Moment,
        first_token_key: Bytes<'a>,
        created: Moment,
        metrics_token: Option<Bytes<'a>>,
    }
}

layout! {
    struct NamedPasswordPolicy<'a> of policies::NamedPasswordPolicy {
        name: Text<'a>,
        policy: PasswordPolicy,
        expiry_notification_days: u32,
    }
}

layout! {
    struct User<'a> of user::User {
        id: Uuid,
        name: Text<'a>,
        profile: UserProfile<'a>,
        groups: Vec<Text<'a>>,
        password: Bytes<'a>,
        earlier_passwords: Vec<Bytes<'a>>,
        password_set: Moment,
        must_change: bool,
        password_policy: Option<Text<'a>>,
        failures: Vec<Failures<'a>>,
        logins: u64,
        last_login: Option<Moment>,
        networks: Vec<Text<'a>>,
        preferences: Option<Text<'a>>,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    struct Failures<'a> of user::Failures {
        source: Text<'a>,
        count: u32,
        last: Moment,
    }
}

layout! {
    struct Group<'a> of group::Group {
        name: Text<'a>,
        description: Text<'a>,
        metadata: GroupMetadata<'a>,
        members: u64,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    struct Session<'a> of session::Session {
        id: Uuid,
        user: Uuid,
        refresh: RefreshGrant,
        refresh_made: Moment,
        labels: Vec<Text<'a>>,
        opened: Moment,
        used: Moment,
        replaced: Vec<(TokenHash, Moment)>,
    }
}

layout! {
    struct Connection<'a> of connection::Connection {
        id: Uuid,
        name: Text<'a>,
        settings: ConnectionSettings<'a>,
        secret: Bytes<'a>,
        roles_anywhere: Option<Box<RolesAnywhere<'a>>>,
        last_test: Option<LastTest<'a>>,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    struct LastTest<'a> of connection::LastTest {
        at: Moment,
        error: Option<Text<'a>>,
    }
}

layout! {
    struct Kms<'a> of kms::Kms {
        id: Uuid,
        name: Text<'a>,
        account: Text<'a>,
        arn: Text<'a>,
        connection: Uuid,
        connection_by_id: bool,
        role: Option<AssumedRole<'a>>,
        regions: Vec<Text<'a>>,
        cloud: Partition,
        acl: Vec<AclEntry<'a>>,
        archived: bool,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    struct AclEntry<'a> of acl::AclEntry {
        principal: Principal<'a>,
        actions: Vec<Action>,
    }
}

impl<'a> LayoutOf<'a, acl::Acl> for Vec<AclEntry<'a>> {
    fn of(live: &'a acl::Acl) -> Self {
        live.entries().iter().map(LayoutOf::of).collect()
    }
}

impl IntoLive<acl::Acl> for Vec<AclEntry<'_>> {
    fn into_live(self) -> Result<acl::Acl, Impossible> {
        self.into_iter().map(IntoLive::into_live).collect::<Result<_, _>>().map(acl::Acl::restored)
    }
}

impl LayoutOf<'_, crate::domain::action::ActionSet> for Vec<Action> {
    fn of(live: &crate::domain::action::ActionSet) -> Self {
        live.iter().map(|action| LayoutOf::of(&action)).collect()
    }
}

impl IntoLive<crate::domain::action::ActionSet> for Vec<Action> {
    fn into_live(self) -> Result<crate::domain::action::ActionSet, Impossible> {
        let actions: Vec<crate::domain::action::Action> = self.into_live()?;
        Ok(crate::domain::action::ActionSet::of(&actions))
    }
}

layout! {
    struct Key<'a> of aggregate::Key {
        id: Uuid,
        kms: Uuid,
        region: Text<'a>,
        metadata: KeyMetadata<'a>,
        aliases: Vec<Text<'a>>,
        tags: Vec<Tag<'a>>,
        policy: Option<Text<'a>>,
        rotation: Option<RotationStatus>,
        last_use: Option<LastUse<'a>>,
        materials: Vec<ImportedMaterial<'a>>,
        hyok: Option<Box<HyokKey<'a>>>,
        pending: Option<Uuid>,
        gone: bool,
        material_changed: Option<Moment>,
        rotated_from: Option<Uuid>,
        rotated_to: Option<Uuid>,
        rotated_at: Option<Moment>,
        last_rotation: Option<Outcome<'a>>,
        rotation_job: Option<RotationJob<'a>>,
        synced: Moment,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    struct HyokKey<'a> of hyok::HyokKey {
        store: Uuid,
        linked: bool,
        blocked: bool,
        source_key_tier: Text<'a>,
        caller_rules: CallerRules<'a>,
        versions: Vec<HyokVersion>,
    }
}

layout! {
    struct HyokVersion of hyok::HyokVersion {
        source: Uuid,
        created: Moment,
        encryptions: u64,
    }
}

layout! {
    struct ImportedMaterial<'a> of aggregate::ImportedMaterial {
        source: Uuid,
        material: Option<Text<'a>>,
        valid_to: Option<Moment>,
        imported: Moment,
    }
}

layout! {
    struct UnmanagedKeys<'a> of collection::UnmanagedKeys {
        kms: Uuid,
        region: Text<'a>,
        cause: UnmanagedCause,
        keys: Vec<Uuid>,
    }
}

layout! {
    enum UnmanagedCause of key_event::UnmanagedCause {
        KmsDeleted,
        RegionRemoved,
    }
}

layout! {
    struct SourceKey<'a> of source_key::SourceKey {
        id: Uuid,
        version: u32,
        made: NewSourceKey<'a>,
        attributes: Attributes<'a>,
        lifecycle: Lifecycle<'a>,
        material: Bytes<'a>,
        exported: bool,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    struct PendingOperation<'a> of operation::PendingOperation {
        key: Uuid,
        kms: Uuid,
        region: Text<'a>,
        wanted: Operation<'a>,
        since: Moment,
    }
}

layout! {
    enum SyncScope of sync::SyncScope {
        Keys,
        KeyStores,
    }
}

layout! {
    struct SyncRegion<'a> of sync::SyncRegion {
        place: SyncPlace<'a>,
        linked: u64,
        end: Option<RegionEnd<'a>>,
    }
}

layout! {
    struct RegionEnd<'a> of sync::RegionEnd {
        counts: Counts,
        linked: u64,
        outcome: RegionOutcome<'a>,
    }
}

layout! {
    enum RegionOutcome<'a> of sync::RegionOutcome {
        Done(trouble: Option<Text<'a>>),
        Failed(reason: Text<'a>),
        Left,
    }
}

layout! {
    struct BulkJob<'a> of bulk::BulkJob {
        id: Uuid,
        by: Uuid,
        task: BulkTask,
        keys: Vec<BulkKey<'a>>,
        cancelled: bool,
        completed: Option<Moment>,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    struct BulkKey<'a> of bulk::BulkKey {
        id: Uuid,
        end: Option<Outcome<'a>>,
    }
}

layout! {
    struct Template<'a> of template::Template {
        id: Uuid,
        name: Text<'a>,
        account: Text<'a>,
        kms: Option<Uuid>,
        policy: TemplatePolicy<'a>,
        verified: bool,
        last_push: Option<Push<'a>>,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    struct Schedule<'a> of schedule::Schedule {
        id: Uuid,
        name: Text<'a>,
        settings: ScheduleSettings<'a>,
        run_on: Text<'a>,
        dealt_until: Moment,
        running: Option<Uuid>,
        runs: Vec<Uuid>,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    struct VirtualKey<'a> of virtual_key::VirtualKey {
        id: Uuid,
        source: Uuid,
        source_key_tier: Text<'a>,
        deletable: bool,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    struct DayCounts<'a> of posture::DayCounts {
        day: Moment,
        kms: Vec<KmsCounts<'a>>,
    }
}

/// Success, or the reason for a failure.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(in crate::ledger) enum Outcome<'a> {
    Done,
    Failed(Text<'a>),
}

impl<'a, Reason> LayoutOf<'a, Result<(), Reason>> for Outcome<'a>
where
    Text<'a>: LayoutOf<'a, Reason>,
{
    fn of(live: &'a Result<(), Reason>) -> Self {
        match live {
            Ok(()) => Self::Done,
            Err(reason) => Self::Failed(LayoutOf::of(reason)),
        }
    }
}

impl<'a, Reason> IntoLive<Result<(), Reason>> for Outcome<'a>
where
    Text<'a>: IntoLive<Reason>,
{
    fn into_live(self) -> Result<Result<(), Reason>, Impossible> {
        Ok(match self {
            Self::Done => Ok(()),
            Self::Failed(reason) => Err(reason.into_live()?),
        })
    }
}

#[cfg(test)]
impl super::super::coverage::Covered for Outcome<'_> {
    fn wanted(place: &str, wanted: &mut super::super::coverage::Forms) {
        wanted.extend([format!("{place} done"), format!("{place} failed")]);
    }

    fn observe(&self, place: &str, seen: &mut super::super::coverage::Forms) {
        seen.insert(format!("{place} {}", if matches!(self, Self::Done) { "done" } else { "failed" }));
    }
}

layout! {
    struct Forwarder<'a> of forwarder::Forwarder {
        id: Uuid,
        settings: ForwarderSettings<'a>,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    struct Report<'a> of report::Report {
        id: Uuid,
        name: Text<'a>,
        kind: ReportKind,
        start: Moment,
        end: Moment,
        sources: Vec<ReportSource<'a>>,
        status: ReportStatus<'a>,
        counts: ReportCounts,
        completed: Option<Moment>,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    enum ReportStatus<'a> of report::ReportStatus {
        InProgress,
        Completed,
        Failed(reason: Text<'a>),
    }
}

layout! {
    struct Backup<'a> of backup::Backup {
        id: Uuid,
        plan: BackupPlan<'a>,
        schedule: Option<Uuid>,
        status: BackupStatus<'a>,
        completed: Option<Moment>,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    enum BackupStatus<'a> of backup::BackupStatus {
        InProgress,
        Completed(file: BackupFile<'a>),
        Failed(reason: Text<'a>),
    }
}
