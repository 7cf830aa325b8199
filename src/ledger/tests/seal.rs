//! The seal: a log that was rewritten with all its hashes is refused, and one of an earlier version gets a seal.

use super::damage::copy_into;
use super::sample::{added, regions_replaced};
use super::*;
use crate::ledger::seal::Sealer;
use tempfile::TempDir;
use zeroize::Zeroizing;

pub(super) fn key(fill: u8, required: bool) -> SealSource {
    Arc::new(move || SealKey::Key { key: Zeroizing::new([fill; 32]), required, is_of_installation: true })
}

fn with(seal: Option<SealSource>) -> LedgerOptions {
    LedgerOptions { seal, ..options() }
}

async fn log(seal: Option<SealSource>, regions: &str) -> TempDir {
    let at = tempfile::tempdir().expect("a directory");
    let ledger = Ledger::open(at.path(), with(seal)).expect("opens");
    for n in 0..5 {
        let events = vec![added(n, &format!("k{n}")), regions_replaced(n, &[regions])];
        record(&ledger, events).await.expect("recorded");
    }
    ledger.close().await;
    at
}

fn tree(at: &Path) -> (sled::Db, sled::Tree) {
    let db = sled::Config::new().path(at.join("log")).flush_every_ms(None).open().expect("opens");
    let tree = db.open_tree("events").expect("a tree");
    (db, tree)
}

fn seal_row(at: &Path) -> Option<sled::IVec> {
    let (_db, tree) = tree(at);
    tree.get([0; 10]).expect("readable")
}

fn set_seal_row(at: &Path, row: Option<sled::IVec>) {
    let (db, tree) = tree(at);
    match row {
        Some(row) => drop(tree.insert([0; 10], row).expect("written")),
        None => drop(tree.remove([0; 10]).expect("removed")),
    }
    db.flush().expect("flushed");
}

/// Opens and verifies a log, which must be refused by both in the same way.
fn refused(at: &Path, seal: &SealSource) -> SealFault {
    let opened = Ledger::open(at, with(Some(seal.clone()))).map(drop);
    let verified = verify::verify(at, Some(seal), Vec::new()).map(drop);
    match (opened, verified) {
        (Err(LedgerError::Rewritten(one)), Err(LedgerError::Rewritten(other))) if one == other => one,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_rewritten_log_is_convicted() {
    let at = log(Some(key(1, true)), "eu-west-1").await;
    assert!(verify::verify(at.path(), Some(&key(1, true)), Vec::new()).expect("whole").is_sealed);
    // The same length, and all hashes as well as the file `head` fit. The writer had no key.
    let rewritten = log(None, "us-east-1").await;
    assert!(!verify::verify(rewritten.path(), None, Vec::new()).expect("whole in itself").is_sealed);
    assert_eq!(refused(rewritten.path(), &key(1, true)), SealFault::Missing);
    // With the seal of the true log.
    set_seal_row(rewritten.path(), seal_row(at.path()));
    assert!(matches!(refused(rewritten.path(), &key(1, true)), SealFault::Hash { seq: 10, .. }));
    // With a seal of another key.
    let forged = log(Some(key(2, true)), "us-east-1").await;
    assert_eq!(refused(forged.path(), &key(1, true)), SealFault::Mac);
}

#[tokio::test]
async fn a_log_that_was_continued_without_the_key_is_convicted() {
    let at = log(Some(key(1, true)), "eu-west-1").await;
    let row = seal_row(at.path());
    set_seal_row(at.path(), None);
    assert_eq!(refused(at.path(), &key(1, true)), SealFault::Missing);
    let ledger = Ledger::open(at.path(), with(None)).expect("opens");
    record(&ledger, vec![regions_replaced(0, &["us-east-1"])]).await.expect("recorded");
    ledger.close().await;
    set_seal_row(at.path(), row);
    assert_eq!(refused(at.path(), &key(1, true)), SealFault::Number { sealed: 10, found: 11 });
}

#[tokio::test]
async fn a_sealed_log_takes_no_record_without_the_key() {
    let at = log(Some(key(1, true)), "eu-west-1").await;
    let ledger = Ledger::open(at.path(), with(None)).expect("opens");
    assert!(record(&ledger, vec![regions_replaced(0, &["us-east-1"])]).await.is_err());
    ledger.close().await;
    assert_eq!(Ledger::open(at.path(), with(Some(key(1, true)))).expect("opens").state().head, 10);
}

#[tokio::test]
async fn a_log_of_an_earlier_version_is_sealed_at_its_first_start() {
    let at = log(None, "eu-west-1").await;
    let ledger = Ledger::open(at.path(), with(Some(key(1, false)))).expect("it needs no seal yet");
    drop((ledger.seal().expect("sealed"), ledger));
    assert!(verify::verify(at.path(), Some(&key(1, true)), Vec::new()).expect("whole").is_sealed);
    set_seal_row(at.path(), None);
    assert_eq!(refused(at.path(), &key(1, true)), SealFault::Missing);
    let lost: SealSource = Arc::new(|| SealKey::Lost);
    assert_eq!(refused(at.path(), &lost), SealFault::KeyLost);
}

#[tokio::test]
async fn a_running_log_is_checked_against_its_seal_as_it_is_now() {
    let at = tempfile::tempdir().expect("a directory");
    let ledger = Ledger::open(at.path(), with(Some(key(1, true)))).expect("opens");
    assert!(!ledger.verify(Vec::new()).await.expect("empty").is_sealed);
    let (mut rows, store) = (Vec::new(), ledger.0.sealable.get().expect("it can be sealed").clone());
    for n in 0..3_u64 {
        record(&ledger, vec![added(n.into(), &format!("k{n}"))]).await.expect("recorded");
        let verified = ledger.verify(Vec::new()).await.expect("whole");
        assert_eq!((verified.is_sealed, verified.records), (true, n + 1));
        rows.push(store.seal().expect("readable").expect("a seal"));
    }
    let forged = Sealer::new(&[2; 32]).seal(ledger.end());
    let other = Sealer::new(&[1; 32]).seal(HeadMark { hash: RecordHash([7; 32]), ..ledger.end() });
    for (row, fault) in [
        (Some(rows[0].clone()), "record 1 was sealed"),
        (Some(forged), "not made with the key"),
        (Some(other), "was sealed with"),
        (None, "its seal is missing"),
    ] {
        store.set_seal(row.as_deref());
        let refused = ledger.verify(Vec::new()).await.expect_err("refused").to_string();
        assert!(refused.contains(fault), "{fault}: {refused}");
    }
    store.set_seal(Some(&rows[2]));
    assert!(ledger.verify(Vec::new()).await.expect("whole").is_sealed);
}

/// Verification reads the seal and the records while they grow, and takes neither for older than the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_grows_is_verified_at_any_moment() {
    let at = tempfile::tempdir().expect("a directory");
    let ledger = Ledger::open(at.path(), with(Some(key(1, true)))).expect("opens");
    let growing = ledger.clone();
    let writer = tokio::spawn(async move {
        for n in 0..200 {
            record(&growing, vec![added(n, &format!("k{n}"))]).await.expect("recorded");
        }
    });
    while !writer.is_finished() {
        ledger.verify(Vec::new()).await.expect("whole");
    }
    writer.await.expect("recorded");
    let verified = ledger.verify(Vec::new()).await.expect("whole");
    assert_eq!((verified.is_sealed, verified.records), (true, 200));
}

#[tokio::test]
async fn a_restored_log_needs_the_seal_of_its_backup() {
    let at = log(Some(key(1, true)), "eu-west-1").await;
    let copy = RecordCopy::of_directory(at.path()).expect("opens");
    let seal = copy.seal().expect("it has one").to_vec();
    let home = tempfile::tempdir().expect("a directory");
    let mut restored = RestoredLog::create(home.path()).expect("made");
    copy.each(|bytes| restored.push(bytes.to_vec())).expect("copied");
    restored.finish().expect("whole");
    assert_eq!(refused(home.path(), &key(1, true)), SealFault::Missing);
    std::fs::write(home.path().join(RESTORED_SEAL), seal).expect("written");
    let moved = tempfile::tempdir().expect("a directory");
    copy_into(home.path(), moved.path());
    let ledger = Ledger::open(home.path(), with(Some(key(1, true)))).expect("opens");
    drop((ledger.seal().expect("sealed"), ledger));
    assert!(!home.path().join(RESTORED_SEAL).exists() && seal_row(home.path()).is_some());
    assert_eq!(refused(moved.path(), &key(2, true)), SealFault::Mac);
}

/// The records of every golden file, in a store without a seal as earlier versions wrote them.
#[tokio::test]
async fn a_store_of_every_golden_format_opens() {
    for (path, records) in super::golden::files() {
        let at = tempfile::tempdir().expect("a directory");
        let mut restored = RestoredLog::create(at.path()).expect("made");
        for bytes in &records {
            restored.push(bytes.clone()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        restored.finish().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let opened = Ledger::open(at.path(), with(Some(key(1, false))));
        let ledger = opened.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(ledger.state().head, records.len() as u64);
        record(&ledger, vec![added(9_000, "one more")]).await.expect("recorded");
        ledger.close().await;
        assert!(verify::verify(at.path(), Some(&key(1, true)), Vec::new()).expect("whole").is_sealed);
    }
}
