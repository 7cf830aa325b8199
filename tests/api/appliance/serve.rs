//! `claviger serve` under a service manager: with a configuration and a data directory of its own, and the socket on
//! which it reports its status.

use crate::support::appliance::{PASSWORD, program, run_to_end};
use crate::support::client::Client;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A running service; killed when dropped.
struct Service {
    process: Child,
    home: TempDir,
    socket: UnixDatagram,
    api: String,
}

impl Service {
    fn start(environment: &[(&str, &str)]) -> Self {
        let home = TempDir::new().expect("a directory");
        let config = home.path().join("claviger.toml");
        let data = home.path().join("data");
        let settings = format!("[server]\nlisten = \"127.0.0.1:0\"\n\n[storage]\ndata_dir = {data:?}\n");
        fs::write(&config, settings).expect("written");
        let socket = UnixDatagram::bind(home.path().join("notify")).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        let process = program()
            .args(["serve", "--config"])
            .arg(&config)
            .env("NOTIFY_SOCKET", home.path().join("notify"))
            .env("WATCHDOG_USEC", "200000")
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(File::create(home.path().join("log")).expect("a log"))
            .spawn()
            .expect("the program starts");
        let mut service = Self { process, home, socket, api: String::new() };
        let ready = service.wait_for("READY=1");
        let status = ready.lines().find_map(|line| line.strip_prefix("STATUS=serving on ")).expect("its address");
        service.api = format!("https://{status}");
        service
    }

    /// Waits for a message to the service manager that begins with this text, and skips messages before it.
    fn wait_for(&self, begin: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            let length =
                self.socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{begin}: {error}\n{}", self.log()));
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.starts_with(begin) {
                return message;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.process.id()).expect("a pid")), signal).expect("a process to signal");
    }

    fn stopped(&mut self) -> ExitStatus {
        self.process.wait().expect("its end")
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    fn nobody(&self) -> Client {
        Client::nobody(&self.api, &fs::read(self.data().join("tls.crt")).expect("the certificate"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_service_manager_gets_each_status() {
    let mut service = Service::start(&[("CLAVIGER_ADMIN_PASSWORD", PASSWORD)]);
    assert_eq!(service.nobody().get("/readyz").status, 200);
    service.wait_for("WATCHDOG=1");
    service.wait_for("WATCHDOG=1");
    service.signal(Signal::SIGHUP);
    assert!(service.wait_for("RELOADING=1").contains("MONOTONIC_USEC="));
    service.wait_for("READY=1");
    service.signal(Signal::SIGTERM);
    service.wait_for("STOPPING=1");
    assert!(service.stopped().success(), "{}", service.log());
    assert!(service.log().contains("\"message\":\"stopped\""), "{}", service.log());
}

#[test]
fn the_first_password_is_kept_in_a_file_and_must_be_changed() {
    let service = Service::start(&[]);
    let file = service.data().join("first-admin-password");
    assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o7777, 0o600);
    let password = fs::read_to_string(&file).expect("the password");
    let password = password.trim_end();
    let log = service.log();
    assert!(log.contains(file.to_str().expect("a path")) && !log.contains(password), "{log}");

    let nobody = service.nobody();
    let sign_in = |password: &str| nobody.post("/v1/auth/tokens", json!({"username": "admin", "password": password}));
    let message = sign_in(password).refused(401, "NCERRUnauthorized");
    assert!(message.contains("must be changed") || message.contains("change"), "{message}");
    let change = json!({"username": "admin", "password": password, "new_password": PASSWORD});
    nobody.patch("/v1/auth/changepw", change).expect(204);
    sign_in(password).refused(401, "NCERRUnauthorized");
    nobody.sign_in("admin", PASSWORD).get("/v1/usermgmt/users").expect(200);
}

#[test]
fn a_service_that_cannot_start_says_why() {
    let service = Service::start(&[("CLAVIGER_ADMIN_PASSWORD", PASSWORD)]);
    let config = service.home.path().join("claviger.toml");
    let (code, _, err) = run_to_end(program().args(["serve", "--config"]).arg(&config));
    assert_eq!(code, Some(1));
    assert!(err.contains("is in use: another process has it open; stop that one first"), "{err}");

    let elsewhere = TempDir::new().expect("a directory");
    let taken = service.api.trim_start_matches("https://");
    let mut second = program();
    second.args(["serve", "--config"]).arg(&config).env("CLAVIGER_STORAGE_DATA_DIR", elsewhere.path().join("data"));
    let (code, _, err) = run_to_end(second.env("CLAVIGER_SERVER_LISTEN", taken));
    assert_eq!(code, Some(1));
    assert!(err.contains(&format!("cannot listen on {taken}: Address already in use")), "{err}");
    // The start created nothing: no installation, and no run of a schedule.
    let (_, said, err) = run_to_end(program().args(["verify", "--data"]).arg(elsewhere.path().join("data")));
    assert!(said.starts_with("0 records: "), "{said}{err}");
}

/// The file may be the only copy of the password.
#[test]
fn a_refused_start_does_not_change_the_first_password() {
    let mut service = Service::start(&[]);
    let file = service.data().join("first-admin-password");
    let password = fs::read_to_string(&file).expect("the password");
    service.signal(Signal::SIGTERM);
    assert!(service.stopped().success());
    for name in ["log", "head"] {
        fs::rename(service.data().join(name), service.home.path().join(format!("{name}.away"))).expect("moved away");
    }
    let config = service.home.path().join("claviger.toml");
    let (code, _, err) = run_to_end(program().args(["serve", "--config"]).arg(&config));
    assert!(code == Some(1) && err.contains("the event log is empty"), "{err}");
    assert_eq!(fs::read_to_string(&file).expect("the password"), password);
}
