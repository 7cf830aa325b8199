//! A soak: 32 clients do for ten minutes what clients do, each one thing after the other: reads, changes, lists,
//! renewed sessions, sign-ins. Every ten seconds a line with the requests in that time, their latencies, and the memory
//! of the program. `HTTP_BENCH_SOAK_SECONDS` is another duration.

use crate::Outcome;
use crate::connection::{Connection, request};
use crate::figures::{at_most, figure, percentile};
use crate::program::{PASSWORD, Program};
use futures_util::future::{try_join, try_join_all};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const CLIENTS: usize = 32;
const SECONDS: u64 = 600;
const LINE: Duration = Duration::from_secs(10);
/// The p99 of the last quarter to that of the first one.
const LATER_TO_EARLIER: f64 = 1.5;

/// What a client does in one cycle: the kind, and how often.
const CYCLE: [(Kind, usize); 5] =
    [(Kind::Get, 20), (Kind::Patch, 6), (Kind::List, 2), (Kind::Refresh, 1), (Kind::SignIn, 1)];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Get,
    Patch,
    List,
    Refresh,
    SignIn,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET of a group",
            Self::Patch => "PATCH of a group",
            Self::List => "list of 100 groups",
            Self::Refresh => "renewed session",
            Self::SignIn => "sign-in",
        }
    }
}

/// An answered request: its kind, the seconds since the begin, and the milliseconds that it took.
type Sample = (Kind, f64, f64);

struct Client {
    connection: Connection,
    user: String,
    group: String,
    token: String,
    refresh: String,
    patched: usize,
}

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    let seconds = std::env::var("HTTP_BENCH_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    let program = Program::start(directory)?;
    let samples = RefCell::new(Vec::new());
    let memory = runtime.block_on(async {
        let mut clients = prepare(&program).await?;
        let (began, end) = (Instant::now(), Instant::now() + Duration::from_secs(seconds));
        let work = try_join_all(clients.iter_mut().map(|client| client.work(began, end, &samples)));
        let (_, memory) = try_join(work, watch(&program, began, end, &samples)).await?;
        Ok::<_, Box<dyn std::error::Error>>(memory)
    })?;
    let samples = samples.into_inner();
    figure("soak: seconds", seconds as f64, 0);
    figure("soak: requests per second", samples.len() as f64 / seconds as f64, 0);
    for (kind, _) in CYCLE {
        let times: Vec<f64> = samples.iter().filter(|(of, ..)| *of == kind).map(|(.., took)| *took).collect();
        figure(&format!("soak: {}: per second", kind.name()), times.len() as f64 / seconds as f64, 1);
        let [p50, p99, p999] = latencies(&times);
        println!("{:<72}{p50:>12.2}{p99:>10.2}{p999:>10.2}", format!("soak: {}: p50, p99, p99.9, in ms", kind.name()));
    }
    let quarter = |n: f64| {
        let (from, to) = (seconds as f64 * n / 4.0, seconds as f64 * (n + 1.0) / 4.0);
        let times = samples.iter().filter(|(_, at, _)| (from..to).contains(at)).map(|(.., took)| *took);
        percentile(&times.collect::<Vec<_>>(), 99)
    };
    at_most("soak: p99 of the last quarter to that of the first", quarter(3.0) / quarter(0.0), LATER_TO_EARLIER);
    if let (Some(first), Some(last)) = (memory.first(), memory.last()) {
        figure("soak: memory after ten seconds, in MiB", *first, 1);
        figure("soak: memory at the end, in MiB", *last, 1);
    }
    program.stop()
}

/// Creates a user and a group for each client.
async fn prepare(program: &Program) -> Outcome<Vec<Client>> {
    let (token, mut conn) = (program.sign_in("admin").await?, program.connect().await?);
    let mut clients = Vec::new();
    for n in 0..100.max(CLIENTS) {
        let group = json!({"name": format!("group-{n}"), "description": "x".repeat(100)}).to_string();
        conn.send_expecting(&request("POST", "/api/v1/usermgmt/groups", &token, &group), 201).await?;
    }
    for n in 0..CLIENTS {
        let user = format!("user-{n}");
        let body = json!({"username": user, "password": PASSWORD}).to_string();
        let made = conn.send_expecting(&request("POST", "/api/v1/usermgmt/users", &token, &body), 201).await?;
        let id = made["user_id"].as_str().ok_or("no id")?.replace('|', "%7C");
        let path = format!("/api/v1/usermgmt/groups/admin/users/{id}");
        conn.send_expecting(&request("POST", &path, &token, "{}"), 200).await?;
        let group = format!("/api/v1/usermgmt/groups/group-{n}");
        let connection = program.connect().await?;
        clients.push(Client { connection, user, group, token: String::new(), refresh: String::new(), patched: 0 });
    }
    for client in &mut clients {
        client.do_one(Kind::SignIn).await?;
    }
    Ok(clients)
}

/// Prints a line every ten seconds; returns the memory in each of them.
async fn watch(program: &Program, began: Instant, end: Instant, samples: &RefCell<Vec<Sample>>) -> Outcome<Vec<f64>> {
    println!("{:>8}{:>12}{:>10}{:>10}{:>10}{:>10}", "seconds", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "MiB");
    let (mut seen, mut memory, mut next) = (0, Vec::new(), began + LINE);
    while next <= end {
        tokio::time::sleep_until(next.into()).await;
        let times: Vec<f64> = samples.borrow()[seen..].iter().map(|(.., took)| *took).collect();
        seen += times.len();
        let [p50, p99, p999] = latencies(&times);
        let resident = program.memory("VmRSS")?;
        let (at, rate) = ((next - began).as_secs(), times.len() as f64 / LINE.as_secs_f64());
        println!("{at:>8}{rate:>12.0}{p50:>10.2}{p99:>10.2}{p999:>10.2}{resident:>10.1}");
        memory.push(resident);
        next += LINE;
    }
    Ok(memory)
}

/// The median, the 99th percentile and the 99.9th one.
fn latencies(times: &[f64]) -> [f64; 3] {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    [500, 990, 999].map(|part| times.get(times.len() * part / 1_000).copied().unwrap_or(f64::NAN))
}

impl Client {
    async fn work(&mut self, began: Instant, end: Instant, samples: &RefCell<Vec<Sample>>) -> Outcome<()> {
        loop {
            for (kind, times) in CYCLE {
                for _ in 0..times {
                    if Instant::now() >= end {
                        return Ok(());
                    }
                    let start = Instant::now();
                    self.do_one(kind).await?;
                    let sample = (kind, began.elapsed().as_secs_f64(), start.elapsed().as_secs_f64() * 1e3);
                    samples.borrow_mut().push(sample);
                }
            }
        }
    }

    async fn do_one(&mut self, kind: Kind) -> Outcome<()> {
        let to_sign_in = || json!({"username": self.user, "password": PASSWORD});
        let to_renew = || json!({"grant_type": "refresh_token", "refresh_token": self.refresh});
        let (method, path, body) = match kind {
            Kind::Get => ("GET", self.group.as_str(), Value::Null),
            Kind::Patch => ("PATCH", self.group.as_str(), json!({"description": format!("change {}", self.patched)})),
            Kind::List => ("GET", "/api/v1/usermgmt/groups?limit=100", Value::Null),
            Kind::Refresh => ("POST", "/api/v1/auth/tokens", to_renew()),
            Kind::SignIn => ("POST", "/api/v1/auth/tokens", to_sign_in()),
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (token, is_login) = match kind {
            Kind::Refresh | Kind::SignIn => ("", true),
            Kind::Get | Kind::Patch | Kind::List => (self.token.as_str(), false),
        };
        let answer = self.connection.send_expecting(&request(method, path, token, &body), 200).await?;
        self.patched += usize::from(kind == Kind::Patch);
        if is_login {
            self.token = answer["jwt"].as_str().ok_or("no token")?.to_owned();
            if let Some(refresh) = answer["refresh_token"].as_str() {
                self.refresh = refresh.to_owned();
            }
        }
        Ok(())
    }
}
