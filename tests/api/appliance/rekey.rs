//! `claviger rekey`, and `claviger admin reset-password` without a server.

use crate::support::appliance::{Appliance, id, lab, program, run_to_end};
use crate::support::client::Client;
use serde_json::{Value, json};
use std::fs;
use std::io::{Seek, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

type Ended = (Option<i32>, String, String);

fn rekey(data: &Path, more: &[&str]) -> Ended {
    run_to_end(program().args(["rekey", "--data"]).arg(data).args(more))
}

/// Runs a command with a line on its standard input.
fn with_input(arguments: &[&str], data: &Path, line: &str) -> Ended {
    let mut file = tempfile::tempfile().expect("a file");
    writeln!(file, "{line}").expect("written");
    file.rewind().expect("rewound");
    run_to_end(program().args(arguments).arg("--data").arg(data).stdin(Stdio::from(file)))
}

fn succeeded((code, said, err): Ended) -> String {
    assert_eq!(code, Some(0), "{said}{err}");
    said
}

fn events(data: &Path, event: &str) -> Vec<Value> {
    let said = succeeded(run_to_end(program().args(["events", "--data"]).arg(data).args(["--stream", "installation"])));
    let lines = said.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter(|line| line.to_string().contains(event)).collect()
}

/// Makes source keys, each with a data key of its own, until the end, and returns those that were acknowledged.
fn write(admin: &Client, writer: usize, ended: &AtomicBool) -> Vec<(String, Value)> {
    let mut made = Vec::new();
    for n in 0.. {
        if ended.load(Ordering::Acquire) {
            break;
        }
        let body = json!({"name": format!("w{writer}-{n}"), "algorithm": "aes", "size": 256}).to_string();
        let Ok(answer) = admin.try_send(reqwest::Method::POST, "/v1/vault/keys2", Some(body.into_bytes())) else {
            break;
        };
        if answer.status != 201 {
            // The keyring answers no other way while it is replaced.
            assert_eq!(answer.status, 429, "{}", answer.text);
            thread::sleep(Duration::from_millis(50));
            continue;
        }
        let key = id(&answer.body);
        made.push((key.clone(), material(admin, &key)));
    }
    made
}

fn material(admin: &Client, key: &str) -> Value {
    admin.post(&format!("/v1/vault/keys2/{key}/export"), json!({"encoding": "base64"})).expect(200)["material"].clone()
}

#[test]
fn rekey_under_load_loses_nothing() {
    const ROUNDS: usize = 4;
    let mut appliance = Appliance::start();
    let data = appliance.data();
    let admin = appliance.admin();
    let mut masters = vec![fs::read(data.join("master.key")).expect("a key")];
    let ended = AtomicBool::new(false);
    let made: Vec<(String, Value)> = thread::scope(|scope| {
        let (admin, ended) = (&admin, &ended);
        let writers: Vec<_> = (0..4).map(|writer| scope.spawn(move || write(admin, writer, ended))).collect();
        for _ in 0..ROUNDS {
            thread::sleep(Duration::from_millis(200));
            assert!(succeeded(rekey(&data, &[])).contains("master.key"));
            masters.push(fs::read(data.join("master.key")).expect("a key"));
        }
        thread::sleep(Duration::from_millis(200));
        ended.store(true, Ordering::Release);
        writers.into_iter().flat_map(|writer| writer.join().expect("no panic")).collect()
    });
    assert!(made.len() > 8, "{}", made.len());
    let mut different = masters.clone();
    different.dedup();
    assert_eq!(different.len(), ROUNDS + 1, "each is another key");
    let replaced = events(&data, "MasterKeyReplaced");
    assert_eq!(replaced.len(), ROUNDS, "{replaced:?}");
    assert!(replaced.iter().all(|line| line.to_string().contains("perator")), "{replaced:?}");

    // Killed at once, it opens with the newest key, and everything is there.
    appliance.kill();
    appliance.restart();
    let admin = appliance.admin();
    for (key, before) in &made {
        assert_eq!(material(&admin, key), *before);
    }
    assert!(appliance.terminate().success());
    assert!(succeeded(run_to_end(program().args(["verify", "--data"]).arg(&data))).contains("whole"));
    // No earlier key opens it.
    for old in &masters[..ROUNDS] {
        fs::write(data.join("master.key"), old).expect("written");
        let (code, _, err) = run_to_end(&mut lab(&data));
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains("another master key"), "{err}");
    }
}

#[test]
fn rekey_and_reset_password_work_without_a_server() {
    let mut appliance = Appliance::start();
    let data = appliance.data();
    let key = id(&appliance.admin().post("/v1/vault/keys2", json!({"name": "kept"})).expect(201));
    let before = material(&appliance.admin(), &key);
    assert!(appliance.terminate().success());

    let old = fs::read(data.join("master.key")).expect("a key");
    succeeded(rekey(&data, &[]));
    assert_ne!(fs::read(data.join("master.key")).expect("a key"), old);
    // An unfit one changes nothing.
    let short = data.join("short");
    fs::write(&short, b"not a key").expect("written");
    let (code, _, err) = rekey(&data, &["--key-file", short.to_str().expect("text")]);
    assert_eq!(code, Some(1));
    assert!(err.contains("not a master key"), "{err}");
    // Nor does one without an end.
    let (code, _, err) = rekey(&data, &["--key-file", "/dev/zero"]);
    assert!(code == Some(1) && err.contains("it is larger than"), "{err}");

    // After a change of the kind, the file has a key that opens nothing: it is not put into a backup.
    let backup = |name: &str| {
        let passphrase = data.with_extension("passphrase");
        fs::write(&passphrase, "a passphrase of a backup").expect("written");
        let mut command = program();
        command
            .args(["backup", "--include-master-key", "--data"])
            .arg(&data)
            .arg("--to")
            .arg(data.with_extension(name));
        run_to_end(command.arg("--passphrase-file").arg(passphrase))
    };
    succeeded(backup("right"));
    let present = fs::read(data.join("master.key")).expect("a key");
    fs::write(data.join("master.key"), &old).expect("written");
    let (code, _, err) = backup("wrong");
    assert_eq!(code, Some(1));
    assert!(err.contains("does not open the keyring"), "{err}");
    assert!(!data.with_extension("wrong").exists());
    fs::write(data.join("master.key"), present).expect("written");

    let reset = |password: &str| with_input(&["admin", "reset-password"], &data, password);
    let (code, _, err) = reset("short");
    assert_eq!(code, Some(1), "{err}");
    succeeded(reset("Operator-secret-4-tests"));
    let replaced = events(&data, "MasterKeyReplaced");
    assert_eq!(replaced.len(), 1, "{replaced:?}");

    appliance.restart();
    let changed = appliance.nobody().patch(
        "/v1/auth/changepw",
        json!({"username": "admin", "password": "Operator-secret-4-tests", "new_password": "Operators-own-4-tests"}),
    );
    assert!(changed.status < 300, "{}", changed.text);
    let admin = appliance.nobody().sign_in("admin", "Operators-own-4-tests");
    assert_eq!(material(&admin, &key), before);
}

#[test]
fn a_command_makes_nothing_in_an_empty_directory() {
    let empty = tempfile::TempDir::new().expect("a directory");
    let (code, _, err) = rekey(empty.path(), &[]);
    assert_eq!(code, Some(1));
    assert!(err.contains("no data directory"), "{err}");
    let (code, _, err) = with_input(&["admin", "reset-password"], empty.path(), "Operator-secret-4-tests");
    assert_eq!(code, Some(1));
    assert!(err.contains("no data directory"), "{err}");
    assert_eq!(fs::read_dir(empty.path()).expect("a directory").count(), 0);
}
