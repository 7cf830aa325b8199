//! An installation for tests of the services: a real log and keyring, a scripted AWS, a clock that a test moves, and
//! a stop as sudden as that of a killed process.

use super::access::{Permit, Right};
use super::backups::{BackupSettings, Backups};
use super::caller::{Caller, RequestContext};
use super::connections::NewConnection;
use super::keys::{KeyRequest, PolicyChoice};
use super::kms::Addition;
use super::limits::Limits;
use super::passwords::Hashing;
use super::recorder::Recorder;
use super::reports::ReportSettings;
use super::tokens::RefreshDefaults;
use super::users::NewUser;
use super::{FirstAdmin, Parts, ReportFiles, Services, system_change};
use crate::attempt_log::{self, AttemptLog};
use crate::aws::kms::scripted::{NOW, ScriptedKms};
use crate::aws::scripted::ScriptedAws;
use crate::call_journal::{Bounds, CallJournal};
use crate::domain::acl::{AclChange, Principal};
use crate::domain::action::Action;
use crate::domain::command::Command;
use crate::domain::connection::{ConnectionSettings, StsEndpoints};
use crate::domain::id::{KeyId, KmsId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::Origin;
use crate::domain::key::command::KeyCommand;
use crate::domain::name::{ConnectionName, KmsName, UserName};
use crate::domain::place::{AccountId, Partition, Region};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::domain::user::patch::ProfilePatch;
use crate::keyring::Keyring;
use crate::ledger::{Ledger, LedgerOptions, Record};
use crate::report_store;
use std::future::Future;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

pub(super) const ACCOUNT: &str = "123456789012";
const BOUNDS: Bounds = Bounds { change_bytes: 16 << 20, read_bytes: 16 << 20, days: 30 };
pub(super) const REGION: &str = "eu-west-3";

/// A journal of calls in a data directory.
pub(super) fn attempts(home: &Path) -> AttemptLog {
    let bounds = attempt_log::Bounds { bytes: 1 << 20, days: 400 };
    AttemptLog::open(&home.join("attempts"), bounds).expect("a log of attempts")
}

pub(super) fn journal(home: &Path, ledger: &Ledger) -> CallJournal {
    let log = ledger.state();
    let known = (log.head > 0).then(|| log.time.nanos() / 1_000_000);
    CallJournal::open(&home.join("aws-calls"), BOUNDS, known).expect("a journal")
}

/// Files of reports in a data directory.
pub(super) fn report_files(home: &Path) -> ReportFiles {
    ReportFiles {
        directory: home.join("reports"),
        bounds: report_store::Bounds { report_bytes: 16 << 20, all_bytes: 64 << 20, reserve_bytes: 0 },
        settings: ReportSettings { most: 100, time_limit: Duration::from_secs(60), at_once: 2 },
    }
}

/// The installation. Its clock starts at [`NOW`], 2026-01-01T00:00:00Z, a Thursday.
pub(super) struct World {
    process: Option<Process>,
    home: TempDir,
    keyring: Keyring,
    pub kms: Arc<ScriptedKms>,
    pub aws: Arc<ScriptedAws>,
    clock: Arc<AtomicI64>,
    /// The days after which the token key is replaced; 0 for never.
    pub(super) token_key_days: u32,
    /// The time limit of reports, from the next start on.
    pub report_time_limit: Duration,
}

struct Process {
    services: Services,
    runtime: Runtime,
}

impl World {
    /// Starts an installation with one KMS, named `kms`.
    pub(super) fn new() -> Self {
        let mut world = Self {
            process: None,
            home: TempDir::new().expect("a directory"),
            keyring: Keyring::for_tests(),
            kms: Arc::new(ScriptedKms::in_account(ACCOUNT)),
            aws: Arc::new(ScriptedAws::with_account(ACCOUNT, &[REGION, "eu-west-1"])),
            clock: Arc::new(AtomicI64::new(NOW.nanos())),
            token_key_days: 0,
            report_time_limit: Duration::from_secs(60),
        };
        world.start();
        world.add_kms();
        world
    }

    /// Starts the program, or restarts it after [`World::kill`].
    pub(super) fn start(&mut self) {
        let runtime = Runtime::new().expect("a runtime");
        let now = self.clock.clone();
        let clock: super::Clock = Arc::new(move || Time::from_nanos(now.load(Ordering::Relaxed)));
        let options = LedgerOptions { clock: clock.clone(), ..LedgerOptions::default() };
        let services = runtime.block_on(async {
            let rules = crate::webhook::UrlRules { local_addresses: true, http: true };
            let ledger = Ledger::open(self.home.path(), options).expect("a log");
            let mut report_files = report_files(self.home.path());
            report_files.settings.time_limit = self.report_time_limit;
            let settings = BackupSettings::without_schedules(self.home.path().to_owned());
            let backups = Backups::new(ledger.clone(), self.keyring.clone(), settings);
            let parts = Parts {
                attempt_log: attempts(self.home.path()),
                call_journal: journal(self.home.path(), &ledger),
                ledger,
                keyring: self.keyring.clone(),
                backups,
                forwarding: super::forwarding::ForwardingSettings {
                    directory: self.home.path().join("forwarding"),
                    file: None,
                    collector: None,
                },
                report_files,
                checkpoints: super::checkpoints::CheckpointSettings {
                    data_dir: self.home.path().to_owned(),
                    directory: None,
                },
                aws: self.aws.clone(),
                aws_kms: self.kms.clone(),
                clock,
                hashing: Hashing { memory_kib: 8, iterations: 1, parallelism: 1, at_once: 1 },
                refresh: RefreshDefaults::default(),
                release_keys_on_delete: false,
                limits: Limits::default(),
                consistency_wait_seconds: 300,
                xks_listens: false,
                xks_calls_per_second: 0,
                token_key_days: NonZeroU32::new(self.token_key_days),
                webhooks: crate::webhook::Sender::new(rules, None).expect("a client"),
                connection_checks: None,
            };
            let name = UserName::parse("admin").expect("a name");
            let password = Zeroizing::new("Lab-secret-4-tests".to_owned());
            let first = || Ok::<_, super::failure::Failure>(FirstAdmin { name, password, must_change: false });
            let services = Services::start(parts, first).await.expect("it starts");
            services.begin_work();
            services
        });
        self.process = Some(Process { services, runtime });
    }

    /// Stops the program in the middle of its work.
    pub(super) fn kill(&mut self) {
        let Process { services, runtime } = self.process.take().expect("it runs");
        runtime.shutdown_timeout(Duration::from_secs(5));
        drop(services);
    }

    /// The data directory.
    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Opens the log for a test that acts as the program. Valid between [`World::kill`] and [`World::start`] only.
    pub(super) fn open_log(&self) -> Recorder {
        let now = self.clock.clone();
        let clock: super::Clock = Arc::new(move || Time::from_nanos(now.load(Ordering::Relaxed)));
        let options = LedgerOptions { clock: clock.clone(), ..LedgerOptions::default() };
        Recorder::new(Ledger::open(self.home.path(), options).expect("a log"), clock, Limits::default())
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000_000, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> Time {
        Time::from_nanos(self.clock.load(Ordering::Relaxed))
    }

    pub(super) fn services(&self) -> &Services {
        &self.process.as_ref().expect("it runs").services
    }

    pub(super) fn recorder(&self) -> Recorder {
        self.services().recorder.clone()
    }

    /// Appends a change of a key, with the system as its actor.
    pub(super) fn record(&self, command: KeyCommand) {
        let recorded = async { self.recorder().append(&system_change("test"), Command::Key(command)).await };
        self.run(recorded).map(drop).unwrap_or_else(|failure| panic!("{failure}"));
    }

    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.process.as_ref().expect("it runs").runtime.block_on(work)
    }

    /// Waits until `holds` returns true for the state, for ten seconds at most.
    pub(super) fn until(&self, what: &str, holds: impl Fn(&State) -> bool) {
        let recorder = self.recorder();
        self.run(async move {
            let mut head = recorder.ledger().watch_head();
            let wait = async {
                while !holds(&recorder.state().state) {
                    head.changed().await.expect("the log goes on");
                }
            };
            tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap_or_else(|_| panic!("{what}"));
        });
    }

    /// A copy of the current state.
    pub(super) fn state(&self) -> State {
        self.recorder().state().state.clone()
    }

    /// All records of the log.
    pub(super) fn records(&self) -> Vec<Record> {
        let recorder = self.recorder();
        self.run(async move {
            let mut records: Vec<Record> = Vec::new();
            loop {
                let more = recorder.ledger().read_range(records.len() as u64 + 1, 1000).await.expect("a whole log");
                if more.is_empty() {
                    return records;
                }
                records.extend(more);
            }
        })
    }

    pub(super) fn context() -> RequestContext {
        RequestContext { request_id: "test".into(), dry_run: false, source: None, expected: None }
    }

    /// A user as a caller.
    pub(super) fn caller(&self, name: &str) -> Caller {
        let published = self.recorder().state();
        let user = published.state.user_named(&UserName::parse(name).expect("a name")).expect("a user").clone();
        Caller::absent(user, published)
    }

    pub(super) fn admin<R: Right>(&self) -> Permit<R> {
        Permit::authorize(self.caller("admin")).unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Creates a user who is in no group and is granted these actions on the KMS.
    pub(super) fn user(&self, name: &str, actions: &[Action]) -> Caller {
        let new = NewUser {
            name: UserName::parse(name).expect("a name"),
            profile: ProfilePatch::default(),
            password: Zeroizing::new("Lab-secret-4-tests".to_owned()),
            must_change: false,
            password_policy: None,
        };
        let context = Self::context();
        let made = self.services().users.create(self.admin(), &context, new);
        let made = self.run(made).unwrap_or_else(|failure| panic!("{failure}"));
        if !actions.is_empty() {
            let principal = Principal::User(made.id);
            let permit = AclChange { principal: principal.clone(), actions: actions.to_vec(), permit: true };
            // A permit brings the views that its actions need; the tests give exact actions.
            let brought = actions.iter().flat_map(|action| action.needed_views()).copied();
            let brought = brought.filter(|view| !actions.contains(view) && !actions.contains(&Action::View)).collect();
            let changes = vec![permit, AclChange { principal, actions: brought, permit: false }];
            let permit = super::access::KmsPermit::authorize(self.caller("admin"), self.kms_id());
            let permit = permit.unwrap_or_else(|failure| panic!("{failure}"));
            let changed = self.run(self.services().kms.update_acls(permit, &Self::context(), changes));
            changed.map(drop).unwrap_or_else(|failure| panic!("{failure}"));
        }
        self.caller(name)
    }

    pub(super) fn kms_id(&self) -> KmsId {
        self.state().kms_named(&KmsName::parse("kms").expect("a name")).expect("it is there").id
    }

    /// Creates a symmetric key with an alias and a policy.
    pub(super) fn key(&self, alias: &str, policy: PolicyChoice) -> Arc<Key> {
        let request = KeyRequest {
            kms: "kms".to_owned(),
            region: Region::parse(REGION).expect("a region"),
            aliases: vec![crate::domain::key::name::AliasName::parse_own(alias).expect("an alias")],
            spec: None,
            usage: None,
            origin: Origin::AwsKms,
            description: alias.to_owned(),
            multi_region: false,
            policy,
            bypass_lockout_check: false,
            tags: Vec::new(),
        };
        let made = self.run(self.services().keys.create(&self.admin(), &Self::context(), request));
        made.unwrap_or_else(|failure| panic!("{failure}")).key
    }

    /// The current entry of a key.
    pub(super) fn known(&self, id: KeyId) -> Arc<Key> {
        self.state().key(id).expect("it is known").clone()
    }

    fn add_kms(&self) {
        let settings = ConnectionSettings {
            description: String::new(),
            access_key_id: "AKIA1".to_owned(),
            cloud: Partition::Aws,
            role: None,
            region: None,
            sts_endpoints: StsEndpoints::Legacy,
            products: Vec::new(),
            labels: None,
            meta: None,
        };
        let secret = Zeroizing::new("s3cret".to_owned());
        let new = NewConnection { settings, secret, roles_anywhere: None };
        let name = ConnectionName::parse("aws").expect("a name");
        let installed = self.run(self.services().connections.install(name, new));
        installed.map(drop).unwrap_or_else(|failure| panic!("{failure}"));
        let addition = Addition {
            name: KmsName::parse("kms").expect("a name"),
            account: AccountId::parse(ACCOUNT).expect("an account"),
            connection: "aws".to_owned(),
            role: None,
            regions: vec![Region::parse(REGION).expect("a region")],
        };
        let added = self.run(self.services().kms.add(self.admin(), &Self::context(), addition));
        added.map(drop).unwrap_or_else(|failure| panic!("{failure}"));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}
