//! Benchmarks of the ledger, compared with this machine's disk in the same run: durable writes with 64 concurrent
//! writers, what the seal of the log costs them, replay, and the memory of an open log. `LEDGER_EVENTS` sets the number
//! of events of the log (default 1 000 000). `LEDGER_SINGLE_EVENTS` sets that of a second log, with one event per
//! commit (default 20 000). Replay is compared with its limit: checking and decoding the same bytes from memory, with
//! the same threads.

mod disk;
mod large_log;

use claviger::ledger::{Ledger, LedgerOptions, SealKey};
use large_log::{added, record, regions_replaced};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

type Outcome<T> = Result<T, Box<dyn Error>>;

const KMS_ENTRIES: u64 = 10_000;
const WRITERS: u64 = 64;
const MEASURED: Duration = Duration::from_secs(5);
/// The number of runs with and without the seal, in turn.
const SEAL_RUNS: usize = 7;

fn main() -> Outcome<()> {
    // Replay is measured in a new process, whose memory is that of an open log only.
    if let Ok(directory) = std::env::var("LEDGER_BENCH_OPEN") {
        return open(Path::new(&directory), std::env::var_os("LEDGER_BENCH_SNAPSHOT").is_some());
    }
    let events: u64 = std::env::var("LEDGER_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let root = std::env::current_dir()?.join("target/bench-ledger");
    let _ = std::fs::remove_dir_all(&root);
    std::fs::create_dir_all(&root)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;

    let disk = disk::sequential_syncs(&root, MEASURED)?;
    println!("{:<58}{disk:>12.0}", "sequential 4 KiB write + fdatasync, per second");
    let (writes, syncs) = runtime.block_on(concurrent_writes(&root.join("writes"), LedgerOptions::default()))?;
    println!("{:<58}{writes:>12.0}", format!("durable changes with {WRITERS} writers, per second"));
    println!("{:<58}{:>12.2}", "  ratio to the disk's rate", writes / disk);
    println!("{:<58}{:>12.1}", "  changes per sync", writes / syncs);
    let (unsealed, sealed) = (0..SEAL_RUNS).try_fold((Vec::new(), Vec::new()), |(mut unsealed, mut sealed), n| {
        let run = |name: &str, options| runtime.block_on(concurrent_writes(&root.join(format!("{name}-{n}")), options));
        unsealed.push(run("unsealed", LedgerOptions::default())?.0);
        sealed.push(run("sealed", with_seal())?.0);
        Ok::<_, Box<dyn Error>>((unsealed, sealed))
    })?;
    println!("{:<58}{:>12.0}", "  with the seal, median of seven runs", median(sealed.clone()));
    println!("{:<58}{:>12.2}", "  ratio to the runs without", median(sealed) / median(unsealed));

    let single = std::env::var("LEDGER_SINGLE_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000);
    for (events, at_once) in [(events, 100), (single, 1)] {
        let log = root.join(format!("replay-{at_once}"));
        let started = Instant::now();
        runtime.block_on(write(&log, events, at_once))?;
        println!(
            "{:<58}{:>12.0}",
            format!("events written in commits of {at_once}, per second"),
            events as f64 / started.elapsed().as_secs_f64()
        );
        println!("{:<58}{:>12.1}", "  bytes on disk per event", size(&log)? as f64 / events as f64);
        for _ in 0..2 {
            open_afresh(&log, false)?;
        }
        let started = Instant::now();
        runtime.block_on(Ledger::open(&log, with_snapshots())?.close());
        println!("{:<58}{:>12.2}", "seconds to open, write a snapshot and close", started.elapsed().as_secs_f64());
        for _ in 0..2 {
            open_afresh(&log, true)?;
        }
    }
    std::fs::remove_dir_all(&root)?;
    Ok(())
}

fn open_afresh(log: &Path, snapshot: bool) -> Outcome<()> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.env("LEDGER_BENCH_OPEN", log);
    if snapshot {
        command.env("LEDGER_BENCH_SNAPSHOT", "");
    }
    if command.status()?.success() { Ok(()) } else { Err("the log did not open".into()) }
}

fn with_snapshots() -> LedgerOptions {
    LedgerOptions { snapshot_key: Some(Arc::new(|| Some([7; 32]))), ..LedgerOptions::default() }
}

fn with_seal() -> LedgerOptions {
    let key = || SealKey::Key { key: Zeroizing::new([7; 32]), required: true, is_of_installation: true };
    LedgerOptions { seal: Some(Arc::new(key)), ..LedgerOptions::default() }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Returns changes and syncs per second.
async fn concurrent_writes(directory: &Path, options: LedgerOptions) -> Outcome<(f64, f64)> {
    let ledger = Ledger::open(directory, options)?;
    record(&ledger, (0..WRITERS).map(added).collect::<Outcome<_>>()?).await?;
    let mut heads = ledger.watch_head();
    let syncs = tokio::spawn(async move {
        let mut syncs = 0u64;
        while heads.changed().await.is_ok() {
            syncs += 1;
        }
        syncs
    });
    let (started, before) = (Instant::now(), ledger.state().head);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                for n in 0.. {
                    if started.elapsed() >= MEASURED {
                        break;
                    }
                    let event = regions_replaced(writer, n).map_err(|error| error.to_string())?;
                    record(&ledger, vec![event]).await.map_err(|error| error.to_string())?;
                }
                Ok::<_, String>(())
            })
        })
        .collect();
    for writer in writers {
        writer.await??;
    }
    let (took, changes) = (started.elapsed().as_secs_f64(), ledger.state().head - before);
    ledger.close().await;
    Ok((changes as f64 / took, syncs.await? as f64 / took))
}

async fn write(directory: &Path, events: u64, at_once: usize) -> Outcome<()> {
    let ledger = Ledger::open(directory, LedgerOptions::default())?;
    large_log::fill(&ledger, KMS_ENTRIES, events, at_once).await?;
    ledger.close().await;
    Ok(())
}

fn open(directory: &Path, snapshot: bool) -> Outcome<()> {
    let started = Instant::now();
    let options = if snapshot { with_snapshots() } else { LedgerOptions::default() };
    let ledger = Ledger::open(directory, options)?;
    let (took, events) = (started.elapsed().as_secs_f64(), ledger.state().head as f64);
    let by = if snapshot { "by its snapshot" } else { "by its records" };
    println!("{:<58}{took:>12.2}", format!("seconds to open a log of {events} events {by}"));
    if snapshot {
        println!("{:<58}{:>12.0}", "  memory in MiB", memory()? / 1024.0);
        return Ok(());
    }
    println!("{:<58}{:>12.0}", "  events per second", events / took);
    println!("{:<58}{:>12.0}", "  memory in MiB", memory()? / 1024.0);
    println!("{:<58}{:>12.0}", "  KMS entries", ledger.state().state.kms.len() as f64);
    drop(ledger);
    let (records, alone) = claviger::ledger::time_decoding(directory)?;
    let possible = records as f64 / alone.as_secs_f64();
    println!("{:<58}{possible:>12.0}", "  checked and decoded from memory, per second");
    println!("{:<58}{:>12.2}", "  ratio to that limit", events / took / possible);
    Ok(())
}

/// The peak memory of the process, in KiB.
fn memory() -> Outcome<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(peak.trim().trim_end_matches(" kB").parse()?)
}

fn size(directory: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        sum += if entry.path().is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}
