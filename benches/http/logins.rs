//! Reading while others sign in: the latency of a GET beside a flood of 200 logins a second, compared with the same
//! reads alone. The logins are those of 50 users, each with its password, so each is a whole one: Argon2, a session, a
//! record. They come at a steady rate, whether the earlier ones are answered or not, up to 64 at once.

use crate::Outcome;
use crate::connection::{Connection, request};
use crate::figures::{at_most, figure, median, percentile};
use crate::program::{PASSWORD, Program};
use futures_util::future::{try_join, try_join_all};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const USERS: usize = 50;
const LOGINS_PER_SECOND: u32 = 200;
const LOGIN_CONNECTIONS: usize = 64;
const READS_PER_SECOND: u32 = 400;
const READ_CONNECTIONS: usize = 8;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(4);
/// The p99 beside the logins to that without them.
const TARGET: f64 = 2.0;

/// The answers of a round.
#[derive(Default)]
struct Answers {
    /// In milliseconds, from the time at which a request was due.
    latencies: Vec<f64>,
    refused: usize,
}

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    let program = Program::start(directory)?;
    runtime.block_on(async {
        let (read, logins) = prepare(&program).await?;
        let mut readers = connections(&program, READ_CONNECTIONS).await?;
        let mut guests = connections(&program, LOGIN_CONNECTIONS).await?;
        let (mut quiet, mut flooded, mut logged_in, mut refused) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for _ in 0..ROUNDS {
            let alone = steadily(&mut readers, std::slice::from_ref(&read), READS_PER_SECOND).await?;
            let (beside, logins) = try_join(
                steadily(&mut readers, std::slice::from_ref(&read), READS_PER_SECOND),
                steadily(&mut guests, &logins, LOGINS_PER_SECOND),
            )
            .await?;
            quiet.push(percentile(&alone.latencies, 99));
            flooded.push(percentile(&beside.latencies, 99));
            logged_in.push(logins.latencies.len() as f64 / ROUND.as_secs_f64());
            refused += logins.refused;
        }
        figure("logins: sign-ins per second", median(logged_in), 0);
        figure("logins: sign-ins that were refused as too many", refused as f64, 0);
        figure("logins: p99 of a GET alone, in ms", median(quiet.clone()), 2);
        figure("logins: p99 of a GET beside the sign-ins, in ms", median(flooded.clone()), 2);
        at_most("logins: p99 of a GET beside the sign-ins to alone", median(flooded) / median(quiet), TARGET);
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    program.stop()
}

/// Creates the users; returns the request that reads one of them, and the logins.
async fn prepare(program: &Program) -> Outcome<(Vec<u8>, Vec<Vec<u8>>)> {
    let (token, mut conn) = (program.sign_in("admin").await?, program.connect().await?);
    let mut logins = Vec::new();
    for n in 0..USERS {
        let body = json!({"username": format!("user-{n}"), "password": PASSWORD}).to_string();
        conn.send_expecting(&request("POST", "/api/v1/usermgmt/users", &token, &body), 201).await?;
        logins.push(request("POST", "/api/v1/auth/tokens", "", &body));
    }
    Ok((request("GET", "/api/v1/usermgmt/groups/admin", &token, ""), logins))
}

async fn connections(program: &Program, count: usize) -> Outcome<Vec<Connection>> {
    try_join_all((0..count).map(|_| program.connect())).await
}

/// Sends these requests in turn at a steady rate over all connections, for one round. A connection that is behind sends
/// at once.
async fn steadily(connections: &mut [Connection], requests: &[Vec<u8>], per_second: u32) -> Outcome<Answers> {
    let (began, count) = (Instant::now(), connections.len());
    let send = async |n: usize, connection: &mut Connection| {
        let mut answers = Answers::default();
        let mut sent = n;
        loop {
            let due = began + Duration::from_secs(1) * u32::try_from(sent)? / per_second;
            if due >= began + ROUND || Instant::now() >= began + ROUND {
                return Ok::<_, Box<dyn std::error::Error>>(answers);
            }
            tokio::time::sleep_until(due.into()).await;
            match connection.send(&requests[sent % requests.len()]).await?.status {
                200 => answers.latencies.push(due.elapsed().as_secs_f64() * 1e3),
                429 | 503 => answers.refused += 1,
                other => return Err(format!("answered with {other}").into()),
            }
            sent += count;
        }
    };
    let answers = try_join_all(connections.iter_mut().enumerate().map(|(n, connection)| send(n, connection))).await?;
    let mut all = Answers::default();
    for answers in answers {
        all.latencies.extend(answers.latencies);
        all.refused += answers.refused;
    }
    Ok(all)
}
