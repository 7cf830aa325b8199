//! The program as a process: one per data directory, a clean shutdown, a new certificate without a restart, and a
//! second start that continues where the first ended.

use crate::support::appliance::{Appliance, PASSWORD, lab, program, run_to_end, startup_value};
use crate::support::client::Client;
use nix::sys::signal::Signal;
use reqwest::blocking::Client as Http;
use serde_json::{Value, json};
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

#[test]
fn one_process_at_a_time_has_a_data_directory() {
    let appliance = Appliance::start();
    let (code, out, err) = run_to_end(&mut lab(&appliance.data()));
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    // The lab cloud is the first to lock its part of the directory.
    let part = appliance.data().join("lab-cloud");
    let message = format!("{} is in use: another process has it open; stop that one first", part.display());
    assert!(err.starts_with("claviger: ") && err.contains(&message), "{err}");
    // The first process is not affected.
    appliance.admin().get("/v1/cckm/aws/kms").expect(200);
    let (code, said, problem) = run_to_end(program().args(["verify", "--data"]).arg(appliance.data()));
    assert_eq!(code, Some(0), "{said}{problem}");
}

#[test]
fn its_memory_goes_to_no_file() {
    let appliance = Appliance::start();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", appliance.pid())).expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
}

#[test]
fn the_limit_of_open_files_is_raised_to_its_maximum() {
    let appliance = Appliance::start();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", appliance.pid())).expect("its limits");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line");
    let [soft, hard] = files.split_whitespace().collect::<Vec<_>>()[3..5] else { panic!("{files}") };
    let number = |text: &str| text.parse().unwrap_or(u64::MAX);
    assert!(number(soft) >= number(hard).min(65_536), "{files}");
}

#[test]
fn an_accepted_request_is_answered_before_the_end() {
    let mut appliance = Appliance::start();
    let admin = appliance.admin();
    let cloud = Cloud::of(&appliance);
    cloud.set_faults(&json!([{"service": "sts", "delay_ms": 2000, "times": 1}]));
    let answering = thread::spawn(move || {
        let body = json!({"name": "slow", "account_id": "123456789012", "connection": "test_aws-connection",
            "regions": ["eu-west-1"]});
        admin.post("/v1/cckm/aws/kms", body)
    });
    cloud.wait_until_faults_met();
    let begun = Instant::now();
    assert!(appliance.terminate().success());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(answering.join().expect("an answer").expect(201)["name"], "slow");
    appliance.restart();
    assert_eq!(appliance.admin().get("/v1/cckm/aws/kms?name=slow").expect(200)["total"], 1);
}

#[test]
fn connections_on_which_nothing_happens_do_not_hold_up_the_end() {
    let mut appliance = Appliance::start();
    let idle: Vec<_> = (0..8).map(|_| appliance.nobody()).collect();
    for client in &idle {
        client.get("/healthz").expect(200);
    }
    // This connection has not sent anything yet.
    let silent = TcpStream::connect(appliance.api.trim_start_matches("https://")).expect("connected");
    let begun = Instant::now();
    assert!(appliance.terminate().success());
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    drop((idle, silent));
}

#[test]
fn a_new_certificate_is_shown_after_sighup_and_a_broken_one_never() {
    let files = TempDir::new().expect("a directory");
    let (certificate, key) = (files.path().join("server.crt"), files.path().join("server.key"));
    let first = make_certificate(&certificate, &key);
    let paths = [("CLAVIGER_TLS_CERTIFICATE", certificate.to_str()), ("CLAVIGER_TLS_PRIVATE_KEY", key.to_str())];
    let appliance = Appliance::start_with(&paths.map(|(name, path)| (name, path.expect("UTF-8"))));
    assert!(!appliance.data().join("tls.crt").exists(), "none is made where one is given");
    let kept = Client::nobody(&appliance.api, &first);
    kept.get("/healthz").expect(200);

    let second = make_certificate(&certificate, &key);
    assert!(!trusts(&appliance, &second), "nothing changes before the signal");
    appliance.signal(Signal::SIGHUP);
    wait_for("the new certificate", || trusts(&appliance, &second));
    assert!(!trusts(&appliance, &first));
    kept.get("/healthz").expect(200);

    for broken in ["not a certificate", ""] {
        let complaints =
            || appliance.log().matches("the certificate could not be read again; the one in use stays").count();
        let before = complaints();
        fs::write(&certificate, broken).expect("written");
        appliance.signal(Signal::SIGHUP);
        wait_for("a complaint", || complaints() > before);
        assert!(trusts(&appliance, &second));
    }
    // The certificate belongs to another key.
    fs::write(&certificate, &first).expect("written");
    appliance.signal(Signal::SIGHUP);
    wait_for("a complaint", || appliance.log().matches("the one in use stays").count() == 3);
    assert!(trusts(&appliance, &second));
}

#[test]
fn a_second_start_continues_where_the_first_ended() {
    let mut appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("kms", &["eu-west-1"]);
    let before = admin.get(&format!("/v1/cckm/aws/kms/{kms}")).expect(200);
    let before_claims = claims(&admin);
    assert!(appliance.terminate().success());
    appliance.restart();

    assert!(appliance.startup_message.contains("(as at the first start)"), "{}", appliance.startup_message);
    // The token of the first run is valid in the second.
    let admin = appliance.nobody().with_token(admin.token());
    assert_eq!(admin.get(&format!("/v1/cckm/aws/kms/{kms}")).expect(200), before);
    let connections = admin.get("/v1/connectionmgmt/services/aws/connections").expect(200);
    assert_eq!(connections["total"], 1, "{connections}");
    admin.post("/v1/connectionmgmt/services/aws/connections/test_aws-connection/test", json!({})).expect(200);
    let again = claims(&appliance.admin());
    for same in ["aud", "sub", "iss"] {
        assert_eq!(again[same], before_claims[same], "{same}");
    }
}

#[test]
fn a_password_is_made_and_printed_at_the_first_start_only() {
    let mut appliance = Appliance::start_with(&[("CLAVIGER_ADMIN_PASSWORD", "")]);
    let password = startup_value(&appliance.startup_message, "password ");
    assert!(password.len() >= 20, "{}", appliance.startup_message);
    appliance.nobody().sign_in("admin", &password).get("/v1/usermgmt/users").expect(200);
    assert!(!appliance.log().contains(&password));
    assert!(appliance.terminate().success());
    appliance.restart();
    assert!(!appliance.startup_message.contains(&password), "{}", appliance.startup_message);
    appliance.nobody().sign_in("admin", &password);
}

#[test]
fn a_weak_first_password_is_refused_before_the_installation() {
    let home = TempDir::new().expect("a directory");
    let data = home.path().join("data");
    for (weak, requirement) in
        [("Short-1", "at least 12 characters"), ("no-upper-case-1", "upper"), ("No-Digit-in-it", "digit")]
    {
        let (code, out, err) = run_to_end(lab(&data).env("CLAVIGER_ADMIN_PASSWORD", weak));
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        assert!(err.starts_with("claviger: CLAVIGER_ADMIN_PASSWORD must have ") && err.contains(requirement), "{err}");
        assert!(!err.contains(weak), "{err}");
    }
    let appliance = Appliance::start_in(home, &[]);
    appliance.nobody().sign_in("admin", PASSWORD);
}

/// The control endpoint of the lab cloud.
struct Cloud {
    http: Http,
    faults: String,
}

impl Cloud {
    fn of(appliance: &Appliance) -> Self {
        let http = Http::builder().no_proxy().build().expect("an HTTP client");
        Self { http, faults: format!("{}/_lab/faults", appliance.cloud) }
    }

    fn set_faults(&self, faults: &Value) {
        let answer = self.http.put(&self.faults).body(faults.to_string()).send().expect("an answer");
        assert_eq!(answer.status(), 200);
    }

    /// Waits until a call has met each fault.
    fn wait_until_faults_met(&self) {
        let left = || self.http.get(&self.faults).send().and_then(|answer| answer.text()).expect("an answer");
        wait_for("a call", || left() == "[]");
    }
}

fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !happened() {
        assert!(Instant::now() < deadline, "{what} did not come");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Writes a certificate for the loopback address and its key to these files; returns the certificate.
fn make_certificate(certificate: &Path, key: &Path) -> Vec<u8> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    fs::write(key, made.signing_key.serialize_pem()).expect("written");
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).expect("closed to others");
    fs::write(certificate, made.cert.pem()).expect("written");
    made.cert.pem().into_bytes()
}

/// Whether a client that trusts only this certificate gets an answer on a new connection.
fn trusts(appliance: &Appliance, certificate: &[u8]) -> bool {
    Client::nobody(&appliance.api, certificate).try_send(reqwest::Method::GET, "/healthz", None).is_ok()
}

fn claims(client: &Client) -> Value {
    use base64::Engine;
    let middle = client.token().split('.').nth(1).expect("a JWT");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(middle).expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}
