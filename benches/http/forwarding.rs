//! What forwarding and checkpoints cost: durable changes of 64 concurrent clients with a syslog receiver over TCP on this
//! machine, with a checkpoint each second, and with neither, in turn. The program makes a checkpoint each hour.

use crate::Outcome;
use crate::connection::request;
use crate::figures::{at_least, figure, median};
use crate::patch::{Client, cloud, prepare, round};
use crate::program::Program;
use serde_json::json;
use std::convert::Infallible;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;

const ROUNDS: usize = 7;
const PATH: &str = "/api/v1/configs/syslogs";

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    std::fs::write(directory.join("cloud.toml"), cloud())?;
    let program = Program::start(directory)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let received = Arc::<AtomicU64>::default();
    let counter = received.clone();
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| discard(stream, counter.clone())));
    let mut clients = runtime.block_on(prepare(&program))?;
    let (mut with, mut without, mut signed) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (count, took) = runtime.block_on(round(&mut clients))?;
        without.push(count / took.as_secs_f64());
        let id = runtime.block_on(add(&program, port))?;
        let (count, took) = runtime.block_on(round(&mut clients))?;
        with.push(count / took.as_secs_f64());
        runtime.block_on(remove(&program, &id))?;
        let (count, took) = runtime.block_on(round_with_checkpoints(&program, &mut clients))?;
        signed.push(count / took.as_secs_f64());
    }
    if received.load(Ordering::Relaxed) == 0 {
        return Err("nothing was forwarded".into());
    }
    let (with, without, signed) = (median(with), median(without), median(signed));
    figure("forwarding: durable changes without a receiver, per second", without, 0);
    figure("forwarding: durable changes with one, per second", with, 0);
    figure("forwarding: MiB received", received.load(Ordering::Relaxed) as f64 / 1_048_576.0, 0);
    at_least("forwarding: changes with to without", with / without, 0.9);
    figure("forwarding: durable changes with a checkpoint each second, per second", signed, 0);
    at_least("forwarding: changes with checkpoints to without", signed / without, 0.9);
    program.stop()
}

fn discard(mut stream: impl Read + Send + 'static, received: Arc<AtomicU64>) {
    std::thread::spawn(move || {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = stream.read(&mut bytes) {
            received.fetch_add(length as u64, Ordering::Relaxed);
        }
    });
}

async fn round_with_checkpoints(program: &Program, clients: &mut [Client]) -> Outcome<(f64, Duration)> {
    let mut numbers = Vec::new();
    let counted = tokio::select! {
        counted = round(clients) => counted?,
        failed = make_checkpoints(program, &mut numbers) => match failed? {},
    };
    if numbers.len() < 2 || !numbers.is_sorted_by(|one, next| one < next) {
        return Err(format!("the checkpoints are of the records {numbers:?}").into());
    }
    Ok(counted)
}

/// Makes a checkpoint each second, and keeps the numbers of their records.
async fn make_checkpoints(program: &Program, numbers: &mut Vec<u64>) -> Outcome<Infallible> {
    let (token, mut conn) = (program.sign_in("admin").await?, program.connect().await?);
    let checkpoint = request("POST", "/api/v1/audit/checkpoints", &token, "");
    loop {
        let made = conn.send_expecting(&checkpoint, 201).await?;
        numbers.push(made["number"].as_u64().ok_or("no number")?);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Adds the receiver; returns its id.
async fn add(program: &Program, port: u16) -> Outcome<String> {
    let (token, mut conn) = (program.sign_in("admin").await?, program.connect().await?);
    let body = json!({"host": "127.0.0.1", "port": port, "transport": "tcp"}).to_string();
    let made = conn.send_expecting(&request("POST", PATH, &token, &body), 201).await?;
    Ok(made["id"].as_str().ok_or("no id")?.to_owned())
}

async fn remove(program: &Program, id: &str) -> Outcome<()> {
    let (token, mut conn) = (program.sign_in("admin").await?, program.connect().await?);
    let answer = conn.send(&request("DELETE", &format!("{PATH}/{id}"), &token, "")).await?;
    if answer.status == 204 { Ok(()) } else { Err(format!("it was not deleted: {}", answer.status).into()) }
}
