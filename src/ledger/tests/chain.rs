//! A broken record is never used, and the first broken record is reported.

use super::memory::Memory;
use super::sample::{added, regions_replaced};
use super::*;

async fn five() -> Arc<Memory> {
    let store = Arc::new(Memory::default());
    let ledger = Ledger::start(store.clone(), HeadMark::default(), options()).expect("starts");
    for n in 0..5 {
        record(&ledger, vec![added(n, &format!("k{n}"))]).await.expect("recorded");
    }
    ledger.close().await;
    store
}

fn broken(store: &Arc<Memory>) -> (u64, Fault) {
    match Ledger::start(store.clone(), HeadMark::default(), options()) {
        Err(LedgerError::Corrupt { seq, fault }) => (seq, fault),
        other => panic!("not broken: {:?}", other.map(|ledger| ledger.state().head)),
    }
}

/// Changes a letter of the name, so that the bytes are still a valid record.
fn change_a_letter(bytes: &mut [u8]) {
    let at = bytes.windows(2).position(|two| two[0] == b'k' && two[1].is_ascii_digit()).expect("the name");
    bytes[at] = b'x';
}

#[tokio::test]
async fn a_changed_record_is_reported_even_if_it_can_be_decoded() {
    for seq in 1..=4 {
        let store = five().await;
        store.tamper(seq, |bytes| change_a_letter(bytes));
        assert!(matches!(broken(&store), (named, Fault::Changed { .. }) if named == seq as u64));
    }
}

#[tokio::test]
async fn a_changed_last_record_is_detected_by_the_head_file() {
    let store = five().await;
    let last = store.read(5).next().expect("there").expect("readable");
    let known = HeadMark { seq: 5, hash: RecordHash::of(last.get(0).expect("a record").1) };
    store.tamper(5, |bytes| change_a_letter(bytes));
    let opened = Ledger::start(store, known, options());
    assert!(matches!(opened.err(), Some(LedgerError::Foreign { seq: 5, .. })));
}

#[tokio::test]
async fn a_detached_record_is_distinguished_from_a_changed_one() {
    let store = five().await;
    store.tamper(3, |bytes| bytes[1..33].fill(7));
    assert!(matches!(broken(&store), (3, Fault::Detached)));
}

#[tokio::test]
async fn bytes_that_are_not_a_record_are_reported() {
    type Damage = (fn(&mut Vec<u8>), fn(&Fault) -> bool);
    let damages: [Damage; 5] = [
        (|bytes| bytes.truncate(60), |fault| matches!(fault, Fault::Undecodable(_))),
        (|bytes| bytes.push(0), |fault| matches!(fault, Fault::Undecodable(_))),
        (Vec::clear, |fault| matches!(fault, Fault::Undecodable(_))),
        (|bytes| bytes[0] = 9, |fault| matches!(fault, Fault::Version(9))),
        (|bytes| bytes[33] = 4, |fault| matches!(fault, Fault::Number(4))),
    ];
    for (damage, fits) in damages {
        let store = five().await;
        store.tamper(5, damage);
        let (seq, fault) = broken(&store);
        assert!(seq == 5 && fits(&fault), "{seq}: {fault}");
    }
}

#[tokio::test]
async fn a_length_that_was_damaged_takes_no_memory() {
    // Version, hash, number, id and time are followed by the actor (system), the length of the request's id, and the
    // id.
    let store = five().await;
    store.tamper(5, |bytes| {
        let at = bytes.windows(4).position(|four| four == [3, b'r', b'-', b'1']).expect("the request's id");
        bytes.splice(at..=at, [253, 255, 255, 255, 255, 255, 255, 255, 127]);
    });
    assert!(matches!(broken(&store), (5, Fault::Undecodable(_))));
}

#[tokio::test]
async fn a_log_can_be_read_from_any_record_up_to_a_broken_one() {
    let store = five().await;
    let ledger = Ledger::start(store.clone(), HeadMark::default(), options()).expect("starts");
    record(&ledger, vec![regions_replaced(0, &["us-east-1"])]).await.expect("recorded");
    let read = async |from, limit| ledger.read_range(from, limit).await.map(numbers);
    assert_eq!(read(0, 100).await.expect("whole"), [1, 2, 3, 4, 5, 6]);
    assert_eq!(read(1, 2).await.expect("whole"), [1, 2]);
    assert_eq!(read(4, 100).await.expect("whole"), [4, 5, 6]);
    assert_eq!(read(7, 100).await.expect("whole"), Vec::<u64>::new());
    assert_eq!(ledger.history(&added(0, "x").stream()), [1, 6]);
    let one = ledger.read_one(6).await.expect("whole");
    assert_eq!(one.map(|record| record.event.stream()), Some(added(0, "x").stream()));
    assert!(matches!(ledger.read_one(7).await, Ok(None)));
    assert!(matches!(ledger.read_one(0).await, Ok(None)));

    store.tamper(4, |bytes| change_a_letter(bytes));
    assert!(read(1, 100).await.is_err() && read(5, 100).await.is_err() && read(6, 100).await.is_ok());
    assert!(matches!(
        ledger.verify(Vec::new()).await,
        Err(LedgerError::Corrupt { seq: 4, fault: Fault::Changed { .. } })
    ));
}

fn numbers(records: Vec<Record>) -> Vec<u64> {
    records.iter().map(|record| record.seq).collect()
}

/// The change is either in the record's content or in the hash of the record before.
#[tokio::test]
async fn a_record_read_by_number_is_checked_against_the_chain() {
    for damage in [|bytes: &mut Vec<u8>| change_a_letter(bytes), |bytes: &mut Vec<u8>| bytes[1..33].fill(7)]
        as [fn(&mut Vec<u8>); 2]
    {
        for seq in 1..=5 {
            let store = five().await;
            let ledger = Ledger::start(store.clone(), HeadMark::default(), options()).expect("starts");
            assert_eq!(numbers(ledger.read_many(&[1, 3, 5, 6]).await.expect("whole")), [1, 3, 5]);
            store.tamper(seq, damage);
            let asked = ledger.read_one(seq as u64).await;
            assert!(
                matches!(asked, Err(LedgerError::Corrupt { .. } | LedgerError::Foreign { .. })),
                "{seq}: {asked:?}"
            );
            assert!(ledger.read_many(&[seq as u64]).await.is_err());
        }
    }
}

/// The records of one KMS are scattered over the log, and each is found.
#[tokio::test]
async fn scattered_records_are_read_in_order() {
    let store = Arc::new(Memory::default());
    let ledger = Ledger::start(store, HeadMark::default(), options()).expect("starts");
    for n in 0..30 {
        let events = (0..100).map(|m| added(100 * n + m, &format!("k{n}-{m}"))).collect();
        record(&ledger, events).await.expect("recorded");
    }
    let wanted: Vec<u64> = (1..=3000).filter(|seq| seq % 7 == 0 || seq % 501 < 9).collect();
    assert_eq!(numbers(ledger.read_many(&wanted).await.expect("whole")), wanted);
    let all: Vec<u64> = (1..=3000).collect();
    assert_eq!(numbers(ledger.read_many(&all).await.expect("whole")), all);
    assert_eq!(ledger.read_range(1, usize::MAX).await.expect("whole").len(), RANGE_MAX);
}
