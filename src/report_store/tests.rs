//! What the files of reports survive, and their bounds.

use super::*;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

const REPORT: Uuid = Uuid::from_u128(1);
const BOUNDS: Bounds = Bounds { report_bytes: 1 << 20, all_bytes: 2 << 20, reserve_bytes: 0 };

fn store(at: &TempDir) -> ReportStore {
    ReportStore::open(at.path(), BOUNDS, &HashSet::from([REPORT])).expect("it opens")
}

fn rows(store: &ReportStore) -> Vec<String> {
    let (mut reader, mut rows) = (store.reader(REPORT).expect("a file"), Vec::new());
    while let Some((_, row)) = reader.next().expect("it is whole") {
        rows.push(String::from_utf8(row.to_vec()).expect("UTF-8"));
    }
    rows
}

#[test]
fn rows_are_read_in_order_and_again_by_their_place() {
    let at = tempfile::tempdir().expect("a directory");
    let store = store(&at);
    let (mut writer, checkpoint) = store.writer(REPORT).expect("a file");
    assert_eq!(checkpoint, None);
    writer.append(&["one", "two"], b"a").expect("room");
    writer.append(&[""; 0], b"b").expect("room");
    writer.append(&["", "three"], b"c").expect("room");
    assert_eq!(rows(&store), ["one", "two", "", "three"]);
    let mut reader = store.reader(REPORT).expect("a file");
    let mut places = Vec::new();
    while let Some((place, _)) = reader.next().expect("it is whole") {
        places.push(place);
    }
    assert_eq!(reader.row_at(places[3]).expect("a row"), b"three");
    assert_eq!(reader.row_at(places[0]).expect("a row"), b"one");
    assert!(reader.row_at(places[1] + 1).is_err(), "no frame begins there");
    let end = std::fs::metadata(store.path(REPORT)).expect("it is there").len();
    assert!(matches!(reader.row_at(end), Err(StoreError::Damaged)), "nor at the end");
    let mut reader = store.reader(REPORT).expect("a file");
    assert_eq!(reader.next().expect("it is whole").expect("a row").1, b"one");
    assert_eq!(reader.row_at(places[3]).expect("a row"), b"three");
    assert_eq!(reader.next().expect("it is whole").expect("a row").1, b"two", "it goes on where it was");
    let mode = std::fs::metadata(store.path(REPORT)).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A process that is killed, or a machine that loses power, leaves any part of the last writes.
#[test]
fn a_torn_file_goes_on_from_its_last_whole_checkpoint() {
    let at = tempfile::tempdir().expect("a directory");
    let store = store(&at);
    let (mut writer, _) = store.writer(REPORT).expect("a file");
    writer.append(&["one"], b"a").expect("room");
    let first = std::fs::metadata(store.path(REPORT)).expect("a file").len();
    writer.append(&["two", "three"], b"b").expect("room");
    let whole = std::fs::read(store.path(REPORT)).expect("a file");
    for length in 0..=whole.len() {
        for is_zeroed in [false, true] {
            let mut torn = whole[..length].to_vec();
            if is_zeroed {
                torn.resize(whole.len() + 50, 0);
            }
            std::fs::write(store.path(REPORT), &torn).expect("a file");
            let (mut writer, checkpoint) = store.writer(REPORT).expect("it opens");
            let expected: (&[&str], Option<&[u8]>) = match length as u64 {
                length if length < first => (&[], None),
                length if length < whole.len() as u64 => (&["one"], Some(b"a")),
                _ => (&["one", "two", "three"], Some(b"b")),
            };
            assert_eq!(
                (rows(&store), checkpoint.as_deref()),
                (expected.0.iter().map(ToString::to_string).collect(), expected.1),
                "{length}"
            );
            writer.append(&["next"], b"c").expect("room");
            assert_eq!(rows(&store).last().map(String::as_str), Some("next"));
        }
    }
}

#[test]
fn a_damaged_byte_is_an_error_and_never_another_row() {
    let at = tempfile::tempdir().expect("a directory");
    let store = store(&at);
    let (mut writer, _) = store.writer(REPORT).expect("a file");
    writer.append(&["one", "two"], b"a").expect("room");
    let whole = std::fs::read(store.path(REPORT)).expect("a file");
    for place in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x40;
        std::fs::write(store.path(REPORT), &damaged).expect("a file");
        let mut reader = store.reader(REPORT).expect("a file");
        let failure = loop {
            match reader.next() {
                Ok(Some((_, row))) => assert!([b"one".as_slice(), b"two"].contains(&row), "byte {place}"),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        assert!(matches!(failure, Some(StoreError::Damaged)), "byte {place}: {failure:?}");
    }
}

#[test]
fn rows_are_replaced_at_once() {
    let at = tempfile::tempdir().expect("a directory");
    let store = store(&at);
    let (mut writer, _) = store.writer(REPORT).expect("a file");
    writer.replace(&["one"], b"a").expect("room");
    writer.replace(&["two", "three"], b"b").expect("room");
    writer.append(&["four"], b"c").expect("room");
    drop(writer);
    assert_eq!(rows(&store), ["two", "three", "four"]);
    assert_eq!(store.writer(REPORT).expect("a file").1, Some(b"c".to_vec()));
    let bytes = std::fs::metadata(store.path(REPORT)).expect("it is there").len();
    assert_eq!(store.bytes.load(Ordering::Relaxed), bytes, "what was replaced is not counted");
}

#[test]
fn the_bytes_of_a_report_and_of_all_reports_are_bounded() {
    let at = tempfile::tempdir().expect("a directory");
    let bounds = Bounds { report_bytes: 100, all_bytes: 150, reserve_bytes: 0 };
    let store = ReportStore::open(at.path(), bounds, &HashSet::new()).expect("it opens");
    let (mut first, _) = store.writer(REPORT).expect("a file");
    first.append(&["x".repeat(60)], b"").expect("room");
    assert!(matches!(first.append(&["x".repeat(60)], b""), Err(StoreError::ReportFull(100))));
    let other = Uuid::from_u128(2);
    let (mut second, _) = store.writer(other).expect("a file");
    second.append(&["x".repeat(40)], b"").expect("room");
    assert!(matches!(second.append(&["x".repeat(20)], b""), Err(StoreError::AllFull(150))));
    assert_eq!(rows(&store).len(), 1, "what was there stays");
    store.remove(REPORT).expect("it is removed");
    store.remove(REPORT).expect("it is gone already");
    second.append(&["x".repeat(20)], b"").expect("there is room again");
    assert!(store.reader(REPORT).is_err());
}

/// Its writer is a task that ends a moment later.
#[test]
fn the_file_of_a_deleted_report_does_not_come_back() {
    let at = tempfile::tempdir().expect("a directory");
    let store = store(&at);
    let (mut writer, _) = store.writer(REPORT).expect("a file");
    writer.append(&["one"], b"a").expect("room");
    store.remove(REPORT).expect("it is removed");
    assert!(matches!(writer.append(&["two"], b"b"), Err(StoreError::Deleted)));
    assert!(matches!(writer.replace(&["two"], b"b"), Err(StoreError::Deleted)));
    assert!(matches!(store.writer(REPORT), Err(StoreError::Deleted)));
    assert_eq!(std::fs::read_dir(at.path()).expect("a directory").count(), 0);
    assert_eq!(store.bytes.load(Ordering::Relaxed), 0, "nothing of it is counted");
}

/// The log is on the same disk, and stops for good when the disk is full.
#[test]
fn rows_leave_the_reserve_of_the_disk_free() {
    let at = tempfile::tempdir().expect("a directory");
    let bounds = Bounds { reserve_bytes: 1_000, ..BOUNDS };
    let open = |free| ReportStore {
        free,
        ..ReportStore::open(at.path(), bounds, &HashSet::from([REPORT])).expect("it opens")
    };
    let roomy = open(|_| Ok(1_100));
    roomy.writer(REPORT).expect("a file").0.append(&["x".repeat(40)], b"a").expect("room");
    let before = std::fs::read(roomy.path(REPORT)).expect("a file");
    for free in [(|_| Ok(1_030)) as fn(&Path) -> io::Result<u64>, |_| Ok(0)] {
        let low = open(free);
        let (mut writer, _) = low.writer(REPORT).expect("a file");
        assert!(matches!(writer.append(&["x".repeat(40)], b"b"), Err(StoreError::DiskLow(1_000))));
        assert!(matches!(writer.replace(&["x".repeat(40)], b"b"), Err(StoreError::DiskLow(1_000))));
        assert_eq!(std::fs::read(low.path(REPORT)).expect("a file"), before, "nothing is written");
        assert_eq!(low.bytes.load(Ordering::Relaxed), before.len() as u64, "nor counted");
    }
    let lost = open(|_| Err(io::ErrorKind::Other.into()));
    let (mut writer, _) = lost.writer(REPORT).expect("a file");
    assert!(matches!(writer.append(&["x"], b"b"), Err(StoreError::Io(_))), "unknown is no room");
    assert!(free_bytes(at.path()).expect("a disk") > 0);
}

#[test]
fn files_without_a_report_are_deleted_at_the_start() {
    let at = tempfile::tempdir().expect("a directory");
    let stray = at.path().join(format!("{}{SUFFIX}", Uuid::from_u128(2)));
    let (half, other) = (at.path().join("x.new"), at.path().join("notes.txt"));
    for path in [&stray, &half, &other] {
        std::fs::write(path, "x").expect("a file");
    }
    let known = store(&at);
    known.writer(REPORT).expect("a file").0.append(&["one"], b"a").expect("room");
    assert_eq!(rows(&store(&at)), ["one"]);
    assert!(!stray.exists() && !half.exists() && other.exists());
}
