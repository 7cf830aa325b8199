//! Durable changes: 64 concurrent clients, each of which replaces the regions of its own KMS, compared with the disk's
//! rate of sequential synced writes. Each change is a complete request: token, rules, record, sync, answer. AWS (the
//! lab cloud) is asked once per minute and client which regions are enabled (decision 0028).

use crate::Outcome;
use crate::connection::{Connection, request};
use crate::disk::sequential_syncs;
use crate::figures::{at_least, figure, median};
use crate::program::Program;
use futures_util::future::try_join_all;
use serde_json::json;
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const CLIENTS: usize = 64;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(3);

/// A client: its connection, and the two requests that it sends alternately.
pub(crate) struct Client {
    conn: Connection,
    requests: [Vec<u8>; 2],
    sent: usize,
}

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    std::fs::write(directory.join("cloud.toml"), cloud())?;
    let program = Program::start(directory)?;
    let mut clients = runtime.block_on(prepare(&program))?;
    let (mut disk, mut changes, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        disk.push(sequential_syncs(directory, ROUND / 2)?);
        let before = program.cpu()?;
        let (count, took) = runtime.block_on(round(&mut clients))?;
        changes.push(count / took.as_secs_f64());
        cpu.push((program.cpu()? - before).as_secs_f64() * 1e6 / count);
    }
    let (disk, changes) = (median(disk), median(changes));
    figure("patch: sequential 4 KiB write + fdatasync, per second", disk, 0);
    figure("patch: durable changes of 64 clients, per second", changes, 0);
    figure("patch: processor time per change, lab cloud included, in µs", median(cpu), 0);
    at_least("patch: durable changes to synced writes", changes / disk, 1.5);
    program.stop()
}

/// A lab cloud with one account per client: two KMSs may not manage the same region of an account.
pub(crate) fn cloud() -> String {
    let mut plan = String::from("[partitions.aws]\nenabled = [\"eu-west-1\", \"us-east-1\", \"us-west-2\"]\n");
    for n in 0..CLIENTS {
        let (account, key, secret) = keys(n);
        // Writing to a `String` does not fail.
        let _ = write!(
            plan,
            "\n[[accounts]]\nid = \"{account}\"\n\n[[accounts.users]]\nname = \"user\"\n\
             access_key_id = \"{key}\"\nsecret_access_key = \"{secret}\"\nallow = [\"*\"]\n"
        );
    }
    plan
}

fn keys(n: usize) -> (String, String, String) {
    (
        format!("1000000000{n:02}"),
        format!("AKIALABBENCH000000{n:02}"),
        format!("lab-only/bench/not+a+secret/of+any+use{n:02}"),
    )
}

pub(crate) async fn prepare(program: &Program) -> Outcome<Vec<Client>> {
    let (token, mut conn) = (program.sign_in("admin").await?, program.connect().await?);
    let mut requests = Vec::new();
    for n in 0..CLIENTS {
        let (account, key, secret) = keys(n);
        let name = format!("client-{n}");
        let connection = json!({"name": name, "access_key_id": key, "secret_access_key": secret}).to_string();
        let path = "/api/v1/connectionmgmt/services/aws/connections";
        conn.send_expecting(&request("POST", path, &token, &connection), 201).await?;
        let kms =
            json!({"name": name, "account_id": account, "connection": name, "regions": ["us-west-2"]}).to_string();
        let kms = conn.send_expecting(&request("POST", "/api/v1/cckm/aws/kms", &token, &kms), 201).await?;
        let path = format!("/api/v1/cckm/aws/kms/{}", kms["id"].as_str().ok_or("no id")?);
        let to = |regions: &[&str]| request("PATCH", &path, &token, &json!({ "regions": regions }).to_string());
        requests.push([to(&["eu-west-1", "us-east-1"]), to(&["us-east-1"])]);
    }
    // Connections are opened last, so that none is closed because it was idle.
    try_join_all(
        requests.into_iter().map(async |requests| Ok(Client { conn: program.connect().await?, requests, sent: 0 })),
    )
    .await
}

/// Returns the number of acknowledged changes, and the time that they took.
pub(crate) async fn round(clients: &mut [Client]) -> Outcome<(f64, Duration)> {
    let began = Instant::now();
    let counts = try_join_all(clients.iter_mut().map(|client| client.change_until(began + ROUND))).await?;
    Ok((counts.iter().sum::<u64>() as f64, began.elapsed()))
}

impl Client {
    async fn change_until(&mut self, end: Instant) -> Outcome<u64> {
        let mut changed = 0;
        while Instant::now() < end {
            let answer = self.conn.send(&self.requests[self.sent % 2]).await?;
            if answer.status != 200 {
                return Err(format!("{}: {}", answer.status, String::from_utf8_lossy(answer.body)).into());
            }
            self.sent += 1;
            changed += 1;
        }
        Ok(changed)
    }
}
