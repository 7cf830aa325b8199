//! Records as past versions wrote them: `tests/golden/records-v<n>.bin`, each record behind its length (four bytes,
//! big end first), and beside it what they are, one line of JSON each. Files are added, never edited: bytes that an
//! installation wrote years ago must still be read.

use super::sample::{self, KINDS, kind, user, user_name};
use super::*;
use crate::domain::event::{ConnectionEvent, InstallationEvent, SessionEvent, UserEvent};
use record::Draft;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Every file of records, with the bytes of each.
fn files() -> Vec<(PathBuf, Vec<Vec<u8>>)> {
    let entries = std::fs::read_dir(directory()).expect("a directory").map(|entry| entry.expect("an entry").path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "bin"));
    files.map(|path| (path.clone(), records(&std::fs::read(path).expect("readable")))).collect()
}

fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (record, more) = rest.split_at(u32::from_be_bytes(*length) as usize);
        records.push(record.to_vec());
        bytes = more;
    }
    records
}

#[test]
fn old_records_are_read_as_what_they_are() {
    for (path, records) in files() {
        let lines = std::fs::read_to_string(path.with_extension("jsonl")).expect("readable");
        assert_eq!(lines.lines().count(), records.len(), "{}", path.display());
        for (line, bytes) in lines.lines().zip(&records) {
            let record = Record::decode(bytes).unwrap_or_else(|fault| panic!("{}: {fault}: {line}", path.display()));
            assert_eq!(record.to_line(), line, "{}", path.display());
        }
        assert!(!records.is_empty());
    }
}

#[test]
fn every_kind_of_event_is_kept_in_a_golden_file() {
    let kept: BTreeSet<_> = files().into_iter().flat_map(|(_, records)| records).collect();
    let kept: BTreeSet<_> = kept.iter().map(|bytes| kind(&Record::decode(bytes).expect("a record").event)).collect();
    let missing: Vec<_> = KINDS.iter().filter(|kind| !kept.contains(*kind)).collect();
    assert!(missing.is_empty(), "write a new file with a sample of {missing:?}: see `write_a_new_golden_file`");
}

#[test]
fn there_is_a_sample_of_every_kind() {
    let samples: BTreeSet<_> = sample::every_kind().iter().map(kind).collect();
    assert_eq!(samples, KINDS.iter().copied().collect());
}

/// What a line does not show, because it is secret, is there all the same.
#[test]
fn secrets_are_in_the_bytes_and_not_in_the_lines() {
    let path = directory().join("records-v1.bin");
    let records = records(&std::fs::read(&path).expect("readable"));
    let lines = std::fs::read_to_string(path.with_extension("jsonl")).expect("readable");
    let mut found = BTreeSet::new();
    for bytes in &records {
        match Record::decode(bytes).expect("a record").event {
            Event::Installation(InstallationEvent::Created { token_key, .. }) => drop(found.insert(token_key.0)),
            Event::User(_, UserEvent::Created { password, .. }) => drop(found.insert(password.0)),
            Event::Connection(_, ConnectionEvent::Created { secret, .. }) => drop(found.insert(secret.0)),
            Event::Session(_, SessionEvent::Opened { refresh, .. }) => assert_eq!(refresh.hash.0, [1; 32]),
            _ => {}
        }
    }
    assert_eq!(found, ["a sealed hash", "a sealed secret", "a sealed token key"].map(|text| text.into()).into());
    assert!(!lines.contains("a sealed") && lines.contains(r#""secret":"[sealed]""#) && lines.contains("[hash]"));
}

/// The layout of version 1, byte by byte, by hand: a change of the codec or its settings shows here first.
#[test]
fn version_1_is_laid_out_as_it_always_was() {
    let event = Event::User(user(3), UserEvent::Removed);
    let (event_id, time) = (EventId::new(Uuid::from_u128(5)), Time::from_nanos(-2));
    let previous = RecordHash([9; 32]);
    let draft = Draft { seq: 300, event_id, time, actor: &Actor::System, request_id: "ab", event: &event, previous };
    let mut bytes = vec![1]; // the version
    bytes.extend([9; 32]); // the hash of the record before
    bytes.extend([251, 44, 1]); // the number: 300, two bytes
    bytes.extend([[16].as_slice(), &[0; 15], &[5]].concat()); // the id, behind its length
    bytes.extend([3]); // the time: -2, as its zigzag
    bytes.extend([0]); // the actor: the first variant
    bytes.extend([2, b'a', b'b']); // the request
    bytes.extend([1, 16]); // the event: the second variant, of a user
    bytes.extend(user(3).uuid().as_bytes());
    bytes.extend([8]); // and there the ninth
    assert_eq!(draft.encode(), Some(bytes));
}

/// Run by hand when a kind of event has been added: `cargo test write_a_new_golden_file -- --ignored`.
#[test]
#[ignore = "writes a file into the repository"]
fn write_a_new_golden_file() {
    let number = (1..).find(|n| !directory().join(format!("records-v{n}.bin")).exists()).expect("a number");
    let (mut file, mut lines, mut previous) = (Vec::new(), String::new(), RecordHash::default());
    for (seq, event) in (1..).zip(sample::every_kind()) {
        let actor = match seq % 3 {
            0 => Actor::User { id: user(1), name: user_name("Ann") },
            1 => sample_schedules::actor(),
            _ => Actor::System,
        };
        let event_id = EventId::new(sample::uuid(0x1000 + u128::from(seq)));
        let time = Time::from_nanos(1_604_554_157_200_168_000 + seq as i64);
        let request_id = format!("request-{seq}");
        let draft = Draft { seq, event_id, time, actor: &actor, request_id: &request_id, event: &event, previous };
        let bytes = draft.encode().expect("short enough");
        previous = RecordHash::of(&bytes);
        lines.push_str(&Record::decode(&bytes).expect("a record").to_line());
        lines.push('\n');
        file.extend((bytes.len() as u32).to_be_bytes());
        file.extend(bytes);
    }
    std::fs::write(directory().join(format!("records-v{number}.bin")), file).expect("written");
    std::fs::write(directory().join(format!("records-v{number}.jsonl")), lines).expect("written");
}
