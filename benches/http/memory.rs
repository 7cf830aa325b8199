//! The memory of a key, measured on the state of a large installation that this process builds event by event, as
//! replay does.

use crate::Outcome;
use crate::figures::{at_most, figure};
use crate::keys::wanted_keys;
use crate::large_log::keys::{accounts, found};
use claviger::domain::state::State;
use claviger::domain::time::Time;
use std::time::Instant;

const TARGET: f64 = 2_000.0;

pub(crate) fn run() -> Outcome<()> {
    let count = wanted_keys();
    let (mut state, at) = (State::default(), Time::from_nanos(1));
    for event in accounts()? {
        state.apply(at, &event);
    }
    let (before, began) = (resident()?, Instant::now());
    for n in 0..count {
        state.apply(at, &found(n)?);
    }
    figure("memory: keys", state.keys.len() as f64, 0);
    figure("memory: to make and apply one event, in µs", began.elapsed().as_secs_f64() * 1e6 / count as f64, 2);
    at_most("memory: bytes per key", (resident()? - before) / count as f64, TARGET);
    Ok(())
}

/// The memory of this process, in bytes.
fn resident() -> Outcome<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
}
