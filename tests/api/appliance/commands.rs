//! The commands besides the server: `events`, `verify`, `check-config`, help.

use crate::support::appliance::{Appliance, program, run_to_end, subject};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

#[test]
fn events_are_the_same_lines_with_and_without_a_server() {
    let mut appliance = Appliance::start();
    appliance.kms("kms", &["eu-west-1"]);
    let online = lines(&appliance.data(), &[]);
    assert!(appliance.terminate().success());
    let offline = lines(&appliance.data(), &[]);
    assert_eq!(online, offline);
    for (line, seq) in offline.iter().zip(1..) {
        assert_eq!(line["seq"], seq, "{line}");
        for member in ["id", "time", "actor", "request_id", "stream", "hash"] {
            assert!(line[member].is_string(), "{member}: {line}");
        }
        assert!(line["event"].is_object(), "{line}");
    }
    let text = offline.iter().map(Value::to_string).collect::<String>();
    assert!(text.contains("[sealed]") && !text.contains("argon2") && !text.contains("lab-only/"), "{text}");
}

#[test]
fn an_incomplete_list_is_an_error() {
    let home = TempDir::new().expect("a directory");
    let server = UnixListener::bind(home.path().join("control.sock")).expect("a socket");
    let serving = std::thread::spawn(move || {
        let (mut caller, _) = server.accept().expect("a caller");
        BufReader::new(&caller).read_line(&mut String::new()).expect("a request");
        caller.write_all(b"{\"seq\":1}\n").expect("written");
    });
    let (code, said, err) = run_to_end(&mut events(home.path()));
    serving.join().expect("served");
    assert_eq!((code, said.as_str()), (Some(1), "{\"seq\":1}\n"));
    assert!(err.contains("ended before it had told all"), "{err}");

    let appliance = Appliance::start();
    let mut server = UnixStream::connect(appliance.data().join("control.sock")).expect("connected");
    server.write_all(b"{\"later\":{}}\n").expect("written");
    let answer = std::io::read_to_string(server).expect("an answer");
    assert!(answer.starts_with("{\"error\":\"the server does not know this request"), "{answer}");
}

/// Otherwise the service, which runs as another user, could not open its log any more.
#[test]
fn commands_of_root_do_not_change_the_owner_of_the_log() {
    const NOBODY: u32 = 65534;
    let mut appliance = Appliance::start();
    appliance.kms("kms", &["eu-west-1"]);
    assert!(appliance.terminate().success());
    let data = appliance.data();
    let home = data.parent().expect("its directory").to_owned();
    let mut all = vec![home, data.clone()];
    for directory in [data.clone(), data.join("log")] {
        all.extend(fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path()));
    }
    for path in &all {
        if let Err(error) = std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)) {
            return eprintln!("skipped: only root gives files away: {error}");
        }
    }
    let (code, _, err) = run_to_end(program().args(["verify", "--data"]).arg(&data));
    assert_eq!(code, Some(0), "{err}");
    let log = fs::read_dir(data.join("log")).expect("a directory").map(|entry| entry.expect("an entry").path());
    for path in log.chain([data.join("lock"), data.join("head")]) {
        assert_eq!(path.metadata().expect("there").uid(), NOBODY, "{}", path.display());
    }
}

#[test]
fn events_are_filtered_by_stream_time_and_actor() {
    let appliance = Appliance::start();
    let kms = appliance.kms("kms", &["eu-west-1"]);
    let ann = appliance.member("ann", &["CCKM Admins"]);
    ann.patch(&format!("/v1/cckm/aws/kms/{kms}"), json!({"regions": ["us-east-1"]})).expect(200);
    let data = appliance.data();

    let of_kms = lines(&data, &["--stream", "kms/"]);
    let actors = |lines: &[Value]| lines.iter().map(|line| line["actor"].clone()).collect::<Vec<_>>();
    assert_eq!(actors(&of_kms), ["admin", "ann"]);
    assert_eq!(lines(&data, &["--stream", &format!("kms/{kms}")]), of_kms);
    assert!(lines(&data, &["--stream", "kms/0b90f8de"]).is_empty());

    assert_eq!(lines(&data, &["--stream", "kms/", "--actor", "ann"]), of_kms[1..]);
    assert_eq!(lines(&data, &["--stream", "kms/", "--actor", &subject(&ann)]), of_kms[1..]);
    let system = lines(&data, &["--actor", "system"]);
    assert!(!system.is_empty() && system.iter().all(|line| line["actor"] == "system"));

    let time = |line: &Value| line["time"].as_str().expect("a time").to_owned();
    let (first, second) = (time(&of_kms[0]), time(&of_kms[1]));
    assert_eq!(lines(&data, &["--stream", "kms/", "--since", &second]), of_kms[1..]);
    assert_eq!(lines(&data, &["--stream", "kms/", "--until", &first]), of_kms[..1]);
    assert_eq!(lines(&data, &["--stream", "kms/", "--since", &first, "--until", &second]), of_kms);

    let (code, _, err) = run_to_end(events(&data).args(["--since", "yesterday"]));
    assert_eq!(code, Some(2));
    assert!(err.contains("RFC 3339"), "{err}");
}

#[test]
fn events_follow_a_running_server() {
    let mut appliance = Appliance::start();
    let admin = appliance.admin();
    let command = &mut events(&appliance.data());
    let mut follower =
        command.args(["--follow", "--stream", "group/team"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(follower.stdout.take().expect("its output")).lines();
    for n in 1..=3 {
        admin.post("/v1/usermgmt/groups", json!({"name": format!("other-{n}")})).expect(201);
        admin.post("/v1/usermgmt/groups", json!({"name": format!("team-{n}")})).expect(201);
        let line: Value = serde_json::from_str(&lines.next().expect("a line").expect("UTF-8")).expect("JSON");
        assert_eq!(line["stream"], format!("group/team-{n}"));
    }
    // The command ends when the server ends, or when the reader of its output is gone.
    assert!(appliance.terminate().success());
    assert!(lines.next().is_none());
    assert_eq!(follower.wait().expect("its end").code(), Some(0));

    let (code, _, err) = run_to_end(events(&appliance.data()).arg("--follow"));
    assert_eq!(code, Some(1));
    assert!(err.contains("--follow needs a running server on this data directory"), "{err}");
}

#[test]
fn an_operator_resets_a_lost_password() {
    let appliance = Appliance::start();
    let (admin, nobody) = (appliance.admin(), appliance.nobody());
    let reset = |password: &str| {
        let mut command = program();
        command.args(["admin", "reset-password", "--data"]).arg(appliance.data());
        let mut file = tempfile::tempfile().expect("a file");
        writeln!(file, "{password}").expect("written");
        std::io::Seek::rewind(&mut file).expect("rewound");
        run_to_end(command.stdin(Stdio::from(file)))
    };
    let (code, _, err) = reset("short");
    assert_eq!(code, Some(1), "{err}");
    admin.get("/v1/auth/self/user").expect(200);
    let (code, _, err) = reset("Operator-secret-4-tests");
    assert_eq!(code, Some(0), "{err}");
    admin.get("/v1/auth/self/user").refused(401, "NCERRUnauthorized");
    let body = json!({"name": "admin", "password": "Operator-secret-4-tests"});
    let due = nobody.post("/v1/auth/tokens", body);
    assert!(due.status >= 400, "the password must be changed first: {}", due.text);
    let body = json!({
        "username": "admin", "password": "Operator-secret-4-tests", "new_password": "Operators-own-4-tests",
    });
    let changed = nobody.patch("/v1/auth/changepw", body);
    assert!(changed.status < 300, "{}", changed.text);
    nobody.sign_in("admin", "Operators-own-4-tests");
    let by_operator = lines(&appliance.data(), &["--actor", "operator"]);
    assert!(by_operator.iter().any(|line| line["stream"].as_str().is_some_and(|stream| stream.starts_with("user/"))));
    assert!(!by_operator.iter().any(|line| line.to_string().contains("Operator-secret")));
}

#[test]
fn a_change_needs_a_running_server() {
    let home = TempDir::new().expect("a directory");
    let (code, _, err) = run_to_end(program().args(["rotate-token-key", "--data"]).arg(home.path()));
    assert_eq!(code, Some(1));
    assert!(err.contains("needs a running server"), "{err}");
}

#[test]
fn after_a_rotation_of_the_token_key_old_tokens_stay_valid() {
    let mut appliance = Appliance::start();
    let before = appliance.admin();
    let (code, _, err) = run_to_end(program().args(["rotate-token-key", "--data"]).arg(appliance.data()));
    assert_eq!(code, Some(0), "{err}");
    before.get("/v1/auth/self/user").expect(200);
    let after = appliance.admin();
    after.get("/v1/auth/self/user").expect(200);
    assert_eq!(lines(&appliance.data(), &["--actor", "operator", "--stream", "installation"]).len(), 1);
    let (before, after) = (before.token().to_owned(), after.token().to_owned());
    assert!(appliance.terminate().success());
    appliance.restart();
    appliance.nobody().with_token(&after).get("/v1/auth/self/user").expect(200);
    appliance.nobody().with_token(&before).get("/v1/auth/self/user").refused(401, "NCERRUnauthorized");
}

#[test]
fn verify_reports_an_intact_chain() {
    let mut appliance = Appliance::start();
    let verify = |data: &Path| {
        let (code, said, err) = run_to_end(program().args(["verify", "--data"]).arg(data));
        assert_eq!(code, Some(0), "{err}");
        said
    };
    let online = verify(&appliance.data());
    let last = lines(&appliance.data(), &[]).pop().expect("a line");
    assert!(online.starts_with(&format!("{} records, from ", last["seq"])), "{online}");
    assert!(online.contains(&format!(
        "the chain is whole, and it fits its seal; its last hash is {}",
        last["hash"].as_str().expect("a hash")
    )));
    appliance.kill();
    let of_running = " (checked by the running server, of the log as it has it open)\n";
    assert_eq!(Some(verify(&appliance.data()).trim_end()), online.strip_suffix(of_running), "{online}");

    let nowhere = TempDir::new().expect("a directory");
    for command in ["verify", "events"] {
        let (code, _, err) = run_to_end(program().args([command, "--data"]).arg(nowhere.path()));
        assert_eq!(code, Some(1));
        assert!(err.starts_with("claviger: there is no log in "), "{err}");
    }
}

#[test]
fn the_configuration_that_comes_with_it_is_good() {
    let data = TempDir::new().expect("a directory");
    let mut check = program();
    check.args(["check-config", "--config", "config/claviger.toml"]).env("CLAVIGER_STORAGE_DATA_DIR", data.path());
    assert_eq!(run_to_end(&mut check), (Some(0), "the configuration is good\n".to_owned(), String::new()));
}

#[test]
fn check_config_accepts_and_reports_a_former_name_of_a_setting() {
    let data = TempDir::new().expect("a directory");
    let file = data.path().join("claviger.toml");
    std::fs::write(&file, "[aws]\nsettle_seconds = 60\n").expect("written");
    let mut check = program();
    check.args(["check-config", "--config"]).arg(&file).env("CLAVIGER_STORAGE_DATA_DIR", data.path());
    let (code, out, err) = run_to_end(&mut check);
    assert_eq!((code, out.as_str()), (Some(0), "the configuration is good\n"), "{err}");
    assert!(err.contains("claviger.toml:2: aws.settle_seconds is called aws.consistency_wait_seconds now"), "{err}");
}

#[test]
fn check_config_reports_all_errors_together() {
    let home = TempDir::new().expect("a directory");
    let config = home.path().join("claviger.toml");
    let named = |settings: &str, expected: &[&str]| {
        fs::write(&config, settings).expect("written");
        for command in ["check-config", "serve"] {
            let mut command_line = program();
            command_line.args([command, "--config"]).arg(&config);
            command_line.env("CLAVIGER_STORAGE_DATA_DIR", home.path().join("data"));
            let (code, out, err) = run_to_end(command_line.env("CLAVIGER_SERVER_BODY_LIMIT_BYTES", "1"));
            assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
            for expected in expected {
                assert!(err.contains(expected), "`{expected}` is not in:\n{err}");
            }
        }
    };
    named(
        "[server]\nworkers = 5000\n[tls]\ncertificate = \"/no/such.crt\"\n[aws]\nmax_attempts = 99\n[log]\nlevel = \"x=loud\"\n",
        &[
            "server.workers: `5000`",
            "server.body_limit_bytes: `1`",
            "tls.certificate: `/no/such.crt` is given without",
            "aws.max_attempts: `99`",
            "log.level: `x=loud`",
        ],
    );
    named(
        "[server]\nworkrs = 1\nlisten = \"nowhere\"\n[other]\nx = 1\n",
        &["claviger.toml:2: server.workrs: unknown field", "claviger.toml:3: server.listen", "claviger.toml:5: other"],
    );
    named("[server\n", &["claviger.toml:1: "]);
}

#[test]
fn every_command_helps() {
    let (code, out, _) = run_to_end(program().arg("--help"));
    assert_eq!(code, Some(0));
    let options = [
        ("serve", "--config <FILE>"),
        ("lab", "--cloud-listen <ADDR:PORT>"),
        ("check-config", "--config <FILE>"),
        ("verify", "--data <DIR>"),
        ("events", "--follow"),
    ];
    for (command, option) in options {
        assert!(out.lines().any(|line| line.trim().starts_with(command)), "{command} is not in:\n{out}");
        let (code, help, err) = run_to_end(program().args([command, "--help"]));
        assert_eq!((code, err.as_str()), (Some(0), ""));
        assert!(help.contains("Usage: claviger ") && help.contains(option), "{help}");
    }
    assert_eq!(run_to_end(program().arg("--version")).1, format!("claviger {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(run_to_end(program().arg("dance")).0, Some(2));
}

fn events(data: &Path) -> Command {
    let mut command = program();
    command.args(["events", "--data"]).arg(data);
    command
}

/// The lines that `claviger events` prints.
fn lines(data: &Path, filters: &[&str]) -> Vec<Value> {
    let (code, out, err) = run_to_end(events(data).args(filters));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}
