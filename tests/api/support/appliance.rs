//! The appliance under test: the real program with a lab cloud, its own data directory, and free ports.

use crate::support::client::Client;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The password of `admin` and of all other users.
pub(crate) const PASSWORD: &str = "LabClient-secret-4-tests";

/// The plan of the lab cloud, if the directory has one.
const PLAN: &str = "cloud.toml";

/// A running program; killed when dropped.
pub(crate) struct Appliance {
    process: Child,
    home: TempDir,
    environment: Vec<(String, String)>,
    /// The base URL of the API, `https://127.0.0.1:PORT`.
    pub api: String,
    /// The base URL of the lab cloud, `http://127.0.0.1:PORT`.
    pub cloud: String,
    /// The base URL of the XKS proxy, `https://127.0.0.1:PORT`.
    pub xks: String,
    /// The output of the program at its start.
    pub startup_message: String,
}

impl Appliance {
    /// Starts the program on an empty data directory.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts the program on an empty data directory, with these environment variables.
    pub(crate) fn start_with(environment: &[(&str, &str)]) -> Self {
        Self::start_in(TempDir::new().expect("a directory"), environment)
    }

    /// Starts the program on an empty data directory, with this plan of the lab cloud.
    pub(crate) fn start_with_plan(plan: &str) -> Self {
        let home = TempDir::new().expect("a directory");
        std::fs::write(home.path().join(PLAN), plan).expect("a plan");
        Self::start_in(home, &[])
    }

    /// Starts the program on an existing data directory.
    pub(crate) fn start_in(home: TempDir, environment: &[(&str, &str)]) -> Self {
        Self::try_start_in(home, environment)
            .unwrap_or_else(|log| panic!("the appliance did not start; its log:\n{log}"))
    }

    /// Like [`Appliance::start_in`], for a program that may not start; its log then.
    pub(crate) fn try_start_in(home: TempDir, environment: &[(&str, &str)]) -> Result<Self, String> {
        let environment = owned(environment);
        let (process, startup_message) = launch(home.path(), &environment)?;
        let [api, cloud, xks] = addresses(&startup_message);
        Ok(Self { process, home, environment, api, cloud, xks, startup_message })
    }

    /// Starts the program again on the same data directory, after it has ended.
    pub(crate) fn restart(&mut self) {
        let started = launch(self.home.path(), &self.environment);
        (self.process, self.startup_message) =
            started.unwrap_or_else(|log| panic!("the appliance did not start; its log:\n{log}"));
        [self.api, self.cloud, self.xks] = addresses(&self.startup_message);
    }

    /// Starts the program again on the same data directory, with other environment variables.
    pub(crate) fn restart_with(&mut self, environment: &[(&str, &str)]) {
        self.environment = owned(environment);
        self.restart();
    }

    /// Sends SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("a process to kill");
        self.process.wait().expect("its end");
    }

    /// Sends SIGTERM; returns the exit status, which must come soon after the ten seconds of a shutdown at the latest.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.terminate_within(Duration::from_secs(12))
    }

    /// Sends SIGTERM; returns the exit status, which must come within this time.
    pub(crate) fn terminate_within(&mut self, limit: Duration) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if let Some(status) = self.process.try_wait().expect("its status") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it did not stop within {} s of SIGTERM; its log:\n{}", limit.as_secs(), self.log());
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("a process to signal");
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.process.id()).expect("a pid"))
    }

    /// The resident memory of the program, in MiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
        line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn nobody(&self) -> Client {
        let pem = std::fs::read(self.data().join("tls.crt")).expect("the certificate");
        Client::nobody(&self.api, &pem)
    }

    /// A client without a token that connects from this address.
    pub(crate) fn nobody_from(&self, address: IpAddr) -> Client {
        let pem = std::fs::read(self.data().join("tls.crt")).expect("the certificate");
        Client::nobody_from(&self.api, &pem, Some(address))
    }

    pub(crate) fn admin(&self) -> Client {
        self.nobody().sign_in("admin", PASSWORD)
    }

    /// A signed-in user with this name and without groups, created if necessary.
    pub(crate) fn user(&self, name: &str) -> Client {
        let answer = self.admin().post("/v1/usermgmt/users", json!({"username": name, "password": PASSWORD}));
        assert!([201, 409].contains(&answer.status), "{}", answer.text);
        self.nobody().sign_in(name, PASSWORD)
    }

    /// A signed-in user in these groups.
    pub(crate) fn member(&self, name: &str, groups: &[&str]) -> Client {
        let user = self.user(name);
        let id = user_id(&user);
        for group in groups {
            let path = format!("/v1/usermgmt/groups/{}/users/{id}", group.replace(' ', "%20"));
            self.admin().post(&path, json!({})).expect(200);
        }
        user
    }

    /// Adds a KMS of the lab's first account with the predefined connection; returns its id.
    pub(crate) fn kms(&self, name: &str, regions: &[&str]) -> String {
        let body = json!({
            "name": name, "regions": regions, "account_id": "123456789012", "connection": "test_aws-connection",
        });
        id(&self.admin().post("/v1/cckm/aws/kms", body).expect(201))
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            eprintln!("the end of the appliance's log:\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
    }
}

/// The `id` of a resource.
pub(crate) fn id(resource: &Value) -> String {
    resource["id"].as_str().expect("an id").to_owned()
}

/// The `user_id` of a signed-in user, as `local|<uuid>` escaped for a path.
pub(crate) fn user_id(user: &Client) -> String {
    subject(user).replace('|', "%7C")
}

/// The `user_id` of a signed-in user.
pub(crate) fn subject(user: &Client) -> String {
    user.get("/v1/auth/self/user").expect(200)["user_id"].as_str().expect("a user id").to_owned()
}

/// The program, with no settings except those of the test.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CLAVIGER_")) {
        command.env_remove(name);
    }
    command
}

/// The lab on this data directory, on free ports.
pub(crate) fn lab(data: &Path) -> Command {
    let mut command = program();
    command
        .args([
            "lab",
            "--listen",
            "127.0.0.1:0",
            "--cloud-listen",
            "127.0.0.1:0",
            "--xks-listen",
            "127.0.0.1:0",
            "--data",
        ])
        .arg(data);
    command.env("CLAVIGER_ADMIN_PASSWORD", PASSWORD);
    command
}

/// Runs a command that ends by itself; returns its exit code, standard output and standard error.
pub(crate) fn run_to_end(command: &mut Command) -> (Option<i32>, String, String) {
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let pid = Pid::from_raw(i32::try_from(process.id()).expect("a pid"));
    let (out, err) = (process.stdout.take().expect("a pipe"), process.stderr.take().expect("a pipe"));
    let out = std::thread::spawn(move || std::io::read_to_string(out).expect("UTF-8"));
    let err = std::thread::spawn(move || std::io::read_to_string(err).expect("UTF-8"));
    let deadline = Instant::now() + Duration::from_secs(30);
    while process.try_wait().expect("its status").is_none() {
        if Instant::now() > deadline {
            kill(pid, Signal::SIGKILL).expect("a process to kill");
            panic!("{command:?} goes on and on; it says:\n{}", err.join().expect("its errors"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let code = process.wait().expect("its end").code();
    (code, out.join().expect("its output"), err.join().expect("its errors"))
}

fn owned(environment: &[(&str, &str)]) -> Vec<(String, String)> {
    environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// Starts the lab in this directory, and waits for its output; its log if it ends instead.
fn launch(home: &Path, environment: &[(String, String)]) -> Result<(Child, String), String> {
    let log = File::options().create(true).append(true).open(home.join("log")).expect("a log");
    let mut command = lab(&home.join("data"));
    if home.join(PLAN).exists() {
        command.arg("--cloud").arg(home.join(PLAN));
    }
    let mut process = command
        // This setting adds the number of the last event to the metrics.
        .env("CLAVIGER_METRICS_REQUIRE_TOKEN", "true")
        // The lab cloud shows changes without delay.
        .env("CLAVIGER_AWS_CONSISTENCY_WAIT_SECONDS", "0")
        // The hashes are cheap, since tests sign in often.
        .env("CLAVIGER_PASSWORDS_MEMORY_KIB", "1024")
        .env("CLAVIGER_PASSWORDS_ITERATIONS", "1")
        // One user makes all changes of a test.
        .env("CLAVIGER_SERVER_CHANGES_PER_SECOND", "0")
        .envs(environment.iter().cloned())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    let mut startup_message = String::new();
    while !startup_message.contains("lab cloud ") {
        let Some(Ok(line)) = lines.next() else {
            process.wait().expect("its end");
            return Err(std::fs::read_to_string(home.join("log")).unwrap_or_default());
        };
        startup_message.push_str(&line);
        startup_message.push('\n');
    }
    // The rest of the output is read too: a full pipe would block the program.
    std::thread::spawn(move || lines.for_each(drop));
    Ok((process, startup_message))
}

/// The addresses of the API, of the lab cloud, and of the XKS proxy.
fn addresses(startup_message: &str) -> [String; 3] {
    let of = |begin: &str| startup_value(startup_message, begin);
    let mut after_xks = startup_message.split_whitespace().skip_while(|word| *word != "XKS");
    let xks = after_xks.find(|word| word.starts_with("https://")).unwrap_or_default().trim_end_matches(',');
    [of("API ").trim_end_matches("/api/v1").to_owned(), of("lab cloud "), xks.to_owned()]
}

/// The last word of the line of the startup message that begins with this text.
pub(crate) fn startup_value(startup_message: &str, begin: &str) -> String {
    let line = startup_message.lines().find(|line| line.trim().starts_with(begin)).expect("such a line");
    line.split_whitespace().last().unwrap_or_default().to_owned()
}
