//! The system calls of the running appliance, traced with strace, which can also delay them or make them fail.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::NamedTempFile;

/// The calls that make data durable, and those that send answers.
pub(crate) const DISK_AND_ANSWERS: [&str; 2] =
    ["-e", "trace=fdatasync,fsync,sync_file_range,sendto,sendmsg,write,writev,pwrite64"];

/// An attached strace; detached by [`Strace::end`], or when dropped.
pub(crate) struct Strace {
    strace: Child,
    output: NamedTempFile,
}

/// The traced calls, in order.
pub(crate) struct Trace {
    pub calls: Vec<SystemCall>,
}

/// A system call that has returned.
#[derive(Debug)]
pub(crate) struct SystemCall {
    /// The time of the return, in seconds since 1970; the time of the call if it was not interrupted.
    at: f64,
    name: String,
    /// The file or socket of the first argument.
    file: String,
    succeeded: bool,
}

impl Strace {
    /// Attaches to a process with all its threads; `None`, with a message that says why, where the container does not
    /// permit it.
    pub(crate) fn attach(pid: Pid, options: &[&str]) -> Option<Self> {
        let output = NamedTempFile::new().expect("a file");
        let mut command = Command::new("strace");
        command.args(["-f", "-yy", "-ttt", "-s", "0"]).args(options);
        command.args(["-p", &pid.to_string(), "-o"]).arg(output.path());
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut strace = spawned.inspect_err(|error| eprintln!("skipped: there is no strace: {error}")).ok()?;
        let mut said = String::new();
        let mut stderr = BufReader::new(strace.stderr.take().expect("its errors"));
        while !said.contains("attached") {
            if stderr.read_line(&mut said).expect("its errors") == 0 {
                eprintln!("skipped: strace cannot attach: {said}");
                strace.wait().expect("its end");
                return None;
            }
        }
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Some(Self { strace, output })
    }

    /// The current time on the clock of the trace.
    pub(crate) fn now() -> f64 {
        SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64()
    }

    pub(crate) fn end(mut self) -> Trace {
        self.detach();
        let text = std::fs::read_to_string(self.output.path()).expect("its output");
        Trace { calls: calls(&text) }
    }

    fn detach(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.strace.id()).expect("a pid"));
        if self.strace.try_wait().expect("its status").is_none() {
            kill(pid, Signal::SIGINT).expect("a process to signal");
            self.strace.wait().expect("its end");
        }
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        self.detach();
    }
}

impl Trace {
    /// The calls that returned between these times.
    pub(crate) fn between(&self, from: f64, to: f64) -> impl Iterator<Item = &SystemCall> {
        self.calls.iter().filter(move |call| (from..=to).contains(&call.at))
    }
}

impl SystemCall {
    /// Whether the call is the sync that makes records durable.
    pub(crate) fn syncs_the_log(&self) -> bool {
        self.name == "fdatasync" && self.file.ends_with("/log/db") && self.succeeded
    }

    /// Whether the call drops the log's file from the page cache.
    pub(crate) fn evicts_the_log_from_cache(&self) -> bool {
        self.name == "fadvise64" && self.file.ends_with("/log/db") && self.succeeded
    }

    /// Whether the call sends data over the network.
    pub(crate) fn sends(&self) -> bool {
        ["sendto", "sendmsg", "write", "writev"].contains(&self.name.as_str()) && self.file.starts_with("TCP")
    }
}

/// Lines have the format `PID TIME name(3<file>, …) = 0`. A line that others interrupt is split in two:
/// `… <unfinished ...>` and `PID TIME <... name resumed>…) = 0`.
fn calls(text: &str) -> Vec<SystemCall> {
    let mut open = HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let mut words = line.splitn(2, ' ').flat_map(|rest| rest.trim_start().splitn(2, ' '));
        let (Some(pid), Some(at), Some(call)) = (words.next(), words.next(), words.next()) else { continue };
        let at: f64 = at.parse().expect("a time");
        let result = call.rsplit_once(" = ").map(|(_, result)| result);
        let succeeded = result.is_some_and(|result| !result.starts_with('-'));
        if let Some((begun, _)) = call.split_once(" <unfinished") {
            open.insert(pid.to_owned(), parts(begun));
        } else if call.starts_with("<... ") {
            let Some((name, file)) = open.remove(pid) else { continue };
            calls.push(SystemCall { at, name, file, succeeded });
        } else if result.is_some() {
            let (name, file) = parts(call);
            calls.push(SystemCall { at, name, file, succeeded });
        }
    }
    calls
}

/// The name, and the file or socket of the first argument.
fn parts(call: &str) -> (String, String) {
    let (name, arguments) = call.split_once('(').unwrap_or((call, ""));
    let file = arguments.split_once('<').map_or("", |(_, rest)| rest);
    let end = file.rfind(">,").or_else(|| file.rfind('>')).unwrap_or(file.len());
    (name.to_owned(), file[..end].to_owned())
}

#[test]
fn the_reader_of_traces_knows_both_forms() {
    let text = "12 1700000000.000001 sendto(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, \"\"..., 5, 0, NULL, 0) = 5\n\
                13   1700000000.000002 fdatasync(7</data/log/db> <unfinished ...>\n\
                12 1700000000.000003 fdatasync(8</data/head>) = -1 EIO (Input/output error) (INJECTED)\n\
                13   1700000000.000004 <... fdatasync resumed>) = 0\n";
    let calls = calls(text);
    assert_eq!(calls.len(), 3);
    assert!(calls[0].sends() && !calls[0].syncs_the_log());
    assert!(!calls[1].succeeded && calls[1].file == "/data/head");
    assert!(calls[2].syncs_the_log() && (calls[2].at - 1700000000.000004).abs() < 1e-6);
}
