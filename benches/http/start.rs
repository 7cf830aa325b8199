//! Starting on a large log: 1 000 000 events, 10 000 KMS entries. The time is measured from the start of the process to
//! the first successful answer of `/readyz`, so that it includes everything besides replay.

use crate::Outcome;
use crate::connection::request;
use crate::figures::{at_least, at_most, figure, median};
use crate::large_log;
use crate::program::Program;
use std::path::Path;
use std::time::Instant;
use tokio::runtime::Runtime;

const KMS_ENTRIES: u64 = 10_000;
const EVENTS: u64 = 1_000_000;
const ROUNDS: usize = 5;

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    write_log(directory, runtime, KMS_ENTRIES, EVENTS)?;
    let (mut seconds, mut cpu, mut peak, mut memory) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let program = Program::start(directory)?;
        runtime.block_on(async {
            program.connect().await?.send_expecting(&request("GET", "/readyz", "", ""), 200).await
        })?;
        seconds.push(began.elapsed().as_secs_f64());
        cpu.push(program.cpu()?.as_secs_f64());
        peak.push(program.memory("VmHWM")?);
        memory.push(program.memory("VmRSS")?);
        program.stop()?;
    }
    let seconds = median(seconds);
    // Two threads share this time: if the seconds exceed half of it, there was other load on the machine.
    figure("start: processor seconds to readiness", median(cpu), 2);
    figure("start: memory when ready, in MiB", median(memory), 0);
    at_most("start: memory at the most, in MiB", median(peak), 300.0);
    at_most("start: seconds to readiness with 1 000 000 events", seconds, 4.0);
    at_least("start: events per second, the whole start counted as replay", EVENTS as f64 / seconds, 500_000.0);
    Ok(())
}

/// Lets the program create a log, then adds events to it.
pub(crate) fn write_log(directory: &Path, runtime: &Runtime, kms_entries: u64, events: u64) -> Outcome<()> {
    std::fs::create_dir_all(directory)?;
    Program::start(directory)?.stop()?;
    runtime.block_on(async {
        let ledger = large_log::open(&directory.join("data"))?;
        large_log::fill(&ledger, kms_entries, events, 100).await?;
        ledger.close().await;
        Ok(())
    })
}
