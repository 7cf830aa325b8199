//! Damaged stores: they give an error that says what to do, never a panic, and never a shorter log than was
//! acknowledged.

use super::sample::{added, regions_replaced};
use super::*;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;
use tempfile::TempDir;

/// A log of this many records, in groups of three, and its state.
async fn log(records: u128) -> (TempDir, Arc<Published>) {
    let at = tempfile::tempdir().expect("a directory");
    let ledger = Ledger::open(at.path(), options()).expect("opens");
    for n in 0..records / 3 {
        let names = ["eu-west-1", "us-east-1", "ap-south-1"];
        let one = vec![added(n, &format!("k{n}")), regions_replaced(n, &names), regions_replaced(n, &names[..1])];
        record(&ledger, one).await.expect("recorded");
    }
    let state = ledger.state();
    ledger.close().await;
    (at, state)
}

/// Opens a log on a separate thread, so that a hang fails the test too.
fn open(at: &Path) -> Result<Arc<Published>, LedgerError> {
    let (sender, receiver) = channel();
    let path = at.to_owned();
    std::thread::spawn(move || sender.send(Ledger::open(&path, options()).map(|ledger| ledger.state())));
    receiver.recv_timeout(Duration::from_secs(60)).expect("neither a panic nor a hang")
}

fn tree(at: &Path) -> (sled::Db, sled::Tree) {
    let db = sled::Config::new().path(at.join("log")).flush_every_ms(None).open().expect("opens");
    let tree = db.open_tree("events").expect("a tree");
    (db, tree)
}

/// The first record of each row.
fn rows(at: &Path) -> Vec<u64> {
    let (_db, tree) = tree(at);
    let seq = |key: sled::IVec| u64::from_be_bytes(key[..8].try_into().expect("a key"));
    tree.iter().keys().map(|key| seq(key.expect("readable"))).collect()
}

fn key(seq: u64, part: u16) -> Vec<u8> {
    [seq.to_be_bytes().as_slice(), &part.to_be_bytes()].concat()
}

fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().expect("a directory");
    copy_into(from, to.path());
    to
}

pub(super) fn copy_into(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        match entry.path().is_dir() {
            true => copy_into(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied")),
        }
    }
}

#[tokio::test]
async fn a_missing_record_is_reported() {
    let (at, _) = log(90).await;
    let rows = rows(at.path());
    assert!(rows.len() > 3, "{rows:?}");
    for two in rows.windows(2) {
        let (seq, after) = (two[0], two[1]);
        let at = copy(at.path());
        let (db, tree) = tree(at.path());
        tree.remove(key(seq, 0)).expect("removed").expect("was there");
        db.flush().expect("flushed");
        drop((db, tree));
        assert!(matches!(open(at.path()), Err(LedgerError::Corrupt { seq: named, fault: Fault::Missing(next) })
            if named == seq && next == after));
        let verified = verify::verify(at.path(), None, Vec::new()).expect_err("broken");
        assert!(verified.to_string().contains(&format!("record {seq} ")), "{verified}");
        assert!(verified.to_string().contains("backup"), "{verified}");
    }
}

#[tokio::test]
async fn a_missing_part_is_reported() {
    let at = tempfile::tempdir().expect("a directory");
    let ledger = Ledger::open(at.path(), options()).expect("opens");
    for n in 0..3 {
        let (description, metadata) = ("x".repeat(20_000), Default::default());
        let name = crate::domain::name::GroupName::parse(&format!("g{n}")).expect("a name");
        let created = crate::domain::event::GroupEvent::Created { description, metadata };
        record(&ledger, vec![Event::Group(name, created)]).await.expect("recorded");
    }
    ledger.close().await;
    for (seq, part) in [(2, 0), (2, 1), (2, 4), (3, 4), (3, 0)] {
        let at = copy(at.path());
        let (db, tree) = tree(at.path());
        tree.remove(key(seq, part)).expect("removed").expect("was there");
        db.flush().expect("flushed");
        drop((db, tree));
        let broken = open(at.path());
        assert!(
            matches!(broken, Err(LedgerError::Corrupt { seq: named, fault: Fault::PartMissing(missing) })
                if named == seq && missing == u32::from(part)),
            "{seq}/{part}: {broken:?}"
        );
    }
}

#[tokio::test]
async fn a_changed_row_is_reported_with_the_first_lost_record() {
    let (at, _) = log(30).await;
    let rows = rows(at.path());
    let (seq, after) = (rows[1], rows[2]);
    type Damage = fn(&mut Vec<u8>);
    let damages: [(Damage, u64, &str); 4] = [
        (|row| row.truncate(2), seq, "is cut short"),
        (|row| row.truncate(row.len() - 1), after - 1, "is cut short"),
        (|row| row.push(0), after - 1, "has bytes after its last record"),
        (|row| row[0] = 9, seq, "is of no known kind; a later version of Claviger may have written it"),
    ];
    for (damage, named, how) in damages {
        let at = copy(at.path());
        let (db, tree) = tree(at.path());
        let mut row = tree.get(key(seq, 0)).expect("readable").expect("there").to_vec();
        damage(&mut row);
        tree.insert(key(seq, 0), row).expect("changed");
        db.flush().expect("flushed");
        drop((db, tree));
        let broken = open(at.path());
        assert!(
            matches!(&broken, Err(LedgerError::Corrupt { seq, fault: Fault::Row(what) })
                if (*seq, *what) == (named, how)),
            "{named} {how}: {broken:?}"
        );
    }
}

#[tokio::test]
async fn a_log_that_lost_its_end_is_refused() {
    let (at, _) = log(30).await;
    let last = *rows(at.path()).last().expect("rows");
    let (db, tree) = tree(at.path());
    tree.remove(key(last, 0)).expect("removed").expect("was there");
    db.flush().expect("flushed");
    drop((db, tree));
    for _ in 0..2 {
        assert!(matches!(open(at.path()), Err(LedgerError::Shorter { known: 30, found }) if found == last - 1));
        assert!(
            matches!(verify::verify(at.path(), None, Vec::new()), Err(LedgerError::Shorter { known: 30, found }) if found == last - 1)
        );
    }
}

#[tokio::test]
async fn a_changed_last_record_is_not_read() {
    let (at, _) = log(30).await;
    let last = *rows(at.path()).last().expect("rows");
    let (db, tree) = tree(at.path());
    let mut row = tree.get(key(last, 0)).expect("readable").expect("there").to_vec();
    assert!(row.ends_with(b"eu-west-1"));
    *row.last_mut().expect("bytes") = b'2';
    tree.insert(key(last, 0), row).expect("changed");
    db.flush().expect("flushed");
    drop((db, tree));
    let read: Vec<_> = verify::read(at.path(), 1).expect("opens").collect();
    assert_eq!(read.iter().filter(|record| record.is_ok()).count(), 29);
    assert!(matches!(read.last(), Some(Err(LedgerError::Foreign { seq: 30, .. }))));
}

#[tokio::test]
async fn a_lost_log_is_not_replaced_by_a_new_one() {
    let (at, _) = log(30).await;
    let without_log = copy(at.path());
    std::fs::remove_dir_all(without_log.path().join("log")).expect("removed");
    assert!(matches!(open(without_log.path()), Err(LedgerError::Shorter { known: 30, found: 0 })));
    assert!(matches!(verify::verify(without_log.path(), None, Vec::new()), Err(LedgerError::NoLog(_))));

    let without_head = copy(at.path());
    std::fs::remove_file(without_head.path().join("head")).expect("removed");
    assert!(matches!(open(without_head.path()), Err(LedgerError::HeadUnknown(_))));

    let older = copy(at.path());
    let (shorter, _) = log(27).await;
    std::fs::remove_dir_all(older.path().join("log")).expect("removed");
    copy_into(&shorter.path().join("log"), &older.path().join("log"));
    assert!(matches!(open(older.path()), Err(LedgerError::Shorter { known: 30, found: 27 })));
}

#[tokio::test]
async fn a_log_that_cannot_be_examined_is_not_taken_for_a_missing_one() {
    let (at, _) = log(30).await;
    let file = at.path().join("log/db");
    std::fs::remove_file(&file).expect("removed");
    std::os::unix::fs::symlink("db", &file).expect("a link to itself");
    for error in [open(at.path()).err(), verify::verify(at.path(), None, Vec::new()).err()] {
        assert!(matches!(error, Some(LedgerError::Io { .. })), "{error:?}");
    }
}

#[tokio::test]
async fn verifying_creates_no_log() {
    let at = tempfile::tempdir().expect("a directory");
    let nowhere = at.path().join("nowhere");
    assert!(matches!(verify::verify(&nowhere, None, Vec::new()), Err(LedgerError::NoLog(_))));
    assert!(!nowhere.exists());
    std::fs::create_dir_all(nowhere.join("log")).expect("made");
    assert!(matches!(verify::verify(&nowhere, None, Vec::new()), Err(LedgerError::NoLog(_))));
    assert_eq!(std::fs::read_dir(nowhere.join("log")).expect("a directory").count(), 0);
}

/// Pseudo-random numbers that are the same in every run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn data_files(at: &Path) -> Vec<PathBuf> {
    let log = std::fs::read_dir(at.join("log")).expect("a directory").map(|entry| entry.expect("an entry").path());
    log.filter(|path| path.is_file()).chain([at.join("head")]).collect()
}

/// Damages a copy, and opens it twice: the changes that the first opening makes to the files must not hide the damage.
fn damage(from: &Path, whole: &Published, case: &str, harm: impl FnOnce(&Path)) -> bool {
    let at = copy(from);
    harm(at.path());
    let opened: Vec<_> = (0..2).map(|_| open(at.path())).collect();
    for outcome in &opened {
        match outcome {
            Ok(state) => assert_eq!(**state, *whole, "{case}: something was lost in silence"),
            Err(error) => assert!(error.to_string().contains("backup"), "{case}: {error}"),
        }
    }
    assert!(opened[0].is_ok() || opened[1].is_err(), "{case}: what was refused was then taken");
    let verified = verify::verify(at.path(), None, Vec::new());
    assert_eq!(verified.is_ok(), opened[1].is_ok(), "{case}: {verified:?}");
    opened[0].is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn truncation_is_detected() {
    let (at, whole) = log(300).await;
    let mut dice = Dice(1);
    for file in data_files(at.path()) {
        let length = file.metadata().expect("there").len();
        let name = file.strip_prefix(at.path()).expect("inside").to_owned();
        for round in 0..12 {
            let keep = if round == 0 { 0 } else { dice.below(length) };
            damage(at.path(), &whole, &format!("{} cut to {keep}", name.display()), |at| {
                let file = std::fs::OpenOptions::new().write(true).open(at.join(&name)).expect("opens");
                file.set_len(keep).expect("cut");
            });
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_bytes_are_harmless_or_detected() {
    let (at, whole) = log(300).await;
    let mut dice = Dice(2);
    let (mut harmless, mut noticed) = (0, 0);
    for round in 0..120 {
        for file in data_files(at.path()) {
            let mut bytes = std::fs::read(&file).expect("readable");
            let name = file.strip_prefix(at.path()).expect("inside").to_owned();
            // The file ends with unused zeros, which are not damaged.
            let used = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1) as u64;
            let begin = dice.below(used) as usize;
            let case = match round % 3 {
                0 => {
                    bytes[begin] ^= 1 << dice.below(8);
                    format!("a bit of {} flipped at {begin}", name.display())
                }
                1 => {
                    let end = bytes.len().min(begin + 1 + dice.below(5000) as usize);
                    bytes[begin..end].fill(0);
                    format!("{} zeroed from {begin} to {end}", name.display())
                }
                _ => {
                    let end = bytes.len().min(begin + 1 + dice.below(600) as usize);
                    bytes[begin..end].fill_with(|| dice.below(256) as u8);
                    format!("{} garbled from {begin} to {end}", name.display())
                }
            };
            match damage(at.path(), &whole, &case, |at| std::fs::write(at.join(&name), &bytes).expect("written")) {
                true => harmless += 1,
                false => noticed += 1,
            }
        }
    }
    assert!(harmless > 0 && noticed > 0, "{harmless} harmless, {noticed} noticed");
}
