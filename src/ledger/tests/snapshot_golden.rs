//! The bytes of a snapshot, in `tests/golden/snapshot-v<VERSION>.bin`. Snapshots are a cache, so their layouts may
//! change, but then `layout::state::VERSION` must be raised: a program that reads an old cache as something else would
//! start with a wrong state. The file is replaced with each version; the test fails until that has happened.
//!
//! The file holds several snapshots: how many parts one has (2 bytes), then the kind (2), the length (4) and the bytes
//! of each part.

use super::sample;
use super::*;
use crate::ledger::layout::state::VERSION;
use crate::ledger::snapshot::Place;
use std::path::PathBuf;
use tempfile::TempDir;

type Parts = Vec<(u16, Vec<u8>)>;

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/snapshot-v{VERSION}.bin"))
}

fn place() -> (TempDir, Place) {
    let at = tempfile::tempdir().expect("a directory");
    let place = Place::new(at.path(), Arc::new(|| Some([1; 32])));
    (at, place)
}

fn parts_of(place: &Place, replayed: &Replayed) -> Parts {
    place.write(replayed).expect("written");
    let file = place.open().expect("genuine");
    (0..file.len()).map(|n| file.part(n).expect("whole")).collect()
}

/// The states after the sample's events, each time before one of them removes something: together they hold an entry of
/// every kind.
fn rich_states() -> Vec<Parts> {
    let (_at, place) = place();
    let (mut states, mut before) = (Vec::new(), Parts::new());
    let mut replayed = Replayed::nothing();
    for (seq, event) in (1..).zip(sample::every_kind()) {
        let time = Time::from_nanos(seq as i64 * 1_000_000_000);
        replayed.absorb(&event, Chain { seq, hash: RecordHash([3; 32]), time }).expect("later");
        let parts = parts_of(&place, &replayed);
        if size(&parts) < size(&before) {
            states.push(std::mem::take(&mut before));
        }
        before = parts;
    }
    states.push(before);
    states
}

fn size(parts: &Parts) -> usize {
    parts.iter().map(|(_, bytes)| bytes.len()).sum()
}

fn parse(mut bytes: &[u8]) -> Vec<Parts> {
    let mut take = |length: usize| {
        let (taken, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        Some(taken)
    };
    let mut snapshots = Vec::new();
    while let Some(count) = take(2) {
        let parts = (0..u16::from_be_bytes(count.try_into().expect("two bytes"))).map(|_| {
            let kind = u16::from_be_bytes(take(2).expect("a kind").try_into().expect("two bytes"));
            let length = u32::from_be_bytes(take(4).expect("a length").try_into().expect("four bytes"));
            (kind, take(length as usize).expect("a part").to_vec())
        });
        snapshots.push(parts.collect());
    }
    snapshots
}

#[test]
fn a_snapshot_of_this_version_is_read_and_written_the_same_again() {
    let bytes = std::fs::read(golden()).unwrap_or_else(|error| {
        panic!("{}: {error}: run `cargo test --lib write_a_new_golden_snapshot -- --ignored`", golden().display())
    });
    let snapshots = parse(&bytes);
    assert!(snapshots.len() > 50 && snapshots.iter().map(size).max() > Some(700), "the file has few entries");
    let (_at, place) = place();
    let chain = Chain { seq: 1, hash: RecordHash([3; 32]), time: Time::from_nanos(1) };
    for (n, parts) in snapshots.iter().enumerate() {
        place.write_parts(chain, parts).expect("written");
        let read = place.open().and_then(|file| layout::state::read(&file));
        let (state, history) = read.unwrap_or_else(|doubt| {
            panic!("snapshot {n}: {doubt}: a layout has changed; raise VERSION in src/ledger/layout/state/mod.rs")
        });
        let again = parts_of(&place, &Replayed { state, history, chain });
        assert!(again == *parts, "snapshot {n}: a layout has changed; raise VERSION in src/ledger/layout/state/mod.rs");
    }
}

/// Run by hand when `VERSION` has been raised: `cargo test --lib write_a_new_golden_snapshot -- --ignored`.
#[test]
#[ignore = "writes a file into the repository"]
fn write_a_new_golden_snapshot() {
    assert!(
        !golden().exists(),
        "{} is there: raise VERSION, or delete the file if it was never released",
        golden().display()
    );
    let mut bytes = Vec::new();
    for parts in rich_states() {
        bytes.extend((parts.len() as u16).to_be_bytes());
        for (kind, part) in &parts {
            bytes.extend(kind.to_be_bytes());
            bytes.extend((part.len() as u32).to_be_bytes());
            bytes.extend(part);
        }
    }
    std::fs::write(golden(), bytes).expect("written");
}
