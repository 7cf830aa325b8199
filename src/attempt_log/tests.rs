//! The guarantees of the log: its bounds, restarts, damage.

use super::*;
use tempfile::TempDir;

const BOUNDS: Bounds = Bounds { bytes: 64 * 1024, days: 400 };

fn attempt(reason: &str, minute: i64) -> NewAttempt {
    NewAttempt {
        nanos: minute * 60_000_000_000,
        status: 403,
        reason: reason.to_owned(),
        method: "DELETE".to_owned(),
        path: "/v1/cckm/aws/kms/0b90f8de-8617-498d-ad63-ca18eb717ae7".to_owned(),
        source: "192.0.2.1".to_owned(),
        user: Some("bob".to_owned()),
        ..NewAttempt::default()
    }
}

fn opened(home: &TempDir) -> AttemptLog {
    AttemptLog::open(home.path(), BOUNDS).expect("opens")
}

fn bytes(home: &TempDir) -> u64 {
    let files = std::fs::read_dir(home.path()).expect("a directory");
    files.map(|file| file.expect("a file").metadata().expect("its size").len()).sum()
}

fn numbers(attempts: &[Attempt]) -> Vec<u64> {
    attempts.iter().map(|attempt| attempt.number).collect()
}

#[test]
fn attempts_are_read_by_number_and_survive_a_restart() {
    let home = TempDir::new().expect("a directory");
    let log = opened(&home);
    let head = log.watch_head();
    for reason in ["one", "two", "three"] {
        log.record(attempt(reason, 1));
    }
    log.flush();
    assert_eq!(*head.borrow(), 3);
    drop((log, head));
    let log = opened(&home);
    assert_eq!((log.head(), log.first().expect("a number")), (3, 1));
    log.record(attempt("four", 2));
    log.flush();
    let all = log.read(1, 10).expect("read");
    assert_eq!(numbers(&all), [1, 2, 3, 4]);
    assert_eq!((all[3].what.reason.as_str(), all[3].times), ("four", 1));
    assert_eq!(numbers(&log.read(2, 2).expect("read")), [2, 3]);
    assert_eq!(numbers(&log.read(5, 2).expect("read")), [] as [u64; 0]);
    assert_eq!(numbers(&log.read_many(&[2, 4, 9]).expect("read")), [2, 4]);
}

#[test]
fn a_flood_stays_within_the_bound_and_is_counted() {
    let home = TempDir::new().expect("a directory");
    let log = opened(&home);
    for minute in 0..200 {
        for _ in 0..100 {
            log.record(attempt("forbidden", minute));
        }
        log.flush();
        assert!(bytes(&home) <= BOUNDS.bytes, "{} bytes after minute {minute}", bytes(&home));
    }
    log.settle();
    let (first, head) = (log.first().expect("a number"), log.head());
    assert!(first > 1 && head > first);
    let kept = log.read(first, usize::MAX).expect("read");
    assert_eq!(kept.last().map(|attempt| attempt.number), Some(head));
    let last: u64 = kept
        .iter()
        .rev()
        .take_while(|attempt| attempt.what.nanos == kept[kept.len() - 1].what.nanos)
        .map(|attempt| attempt.times)
        .sum();
    assert_eq!(last, 100, "all of the last minute are counted");
}

#[test]
fn a_damaged_segment_is_left_out_and_no_number_is_given_twice() {
    let home = TempDir::new().expect("a directory");
    for reason in ["one", "two"] {
        let log = opened(&home);
        (0..3).for_each(|minute| log.record(attempt(reason, minute)));
        log.flush();
    }
    let segments = segments(&home);
    assert_eq!(segments.len(), 2);
    let damage = |path: &std::path::PathBuf| {
        let mut content = std::fs::read(path).expect("content");
        let middle = content.len() / 2;
        content[middle] ^= 0x40;
        std::fs::write(path, content).expect("written");
    };
    damage(&segments[0]);
    let log = opened(&home);
    assert_eq!(numbers(&log.read(1, 10).expect("read")), [1, 4, 5, 6]);
    drop(log);
    damage(&segments[1]);
    let log = opened(&home);
    assert!(log.head() >= 6, "{}", log.head());
    log.record(attempt("three", 9));
    log.flush();
    let read = log.read(1, 10).expect("read");
    assert_eq!((read.len(), read[2].what.reason.as_str()), (3, "three"));
    assert!(read[2].number > 6);
}

#[test]
fn what_the_queue_cannot_take_is_counted() {
    let home = TempDir::new().expect("a directory");
    let log = opened(&home);
    log.dropped.store(7, Ordering::Relaxed);
    log.record(attempt("forbidden", 1));
    log.settle();
    let all = log.read(1, 10).expect("read");
    let uncounted = all.iter().find(|attempt| attempt.what.reason == NOT_RECORDED).expect("a record");
    assert_eq!(uncounted.times, 7);
}

/// The files of the log, the oldest first.
fn segments(home: &TempDir) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(home.path()).expect("a directory");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    paths
}

/// Makes a file look as if nothing had been written to it for so many days.
fn age(path: &std::path::Path, days: u64) {
    let file = std::fs::File::options().append(true).open(path).expect("a file");
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400);
    file.set_modified(then).expect("set");
}

#[test]
fn a_segment_ends_after_a_day_so_that_its_attempts_can_be_deleted_for_their_age() {
    let home = TempDir::new().expect("a directory");
    let log = opened(&home);
    for minute in [0, 1_439, 1_440, 1_441] {
        log.record(attempt("forbidden", minute));
        log.flush();
    }
    assert_eq!(segments(&home).len(), 2);
    drop(log);
    age(&segments(&home)[0], u64::from(BOUNDS.days) + 1);
    let log = opened(&home);
    log.flush();
    assert_eq!(numbers(&log.read(1, 10).expect("read")), [3, 4]);
    assert_eq!(log.first().expect("a number"), 3);
}

#[test]
fn attempts_are_deleted_for_their_age_also_when_no_others_follow() {
    let home = TempDir::new().expect("a directory");
    let log = opened(&home);
    (0..3).for_each(|minute| log.record(attempt("forbidden", minute)));
    log.flush();
    drop(log);
    age(&segments(&home)[0], u64::from(BOUNDS.days) - 1);
    let log = opened(&home);
    log.flush();
    assert_eq!(log.read(1, 10).expect("read").len(), 3);
    drop(log);
    age(&segments(&home)[0], u64::from(BOUNDS.days) + 1);
    // Twice: what begins the second time is the empty segment of the first.
    for _ in 0..2 {
        let log = opened(&home);
        log.flush();
        assert_eq!((log.read(1, 10).expect("read").len(), log.head(), segments(&home).len()), (0, 3, 1));
    }
    let log = opened(&home);
    log.record(attempt("forbidden", 9));
    log.flush();
    assert_eq!((numbers(&log.read(1, 10).expect("read")), segments(&home).len()), (vec![4], 1));
}

#[test]
fn what_a_full_disk_did_not_take_is_counted_with_all_that_it_stood_for() {
    let home = TempDir::new().expect("a directory");
    let log = opened(&home);
    let now = segment_files::milliseconds(std::time::SystemTime::now()) / 60_000;
    (0..30).for_each(|_| log.record(attempt("forbidden", now)));
    log.flush();
    let written: u64 = log.read(1, 30).expect("read").iter().map(|attempt| attempt.times).sum();
    std::fs::remove_dir_all(home.path()).expect("removed");
    // The segment ends with the day, and no new one can begin: what was counted together, and this one, are lost.
    log.record(attempt("forbidden", now + 1_500));
    log.flush();
    std::fs::create_dir(home.path()).expect("made");
    log.settle();
    let all = log.read(1, 20).expect("read");
    let uncounted = all.iter().find(|attempt| attempt.what.reason == NOT_RECORDED).expect("a record");
    assert_eq!(uncounted.times, 30 - written + 1);
}
