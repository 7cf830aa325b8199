//! The deletion of a KMS with 100 000 keys: the time until it is answered, and the time of another client's durable
//! change while the entries of the keys are removed, compared with the same change on an idle program.

use crate::Outcome;
use crate::connection::{Connection, request};
use crate::figures::{at_most, figure, percentile};
use crate::large_log::keys::{ACCOUNTS, accounts, found};
use crate::large_log::{self, kms, record};
use crate::program::Program;
use claviger::ledger::Ledger;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const KEYS: u64 = 100_000;
const BATCH: u64 = 100;
/// The time for which the other client makes changes, before and after the deletion.
const WATCH: Duration = Duration::from_secs(10);
/// The longest time that the removal of all keys may take.
const LATEST: Duration = Duration::from_secs(600);
/// The time that the program runs between two restarts.
const RUN: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(1);

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    Program::start(directory)?.stop()?;
    runtime.block_on(async {
        let ledger = open(directory)?;
        record(&ledger, accounts()?).await?;
        for from in (0..KEYS).step_by(BATCH as usize) {
            // All keys are in the first account.
            let batch = (from..from + BATCH).map(|n| found(n * ACCOUNTS)).collect::<Outcome<_>>()?;
            record(&ledger, batch).await?;
        }
        ledger.close().await;
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    let program = Program::start(directory)?;
    let (quiet, meanwhile, deleted) = runtime.block_on(delete(&program))?;
    program.stop()?;
    let (quiet, meanwhile) = (percentile(&quiet, 99), percentile(&meanwhile, 99));
    figure("deletion: a KMS of 100 000 keys, until it is answered, in ms", deleted, 1);
    figure("deletion: another client's change, 99th percentile, in ms", quiet, 2);
    figure("deletion: meanwhile, another client's change, 99th percentile, in ms", meanwhile, 2);
    at_most("deletion: the same as a ratio", meanwhile / quiet, 2.0);
    let (mut remaining, began) = (left(directory, runtime)?, Instant::now());
    figure("deletion: keys whose entries were left then", remaining as f64, 0);
    // The removal continues after each restart.
    while remaining > 0 && began.elapsed() < LATEST {
        let program = Program::start(directory)?;
        std::thread::sleep(RUN);
        program.stop()?;
        remaining = left(directory, runtime)?;
    }
    figure("deletion: seconds until all had gone, with restarts in between", began.elapsed().as_secs_f64(), 0);
    if remaining > 0 { Err(format!("{remaining} keys of the deleted KMS were left").into()) } else { Ok(()) }
}

/// Returns the times of another client's changes before and after the deletion, and of the deletion itself, in ms.
async fn delete(program: &Program) -> Outcome<(Vec<f64>, Vec<f64>, f64)> {
    let (token, mut conn) = (program.sign_in("admin").await?, program.connect().await?);
    conn.send_expecting(
        &request("POST", "/api/v1/usermgmt/groups", &token, &json!({"name": "bench"}).to_string()),
        201,
    )
    .await?;
    let quiet = changes(&mut conn, &token).await?;
    let began = Instant::now();
    let path = format!("/api/v1/cckm/aws/kms/{}", kms(0));
    conn.send_expecting(&request("DELETE", &path, &token, ""), 204).await?;
    let deleted = millis(began.elapsed());
    let page = conn.send_expecting(&request("GET", "/api/v1/cckm/aws/keys?limit=1", &token, ""), 200).await?;
    if page["total"] != 0 {
        return Err(format!("{} keys of the deleted KMS are still shown", page["total"]).into());
    }
    Ok((quiet, changes(&mut conn, &token).await?, deleted))
}

async fn changes(conn: &mut Connection, token: &str) -> Outcome<Vec<f64>> {
    let (mut took, began) = (vec![], Instant::now());
    while began.elapsed() < WATCH {
        let body = json!({"description": took.len().to_string() + &began.elapsed().as_nanos().to_string()});
        let change = request("PATCH", "/api/v1/usermgmt/groups/bench", token, &body.to_string());
        let sent = Instant::now();
        conn.send_expecting(&change, 200).await?;
        took.push(millis(sent.elapsed()));
        tokio::time::sleep(PAUSE).await;
    }
    Ok(took)
}

/// The number of keys' entries that are still to be removed.
fn left(directory: &Path, runtime: &Runtime) -> Outcome<usize> {
    runtime.block_on(async {
        let ledger = open(directory)?;
        let left = ledger.state().state.keys.unmanaged().count();
        ledger.close().await;
        Ok(left)
    })
}

fn open(directory: &Path) -> Outcome<Ledger> {
    large_log::open(&directory.join("data"))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
