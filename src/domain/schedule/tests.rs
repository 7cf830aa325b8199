//! The rules of schedules.

use super::patch::SynchronizationPatch;
use super::*;
use crate::domain::event::Event;
use crate::domain::event::KmsEvent;
use crate::domain::id::ConnectionId;
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::event::KeyEvent;
use crate::domain::key::event::{Aspect, NATIVE, RotationJob};
use crate::domain::key::example;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::name::{AwsKeyId, KeyArn};
use crate::domain::name::KmsName;
use crate::domain::patch::Patch;
use crate::domain::place::{AccountId, Arn, Partition, Region};
use crate::domain::refusal::KmsRefusal;
use crate::domain::refusal::{Refusal, ScheduleRefusal};
use crate::domain::scenario::Given;
use uuid::Uuid;

const ID: ScheduleId = ScheduleId::new(Uuid::from_u128(1));
const RUN: JobId = JobId::new(Uuid::from_u128(2));
const OTHER_RUN: JobId = JobId::new(Uuid::from_u128(3));
const KMS: KmsId = KmsId::new(Uuid::from_u128(4));
const KEY: KeyId = KeyId::new(Uuid::from_u128(5));

/// 2026-01-01T00:00:00Z, a Thursday.
const START: Time = Time::from_nanos(1_767_225_600_000_000_000);
const HOUR: i64 = 3_600;

fn name(text: &str) -> ScheduleName {
    ScheduleName::parse(text).expect("a name")
}

fn hourly() -> ScheduleSettings {
    ScheduleSettings {
        description: String::new(),
        run_at: Cron::parse("0 * * * *").expect("a cron expression"),
        start: None,
        end: None,
        disabled: false,
        work: Work::RotateKeys(RotationPlan::default()),
    }
}

fn created() -> ScheduleEvent {
    ScheduleEvent::Created { name: name("hourly"), settings: hourly() }
}

fn started(cause: Cause) -> ScheduleEvent {
    ScheduleEvent::RunStarted { run: RUN, cause }
}

/// The state after these events of the schedule, a minute apart.
fn scheduled(events: impl IntoIterator<Item = ScheduleEvent>) -> Given {
    Given::dated(START, 60, events.into_iter().map(|event| Event::Schedule(ID, event)))
}

/// Adds a KMS with a key that the schedule rotates.
fn with_a_key(mut state: Given) -> Given {
    let account = AccountId::parse("123456789012").expect("an account");
    let region = Region::parse("eu-west-3").expect("a region");
    let aws_id = AwsKeyId::parse("1234abcd-12ab-34cd-56ef-1234567890ab").expect("an id");
    let added = KmsEvent::Added {
        name: KmsName::parse("kms").expect("a name"),
        account,
        arn: Arn::parse("arn:aws:iam::123456789012:user/claviger").expect("an ARN"),
        connection: ConnectionId::new(Uuid::from_u128(6)),
        role: None,
        regions: vec![region.clone()],
        cloud: Partition::Aws,
    };
    let arn = KeyArn::of(account, region.clone(), aws_id);
    let metadata = KeyMetadata { arn, created_at: Some(START), ..example::snapshot(0, "").metadata };
    let found = KeyEvent::Found { kms: KMS, region, learned: vec![Aspect::Metadata(Box::new(metadata))] };
    state.push_at(START, Event::Kms(KMS, added));
    state.push_at(START, Event::Key(KEY, found));
    state.push_at(START, Event::Key(KEY, KeyEvent::RotationJobSet { job: Some(job()) }));
    state
}

fn job() -> RotationJob {
    RotationJob {
        schedule: ID,
        key_source: NATIVE.to_owned(),
        disable_encrypt: false,
        disable_encrypt_on_all_accounts: false,
    }
}

#[test]
fn a_name_is_had_by_one_schedule() {
    let other = ScheduleId::new(Uuid::from_u128(9));
    let create = |name| ScheduleCommand::Create { id: other, name, settings: Box::new(hourly()), run_on: None };
    let state = scheduled([created()]);
    state.when(create(name("hourly"))).then_refused(ScheduleRefusal::NameTaken(name("hourly")));
    state.when(create(name("daily"))).then_done();
    let state = scheduled([created(), ScheduleEvent::Deleted]);
    state.when(create(name("hourly"))).then_done();
}

#[test]
fn settings_that_contradict_themselves_are_refused() {
    let (start, end) = (Some(START.plus_seconds(1)), Some(START));
    let settings = ScheduleSettings { start, end, ..hourly() };
    let refused = scheduled([])
        .when(ScheduleCommand::Create { id: ID, name: name("a"), settings: Box::new(settings), run_on: None })
        .refusal();
    assert!(matches!(refused, Refusal::Invalid { member: "end_date", .. }), "{refused:?}");
    let work = Work::Synchronize(SynchronizationPlan::Kms(vec![KMS]));
    let settings = ScheduleSettings { work, ..hourly() };
    let create = ScheduleCommand::Create { id: ID, name: name("a"), settings: Box::new(settings), run_on: None };
    scheduled([]).when(create).then_refused(KmsRefusal::Unknown(KMS.to_string()));
}

#[test]
fn the_same_settings_again_are_no_change() {
    let update = |patch| scheduled([created()]).when(ScheduleCommand::Update { id: ID, patch: Box::new(patch) });
    update(SchedulePatch { name: Some("hourly".to_owned()), ..SchedulePatch::default() }).then([]);
    let end = example::at(9);
    let disabled = ScheduleSettings { disabled: true, end: Some(end), ..hourly() };
    update(SchedulePatch { disabled: Some(true), end: Patch::Set(end), ..SchedulePatch::default() })
        .then([Event::Schedule(ID, ScheduleEvent::Updated { settings: disabled })]);
    let renamed = update(SchedulePatch { name: Some("daily".to_owned()), ..SchedulePatch::default() }).refusal();
    assert!(matches!(renamed, Refusal::Invalid { member: "name", .. }), "{renamed:?}");
    let synchronization = Some(SynchronizationPatch::All);
    let other_work = update(SchedulePatch { synchronization, ..SchedulePatch::default() }).refusal();
    assert!(matches!(other_work, Refusal::Invalid { member: "cckm_synchronization_params", .. }), "{other_work:?}");
}

#[test]
fn the_node_that_a_client_asks_for_is_kept() {
    let create = |run_on: &str| {
        let (name, run_on) = (name("hourly"), Some(run_on.to_owned()));
        ScheduleCommand::Create { id: ID, name, settings: Box::new(hourly()), run_on }
    };
    let update = |run_on: Option<&str>| {
        let patch = SchedulePatch { run_on: run_on.map(str::to_owned), ..SchedulePatch::default() };
        ScheduleCommand::Update { id: ID, patch: Box::new(patch) }
    };
    let moved = |to: &str| Event::Schedule(ID, ScheduleEvent::RunOnChanged { to: to.to_owned() });
    scheduled([]).when(create(ANY_NODE)).then([Event::Schedule(ID, created())]);
    let state = scheduled([]).when(create("node-2")).then([Event::Schedule(ID, created()), moved("node-2")]);
    assert_eq!(state.schedule(ID).expect("there").run_on, "node-2");
    state.when(update(None)).then([]);
    state.when(update(Some("node-2"))).then([]);
    let state = state.when(update(Some(ANY_NODE))).then([moved(ANY_NODE)]);
    assert_eq!(state.schedule(ID).expect("there").next_due(), Some(START.plus_seconds(HOUR)));
}

#[test]
fn it_is_due_after_it_was_made_and_after_what_was_dealt_with() {
    let due = |events: &[ScheduleEvent]| scheduled(events.to_vec()).schedule(ID).expect("there").next_due();
    let one = START.plus_seconds(HOUR);
    assert_eq!(due(&[created()]), Some(one));
    // A run that was due makes up for all times up to now; a requested run does not.
    assert_eq!(due(&[created(), started(Cause::Asked)]), Some(one));
    let mut state = scheduled([created()]);
    let late = START.plus_seconds(5 * HOUR + 60);
    state.push_at(late, Event::Schedule(ID, started(Cause::Missed(one))));
    assert_eq!(state.schedule(ID).expect("there").next_due(), Some(START.plus_seconds(6 * HOUR)));
}

#[test]
fn it_is_due_between_start_and_end_and_not_while_disabled() {
    let due = |settings: ScheduleSettings| {
        let updated = ScheduleEvent::Updated { settings };
        scheduled([created(), updated]).schedule(ID).expect("there").next_due()
    };
    let at = |hours| Some(START.plus_seconds(hours * HOUR));
    assert_eq!(due(ScheduleSettings { start: at(7), ..hourly() }), at(7), "the start itself counts");
    assert_eq!(due(ScheduleSettings { end: at(1), ..hourly() }), at(1), "the end itself counts");
    assert_eq!(due(ScheduleSettings { end: Some(START.plus_seconds(HOUR - 1)), ..hourly() }), None);
    assert_eq!(due(ScheduleSettings { disabled: true, ..hourly() }), None);
}

#[test]
fn the_runs_until_a_moment_end_with_the_schedule_or_then() {
    let runs = |end: Option<i64>, hours: i64, count: usize| {
        let settings = ScheduleSettings { end: end.map(|hours| START.plus_seconds(hours * HOUR)), ..hourly() };
        settings.runs_until(START, START.plus_seconds(hours * HOUR), count).len()
    };
    assert_eq!([runs(None, 5, 9), runs(Some(3), 5, 9), runs(Some(7), 5, 9), runs(None, 5, 2)], [5, 3, 5, 2]);
    let disabled = ScheduleSettings { disabled: true, ..hourly() };
    assert_eq!(disabled.runs_until(START, START.plus_seconds(HOUR), 9), []);
}

#[test]
fn what_was_due_while_it_was_disabled_is_not_made_up_for() {
    let mut state = scheduled([created()]);
    let update = |disabled| ScheduleEvent::Updated { settings: ScheduleSettings { disabled, ..hourly() } };
    state.push_at(START, Event::Schedule(ID, update(true)));
    state.push_at(START.plus_seconds(9 * HOUR), Event::Schedule(ID, update(false)));
    assert_eq!(state.schedule(ID).expect("there").next_due(), Some(START.plus_seconds(10 * HOUR)));
    // Another description alone leaves what is due as it is.
    let settings = ScheduleSettings { description: "x".to_owned(), ..hourly() };
    state.push_at(START.plus_seconds(20 * HOUR), Event::Schedule(ID, ScheduleEvent::Updated { settings }));
    assert_eq!(state.schedule(ID).expect("there").next_due(), Some(START.plus_seconds(10 * HOUR)));
}

#[test]
fn two_runs_are_never_at_the_same_time() {
    let state = scheduled([created(), started(Cause::Asked)]);
    let running = ScheduleRefusal::Running { schedule: name("hourly"), run: RUN };
    let start = ScheduleCommand::StartRun { id: ID, run: OTHER_RUN, cause: Cause::Asked };
    state.when(start.clone()).then_refused(running.clone());
    state.when(ScheduleCommand::Delete { id: ID, force: true }).then_refused(running.clone());
    let finished = ScheduleEvent::RunFinished { run: RUN, outcome: RunOutcome::Done };
    let state = scheduled([created(), started(Cause::Asked), finished]);
    state.when(start).then_done();
    let run = state.schedules.runs.get(&RUN).expect("it is remembered");
    assert_eq!(run.ended, Some((START.plus_seconds(120), RunOutcome::Done)));
}

#[test]
fn only_the_run_in_progress_processes_keys_and_ends() {
    let record = |run, key| {
        let outcome = KeyOutcome::MaterialRotated;
        ScheduleCommand::RecordKey { id: ID, run, key, outcome }
    };
    let finish = |run| ScheduleCommand::FinishRun { id: ID, run, outcome: RunOutcome::Done };
    let processed = ScheduleEvent::KeyTreated { run: RUN, key: KEY, outcome: KeyOutcome::MaterialRotated };
    let finished = ScheduleEvent::RunFinished { run: RUN, outcome: RunOutcome::Done };
    let state = scheduled([created(), started(Cause::Asked)]);
    state.when(record(OTHER_RUN, KEY)).then([]);
    state.when(finish(OTHER_RUN)).then([]);
    let state = state.when(record(RUN, KEY)).then([Event::Schedule(ID, processed)]);
    state.when(record(RUN, KEY)).then([]);
    let state = state.when(finish(RUN)).then([Event::Schedule(ID, finished)]);
    state.when(record(RUN, KEY)).then([]);
    state.when(finish(RUN)).then([]);
}

#[test]
fn the_last_hundred_runs_are_remembered() {
    let mut state = scheduled([created()]);
    for n in 0..250 {
        let run = JobId::new(Uuid::from_u128(1_000 + n));
        state.push_at(START, Event::Schedule(ID, ScheduleEvent::RunStarted { run, cause: Cause::Asked }));
        state.push_at(START, Event::Schedule(ID, ScheduleEvent::RunFinished { run, outcome: RunOutcome::Done }));
    }
    let first = state.schedules.runs.iter().next().map(|run| run.id);
    assert_eq!((state.schedules.runs.len(), first), (RUNS_MAX, Some(JobId::new(Uuid::from_u128(1_150)))));
}

#[test]
fn a_schedule_with_keys_is_deleted_only_by_force_and_frees_them() {
    let state = with_a_key(scheduled([created()]));
    let refused = state.when(ScheduleCommand::Delete { id: ID, force: false });
    refused.then_refused(ScheduleRefusal::HasKeys { schedule: name("hourly"), keys: 1 });
    let freed = Event::Key(KEY, KeyEvent::RotationJobSet { job: None });
    let deleted = Event::Schedule(ID, ScheduleEvent::Deleted);
    state.when(ScheduleCommand::Delete { id: ID, force: true }).then([freed, deleted]);
}

#[test]
fn keys_that_are_deleted_do_not_keep_their_schedule() {
    let pending = |state| {
        let key = with_a_key(scheduled([created()]));
        let metadata = KeyMetadata { state, ..key.keys.get(&KEY).expect("a key").metadata.clone() };
        let learned = vec![Aspect::Metadata(Box::new(metadata))];
        (key, Event::Key(KEY, KeyEvent::Observed { learned }))
    };
    let events = || {
        let freed = Event::Key(KEY, KeyEvent::RotationJobSet { job: None });
        [freed, Event::Schedule(ID, ScheduleEvent::Deleted)]
    };
    for ending in [KeyState::PendingDeletion, KeyState::PendingReplicaDeletion] {
        let (mut state, observed) = pending(ending);
        state.push_at(START, observed);
        state.when(ScheduleCommand::Delete { id: ID, force: false }).then(events());
    }
    let mut state = with_a_key(scheduled([created()]));
    state.push_at(START, Event::Key(KEY, KeyEvent::Vanished));
    state.when(ScheduleCommand::Delete { id: ID, force: false }).then(events());
    let (mut state, observed) = pending(KeyState::Disabled);
    state.push_at(START, observed);
    let refused = state.when(ScheduleCommand::Delete { id: ID, force: false });
    refused.then_refused(ScheduleRefusal::HasKeys { schedule: name("hourly"), keys: 1 });
}

#[test]
fn a_key_goes_under_a_schedule_that_rotates_keys_and_under_no_other() {
    use crate::domain::key::command::KeyCommand;
    let set = |state: &Given| state.when(KeyCommand::SetRotationJob { id: KEY, job: Some(job()) });
    let state = with_a_key(scheduled([]));
    set(&state).then_refused(Refusal::Schedule(ScheduleRefusal::Unknown(ID.to_string())).of("job_config_id"));
    let work = Work::Synchronize(SynchronizationPlan::All);
    let settings = ScheduleSettings { work, ..hourly() };
    let other = with_a_key(scheduled([ScheduleEvent::Created { name: name("sync"), settings }]));
    set(&other).then_refused(ScheduleRefusal::NotRotating(name("sync")));
}
