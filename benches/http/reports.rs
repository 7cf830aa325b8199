//! A report of 1 000 000 CloudTrail events: its rate, compared with that of reading the same pages without looking at
//! them; its memory; the time of another client's reads meanwhile; the download of its rows.
//!
//! The lab cloud is in the same process, and generates the events while they are read.

use crate::Outcome;
use crate::connection::{Connection, request};
use crate::figures::{at_least, at_most, figure, percentile};
use crate::program::Program;
use chrono::{SecondsFormat, TimeDelta, Utc};
use reqwest::blocking::Client;
use rusoto_core::Region;
use rusoto_core::signature::SignedRequest;
use rusoto_credential::AwsCredentials;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const EVENTS: u64 = 1_000_000;
const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";
/// The time between two reads of the other client.
const PAUSE: Duration = Duration::from_millis(5);
const LATEST: Duration = Duration::from_secs(900);

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    let plan = std::fs::read_to_string("config/lab-cloud.toml")?;
    let plan = plan.replace("\n[cloudtrail]\n", "\n[cloudtrail]\nfilter_log_events_per_second = 1000000\n");
    std::fs::write(directory.join("cloud.toml"), plan)?;
    let program = Program::start(directory)?;
    let cloud = format!("http://{}", program.cloud);
    let key = runtime.block_on(prepare(&program))?;
    let (start, end) = (ago(7_200), ago(60));
    let order = json!({"account": ACCOUNT, "region": REGION, "count": EVENTS, "start": start, "end": end,
        "keys": [key], "failures_percent": 1, "services": ["s3.amazonaws.com"]});
    let http = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
    let answer = http.post(format!("{cloud}/_lab/cloudtrail")).body(order.to_string()).send()?;
    if !answer.status().is_success() {
        return Err(answer.text()?.into());
    }
    let (pages, bare) = read_bare(&http, &cloud)?;
    figure("reports: pages of 1 000 000 events", pages as f64, 0);
    figure("reports: events per second, read without looking at them", EVENTS as f64 / bare.as_secs_f64(), 0);
    let mut rates = Vec::new();
    for kind in ["key-report", "service-report"] {
        program.wait_until_idle()?;
        let at_rest = program.memory("VmRSS")?;
        let body = json!({"name": "bench", "report_type": kind, "start_time": start, "cloud_watch_params":
            [{"kms": "bench", "log_group_region": REGION, "log_group_name": format!("aws-cloudtrail-logs-{ACCOUNT}")}]});
        let made = runtime.block_on(make(&program, &body))?;
        let rate = EVENTS as f64 / made.took.as_secs_f64();
        figure(&format!("reports: {kind}, events per second"), rate, 0);
        at_least(&format!("reports: {kind}, the same as a ratio"), bare.as_secs_f64() / made.took.as_secs_f64(), 0.7);
        at_most(&format!("reports: {kind}, memory above that at rest, in MiB"), made.memory - at_rest, 200.0);
        at_most(
            &format!("reports: {kind}, another read meanwhile, 99th percentile, in ms"),
            percentile(&made.reads, 99),
            20.0,
        );
        rates.push((kind, made.id, at_rest));
    }
    let Some((_, id, at_rest)) = rates.first() else { return Ok(()) };
    let (length, took, memory) = runtime.block_on(download(&program, id))?;
    figure("reports: bytes of the CSV", length as f64, 0);
    figure("reports: MiB per second of the CSV", length as f64 / 1_048_576.0 / took.as_secs_f64(), 1);
    at_most("reports: memory above that at rest after the CSV, in MiB", memory - at_rest, 200.0);
    program.stop()
}

/// Adds a KMS, and returns AWS's id of a key in it.
async fn prepare(program: &Program) -> Outcome<String> {
    let (token, mut connection) = (program.sign_in("admin").await?, program.connect().await?);
    let kms = json!({"name": "bench", "account_id": ACCOUNT, "connection": "test_aws-connection", "regions": [REGION]});
    connection.send_expecting(&request("POST", "/api/v1/cckm/aws/kms", &token, &kms.to_string()), 201).await?;
    let key = json!({"kms": "bench", "region": REGION, "aws_param": {}}).to_string();
    let key = connection.send_expecting(&request("POST", "/api/v1/cckm/aws/keys", &token, &key), 201).await?;
    Ok(key["aws_param"]["KeyID"].as_str().ok_or("no key")?.to_owned())
}

/// Reads all pages and looks only for their tokens. Returns the number of pages and the time.
fn read_bare(http: &Client, cloud: &str) -> Outcome<(u64, Duration)> {
    let lab: toml::Table = std::fs::read_to_string("config/lab-cloud.toml")?.parse()?;
    let user = &lab["accounts"][0]["users"][0];
    let text = |member: &str| user[member].as_str().unwrap_or_default().to_owned();
    let credentials = AwsCredentials::new(text("access_key_id"), text("secret_access_key"), None, None);
    let place = Region::Custom { name: REGION.to_owned(), endpoint: cloud.to_owned() };
    let (mut pages, mut token, began) = (0, None::<String>, Instant::now());
    loop {
        let mut body = json!({"logGroupName": format!("aws-cloudtrail-logs-{ACCOUNT}"), "startTime": 0,
            "filterPattern": "{ $.eventSource = \"kms.amazonaws.com\" }"});
        if let Some(token) = &token {
            body["nextToken"] = json!(token);
        }
        let mut signed = SignedRequest::new("POST", "logs", &place, "/");
        signed.set_content_type("application/x-amz-json-1.1".to_owned());
        signed.add_header("x-amz-target", "Logs_20140328.FilterLogEvents");
        signed.set_payload(Some(body.to_string().into_bytes()));
        signed.sign(&credentials);
        let mut sent = http.post(format!("{cloud}/")).body(body.to_string());
        for (name, values) in signed.headers() {
            for value in values {
                sent = sent.header(name.as_str(), value.as_slice());
            }
        }
        let answer = sent.send()?.error_for_status()?.text()?;
        pages += 1;
        // The token follows the events, or precedes them.
        let after = answer.find("\"nextToken\":\"").map(|at| &answer[at + 13..]);
        token = after.and_then(|rest| rest.split('"').next()).map(str::to_owned);
        if token.is_none() {
            return Ok((pages, began.elapsed()));
        }
    }
}

struct Made {
    id: String,
    took: Duration,
    /// The most memory meanwhile, in MiB.
    memory: f64,
    /// The times of another client's reads, in milliseconds.
    reads: Vec<f64>,
}

async fn make(program: &Program, body: &Value) -> Outcome<Made> {
    let token = program.sign_in("admin").await?;
    let (mut own, mut other) = (program.connect().await?, program.connect().await?);
    let began = Instant::now();
    let create = request("POST", "/api/v1/cckm/aws/reports", &token, &body.to_string());
    let report = own.send_expecting(&create, 202).await?;
    let id = report["id"].as_str().ok_or("no id")?.to_owned();
    let poll = request("GET", &format!("/api/v1/cckm/aws/reports/{id}"), &token, "");
    let read = request("GET", "/api/v1/cckm/aws/kms?limit=1", &token, "");
    let (mut memory, mut reads, mut polled) = (0.0_f64, Vec::new(), Instant::now());
    loop {
        let sent = Instant::now();
        other.send_expecting(&read, 200).await?;
        reads.push(sent.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(PAUSE).await;
        if polled.elapsed() > Duration::from_millis(100) {
            polled = Instant::now();
            memory = memory.max(program.memory("VmRSS")?);
            let report = own.send_expecting(&poll, 200).await?;
            match report["overall_status"].as_str() {
                Some("in_progress") if began.elapsed() < LATEST => {}
                Some("completed") => return Ok(Made { id, took: began.elapsed(), memory, reads }),
                _ => return Err(report.to_string().into()),
            }
        }
    }
}

/// Returns the length of the CSV, the time, and the memory then.
async fn download(program: &Program, id: &str) -> Outcome<(usize, Duration, f64)> {
    let token = program.sign_in("admin").await?;
    let mut connection: Connection = program.connect().await?;
    let began = Instant::now();
    let path = format!("/api/v1/cckm/aws/reports/{id}/download");
    let length = connection.drain(&request("GET", &path, &token, "")).await?;
    Ok((length, began.elapsed(), program.memory("VmRSS")?))
}

fn ago(seconds: i64) -> String {
    (Utc::now() - TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Secs, true)
}
