//! Audit records of a log of 1 000 000 events: a page without filters, and pages that filters select. The time of the
//! first filter, which waits until the log has been read once, and the memory before and after are shown.

use crate::Outcome;
use crate::connection::{millis, request};
use crate::figures::{at_most, figure, median};
use crate::program::Program;
use crate::start::write_log;
use std::path::Path;
use tokio::runtime::Runtime;

const KMS_ENTRIES: u64 = 10_000;
const EVENTS: u64 = 1_000_000;
const ROUNDS: usize = 20;

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    write_log(directory, runtime, KMS_ENTRIES, EVENTS)?;
    let program = Program::start(directory)?;
    figure("audit: memory when ready, in MiB", program.memory("VmRSS")?, 0);
    runtime.block_on(async {
        let (token, mut conn) = (program.sign_in("admin").await?, program.connect().await?);
        let get = |query: &str| request("GET", &format!("/api/v1/audit/records?{query}"), &token, "");
        let first = millis(&mut conn, &get("event=RegionsReplaced")).await?;
        figure("audit: the first filter after the start, in ms", first, 0);
        figure("audit: memory after it, in MiB", program.memory("VmRSS")?, 0);
        for (what, query) in [
            ("a page", "limit=100"),
            ("a page by time", "limit=100&createdAfter=2020-01-01T00:00:00Z"),
            ("a page by user", "limit=100&username=admin"),
            ("a page by source", "limit=100&clientIP=127.0.0.1"),
            ("a page by kind of resource", "limit=100&resource=kms"),
            ("a page of failures", "limit=100&success=false"),
            ("a late page by event", "limit=100&event=RegionsReplaced&skip=900000"),
        ] {
            let mut times = Vec::new();
            for _ in 0..ROUNDS {
                times.push(millis(&mut conn, &get(query)).await?);
            }
            at_most(&format!("audit: {what}, in ms"), median(times), 50.0);
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    program.stop()
}
