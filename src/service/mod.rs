//! The use cases. A use case validates a request against the state, calls AWS if needed, and hands a command to the
//! ledger. Only this module joins the ledger and AWS. `http` uses it; it knows nothing of HTTP requests and responses.

pub mod access;
mod account_probes;
pub mod alarms;
mod attempts;
pub mod audit;
mod authority;
pub mod backups;
pub mod bulk_jobs;
pub mod caller;
pub mod checkpoints;
pub mod cloud;
pub mod connections;
pub mod drift;
pub mod events;
pub mod expectation;
pub mod failure;
pub mod forwarding;
pub mod groups;
pub mod history;
pub mod iam;
mod jwt;
pub mod key_access;
pub mod key_stores;
mod keyring_check;
pub mod keys;
pub mod kms;
pub mod limits;
pub mod list;
mod lockout;
pub mod log_groups;
pub mod log_seal;
pub mod material;
pub mod metrics_token;
mod operations;
pub mod own_calls;
pub mod password_policies;
pub mod passwords;
mod pause;
pub mod permissions;
mod policies;
pub mod posture;
pub mod principals;
mod proof;
mod recent_refresh_tokens;
mod recorder;
pub mod recovery;
pub mod reports;
pub mod roles_anywhere;
pub mod schedules;
pub mod search;
mod secrets;
pub mod source_keys;
pub mod sync_jobs;
pub mod templates;
pub mod tokens;
mod trail;
mod unmanaged_keys;
pub mod users;
#[cfg(test)]
mod world;

use crate::attempt_log::AttemptLog;
use crate::aws::kms::port::AwsKms;
use crate::aws::port::Aws;
use crate::call_journal::CallJournal;
use crate::domain::event::Actor;
use crate::domain::id::InstallationId;
use crate::domain::name::UserName;
use crate::domain::time::Time;
use crate::keyring::Keyring;
use crate::ledger::{Ledger, Published};
use crate::report_store::{self, ReportStore};
use crate::xks::Proxy;
use caller::Change;
use cloud::Cloud;
use failure::Failure;
use limits::Limits;
use recorder::Recorder;
use secrets::Secrets;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::runtime::Handle;
use uuid::Uuid;
use zeroize::Zeroizing;

/// All use cases, as `http` receives them.
#[derive(Clone)]
pub struct Services {
    pub audit: audit::Audit,
    /// The past of resources.
    pub histories: history::Histories,
    /// Signed statements about the log, for those who keep them elsewhere.
    pub checkpoints: checkpoints::Checkpoints,
    pub kms: kms::KmsAccounts,
    pub keys: keys::Keys,
    pub sync_jobs: sync_jobs::SyncJobs,
    /// Jobs that apply one task to many keys.
    pub bulk_jobs: bulk_jobs::BulkJobs,
    pub connections: connections::Connections,
    pub source_keys: source_keys::SourceKeys,
    pub key_stores: key_stores::KeyStores,
    pub posture: posture::Posture,
    pub key_access: key_access::KeyAccess,
    pub templates: templates::Templates,
    pub schedules: schedules::Schedules,
    pub reports: reports::Reports,
    pub backups: backups::BackupJobs,
    pub users: users::Users,
    pub password_policies: password_policies::PasswordPolicies,
    pub groups: groups::Groups,
    pub tokens: tokens::Tokens,
    /// The token with which Prometheus reads the metrics.
    pub metrics_token: metrics_token::MetricsToken,
    #[cfg_attr(not(test), allow(dead_code))] // use cases have copies of their own
    trails: trail::Trails,
    pub alarms: alarms::Alarms,
    pub drift: drift::DriftEvents,
    /// Sends audit records to other machines.
    pub forwarding: forwarding::Forwarding,
    /// Tells clients what has changed.
    pub events: events::Events,
    recorder: Recorder,
    token_key_days: Option<NonZeroU32>,
}

/// The source of the current time; a test supplies its own.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// The dependencies of the services.
pub struct Parts {
    pub ledger: Ledger,
    pub keyring: Keyring,
    /// The journal of our calls to AWS; the clients of AWS write it.
    pub call_journal: CallJournal,
    /// The log of failed attempts.
    pub attempt_log: AttemptLog,
    pub aws: Arc<dyn Aws>,
    pub aws_kms: Arc<dyn AwsKms>,
    pub clock: Clock,
    pub report_files: ReportFiles,
    pub backups: backups::Backups,
    pub forwarding: forwarding::ForwardingSettings,
    pub checkpoints: checkpoints::CheckpointSettings,
    pub hashing: passwords::Hashing,
    pub refresh: tokens::RefreshDefaults,
    /// Whether the deletion of a schedule takes its keys off it, unless the request says otherwise.
    pub release_keys_on_delete: bool,
    /// The largest numbers of what users can create.
    pub limits: Limits,
    /// The time in seconds after which a resource that AWS does not show counts as never created.
    pub consistency_wait_seconds: i64,
    /// Whether the XKS proxy has a listener.
    pub xks_listens: bool,
    /// The largest number of calls of AWS per second to the XKS proxy of one key store; 0 for no limit.
    pub xks_calls_per_second: u32,
    /// The days after which the key that signs access tokens is replaced; `None` for never.
    pub token_key_days: Option<NonZeroU32>,
    /// Sends webhooks.
    pub webhooks: crate::webhook::Sender,
    /// The pause between two checks of the connections in use; `None` for no checks.
    pub connection_checks: Option<std::time::Duration>,
}

/// Where the rows of reports are, and their bounds.
pub struct ReportFiles {
    pub directory: PathBuf,
    pub bounds: report_store::Bounds,
    pub settings: reports::ReportSettings,
}

/// The first administrator of a new installation.
pub struct FirstAdmin {
    pub name: UserName,
    pub password: Zeroizing<String>,
    /// Whether the user must change the password before any other request.
    pub must_change: bool,
}

impl Services {
    /// Builds the services and starts their background tasks. If the log is empty, this initializes it with the first
    /// administrator that `first` returns. Data keys whose owners no longer exist are deleted.
    ///
    /// # Errors
    /// When the log or the keyring fails, or the two do not belong together.
    pub async fn start<E: From<Failure>>(
        parts: Parts,
        first: impl FnOnce() -> Result<FirstAdmin, E>,
    ) -> Result<Self, E> {
        let hasher = passwords::Hasher::new(parts.hashing)?;
        let runtime = Handle::current();
        let recorder = Recorder::new(parts.ledger, parts.clock, parts.limits);
        let keyring = parts.keyring;
        let secrets = Secrets::new(keyring.clone(), runtime.clone());
        keyring_check::refuse_strays(&keyring, &recorder.state().state)?;
        let proof = proof::Proof::new(recorder.clone(), secrets.clone(), hasher);
        let users = users::Users::new(recorder.clone(), secrets.clone(), proof.clone());
        if recorder.state().state.installation.is_none() {
            let id = InstallationId::new(Uuid::new_v4());
            let FirstAdmin { name, password, must_change } = first()?;
            users.install(tokens::new_token_key(&keyring, id)?, id, name, password, must_change).await?;
        }
        keyring_check::mark_begun(&keyring, &recorder.state().state)?;
        keyring_check::shred_orphans(&keyring, &recorder.state().state)?;
        recovery::note_interrupted_replacement(&recorder, &keyring).await?;
        let checkpoints = checkpoints::Checkpoints::open(recorder.clone(), &keyring, parts.checkpoints)?;
        let cloud = Arc::new(Cloud::new(recorder.clone(), secrets.clone(), parts.aws, parts.aws_kms));
        let trails = trail::Trails::start(cloud.clone(), parts.call_journal)?;
        let reports = {
            let ReportFiles { directory, bounds, settings } = parts.report_files;
            let known = recorder.state().state.reports.iter().map(|report| report.id.uuid()).collect();
            let store = ReportStore::open(&directory, bounds, &known).map_err(|error| {
                tracing::error!(%error, "the directory of reports cannot be opened");
                Failure::Internal("the directory of reports cannot be opened")
            })?;
            let (recorder, trails) = (recorder.clone(), trails.clone());
            reports::Reports::new(recorder, cloud.clone(), trails, store, settings, runtime.clone())
        };
        let rate_limit = NonZeroU32::new(parts.xks_calls_per_second);
        let serving = key_stores::Serving::new(recorder.clone(), secrets.clone(), rate_limit);
        let source_keys = source_keys::SourceKeys::new(recorder.clone(), secrets.clone(), serving.clone());
        serving.publish_all();
        serving.follow_forever(&runtime);
        let wait = parts.consistency_wait_seconds;
        let target = keys::KeyTarget::new(recorder.clone(), cloud.clone(), source_keys.clone(), serving.clone(), wait);
        let operations = keys::KeyOperations::new(target, recorder.clone(), runtime.clone());
        operations.reconcile_forever();
        let target =
            key_stores::StoreTarget::new(recorder.clone(), cloud.clone(), secrets.clone(), serving.clone(), wait);
        let store_operations = key_stores::StoreOperations::new(target, recorder.clone(), runtime.clone());
        store_operations.follow_forever(&runtime);
        unmanaged_keys::remove_forever(recorder.clone(), &runtime);
        let keys =
            keys::Keys::new(recorder.clone(), cloud.clone(), source_keys.clone(), operations.clone(), serving.clone());
        keys.follow_stores_forever(&runtime);
        let sync_jobs = sync_jobs::SyncJobs::new(recorder.clone(), cloud.clone(), runtime.clone());
        let bulk_jobs = bulk_jobs::BulkJobs::new(recorder.clone(), keys.clone(), runtime.clone());
        sync_jobs.resume();
        bulk_jobs.resume();
        let options =
            schedules::Options { release_keys_on_delete: parts.release_keys_on_delete, consistency_wait_seconds: wait };
        let key_stores = key_stores::KeyStores::new(
            recorder.clone(),
            secrets.clone(),
            source_keys.clone(),
            serving,
            store_operations,
            parts.xks_listens,
        );
        let backups = backups::BackupJobs::new(recorder.clone(), parts.backups, runtime.clone());
        let schedules = schedules::Schedules::new(
            recorder.clone(),
            keys.clone(),
            key_stores.clone(),
            sync_jobs.clone(),
            (cloud.clone(), trails.clone(), backups.clone()),
            runtime.clone(),
            options,
        );
        let connections = connections::Connections::new(recorder.clone(), secrets.clone(), cloud.clone());
        let alarms = alarms::Alarms::new(
            recorder.clone(),
            secrets.clone(),
            connections.clone(),
            parts.webhooks,
            runtime.clone(),
            parts.connection_checks,
        );
        let forwarding = forwarding::Forwarding::new(
            recorder.clone(),
            parts.attempt_log.clone(),
            checkpoints.clone(),
            parts.forwarding,
            runtime,
        )?;
        let policies = policies::Policies::default();
        Ok(Self {
            audit: audit::Audit::new(recorder.clone(), parts.attempt_log),
            histories: history::Histories::new(recorder.clone()),
            events: events::Events::new(recorder.clone()),
            checkpoints,
            sync_jobs,
            bulk_jobs,
            kms: kms::KmsAccounts::new(recorder.clone(), secrets.clone(), cloud.clone()),
            alarms,
            drift: drift::DriftEvents,
            forwarding,
            keys,
            templates: templates::Templates::new(recorder.clone(), operations),
            schedules,
            connections,
            reports,
            backups,
            key_stores,
            posture: posture::Posture::new(recorder.clone(), policies.clone()),
            key_access: key_access::KeyAccess::new(cloud, trails.clone(), policies),
            source_keys,
            users,
            password_policies: password_policies::PasswordPolicies::new(recorder.clone()),
            groups: groups::Groups::new(recorder.clone()),
            metrics_token: metrics_token::MetricsToken::new(recorder.clone(), secrets.clone()),
            tokens: tokens::Tokens::new(recorder.clone(), &secrets, proof, parts.refresh)?,
            trails,
            recorder,
            token_key_days: parts.token_key_days,
        })
    }

    /// Starts the work during which AWS calls the XKS proxy, which must listen by now: the recovery of pending
    /// operations on key stores, and schedules.
    pub fn begin_work(&self) {
        self.key_stores.recover();
        self.schedules.run_forever();
        self.posture.count_forever(&Handle::current());
        self.reports.resume();
        self.backups.end_interrupted();
        self.alarms.begin_work();
        self.audit.follow_forever(&Handle::current());
        self.forwarding.begin_work();
        self.checkpoints.make_forever(&Handle::current());
        if let Some(days) = self.token_key_days {
            self.tokens.rotate_forever(&Handle::current(), days);
        }
    }

    /// Returns whether the log still accepts changes.
    pub fn is_accepting(&self) -> bool {
        self.recorder.ledger().is_accepting()
    }

    pub fn now(&self) -> Time {
        self.recorder.now()
    }

    /// The log itself, for callers that read all records.
    pub fn ledger(&self) -> &Ledger {
        self.recorder.ledger()
    }

    /// The XKS proxy, which a listener of its own serves.
    pub fn proxy(&self) -> Proxy {
        self.key_stores.proxy()
    }

    /// The published state.
    pub fn state(&self) -> Arc<Published> {
        self.recorder.state()
    }
}

fn system_change(request_id: &str) -> Change {
    Change::of(Actor::System, request_id.into())
}
