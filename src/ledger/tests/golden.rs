//! Records that earlier versions wrote: `tests/golden/records-v<version>.bin` has each record after its length (four
//! bytes, big-endian), and the `.jsonl` file beside it has their JSON, one line each. **These files never change**:
//! files are added, never edited and never removed. Bytes that an installation wrote years ago must still be decoded to
//! the same events, and must give the same JSON as auditors received. If a test here fails, the code is wrong, not the
//! file.

use super::layout::coverage::{Covered, Forms};
use super::layout::v2;
use super::sample::{self, user, user_name};
use super::*;
use crate::domain::event::{ConnectionEvent, InstallationEvent, SessionEvent, UserEvent};
use record::NewRecord;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The paths of all files, with the bytes of their records.
pub(super) fn files() -> Vec<(PathBuf, Vec<Vec<u8>>)> {
    let entries = std::fs::read_dir(directory()).expect("a directory").map(|entry| entry.expect("an entry").path());
    let files = entries.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("records-") && name.ends_with(".bin")
    });
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
fn old_records_decode_to_their_lines() {
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

/// The files cover every variant of every layout, with every optional member set and unset.
#[test]
fn every_form_of_every_event_is_kept_in_a_golden_file() {
    let (mut wanted, mut kept) = (Forms::new(), Forms::new());
    v2::Actor::wanted("", &mut wanted);
    v2::Event::wanted("", &mut wanted);
    for (_, records) in files() {
        for bytes in &records {
            let entry = record::entry_of(bytes).expect("a record");
            entry.actor.observe("", &mut kept);
            entry.event.observe("", &mut kept);
        }
    }
    let missing: Vec<_> = wanted.difference(&kept).collect();
    assert!(
        missing.is_empty(),
        "no golden file has {missing:#?}: add them to a sample (tests/sample*.rs), then run `cargo test --lib \
         write_a_new_golden_file -- --ignored`"
    );
}

#[test]
fn current_records_are_encoded_to_the_same_bytes() {
    let of_today = |bytes: &&Vec<u8>| bytes.first() == Some(&record::VERSION);
    for (path, records) in files() {
        for bytes in records.iter().filter(of_today) {
            let Record { seq, event_id, time, actor, request_id, event, previous, .. } =
                Record::decode(bytes).expect("a record");
            let new_record =
                NewRecord { seq, event_id, time, actor: &actor, request_id: &request_id, event: &event, previous };
            assert_eq!(new_record.encode().as_ref(), Some(bytes), "{}, record {seq}", path.display());
        }
    }
}

/// Secrets are stored although the lines do not show them.
#[test]
fn secrets_are_in_the_bytes_and_not_in_the_lines() {
    let path = directory().join("records-v2.bin");
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

/// The bytes of a record of version 2, written by hand, so that a change of the codec or its settings fails this test.
#[test]
fn version_2_has_its_fixed_bytes() {
    let event = Event::User(user(3), UserEvent::Removed);
    let (event_id, time) = (EventId::new(Uuid::from_u128(5)), Time::from_nanos(-2));
    let previous = RecordHash([9; 32]);
    let new_record =
        NewRecord { seq: 300, event_id, time, actor: &Actor::System, request_id: "ab", event: &event, previous };
    let mut bytes = vec![2]; // the version
    bytes.extend([9; 32]); // the hash of the record before
    bytes.extend([251, 44, 1]); // the number: 300, two bytes
    bytes.extend([[16].as_slice(), &[0; 15], &[5]].concat()); // the id, after its length
    bytes.extend([3]); // the time: -2 in zigzag encoding
    bytes.extend([0]); // the actor: the first variant
    bytes.extend([2, b'a', b'b']); // the request
    bytes.extend([1, 16]); // the event: the second variant, of a user
    bytes.extend(user(3).uuid().as_bytes());
    bytes.extend([8]); // the event of the user: the ninth variant
    assert_eq!(new_record.encode(), Some(bytes));
}

/// Developers run this when a kind of event has been added: `cargo test --lib write_a_new_golden_file -- --ignored`.
#[test]
#[ignore = "writes a file into the repository"]
fn write_a_new_golden_file() {
    let version = format!("records-v{}", record::VERSION);
    let mut names = std::iter::once(version.clone()).chain((2..).map(|n| format!("{version}-{n}")));
    let name = names.find(|name| !directory().join(format!("{name}.bin")).exists()).expect("a name");
    let (mut file, mut lines, mut previous) = (Vec::new(), String::new(), RecordHash::default());
    for (seq, event) in (1..).zip(sample::every_kind()) {
        let actor = match seq % 6 {
            0 => Actor::User { id: user(1), name: user_name("Ann") },
            1 => sample_schedules::actor(),
            2 => Actor::user(user(1), user_name("Ann"), None, Some("192.0.2.1")),
            3 => Actor::user(
                user(1),
                user_name("Ann"),
                Some(crate::domain::id::SessionId::new(sample::uuid(7))),
                Some("192.0.2.1"),
            ),
            4 => Actor::Operator { uid: 1000 },
            _ => Actor::System,
        };
        let event_id = EventId::new(sample::uuid(0x1000 + u128::from(seq)));
        let time = Time::from_nanos(1_604_554_157_200_168_000 + seq as i64);
        let request_id = format!("request-{seq}");
        let new_record =
            NewRecord { seq, event_id, time, actor: &actor, request_id: &request_id, event: &event, previous };
        let bytes = new_record.encode().expect("short enough");
        previous = RecordHash::of(&bytes);
        lines.push_str(&Record::decode(&bytes).expect("a record").to_line());
        lines.push('\n');
        file.extend((bytes.len() as u32).to_be_bytes());
        file.extend(bytes);
    }
    std::fs::write(directory().join(format!("{name}.bin")), file).expect("written");
    std::fs::write(directory().join(format!("{name}.jsonl")), lines).expect("written");
}
