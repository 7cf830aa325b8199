//! Tests of schedules with a clock that the tests move: the times, number and outcomes of runs.

use super::*;
use crate::aws::call::AwsCall;
use crate::aws::kms::calls::{CreateKey, ImportKeyMaterial, RotateKeyOnDemand, UpdateAlias};
use crate::aws::kms::scripted::{Cue, refused};
use crate::domain::cron::Cron;
use crate::domain::event::{Actor, Event};
use crate::domain::id::KeyId;
use crate::domain::key::event::{KeyEvent, LOCAL, NATIVE, RotationJob};
use crate::domain::key::spec::KeySpec;
use crate::domain::patch::Patch;
use crate::domain::refusal::{KeyRefusal, Refusal};
use crate::domain::schedule::patch::{RotationPatch, SchedulePatch};
use crate::domain::schedule::{KeyOutcome, RotationPlan, RunOutcome, SynchronizationPlan, Work};
use crate::domain::span::Span;
use crate::domain::time::Time;
use crate::ledger::Record;
use crate::service::access::{KeyPermit, KmsPermit, RotateKey};
use crate::service::keys::PolicyChoice;
use crate::service::world::World;

const HOUR: i64 = 3_600;

fn material() -> RotationPlan {
    RotationPlan { rotate_material: true, ..RotationPlan::default() }
}

fn hourly(world: &World, work: Work) -> ScheduleId {
    let settings = ScheduleSettings {
        description: String::new(),
        run_at: Cron::parse("0 * * * *").expect("a cron expression"),
        start: None,
        end: None,
        disabled: false,
        work,
    };
    let name = ScheduleName::parse("hourly").expect("a name");
    let made = world.run(world.services().schedules.create(
        &world.admin(),
        &World::context(),
        name,
        settings,
        SchedulePatch::default(),
    ));
    made.unwrap_or_else(|failure| panic!("{failure}")).schedule.id
}

fn put_under(world: &World, key: KeyId, schedule: ScheduleId, source: &str) -> Result<(), Failure> {
    let permit = KeyPermit::<RotateKey>::authorize(world.caller("admin"), key)?;
    let job = RotationJob {
        schedule,
        key_source: source.to_owned(),
        disable_encrypt: false,
        disable_encrypt_on_all_accounts: false,
    };
    world.run(world.services().keys.set_rotation_job(&permit, &World::context(), Some(job))).map(drop)
}

/// Creates a schedule with one key.
fn scheduled(world: &World, plan: RotationPlan) -> (ScheduleId, KeyId) {
    let schedule = hourly(world, Work::RotateKeys(plan));
    let key = world.key("payroll", PolicyChoice::Default).id;
    put_under(world, key, schedule, NATIVE).expect("put under it");
    (schedule, key)
}

/// Starts the runs that are due, and waits until they end.
fn run_due(world: &World) {
    let schedules = world.services().schedules.clone();
    world.run(async {
        for run in schedules.start_due(Time::from_nanos(0)).await {
            run.await.expect("a run ends");
        }
    });
    world.until("runs end", |state| state.schedules.all.iter().all(|schedule| schedule.running.is_none()));
}

fn processed(world: &World, run: usize) -> Vec<(KeyId, KeyOutcome)> {
    runs(world)[run].keys.iter().cloned().collect()
}

fn runs(world: &World) -> Vec<Run> {
    world.state().schedules.runs.iter().map(|run| run.as_ref().clone()).collect()
}

#[test]
fn a_run_starts_when_it_is_due_not_before_and_only_once() {
    let world = World::new();
    let (schedule, key) = scheduled(&world, material());
    world.pass(HOUR - 60);
    run_due(&world);
    assert_eq!(runs(&world), []);
    world.pass(60);
    run_due(&world);
    run_due(&world);
    let [run] = &runs(&world)[..] else { panic!("one run is expected: {:?}", runs(&world)) };
    assert_eq!((run.schedule, run.cause), (schedule, Cause::Due(crate::aws::kms::scripted::NOW.plus_seconds(HOUR))));
    assert_eq!(run.ended.as_ref().map(|(_, outcome)| outcome), Some(&RunOutcome::Done));
    assert_eq!(Vec::from_iter(run.keys.clone()), [(key, KeyOutcome::MaterialRotated)]);
    assert_eq!(world.kms.times(RotateKeyOnDemand::OPERATION), 1);
    world.pass(HOUR);
    run_due(&world);
    assert_eq!((runs(&world).len(), world.kms.times(RotateKeyOnDemand::OPERATION)), (2, 2));
}

#[test]
fn the_schedule_is_the_actor_of_all_changes_by_a_run() {
    let world = World::new();
    let (schedule, key) = scheduled(&world, material());
    world.pass(HOUR);
    run_due(&world);
    let rotated = |event: &Event| matches!(event, Event::Key(id, KeyEvent::OperationDone { .. }) if *id == key);
    let record = world.records().into_iter().rfind(|record| rotated(&record.event)).expect("it is recorded");
    assert_eq!(record.actor, Actor::Schedule { id: schedule, name: ScheduleName::parse("hourly").expect("a name") });
    assert_eq!(record.request_id, runs(&world)[0].id.to_string());
    assert_eq!(record.actor.to_string(), "schedule hourly");
}

#[test]
fn the_new_key_takes_over_the_schedule_of_a_replaced_key() {
    let world = World::new();
    let (schedule, old) = scheduled(&world, RotationPlan { retain_alias: true, ..RotationPlan::default() });
    world.pass(HOUR);
    run_due(&world);
    let (processed, KeyOutcome::ReplacedBy(new)) = runs(&world)[0].keys[0] else { panic!("{:?}", runs(&world)) };
    assert_eq!(processed, old);
    let (old, new) = (world.known(old), world.known(new));
    assert_eq!((old.rotated_to, new.rotated_from), (Some(new.id), Some(old.id)));
    assert_eq!((old.rotation_job.as_ref(), new.rotation_job.as_ref().map(|job| job.schedule)), (None, Some(schedule)));
    assert_eq!(new.aliases[0].short(), "payroll");
    assert_eq!(old.aliases[0].short(), "payroll-rotated-20260101010000");
    // The next run rotates the new one.
    world.pass(HOUR);
    run_due(&world);
    assert_eq!(runs(&world)[1].keys.len(), 1);
    assert_eq!(runs(&world)[1].keys[0].0, new.id);
}

#[test]
fn the_failure_of_one_key_does_not_affect_the_others() {
    let world = World::new();
    let (schedule, one) = scheduled(&world, material());
    let two = world.key("other", PolicyChoice::Default).id;
    put_under(&world, two, schedule, NATIVE).expect("put under it");
    let denied = refused(RotateKeyOnDemand::OPERATION, "AccessDeniedException", "no");
    world.kms.next(RotateKeyOnDemand::OPERATION, Cue::Fail(denied));
    world.pass(HOUR);
    run_due(&world);
    let run = &runs(&world)[0];
    let (KeyOutcome::Failed(why), KeyOutcome::MaterialRotated) = (&run.keys[0].1, &run.keys[1].1) else {
        panic!("{:?}", run.keys)
    };
    assert!(why.contains("AccessDeniedException"), "{why}");
    assert_eq!((run.keys[0].0, run.keys[1].0), (one, two));
    let ended = run.ended.as_ref().map(|(_, outcome)| outcome.clone());
    assert_eq!(ended, Some(RunOutcome::Failed("1 of 2 keys were not rotated".to_owned())));
    assert!(matches!(&world.known(one).last_rotation, Some(Err(reason)) if reason.contains("AccessDenied")));
}

#[test]
fn one_run_makes_up_for_all_missed_runs() {
    let mut world = World::new();
    let (_, key) = scheduled(&world, material());
    world.kill();
    world.pass(50 * HOUR + 60);
    world.start();
    world.until("the missed run ends", |state| state.schedules.runs.iter().any(|run| run.ended.is_some()));
    let [run] = &runs(&world)[..] else { panic!("one run is expected: {:?}", runs(&world)) };
    assert_eq!(run.cause, Cause::Missed(crate::aws::kms::scripted::NOW.plus_seconds(HOUR)));
    assert_eq!(Vec::from_iter(run.keys.clone()), [(key, KeyOutcome::MaterialRotated)]);
    run_due(&world);
    assert_eq!(runs(&world).len(), 1);
}

#[test]
fn an_interrupted_run_continues_and_rotates_no_key_twice() {
    let mut world = World::new();
    let (schedule, one) = scheduled(&world, material());
    let two = world.key("other", PolicyChoice::Default).id;
    put_under(&world, two, schedule, NATIVE).expect("put under it");
    // AWS rotates the first key, and the program ends before the response.
    world.kms.next(RotateKeyOnDemand::OPERATION, Cue::HangAfter);
    world.pass(HOUR);
    drop(world.run(world.services().schedules.start_due(Time::from_nanos(0))));
    let began = |state: &State| state.keys.get(&one).is_some_and(|key| key.pending.is_some());
    world.until("the first key's rotation begins", began);
    let kms = world.kms.clone();
    world.run(async move {
        while kms.times(RotateKeyOnDemand::OPERATION) == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
    world.kill();
    world.pass(60);
    world.start();
    world.until("the run ends", |state| state.schedules.runs.iter().all(|run| run.ended.is_some()));
    let [run] = &runs(&world)[..] else { panic!("one run is expected: {:?}", runs(&world)) };
    let rotated = |key| (key, KeyOutcome::MaterialRotated);
    assert_eq!(Vec::from_iter(run.keys.clone()), [rotated(one), rotated(two)]);
    assert_eq!(world.kms.times(RotateKeyOnDemand::OPERATION), 2, "each key once");
}

#[test]
fn a_key_that_was_being_replaced_when_the_program_ended_is_replaced_once_and_recorded_in_the_run() {
    let mut world = World::new();
    let (schedule, old) = scheduled(&world, RotationPlan::default());
    // AWS creates the new key, and the program ends before the response.
    world.kms.next(CreateKey::OPERATION, Cue::HangAfter);
    world.pass(HOUR);
    drop(world.run(world.services().schedules.start_due(Time::from_nanos(0))));
    let kms = world.kms.clone();
    world.run(async move {
        while kms.keys().len() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
    world.kill();
    // The result does not depend on the clock.
    world.pass(-2 * HOUR);
    world.start();
    world.until("the run ends", |state| state.schedules.runs.iter().all(|run| run.ended.is_some()));
    let (processed, KeyOutcome::ReplacedBy(new)) = runs(&world)[0].keys[0] else { panic!("{:?}", runs(&world)) };
    assert_eq!((processed, world.kms.keys().len()), (old, 2));
    assert_eq!(world.known(new).rotation_job.as_ref().map(|job| job.schedule), Some(schedule));
    assert_eq!(world.known(new).aliases[0].short(), "payroll");
}

#[test]
fn pending_material_is_rotated_to_before_more_is_imported() {
    let world = World::new();
    let replaces = hourly(&world, Work::RotateKeys(RotationPlan::default()));
    let native = world.key("payroll", PolicyChoice::Default).id;
    put_under(&world, native, replaces, LOCAL).expect("put under it");
    world.pass(HOUR);
    run_due(&world);
    let KeyOutcome::ReplacedBy(key) = runs(&world)[0].keys[0].1 else { panic!("{:?}", runs(&world)) };
    let rotation = Some(RotationPatch { rotate_material: Some(true), ..RotationPatch::default() });
    let update = SchedulePatch { rotation, ..SchedulePatch::default() };
    let updated = world.run(world.services().schedules.update(&world.admin(), &World::context(), replaces, update));
    updated.map(drop).unwrap_or_else(|failure| panic!("{failure}"));
    let denied = refused(RotateKeyOnDemand::OPERATION, "LimitExceededException", "no");
    world.kms.next(RotateKeyOnDemand::OPERATION, Cue::Fail(denied));
    world.pass(HOUR);
    run_due(&world);
    assert!(matches!(processed(&world, 1)[..], [(id, KeyOutcome::Failed(_))] if id == key), "{:?}", runs(&world));
    let imports = || world.kms.times(ImportKeyMaterial::OPERATION);
    assert_eq!(imports(), 2);
    world.pass(HOUR);
    run_due(&world);
    assert_eq!(processed(&world, 2), [(key, KeyOutcome::MaterialRotated)]);
    assert_eq!((imports(), world.state().source_keys.len()), (2, 2));
}

#[test]
fn a_requested_run_starts_at_once_and_not_while_another_runs() {
    let world = World::new();
    let (schedule, _) = scheduled(&world, material());
    world.kms.next(RotateKeyOnDemand::OPERATION, Cue::Hang);
    let run_now = || world.run(world.services().schedules.run_now(&world.admin(), &World::context(), schedule));
    let run = run_now().unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((run.cause, run.ended.clone()), (Cause::Asked, None));
    let name = ScheduleName::parse("hourly").expect("a name");
    match run_now() {
        Err(Failure::Refused(refusal)) => {
            assert_eq!(refusal, Refusal::Schedule(ScheduleRefusal::Running { schedule: name, run: run.id }));
        }
        other => panic!("{:?}", other.map(drop)),
    }
    // Nor does a due run start.
    world.pass(2 * HOUR);
    assert!(world.run(world.services().schedules.start_due(Time::from_nanos(0))).is_empty());
    assert_eq!(runs(&world).len(), 1);
}

/// Without the pause, the runner would retry in a busy loop once the log has stopped.
#[test]
fn a_due_run_that_cannot_be_started_is_retried_after_a_pause() {
    let world = World::new();
    scheduled(&world, material());
    world.run(world.recorder().ledger().clone().close());
    world.pass(HOUR);
    let schedules = world.services().schedules.clone();
    assert!(world.run(schedules.start_due(Time::from_nanos(0))).is_empty());
    assert_eq!(schedules.until_next_due(), std::time::Duration::from_secs(1));
}

#[test]
fn a_plan_selects_keys_by_age_and_expiry() {
    let world = World::new();
    let after = RotationPlan { rotation_after: Some(Span::Days(1)), ..material() };
    let (schedule, key) = scheduled(&world, after.clone());
    world.pass(HOUR);
    run_due(&world);
    assert_eq!(processed(&world, 0), [], "it is not old enough");
    world.pass(24 * HOUR);
    run_due(&world);
    assert_eq!(runs(&world)[1].keys.len(), 1);
    world.pass(HOUR);
    run_due(&world);
    assert_eq!(processed(&world, 2), [], "it was rotated an hour ago");
    // Material without an expiry does not expire soon.
    let rotation = Some(RotationPatch {
        expire_in: Patch::Set(Span::Days(30)),
        rotation_after: Patch::Clear,
        ..RotationPatch::default()
    });
    let update = SchedulePatch { rotation, ..SchedulePatch::default() };
    let updated = world.run(world.services().schedules.update(&world.admin(), &World::context(), schedule, update));
    updated.map(drop).unwrap_or_else(|failure| panic!("{failure}"));
    world.pass(HOUR);
    run_due(&world);
    assert_eq!(processed(&world, 3), []);
    assert!(world.known(key).rotated_at.is_some());
}

#[test]
fn a_key_with_the_source_local_gets_material_of_a_new_source_key() {
    let world = World::new();
    let plan = RotationPlan { expiration: Some(Span::Days(90)), ..RotationPlan::default() };
    let schedule = hourly(&world, Work::RotateKeys(plan));
    let key = world.key("payroll", PolicyChoice::Default).id;
    put_under(&world, key, schedule, LOCAL).expect("put under it");
    world.pass(HOUR);
    run_due(&world);
    let KeyOutcome::ReplacedBy(new) = runs(&world)[0].keys[0].1 else { panic!("{:?}", runs(&world)) };
    let new = world.known(new);
    let state = world.state();
    let source = state.source_keys.iter().next().expect("it was made");
    assert_eq!((new.materials.len(), new.materials[0].source), (1, source.id));
    assert_eq!(new.materials[0].valid_to.map(Time::seconds), Some(world.now().plus_seconds(90 * 24 * HOUR).seconds()));
    assert_eq!(new.rotation_job.as_ref().map(|job| job.key_source.as_str()), Some(LOCAL));
}

#[test]
fn a_source_key_whose_material_aws_did_not_receive_is_deleted() {
    let world = World::new();
    let schedule = hourly(&world, Work::RotateKeys(RotationPlan::default()));
    let key = world.key("payroll", PolicyChoice::Default).id;
    put_under(&world, key, schedule, LOCAL).expect("put under it");
    world.kms.next(CreateKey::OPERATION, Cue::Fail(refused(CreateKey::OPERATION, "LimitExceededException", "no")));
    world.pass(HOUR);
    run_due(&world);
    assert!(matches!(processed(&world, 0)[..], [(_, KeyOutcome::Failed(_))]), "{:?}", runs(&world));
    assert!(world.state().source_keys.is_empty());
    let made = |event: &Event| matches!(event, Event::SourceKey(..));
    assert_eq!(world.records().iter().filter(|record| made(&record.event)).count(), 2, "created and deleted");
}

/// The source key may be the only other copy of the material.
#[test]
fn a_source_key_whose_material_aws_may_have_stays() {
    let world = World::new();
    let schedule = hourly(&world, Work::RotateKeys(RotationPlan::default()));
    let key = world.key("payroll", PolicyChoice::Default).id;
    put_under(&world, key, schedule, LOCAL).expect("put under it");
    world.kms.next(UpdateAlias::OPERATION, Cue::Fail(refused(UpdateAlias::OPERATION, "AccessDeniedException", "no")));
    world.pass(HOUR);
    run_due(&world);
    assert!(matches!(processed(&world, 0)[..], [(_, KeyOutcome::Failed(_))]), "{:?}", runs(&world));
    assert_eq!((world.state().source_keys.len(), world.state().keys.len()), (1, 2));
}

#[test]
fn a_synchronisation_of_nothing_ends() {
    let world = World::new();
    let permit =
        KmsPermit::authorize(world.caller("admin"), world.kms_id()).unwrap_or_else(|failure| panic!("{failure}"));
    world.run(world.services().kms.archive(permit, &World::context())).map(drop).unwrap_or_else(|f| panic!("{f}"));
    hourly(&world, Work::Synchronize(SynchronizationPlan::All));
    world.pass(HOUR);
    run_due(&world);
    assert_eq!(runs(&world)[0].ended.as_ref().map(|(_, outcome)| outcome.clone()), Some(RunOutcome::Done));
    assert!(world.state().jobs.sync.all().iter().all(|job| job.completed.is_some()));
}

#[test]
fn a_synchronisation_run_ends_with_its_job() {
    let world = World::new();
    let schedule = hourly(&world, Work::Synchronize(SynchronizationPlan::All));
    world.pass(HOUR);
    run_due(&world);
    assert_eq!(runs(&world)[0].ended.as_ref().map(|(_, outcome)| outcome.clone()), Some(RunOutcome::Done));
    let state = world.state();
    let job = state.jobs.sync.all().iter().next().expect("a job").clone();
    assert!(job.completed.is_some() && job.all && job.by.is_none());
    let begun = |record: &Record| matches!(record.event, Event::Job(id, _) if id == job.id);
    let records = world.records();
    let by_schedule = |record: &Record| matches!(record.actor, Actor::Schedule { id, .. } if id == schedule);
    assert!(records.iter().filter(|record| begun(record)).all(by_schedule));
}

#[test]
fn a_key_that_cannot_be_rotated_is_not_assigned_to_a_schedule() {
    let world = World::new();
    let (schedule, key) = scheduled(&world, material());
    world.kms.change(&world.known(key).region, world.known(key).aws_id(), |key| {
        key.metadata.origin = crate::domain::key::aws_enums::Origin::ExternalKeyStore;
    });
    let permit = KeyPermit::<RotateKey>::authorize(world.caller("admin"), key).unwrap_or_else(|f| panic!("{f}"));
    let refreshed = world.run(world.services().keys.refresh(&permit, &World::context()));
    refreshed.map(drop).unwrap_or_else(|failure| panic!("{failure}"));
    let refused = put_under(&world, key, schedule, NATIVE);
    assert!(matches!(refused, Err(Failure::Refused(Refusal::Key(KeyRefusal::NotRotatable(id)))) if id == key));
}

#[test]
fn a_key_that_no_source_key_fits_is_not_rotated_with_local_material() {
    let world = World::new();
    let (schedule, key) = scheduled(&world, RotationPlan::default());
    world.kms.change(&world.known(key).region, world.known(key).aws_id(), |key| {
        key.metadata.spec = KeySpec::parse("ECC_NIST_EDWARDS25519");
    });
    let permit = KeyPermit::<RotateKey>::authorize(world.caller("admin"), key).unwrap_or_else(|f| panic!("{f}"));
    let refreshed = world.run(world.services().keys.refresh(&permit, &World::context()));
    refreshed.map(drop).unwrap_or_else(|failure| panic!("{failure}"));
    put_under(&world, key, schedule, NATIVE).expect("AWS can generate its material");
    match put_under(&world, key, schedule, LOCAL) {
        Err(Failure::Refused(Refusal::Invalid { member, .. })) => assert_eq!(member, "auto_rotate_key_source"),
        other => panic!("{other:?}"),
    }
}
