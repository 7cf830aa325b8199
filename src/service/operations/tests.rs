//! Operations that AWS works on for longer than the program runs, on a target for tests.

use super::*;
use crate::aws::failure::AwsFailure;
use crate::domain::event::Event;
use crate::domain::id::KeyId;
use crate::domain::key::aggregate::{Key, Snapshot};
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::command::{KeyCommand, Outcome};
use crate::domain::key::event::KeyEvent;
use crate::domain::key::operation::Operation;
use crate::domain::state::{PendingOperation, State};
use crate::service::keys::PolicyChoice;
use crate::service::system_change;
use crate::service::world::World;
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;
use tokio::runtime::Runtime;
use uuid::Uuid;

/// The AWS side of the operations. It survives the end of the program.
#[derive(Default)]
struct SlowAws(Mutex<HashMap<KeyId, Progressing>>);

#[derive(Clone, Copy, Default)]
struct Progressing {
    begun: u32,
    asked: u32,
    done: bool,
}

impl SlowAws {
    fn of(&self, key: KeyId) -> Progressing {
        self.0.lock().expect("no panic").get(&key).copied().unwrap_or_default()
    }

    fn change(&self, key: KeyId, change: impl FnOnce(&mut Progressing)) {
        change(self.0.lock().expect("no panic").entry(key).or_default());
    }

    fn finish(&self, key: KeyId) {
        self.change(key, |of| of.done = true);
    }
}

/// A target of keys that AWS takes minutes to disable. The operations are in the real log.
struct SlowKeys {
    recorder: Recorder,
    aws: Arc<SlowAws>,
}

impl SlowKeys {
    fn disabled(&self, id: KeyId) -> Box<Snapshot> {
        let published = self.recorder.state();
        let mut metadata = published.state.key(id).expect("it is known").metadata.clone();
        metadata.state = KeyState::Disabled;
        Box::new(Snapshot {
            metadata,
            aliases: None,
            tags: None,
            policy: None,
            rotation: None,
            last_use: None,
            imported: None,
        })
    }
}

impl OperationTarget for SlowKeys {
    type Pending = PendingOperation;
    type Handle = KeyId;
    type Created = ();
    type Seen = Box<Snapshot>;
    type Related = ();

    fn open(&self, state: &State) -> Vec<OperationId> {
        state.operations.keys().copied().collect()
    }

    fn pending(&self, state: &State, operation: OperationId) -> Option<PendingOperation> {
        state.operations.get(&operation).cloned()
    }

    fn handle(&self, _state: &State, pending: &PendingOperation) -> Option<KeyId> {
        Some(pending.key)
    }

    fn conclusion(&self, operation: OperationId, outcome: Outcome<Box<Snapshot>>, _related: Option<()>) -> Command {
        Command::Key(KeyCommand::Conclude { operation, outcome, related: None })
    }

    fn makes(&self, _pending: &PendingOperation) -> bool {
        false
    }

    fn is_complete(&self, _state: &State, _pending: &PendingOperation, _seen: &Box<Snapshot>) -> bool {
        false
    }

    fn is_forgotten(&self, _failure: &Failure) -> bool {
        false
    }

    fn is_unreadable(&self, _failure: &AwsFailure) -> bool {
        false
    }

    fn assumed(&self, _state: &State, _pending: &PendingOperation, _created: Option<()>) -> Option<Box<Snapshot>> {
        None
    }

    fn attempt<'a>(
        &'a self,
        _operation: OperationId,
        pending: &'a PendingOperation,
        attempt: &'a Attempt<KeyId>,
    ) -> BoxFuture<'a, Result<Progress<Self>, StepError<Self>>> {
        Box::pin(async move {
            let key = pending.key;
            self.aws.change(key, |of| if attempt.is_first() { of.begun += 1 } else { of.asked += 1 });
            Ok(match self.aws.of(key).done {
                true => Progress::Done { seen: self.disabled(key), related: None },
                false => Progress::Underway { again_after: Duration::from_millis(5), made: None },
            })
        })
    }

    fn read<'a>(
        &'a self,
        pending: &'a PendingOperation,
        _handle: &'a KeyId,
    ) -> BoxFuture<'a, Result<Box<Snapshot>, Failure>> {
        Box::pin(async move { Ok(self.disabled(pending.key)) })
    }

    fn read_related<'a>(&'a self, _pending: &'a PendingOperation) -> BoxFuture<'a, Option<()>> {
        Box::pin(async move { None })
    }

    fn before_outcome<'a>(
        &'a self,
        _change: &'a Change,
        _pending: &'a PendingOperation,
        _seen: &'a Box<Snapshot>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {})
    }

    fn record_if_vanished<'a>(&'a self, _change: &'a Change, _pending: &'a PendingOperation) -> BoxFuture<'a, ()> {
        Box::pin(async move {})
    }
}

/// One run of the program.
struct Process {
    runtime: Runtime,
    recorder: Recorder,
    operations: Operations<SlowKeys>,
}

impl Process {
    fn start(world: &World, aws: &Arc<SlowAws>) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let recorder = world.open_log();
        let target = SlowKeys { recorder: recorder.clone(), aws: aws.clone() };
        let operations = Operations::new(target, recorder.clone(), runtime.handle().clone());
        operations.reconcile_forever();
        Self { runtime, recorder, operations }
    }

    fn disable(&self, key: &Key) -> Result<Answer, Failure> {
        let operation = OperationId::new(Uuid::new_v4());
        let (id, kms, region, wanted) = (key.id, key.kms, key.region.clone(), Box::new(Operation::Disable));
        let request = Command::Key(KeyCommand::Request { id, operation, kms, region, wanted });
        self.runtime.block_on(self.operations.run(&system_change("test"), operation, request))
    }

    fn key(&self, id: KeyId) -> Arc<Key> {
        self.recorder.state().state.key(id).expect("it is known").clone()
    }

    fn kill(self) {
        let Self { runtime, recorder, operations } = self;
        runtime.shutdown_timeout(Duration::from_secs(5));
        drop((recorder, operations));
    }
}

#[track_caller]
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_long_operation_is_answered_at_once_and_followed_through_restarts() {
    let mut world = World::new();
    let key = world.key("slow", PolicyChoice::Default);
    world.kill();
    let aws = Arc::new(SlowAws::default());

    let mut process = Process::start(&world, &aws);
    let Ok(Answer::Underway(committed)) = process.disable(&key) else { panic!("it is underway") };
    assert!(committed.published.state.key(key.id).expect("it is known").pending.is_some());
    wait_until("AWS is asked again", || aws.of(key.id).asked > 1);
    assert!(process.disable(&key).is_err(), "the key is busy");
    for restart in 1..=3 {
        let asked = aws.of(key.id).asked;
        process.kill();
        process = Process::start(&world, &aws);
        wait_until("it is recovered", || aws.of(key.id).asked > asked + 2);
        assert!(process.key(key.id).pending.is_some(), "after restart {restart}");
    }
    aws.finish(key.id);
    wait_until("it ends", || process.key(key.id).pending.is_none());

    let now = process.key(key.id);
    assert_eq!((&now.metadata.state, aws.of(key.id).begun), (&KeyState::Disabled, 1));
    let asked = aws.of(key.id).asked;
    process.kill();
    let process = Process::start(&world, &aws);
    assert_eq!(process.key(key.id), now);
    assert_eq!(aws.of(key.id).asked, asked, "nothing is open");
    process.kill();
    world.start();
    let of_key = world.records().into_iter().filter_map(|record| match record.event {
        Event::Key(id, event) if id == key.id => Some(event),
        _ => None,
    });
    let since: Vec<_> = of_key.skip(2).collect();
    assert!(
        matches!(&since[..], [KeyEvent::OperationRequested { .. }, KeyEvent::OperationReconciled { .. }]),
        "{since:?}"
    );
}

#[test]
fn a_long_operation_does_not_delay_others_after_a_restart() {
    let mut world = World::new();
    let (slow, quick) = (world.key("slow", PolicyChoice::Default), world.key("quick", PolicyChoice::Default));
    world.kill();
    let aws = Arc::new(SlowAws::default());
    let process = Process::start(&world, &aws);
    for key in [&slow, &quick] {
        assert!(matches!(process.disable(key), Ok(Answer::Underway(_))));
    }
    process.kill();
    aws.finish(quick.id);
    let process = Process::start(&world, &aws);
    wait_until("the quick one ends", || process.key(quick.id).pending.is_none());
    wait_until("AWS is asked about the slow one", || aws.of(slow.id).asked > 2);
    assert!(process.key(slow.id).pending.is_some());
    process.kill();
}
