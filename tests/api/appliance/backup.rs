//! `claviger backup` and `claviger restore`.

use crate::support::appliance::{Appliance, program, run_to_end};
use crate::support::client::Client;
use crate::support::every_get::{answers, furnish, unanswered};
use crate::support::small_disk::SmallDisk;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;
use tempfile::TempDir;

type Ended = (Option<i32>, String, String);

/// A directory for backups, with a passphrase.
struct Vault(TempDir);

impl Vault {
    fn new() -> Self {
        let vault = Self(TempDir::new().expect("a directory"));
        vault.write("passphrase", b"correct horse battery staple\n");
        vault
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        fs::write(self.path(name), content).expect("written");
        self.path(name)
    }

    fn back_up(&self, data: &Path, name: &str, more: &[&str]) -> Ended {
        let mut command = program();
        command.args(["backup", "--data"]).arg(data).arg("--to").arg(self.path(name));
        run_to_end(command.arg("--passphrase-file").arg(self.path("passphrase")).args(more))
    }

    fn restore(&self, name: &str, into: &Path, passphrase: &str) -> Ended {
        let mut command = program();
        command.args(["restore", "--from"]).arg(self.path(name)).arg("--into").arg(into);
        run_to_end(command.arg("--passphrase-file").arg(self.path(passphrase)))
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("a directory");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn succeeded((code, said, err): Ended) -> String {
    assert_eq!(code, Some(0), "{said}{err}");
    said
}

#[test]
fn a_restored_appliance_answers_every_get_identically() {
    let appliance = Appliance::start();
    furnish(&appliance);
    assert_eq!(unanswered(&appliance.admin()), Vec::<String>::new());
    let before = answers(&appliance.admin());

    let vault = Vault::new();
    succeeded(vault.back_up(&appliance.data(), "all.age", &["--include-master-key"]));
    let home = TempDir::new().expect("a directory");
    let into = home.path().join("data");
    let said = succeeded(vault.restore("all.age", &into, "passphrase"));
    assert!(said.contains("with its master key"), "{said}");
    let verified = succeeded(run_to_end(program().args(["verify", "--data"]).arg(&into)));
    assert!(verified.contains("the chain is whole, and it fits its seal"), "{verified}");
    let checkpoints = into.join("checkpoints.jsonl");
    let fit =
        succeeded(run_to_end(program().args(["verify", "--checkpoint"]).arg(&checkpoints).arg("--data").arg(&into)));
    assert!(fit.contains("1 checkpoint(s) fit it"), "{fit}");
    drop(appliance);

    let restored = Appliance::start_in(home, &[]);
    let after = answers(&restored.admin());
    let differ: Vec<_> = before.iter().filter(|(path, answer)| after.get(*path) != Some(answer)).collect();
    let now: Vec<_> = differ.iter().map(|(path, _)| after.get(*path)).collect();
    assert!(differ.is_empty(), "{differ:#?}\nare now\n{now:#?}");
    assert_eq!(after.len(), before.len());
    // Secrets open: the connection still signs, and passwords still fit.
    restored.nobody().sign_in("ann", crate::support::appliance::PASSWORD);
    let key = json!({"kms": "kms", "region": "eu-west-3", "aws_param": {"Alias": "later"}});
    restored.admin().post("/v1/cckm/aws/keys", key).expect(201);
}

#[test]
fn the_master_key_is_in_a_backup_only_if_it_is_asked_for() {
    let mut appliance = Appliance::start();
    let vault = Vault::new();
    succeeded(vault.back_up(&appliance.data(), "running.age", &[]));
    assert!(appliance.terminate().success());
    succeeded(vault.back_up(&appliance.data(), "stopped.age", &[]));
    for name in ["running", "stopped"] {
        let into = vault.path(name);
        let said = succeeded(vault.restore(&format!("{name}.age"), &into, "passphrase"));
        assert!(said.contains("without the master key"), "{said}");
        assert!(!into.join("master.key").exists() && into.join("keyring/master.check").exists());
        assert!(!into.join("first-admin-password").exists());
    }
}

#[test]
fn a_backup_that_was_changed_or_opened_wrongly_leaves_no_directory() {
    let appliance = Appliance::start();
    let vault = Vault::new();
    succeeded(vault.back_up(&appliance.data(), "all.age", &[]));
    let whole = fs::read(vault.path("all.age")).expect("a backup");
    assert!(whole.starts_with(b"age-encryption.org/v1"));
    vault.write("wrong", b"another passphrase\n");
    vault.write("short.age", &whole[..whole.len() - 20]);
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    vault.write("flipped.age", &flipped);
    vault.write("longer.age", &[whole, b"more".to_vec()].concat());
    vault.write("other.age", b"this is no backup");
    let names = vault.names();
    let cases = [
        ("all.age", "wrong"),
        ("short.age", "passphrase"),
        ("flipped.age", "passphrase"),
        ("longer.age", "passphrase"),
        ("other.age", "passphrase"),
        ("all.age", "missing"),
    ];
    for (name, passphrase) in cases {
        let (code, _, err) = vault.restore(name, &vault.path("restored"), passphrase);
        assert_eq!(code, Some(1), "{name} {passphrase}");
        assert!(err.starts_with("claviger: ") && err.len() > 20, "{err}");
        assert_eq!(vault.names(), names, "{name} {passphrase}: {err}");
    }
    // A directory in use is never touched.
    fs::create_dir(vault.path("used")).expect("a directory");
    fs::write(vault.path("used/file"), b"mine").expect("written");
    let (code, _, err) = vault.restore("all.age", &vault.path("used"), "passphrase");
    assert!(code == Some(1) && err.contains("is not empty"), "{err}");
    assert_eq!(fs::read_dir(vault.path("used")).expect("a directory").count(), 1);
    // Neither is an existing file.
    let (code, _, err) = vault.back_up(&appliance.data(), "all.age", &[]);
    assert_eq!(code, Some(1), "{err}");
    assert_eq!(fs::read(vault.path("flipped.age")).expect("there").len(), flipped.len());
}

/// A restore is killed at many moments, of which some are in the middle of its work.
#[test]
fn a_restore_that_is_killed_leaves_no_directory() {
    let appliance = Appliance::start();
    furnish(&appliance);
    let vault = Vault::new();
    let identity = age::x25519::Identity::generate();
    let secret = identity.to_string();
    let secret = vault.write("identity", age::secrecy::ExposeSecret::expose_secret(&secret).as_bytes());
    let mut command = program();
    command.args(["backup", "--data"]).arg(appliance.data()).arg("--to").arg(vault.path("all.age"));
    succeeded(run_to_end(command.arg("--recipient").arg(identity.to_public().to_string())));
    let restore = |into: &Path| {
        let mut command = program();
        command.args(["restore", "--from"]).arg(vault.path("all.age")).arg("--into").arg(into);
        command.arg("--identity").arg(&secret);
        command
    };
    let began = Instant::now();
    succeeded(run_to_end(&mut restore(&vault.path("whole"))));
    let takes = began.elapsed();
    let mut interrupted = 0;
    for n in 0..40 {
        let into = vault.path(&format!("killed-{n}"));
        let mut running = restore(&into).spawn().expect("the program starts");
        thread::sleep(takes * (n % 20) / 20);
        running.kill().expect("a process to kill");
        running.wait().expect("its end");
        interrupted += usize::from(vault.path(&format!("killed-{n}.restoring")).exists());
        if into.exists() {
            // It had finished, so it is whole.
            succeeded(run_to_end(program().args(["verify", "--data"]).arg(&into)));
        }
    }
    assert!(interrupted > 0, "no restore was killed in the middle");
}

#[test]
fn a_backup_under_writers_is_consistent() {
    let appliance = Appliance::start();
    let vault = Vault::new();
    let stop = AtomicBool::new(false);
    // The keys that stay, and how many of them there were when each backup began.
    let (acknowledged, mut begun) = (Mutex::new(Vec::new()), Vec::new());
    thread::scope(|scope| {
        for writer in 0..8 {
            let (admin, stop, acknowledged) = (appliance.admin(), &stop, &acknowledged);
            scope.spawn(move || {
                for n in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    // Each source key has a data key of its own in the keyring.
                    let body = json!({"name": format!("key-{writer}-{n}"), "algorithm": "aes", "size": 256});
                    let made = admin.post("/v1/vault/keys2", body).expect(201);
                    let id = made["id"].as_str().expect("an id").to_owned();
                    if n % 3 == 0 {
                        admin.delete(&format!("/v1/vault/keys2/{id}"));
                    } else {
                        acknowledged.lock().expect("no writer has panicked").push(id);
                    }
                }
            });
        }
        for n in 0..3 {
            begun.push(acknowledged.lock().expect("no writer has panicked").len());
            succeeded(vault.back_up(&appliance.data(), &format!("{n}.age"), &["--include-master-key"]));
        }
        stop.store(true, Ordering::Relaxed);
    });
    drop(appliance);
    let acknowledged = acknowledged.into_inner().expect("no writer has panicked");
    assert!(begun[1] > 0 && begun[2] > begun[1], "{begun:?}");
    for (n, begun) in begun.into_iter().enumerate() {
        let home = TempDir::new().expect("a directory");
        succeeded(vault.restore(&format!("{n}.age"), &home.path().join("data"), "passphrase"));
        let restored = Appliance::start_in(home, &[]);
        let admin = restored.admin();
        let keys = admin.get("/v1/vault/keys2?limit=-1").expect(200);
        let keys = keys["resources"].as_array().expect("keys");
        let missing = acknowledged[..begun].iter().find(|id| keys.iter().all(|key| key["id"] != **id));
        assert_eq!(missing, None, "backup {n}");
        for key in keys {
            // The material opens only with the key's own data key.
            let path = format!("/v1/vault/keys2/{}/export", key["id"].as_str().expect("an id"));
            let exported = admin.post(&path, json!({"encoding": "base64"})).expect(200);
            assert!(exported["material"].is_string(), "{key}");
        }
    }
}

/// Runs a schedule, and returns the run once it has ended.
fn run_now(admin: &Client, id: &str) -> Value {
    let run = admin.post(&format!("/v1/scheduler/job-configs/{id}/run-now"), json!({})).expect(201);
    let path = format!("/v1/scheduler/jobs/{}", run["id"].as_str().expect("an id"));
    let ended = (0..600).find_map(|_| {
        thread::sleep(std::time::Duration::from_millis(50));
        Some(admin.get(&path).expect(200)).filter(|run| run["overall_status"] != "in_progress")
    });
    ended.expect("it ends")
}

/// Neither the command nor a schedule leaves a part of a backup on a full disk, and both say why.
#[test]
fn a_backup_on_a_full_disk_says_so_and_leaves_nothing() {
    const FULL: &str = "No space left on device";
    let vault = Vault::new();
    let Some(disk) = SmallDisk::mount(&vault.path("disk"), "16k") else { return };
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let directory = vault.path("disk");
    let mut appliance = Appliance::start_with(&[
        ("CLAVIGER_BACKUP_RECIPIENTS", &recipient),
        ("CLAVIGER_BACKUP_DIRECTORY", directory.to_str().expect("UTF-8")),
        ("CLAVIGER_BACKUP_RESERVE_MIB", "0"),
    ]);
    let admin = appliance.admin();
    for name in ["a", "b"] {
        let body = json!({"name": name, "client_metadata": {"a": "x".repeat(16_000)}});
        admin.post("/v1/usermgmt/groups", body).expect(201);
    }
    let left = || fs::read_dir(&directory).expect("a directory").count();

    let body = json!({"name": "nightly", "operation": "database_backup", "run_at": "0 1 1 1 *",
        "database_backup_params": {"scope": "system"}});
    let schedule = admin.post("/v1/scheduler/job-configs", body).expect(201);
    let ended = run_now(&admin, schedule["id"].as_str().expect("an id"));
    assert_eq!((ended["overall_status"].as_str(), left()), (Some("failed"), 0), "{ended}");
    assert!(ended.to_string().contains(FULL), "{ended}");
    for is_running in [true, false] {
        let (code, said, err) = vault.back_up(&appliance.data(), "disk/all.age", &[]);
        assert!(code != Some(0) && err.contains(FULL), "{code:?} {said}{err}");
        assert_eq!(left(), 0, "with a server: {is_running}");
        appliance.kill();
    }
    disk.resize("64m");
    succeeded(vault.back_up(&appliance.data(), "disk/all.age", &[]));
}

/// A schedule with a recipient in the settings makes backups, and keeps as many as it says.
#[test]
fn a_schedule_makes_backups_and_keeps_the_newest() {
    let identity = age::x25519::Identity::generate();
    let vault = Vault::new();
    let secret = identity.to_string();
    let secret = age::secrecy::ExposeSecret::expose_secret(&secret).as_bytes();
    let identity_file = vault.write("identity", secret);
    let recipient = identity.to_public().to_string();
    let appliance = Appliance::start_with(&[("CLAVIGER_BACKUP_RECIPIENTS", &recipient)]);
    let admin = appliance.admin();
    let body = json!({"name": "nightly", "operation": "database_backup", "run_at": "0 1 1 1 *",
        "database_backup_params": {"retentionCount": 2, "scope": "system"}});
    let schedule = admin.post("/v1/scheduler/job-configs", body.clone()).expect(201);
    let id = schedule["id"].as_str().expect("an id");
    let mut names = Vec::new();
    for _ in 0..3 {
        let ended = run_now(&admin, id);
        assert_eq!(ended["overall_status"], "completed", "{ended}");
        let entries = fs::read_dir(appliance.data().join("backups")).expect("a directory");
        names = entries.map(|entry| entry.expect("an entry").path()).collect();
        // Names have the time in seconds.
        thread::sleep(std::time::Duration::from_millis(1_100));
    }
    assert_eq!(names.len(), 2, "{names:?}");
    names.sort();
    let newest = names.last().expect("a backup");
    let into = vault.path("restored");
    let mut command = program();
    command.args(["restore", "--from"]).arg(newest).arg("--into").arg(&into).arg("--identity").arg(identity_file);
    succeeded(run_to_end(&mut command));
    assert!(!into.join("backups").exists(), "backups are not in backups");

    // Only an administrator may decide on backups.
    let ann = appliance.member("ann", &["CCKM Admins"]);
    let mut other = body;
    other["name"] = json!("hers");
    ann.post("/v1/scheduler/job-configs", other).refused(403, "NCERRInsufficientPermissions");
    let one = format!("/v1/scheduler/job-configs/{id}");
    ann.patch(&one, json!({"disabled": true})).refused(403, "NCERRInsufficientPermissions");
    ann.post(&format!("{one}/run-now"), json!({})).refused(403, "NCERRInsufficientPermissions");
    assert_eq!(ann.delete(&one).status, 403);
    assert_eq!(admin.get(&one).expect(200)["disabled"], false);
}
