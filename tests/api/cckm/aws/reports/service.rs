//! `claviger serve` with the lab cloud of another process: it can be killed while the cloud goes on.

use crate::support::appliance::{PASSWORD, program};
use crate::support::client::Client;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A service; killed when dropped.
pub(super) struct Service {
    process: Child,
    home: TempDir,
    pub admin: Client,
}

impl Service {
    /// Starts a service with a connection to a cloud and a KMS of its first account.
    pub(super) fn start(cloud: &str, region: &str) -> Self {
        let home = TempDir::new().expect("a directory");
        let settings = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[storage]\ndata_dir = {:?}\n[login]\n\
             require_first_password_change = false\n[passwords]\nmemory_kib = 1024\niterations = 1\n\
             [aws]\nendpoints = [{{ url = {cloud:?} }}]\n",
            home.path().join("data")
        );
        fs::write(home.path().join("claviger.toml"), settings).expect("written");
        let (process, admin) = launch(&home);
        let lab: toml::Table =
            fs::read_to_string("config/lab-cloud.toml").expect("the lab cloud").parse().expect("TOML");
        let user = &lab["accounts"][0]["users"][0];
        let text = |member: &str| user[member].as_str().expect("a text");
        let connection = json!({"name": "aws", "access_key_id": text("access_key_id"),
            "secret_access_key": text("secret_access_key")});
        admin.post("/v1/connectionmgmt/services/aws/connections", connection).expect(201);
        let kms = json!({"name": "fixture", "regions": [region], "account_id": "123456789012", "connection": "aws"});
        admin.post("/v1/cckm/aws/kms", kms).expect(201);
        Self { process, home, admin }
    }

    pub(super) fn kill(&mut self) {
        self.process.kill().expect("a process to kill");
        self.process.wait().expect("its end");
    }

    pub(super) fn restart(&mut self) {
        (self.process, self.admin) = launch(&self.home);
    }

    pub(super) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn launch(home: &TempDir) -> (Child, Client) {
    let log = home.path().join("log");
    let process = program()
        .args(["serve", "--config"])
        .arg(home.path().join("claviger.toml"))
        .env("CLAVIGER_ADMIN_PASSWORD", PASSWORD)
        .stdout(Stdio::null())
        .stderr(File::create(&log).expect("a log"))
        .spawn()
        .expect("the program starts");
    let deadline = Instant::now() + Duration::from_secs(30);
    let address = loop {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let ready = lines.filter(|line| line.to_string().contains("\"ready\"")).find_map(|line| find(&line, "address"));
        match ready {
            Some(address) => break address,
            None => assert!(Instant::now() < deadline, "it did not start:\n{text}"),
        }
        thread::sleep(Duration::from_millis(10));
    };
    let pem = fs::read(home.path().join("data/tls.crt")).expect("the certificate");
    let admin = Client::nobody(&format!("https://{address}"), &pem).sign_in("admin", PASSWORD);
    (process, admin)
}

/// The text of a member, at any depth.
fn find(line: &Value, member: &str) -> Option<String> {
    match line {
        Value::Object(members) => {
            let own = members.get(member).and_then(Value::as_str).map(str::to_owned);
            own.or_else(|| members.values().find_map(|value| find(value, member)))
        }
        _ => None,
    }
}
