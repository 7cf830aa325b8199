//! Power cuts while a backup is restored: there is no data directory afterwards, or a whole one, and it is there once
//! `claviger restore` has said so.

use crate::support::appliance::{Appliance, program, run_to_end};
use crate::support::every_get::furnish;
use crate::torture::disk::{Disk, Left};
use crate::torture::interposer::Interposer;
use crate::torture::{Random, rounds};
use age::secrecy::ExposeSecret;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A backup, and the key that opens it.
struct Backup {
    directory: TempDir,
    verified: String,
}

impl Backup {
    fn make() -> Self {
        let mut appliance = Appliance::start();
        furnish(&appliance);
        let directory = TempDir::new().expect("a directory");
        let identity = age::x25519::Identity::generate();
        fs::write(directory.path().join("identity"), identity.to_string().expose_secret()).expect("written");
        let mut command = program();
        command.args(["backup", "--data"]).arg(appliance.data()).arg("--to").arg(directory.path().join("all.age"));
        run(command.args(["--include-master-key", "--recipient"]).arg(identity.to_public().to_string()));
        appliance.terminate();
        let verified = verified(&appliance.data());
        Self { directory, verified }
    }

    fn restore(&self, into: &Path) -> Command {
        let mut command = program();
        command.args(["restore", "--from"]).arg(self.directory.path().join("all.age")).arg("--into").arg(into);
        command.arg("--identity").arg(self.directory.path().join("identity"));
        command.stdout(Stdio::null());
        command
    }
}

fn run(command: &mut Command) -> String {
    let (code, said, problem) = run_to_end(command);
    assert_eq!(code, Some(0), "{said}{problem}");
    said
}

/// What `verify` says of a data directory: the number of records, their times, and the hash of the last one.
fn verified(data: &Path) -> String {
    run(program().args(["verify", "--data"]).arg(data))
}

#[test]
#[ignore = "a campaign: scripts/torture runs it"]
fn a_power_cut_during_a_restore_leaves_a_whole_directory_or_none() {
    let mut random = Random::of("restore");
    let rounds = rounds(10, 100);
    let backup = Backup::make();
    let interposer = Interposer::build();
    let (mut interrupted, mut whole, mut takes) = (0, 0, None);
    for round in 0..rounds {
        let home = TempDir::new().expect("a directory");
        let (root, image) = (home.path().join("disk"), home.path().join("image"));
        fs::create_dir(&root).expect("a directory");
        interposer.forget();
        let mut disk = Disk::of(&root);
        let began = Instant::now();
        let mut command = backup.restore(&root.join("data"));
        let mut running = command.envs(interposer.environment(&root, true)).spawn().expect("the program starts");
        // Every fifth restore ends before the cut.
        let limit: Option<Duration> = takes.filter(|_| round % 5 > 0);
        let is_finished = match limit {
            Some(takes) => {
                sleep(takes * u32::try_from(random.below(100)).expect("small") / 100);
                running.kill().expect("a process to kill");
                running.wait().expect("its end").success()
            }
            None => running.wait().expect("its end").success(),
        };
        takes.get_or_insert(began.elapsed());
        disk.replay(interposer.entries());
        disk.write(Left::Anything, &mut random, &image);
        let data: PathBuf = image.join("data");
        interrupted += usize::from(!is_finished);
        assert!(data.exists() || !is_finished, "round {round}: a restore that succeeded is lost");
        if data.exists() {
            whole += 1;
            assert_eq!(verified(&data), backup.verified, "round {round}");
        }
    }
    println!("restore: {rounds} cuts, {interrupted} in the middle, {whole} whole directories");
    assert!(interrupted > 0 && whole > 0, "hardly anything was tried");
}
