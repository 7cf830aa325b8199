//! Failed attempts in the audit records: each kind, the filters, pages with records, floods, damage, restarts, backups.

use crate::support::appliance::{Appliance, program, run_to_end, user_id};
use crate::support::client::Client;
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

const RECORDS: &str = "/v1/audit/records";
const TOKENS: &str = "/v1/auth/tokens";

fn listed(admin: &Client, query: &str) -> Vec<Value> {
    let answer = admin.get(&format!("{RECORDS}?limit=1000&{query}")).expect(200);
    let records = answer["resources"].as_array().expect("records").clone();
    assert_eq!(answer["total"], records.len(), "{query}");
    records
}

fn attempts(admin: &Client, query: &str) -> Vec<Value> {
    listed(admin, &format!("success=false&{query}")).into_iter().filter(|record| record["number"].is_null()).collect()
}

fn segments(appliance: &Appliance) -> Vec<PathBuf> {
    let files = std::fs::read_dir(appliance.data().join("attempts")).expect("a directory");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    paths
}

#[test]
fn each_kind_of_failed_attempt_is_in_the_records_and_in_the_filters() {
    let appliance = Appliance::start();
    let (admin, bob) = (appliance.admin(), appliance.user("bob"));
    let kms = appliance.kms("first", &["eu-west-1"]);
    let path = format!("/v1/cckm/aws/kms/{kms}");
    let nobody = appliance.nobody();
    nobody.get("/v1/cckm/aws/kms").refused(401, "NCERRUnauthorized");
    bob.get("/v1/usermgmt/users").refused(403, "NCERRInsufficientPermissions");
    bob.delete(&path).refused(404, "NCERRResourceNotFound");
    admin.patch(&path, json!({"regions": []})).refused(400, "NCERRInvalidParamValue");
    let typed = "My-secret-typed-as-a-name-1";
    for name in [typed, "bob"] {
        nobody.post(TOKENS, json!({"username": name, "password": "wrong"})).refused(401, "NCERRUnauthorized");
    }
    // A read that finds nothing, and a success, are no failed attempts.
    admin.get("/v1/cckm/aws/kms/0b90f8de-8617-498d-ad63-ca18eb717ae7").refused(404, "NCERRResourceNotFound");

    let all = attempts(&admin, "");
    let seen: Vec<_> = all
        .iter()
        .map(|one| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&one["event"]), one["details"]["status"].as_u64(), text(&one["username"]), text(&one["resource"]))
        })
        .collect();
    let expected = [
        ("LoginRefused", 401, "", "session"),
        ("ChangeRefused", 400, "admin", path.trim_start_matches("/v1/cckm/aws/")),
        ("ChangeRefused", 404, "bob", path.trim_start_matches("/v1/cckm/aws/")),
        ("AccessDenied", 403, "bob", "user"),
        ("AccessDenied", 401, "", "kms"),
    ]
    .map(|(event, status, user, of): (&str, u64, &str, &str)| {
        (event.to_owned(), Some(status), user.to_owned(), of.to_owned())
    });
    assert_eq!(seen, expected);
    // The wrong password of a user is an event of the log.
    assert_eq!(listed(&admin, "success=false&event=LoginFailed").len(), 1);
    assert!(!format!("{:?}", listed(&admin, "")).contains(typed));
    assert_eq!(all[0]["details"]["username_hash"].as_str().map(str::len), Some(16));
    for one in &all {
        assert_eq!((&one["success"], &one["clientIP"]), (&json!(false), &json!("127.0.0.1")));
        assert!(one["hash"].is_null() && one["requestId"].is_string() && one["details"]["reason"].is_string());
        let id = one["id"].as_str().expect("an id");
        assert!(id.starts_with("attempt-"), "{id}");
        assert_eq!(admin.get(&format!("{RECORDS}/{id}")).expect(200), *one);
    }
    admin.get(&format!("{RECORDS}/attempt-99")).refused(404, "NCERRResourceNotFound");
    let bobs = user_id(&bob);
    for (query, count) in [
        ("username=bob", 2),
        (format!("user_id={bobs}").as_str(), 2),
        ("username=admin", 1),
        ("clientIP=127.0.0.1", 5),
        ("clientIP=192.0.2.1", 0),
        ("event=AccessDenied", 2),
        ("severity=warning", 2),
        ("service=admin", 2),
        ("service=cckm", 3),
        (format!("resource=kms/{kms}").as_str(), 2),
        (format!("resource_id={kms}").as_str(), 2),
        ("createdAfter=2020-01-01T00:00:00Z", 5),
        ("createdBefore=2020-01-01T00:00:00Z", 0),
        (format!("requestId={}", all[3]["requestId"].as_str().expect("an id")).as_str(), 1),
        // Attempts have no number.
        ("after=0", 0),
    ] {
        assert_eq!(attempts(&admin, query).len(), count, "{query}");
    }
    assert!(!listed(&admin, "success=true").iter().any(|record| record["number"].is_null()));
}

#[test]
fn pages_of_records_and_attempts_are_one_list_by_time() {
    let appliance = Appliance::start();
    let (admin, nobody) = (appliance.admin(), appliance.nobody());
    for n in 0..6 {
        admin.post("/v1/usermgmt/groups", json!({"name": format!("g{n}")})).expect(201);
        nobody.get("/v1/usermgmt/groups").refused(401, "NCERRUnauthorized");
        std::thread::sleep(std::time::Duration::from_millis(400));
    }
    let all = listed(&admin, "");
    assert_eq!(all.iter().filter(|record| record["number"].is_null()).count(), 6);
    // Those of one second are by number.
    let seconds: Vec<_> =
        all.iter().map(|record| record["createdAt"].as_str().expect("a time")[..19].to_owned()).collect();
    assert!(seconds.is_sorted_by(|one, next| one >= next), "{seconds:?}");
    let mut paged = Vec::new();
    for skip in (0..all.len()).step_by(3) {
        let page = admin.get(&format!("{RECORDS}?limit=3&skip={skip}")).expect(200);
        assert_eq!(page["total"], all.len());
        paged.extend(page["resources"].as_array().expect("records").clone());
    }
    assert_eq!(paged, all);
    let mut oldest = listed(&admin, "sort=number");
    oldest.reverse();
    assert_eq!(oldest, all);
}

#[test]
fn a_flood_of_refusals_is_counted_and_stays_within_the_bound() {
    let appliance = Appliance::start_with(&[("CLAVIGER_AUDIT_ATTEMPTS_MIB", "1")]);
    let (admin, nobody) = (appliance.admin(), appliance.nobody());
    for _ in 0..2_000 {
        assert_eq!(nobody.get("/v1/cckm/aws/kms").status, 401);
    }
    let bytes = || segments(&appliance).iter().map(|path| path.metadata().expect("its size").len()).sum::<u64>();
    let written = attempts(&admin, "").len();
    assert!((1..100).contains(&written), "{written} are written one by one");
    assert!(bytes() < 64 * 1024, "{} bytes", bytes());
    // Somebody else's attempt is not lost in the flood.
    appliance.user("bob").get("/v1/usermgmt/users").refused(403, "NCERRInsufficientPermissions");
    assert_eq!(attempts(&admin, "username=bob").len(), 1);
}

#[test]
fn attempts_survive_restarts_and_what_is_counted_is_written_at_the_end() {
    let mut appliance = Appliance::start();
    for _ in 0..40 {
        appliance.nobody().get("/v1/cckm/aws/kms").refused(401, "NCERRUnauthorized");
    }
    let before = attempts(&appliance.admin(), "");
    assert!(appliance.terminate().success());
    appliance.restart();
    let after = attempts(&appliance.admin(), "");
    assert!(after.ends_with(&before), "{after:?}");
    let times: u64 = after.iter().map(|one| one["details"]["times"].as_u64().expect("a count")).sum();
    assert_eq!(times, 40);
    appliance.kill();
    appliance.restart();
    assert_eq!(attempts(&appliance.admin(), ""), after);
}

#[test]
fn a_damaged_file_of_attempts_is_left_out_and_reported() {
    let mut appliance = Appliance::start();
    for _ in 0..2 {
        appliance.nobody().get("/v1/cckm/aws/kms").refused(401, "NCERRUnauthorized");
        assert!(!attempts(&appliance.admin(), "").is_empty());
        assert!(appliance.terminate().success());
        appliance.restart();
    }
    assert_eq!(attempts(&appliance.admin(), "").len(), 2);
    assert!(appliance.terminate().success());
    let first = segments(&appliance).remove(0);
    let mut content = std::fs::read(&first).expect("content");
    let middle = content.len() / 2;
    content[middle] ^= 1;
    std::fs::write(&first, content).expect("written");
    appliance.restart();
    assert_eq!(attempts(&appliance.admin(), "").len(), 1);
    let name = first.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(appliance.log().contains(&name), "{}", appliance.log());
}

#[test]
fn a_backup_has_the_failed_attempts() {
    let mut appliance = Appliance::start();
    appliance.nobody().get("/v1/cckm/aws/kms").refused(401, "NCERRUnauthorized");
    assert_eq!(attempts(&appliance.admin(), "").len(), 1);
    let vault = TempDir::new().expect("a directory");
    let [passphrase, backup, restored] = ["passphrase", "backup.age", "restored"].map(|name| vault.path().join(name));
    std::fs::write(&passphrase, "correct horse battery staple\n").expect("written");
    assert!(appliance.terminate().success());
    let mut command = program();
    command.args(["backup", "--data"]).arg(appliance.data()).arg("--to").arg(&backup);
    let (code, said, err) = run_to_end(command.arg("--passphrase-file").arg(&passphrase));
    assert_eq!(code, Some(0), "{said}{err}");
    let mut command = program();
    command.args(["restore", "--from"]).arg(&backup).arg("--into").arg(&restored);
    let (code, said, err) = run_to_end(command.arg("--passphrase-file").arg(&passphrase));
    assert_eq!(code, Some(0), "{said}{err}");
    for segment in segments(&appliance) {
        let name = segment.file_name().expect("a name");
        let copy = std::fs::read(restored.join("attempts").join(name)).expect("in the backup");
        assert_eq!(copy, std::fs::read(&segment).expect("content"));
    }
}
