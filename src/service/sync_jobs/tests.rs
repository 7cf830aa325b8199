//! Tests of synchronisation against a scripted KMS: reads, records, failures and restarts.

use super::*;
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{CreateKey, DescribeKey, GetKeyLastUsage, ListKeys};
use crate::aws::kms::scripted::{Cue, ScriptedKms, refused};
use crate::aws::operation::AwsOperation;
use crate::aws::scripted::ScriptedAws;
use crate::domain::connection::{ConnectionSettings, StsEndpoints};
use crate::domain::event::{ConnectionEvent, Event, Sealed};
use crate::domain::job::sync::{JobStatus, RegionOutcome, SyncScope};
use crate::domain::key::example::{ACCOUNT, added, connection_id, kms_id, region};
use crate::domain::key::name::AwsKeyId;
use crate::domain::name::{ConnectionName, UserName};
use crate::domain::place::Partition;
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;
use crate::keyring::Keyring;
use crate::ledger::{Context, Ledger, LedgerOptions};
use crate::service::backups::{BackupSettings, Backups};
use crate::service::keys::PolicyChoice;
use crate::service::limits::Limits;
use crate::service::passwords::Hashing;
use crate::service::world::{World, attempts, journal, report_files};
use crate::service::{FirstAdmin, Parts, Services, cloud, system_change};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// The services with a log of their own, and a KMS with two regions: Paris and Ireland.
struct Fixture {
    services: Services,
    aws: Arc<ScriptedKms>,
    ledger: Ledger,
    keyring: Keyring,
    home: TempDir,
}

const REGIONS: [&str; 2] = ["eu-west-3", "eu-west-1"];

impl Fixture {
    async fn new() -> Self {
        let home = TempDir::new().expect("a directory");
        let ledger = Ledger::open(home.path(), LedgerOptions::default()).expect("a log");
        let keyring = Keyring::for_tests();
        let aws = Arc::new(ScriptedKms::in_account(ACCOUNT));
        let services = start(home.path(), &ledger, &keyring, &aws).await;
        let owner = cloud::owner(connection_id());
        let secret = keyring.seal(&owner, cloud::SECRET_ACCESS_KEY, b"secret").expect("sealed");
        let connection = Event::Connection(
            connection_id(),
            ConnectionEvent::Created {
                name: ConnectionName::parse("aws").expect("a name"),
                settings: settings(),
                secret: Sealed(secret),
            },
        );
        let events = vec![connection, added(0, &REGIONS)];
        let context = Context { actor: system_change("test").actor, request_id: "test".to_owned() };
        ledger.execute(context, move |_, _| Ok(events.clone())).await.expect("recorded");
        Self { services, aws, ledger, keyring, home }
    }

    /// Starts other services on the same log, as after a restart. The old ones are idle.
    async fn restarted(&self) -> Services {
        start(self.home.path(), &self.ledger, &self.keyring, &self.aws).await
    }

    fn plant(&self, region_name: &str) -> AwsKeyId {
        self.aws.plant(&region(region_name), &CreateKey::plain()).key_id().clone()
    }

    async fn start(&self, regions: &[&str]) -> Result<JobId, Failure> {
        let regions = Some(regions.iter().map(|name| region(name)).collect());
        let jobs = &self.services.sync_jobs;
        let seen =
            jobs.start_as(&system_change("test"), SyncScope::Keys, None, false, vec![kms_id(0)], regions).await?;
        Ok(seen.job.id)
    }

    /// Runs a job until it ends.
    async fn synchronise(&self, regions: &[&str]) -> Arc<SyncJob> {
        let id = self.start(regions).await.expect("it starts");
        self.end_of(id).await
    }

    async fn end_of(&self, id: JobId) -> Arc<SyncJob> {
        let mut heads = self.ledger.watch_head();
        let ended = async {
            loop {
                let job = self.ledger.state().state.sync_job(id).expect("a job").clone();
                if job.completed.is_some() {
                    return job;
                }
                heads.changed().await.expect("the log goes on");
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it ends")
    }

    async fn until_asked(&self, operation: AwsOperation) {
        let asked = async {
            while self.aws.times(operation) == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), asked).await.expect("it is asked");
    }
}

async fn start(home: &Path, ledger: &Ledger, keyring: &Keyring, aws: &Arc<ScriptedKms>) -> Services {
    let clock = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
        Time::from_nanos(i64::try_from(now).expect("before 2262"))
    };
    let parts = Parts {
        ledger: ledger.clone(),
        keyring: keyring.clone(),
        attempt_log: attempts(home),
        call_journal: journal(home, ledger),
        backups: Backups::new(ledger.clone(), keyring.clone(), BackupSettings::without_schedules(home.to_owned())),
        forwarding: crate::service::forwarding::ForwardingSettings {
            directory: home.join("forwarding"),
            file: None,
            collector: None,
        },
        report_files: report_files(home),
        checkpoints: crate::service::checkpoints::CheckpointSettings { data_dir: home.to_owned(), directory: None },
        aws: Arc::new(ScriptedAws::with_account(ACCOUNT, &REGIONS)),
        aws_kms: aws.clone(),
        clock: Arc::new(clock),
        hashing: Hashing { memory_kib: 8, iterations: 1, parallelism: 1, at_once: 1 },
        refresh: Default::default(),
        release_keys_on_delete: false,
        limits: Limits::default(),
        consistency_wait_seconds: 300,
        xks_listens: false,
        xks_calls_per_second: 0,
        token_key_days: None,
        webhooks: crate::webhook::Sender::new(Default::default(), None).expect("a client"),
        connection_checks: None,
    };
    let first = || {
        let (name, password) =
            (UserName::parse("admin").expect("a name"), Zeroizing::new("Lab-secret-4-tests".to_owned()));
        Ok::<_, Failure>(FirstAdmin { name, password, must_change: false })
    };
    let services = Services::start(parts, first).await.expect("they start");
    services.begin_work();
    services
}

fn settings() -> ConnectionSettings {
    ConnectionSettings {
        description: String::new(),
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        cloud: Partition::Aws,
        role: None,
        region: None,
        sts_endpoints: StsEndpoints::Legacy,
        products: vec![],
        labels: None,
        meta: None,
    }
}

fn counts(job: &SyncJob, part: usize) -> [u64; 5] {
    let counts = job.regions[part].end.as_ref().expect("its end").counts;
    [counts.listed, counts.added, counts.updated, counts.gone, counts.errors]
}

fn outcome(job: &SyncJob, part: usize) -> &RegionOutcome {
    &job.regions[part].end.as_ref().expect("its end").outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_run_finds_all_keys_and_the_second_writes_nothing() {
    let fixture = Fixture::new().await;
    (0..5).for_each(|_| drop(fixture.plant("eu-west-3")));
    fixture.plant("eu-west-1");
    let job = fixture.synchronise(&REGIONS).await;
    assert_eq!(job.status(), JobStatus::Completed);
    assert_eq!((counts(&job, 0), counts(&job, 1)), ([5, 5, 0, 0, 0], [1, 1, 0, 0, 0]));
    assert_eq!(fixture.ledger.state().state.keys.len(), 6);

    let before = fixture.ledger.state().head;
    let job = fixture.synchronise(&REGIONS).await;
    assert_eq!((counts(&job, 0), counts(&job, 1)), ([5, 0, 0, 0, 0], [1, 0, 0, 0, 0]));
    assert_eq!(fixture.ledger.state().head - before, 4, "the job's own events: start, two regions, end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_key_is_updated_and_a_vanished_key_is_gone() {
    let fixture = Fixture::new().await;
    let (changed, vanishing) = (fixture.plant("eu-west-3"), fixture.plant("eu-west-3"));
    fixture.synchronise(&["eu-west-3"]).await;
    let paris = region("eu-west-3");
    fixture.aws.change(&paris, &changed, |key| key.metadata.description = "otherwise".to_owned());
    fixture.aws.vanish(&paris, &vanishing);
    let job = fixture.synchronise(&["eu-west-3"]).await;
    assert_eq!(counts(&job, 0), [1, 0, 1, 1, 0]);
    let state = fixture.ledger.state();
    let key = |id| state.state.key_at_aws(kms_id(0), &paris, id).expect("it is known").clone();
    assert_eq!((key(&changed).metadata.description.as_str(), key(&vanishing).gone), ("otherwise", true));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_failure_of_a_region_does_not_affect_the_others() {
    let fixture = Fixture::new().await;
    REGIONS.iter().for_each(|name| drop(fixture.plant(name)));
    fixture.aws.next(ListKeys::OPERATION, Cue::Fail(refused(ListKeys::OPERATION, "AccessDeniedException", "not here")));
    let job = fixture.synchronise(&REGIONS).await;
    assert_eq!(job.status(), JobStatus::Failed);
    let (failed, done): (Vec<_>, Vec<_>) =
        (0..2).partition(|part| matches!(outcome(&job, *part), RegionOutcome::Failed(_)));
    assert_eq!((failed.len(), done.len()), (1, 1));
    let RegionOutcome::Failed(reason) = outcome(&job, failed[0]) else { unreachable!() };
    assert!(reason.contains("AccessDeniedException: not here"), "{reason}");
    assert_eq!((outcome(&job, done[0]), counts(&job, done[0])), (&RegionOutcome::Done(None), [1, 1, 0, 0, 0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_must_not_be_read_is_counted_and_the_region_continues() {
    let fixture = Fixture::new().await;
    (0..3).for_each(|_| drop(fixture.plant("eu-west-3")));
    let denied = || Cue::Fail(refused(DescribeKey::OPERATION, "AccessDeniedException", "not this one"));
    fixture.aws.next(DescribeKey::OPERATION, denied());
    let job = fixture.synchronise(&["eu-west-3"]).await;
    assert_eq!((job.status(), counts(&job, 0)), (JobStatus::Completed, [3, 2, 0, 0, 1]));
    let RegionOutcome::Done(Some(trouble)) = outcome(&job, 0) else { panic!("{:?}", outcome(&job, 0)) };
    assert!(trouble.contains("AccessDeniedException: not this one"), "{trouble}");

    (0..3).for_each(|_| fixture.aws.next(DescribeKey::OPERATION, denied()));
    let job = fixture.synchronise(&["eu-west-3"]).await;
    assert_eq!(job.status(), JobStatus::Failed, "no key could be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_does_not_tell_the_last_use_is_not_asked_for_every_key() {
    let fixture = Fixture::new().await;
    let keys = 100;
    (0..keys).for_each(|_| drop(fixture.plant("eu-west-3")));
    let denied = || Cue::Fail(refused(GetKeyLastUsage::OPERATION, "AccessDeniedException", "not here"));
    (0..keys).for_each(|_| fixture.aws.next(GetKeyLastUsage::OPERATION, denied()));
    let job = fixture.synchronise(&["eu-west-3"]).await;
    assert_eq!((job.status(), counts(&job, 0)), (JobStatus::Completed, [keys, keys, 0, 0, 0]));
    let RegionOutcome::Done(Some(trouble)) = outcome(&job, 0) else { panic!("{:?}", outcome(&job, 0)) };
    assert!(trouble.starts_with("the last use of its keys is not known: "), "{trouble}");
    let asked = fixture.aws.times(GetKeyLastUsage::OPERATION);
    // Those that were asked at the same time had been asked already.
    assert!((20..60).contains(&asked), "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_ends_while_aws_hangs() {
    let fixture = Fixture::new().await;
    fixture.plant("eu-west-3");
    fixture.aws.next(DescribeKey::OPERATION, Cue::Hang);
    let id = fixture.start(&["eu-west-3"]).await.expect("it starts");
    fixture.until_asked(DescribeKey::OPERATION).await;
    let second = fixture.start(&["eu-west-3"]).await;
    assert!(matches!(second, Err(Failure::Refused(Refusal::Job(JobRefusal::RegionBusy { job, .. }))) if job == id));

    let jobs = &fixture.services.sync_jobs;
    let job = fixture.ledger.state().state.sync_job(id).expect("a job").clone();
    assert_eq!(jobs.seen(&job, &fixture.ledger.state().state).counts[0].0.listed, 1, "counted so far");
    jobs.command(&system_change("test"), SyncCommand::Cancel { id }).await.expect("recorded");
    jobs.running.cancel(id);
    let job = fixture.end_of(id).await;
    assert_eq!((job.cancelled, job.status(), outcome(&job, 0)), (true, JobStatus::Completed, &RegionOutcome::Left));
    fixture.synchronise(&["eu-west-3"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_job_continues_after_a_restart() {
    let fixture = Fixture::new().await;
    fixture.plant("eu-west-3");
    fixture.aws.next(ListKeys::OPERATION, Cue::Hang);
    let id = fixture.start(&["eu-west-3"]).await.expect("it starts");
    fixture.until_asked(ListKeys::OPERATION).await;
    let _again = fixture.restarted().await;
    let job = fixture.end_of(id).await;
    assert_eq!((job.status(), counts(&job, 0)), (JobStatus::Completed, [1, 1, 0, 0, 0]));
}

#[test]
fn changes_are_found_after_the_clock_is_set_back() {
    let world = World::new();
    let key = world.key("payroll", PolicyChoice::Default);
    world.pass(-7200);
    world.kms.change(&key.region, key.aws_id(), |key| key.metadata.description = "changed elsewhere".to_owned());
    let jobs = &world.services().sync_jobs;
    let started =
        world.run(jobs.start_as(&system_change("test"), SyncScope::Keys, None, false, vec![world.kms_id()], None));
    let job = started.unwrap_or_else(|failure| panic!("{failure}")).job.id;
    world.until("it ends", |state| state.sync_job(job).is_ok_and(|job| job.completed.is_some()));
    assert_eq!(world.known(key.id).metadata.description, "changed elsewhere");
}
