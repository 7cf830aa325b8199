//! Snapshots: a start from one results in the same state as a start from the log, and an invalid one is discarded.

use super::memory::Memory;
use super::replay::{command, lab, proved};
use super::sample::{self, added, regions_replaced};
use super::*;
use crate::ledger::snapshot::{Place, replay as start_from};
use proptest::prelude::*;
use tempfile::TempDir;

fn key(byte: u8) -> SnapshotKey {
    Arc::new(move || Some([byte; 32]))
}

fn place(at: &TempDir, byte: u8) -> Place {
    Place::new(at.path(), key(byte))
}

fn replayed(store: &Memory, upto: u64) -> Replayed {
    crate::ledger::replay::replay(store, Replayed::nothing(), upto, HeadMark::default()).expect("whole")
}

/// Starts from a snapshot, if it is valid; returns the number of its last record too.
fn started(place: &Place, store: &Memory) -> Result<(Replayed, u64), LedgerError> {
    let (replayed, snapshot_end) = start_from(Some(place), store, HeadMark::default())?;
    Ok((replayed, snapshot_end.seq))
}

fn assert_same(one: &Replayed, other: &Replayed) {
    assert_eq!(one.state, other.state);
    assert_eq!((&one.history, one.chain), (&other.history, other.chain));
}

/// A log of twelve records, and a snapshot of the first eight.
async fn log_with_snapshot() -> (TempDir, Arc<Memory>) {
    let (at, store) = (tempfile::tempdir().expect("a directory"), Arc::new(Memory::default()));
    let ledger = Ledger::start(store.clone(), HeadMark::default(), options()).expect("starts");
    for n in 0..6 {
        record(&ledger, vec![added(n, &format!("k{n}")), regions_replaced(n, &["eu-west-1"])]).await.expect("recorded");
    }
    ledger.close().await;
    place(&at, 1).write(&replayed(&store, 8)).expect("written");
    (at, store)
}

#[tokio::test]
async fn a_start_from_a_snapshot_gives_the_same_state() {
    let (at, store) = log_with_snapshot().await;
    let (from_snapshot, snapshot_end) = started(&place(&at, 1), &store).expect("whole");
    assert_eq!(snapshot_end, 8);
    assert_same(&from_snapshot, &replayed(&store, 12));
    std::fs::remove_file(at.path().join("snapshot")).expect("removed");
    let (from_log, snapshot_end) = started(&place(&at, 1), &store).expect("whole");
    assert_eq!(snapshot_end, 0);
    assert_same(&from_log, &from_snapshot);
}

/// A snapshot is written and read after every kind of event.
#[test]
fn a_snapshot_has_the_entire_state_after_every_kind_of_event() {
    let at = tempfile::tempdir().expect("a directory");
    let place = place(&at, 1);
    let mut now = Replayed::nothing();
    for (seq, event) in (1..).zip(sample::every_kind()) {
        now.absorb(
            &event,
            Chain { seq, hash: RecordHash([3; 32]), time: Time::from_nanos(seq as i64 * 1_000_000_000) },
        )
        .expect("later");
        place.write(&now).expect("written");
        let file = place.open().expect("genuine");
        let (state, history) = layout::state::read(&file).expect("a state");
        assert_eq!(state, now.state, "after {event:?}");
        assert_eq!((history, file.chain), (now.history.clone(), now.chain));
    }
}

#[tokio::test]
async fn a_changed_or_truncated_snapshot_is_discarded() {
    let (at, store) = log_with_snapshot().await;
    let (path, whole) = (at.path().join("snapshot"), replayed(&store, 12));
    let sound = std::fs::read(&path).expect("readable");
    let mut damaged: Vec<Vec<u8>> = (0..sound.len()).step_by(7).map(|keep| sound[..keep].to_vec()).collect();
    for (at, bit) in (0..sound.len()).zip((0..8).cycle()) {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << bit;
        damaged.push(bytes);
    }
    damaged.push([sound.as_slice(), &[0]].concat());
    for bytes in damaged {
        std::fs::write(&path, bytes).expect("written");
        let (replayed, snapshot_end) = started(&place(&at, 1), &store).expect("whole");
        assert_eq!(snapshot_end, 0);
        assert_same(&replayed, &whole);
        assert!(!path.exists(), "it is not doubted twice");
    }
    std::fs::write(&path, &sound).expect("written");
    assert_eq!(started(&place(&at, 1), &store).expect("whole").1, 8);
}

#[tokio::test]
async fn a_snapshot_is_not_used_with_another_master_key_or_none() {
    let (at, store) = log_with_snapshot().await;
    let path = at.path().join("snapshot");
    let keyless = Place::new(at.path(), Arc::new(|| None));
    assert_eq!(started(&keyless, &store).expect("whole").1, 0);
    assert!(path.exists(), "it may be good once the master key is there");
    assert!(keyless.write(&replayed(&store, 8)).is_err());
    assert_eq!(started(&place(&at, 2), &store).expect("whole").1, 0);
    assert!(!path.exists());
}

/// The snapshot is of another log, or of a longer one.
#[tokio::test]
async fn the_last_record_of_a_snapshot_must_be_in_the_log() {
    let (at, store) = log_with_snapshot().await;
    let sound = std::fs::read(at.path().join("snapshot")).expect("readable");
    store.tamper(8, |bytes| bytes[40] ^= 1);
    assert!(matches!(started(&place(&at, 1), &store), Err(LedgerError::Corrupt { seq: 8, .. })), "the log says why");
    assert!(!at.path().join("snapshot").exists());

    let (_, other) = log_with_snapshot().await;
    other.forget_last(6);
    std::fs::write(at.path().join("snapshot"), &sound).expect("written");
    let (shorter, snapshot_end) = started(&place(&at, 1), &other).expect("whole");
    assert_eq!((snapshot_end, shorter.chain.seq), (0, 6));
    assert!(!at.path().join("snapshot").exists());

    // The records after it are checked as usual.
    let (at, store) = log_with_snapshot().await;
    store.tamper(10, |bytes| bytes[1..33].fill(7));
    assert!(matches!(started(&place(&at, 1), &store), Err(LedgerError::Corrupt { seq: 10, .. })));
}

#[tokio::test]
async fn a_record_that_is_known_to_be_durable_is_checked_before_it_too() {
    let (at, store) = log_with_snapshot().await;
    let known = HeadMark { seq: 5, hash: RecordHash([7; 32]) };
    let refused = start_from(Some(&place(&at, 1)), &*store, known);
    assert!(matches!(refused.err(), Some(LedgerError::Foreign { seq: 5, .. })));
}

/// This test uses a store on disk, the thread that writes snapshots, and the check of the records before them.
#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_writes_a_snapshot_and_the_next_start_uses_it() {
    let home = tempfile::tempdir().expect("a directory");
    let with_key = || LedgerOptions { snapshot_key: Some(key(1)), ..options() };
    let ledger = Ledger::open(home.path(), with_key()).expect("opens");
    record(&ledger, (0..100).map(|n| added(n, &format!("k{n}"))).collect()).await.expect("recorded");
    let path = home.path().join("snapshot");
    let written = std::time::Instant::now();
    for _ in 0..20 {
        let change = |n: u128| regions_replaced(n % 100, if n < 100 { &["eu-west-1"] } else { &["us-east-1"] });
        record(&ledger, (0..1000).map(change).collect()).await.expect("recorded");
    }
    assert!(!path.exists(), "{:?}: a short log is replayed", written.elapsed());
    let before = ledger.state();
    ledger.close().await;
    assert!(path.exists());
    for _ in 0..2 {
        let ledger = Ledger::open(home.path(), with_key()).expect("opens");
        assert_eq!(ledger.state(), before);
        assert_eq!(ledger.history(&added(0, "x").stream()).len(), 201);
        ledger.close().await;
        assert!(path.exists());
    }
    assert_eq!(verify::verify(home.path(), None, Vec::new()).expect("whole").records, 20_100);
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(Ledger::open(home.path(), with_key()).expect("opens").state(), before);
}

/// A start from a snapshot does not read the records before it. They are checked afterwards.
#[tokio::test]
async fn a_log_that_is_broken_before_its_snapshot_is_not_written_to() {
    let (at, store) = log_with_snapshot().await;
    store.tamper(3, |bytes| bytes[40] ^= 1);
    let ledger = Ledger::start_with(Some(place(&at, 1)), store, HeadMark::default(), None, options())
        .expect("it rests on record 8");
    let stopped = async {
        while ledger.is_accepting() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), stopped).await.expect("it stops");
    let refused = record(&ledger, vec![added(9, "k9")]).await;
    assert!(matches!(refused, Err(WriteError::Stopped(Stopped::Failed))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_and_later_records_give_the_state_of_the_log(
        commands in proptest::collection::vec(command(), 0..120), upto: prop::sample::Index
    ) {
        let store = Arc::new(Memory::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let ledger = Ledger::start(store.clone(), HeadMark::default(), options()).expect("starts");
            record(&ledger, vec![lab()]).await.expect("recorded");
            for command in commands {
                let _ = ledger.execute(by_nobody(), move |state, _| state.decide(proved(state, &command))).await;
            }
            ledger.close().await;
        });
        let at = tempfile::tempdir().expect("a directory");
        let upto = 1 + upto.index(store.head() as usize) as u64;
        place(&at, 1).write(&replayed(&store, upto)).expect("written");
        let (from_snapshot, snapshot_end) = started(&place(&at, 1), &store).expect("whole");
        prop_assert_eq!(snapshot_end, upto);
        assert_same(&from_snapshot, &replayed(&store, store.head()));
    }
}
