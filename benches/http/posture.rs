//! The posture of 100 000 keys, compared with a list of the same keys by a filter that no index serves, which reads all
//! of them too. The policies have 5 000 distinct texts. `HTTP_BENCH_POSTURE_KEYS` sets the number of keys.

use crate::Outcome;
use crate::connection::{millis, request};
use crate::figures::{at_most, figure, median};
use crate::large_log;
use crate::large_log::keys::fill;
use crate::program::Program;
use std::path::Path;
use std::time::Instant;
use tokio::runtime::Runtime;

const KEYS: u64 = 100_000;
const ROUNDS: usize = 20;

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    let wanted = std::env::var("HTTP_BENCH_POSTURE_KEYS").ok().and_then(|count| count.parse().ok());
    let keys: u64 = wanted.unwrap_or(KEYS);
    Program::start(directory)?.stop()?;
    runtime.block_on(async {
        let ledger = large_log::open(&directory.join("data"))?;
        fill(&ledger, keys).await?;
        ledger.close().await;
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    let program = Program::start(directory)?;
    program.wait_until_idle()?;
    runtime.block_on(async {
        let (token, mut conn) = (program.sign_in("admin").await?, program.connect().await?);
        let get = |path: &str| request("GET", &format!("/api/v1/cckm/aws/{path}"), &token, "");
        let (posture, list) = (get("posture"), get("keys?tags=environment&limit=1"));
        let finding = get("posture/findings/no_rotation?limit=10");
        let access = get("access?principal=arn:aws:iam::000000000001:role/Operations");
        let first = Instant::now();
        let seen = conn.send_expecting(&posture, 200).await?;
        figure("posture: keys", seen["keys"].as_f64().unwrap_or_default(), 0);
        figure("posture: the first answer, in ms", first.elapsed().as_secs_f64() * 1e3, 1);
        let (mut by_posture, mut by_list, mut by_finding, mut by_access) = (vec![], vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            by_posture.push(millis(&mut conn, &posture).await?);
            by_list.push(millis(&mut conn, &list).await?);
            by_finding.push(millis(&mut conn, &finding).await?);
            by_access.push(millis(&mut conn, &access).await?);
        }
        let (posture, list) = (median(by_posture), median(by_list));
        figure("posture: a list by a filter that no index serves, in ms", list, 1);
        figure("posture: a page of the keys of a finding, in ms", median(by_finding), 1);
        figure("posture: the keys that a principal may use, in ms", median(by_access), 1);
        at_most("posture: an answer, in ms", posture, 200.0);
        at_most("posture: an answer, compared with that list", posture / list, 3.0);
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    program.stop()
}
