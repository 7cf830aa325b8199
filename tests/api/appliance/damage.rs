//! A damaged data directory: either the program refuses to start and says what to do, or nothing was lost. It never
//! panics, and never creates a new installation over an existing one.

use crate::support::appliance::{Appliance, lab, program, run_to_end};
use serde_json::json;
use std::cell::Cell;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const BACKUP: &str = "restore the data directory from a backup";
const WHOLE_BACKUP: &str = "restore the entire data directory from one backup";

/// A data directory with a few hundred records, after a clean shutdown.
struct Sound {
    appliance: Appliance,
    copies: TempDir,
    said: String,
}

impl Sound {
    fn make() -> Self {
        let mut appliance = Appliance::start();
        let admin = appliance.admin();
        for n in 0..120 {
            let body = json!({"name": format!("group-{n}"), "description": "x".repeat(300)});
            admin.post("/v1/usermgmt/groups", body).expect(201);
        }
        assert!(appliance.terminate().success());
        let (code, said, problem) = run_to_end(&mut verify(&appliance.data()));
        assert_eq!(code, Some(0), "{problem}");
        Self { appliance, copies: TempDir::new().expect("a directory"), said }
    }

    /// A copy of the data directory, with this damage.
    fn damaged(&self, damage: impl FnOnce(&Path)) -> TempDir {
        let copy = TempDir::new_in(&self.copies).expect("a directory");
        copy_all(&self.appliance.data(), copy.path());
        damage(copy.path());
        copy
    }
}

pub(super) fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            fs::create_dir(&target).expect("a directory");
            copy_all(&entry.path(), &target);
        } else if kind.is_file() {
            fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}

pub(super) fn verify(data: &Path) -> Command {
    let mut command = program();
    command.args(["verify", "--data"]).arg(data);
    command
}

pub(super) fn serve(data: &Path) -> Command {
    let mut command = program();
    command.arg("serve").env("CLAVIGER_STORAGE_DATA_DIR", data).env("CLAVIGER_SERVER_LISTEN", "127.0.0.1:0");
    command
}

/// Asserts that a command ends with exit code 1, prints these texts to standard error, and does not panic.
#[track_caller]
fn assert_refuses(command: &mut Command, texts: &[&str]) {
    let (code, out, err) = run_to_end(command);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(!err.contains("panic") && !err.contains("RUST_BACKTRACE"), "{err}");
    let last = err.lines().last().unwrap_or_default();
    assert!(last.starts_with("claviger: "), "{err}");
    for part in last.split(": ").filter(|part| part.len() > 20) {
        assert_eq!(last.matches(part).count(), 1, "said twice: {last}");
    }
    texts.iter().for_each(|text| assert!(last.contains(text), "`{text}` is not in: {last}"));
}

#[track_caller]
fn assert_no_command_opens(data: &Path, texts: &[&str]) {
    for mut command in [verify(data), lab(data), serve(data)] {
        assert_refuses(&mut command, texts);
    }
}

/// Asserts that no command opens the directory, or that no record is missing.
#[track_caller]
fn assert_noticed_or_complete(sound: &Sound, data: &Path) {
    let (code, said, problem) = run_to_end(&mut verify(data));
    if code == Some(0) {
        assert_eq!(said, sound.said, "something was lost in silence");
    } else {
        assert!(!problem.contains("panic"), "{problem}");
        assert_no_command_opens(data, &["backup"]);
    }
}

#[test]
fn missing_and_truncated_files_are_noticed_by_every_command() {
    let sound = Sound::make();
    let cut = |name: &'static str, keep: fn(u64) -> u64| {
        move |data: &Path| {
            let file = fs::File::options().write(true).open(data.join(name)).expect("the file");
            file.set_len(keep(file.metadata().expect("its length").len())).expect("cut");
        }
    };
    let half = sound.damaged(cut("log/db", |length| length / 2));
    assert_noticed_or_complete(&sound, half.path());
    let most = sound.damaged(cut("log/db", |_| 4096));
    assert_no_command_opens(most.path(), &[BACKUP]);
    let nothing = sound.damaged(cut("log/db", |_| 0));
    assert_no_command_opens(nothing.path(), &[BACKUP]);
    let without_db = sound.damaged(|data| fs::remove_file(data.join("log/db")).expect("removed"));
    assert_refuses(&mut lab(without_db.path()), &["the log has lost its end", BACKUP]);
    assert_refuses(&mut verify(without_db.path()), &["there is no log in"]);
    let without_head = sound.damaged(|data| fs::remove_file(data.join("head")).expect("removed"));
    assert_no_command_opens(without_head.path(), &["head is missing or unreadable", WHOLE_BACKUP]);
    let empty_head = sound.damaged(cut("head", |_| 0));
    assert_no_command_opens(empty_head.path(), &["head is missing or unreadable", WHOLE_BACKUP]);
    let without_conf = sound.damaged(|data| fs::remove_file(data.join("log/conf")).expect("removed"));
    assert_noticed_or_complete(&sound, without_conf.path());
}

#[test]
fn a_missing_log_is_not_created_again() {
    let sound = Sound::make();
    let without_log = sound.damaged(|data| fs::remove_dir_all(data.join("log")).expect("removed"));
    assert_refuses(&mut lab(without_log.path()), &["the log has lost its end", BACKUP]);
    let without_log = sound.damaged(|data| fs::remove_dir_all(data.join("log")).expect("removed"));
    assert_refuses(&mut verify(without_log.path()), &["there is no log in"]);
    // Even without any file of the log, the keyring shows that there was one.
    let forgotten = sound.damaged(|data| {
        fs::remove_dir_all(data.join("log")).expect("removed");
        fs::remove_file(data.join("head")).expect("removed");
    });
    assert_refuses(&mut lab(forgotten.path()), &["the log was lost", WHOLE_BACKUP]);
    // This holds even if only the first administrator had a secret.
    for entry in fs::read_dir(forgotten.path().join("keyring")).expect("a directory") {
        let entry = entry.expect("an entry");
        if entry.file_name().to_string_lossy().starts_with("connection-") {
            fs::remove_file(entry.path()).expect("removed");
        }
    }
    assert_refuses(&mut lab(forgotten.path()), &["the log was lost", WHOLE_BACKUP]);
}

#[test]
fn without_its_keys_nothing_starts() {
    let sound = Sound::make();
    let without_master = sound.damaged(|data| fs::remove_file(data.join("master.key")).expect("removed"));
    assert_refuses(&mut lab(without_master.path()), &["master.key"]);
    let other_master = sound.damaged(|data| fs::write(data.join("master.key"), [7; 32]).expect("written"));
    assert_refuses(&mut lab(other_master.path()), &["master key"]);
    let without_keyring = sound.damaged(|data| fs::remove_dir_all(data.join("keyring")).expect("removed"));
    assert_refuses(&mut lab(without_keyring.path()), &["the keyring has no key of this installation", WHOLE_BACKUP]);
}

#[test]
fn bytes_that_have_changed_are_noticed_or_do_not_matter() {
    const FLIPS: u64 = 24;
    let sound = Sound::make();
    let length = fs::metadata(sound.appliance.data().join("log/db")).expect("the file").len();
    let mut noticed = 0;
    for n in 0..FLIPS {
        let at = length * (2 * n + 1) / (2 * FLIPS);
        let copy = sound.damaged(|data| {
            let file = fs::File::options().read(true).write(true).open(data.join("log/db")).expect("the file");
            let mut bytes = [0; 8];
            file.read_exact_at(&mut bytes, at.min(length - 8)).expect("read");
            file.write_all_at(&bytes.map(|byte| !byte), at.min(length - 8)).expect("written");
        });
        let (code, said, problem) = run_to_end(&mut verify(copy.path()));
        match code {
            Some(0) => assert_eq!(said, sound.said, "byte {at}: something was lost in silence"),
            _ => assert!(problem.starts_with("claviger: ") && problem.contains("backup"), "byte {at}: {problem}"),
        }
        noticed += u64::from(code != Some(0));
    }
    assert!(noticed > 0, "no byte of {length} matters");
}

#[test]
fn verify_names_the_first_record_that_is_broken() {
    let sound = Sound::make();
    let in_the_store = |change: &dyn Fn(&sled::Tree)| {
        sound.damaged(|data| {
            let store = sled::open(data.join("log")).expect("a store");
            change(&store.open_tree("events").expect("a tree"));
            store.flush().expect("flushed");
        })
    };
    // The change is one that a person who knows the store would make to falsify the past.
    let forged = in_the_store(&|records| {
        for seq in [90, 50] {
            let (first, key, mut row) = row_with(records, seq);
            let record = place_in(&row, seq - first);
            let description = row[record.clone()].windows(3).position(|bytes| bytes == b"xxx");
            row[record.start + description.expect("its description")] = b'y';
            records.insert(key, row).expect("written");
        }
    });
    assert_no_command_opens(forged.path(), &["record 50 of the log is broken", BACKUP]);
    let lost = Cell::new(0);
    let gone = in_the_store(&|records| {
        let (first, key, _) = row_with(records, 60);
        lost.set(first);
        records.remove(key).expect("removed");
    });
    assert_no_command_opens(gone.path(), &[&format!("record {} of the log is broken", lost.get()), "missing", BACKUP]);
    let shorter = in_the_store(&|records| drop(records.pop_max().expect("removed")));
    assert_no_command_opens(shorter.path(), &["the log has lost its end", BACKUP]);
}

/// The row with this record: its key, and the number of its first record.
fn row_with(rows: &sled::Tree, seq: u64) -> (u64, sled::IVec, Vec<u8>) {
    let (key, row) = rows.get_lt((seq + 1).to_be_bytes()).expect("read").expect("a row");
    let first = u64::from_be_bytes(key[..8].try_into().expect("a number"));
    (first, key, row.to_vec())
}

/// The position of the record at this index in a packed row: a header of three bytes, then each record after its
/// length.
fn place_in(row: &[u8], index: u64) -> Range<usize> {
    let mut at = 3;
    for _ in 0..index {
        at += 2 + length(row, at);
    }
    at + 2..at + 2 + length(row, at)
}

fn length(row: &[u8], at: usize) -> usize {
    u16::from_be_bytes([row[at], row[at + 1]]).into()
}
