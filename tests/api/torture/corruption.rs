//! Changed bytes in every file of the data directory: each is reported by `verify` or at the start, or it does not
//! matter, so that `verify` prints the same and every GET is answered as before. The rows of reports are many, and are
//! checked when they are read: an answer with a changed row is an error.

use crate::support::appliance::{Appliance, PASSWORD, program, run_to_end};
use crate::support::client::Client;
use crate::support::every_get::{answers, furnish, unanswered};
use crate::torture::{Random, rounds};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tempfile::TempDir;

/// Files up to this length count as small: the long form changes each of their bytes.
const SMALL: u64 = 8_192;
/// The cases that are tried at the same time.
const THREADS: usize = 2;

/// What stands beside the log and the keyring. The program starts without what it cannot read of these files.
const SIDE_FILES: &[&str] = &["attempts/", "aws-calls/", "checkpoints.jsonl"];

/// What it says then.
const REPORTS: &[&str] = &[
    "a file of failed attempts is cut or damaged",
    "a checkpoint is damaged",
    "a checkpoint cannot be believed",
    "an unfinished checkpoint is removed",
];

/// A data directory after a clean shutdown, and what is seen of it.
struct Sound {
    home: TempDir,
    certificate: Vec<u8>,
    verified: String,
    answers: BTreeMap<String, Value>,
}

/// A byte of a file, and the bits that change in it.
#[derive(Debug)]
struct Case {
    file: String,
    at: u64,
    flip: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    ByVerify,
    AtStart,
    /// The program says in its log that the file is damaged when it starts, and goes on without what it cannot read.
    InLogAtStart,
    /// An answer is an error, or is cut off; no other one differs.
    WhenRead,
    Harmless,
    Unnoticed,
}

#[test]
#[ignore = "a campaign: scripts/torture runs it"]
fn changed_bytes_are_reported_or_harmless() {
    let mut random = Random::of("corruption");
    let sound = Sound::make();
    let cases = cases(&sound.home.path().join("data"), &mut random);
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (outcome, why) = sound.outcome(case);
                    let mut found = found.lock().expect("no thread has panicked");
                    found.push((case, outcome, why));
                    if found.len().is_multiple_of(1_000) {
                        println!("corruption: {} of {} bytes", found.len(), cases.len());
                    }
                }
            });
        }
    });
    let found = found.into_inner().expect("no thread has panicked");
    let mut files = BTreeMap::<&str, BTreeMap<Outcome, usize>>::new();
    let mut all = BTreeMap::new();
    for (case, outcome, _) in &found {
        *files.entry(kind_of(&case.file)).or_default().entry(*outcome).or_default() += 1;
        *all.entry(*outcome).or_insert(0) += 1;
    }
    files.iter().for_each(|(file, outcomes)| println!("corruption: {file}: {outcomes:?}"));
    println!("corruption: {} bytes of {} kinds of files: {all:?}", found.len(), files.len());
    let unnoticed: Vec<_> = found.iter().filter(|(_, outcome, _)| *outcome == Outcome::Unnoticed).collect();
    assert!(unnoticed.is_empty(), "{} bytes: {unnoticed:#?}", unnoticed.len());
    let when_read = found.iter().filter(|(_, outcome, _)| *outcome == Outcome::WhenRead);
    let others: Vec<_> = when_read.filter(|(case, ..)| !case.file.starts_with("reports/")).collect();
    assert!(others.is_empty(), "only the rows of reports are checked when they are read: {others:#?}");
    assert!(all.contains_key(&Outcome::ByVerify) && all.contains_key(&Outcome::AtStart), "no byte matters");
}

/// The name of a file without what differs from one of its kind to the next.
fn kind_of(file: &str) -> &str {
    if file.starts_with("reports/") {
        return "reports";
    }
    let end = file.find(|c: char| c.is_ascii_digit()).unwrap_or(file.len());
    let kind = &file[..end];
    match kind.split_once("keyring/") {
        Some((_, name)) => name.split_once('-').map_or(kind, |(owner, _)| &file[..8 + owner.len()]),
        None => kind,
    }
}

/// The bytes to change: in the short form some of each file, in the long form all of small files and many of others.
fn cases(data: &Path, random: &mut Random) -> Vec<Case> {
    let mut cases = Vec::new();
    for (file, length) in files(data) {
        let count = match file.as_str() {
            "log/db" => rounds(40, 2_000),
            _ if length <= SMALL => rounds(3, usize::try_from(length).expect("a length")),
            _ => rounds(6, 2_000),
        };
        for n in 0..count.min(usize::try_from(length).expect("a length")) as u64 {
            let at = if count as u64 == length { n } else { random.below(length) };
            let flip = 1 + u8::try_from(random.below(255)).expect("a byte");
            cases.push(Case { file: file.clone(), at, flip });
        }
    }
    cases
}

/// The files of a directory with their lengths, without those of the lab's AWS.
fn files(directory: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let entry = entry.expect("an entry");
        let (name, metadata) = (entry.file_name().into_string().expect("UTF-8"), entry.metadata().expect("its kind"));
        if metadata.is_dir() && name != "lab-cloud" {
            found.extend(files(&entry.path()).into_iter().map(|(inner, length)| (format!("{name}/{inner}"), length)));
        } else if metadata.is_file() && metadata.len() > 0 {
            found.push((name, metadata.len()));
        }
    }
    found.sort();
    found
}

impl Sound {
    fn make() -> Self {
        let mut appliance = Appliance::start();
        furnish(&appliance);
        let admin = appliance.admin();
        for n in 0..40 {
            let group = json!({"name": format!("group-{n}"), "description": "x".repeat(300)});
            admin.post("/v1/usermgmt/groups", group).expect(201);
        }
        assert!(appliance.terminate().success());
        let home = TempDir::new().expect("a directory");
        copy_all(&appliance.data(), &home.path().join("data"));
        let certificate = fs::read(home.path().join("data/tls.crt")).expect("the certificate");
        let mut sound = Self { home, certificate, verified: String::new(), answers: BTreeMap::new() };
        let (code, verified, problem) = run_to_end(program().args(["verify", "--data"]).arg(appliance.data()));
        assert_eq!(code, Some(0), "{problem}");
        sound.verified = verified;
        appliance.restart();
        sound.answers = answers(&appliance.admin());
        assert_eq!(unanswered(&appliance.admin()), Vec::<String>::new());
        sound
    }

    /// What becomes of a changed byte, and why it counts as unnoticed.
    fn outcome(&self, case: &Case) -> (Outcome, String) {
        let home = TempDir::new().expect("a directory");
        let data = home.path().join("data");
        copy_all(&self.home.path().join("data"), &data);
        let file = fs::File::options().read(true).write(true).open(data.join(&case.file)).expect("the file");
        let mut byte = [0];
        file.read_exact_at(&mut byte, case.at).expect("read");
        file.write_all_at(&[byte[0] ^ case.flip], case.at).expect("written");
        drop(file);

        let (code, verified, problem) = run_to_end(program().args(["verify", "--data"]).arg(&data));
        if code != Some(0) {
            return reported(Outcome::ByVerify, &problem);
        }
        let appliance = match Appliance::try_start_in(home, &[]) {
            Ok(appliance) => appliance,
            Err(log) => return reported(Outcome::AtStart, &log),
        };
        let asked = catch_unwind(AssertUnwindSafe(|| {
            let nobody = Client::nobody(&appliance.api, &self.certificate);
            answers(&nobody.sign_in("admin", PASSWORD))
        }));
        let Ok(asked) = asked else {
            return (Outcome::Unnoticed, "a client that knows the certificate cannot sign in".to_owned());
        };
        if verified != self.verified {
            return (Outcome::Unnoticed, format!("verify says {verified}"));
        }
        let different: Vec<_> = asked.iter().filter(|(path, answer)| self.answers.get(*path) != Some(answer)).collect();
        if different.is_empty() && asked.len() == self.answers.len() {
            return (Outcome::Harmless, String::new());
        }
        let log = fs::read_to_string(appliance.data().with_file_name("log")).expect("its log");
        if SIDE_FILES.iter().any(|file| case.file.starts_with(file)) && REPORTS.iter().any(|text| log.contains(text)) {
            return (Outcome::InLogAtStart, String::new());
        }
        let is_failure = |answer: &Value| answer[0].is_null() || answer[0].as_u64().is_some_and(|status| status >= 400);
        match different.iter().all(|(_, answer)| is_failure(answer)) {
            true => (Outcome::WhenRead, String::new()),
            false => (Outcome::Unnoticed, format!("other answers: {different:?}")),
        }
    }
}

/// A refusal to start or to verify: a message, and no panic.
fn reported(outcome: Outcome, said: &str) -> (Outcome, String) {
    let is_message = said.lines().last().is_some_and(|line| line.starts_with("claviger: "));
    match is_message && !said.contains("panicked") {
        true => (outcome, String::new()),
        false => (Outcome::Unnoticed, format!("it ends without a message: {said}")),
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let (target, kind) = (to.join(entry.file_name()), entry.file_type().expect("a kind"));
        if kind.is_dir() {
            copy_all(&entry.path(), &target);
        } else if kind.is_file() {
            fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}
