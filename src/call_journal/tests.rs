//! What the journal keeps, and what it survives.

use super::*;
use uuid::Uuid;

const BOUNDS: Bounds = Bounds { change_bytes: 64 << 20, read_bytes: 64 << 20, days: 30 };

/// Every time has passed.
const LATE: Option<i64> = Some(i64::MAX);

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
    let journal = CallJournal::open(directory.path(), BOUNDS, LATE).expect("it opens");
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

/// What a damaged record and those behind it were is not known, so it must not count as known.
#[test]
fn the_times_behind_a_damaged_record_count_as_missing() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut bytes = Vec::new();
    (1..=3).for_each(|n| segment::write(&call(n, 1_000 * i64::try_from(n).expect("small")), &mut bytes));
    let path = directory.path().join("changes-000000000001000.calls");
    for is_damaged in [false, true] {
        if is_damaged {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
        std::fs::write(&path, &bytes).expect("a file");
        let journal = CallJournal::open(directory.path(), BOUNDS, LATE).expect("it opens");
        let found = journal.between(0, 9_000).expect("it is read");
        assert!(found.is_ours(&id(1)) && found.is_ours(&id(3)) != is_damaged);
        let coverage = journal.coverage().expect("it is read");
        assert_eq!(coverage.is_complete(true, 2_000, 3_000), !is_damaged);
    }
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
        let journal = CallJournal::open(directory.path(), BOUNDS, LATE).expect("it opens");
        let found = journal.between(0, 9_000).expect("it is read");
        let expected = usize::from(length >= first) + usize::from(length == whole.len());
        assert_eq!(found.len(), expected, "{length} bytes");
    }
    let journal = CallJournal::open(directory.path(), BOUNDS, LATE).expect("it opens");
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
        let found: Vec<_> = segment::read(&damaged).0.iter().map(|found| found.key).collect();
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
    let journal = CallJournal::open(directory.path(), bounds, LATE).expect("it opens");
    let names = |kind| {
        segment::list(directory.path(), kind).expect("a list").iter().map(|one| one.first / day).collect::<Vec<_>>()
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
    let journal = CallJournal::open(&path, BOUNDS, LATE).expect("it opens");
    journal.record_read(call(1, 1_000));
    assert!(journal.between(0, 9_000).expect("it is read").is_ours(&id(1)));
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let files = segment::list(&path, Kind::Read).expect("a list");
    assert_eq!(mode(&files[0].path), 0o600);
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(work);
}

/// Writes a segment of a day, with the times of its file.
fn segment_of(directory: &Path, kind: &str, day: i64, first: u128) {
    let mut bytes = Vec::new();
    segment::write(&call(first, day * DAY), &mut bytes);
    let path = directory.join(format!("{kind}-{:015}.calls", day * DAY));
    std::fs::write(&path, bytes).expect("a file");
    let written =
        std::time::UNIX_EPOCH + std::time::Duration::from_millis(u64::try_from(day * DAY).expect("after 1970"));
    std::fs::File::options()
        .append(true)
        .open(path)
        .and_then(|file| file.set_modified(written))
        .expect("its time is set");
}

const DAY: i64 = 86_400_000;

#[test]
fn what_was_deleted_or_lost_is_not_known_and_a_new_installation_has_made_no_calls() {
    let directory = tempfile::tempdir().expect("a directory");
    let new = CallJournal::open(&directory.path().join("new"), BOUNDS, None).expect("it opens");
    let known = new.coverage().expect("it is read");
    assert!(known.is_complete(true, 0, DAY) && known.is_complete(false, 0, DAY));
    let now = crate::segment_files::milliseconds(std::time::SystemTime::now());
    let lost = CallJournal::open(&directory.path().join("lost"), BOUNDS, Some(5)).expect("it opens");
    let known = lost.coverage().expect("it is read");
    assert!(!known.is_complete(true, now - DAY, now) && known.is_complete(true, now + DAY, now + 2 * DAY));
    let path = directory.path().join("old");
    let old = CallJournal::open(&path, BOUNDS, None).expect("it opens");
    for (kind, day) in [("changes", 1), ("changes", 20), ("changes", 45), ("reads", 1)] {
        segment_of(&path, kind, day, 7);
    }
    drop(old);
    let old = CallJournal::open(&path, BOUNDS, LATE).expect("it opens");
    assert!(old.coverage().expect("it is read").is_complete(true, DAY, 2 * DAY), "nothing was deleted yet");
    block_on(old.record_change(call(9, 60 * DAY)));
    let known = old.coverage().expect("it is read");
    assert!(!known.is_complete(true, DAY, 2 * DAY), "the first segment is deleted");
    assert!(known.is_complete(true, 19 * DAY, 60 * DAY) && known.is_complete(false, DAY, 2 * DAY));
    let again = CallJournal::open(&path, BOUNDS, LATE).expect("it opens");
    assert_eq!(again.coverage().expect("it is read"), known, "also after a restart");
}

#[test]
fn calls_that_were_not_recorded_leave_a_gap() {
    let gaps = Gaps::default();
    gaps.note(Kind::Read, 500, 500);
    gaps.note(Kind::Read, 400, 450);
    let directory = tempfile::tempdir().expect("a directory");
    CallJournal::open(directory.path(), BOUNDS, None).expect("it opens");
    let known = Coverage::read(directory.path(), &gaps).expect("it is read");
    for (from, to, expected) in [(0, 399, true), (0, 400, false), (450, 460, false), (501, 600, true)] {
        assert_eq!(known.is_complete(false, from, to), expected, "{from} {to}");
        assert!(known.is_complete(true, from, to), "changes have none");
    }
}

/// A clock without a battery, or a wrong server of time.
#[test]
fn a_clock_that_jumps_deletes_and_hides_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = CallJournal::open(directory.path(), BOUNDS, Some(10 * DAY)).expect("it opens");
    segment_of(directory.path(), "changes", 2, 1);
    let ahead = 4_000 * DAY;
    for (id, at) in [(2, 10 * DAY), (3, ahead), (4, ahead + 1), (5, 10 * DAY + 1_000), (6, 10 * DAY + 2_000)] {
        block_on(journal.record_change(call(id, at)));
    }
    let found = |from, to| {
        let found = journal.between(from, to).expect("it is read");
        (1..=6).filter(|n| found.is_ours(&id(*n))).collect::<Vec<_>>()
    };
    assert_eq!(found(2 * DAY, 2 * DAY), [1], "what is old by the false time only");
    assert_eq!(found(10 * DAY, 10 * DAY + 5_000), [2, 5, 6]);
    assert_eq!(found(ahead, ahead + 5), [3, 4]);
}
