//! A full or failing disk: a change that cannot be made durable is refused, reads continue, and after the repair no
//! acknowledged change is lost.

use crate::support::appliance::{Appliance, program, run_to_end};
use crate::support::client::Client;
use crate::support::small_disk::SmallDisk;
use crate::support::strace::{Strace, SystemCall};
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::process::Command;
use tempfile::TempDir;

const CHECKPOINTS: &str = "/v1/audit/checkpoints";

#[test]
fn a_full_disk_stops_changes_and_nothing_else() {
    let home = TempDir::new().expect("a directory");
    let Some(disk) = SmallDisk::mount(&home.path().join("data"), "3m") else { return };
    let mut appliance = Appliance::start_in(home, &[("CLAVIGER_LIMITS_GROUPS", "100000")]);
    let admin = appliance.admin();
    let mut acknowledged = 0;
    let refused = loop {
        let answer = add_group(&admin, acknowledged + 1);
        if answer.status != 201 {
            break answer;
        }
        acknowledged += 1;
        assert!(acknowledged < 20_000, "the disk is never full");
    };
    refused.refused(503, "NCERRUnavailable");
    assert_reads_only(&appliance, &admin, acknowledged);

    appliance.kill();
    let (code, said, problem) = run_to_end(program().args(["verify", "--data"]).arg(appliance.data()));
    // The file may have had enough space already.
    assert!(code == Some(0) || problem.contains("make room on its disk and start again"), "{said}{problem}");
    disk.resize("64m");
    let (code, said, problem) = run_to_end(program().args(["verify", "--data"]).arg(appliance.data()));
    assert_eq!(code, Some(0), "{said}{problem}");
    appliance.restart();
    assert_complete(&appliance, acknowledged);
    appliance.kill();
    drop(disk);
}

/// A checkpoint is no record, so it is refused without an end of the log; once there is room, one is made.
#[test]
fn a_full_disk_refuses_checkpoints_until_there_is_room() {
    let home = TempDir::new().expect("a directory");
    let Some(disk) = SmallDisk::mount(&home.path().join("data"), "16m") else { return };
    let mut appliance = Appliance::start_in(home, &[]);
    let admin = appliance.admin();
    let filling = appliance.data().join("filling");
    let mut file = File::create(&filling).expect("a file");
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    let refused = admin.post(CHECKPOINTS, json!({}));
    assert_eq!(refused.body["reason"], "disk_failed", "{}", refused.text);
    refused.refused(503, "NCERRUnavailable");
    assert_eq!(admin.get(CHECKPOINTS).expect(200)["total"], 0, "nothing is left of it");
    std::fs::remove_file(&filling).expect("removed");
    admin.post(CHECKPOINTS, json!({})).expect(201);
    assert_eq!(admin.get(CHECKPOINTS).expect(200)["total"], 1);
    appliance.kill();
    drop(disk);
}

#[test]
fn a_directory_of_checkpoints_that_fails_is_reported() {
    let outside = TempDir::new().expect("a directory");
    let appliance =
        Appliance::start_with(&[("CLAVIGER_CHECKPOINTS_DIRECTORY", outside.path().to_str().expect("UTF-8"))]);
    let admin = appliance.admin();
    outside.close().expect("removed");
    let refused = admin.post(CHECKPOINTS, json!({}));
    assert_eq!(refused.body["reason"], "disk_failed", "{}", refused.text);
    let message = refused.refused(503, "NCERRUnavailable");
    assert!(message.contains("checkpoints.directory"), "{message}");
}

#[test]
fn a_failed_sync_is_never_believed() {
    let mut appliance = Appliance::start();
    let admin = appliance.admin();
    add_group(&admin, 1).expect(201);
    let failing = ["-e", "trace=fdatasync,fadvise64", "-e", "inject=fdatasync:error=EIO"];
    let Some(tracer) = Strace::attach(appliance.pid(), &failing) else { return };
    add_group(&admin, 2).refused(503, "NCERRUnavailable");
    let traced = tracer.end();
    // The page cache does not have the contents of the disk, so the next start must read the disk.
    assert!(traced.calls.iter().any(SystemCall::evicts_the_log_from_cache), "{:?}", traced.calls);
    // The disk works again, but the ledger still writes nothing: the contents of the failed pages are not known.
    assert_reads_only(&appliance, &admin, 1);
    assert!(appliance.log().contains("the log stopped: nothing is written until the next start"));
    assert!(appliance.terminate().success());
    appliance.restart();
    assert_complete(&appliance, 1);
}

/// sled takes a part that it cannot read for the end of the log, and would overwrite the rest.
#[test]
fn an_unreadable_log_is_not_changed() {
    let mut appliance = Appliance::start();
    let admin = appliance.admin();
    (1..=20).for_each(|n| drop(add_group(&admin, n).expect(201)));
    assert!(appliance.terminate().success());
    let store = appliance.data().join("log/db");
    let before = std::fs::read(&store).expect("the store");

    let mut strace = Command::new("strace");
    strace.args(["-f", "-o", "/dev/null", "-e", "inject=read,pread64:error=EIO", "-P"]).arg(&store);
    let verify = strace.arg(program().get_program()).args(["verify", "--data"]).arg(appliance.data());
    if let Err(error) = Command::new("strace").arg("-V").output() {
        return eprintln!("skipped: there is no strace: {error}");
    }
    let (code, _, problem) = run_to_end(verify);
    if problem.contains("ptrace") {
        return eprintln!("skipped: strace cannot start it: {problem}");
    }
    assert!(code == Some(1) && problem.contains("cannot read") && problem.contains("log/db"), "{code:?} {problem}");
    assert!(std::fs::read(&store).expect("the store") == before, "it was written to");
    appliance.restart();
    assert_complete(&appliance, 20);
}

fn add_group(admin: &Client, n: usize) -> crate::support::client::Answer {
    let body = json!({"name": format!("group-{n}"), "description": "x".repeat(1000)});
    admin.post("/v1/usermgmt/groups", body)
}

/// Asserts that changes are refused, that the service reports it, and that reads are answered as before.
fn assert_reads_only(appliance: &Appliance, admin: &Client, groups: usize) {
    add_group(admin, groups + 1).refused(503, "NCERRUnavailable");
    let sign_in = json!({"username": "admin", "password": crate::support::appliance::PASSWORD});
    appliance.nobody().post("/v1/auth/tokens", sign_in).refused(503, "NCERRUnavailable");
    let nobody = appliance.nobody();
    assert_eq!(nobody.get("/readyz").status, 503);
    assert_eq!(nobody.get("/healthz").status, 200);
    assert!(admin.get("/metrics").text.contains("claviger_ledger_accepting 0"));
    assert_eq!(admin.get("/v1/usermgmt/groups?name=group-*").expect(200)["total"], groups);
    admin.get(&format!("/v1/usermgmt/groups/group-{groups}")).expect(200);
}

/// Asserts that every acknowledged change is present, at most one more, and that changes are accepted.
fn assert_complete(appliance: &Appliance, acknowledged: usize) {
    let admin = appliance.admin();
    assert_eq!(appliance.nobody().get("/readyz").status, 200);
    for n in [1, acknowledged] {
        admin.get(&format!("/v1/usermgmt/groups/group-{n}")).expect(200);
    }
    let found = admin.get("/v1/usermgmt/groups?name=group-*").expect(200)["total"].as_u64().expect("a number");
    let found = usize::try_from(found).expect("a count");
    assert!((acknowledged..=acknowledged + 1).contains(&found), "{found} of {acknowledged}");
    add_group(&admin, found + 1).expect(201);
    let (code, said, problem) = run_to_end(program().args(["verify", "--data"]).arg(appliance.data()));
    assert_eq!(code, Some(0), "{said}{problem}");
}
