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
    let mut segments: Vec<_> =
        std::fs::read_dir(home.path()).expect("files").map(|file| file.expect("one").path()).collect();
    segments.sort();
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
