//! The measured programs: the real one, and the bare handler that it is compared with. Both are separate processes, so
//! that their costs can be distinguished from the client's.

use crate::Outcome;
use crate::connection::{Connection, request};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The variable that makes this benchmark serve as the bare handler, with the certificate and the answer of a
/// directory.
pub(crate) const BARE: &str = "HTTP_BENCH_BARE";
/// The variables that make this benchmark serve as the XKS proxy or its bare handler, with the files of a directory.
pub(crate) const XKS: &str = "HTTP_BENCH_XKS";
pub(crate) const XKS_DIRECTORY: &str = "HTTP_BENCH_XKS_DIRECTORY";
const UNKNOWN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
pub(crate) const PASSWORD: &str = "Lab-secret-4-benches";

/// A running program, which is killed when this value is dropped.
pub(crate) struct Program {
    process: Child,
    pub data: PathBuf,
    pub address: SocketAddr,
    /// The address of its XKS proxy; unused by programs without one.
    xks: SocketAddr,
    /// The address of its lab cloud; unused by programs without one.
    pub cloud: SocketAddr,
}

impl Program {
    /// Starts the real program with a lab cloud, which is the one of the directory's `cloud.toml` if it exists.
    pub(crate) fn start(directory: &Path) -> Outcome<Self> {
        let (data, cloud) = (directory.join("data"), directory.join("cloud.toml"));
        let [xks, cloud_port] = free_ports()?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CLAVIGER_")) {
            command.env_remove(name);
        }
        command
            .args([
                "lab",
                "--listen",
                "127.0.0.1:0",
                "--cloud-listen",
                &cloud_port.to_string(),
                "--xks-listen",
                &xks.to_string(),
                "--data",
            ])
            .arg(&data);
        if cloud.exists() {
            command.arg("--cloud").arg(cloud);
        }
        let log = File::options().create(true).append(true).open(directory.join("log"))?;
        let mut program = Self::launch(
            command.env("CLAVIGER_ADMIN_PASSWORD", PASSWORD).env("CLAVIGER_SERVER_CHANGES_PER_SECOND", "0").stderr(log),
            data,
        )?;
        (program.xks, program.cloud) = (xks, cloud_port);
        Ok(program)
    }

    /// Starts the bare handler, with the certificate in the data directory of the real program.
    pub(crate) fn bare(directory: &Path) -> Outcome<Self> {
        Self::launch(Command::new(std::env::current_exe()?).env(BARE, directory), directory.join("data"))
    }

    /// Starts the XKS proxy alone, or its bare handler.
    pub(crate) fn xks(directory: &Path, role: &str) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        Self::launch(command.env(XKS, role).env(XKS_DIRECTORY, directory), directory.join("data"))
    }

    /// A program that is not one of ours.
    pub(crate) fn listening(process: Child, data: PathBuf, address: SocketAddr) -> Self {
        Self { process, data, address, xks: UNKNOWN, cloud: UNKNOWN }
    }

    fn launch(command: &mut Command, data: PathBuf) -> Outcome<Self> {
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut program = Self { process, data, address: UNKNOWN, xks: UNKNOWN, cloud: UNKNOWN };
        let mut lines = BufReader::new(output).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| address(&line));
        program.address = address.ok_or("the program did not start; its log is in target/bench-http")?;
        // The rest of the output is read too, because a full pipe would block the program.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(program)
    }

    pub(crate) async fn connect(&self) -> Outcome<Connection> {
        Connection::connect(self.address, &self.data).await
    }

    /// Connects to the XKS proxy, which has the certificate of the API.
    pub(crate) async fn connect_xks(&self) -> Outcome<Connection> {
        Connection::connect(self.xks, &self.data).await
    }

    /// Signs a user in and returns the token.
    pub(crate) async fn sign_in(&self, name: &str) -> Outcome<String> {
        let body = json!({"username": name, "password": PASSWORD}).to_string();
        let issued =
            self.connect().await?.send_expecting(&request("POST", "/api/v1/auth/tokens", "", &body), 200).await?;
        Ok(issued["jwt"].as_str().ok_or("no token")?.to_owned())
    }

    /// The processor time that the program has used so far.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        const TICKS_PER_SECOND: u64 = 100;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let after_name = stat.rsplit_once(')').ok_or("no stat")?.1;
        let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }

    /// Waits until the program is idle: after a start from a snapshot it checks the records before it.
    pub(crate) fn wait_until_idle(&self) -> Outcome<()> {
        loop {
            let before = self.cpu()?;
            std::thread::sleep(Duration::from_secs(1));
            if self.cpu()? - before < Duration::from_millis(20) {
                return Ok(());
            }
        }
    }

    /// The value of a line of its status, in MiB: `VmRSS` is the current memory, `VmHWM` the peak.
    pub(crate) fn memory(&self, member: &str) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let value =
            status.lines().find_map(|line| line.strip_prefix(member)?.strip_prefix(':')).ok_or("no such line")?;
        Ok(value.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    }

    /// Stops the program with SIGTERM, and waits until it ends.
    pub(crate) fn stop(mut self) -> Outcome<()> {
        kill(Pid::from_raw(self.process.id().try_into()?), Signal::SIGTERM)?;
        let status = self.process.wait()?;
        // The program prints its address before it handles signals; until then the signal kills it.
        let ended = status.success() || status.signal() == Some(Signal::SIGTERM as i32);
        if ended { Ok(()) } else { Err(format!("it ended with {status}").into()) }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The program may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Two addresses that nobody listens on.
fn free_ports() -> Outcome<[SocketAddr; 2]> {
    // Both are bound before either is free again, so that they differ.
    let listeners = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
    Ok([listeners.0.local_addr()?, listeners.1.local_addr()?])
}

fn address(line: &str) -> Option<SocketAddr> {
    line.trim().strip_prefix("API ")?.trim().strip_prefix("https://")?.strip_suffix("/api/v1")?.parse().ok()
}

/// Binds this thread, and the programs that it starts from now on, to one of the processors, or to all of them if
/// `None`. On a machine with one processor it has no effect.
pub(crate) fn keep_to(processor: Option<usize>) -> Outcome<()> {
    thread_local!(static ALL: nix::Result<CpuSet> = sched_getaffinity(Pid::from_raw(0)));
    let all = ALL.with(Clone::clone)?;
    let usable: Vec<usize> = (0..CpuSet::count()).filter(|n| all.is_set(*n).unwrap_or(false)).collect();
    let mut wanted = CpuSet::new();
    match processor.filter(|_| usable.len() > 1).and_then(|n| usable.get(n)) {
        Some(one) => wanted.set(*one)?,
        None => wanted = all,
    }
    Ok(sched_setaffinity(Pid::from_raw(0), &wanted)?)
}
