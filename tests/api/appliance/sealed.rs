//! A server whose master key comes from an operator: sealed, unsealed, and replaced.

use crate::support::appliance::{PASSWORD, program, run_to_end};
use crate::support::client::Client;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PASSPHRASE: &str = "correct horse battery staple";

/// A data directory, its settings, and the server on it, which is killed when dropped.
struct Sealed {
    home: TempDir,
    /// What the service manager is told. It is always read: otherwise the program would wait for that.
    notified: Receiver<String>,
    api: String,
    process: Option<Child>,
}

impl Drop for Sealed {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Sealed {
    fn new() -> Self {
        let home = TempDir::new().expect("a directory");
        // The port stays the same over restarts.
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let data = home.path().join("data");
        let settings = format!(
            "[server]\nlisten = \"{address}\"\n\n[storage]\ndata_dir = {data:?}\n\n[master_key]\nsource = \"operator\"\n"
        );
        fs::write(home.path().join("claviger.toml"), settings).expect("written");
        let socket = UnixDatagram::bind(home.path().join("notify")).expect("a socket");
        let (sender, notified) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = socket.recv(&mut buffer) {
                if sender.send(String::from_utf8_lossy(&buffer[..length]).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { home, notified, api: format!("https://{address}"), process: None }
    }

    /// Starts the server, and waits until the service manager is told that it is there.
    fn start(&mut self) {
        let process = program()
            .args(["serve", "--config"])
            .arg(self.config())
            .env("NOTIFY_SOCKET", self.home.path().join("notify"))
            .env("WATCHDOG_USEC", "200000")
            .env("CLAVIGER_ADMIN_PASSWORD", PASSWORD)
            .env("CLAVIGER_LOGIN_REQUIRE_FIRST_PASSWORD_CHANGE", "false")
            .stdout(Stdio::null())
            .stderr(File::create(self.home.path().join("log")).expect("a log"))
            .spawn()
            .expect("the program starts");
        self.process = Some(process);
        let ready = self.wait_for("READY=1");
        assert!(ready.contains("STATUS=sealed"), "{ready}");
    }

    fn config(&self) -> PathBuf {
        self.home.path().join("claviger.toml")
    }

    fn wait_for(&self, begin: &str) -> String {
        loop {
            let message = self.notified.recv_timeout(Duration::from_secs(30));
            let message = message.unwrap_or_else(|error| panic!("{begin}: {error}\n{}", self.log()));
            if message.starts_with(begin) {
                return message;
            }
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    fn nobody(&self) -> Client {
        Client::nobody(&self.api, &fs::read(self.home.path().join("data/tls.crt")).expect("the certificate"))
    }

    /// Runs a command with a passphrase on its standard input.
    fn command(&self, arguments: &[&str], passphrase: &str) -> (Option<i32>, String, String) {
        let mut file = tempfile::tempfile().expect("a file");
        writeln!(file, "{passphrase}").expect("written");
        file.rewind().expect("rewound");
        run_to_end(program().args(arguments).arg("--config").arg(self.config()).stdin(Stdio::from(file)))
    }

    fn unseal(&self, passphrase: &str) {
        let (code, said, err) = self.command(&["unseal"], passphrase);
        assert_eq!(code, Some(0), "{said}{err}\n{}", self.log());
        assert!(self.wait_for("READY=1").contains("STATUS=serving"), "{}", self.log());
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    fn unsealings(&self) -> Vec<Value> {
        let (_, said, _) = self.command(&["events", "--stream", "installation"], "");
        let lines = said.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines.filter(|line| line.to_string().contains("Unsealed")).collect()
    }
}

#[test]
fn a_sealed_server_says_so_until_an_operator_unseals_it() {
    let mut sealed = Sealed::new();
    sealed.start();
    // The service manager's watchdog is content.
    sealed.wait_for("WATCHDOG=1");
    let nobody = sealed.nobody();
    assert_eq!(nobody.get("/healthz").expect(200)["status"], "ok");
    assert_eq!(nobody.get("/readyz").expect(503)["status"], "sealed");
    let sign_in = json!({"username": "admin", "password": PASSWORD});
    for answer in [
        nobody.post("/v1/auth/tokens", sign_in),
        nobody.get("/v1/cckm/aws/kms"),
        nobody.get("/metrics"),
        nobody.get("/api/no/such/path"),
        nobody.get("/assets/0/app/main.js"),
    ] {
        assert_eq!((answer.status, answer.body["reason"].as_str()), (503, Some("sealed")), "{}", answer.text);
    }
    // A browser gets the page, which shows that answer.
    for path in ["/", "/cckm/aws/keys"] {
        let page = nobody.get(path);
        assert!(page.status == 200 && page.text.starts_with("<!doctype html>"), "{path}: {}", page.text);
    }
    assert!(!sealed.home.path().join("data/log").exists(), "nothing of the log is made");
    // Too short for a new keyring: refused, and nothing is made of it.
    let (code, _, err) = sealed.command(&["unseal"], "short");
    assert_eq!(code, Some(1));
    assert!(err.contains("12 characters"), "{err}");
    let (code, _, err) = sealed.command(&["rotate-token-key"], "");
    assert_eq!(code, Some(1));
    assert!(err.contains("sealed"), "{err}");

    sealed.unseal(PASSPHRASE);
    assert_eq!(nobody.get("/readyz").status, 200);
    let admin = nobody.sign_in("admin", PASSWORD);
    admin.post("/v1/vault/keys2", json!({"name": "kept"})).expect(201);
    let (code, _, err) = sealed.command(&["unseal"], PASSPHRASE);
    assert_eq!(code, Some(1));
    assert!(err.contains("not sealed"), "{err}");
    sealed.kill();

    // The next start is sealed again; wrong passphrases are refused, counted, and answered later and later.
    sealed.start();
    assert_eq!(nobody.get("/readyz").expect(503)["status"], "sealed");
    let begun = Instant::now();
    for n in 1..=3 {
        let (code, _, err) = sealed.command(&["unseal"], "wrong horse battery staple");
        assert_eq!(code, Some(1));
        assert!(err.contains(&format!("since the start: {n}")), "{err}");
    }
    assert!(begun.elapsed() >= Duration::from_millis(250 + 500 + 1000), "{:?}", begun.elapsed());
    sealed.unseal(PASSPHRASE);
    let admin = nobody.sign_in("admin", PASSWORD);
    assert_eq!(admin.get("/v1/vault/keys2?name=kept").expect(200)["total"], 1);
    let unsealings = sealed.unsealings();
    assert_eq!(unsealings.len(), 2, "{unsealings:?}");
    assert!(unsealings[1].to_string().contains("3") && unsealings[1].to_string().contains("perator"), "{unsealings:?}");
    assert!(!sealed.log().contains("horse"), "no passphrase is logged");
}

/// A script that verifies must not take a sealed server for a broken log.
#[test]
fn verification_beside_a_sealed_server_says_so_with_a_code_of_its_own() {
    let mut sealed = Sealed::new();
    sealed.start();
    sealed.unseal(PASSPHRASE);
    let (code, checkpoint, err) = sealed.command(&["checkpoint"], "");
    assert_eq!(code, Some(0), "{err}");
    let kept = sealed.home.path().join("checkpoint");
    fs::write(&kept, checkpoint).expect("written");
    let kept = kept.to_str().expect("UTF-8");
    sealed.kill();
    sealed.start();
    for command in [&["verify"][..], &["verify", "--checkpoint", kept], &["events"]] {
        let (code, said, err) = sealed.command(command, "");
        assert_eq!(code, Some(3), "{command:?}: {said}{err}");
        assert!(said.is_empty() && err.contains("unseal it first"), "{command:?}: {said}{err}");
    }
    sealed.unseal(PASSPHRASE);
    for command in [&["verify"][..], &["verify", "--checkpoint", kept]] {
        let (code, said, err) = sealed.command(command, "");
        assert!(code == Some(0) && said.contains("it fits its seal"), "{command:?}: {said}{err}");
    }
}

#[test]
fn the_passphrase_of_a_sealed_server_can_be_replaced() {
    let mut sealed = Sealed::new();
    sealed.start();
    sealed.unseal(PASSPHRASE);
    let (code, said, err) = sealed.command(&["rekey", "--passphrase-file", "-"], "another stable full of horses");
    assert_eq!(code, Some(0), "{err}");
    assert!(said.contains("next start"), "{said}");
    sealed.kill();
    sealed.start();
    let (code, _, err) = sealed.command(&["unseal"], PASSPHRASE);
    assert_eq!(code, Some(1));
    assert!(err.contains("wrong"), "{err}");
    sealed.unseal("another stable full of horses");
    sealed.nobody().sign_in("admin", PASSWORD);
}

#[test]
fn a_sealed_server_stops_at_a_signal_and_unseals_beside_idle_clients() {
    let mut sealed = Sealed::new();
    sealed.start();
    // Connections that ask nothing, to the API and to the control socket.
    let address = sealed.api.trim_start_matches("https://").to_owned();
    let idle: Vec<_> = (0..8).map(|_| std::net::TcpStream::connect(&address).expect("connected")).collect();
    let socket = sealed.home.path().join("data/control.sock");
    let silent = std::os::unix::net::UnixStream::connect(socket).expect("connected");
    sealed.unseal(PASSPHRASE);
    drop((idle, silent));
    sealed.kill();
    sealed.start();
    let mut process = sealed.process.take().expect("a process");
    kill(Pid::from_raw(i32::try_from(process.id()).expect("a pid")), Signal::SIGTERM).expect("signalled");
    for _ in 0..200 {
        if let Some(status) = process.try_wait().expect("its state") {
            assert!(status.success(), "{}", sealed.log());
            return;
        }
        sleep(Duration::from_millis(50));
    }
    let _ = process.kill();
    panic!("it did not stop: {}", sealed.log());
}
