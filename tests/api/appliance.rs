//! The appliance under test: the real program with a lab cloud, a data directory of its own, and ports that are free.

use crate::client::Client;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The password of `admin`, and of everybody else.
pub const PASSWORD: &str = "Lab-secret-4-tests";

/// A program that runs; it ends with this value.
pub struct Appliance {
    process: Child,
    home: TempDir,
    environment: Vec<(String, String)>,
    /// `https://127.0.0.1:PORT`
    pub api: String,
    /// `http://127.0.0.1:PORT`
    pub cloud: String,
}

impl Appliance {
    /// On an empty data directory.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// On an empty data directory, with variables of the environment.
    pub fn start_with(environment: &[(&str, &str)]) -> Self {
        let home = TempDir::new().expect("a directory");
        let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let (process, api, cloud) = launch(home.path(), &environment);
        Self { process, home, environment, api, cloud }
    }

    /// Again, on the same data directory; it must have ended.
    pub fn restart(&mut self) {
        (self.process, self.api, self.cloud) = launch(self.home.path(), &self.environment);
    }

    /// SIGKILL: as if the power had gone.
    pub fn kill(&mut self) {
        self.process.kill().expect("a process to kill");
        self.process.wait().expect("its end");
    }

    /// SIGTERM, and how it ended; within the ten seconds that a stop may take, and a little.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        let deadline = Instant::now() + Duration::from_secs(12);
        while Instant::now() < deadline {
            if let Some(status) = self.process.try_wait().expect("its status") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it did not stop within 12 s of SIGTERM; its log:\n{}", self.log());
    }

    /// Any signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("a process to signal");
    }

    /// The process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.process.id()).expect("a pid"))
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// Nobody in particular.
    pub fn nobody(&self) -> Client {
        let pem = std::fs::read(self.data().join("tls.crt")).expect("the certificate");
        Client::nobody(&self.api, &pem)
    }

    /// The administrator.
    pub fn admin(&self) -> Client {
        self.nobody().sign_in("admin", PASSWORD)
    }

    /// A user of this name, who is made if need be, in no group.
    pub fn user(&self, name: &str) -> Client {
        let answer = self.admin().post("/v1/usermgmt/users", json!({"username": name, "password": PASSWORD}));
        assert!([201, 409].contains(&answer.status), "{}", answer.text);
        self.nobody().sign_in(name, PASSWORD)
    }

    /// A user in these groups.
    pub fn member(&self, name: &str, groups: &[&str]) -> Client {
        let user = self.user(name);
        let id = user_id(&user);
        for group in groups {
            let path = format!("/v1/usermgmt/groups/{}/users/{id}", group.replace(' ', "%20"));
            self.admin().post(&path, json!({})).expect(200);
        }
        user
    }

    /// Adds a KMS of the lab's first account by the ready-made connection, and gives its id.
    pub fn kms(&self, name: &str, regions: &[&str]) -> String {
        let body = json!({
            "name": name, "regions": regions, "account_id": "123456789012", "connection": "test_aws-connection",
        });
        id(&self.admin().post("/v1/cckm/aws/kms", body).expect(201))
    }

    /// Runs the program with other arguments, and gives its exit code, standard output and standard error.
    pub fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = program().args(arguments).output().expect("the program");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("the log of the appliance:\n{}", self.log());
        }
    }
}

/// The `id` of a resource.
pub fn id(resource: &Value) -> String {
    resource["id"].as_str().expect("an id").to_owned()
}

/// The `user_id` of a signed-in user, as `local|<uuid>` escaped for a path.
pub fn user_id(user: &Client) -> String {
    subject(user).replace('|', "%7C")
}

/// The `user_id` of a signed-in user.
pub fn subject(user: &Client) -> String {
    user.get("/v1/auth/self/user").expect(200)["user_id"].as_str().expect("a user id").to_owned()
}

/// The program, with no settings but those that a test gives.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CLAVIGER_")) {
        command.env_remove(name);
    }
    command
}

fn launch(home: &Path, environment: &Vec<(String, String)>) -> (Child, String, String) {
    let log = File::options().create(true).append(true).open(home.join("log")).expect("a log");
    let mut process = program()
        .args(["lab", "--listen", "127.0.0.1:0", "--cloud-listen", "127.0.0.1:0", "--data"])
        .arg(home.join("data"))
        .env("CLAVIGER_ADMIN_PASSWORD", PASSWORD)
        // Cheap hashes: tests sign in often.
        .env("CLAVIGER_PASSWORDS_MEMORY_KIB", "1024")
        .env("CLAVIGER_PASSWORDS_ITERATIONS", "1")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the program starts");
    let (mut api, mut cloud) = (None, None);
    let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    while api.is_none() || cloud.is_none() {
        let Some(Ok(line)) = lines.next() else {
            let log = std::fs::read_to_string(home.join("log")).unwrap_or_default();
            panic!("the appliance did not start; its log:\n{log}");
        };
        let word = |line: &str| line.split_whitespace().last().map(str::to_owned);
        match line.trim() {
            line if line.starts_with("API ") => api = word(line.trim_end_matches("/api/v1")),
            line if line.starts_with("lab cloud ") => cloud = word(line),
            _ => {}
        }
    }
    // The rest is read too: a full pipe would stop the program.
    std::thread::spawn(move || lines.for_each(drop));
    (process, api.unwrap_or_default(), cloud.unwrap_or_default())
}
