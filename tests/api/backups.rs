//! `/v1/backups`: backups that administrators ask for, and those of schedules.

use crate::support::appliance::{Appliance, id, program, run_to_end};
use crate::support::client::Client;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use std::fs;
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

const BACKUPS: &str = "/v1/backups";

/// A pair of keys of age: the identity and the recipient.
fn age_keys() -> (String, String) {
    let identity = age::x25519::Identity::generate();
    let secret = identity.to_string();
    (age::secrecy::ExposeSecret::expose_secret(&secret).to_owned(), identity.to_public().to_string())
}

fn ended(admin: &Client, path: &str, status: &str) -> Value {
    let ended = (0..600).find_map(|_| {
        sleep(Duration::from_millis(50));
        Some(admin.get(path).expect(200)).filter(|shown| shown[status] != "in_progress")
    });
    ended.expect("it ends")
}

fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_backup_is_made_shown_downloaded_and_deleted() {
    let (identity, recipient) = age_keys();
    let mut appliance = Appliance::start_with(&[("CLAVIGER_BACKUP_RECIPIENTS", &recipient)]);
    let admin = appliance.admin();
    let asked = admin.post(BACKUPS, json!({"scope": "system", "description": "before the move"})).expect(202);
    assert_eq!(
        (asked["status"].as_str(), asked["description"].as_str()),
        (Some("in_progress"), Some("before the move"))
    );
    let one = format!("{BACKUPS}/{}", id(&asked));
    let made = ended(&admin, &one, "status");
    assert_eq!((made["status"].as_str(), made["error"].as_str()), (Some("completed"), Some("")), "{made}");
    assert_eq!((made["file_gone"].as_bool(), made["jobConfigID"].as_str()), (Some(false), Some("")));
    assert_eq!(made["uri"], format!("kylo:kylo:admin:backups:{}", id(&asked)));

    let directory = appliance.data().join("backups");
    let file = directory.join(made["file"].as_str().expect("a name"));
    let bytes = fs::read(&file).expect("the file");
    assert_eq!((made["size"].as_u64(), made["sha256"].as_str()), (Some(bytes.len() as u64), Some(&*sha256(&bytes))));
    let download = admin.get(&format!("{one}/download"));
    assert_eq!(
        (download.status, &download.headers["content-type"]),
        (200, &"application/octet-stream".parse().expect("a header"))
    );
    assert_eq!(download.headers["content-length"], bytes.len().to_string());
    assert!(download.text.starts_with("age-encryption.org/v1"), "it is encrypted");

    // It is restored as any other backup.
    let home = TempDir::new().expect("a directory");
    let (key, into) = (home.path().join("identity"), home.path().join("restored"));
    fs::write(&key, identity).expect("written");
    let mut command = program();
    command.args(["restore", "--from"]).arg(&file).arg("--into").arg(&into).arg("--identity").arg(key);
    let (code, said, err) = run_to_end(&mut command);
    assert_eq!(code, Some(0), "{said}{err}");
    assert!(said.contains(made["head_hash"].as_str().expect("a hash")) || into.is_dir(), "{said}");

    // A restart changes nothing.
    assert!(appliance.terminate().success());
    appliance.restart();
    let admin = appliance.admin();
    assert_eq!(admin.get(&one).expect(200), made);
    assert_eq!(admin.get(&format!("{BACKUPS}?status=completed")).expect(200)["total"], 1);
    assert_eq!(admin.get(&format!("{BACKUPS}?status=error")).expect(200)["total"], 0);

    assert_eq!(admin.delete(&format!("{one}?dry_run=true")).status, 204);
    assert!(file.exists(), "a dry run deletes nothing");
    assert_eq!(admin.delete(&one).status, 204);
    assert!(!file.exists(), "its file goes with it");
    admin.get(&one).refused(404, "NCERRResourceNotFound");
    let who = admin.get(&format!("/v1/audit/records?resource=backup/{}&sort=number", id(&asked))).expect(200);
    let events: Vec<_> = who["resources"]
        .as_array()
        .expect("records")
        .iter()
        .map(|record| {
            (
                record["event"].as_str().expect("a name").to_owned(),
                record["username"].as_str().expect("a user").to_owned(),
            )
        })
        .collect();
    let by_admin = ["Requested", "Made", "Deleted"].map(|event| (event.to_owned(), "admin".to_owned()));
    assert_eq!(events, by_admin, "the log says who made it and who deleted it");
}

#[test]
fn what_is_not_served_is_kept_and_ends_a_backup_with_the_reason() {
    let (_, recipient) = age_keys();
    let appliance = Appliance::start_with(&[("CLAVIGER_BACKUP_RECIPIENTS", &recipient)]);
    let admin = appliance.admin();
    for (member, value) in [
        ("backupKey", json!("d370535b-a035-4251-9780-e608f713be77")),
        ("connection", json!("archive")),
        ("do_scp", json!(true)),
        ("tiedToHSM", json!(true)),
        ("scope", json!("domain")),
        ("filters", json!([{"resourceType": "keys"}])),
    ] {
        let asked = admin.post(BACKUPS, json!({member: value})).expect(202);
        let failed = ended(&admin, &format!("{BACKUPS}/{}", id(&asked)), "status");
        assert_eq!((failed["status"].as_str(), &failed[member]), (Some("error"), &value), "{failed}");
        assert!(failed["error"].as_str().is_some_and(|error| error.contains(member)), "{failed}");
        admin.get(&format!("{BACKUPS}/{}/download", id(&asked))).refused(409, "NCERRConflict");
    }
    assert!(!appliance.data().join("backups").exists(), "nothing was written");
}

#[test]
fn without_recipients_a_backup_ends_with_that_reason() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let asked = admin.post(BACKUPS, json!({})).expect(202);
    let failed = ended(&admin, &format!("{BACKUPS}/{}", id(&asked)), "status");
    assert!(failed["error"].as_str().is_some_and(|error| error.contains("backup.recipients")), "{failed}");
}

#[test]
fn a_backup_whose_file_has_vanished_says_so() {
    let (_, recipient) = age_keys();
    let appliance = Appliance::start_with(&[("CLAVIGER_BACKUP_RECIPIENTS", &recipient)]);
    let admin = appliance.admin();
    let asked = admin.post(BACKUPS, json!({})).expect(202);
    let one = format!("{BACKUPS}/{}", id(&asked));
    let made = ended(&admin, &one, "status");
    let file = appliance.data().join("backups").join(made["file"].as_str().expect("a name"));
    let whole = fs::read(&file).expect("the file");
    fs::write(&file, &whole[..whole.len() - 1]).expect("written");
    assert_eq!(admin.get(&one).expect(200)["file_gone"], true, "it was cut");
    fs::remove_file(file).expect("removed");
    assert_eq!(admin.get(&one).expect(200)["file_gone"], true);
    assert_eq!(admin.get(BACKUPS).expect(200)["resources"][0]["file_gone"], true);
    admin.get(&format!("{one}/download")).refused(409, "NCERRConflict");
    assert_eq!(admin.delete(&one).status, 204);
}

#[test]
fn the_backups_of_a_schedule_are_listed_with_it() {
    let (_, recipient) = age_keys();
    let appliance = Appliance::start_with(&[("CLAVIGER_BACKUP_RECIPIENTS", &recipient)]);
    let admin = appliance.admin();
    let body = json!({"name": "nightly", "operation": "database_backup", "run_at": "0 1 1 1 *",
        "database_backup_params": {"retentionCount": 1, "scope": "system"}});
    let schedule = id(&admin.post("/v1/scheduler/job-configs", body).expect(201));
    let one = format!("/v1/scheduler/job-configs/{schedule}");
    let run = || {
        let run = admin.post(&format!("{one}/run-now"), json!({})).expect(201);
        ended(&admin, &format!("/v1/scheduler/jobs/{}", id(&run)), "overall_status")["overall_status"].clone()
    };
    let listed = || admin.get(&format!("{BACKUPS}?jobConfigID={schedule}")).expect(200)["resources"].clone();
    assert_eq!(run(), "completed");
    let first = listed()[0].clone();
    assert_eq!((first["status"].as_str(), first["jobConfigID"].as_str()), (Some("completed"), Some(&*schedule)));
    // The second replaces the first.
    assert_eq!(run(), "completed");
    let second = listed();
    assert_eq!(second.as_array().map(Vec::len), Some(1), "{second}");
    assert_ne!(second[0]["id"], first["id"]);
    assert_eq!(fs::read_dir(appliance.data().join("backups")).expect("a directory").count(), 1);
    // A run that fails leaves the last backup, and of its failures the newest.
    admin.patch(&one, json!({"database_backup_params": {"connection": "archive"}})).expect(200);
    assert_ne!(run(), "completed");
    assert_ne!(run(), "completed");
    let statuses: Vec<_> =
        listed().as_array().expect("backups").iter().map(|backup| backup["status"].clone()).collect();
    assert_eq!(statuses.len(), 2, "{statuses:?}");
    assert!(statuses.contains(&json!("completed")) && statuses.contains(&json!("error")), "{statuses:?}");
    let records = admin.get(&format!("/v1/audit/records?resource=backup/{}", first["id"].as_str().expect("an id")));
    let deleted = records.expect(200)["resources"][0].clone();
    assert_eq!(deleted["event"], "Deleted");
    assert!(deleted["username"].as_str().is_some_and(|name| name.contains("nightly")), "{deleted}");
}

#[test]
fn a_backup_that_a_kill_interrupts_ends_in_an_error() {
    let (_, recipient) = age_keys();
    let settings = [("CLAVIGER_BACKUP_RECIPIENTS", &*recipient)];
    let mut appliance = Appliance::start_with(&settings);
    let admin = appliance.admin();
    // Enough of them that one is surely in progress at the kill.
    let asked: Vec<_> = (0..20).map(|_| id(&admin.post(BACKUPS, json!({})).expect(202))).collect();
    appliance.kill();
    appliance.restart_with(&settings);
    let admin = appliance.admin();
    let statuses: Vec<_> = asked.iter().map(|id| ended(&admin, &format!("{BACKUPS}/{id}"), "status")).collect();
    assert!(statuses.iter().any(|backup| backup["error"].as_str().is_some_and(|error| error.contains("ended before"))));
    for backup in &statuses {
        assert_eq!(backup["file_gone"], false, "{backup}");
    }
    let names = fs::read_dir(appliance.data().join("backups")).into_iter().flatten();
    let made = statuses.iter().filter(|backup| backup["status"] == "completed").count();
    assert_eq!(names.count(), made, "an interrupted one leaves no file");
}
