//! Reading one KMS over 32 persistent connections, compared with a bare actix handler that answers the same bytes over
//! the same TLS. The server has one processor and one worker, and the client has another processor, so that the server
//! is the bottleneck.

use crate::Outcome;
use crate::connection::{Connection, request};
use crate::figures::{at_least, figure, median};
use crate::program::{Program, keep_to};
use actix_web::http::header::HeaderName;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use claviger::cli::config::TlsSettings;
use claviger::cli::tls::Certificate;
use futures_util::future::try_join_all;
use serde_json::json;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const CONNECTIONS: usize = 32;
const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_millis(1500);
/// The processors of the server and of the client.
const SERVER: Option<usize> = Some(0);
const CLIENT: Option<usize> = Some(1);

/// The figures of one round of one server.
pub(crate) struct Round {
    pub per_second: f64,
    pub cpu_micros: f64,
}

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    keep_to(SERVER)?;
    let program = Program::start(directory)?;
    let (request, answer) = runtime.block_on(prepare(&program))?;
    std::fs::write(directory.join("answer"), answer)?;
    let bare = Program::bare(directory)?;
    keep_to(CLIENT)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        let (mut our_connections, mut their_connections) = (connections(&program).await?, connections(&bare).await?);
        for round in 0..=ROUNDS {
            let (our, their) = (
                measure(&program, &mut our_connections, &request).await?,
                measure(&bare, &mut their_connections, &request).await?,
            );
            // The first round is a warm-up.
            if round > 0 {
                ours.push(our);
                theirs.push(their);
            }
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    keep_to(None)?;
    let rate = |rounds: &[Round]| median(rounds.iter().map(|round| round.per_second).collect());
    let cost = |rounds: &[Round]| median(rounds.iter().map(|round| round.cpu_micros).collect());
    figure("get: requests per second, bare actix handler", rate(&theirs), 0);
    figure("get: requests per second, one KMS", rate(&ours), 0);
    figure("get: server's processor time per request, bare actix handler, in µs", cost(&theirs), 2);
    figure("get: server's processor time per request, one KMS, in µs", cost(&ours), 2);
    figure("get: processor time, bare actix handler to one KMS", cost(&theirs) / cost(&ours), 2);
    at_least("get: requests per second, one KMS to bare actix handler", rate(&ours) / rate(&theirs), 0.7);
    program.stop()
}

/// Creates a KMS of the size of the vendor's example; returns the request that reads it, and the complete answer.
async fn prepare(program: &Program) -> Outcome<(Vec<u8>, Vec<u8>)> {
    let (token, mut conn) = (program.sign_in("admin").await?, program.connect().await?);
    let body = json!({"account_id": "123456789012", "connection": "test_aws-connection", "name": "kms",
        "regions": ["ap-south-1", "us-east-1"]});
    let kms = conn.send_expecting(&request("POST", "/api/v1/cckm/aws/kms", &token, &body.to_string()), 201).await?;
    let path = format!("/api/v1/cckm/aws/kms/{}", kms["id"].as_str().ok_or("no id")?);
    let acls = json!({"group": "CCKM Users", "actions": ["view", "keycreate"], "permit": true}).to_string();
    conn.send_expecting(&request("POST", &format!("{path}/update-acls"), &token, &acls), 200).await?;
    let request = request("GET", &path, &token, "");
    let answer = conn.send(&request).await?;
    Ok((request, [answer.head, answer.body].concat()))
}

async fn connections(program: &Program) -> Outcome<Vec<Connection>> {
    try_join_all((0..CONNECTIONS).map(|_| program.connect())).await
}

pub(crate) async fn measure(program: &Program, connections: &mut [Connection], request: &[u8]) -> Outcome<Round> {
    let (began, cpu) = (Instant::now(), program.cpu()?);
    let counts = try_join_all(connections.iter_mut().map(|conn| send_until(conn, request, began + ROUND))).await?;
    let (took, cpu) = (began.elapsed(), program.cpu()? - cpu);
    let requests = counts.iter().sum::<u64>() as f64;
    Ok(Round { per_second: requests / took.as_secs_f64(), cpu_micros: cpu.as_secs_f64() * 1e6 / requests })
}

async fn send_until(conn: &mut Connection, request: &[u8], end: Instant) -> Outcome<u64> {
    let mut answered = 0;
    while Instant::now() < end {
        match conn.send(request).await?.status {
            200 => answered += 1,
            other => return Err(format!("answered with {other}").into()),
        }
    }
    Ok(answered)
}

/// The reference: a minimal actix server that answers these bytes.
pub(crate) fn serve_bare(directory: &Path) -> Outcome<()> {
    let answer = std::fs::read(directory.join("answer"))?;
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n").ok_or("no answer")? + 4;
    let body = Bytes::copy_from_slice(&answer[end..]);
    let tls = Certificate::load(&TlsSettings::default(), &directory.join("data"))?.server_config()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("API https://{}/api/v1", listener.local_addr()?);
    let server = HttpServer::new(move || {
        let body = body.clone();
        let handler = move || {
            let body = body.clone();
            async move {
                // This header gives the head the same length.
                let id = (HeaderName::from_static("x-request-id"), "b3f1c8de-8a52-4f0c-9f43-1d2a64a0a7c1");
                HttpResponse::Ok().insert_header(id).content_type("application/json").body(body)
            }
        };
        App::new().route("/api/v1/cckm/aws/kms/{id}", web::get().to(handler))
    });
    let server = server.workers(1).listen_rustls_0_23(listener, tls)?.run();
    Ok(actix_web::rt::System::new().block_on(server)?)
}
