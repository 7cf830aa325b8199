//! What the ledger costs, against this machine's disk in the same run: durable writes with 64 writers at once, replay,
//! and the memory that an open log takes. `LEDGER_EVENTS` sets how many events the log gets (1 000 000 otherwise).

use claviger::domain::acl::{AclChange, Principal};
use claviger::domain::action::Action;
use claviger::domain::event::{Actor, Event, KmsEvent, RefreshGrant, SessionEvent, TokenHash};
use claviger::domain::id::{ConnectionId, KmsId, RefreshTokenId, SessionId, UserId};
use claviger::domain::name::{GroupName, KmsName};
use claviger::domain::place::{AccountId, Arn, Partition, Region};
use claviger::ledger::{Context, Ledger, LedgerOptions};
use std::error::Error;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

const KMS_ENTRIES: u64 = 10_000;
const WRITERS: u64 = 64;
const MEASURED: Duration = Duration::from_secs(5);
const REGIONS: [&str; 8] = [
    "us-east-1",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "ap-south-1",
    "ap-northeast-1",
    "ca-central-1",
    "sa-east-1",
];

fn main() -> Outcome<()> {
    // The measuring process for replay is a fresh one: its memory is that of an open log and nothing else.
    if let Ok(directory) = std::env::var("LEDGER_BENCH_OPEN") {
        return open(Path::new(&directory));
    }
    let events: u64 = std::env::var("LEDGER_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let root = std::env::current_dir()?.join("target/bench-ledger");
    let _ = std::fs::remove_dir_all(&root);
    std::fs::create_dir_all(&root)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;

    let disk = sequential_syncs(&root)?;
    println!("{:<58}{disk:>12.0}", "sequential 4 KiB write + fdatasync, per second");
    let (writes, syncs) = runtime.block_on(concurrent_writes(&root.join("writes")))?;
    println!("{:<58}{writes:>12.0}", format!("durable changes with {WRITERS} writers, per second"));
    println!("{:<58}{:>12.2}", "  of the disk's own rate", writes / disk);
    println!("{:<58}{:>12.1}", "  changes that share a sync", writes / syncs);

    let log = root.join("replay");
    let started = Instant::now();
    runtime.block_on(fill(&log, events))?;
    println!(
        "{:<58}{:>12.0}",
        "events written in batches of 100, per second",
        events as f64 / started.elapsed().as_secs_f64()
    );
    println!("{:<58}{:>12.1}", "  bytes on disk per event", size(&log)? as f64 / events as f64);
    for _ in 0..2 {
        let opened = std::process::Command::new(std::env::current_exe()?).env("LEDGER_BENCH_OPEN", &log).status()?;
        if !opened.success() {
            return Err("the log did not open".into());
        }
    }
    std::fs::remove_dir_all(&root)?;
    Ok(())
}

/// What the disk does by itself: one write after the other, each made durable.
fn sequential_syncs(root: &Path) -> Outcome<f64> {
    let file = File::create(root.join("disk"))?;
    let (started, mut written) = (Instant::now(), 0u64);
    while started.elapsed() < MEASURED {
        file.write_all_at(&[written as u8; 4096], written * 4096)?;
        file.sync_data()?;
        written += 1;
    }
    Ok(written as f64 / started.elapsed().as_secs_f64())
}

/// Changes, and syncs, per second.
async fn concurrent_writes(directory: &Path) -> Outcome<(f64, f64)> {
    let ledger = Ledger::open(directory, LedgerOptions::default())?;
    record(&ledger, (0..WRITERS).map(added).collect::<Outcome<_>>()?).await?;
    let mut heads = ledger.follow();
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

/// A log such as a busy installation writes: KMS entries, then changes to them and sessions.
async fn fill(directory: &Path, events: u64) -> Outcome<()> {
    let ledger = Ledger::open(directory, LedgerOptions::default())?;
    let mut batch = Vec::with_capacity(100);
    for n in 0..events {
        batch.push(match n {
            n if n < KMS_ENTRIES => added(n)?,
            n => match n % 10 {
                0..5 => regions_replaced(n * 7919 % KMS_ENTRIES, n)?,
                5..7 => acls_changed(n * 7919 % KMS_ENTRIES, n)?,
                7 => session(n, opened(n)),
                8 => session(n - 1, SessionEvent::Refreshed),
                _ => session(n - 2, SessionEvent::Closed),
            },
        });
        if batch.len() == 100 || n + 1 == events {
            record(&ledger, std::mem::take(&mut batch)).await?;
        }
    }
    ledger.close().await;
    Ok(())
}

fn open(directory: &Path) -> Outcome<()> {
    let started = Instant::now();
    let ledger = Ledger::open(directory, LedgerOptions::default())?;
    let (took, events) = (started.elapsed().as_secs_f64(), ledger.state().head as f64);
    println!("{:<58}{took:>12.2}", format!("seconds to open a log of {events} events"));
    println!("{:<58}{:>12.0}", "  events per second", events / took);
    println!("{:<58}{:>12.0}", "  memory in MiB", memory()? / 1024.0);
    println!("{:<58}{:>12.0}", "  KMS entries", ledger.state().state.kms.len() as f64);
    Ok(())
}

/// The most that the process ever had in memory, in KiB.
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

async fn record(ledger: &Ledger, events: Vec<Event>) -> Outcome<()> {
    let actor = Actor::System;
    let context = Context { actor, request_id: "b3f1c8de-8a52-4f0c-9f43-1d2a64a0a7c1".to_owned() };
    ledger.execute(context, move |_, _| Ok(events.clone())).await?;
    Ok(())
}

fn kms(n: u64) -> KmsId {
    KmsId::new(Uuid::from_u128(u128::from(n) << 64 | 1))
}

fn added(n: u64) -> Outcome<Event> {
    let account = AccountId::parse(&format!("{:012}", n + 1))?;
    Ok(Event::Kms(
        kms(n),
        KmsEvent::Added {
            name: KmsName::parse(&format!("account-{n}"))?,
            account,
            arn: Arn::parse(&format!("arn:aws:iam::{account}:user/claviger"))?,
            connection: ConnectionId::new(Uuid::from_u128(7)),
            role: None,
            regions: regions(n)?,
            cloud: Partition::Aws,
        },
    ))
}

fn regions_replaced(which: u64, n: u64) -> Outcome<Event> {
    Ok(Event::Kms(kms(which), KmsEvent::RegionsReplaced { to: regions(n)? }))
}

fn regions(n: u64) -> Outcome<Vec<Region>> {
    let count = 1 + n as usize % REGIONS.len();
    Ok(REGIONS[..count].iter().map(|name| Region::parse(name)).collect::<Result<_, _>>()?)
}

fn acls_changed(which: u64, n: u64) -> Outcome<Event> {
    let principal = match n % 2 {
        0 => Principal::User(UserId::new(Uuid::from_u128(u128::from(n % 40)))),
        _ => Principal::Group(GroupName::parse(&format!("group {}", n % 6))?),
    };
    let actions = Action::ALL[..2 + n as usize % 6].to_vec();
    Ok(Event::Kms(
        kms(which),
        KmsEvent::AclsChanged { changes: vec![AclChange { principal, actions, permit: !n.is_multiple_of(3) }] },
    ))
}

fn session(n: u64, event: SessionEvent) -> Event {
    Event::Session(SessionId::new(Uuid::from_u128(u128::from(n))), event)
}

fn opened(n: u64) -> SessionEvent {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&n.to_be_bytes());
    SessionEvent::Opened {
        user: UserId::new(Uuid::from_u128(u128::from(n % 40))),
        source: "192.0.2.17".to_owned(),
        refresh: RefreshGrant {
            id: RefreshTokenId::new(Uuid::from_u128(u128::from(n))),
            hash: TokenHash(hash),
            lifetime_seconds: None,
            unused_seconds: Some(1_209_600),
        },
        labels: vec![],
    }
}
