//! A log that was rewritten by somebody who can write the files of the data directory and does not have the master key:
//! all hashes and the file `head` are right, and an account is a member of `admin` that nobody made one.

use super::damage::{copy_all, serve, verify};
use crate::support::appliance::{Appliance, lab, run_to_end};
use claviger::domain::event::{Event, GroupEvent, UserEvent};
use claviger::domain::id::UserId;
use claviger::domain::name::GroupName;
use claviger::domain::time::Time;
use claviger::ledger::{self, Context, Ledger, LedgerOptions, Record};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const CONVICTED: &str = "claviger: the log was rewritten, or it and the keyring do not belong together: ";

/// A data directory with an account without rights, after a clean shutdown; and that account.
pub(super) fn with_an_account() -> (Appliance, UserId) {
    let mut appliance = Appliance::start();
    appliance.user("mallory");
    // The last record, in whose place another can be written.
    appliance.admin().post("/v1/usermgmt/groups", json!({"name": "last"})).expect(201);
    assert!(appliance.terminate().success());
    let is_mallory = |event: &Event| match event {
        Event::User(id, UserEvent::Created { name, .. }) if name.as_str() == "mallory" => Some(*id),
        _ => None,
    };
    let mallory = records(&appliance.data()).iter().find_map(|record| is_mallory(&record.event)).expect("the account");
    (appliance, mallory)
}

pub(super) fn records(data: &Path) -> Vec<Record> {
    ledger::read(data, 1).expect("opens").map(|record| record.expect("whole")).collect()
}

/// Writes the log of a data directory anew, without any key: this record, or the last, makes the account a member of
/// `admin`.
pub(super) fn rewrite(data: &Path, account: UserId, number: Option<u64>) {
    let mut records = records(data);
    let admin = GroupName::parse("admin").expect("a name");
    let number = number.unwrap_or(records.len() as u64);
    records.iter_mut().find(|record| record.seq == number).expect("a record").event =
        Event::Group(admin, GroupEvent::MemberAdded { user: account });
    write_anew(data, records);
}

/// Replaces the log of a data directory and its `head` by one of these records.
pub(super) fn write_anew(data: &Path, records: Vec<Record>) {
    let made = TempDir::new().expect("a directory");
    let now = Arc::new(Mutex::new(Time::from_nanos(0)));
    let clock = now.clone();
    let options = LedgerOptions { clock: Arc::new(move || *clock.lock().expect("free")), ..LedgerOptions::default() };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let ledger = Ledger::open(made.path(), options).expect("opens");
        for Record { time, actor, request_id, event, .. } in records {
            *now.lock().expect("free") = time;
            let context = Context { actor, request_id };
            ledger.execute(context, move |_, _| Ok(vec![event.clone()])).await.expect("recorded");
        }
        ledger.close().await;
    });
    fs::remove_dir_all(data.join("log")).expect("removed");
    copy_all(&made.path().join("log"), &made_directory(&data.join("log")));
    fs::copy(made.path().join("head"), data.join("head")).expect("copied");
    // It would be refused anyway: its MAC needs the master key.
    let _ = fs::remove_file(data.join("snapshot"));
}

fn made_directory(path: &Path) -> std::path::PathBuf {
    fs::create_dir(path).expect("made");
    path.to_owned()
}

fn seal_row(data: &Path) -> sled::IVec {
    let store = sled::open(data.join("log")).expect("a store");
    store.open_tree("events").expect("a tree").get([0; 10]).expect("read").expect("a seal")
}

fn set_seal_row(data: &Path, row: sled::IVec) {
    let store = sled::open(data.join("log")).expect("a store");
    store.open_tree("events").expect("a tree").insert([0; 10], row).expect("written");
    store.flush().expect("flushed");
}

#[track_caller]
fn assert_convicted(data: &Path, why: &str) {
    for mut command in [verify(data), lab(data), serve(data)] {
        let (code, out, err) = run_to_end(&mut command);
        assert_eq!(code, Some(1), "{out}{err}");
        let last = err.lines().last().unwrap_or_default();
        assert!(last.starts_with(CONVICTED) && last.contains(why), "{err}");
    }
}

#[test]
fn a_log_that_was_rewritten_without_the_master_key_is_refused_and_convicted() {
    let (appliance, mallory) = with_an_account();
    let copy = || {
        let copy = TempDir::new().expect("a directory");
        copy_all(&appliance.data(), copy.path());
        copy
    };
    let sound = copy();
    let (code, said, err) = run_to_end(&mut verify(sound.path()));
    assert!(code == Some(0) && said.contains("it fits its seal"), "{said}{err}");

    let rewritten = copy();
    let true_seal = seal_row(rewritten.path());
    rewrite(rewritten.path(), mallory, None);
    // Nothing but the seal tells the two apart: without the master key the chain is whole.
    let without_key = copy();
    fs::remove_dir_all(without_key.path().join("log")).expect("removed");
    copy_all(&rewritten.path().join("log"), &made_directory(&without_key.path().join("log")));
    fs::copy(rewritten.path().join("head"), without_key.path().join("head")).expect("copied");
    fs::remove_file(without_key.path().join("master.key")).expect("removed");
    let (code, said, err) = run_to_end(&mut verify(without_key.path()));
    assert!(code == Some(0) && said.contains("it was not checked against its seal"), "{said}{err}");
    assert!(err.contains("the seal is not checked"), "{err}");

    assert_convicted(rewritten.path(), "its seal is missing");
    set_seal_row(rewritten.path(), true_seal);
    assert_convicted(rewritten.path(), "and was sealed with");
    // A keyring whose key of the seal was deleted is no way around it.
    for entry in fs::read_dir(rewritten.path().join("keyring")).expect("a directory") {
        let entry = entry.expect("an entry");
        if entry.file_name().to_string_lossy().starts_with("log-seal") {
            fs::remove_file(entry.path()).expect("removed");
        }
    }
    assert_convicted(rewritten.path(), "the key of its seal is missing");
}
