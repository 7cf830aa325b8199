//! What the journal keeps, and what it survives.

use super::*;
use uuid::Uuid;

const BOUNDS: Bounds = Bounds { change_bytes: 64 << 20, read_bytes: 64 << 20, days: 30 };

fn call(id: u128, at_ms: i64) -> Call {
    let asked = Asked { by: "ann".into(), request_id: format!("r{id}").into() };
    Call { request_id: Uuid::from_u128(id).to_string(), at_ms, asked }
}

fn id(id: u128) -> String {
    Uuid::from_u128(id).to_string()
}

#[test]
fn a_call_is_found_by_its_request_id_with_who_asked() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = CallJournal::open(directory.path(), BOUNDS).expect("it opens");
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(journal.record_change(call(1, 1_000)));
    journal.record_read(call(2, 2_000));
    journal.record_read(Call { request_id: "not a UUID".to_owned(), ..call(3, 3_000) });
    let found = journal.between(1_000, 3_000).expect("it is read");
    assert_eq!(found.len(), 3);
    let asked = found.find(&id(1)).expect("it is ours");
    assert_eq!((&*asked.by, &*asked.request_id), ("ann", "r1"));
    assert!(found.is_ours(&id(2)) && found.is_ours("not a UUID") && !found.is_ours(&id(3)));
    let found = journal.between(1_001, 2_999).expect("it is read");
    assert!(found.is_ours(&id(2)) && !found.is_ours(&id(1)) && !found.is_ours("not a UUID"));
}

/// The file of an ended process: its end is torn at any byte.
#[test]
fn what_precedes_a_torn_record_is_read_and_later_runs_do_not_append_to_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut whole = Vec::new();
    segment::write(&call(1, 1_000), &mut whole);
    let first = whole.len();
    segment::write(&call(2, 2_000), &mut whole);
    for length in 0..=whole.len() {
        let path = directory.path().join("changes-000000000001000.calls");
        std::fs::write(&path, &whole[..length]).expect("a file");
        let journal = CallJournal::open(directory.path(), BOUNDS).expect("it opens");
        let found = journal.between(0, 9_000).expect("it is read");
        let expected = usize::from(length >= first) + usize::from(length == whole.len());
        assert_eq!(found.len(), expected, "{length} bytes");
    }
    let journal = CallJournal::open(directory.path(), BOUNDS).expect("it opens");
    journal.record_read(call(3, 3_000));
    assert!(journal.between(0, 9_000).expect("it is read").is_ours(&id(3)));
}

#[test]
fn a_damaged_byte_hides_no_earlier_record_and_is_no_call_of_ours() {
    let mut whole = Vec::new();
    segment::write(&call(1, 1_000), &mut whole);
    let first = whole.len();
    segment::write(&call(2, 2_000), &mut whole);
    for at in first..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        let found: Vec<_> = segment::read(&damaged).map(|found| found.key).collect();
        assert_eq!(found, [1], "byte {at}");
    }
}

#[test]
fn the_oldest_segments_are_deleted_beyond_the_bounds() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut bytes = Vec::new();
    segment::write(&call(1, 1_000), &mut bytes);
    let day = 86_400_000;
    for (kind, at) in [("changes", 1), ("changes", 20), ("changes", 45), ("reads", 45), ("reads", 46)] {
        let name = format!("{kind}-{:015}.calls", at * day);
        std::fs::write(directory.path().join(name), &bytes).expect("a file");
    }
    let bounds = Bounds { read_bytes: bytes.len() as u64, ..BOUNDS };
    let journal = CallJournal::open(directory.path(), bounds).expect("it opens");
    let names = |kind| {
        segment::list(directory.path(), kind).expect("a list").iter().map(|one| one.first_ms / day).collect::<Vec<_>>()
    };
    assert_eq!(names(Kind::Read), [46], "by bytes, at the start");
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(journal.record_change(call(9, 60 * day)));
    assert_eq!(
        names(Kind::Change),
        [20, 45, 60],
        "by age, with a new segment; the one before lasts until the next begins"
    );
}

#[test]
fn files_are_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("calls");
    let journal = CallJournal::open(&path, BOUNDS).expect("it opens");
    journal.record_read(call(1, 1_000));
    assert!(journal.between(0, 9_000).expect("it is read").is_ours(&id(1)));
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let files = segment::list(&path, Kind::Read).expect("a list");
    assert_eq!(mode(&files[0].path), 0o600);
}
