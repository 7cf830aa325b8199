//! One page of the list of KMSs: with 100 000 entries it may cost at most twice as much as with 100. Two programs run
//! at the same time and are asked alternately. Lists whose cost depends on more than the page (a filter, a user who may
//! see few entries) are measured without a target.

use crate::Outcome;
use crate::connection::request;
use crate::figures::{at_most, figure, median};
use crate::program::{PASSWORD, Program};
use crate::start::write_log;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const FEW: u64 = 100;
const MANY: u64 = 100_000;
/// The number of requests for each list; the programs alternate after every [`TURN`] requests.
const ASKED: usize = 2_000;
const TURN: usize = 100;
/// The number of requests for the lists that read all rows.
const ASKED_SLOW: usize = 200;

/// One program, and the tokens of its users.
struct Side {
    program: Program,
    admin: String,
    user: String,
}

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    let (few, many) = (directory.join("few"), directory.join("many"));
    write_log(&few, runtime, FEW, FEW)?;
    write_log(&many, runtime, MANY, MANY)?;
    runtime.block_on(async {
        let (few, many) = (Side::start(&few).await?, Side::start(&many).await?);
        let first = compare(&few, &many, Side::admin_asks, "", ASKED).await?;
        // These pages begin in the middle of each list.
        let middle = (
            time(&few, Side::admin_asks, &format!("?skip={}", FEW / 2), ASKED).await?,
            time(&many, Side::admin_asks, &format!("?skip={}", MANY / 2), ASKED).await?,
        );
        let filtered = compare(&few, &many, Side::admin_asks, "?name=account-7*", ASKED_SLOW).await?;
        let user = compare(&few, &many, Side::user_asks, "", ASKED_SLOW).await?;
        let shown = |what: &str, times: (f64, f64)| {
            figure(&format!("list: {what}, 100 entries, in µs"), times.0, 0);
            figure(&format!("list: {what}, 100 000 entries, in µs"), times.1, 0);
        };
        shown("a filter by name", filtered);
        shown("a user who sees one entry", user);
        shown("a page from the middle", middle);
        shown("the first page", first);
        at_most("list: a page from the middle, 100 000 entries to 100", middle.1 / middle.0, 2.0);
        at_most("list: the first page, 100 000 entries to 100", first.1 / first.0, 2.0);
        few.program.stop()?;
        many.program.stop()
    })
}

/// The median times of a list in both programs, in microseconds.
async fn compare(
    few: &Side,
    many: &Side,
    asks: fn(&Side, &str) -> Vec<u8>,
    query: &str,
    times: usize,
) -> Outcome<(f64, f64)> {
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for _ in 0..times / TURN {
        here.push(time(few, asks, query, TURN).await?);
        there.push(time(many, asks, query, TURN).await?);
    }
    Ok((median(here), median(there)))
}

async fn time(side: &Side, asks: fn(&Side, &str) -> Vec<u8>, query: &str, times: usize) -> Outcome<f64> {
    // The connection is new, so that it is not closed because it was idle.
    let (request, mut conn) = (asks(side, query), side.program.connect().await?);
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        let began = Instant::now();
        let answer = conn.send(&request).await?;
        took.push(micros(began.elapsed()));
        if answer.status != 200 {
            return Err(format!("{}: {}", answer.status, String::from_utf8_lossy(answer.body)).into());
        }
    }
    Ok(median(took))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

impl Side {
    /// Starts the program, and creates a user who may see only its last KMS.
    async fn start(directory: &Path) -> Outcome<Self> {
        let program = Program::start(directory)?;
        let (admin, mut conn) = (program.sign_in("admin").await?, program.connect().await?);
        let user = json!({"username": "ann", "password": PASSWORD}).to_string();
        let user = conn.send_expecting(&request("POST", "/api/v1/usermgmt/users", &admin, &user), 201).await?;
        let last = conn.send_expecting(&list(&admin, "?sort=-createdAt&limit=1"), 200).await?;
        let path = format!("/api/v1/cckm/aws/kms/{}/update-acls", last["resources"][0]["id"].as_str().ok_or("no id")?);
        let acls = json!({"user_id": user["user_id"], "actions": ["view"], "permit": true}).to_string();
        conn.send_expecting(&request("POST", &path, &admin, &acls), 200).await?;
        let user = program.sign_in("ann").await?;
        Ok(Self { program, admin, user })
    }

    fn admin_asks(&self, query: &str) -> Vec<u8> {
        list(&self.admin, query)
    }

    fn user_asks(&self, query: &str) -> Vec<u8> {
        list(&self.user, query)
    }
}

fn list(token: &str, query: &str) -> Vec<u8> {
    request("GET", &format!("/api/v1/cckm/aws/kms{query}"), token, "")
}
