//! Power cuts at random moments, also in the middle of a first start and of a later one. After each, the program starts
//! on what a disk may have kept of it.

use crate::torture::disk::{Left, Losses};
use crate::torture::machine::Machine;
use crate::torture::writers::Writers;
use crate::torture::{Random, rounds};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

#[test]
#[ignore = "a campaign: scripts/torture runs it"]
fn acknowledged_changes_survive_power_cuts() {
    let random = Random::of("power");
    let cuts = rounds(20, 200);
    let home = TempDir::new().expect("a directory");
    let mut machine = Machine::new(home.path(), random);
    for _ in 0..cuts / 5 {
        fs::create_dir_all(machine.data()).expect("a directory");
        machine.cut_a_start();
    }
    let mut disk = machine.on();
    let mut appliance = machine.start(home);
    let mut writers = Writers::new();
    loop {
        let moment = Duration::from_millis(20 + machine.random.below(500));
        let refused = writers.write(&mut appliance, |appliance, _| {
            sleep(moment);
            appliance.kill();
        });
        assert!(refused.is_empty(), "{refused:?}");
        machine.cut(disk, Left::Anything);
        if machine.random.below(4) == 0 {
            machine.cut_a_start();
        }
        machine.assert_whole();
        disk = machine.on();
        appliance.restart();
        writers.check(&appliance);
        if machine.cuts >= cuts {
            break;
        }
    }
    let Writers { acknowledged, completed, absent, .. } = writers;
    let Losses { kept, lost, zeroed, names_lost } = machine.losses;
    println!(
        "power: {} cuts, {acknowledged} acknowledged changes, of those in progress {completed} complete and {absent} \
         absent; of the sectors that were not synced {kept} kept, {lost} lost, {zeroed} zeroed; {names_lost} changes of \
         names lost",
        machine.cuts
    );
    assert!(acknowledged > cuts && lost > 0, "hardly anything was tried");
}

/// The campaign finds a program that believes in what is not durable: here, the disk ignores the syncs of the log.
#[test]
#[ignore = "a campaign: scripts/torture runs it"]
fn a_disk_that_ignores_syncs_is_found_out() {
    let home = TempDir::new().expect("a directory");
    let mut machine = Machine::new(home.path(), Random::of("ignored syncs"));
    let mut appliance = machine.start(home);
    let mut writers = Writers::new();
    appliance.kill();
    let disk = machine.on().ignoring_syncs_of("/log/db");
    appliance.restart();
    writers.write(&mut appliance, |appliance, _| {
        sleep(Duration::from_millis(500));
        appliance.kill();
    });
    machine.cut(disk, Left::Nothing);
    let found = catch_unwind(AssertUnwindSafe(|| {
        appliance.restart();
        writers.check(&appliance);
    }));
    assert!(found.is_err(), "{} acknowledged changes are lost, and nothing says so", writers.acknowledged);
}

/// What is not in the journal would never be lost.
#[test]
#[ignore = "a campaign: scripts/torture runs it"]
fn the_journal_of_file_calls_is_complete() {
    let home = TempDir::new().expect("a directory");
    let mut machine = Machine::new(home.path(), Random::of("journal"));
    let mut disk = machine.on();
    let mut appliance = machine.start(home);
    Writers::new().write(&mut appliance, |_, stop| {
        sleep(Duration::from_millis(500));
        stop.store(true, Ordering::Relaxed);
    });
    assert!(appliance.terminate().success());
    disk.replay(machine.interposer.entries());
    let replayed = TempDir::new().expect("a directory");
    disk.write(Left::Everything, &mut machine.random, replayed.path());
    let (written, replayed) = (contents(&machine.data()), contents(replayed.path()));
    assert_eq!(written.len(), replayed.len(), "{:?} {:?}", names(&written), names(&replayed));
    for ((name, bytes), (replayed_name, replayed_bytes)) in written.iter().zip(&replayed) {
        assert_eq!(name, replayed_name);
        assert!(bytes == replayed_bytes, "{name} has {} bytes, replayed {}", bytes.len(), replayed_bytes.len());
    }
}

/// The files of a data directory with their contents, without those of the lab's AWS.
fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let entry = entry.expect("an entry");
        let (name, kind) = (entry.file_name().into_string().expect("UTF-8"), entry.file_type().expect("a kind"));
        if kind.is_dir() && name != "lab-cloud" {
            let inner = contents(&entry.path()).into_iter();
            found.extend(inner.map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else if kind.is_file() {
            found.push((name, fs::read(entry.path()).expect("a file")));
        }
    }
    found.sort();
    found
}

fn names(files: &[(String, Vec<u8>)]) -> Vec<&str> {
    files.iter().map(|(name, _)| name.as_str()).collect()
}
