//! The list of keys of a large installation: filters that match one key, the cost of a key in a long page, and the
//! effect on another client while 100 000 keys are read. `HTTP_BENCH_KEYS` sets the number of keys.

use crate::Outcome;
use crate::connection::{Connection, request};
use crate::figures::{at_most, figure, median, percentile};
use crate::large_log;
use crate::large_log::keys::{alias, arn, fill};
use crate::program::Program;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

const KEYS: u64 = 1_000_000;
/// The number of requests for one key, with each of the filters.
const ASKED: u64 = 200;
const PAGES: usize = 50;
const PAGE: u64 = 1_000;
/// The number of keys that the other client reads.
const WALK: u64 = 100_000;
const WALKS: usize = 3;

pub(crate) fn wanted_keys() -> u64 {
    std::env::var("HTTP_BENCH_KEYS").ok().and_then(|count| count.parse().ok()).unwrap_or(KEYS)
}

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    let count = wanted_keys();
    Program::start(directory)?.stop()?;
    runtime.block_on(async {
        let ledger = large_log::open(&directory.join("data"))?;
        fill(&ledger, count).await?;
        ledger.close().await;
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    let began = Instant::now();
    let program = Program::start(directory)?;
    figure("keys: keys", count as f64, 0);
    figure("keys: seconds to start by the log", began.elapsed().as_secs_f64(), 1);
    program.stop()?;
    let began = Instant::now();
    let program = Program::start(directory)?;
    at_most("keys: seconds to start by the snapshot", began.elapsed().as_secs_f64(), 10.0);
    figure("keys: memory after the start, in MiB", program.memory("VmRSS")?, 0);
    program.wait_until_idle()?;
    let token = runtime.block_on(program.sign_in("admin"))?;
    runtime.block_on(identities(&program, &token, count))?;
    runtime.block_on(walks(&program, &token, count))?;
    runtime.block_on(pages(&program, &token))?;
    others(&program, &token, runtime)?;
    program.stop()
}

/// Measures filters that match one key, and one that matches all.
async fn identities(program: &Program, token: &str, count: u64) -> Outcome<()> {
    let mut conn = program.connect().await?;
    let (mut by_id, mut by_arn, mut by_alias, mut by_tag) = (vec![], vec![], vec![], vec![]);
    for n in 0..ASKED {
        let n = n * 7919 % count;
        let arn = arn(n)?;
        let query = format!("?keyid={}&region={}", arn.id(), arn.region());
        by_id.push(one(&mut conn, token, &query).await?);
        by_arn.push(one(&mut conn, token, &format!("?arn={arn}")).await?);
        by_alias.push(one(&mut conn, token, &format!("?alias={}", alias(n))).await?);
    }
    for _ in 0..3 {
        let began = Instant::now();
        conn.send_expecting(&list(token, "?tags=environment&limit=1"), 200).await?;
        by_tag.push(millis(began.elapsed()));
    }
    figure("keys: a filter that no index serves, in ms", median(by_tag), 1);
    at_most("keys: by keyid and region, in ms", median(by_id), 1.0);
    at_most("keys: by arn, in ms", median(by_arn), 1.0);
    at_most("keys: by alias, in ms", median(by_alias), 1.0);
    Ok(())
}

/// Measures what reads every key: searches, and filters and sorts by what follows from schedules and rotations. 100 000
/// keys may take 200 ms.
async fn walks(program: &Program, token: &str, count: u64) -> Outcome<()> {
    let mut conn = program.connect().await?;
    let most = 200.0 * (count as f64 / 100_000.0).max(1.0);
    for (what, path) in [
        ("a search that finds nothing", "cckm/aws/keys?search=nowhere-at-all&limit=50"),
        ("a search that finds all", "cckm/aws/keys?search=arn&limit=50&fields=id,kms"),
        ("a filter by who renews", "cckm/aws/keys?rotated_by=none&limit=50"),
        ("a filter by age", "cckm/aws/keys?material_since_before=2026-01-01T00:00:00Z&limit=50"),
        ("a sort by age", "cckm/aws/keys?sort=material_since&limit=50"),
        ("a sort by the next rotation", "cckm/aws/keys?sort=-next_rotation_at&limit=50"),
        ("the search over everything", "search?q=e-1"),
        ("the search over everything, for nothing", "search?q=nowhere-at-all"),
    ] {
        let mut took = vec![];
        for _ in 0..5 {
            let began = Instant::now();
            conn.send_expecting(&request("GET", &format!("/api/v1/{path}"), token, ""), 200).await?;
            took.push(millis(began.elapsed()));
        }
        at_most(&format!("keys: {what}, in ms"), median(took), most);
    }
    Ok(())
}

async fn one(conn: &mut Connection, token: &str, query: &str) -> Outcome<f64> {
    let (request, began) = (list(token, query), Instant::now());
    let page = conn.send_expecting(&request, 200).await?;
    let took = millis(began.elapsed());
    if page["total"] == 1 { Ok(took) } else { Err(format!("{query}: {}", page["total"]).into()) }
}

async fn pages(program: &Program, token: &str) -> Outcome<()> {
    let mut conn = program.connect().await?;
    let (mut took, mut bytes, cpu) = (vec![], 0, program.cpu()?);
    for page in 0..PAGES as u64 {
        let request = list(token, &format!("?limit={PAGE}&skip={}", page * PAGE));
        let began = Instant::now();
        bytes = conn.drain(&request).await?;
        took.push(millis(began.elapsed()));
    }
    let cpu = (program.cpu()? - cpu).as_secs_f64() * 1e6 / (PAGES as f64 * PAGE as f64);
    figure("keys: a page of 1 000 keys, in ms", median(took), 1);
    figure("keys: a page of 1 000 keys, in kB", bytes as f64 / 1000.0, 0);
    at_most("keys: server's processor time per key of a page, in µs", cpu, 8.0);
    Ok(())
}

/// Measures a client's requests while another client reads many keys.
fn others(program: &Program, token: &str, runtime: &Runtime) -> Outcome<()> {
    let request = request("GET", "/api/v1/cckm/aws/keys?limit=1", token, "");
    let done = Arc::new(AtomicBool::new(false));
    let quiet = runtime.block_on(async {
        let mut conn = program.connect().await?;
        send_until(&mut conn, &request, Instant::now() + Duration::from_secs(2), &done).await
    })?;
    let (walk, ended, (address, data)) =
        (list(token, &format!("?limit={WALK}")), done.clone(), (program.address, program.data.clone()));
    let walker = std::thread::spawn(move || {
        let walk =
            Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string()).and_then(|runtime| {
                let walks = async {
                    let (mut conn, mut took) = (Connection::connect(address, &data).await?, vec![]);
                    for _ in 0..WALKS {
                        let began = Instant::now();
                        conn.drain(&walk).await?;
                        took.push(began.elapsed().as_secs_f64());
                    }
                    Ok::<_, Box<dyn std::error::Error>>(median(took))
                };
                runtime.block_on(walks).map_err(|error| error.to_string())
            });
        ended.store(true, Ordering::Relaxed);
        walk
    });
    let beside = runtime.block_on(async {
        let mut conn = program.connect().await?;
        send_until(&mut conn, &request, Instant::now() + Duration::from_secs(600), &done).await
    })?;
    let walk = walker.join().map_err(|_| "the other client failed")??;
    figure("keys: another client's GET, median, in ms", percentile(&quiet, 50), 2);
    figure("keys: another client's GET, 99th percentile, in ms", percentile(&quiet, 99), 2);
    figure("keys: to read 100 000 keys, in s", walk, 2);
    figure("keys: meanwhile, another client's GET, median, in ms", percentile(&beside, 50), 2);
    at_most("keys: meanwhile, another client's GET, 99th percentile, in ms", percentile(&beside, 99), 10.0);
    Ok(())
}

async fn send_until(conn: &mut Connection, request: &[u8], end: Instant, done: &AtomicBool) -> Outcome<Vec<f64>> {
    let mut took = vec![];
    while Instant::now() < end && !done.load(Ordering::Relaxed) {
        let began = Instant::now();
        conn.send_expecting(request, 200).await?;
        took.push(millis(began.elapsed()));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(took)
}

fn list(token: &str, query: &str) -> Vec<u8> {
    request("GET", &format!("/api/v1/cckm/aws/keys{query}"), token, "")
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
