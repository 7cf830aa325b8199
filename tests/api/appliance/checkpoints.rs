//! Checkpoints: they are made, kept and listed, and they convict whoever rewrites or shortens the log, even with the
//! master key.

use super::damage::copy_all;
use super::rewritten::{records, rewrite, with_an_account, write_anew};
use crate::support::appliance::{Appliance, program, run_to_end};
use claviger::keyring::{Keyring, MasterKeySource};
use claviger::ledger::{Ledger, LedgerOptions, SealKey, SealSource};
use claviger::service::log_seal;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

const CHECKPOINTS: &str = "/v1/audit/checkpoints";

/// Runs `claviger verify` with these arguments; returns its exit code, and all that it says.
fn verify(data: &Path, arguments: &[&Path]) -> (Option<i32>, String) {
    let mut command = program();
    command.arg("verify").arg("--data").arg(data);
    if let Some(checkpoint) = arguments.first() {
        command.arg("--checkpoint").arg(checkpoint);
    }
    if let Some(key) = arguments.get(1) {
        command.arg("--key").arg(key);
    }
    let (code, said, err) = run_to_end(&mut command);
    (code, said + &err)
}

/// A command that asks the running server; its output.
fn asked(data: &Path, arguments: &[&str]) -> String {
    let mut command = program();
    command.arg("checkpoint").args(arguments).arg("--data").arg(data);
    let (code, said, err) = run_to_end(&mut command);
    assert_eq!(code, Some(0), "{err}");
    said
}

/// Seals the log as it is: what somebody can do who has the master key.
fn seal_again(data: &Path) {
    let master = MasterKeySource::File { path: data.join("master.key"), create: false };
    let keyring = Keyring::open(&data.join("keyring"), master).expect("opens");
    let seal: SealSource = Arc::new(move || match log_seal::key(&keyring) {
        SealKey::Key { key, .. } => SealKey::Key { key, required: false, is_of_installation: true },
        SealKey::Unavailable | SealKey::Lost => panic!("the keyring has the key"),
    });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let options = LedgerOptions { seal: Some(seal), ..LedgerOptions::default() };
        let ledger = Ledger::open(data, options).expect("whole in itself");
        ledger.seal().expect("sealed");
        ledger.close().await;
    });
}

fn copy_of(data: &Path) -> TempDir {
    let copy = TempDir::new().expect("a directory");
    copy_all(data, copy.path());
    copy
}

#[test]
fn a_rewrite_with_the_master_key_is_convicted_by_a_checkpoint() {
    let (mut appliance, mallory) = with_an_account();
    appliance.restart();
    let outside = TempDir::new().expect("a directory");
    let (kept, key) = (outside.path().join("checkpoint"), outside.path().join("key.pem"));
    fs::write(&kept, asked(&appliance.data(), &[])).expect("written");
    fs::write(&key, asked(&appliance.data(), &["--key"])).expect("written");
    let checkpoint: Value = serde_json::from_slice(&fs::read(&kept).expect("readable")).expect("JSON");
    let (number, hash) = (checkpoint["number"].as_u64().expect("a number"), checkpoint["hash"].as_str().expect("text"));
    let (code, said) = verify(&appliance.data(), &[&kept]);
    assert!(code == Some(0) && said.contains(&format!("fit it, the last of record {number} with the hash {hash}")));
    assert!(appliance.terminate().success());
    let data = appliance.data();

    let sound = copy_of(&data);
    for arguments in [vec![kept.as_path()], vec![&kept, &key]] {
        let (code, said) = verify(sound.path(), &arguments);
        assert!(code == Some(0) && said.contains("1 checkpoint(s) fit it"), "{said}");
    }

    let rewritten = copy_of(&data);
    rewrite(rewritten.path(), mallory, Some(number));
    seal_again(rewritten.path());
    let (code, said) = verify(rewritten.path(), &[]);
    assert!(code == Some(0) && said.contains("it fits its seal"), "the master key makes any seal: {said}");
    let found = records(rewritten.path()).into_iter().find(|record| record.seq == number).expect("a record").hash;
    let convicted =
        format!("the log was rewritten: record {number} has the hash {found}, and a checkpoint of it has {hash}");
    for arguments in [vec![kept.as_path()], vec![&kept, &key]] {
        let (code, said) = verify(rewritten.path(), &arguments);
        assert!(code == Some(1) && said.contains(&convicted), "{said}");
    }

    let shortened = copy_of(&data);
    let mut fewer = records(shortened.path());
    fewer.retain(|record| record.seq < number);
    write_anew(shortened.path(), fewer);
    seal_again(shortened.path());
    assert_eq!(verify(shortened.path(), &[]).0, Some(0));
    let (code, said) = verify(shortened.path(), &[&kept]);
    let end = number - 1;
    assert!(code == Some(1) && said.contains(&format!("the log was shortened: it ends with record {end}")), "{said}");
    assert!(said.contains(&format!("a checkpoint has record {number} with the hash {hash}")), "{said}");

    // The public key suffices.
    for copy in [&rewritten, &shortened] {
        fs::remove_file(copy.path().join("master.key")).expect("removed");
        assert!(verify(copy.path(), &[&kept]).1.contains("give it with --key"));
        let (code, said) = verify(copy.path(), &[&kept, &key]);
        assert!(code == Some(1) && said.contains(hash), "{said}");
    }
}

/// Hourly checkpoints of some years are one file.
#[test]
fn any_number_of_checkpoints_is_compared_with_the_log() {
    let (mut appliance, mallory) = with_an_account();
    appliance.restart();
    let outside = TempDir::new().expect("a directory");
    let kept = outside.path().join("checkpoints.jsonl");
    let older = asked(&appliance.data(), &[]);
    let number = serde_json::from_str::<Value>(&older).expect("JSON")["number"].as_u64().expect("a number");
    appliance.admin().post("/v1/usermgmt/groups", json!({"name": "one more"})).expect(201);
    let newer = asked(&appliance.data(), &[]);
    fs::write(&kept, older.repeat(12_000) + &newer).expect("written");
    let (code, said) = verify(&appliance.data(), &[&kept]);
    assert!(code == Some(0) && said.contains("12001 checkpoint(s) fit it"), "beside the server: {said}");
    assert!(appliance.terminate().success());
    let (code, said) = verify(&appliance.data(), &[&kept]);
    assert!(code == Some(0) && said.contains("12001 checkpoint(s) fit it"), "without the server: {said}");

    // All of them count, not only the newest.
    rewrite(&appliance.data(), mallory, Some(number));
    seal_again(&appliance.data());
    appliance.restart();
    fs::write(&kept, asked(&appliance.data(), &[])).expect("written");
    assert_eq!(verify(&appliance.data(), &[&kept]).0, Some(0), "the thief's own checkpoint fits");
    fs::write(&kept, older.repeat(12_000) + &asked(&appliance.data(), &[])).expect("written");
    let (code, said) = verify(&appliance.data(), &[&kept]);
    assert!(code == Some(1) && said.contains(&format!("record {number} has the hash")), "{said}");
}

#[test]
fn a_checkpoint_that_was_changed_or_is_of_another_installation_is_refused() {
    let appliance = Appliance::start();
    let outside = TempDir::new().expect("a directory");
    let (kept, key) = (outside.path().join("checkpoint"), outside.path().join("key.pem"));
    let line = asked(&appliance.data(), &[]);
    let number = serde_json::from_str::<Value>(&line).expect("JSON")["number"].as_u64().expect("a number");
    fs::write(&key, asked(&appliance.data(), &["--key"])).expect("written");
    let before = format!("\"number\":{number}");
    for (content, reason) in [
        (line.replace(&before, &format!("\"number\":{}", number - 1)), "line 1 of"),
        (format!("{line}{}", line.replace(&before, "\"number\":1")), "line 2 of"),
        (line.replace("\"claviger_checkpoint\":1", "\"claviger_checkpoint\":2"), "a later version of Claviger made it"),
        ("a note".to_owned(), "it is not a checkpoint"),
        (String::new(), "has no checkpoint"),
    ] {
        fs::write(&kept, content).expect("written");
        let (code, said) = verify(&appliance.data(), &[&kept]);
        assert!(code == Some(1) && said.contains(reason), "{reason}: {said}");
    }
    let other = Appliance::start();
    fs::write(&kept, asked(&other.data(), &[])).expect("written");
    let (code, said) = verify(&appliance.data(), &[&kept, &key]);
    assert!(code == Some(1) && said.contains("it was signed with the key"), "{said}");
    fs::write(&key, "no key").expect("written");
    let (code, said) = verify(&other.data(), &[&kept, &key]);
    assert!(code == Some(1) && said.contains("is not a public key of Ed25519"), "{said}");
}

#[test]
fn checkpoints_are_made_on_demand_and_at_a_shutdown_and_are_listed() {
    let outside = TempDir::new().expect("a directory");
    let directory = outside.path().to_str().expect("UTF-8");
    let mut appliance = Appliance::start_with(&[("CLAVIGER_CHECKPOINTS_DIRECTORY", directory)]);
    let admin = appliance.admin();
    assert_eq!(admin.get(CHECKPOINTS).expect(200)["total"], 0);
    admin.post(&format!("{CHECKPOINTS}?dry_run=true"), json!({})).expect(201);
    assert_eq!(admin.get(CHECKPOINTS).expect(200)["total"], 0);

    // The program may record something of its own in between, but not each time.
    let make = || admin.post(CHECKPOINTS, json!({})).expect(201);
    let first = (0..10).map(|_| (make(), make())).find(|(one, again)| one == again).expect("the log stays the same").0;
    let number = first["number"].as_u64().expect("a number");
    let record = admin.get(&format!("/v1/audit/records/{number}")).expect(200);
    assert_eq!(record["hash"], first["hash"]);
    admin.post("/v1/usermgmt/groups", json!({"name": "one more"})).expect(201);
    let second = make();
    let page = admin.get(&format!("{CHECKPOINTS}?limit=1")).expect(200);
    let total = page["total"].as_u64().expect("a total");
    assert_eq!((&page["limit"], &page["resources"]), (&json!(1), &json!([second])));
    let oldest_first = admin.get(&format!("{CHECKPOINTS}?sort=number&skip={}&limit=2", total - 2)).expect(200);
    assert_eq!(oldest_first["resources"], json!([first, second]));
    assert_eq!(admin.get(&format!("{CHECKPOINTS}?skip={total}")).expect(200)["resources"], json!([]));

    let key = admin.get(&format!("{CHECKPOINTS}/key"));
    assert_eq!(key.status, 200);
    assert_eq!(key.text, asked(&appliance.data(), &["--key"]));
    let ann = appliance.user("ann");
    ann.get(CHECKPOINTS).refused(403, "NCERRInsufficientPermissions");
    ann.get(&format!("{CHECKPOINTS}/key")).refused(403, "NCERRInsufficientPermissions");
    ann.post(CHECKPOINTS, json!({})).refused(403, "NCERRInsufficientPermissions");

    assert!(appliance.terminate().success());
    let kept = fs::read_to_string(appliance.data().join("checkpoints.jsonl")).expect("the file");
    assert_eq!(kept.lines().count() as u64, total + 1, "{kept}");
    let copies: Vec<PathBuf> =
        fs::read_dir(outside.path()).expect("a directory").map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(copies.len() as u64, total + 1);
    appliance.restart();
    assert_eq!(appliance.admin().get(CHECKPOINTS).expect(200)["total"], total + 1);
    for copy in &copies {
        let (code, said) = verify(&appliance.data(), &[copy]);
        assert!(code == Some(0) && said.contains("1 checkpoint(s) fit it"), "{said}");
    }
    let (code, said) = verify(&appliance.data(), &[&appliance.data().join("checkpoints.jsonl")]);
    assert!(code == Some(0) && said.contains(&format!("{} checkpoint(s) fit it", total + 1)), "{said}");
}
