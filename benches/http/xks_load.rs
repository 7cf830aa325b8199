//! Encryption by the XKS proxy at AWS's default quota, while the rest of the program works: 1 800 calls a second in an
//! open loop, so that a slow answer does not delay the calls after it, beside 50 durable changes a second and
//! synchronisations of 10 000 keys. The lab's AWS, which the keys are read from, works in the same process. The
//! reference is the same load without the other work.

use crate::Outcome;
use crate::connection::{Connection, request};
use crate::figures::{at_most, figure, percentile};
use crate::program::Program;
use crate::xks::{Caller, encrypt_call};
use futures_util::future::{try_join_all, try_join3};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, mpsc};
use tokio::task::LocalSet;

const CALLS_PER_SECOND: u32 = 1_800;
const CHANGES_PER_SECOND: u32 = 50;
const KEYS: usize = 10_000;
const CONNECTIONS: usize = 64;
const QUIET: Duration = Duration::from_secs(10);
const BUSY: Duration = Duration::from_secs(30);
const REGION: &str = "us-east-1";

/// What the benchmark has made.
struct Prepared {
    token: String,
    kms: String,
    /// A signed call to encrypt.
    call: Vec<u8>,
}

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    let program = Program::start(directory)?;
    let local = LocalSet::new();
    let prepared = runtime.block_on(prepare(&program))?;
    let quiet = local.block_on(runtime, load(&program, &prepared.call, QUIET))?;
    runtime.block_on(fill(&program, &prepared))?;
    let end = Instant::now() + BUSY;
    let work = try_join3(
        load(&program, &prepared.call, BUSY),
        change(&program, &prepared, end),
        synchronise(&program, &prepared, end),
    );
    let (busy, changes, synchronised) = local.block_on(runtime, work)?;
    figure("xks-load: calls per second", busy.len() as f64 / BUSY.as_secs_f64(), 0);
    figure("xks-load: durable changes per second beside them", changes as f64 / BUSY.as_secs_f64(), 1);
    figure("xks-load: keys per second that synchronisations read beside them", synchronised / BUSY.as_secs_f64(), 0);
    figure("xks-load: p50 without other work, in ms", percentile(&quiet, 50), 2);
    figure("xks-load: p99 without other work, in ms", percentile(&quiet, 99), 2);
    figure("xks-load: p50 beside the other work, in ms", percentile(&busy, 50), 2);
    at_most("xks-load: p99 beside the other work, in ms", percentile(&busy, 99), 10.0);
    program.stop()
}

/// Makes a KMS, a store that AWS is connected to, and a key in it.
async fn prepare(program: &Program) -> Outcome<Prepared> {
    let token = program.sign_in("admin").await?;
    let mut conn = program.connect().await?;
    let post = |path: &str, body: Value| request("POST", &format!("/api/v1/{path}"), &token, &body.to_string());
    let kms = json!({"name": "bench", "account_id": "123456789012", "connection": "test_aws-connection",
        "regions": [REGION]});
    let kms = id(&conn.send_expecting(&post("cckm/aws/kms", kms), 201).await?)?;
    let source = json!({"name": "bench", "algorithm": "AES", "size": 256, "unexportable": true, "undeletable": true});
    let source = id(&conn.send_expecting(&post("vault/keys2", source), 201).await?)?;
    let store = json!({"name": "bench", "kms": kms, "region": REGION, "linked_state": true,
        "aws_param": {"xks_proxy_uri_endpoint": "https://bench.lab.internal"},
        "local_hosted_params": {"health_check_key_id": source, "max_credentials": 2}});
    let made = conn.send_expecting(&post("cckm/aws/custom-key-stores", store), 201).await?;
    let store = id(&made)?;
    conn.send_expecting(&post(&format!("cckm/aws/custom-key-stores/{store}/connect"), json!({})), 200).await?;
    let path = format!("/api/v1/cckm/aws/custom-key-stores/{store}");
    let read = request("GET", &path, &token, "");
    while conn.send_expecting(&read, 200).await?["aws_param"]["connection_state"] != "CONNECTED" {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let key = json!({"local_hosted_params":
        {"custom_key_store_id": store, "source_key_id": source, "linked_state": true}});
    let key = id(&conn.send_expecting(&post("cckm/aws/create-hyok-key", key), 201).await?)?;
    let text = |member: &str| made[member].as_str().ok_or("no credential");
    let caller = Caller { access_key_id: text("access_key_id")?, secret: text("secret_access_key")?, region: REGION };
    let path = made["aws_param"]["xks_proxy_uri_path"].as_str().ok_or("no path")?;
    let call = encrypt_call(&format!("{path}/keys/{key}/encrypt"), &caller)?;
    Ok(Prepared { token, kms, call })
}

fn id(made: &Value) -> Outcome<String> {
    Ok(made["id"].as_str().ok_or("no id")?.to_owned())
}

/// Sends calls at a steady rate, whether the earlier ones are answered or not. Returns their latencies in milliseconds,
/// from the time at which each was due.
async fn load(program: &Program, call: &[u8], duration: Duration) -> Outcome<Vec<f64>> {
    let (free, taken) = mpsc::unbounded_channel();
    for _ in 0..CONNECTIONS {
        free.send(program.connect_xks().await?).map_err(|_| "no receiver")?;
    }
    let (taken, call) = (Rc::new(Mutex::new(taken)), Rc::new(call.to_vec()));
    let (latencies, failures) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(Vec::new())));
    let (began, mut calls) = (Instant::now(), Vec::new());
    for n in 0..CALLS_PER_SECOND * u32::try_from(duration.as_secs())? {
        let due = began + Duration::from_secs(1) * n / CALLS_PER_SECOND;
        tokio::time::sleep_until(due.into()).await;
        let (free, taken, call) = (free.clone(), taken.clone(), call.clone());
        let (latencies, failures) = (latencies.clone(), failures.clone());
        calls.push(tokio::task::spawn_local(async move {
            let connection: Option<Connection> = taken.lock().await.recv().await;
            let Some(mut connection) = connection else { return };
            match connection.send(&call).await {
                Ok(answer) if answer.status == 200 => {
                    latencies.borrow_mut().push(due.elapsed().as_secs_f64() * 1e3);
                    // The receiver lives as long as the calls.
                    let _ = free.send(connection);
                }
                Ok(answer) => failures.borrow_mut().push(answer.status.to_string()),
                Err(failure) => failures.borrow_mut().push(failure.to_string()),
            }
        }));
    }
    for call in calls {
        call.await?;
    }
    if let Some(failure) = failures.borrow().first() {
        return Err(format!("a call failed: {failure}").into());
    }
    Ok(latencies.take())
}

/// Creates the keys that the synchronisations read.
async fn fill(program: &Program, prepared: &Prepared) -> Outcome<()> {
    let body = json!({"kms": prepared.kms, "region": REGION, "aws_param": {}}).to_string();
    let create = request("POST", "/api/v1/cckm/aws/keys", &prepared.token, &body);
    let part = async || {
        let mut conn = program.connect().await?;
        for _ in 0..KEYS / CONNECTIONS + 1 {
            conn.send_expecting(&create, 201).await?;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    };
    try_join_all((0..CONNECTIONS).map(|_| part())).await.map(drop)
}

/// Changes a KMS at a steady rate until then. Returns the number of changes.
async fn change(program: &Program, prepared: &Prepared, end: Instant) -> Outcome<u32> {
    let mut conn = program.connect().await?;
    let path = format!("/api/v1/cckm/aws/kms/{}", prepared.kms);
    let to = |regions: &[&str]| request("PATCH", &path, &prepared.token, &json!({"regions": regions}).to_string());
    let requests = [to(&[REGION, "eu-west-3"]), to(&[REGION])];
    let (began, mut changes) = (Instant::now(), 0);
    while Instant::now() < end {
        tokio::time::sleep_until((began + Duration::from_secs(1) * changes / CHANGES_PER_SECOND).into()).await;
        conn.send_expecting(&requests[changes as usize % 2], 200).await?;
        changes += 1;
    }
    Ok(changes)
}

/// Synchronises the region again and again until then. Returns the number of keys that were read.
async fn synchronise(program: &Program, prepared: &Prepared, end: Instant) -> Outcome<f64> {
    let mut conn = program.connect().await?;
    let path = "/api/v1/cckm/aws/synchronization-jobs";
    let body = json!({"kms": [prepared.kms], "regions": [REGION]}).to_string();
    let start = request("POST", path, &prepared.token, &body);
    let mut read = 0.0;
    while Instant::now() < end {
        let job = id(&conn.send_expecting(&start, 202).await?)?;
        let look = request("GET", &format!("{path}/{job}"), &prepared.token, "");
        loop {
            let seen = conn.send_expecting(&look, 200).await?;
            let is_over = seen["overall_status"] != "in_progress";
            if is_over || Instant::now() >= end {
                let regions = seen["progress"].as_object().into_iter().flat_map(|regions| regions.values());
                read += regions.filter_map(|region| region["listed"].as_f64()).sum::<f64>();
                if is_over && seen["overall_status"] != "completed" {
                    return Err(format!("a synchronisation failed: {seen}").into());
                }
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(read)
}
