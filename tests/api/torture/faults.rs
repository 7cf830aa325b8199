//! Disks that fail: writes and syncs with errors, once or from some moment on, a full disk, a disk that nobody may
//! write to. What cannot be made durable is refused, reads go on, and after a restart nothing acknowledged is missing.

use crate::support::appliance::{Appliance, lab, program, run_to_end};
use crate::support::client::{Answer, Client};
use crate::support::small_disk::SmallDisk;
use crate::torture::disk::Left;
use crate::torture::interposer::Fault;
use crate::torture::machine::Machine;
use crate::torture::writers::Writers;
use crate::torture::{Random, rounds};
use nix::errno::Errno;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The faults of a disk. The number of the call that fails is added.
const FAULTS: [Fault; 6] = [
    Fault { writes: 1, syncs: 0, error: Errno::EIO, forever: false },
    Fault { writes: 0, syncs: 1, error: Errno::EIO, forever: false },
    Fault { writes: 1, syncs: 0, error: Errno::EIO, forever: true },
    Fault { writes: 0, syncs: 1, error: Errno::EIO, forever: true },
    Fault { writes: 1, syncs: 0, error: Errno::ENOSPC, forever: true },
    Fault { writes: 1, syncs: 0, error: Errno::EROFS, forever: true },
];

/// What was counted over all rounds.
#[derive(Default)]
struct Counts {
    calls: u64,
    refused: usize,
    stopped: usize,
    starts_refused: usize,
}

#[test]
#[ignore = "a campaign: scripts/torture runs it"]
fn acknowledged_changes_survive_failing_disks() {
    let mut random = Random::of("faults");
    let rounds = rounds(18, 300);
    let home = TempDir::new().expect("a directory");
    let mut machine = Machine::new(home.path(), Random::of("cuts after faults"));
    let mut disk = machine.on();
    let mut appliance = machine.start(home);
    let (mut writers, mut counts) = (Writers::new(), Counts::default());
    for round in 0..rounds {
        let fault = FAULTS[round % FAULTS.len()];
        let nth = 1 + i32::try_from(random.below(60)).expect("a small number");
        let fault = Fault { writes: fault.writes * nth, syncs: fault.syncs * nth, ..fault };
        let admin = appliance.admin();
        let (interposer, moment) = (&machine.interposer, Duration::from_millis(random.below(200)));
        let refused = writers.write(&mut appliance, |_, stop| {
            sleep(moment);
            interposer.fail(Some(fault));
            wait_for_a_failure(|| interposer.failed_calls() > 0);
            sleep(Duration::from_millis(100));
            stop.store(true, Ordering::Relaxed);
        });
        counts.calls += machine.interposer.failed_calls();
        counts.refused += refused.len();
        refused.into_iter().for_each(|answer| assert_refused(answer, fault));
        counts.stopped += usize::from(assert_reads_go_on(&appliance, &admin, &mut writers, fault));

        let is_cut = random.below(2) == 0;
        if is_cut {
            appliance.kill();
        } else {
            // sled panics when it is closed on a disk that still fails; to write where takes a debug build a while.
            appliance.terminate_within(Duration::from_secs(60));
        }
        if fault.forever {
            counts.starts_refused += usize::from(start_with_fault(&machine, &appliance));
        }
        machine.interposer.fail(None);
        if is_cut {
            machine.cut(disk, Left::Anything);
        }
        machine.assert_whole();
        disk = machine.on();
        appliance.restart();
        writers.check(&appliance);
    }
    let Counts { calls, refused, stopped, starts_refused } = counts;
    println!(
        "faults: {rounds} faults, {calls} failed calls, {refused} refused changes, {} acknowledged; the log stopped {stopped} \
         times, {starts_refused} starts were refused, {} power cuts after a fault",
        writers.acknowledged, machine.cuts
    );
    assert!(writers.acknowledged > rounds && refused > rounds / 2, "hardly anything was tried");
}

fn wait_for_a_failure(mut has_failed: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(5);
    while !has_failed() && Instant::now() < end {
        sleep(Duration::from_millis(5));
    }
}

fn assert_refused(answer: Answer, fault: Fault) {
    assert_eq!(answer.status, 503, "{fault:?}: {}", answer.text);
    let message = answer.refused(503, "NCERRUnavailable");
    assert!(message.len() > 20, "{fault:?}: no reason: {message}");
}

/// Asserts that reads are answered as before, and that `/readyz` says whether changes are accepted. Returns whether
/// they are not.
fn assert_reads_go_on(appliance: &Appliance, admin: &Client, writers: &mut Writers, fault: Fault) -> bool {
    let nobody = appliance.nobody();
    assert_eq!(nobody.get("/healthz").status, 200);
    let has_stopped = admin.get("/metrics").text.contains("claviger_ledger_accepting 0");
    let ready = nobody.get("/readyz");
    assert_eq!(ready.status, if has_stopped { 503 } else { 200 }, "{fault:?}: {}", ready.text);
    writers.check_lists(admin);
    has_stopped
}

/// Starts the program on a disk that still fails. It ends with a message, or runs; returns whether it ended.
fn start_with_fault(machine: &Machine, appliance: &Appliance) -> bool {
    let mut starting = lab(&appliance.data());
    let starting = starting.envs(machine.environment()).stdout(std::process::Stdio::null());
    let mut starting = starting.stderr(std::process::Stdio::piped()).spawn().expect("the program starts");
    let end = Instant::now() + Duration::from_secs(2);
    while starting.try_wait().expect("its status").is_none() && Instant::now() < end {
        sleep(Duration::from_millis(20));
    }
    let has_ended = starting.try_wait().expect("its status").is_some();
    let _ = starting.kill();
    let output = starting.wait_with_output().expect("its errors");
    let said = String::from_utf8_lossy(&output.stderr);
    if has_ended {
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        assert!(said.lines().last().is_some_and(|line| line.starts_with("claviger: ")), "{said}");
    }
    has_ended
}

#[test]
#[ignore = "a campaign: scripts/torture runs it"]
fn acknowledged_changes_survive_a_full_disk_and_one_that_nobody_may_write_to() {
    let home = TempDir::new().expect("a directory");
    let Some(disk) = SmallDisk::mount(&home.path().join("data"), "3m") else { return };
    let mut appliance = Appliance::start_in(home, &[("CLAVIGER_LIMITS_GROUPS", "100000")]);
    let mut writers = Writers::new();
    let (rounds, mut refusals) = (rounds(2, 20), 0);
    for round in 1..=rounds {
        let admin = appliance.admin();
        let refused = writers.write(&mut appliance, |_, stop| wait_until_full(&admin, stop));
        assert!(!refused.is_empty(), "round {round}: the disk is never full");
        refusals += refused.len();
        let fault = Fault { writes: 0, syncs: 0, error: Errno::ENOSPC, forever: true };
        refused.into_iter().for_each(|answer| assert_refused(answer, fault));
        assert!(assert_reads_go_on(&appliance, &admin, &mut writers, fault), "round {round}: it goes on");
        if round % 2 == 0 {
            appliance.kill();
        } else {
            appliance.terminate();
        }

        disk.resize(&format!("{}m", 3 + 2 * round));
        disk.allow_writes(false);
        let (code, said, problem) = run_to_end(&mut lab(&appliance.data()));
        assert!(code == Some(1) && !problem.contains("panicked"), "{said}{problem}");
        assert!(problem.contains("Read-only file system"), "it does not say why: {problem}");
        disk.allow_writes(true);
        let (code, said, problem) = run_to_end(program().args(["verify", "--data"]).arg(appliance.data()));
        assert_eq!(code, Some(0), "{said}{problem}");
        appliance.restart();
        writers.check(&appliance);
    }
    println!(
        "full and read-only disks: {rounds} times, {} acknowledged changes, {refusals} refused ones",
        writers.acknowledged
    );
    appliance.kill();
}

/// Waits until the log has stopped, or for a minute.
fn wait_until_full(admin: &Client, stop: &AtomicBool) {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end && !admin.get("/metrics").text.contains("claviger_ledger_accepting 0") {
        sleep(Duration::from_millis(50));
    }
    stop.store(true, Ordering::Relaxed);
}
