//! The writer: one sync for all queued proposals, decisions on the newest state, and no writes after a failure.

use super::memory::Memory;
use super::sample::{added, kms, regions, regions_replaced, uuid};
use super::*;
use crate::domain::event::{GroupEvent, KmsEvent};
use crate::domain::id::JobId;
use crate::domain::job::event::{JobEvent, SyncEvent};
use crate::domain::job::sync::SyncPlace;
use crate::domain::name::{GroupName, KmsName};
use crate::domain::place::AccountId;
use crate::domain::refusal::KmsRefusal;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

fn start(store: &Arc<Memory>) -> Ledger {
    Ledger::start(store.clone(), HeadMark::default(), options()).expect("starts")
}

fn name(text: &str) -> KmsName {
    KmsName::parse(text).expect("a name")
}

/// Adds a KMS unless one of that name exists, as the domain's rules do.
async fn add(ledger: &Ledger, n: u128, called: &'static str) -> Result<Committed, WriteError> {
    let decide = move |state: &State, _| match state.kms_named(&name(called)) {
        None => Ok(vec![added(n, called)]),
        Some(_) => Err(KmsRefusal::NameTaken(name(called)).into()),
    };
    ledger.execute(by_nobody(), decide).await
}

/// Spawns a task, and yields so that it reaches the writer's queue.
async fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    let task = tokio::spawn(work);
    tokio::task::yield_now().await;
    task
}

#[tokio::test]
async fn queued_decisions_share_one_sync() {
    let store = Arc::new(Memory::default());
    let ledger = start(&store);
    store.shut();
    let mut tasks = Vec::new();
    for n in 0..64 {
        let ledger = ledger.clone();
        tasks.push(spawn(async move { record(&ledger, vec![added(n, &format!("k{n}"))]).await }).await);
        if n == 0 {
            store.wait_for_writer();
        }
    }
    assert_eq!(ledger.state().head, 0, "nothing is published before it is durable");
    store.open();
    for task in tasks {
        assert!(task.await.expect("ran").is_ok());
    }
    assert_eq!((store.syncs(), ledger.state().head, ledger.state().state.kms.len()), (2, 64, 64));
}

#[tokio::test]
async fn a_decision_sees_what_was_decided_before_it_and_is_answered_when_that_is_durable() {
    let store = Arc::new(Memory::default());
    let ledger = start(&store);
    store.shut();
    let first = {
        let ledger = ledger.clone();
        spawn(async move { add(&ledger, 0, "first").await }).await
    };
    store.wait_for_writer();
    let one = {
        let ledger = ledger.clone();
        spawn(async move { add(&ledger, 1, "same").await }).await
    };
    let two = {
        let ledger = ledger.clone();
        spawn(async move { add(&ledger, 2, "same").await }).await
    };
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!first.is_finished() && !one.is_finished() && !two.is_finished());
    store.open();
    assert_eq!(first.await.expect("ran").expect("added").head, 1);
    let one = one.await.expect("ran").expect("added");
    let refused = two.await.expect("ran");
    assert!(matches!(refused, Err(WriteError::Refused(Refusal::Kms(KmsRefusal::NameTaken(_))))));
    assert_eq!((one.head, one.published.state.kms.len(), store.syncs()), (2, 2, 2));
}

#[tokio::test]
async fn each_caller_gets_the_state_right_after_its_own_events() {
    let store = Arc::new(Memory::default());
    let ledger = start(&store);
    store.shut();
    let first = {
        let ledger = ledger.clone();
        spawn(async move { add(&ledger, 0, "a").await }).await
    };
    store.wait_for_writer();
    let gone = Event::Kms(kms(0), KmsEvent::Deleted);
    let two = {
        let ledger = ledger.clone();
        spawn(async move { add(&ledger, 1, "b").await }).await
    };
    let three = {
        let ledger = ledger.clone();
        spawn(async move { record(&ledger, vec![gone]).await }).await
    };
    store.open();
    assert_eq!(first.await.expect("ran").expect("added").published.state.kms.len(), 1);
    assert_eq!(two.await.expect("ran").expect("added").published.state.kms.len(), 2);
    assert_eq!(three.await.expect("ran").expect("deleted").published.state.kms.len(), 1);
}

#[tokio::test]
async fn a_decision_without_events_and_a_refusal_write_nothing() {
    let store = Arc::new(Memory::default());
    let ledger = start(&store);
    let nothing = ledger.execute(by_nobody(), |_, _| Ok(vec![])).await.expect("agrees");
    let refused = ledger.execute(by_nobody(), |_, _| Err(KmsRefusal::RegionsEmpty.into())).await;
    assert!(
        nothing.events.is_empty()
            && matches!(refused, Err(WriteError::Refused(Refusal::Kms(KmsRefusal::RegionsEmpty))))
    );
    assert_eq!((store.syncs(), ledger.state().head), (0, 0));
}

#[tokio::test]
async fn a_moved_head_is_read_and_decided_on_again() {
    let store = Arc::new(Memory::default());
    let ledger = start(&store);
    add(&ledger, 0, "ours").await.expect("added");
    store.let_a_rival_come_first(vec![added(1, "theirs"), regions_replaced(1, &["eu-west-1"])]);
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = tries.clone();
    let decide = move |state: &State, _| {
        seen.fetch_add(1, Ordering::Relaxed);
        match state.kms_named(&name("theirs")) {
            None => Ok(vec![added(2, "theirs")]),
            Some(_) => Err(KmsRefusal::NameTaken(name("theirs")).into()),
        }
    };
    let refused = ledger.execute(by_nobody(), decide).await;
    assert!(matches!(refused, Err(WriteError::Refused(Refusal::Kms(KmsRefusal::NameTaken(_))))));
    assert_eq!((tries.load(Ordering::Relaxed), ledger.state().head), (2, 3));

    store.let_a_rival_come_first(vec![added(3, "more")]);
    assert_eq!(add(&ledger, 4, "last").await.expect("added").head, 5);
    assert_eq!(ledger.history(&added(1, "x").stream()), [2, 3]);
    assert_eq!(ledger.verify(Vec::new()).await.expect("whole").records, 5);
}

#[tokio::test]
async fn records_that_others_append_are_read() {
    let store = Arc::new(Memory::shared());
    let ledger = start(&store);
    let mut heads = ledger.watch_head();
    store.let_a_rival_append(&[added(1, "theirs")]);
    heads.wait_for(|head| *head == 1).await.expect("open");
    assert_eq!(ledger.state().state.kms.len(), 1);
}

/// A store that has lost acknowledged records must not be written to: other records would get their numbers.
#[tokio::test]
async fn a_store_that_lost_its_end_stops_the_ledger() {
    for notice_by_writing in [true, false] {
        let store = Arc::new(Memory::shared());
        let ledger = start(&store);
        for n in 0..3 {
            record(&ledger, vec![added(n, &format!("k{n}"))]).await.expect("added");
        }
        store.forget_last(2);
        if notice_by_writing {
            let refused = tokio::time::timeout(Duration::from_secs(10), add(&ledger, 3, "more")).await;
            assert!(matches!(refused, Ok(Err(WriteError::Stopped(Stopped::Failed)))), "{refused:?}");
        } else {
            store.tell_head();
            let stopped = async {
                while ledger.is_accepting() {
                    tokio::time::sleep(Duration::from_millis(1)).await
                }
            };
            tokio::time::timeout(Duration::from_secs(10), stopped).await.expect("it stops");
        }
        assert!(!ledger.is_accepting());
        assert_eq!((ledger.state().head, ledger.state().state.kms.len()), (3, 3), "what was durable stays to be seen");
        assert!(matches!(ledger.verify(Vec::new()).await, Err(LedgerError::Shorter { known: 3, found: 1 })));
    }
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_written_and_nothing_undurable_published() {
    let store = Arc::new(Memory::default());
    let ledger = start(&store);
    add(&ledger, 0, "kept").await.expect("added");
    store.shut();
    let first = {
        let ledger = ledger.clone();
        spawn(async move { add(&ledger, 1, "lost").await }).await
    };
    store.wait_for_writer();
    let waiting = {
        let ledger = ledger.clone();
        spawn(async move { add(&ledger, 2, "lost too").await }).await
    };
    store.fail();
    store.open();
    for task in [first, waiting] {
        assert!(matches!(task.await.expect("ran"), Err(WriteError::Stopped(Stopped::Failed))));
    }
    let syncs = store.syncs();
    let refused = ledger.execute(by_nobody(), |_, _| Err(KmsRefusal::RegionsEmpty.into())).await;
    assert!(matches!(refused, Err(WriteError::Stopped(Stopped::Failed))), "refusals too may rest on what is lost");
    assert!(!ledger.is_accepting());
    assert_eq!((store.syncs(), ledger.state().head, ledger.state().state.kms.len()), (syncs, 1, 1));
    assert_eq!(all(&ledger).await.len(), 1);
    assert_eq!(start(&Arc::new(store.after_a_power_cut())).state(), ledger.state());
}

#[tokio::test]
async fn a_panic_in_a_decision_fails_only_that_decision() {
    let store = Arc::new(Memory::default());
    let ledger = start(&store);
    let broken = ledger.execute(by_nobody(), |_, _| panic!("a defect")).await;
    assert!(matches!(broken, Err(WriteError::Defect)));
    assert!(add(&ledger, 0, "fine").await.is_ok() && ledger.is_accepting());
}

#[tokio::test]
async fn an_event_over_the_limit_is_not_recorded_nor_is_anything_with_it() {
    let store = Arc::new(Memory::default());
    let ledger = start(&store);
    let description = "x".repeat(record::RECORD_MAX);
    let huge = GroupEvent::Created { description, metadata: Default::default() };
    let huge = Event::Group(GroupName::parse("g").expect("a name"), huge);
    let refused = record(&ledger, vec![added(0, "with it"), huge]).await;
    assert!(matches!(refused, Err(WriteError::TooLarge)));
    assert_eq!((store.syncs(), ledger.state().head), (0, 0));
}

/// The codec's limit counts more bytes than are stored, above all for numbers and lengths of one byte.
#[tokio::test]
async fn large_records_can_be_read_again() {
    let store = Arc::new(Memory::default());
    let ledger = start(&store);
    let account = AccountId::parse("123456789012").expect("an account");
    let place = SyncPlace { kms: kms(0), account, region: regions(&["eu-west-1"]).remove(0) };
    let started = SyncEvent::Started { by: None, all: true, places: vec![place; 100_000] };
    let job = Event::Job(JobId::new(uuid(0xa00)), JobEvent::Synchronisation(started));
    record(&ledger, vec![job]).await.expect("recorded");
    let before = ledger.state();
    ledger.close().await;
    assert_eq!(start(&store).state(), before);
}

#[tokio::test]
async fn large_changes_do_not_all_share_one_sync() {
    let store = Arc::new(Memory::default());
    let ledger = start(&store);
    store.shut();
    let mut tasks = Vec::new();
    for n in 0..9u8 {
        let ledger = ledger.clone();
        let description = "x".repeat(400_000);
        let large = GroupEvent::Created { description, metadata: Default::default() };
        let large = Event::Group(GroupName::parse(&format!("g{n}")).expect("a name"), large);
        tasks.push(spawn(async move { record(&ledger, vec![large]).await }).await);
        if n == 0 {
            store.wait_for_writer();
        }
    }
    store.open();
    for task in tasks {
        assert!(task.await.expect("ran").is_ok());
    }
    assert_eq!((store.syncs(), ledger.state().head), (1 + 3, 9));
}

#[tokio::test]
async fn time_only_goes_forward_and_a_decision_gets_the_time_of_its_records() {
    let store = Arc::new(Memory::default());
    let times = [100, 100, 50, i64::MAX, 7];
    let next = AtomicUsize::new(0);
    let clock = Arc::new(move || Time::from_nanos(times[next.fetch_add(1, Ordering::Relaxed).min(4)]));
    let ledger =
        Ledger::start(store.clone(), HeadMark::default(), LedgerOptions { clock, ..options() }).expect("starts");
    for round in 0..5u128 {
        let seen = Arc::new(Mutex::new(None));
        let time_seen = seen.clone();
        let decide = move |_: &State, time| {
            *time_seen.lock().expect("free") = Some(time);
            Ok(vec![added(2 * round, &format!("a{round}")), added(2 * round + 1, &format!("b{round}"))])
        };
        let head = ledger.execute(by_nobody(), decide).await.expect("added").head;
        let first = ledger.read_one(head - 1).await.expect("whole").expect("there");
        assert_eq!(*seen.lock().expect("free"), Some(first.time));
    }
    let times: Vec<_> = all(&ledger).await.iter().map(|record| record.time).collect();
    assert_eq!(times[..6].iter().map(|time| time.nanos()).collect::<Vec<_>>(), [100, 101, 102, 103, 104, 105]);
    assert!(times.is_sorted_by(|a, b| a < b));
    assert_eq!(start(&Arc::new(store.after_a_power_cut())).state(), ledger.state());
}

#[tokio::test]
async fn a_dry_run_decides_the_same_and_records_nothing() {
    let store = Arc::new(Memory::default());
    let ledger = start(&store);
    add(&ledger, 0, "there").await.expect("added");
    let before = ledger.state();
    let dry = ledger.consider(|state, _| Ok(vec![added(1, &format!("after {}", state.kms.len()))])).expect("agrees");
    assert_eq!((dry.head, dry.published.head, dry.published.state.kms.len(), dry.events.len()), (2, 2, 2, 1));
    assert!(dry.published.time > before.time);
    assert_eq!((ledger.state(), store.syncs()), (before, 1));
}

#[tokio::test]
async fn closing_completes_queued_changes_and_rejects_later_ones() {
    let store = Arc::new(Memory::default());
    let ledger = start(&store);
    store.shut();
    let queued = {
        let ledger = ledger.clone();
        spawn(async move { add(&ledger, 0, "queued").await }).await
    };
    store.wait_for_writer();
    let closing = spawn(ledger.clone().close()).await;
    store.open();
    closing.await.expect("closed");
    assert!(queued.await.expect("ran").is_ok());
    assert!(matches!(add(&ledger, 1, "late").await, Err(WriteError::Stopped(Stopped::Closed))));
    assert!(!ledger.is_accepting() && ledger.state().head == 1);
}
