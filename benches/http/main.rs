//! Benchmarks of the program over HTTPS. Each figure is compared with a reference or a limit measured in the same run:
//!
//! - `get`: reading one KMS, compared with a bare actix handler that answers the same bytes over the same TLS
//! - `patch`: durable changes of 64 concurrent clients, compared with the disk's rate of synced writes
//! - `start`: replay, time to readiness and memory with 1 000 000 events and 10 000 KMS entries
//! - `list`: one page of the list with 100 000 KMS entries, compared with the same page with 100
//! - `keys`: finding one of 1 000 000 keys, long pages of keys, and their effect on another client
//! - `deletion`: another client's changes while the 100 000 keys of a deleted KMS are removed
//! - `posture`: the posture of 100 000 keys, compared with a list that reads them all
//! - `memory`: the memory of a key
//! - `reports`: a report of 1 000 000 CloudTrail events, compared with reading the same pages, and its memory
//! - `audit`: pages of audit records of 1 000 000 events
//! - `logins`: reading beside a flood of 200 sign-ins a second, compared with reading alone
//! - `soak`: ten minutes of mixed requests: throughput, latencies and memory over time; runs only if it is named
//! - `forwarding`: durable changes with a syslog receiver, with checkpoints, and without both
//! - `xks`: encryption by the XKS proxy, compared with a bare actix handler over the same TLS; the memory of its keys
//! - `xks-load`: encryption at AWS's default quota beside changes and synchronisations, compared with the same alone
//!
//! `cargo bench --bench http` runs all of them but `soak`; `cargo bench --bench http -- get list` only those named.
//! Each prints its figures and, in one line, the target and whether it is met. The tested program is the real one,
//! started as `claviger lab`. Its data is in `target/bench-http`, so the disk of that directory is measured. The rounds
//! of the compared programs alternate, and medians are compared, so that other load on the machine affects all of them
//! alike.

mod audit;
mod connection;
mod deletion;
#[path = "../disk/mod.rs"]
mod disk;
mod figures;
mod forwarding;
mod get;
mod keys;
#[path = "../large_log/mod.rs"]
mod large_log;
mod list;
mod logins;
mod memory;
mod patch;
mod posture;
mod program;
mod reports;
mod soak;
mod start;
mod xks;
mod xks_load;
mod xks_peer;

use std::error::Error;
use std::path::Path;
use tokio::runtime::Builder;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    if let Some(directory) = std::env::var_os(program::BARE) {
        return get::serve_bare(Path::new(&directory));
    }
    if let (Ok(role), Some(directory)) = (std::env::var(program::XKS), std::env::var_os(program::XKS_DIRECTORY)) {
        return xks::serve(&role, Path::new(&directory));
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let root = std::env::current_dir()?.join("target/bench-http");
    let _ = std::fs::remove_dir_all(&root);
    for name in [
        "get",
        "patch",
        "start",
        "list",
        "keys",
        "deletion",
        "posture",
        "memory",
        "reports",
        "audit",
        "logins",
        "soak",
        "forwarding",
        "xks",
        "xks-load",
    ] {
        if wanted.is_empty() && name != "soak" || wanted.iter().any(|part| part == name) {
            let directory = root.join(name);
            std::fs::create_dir_all(&directory)?;
            // The client has one thread, so that it uses as little of the machine as possible.
            let runtime = Builder::new_current_thread().enable_all().build()?;
            match name {
                "get" => get::run(&directory, &runtime)?,
                "patch" => patch::run(&directory, &runtime)?,
                "start" => start::run(&directory, &runtime)?,
                "list" => list::run(&directory, &runtime)?,
                "keys" => keys::run(&directory, &runtime)?,
                "deletion" => deletion::run(&directory, &runtime)?,
                "posture" => posture::run(&directory, &runtime)?,
                "reports" => reports::run(&directory, &runtime)?,
                "audit" => audit::run(&directory, &runtime)?,
                "logins" => logins::run(&directory, &runtime)?,
                "soak" => soak::run(&directory, &runtime)?,
                "forwarding" => forwarding::run(&directory, &runtime)?,
                "xks" => xks::run(&directory, &runtime)?,
                "xks-load" => xks_load::run(&directory, &runtime)?,
                _ => memory::run()?,
            }
        }
    }
    std::fs::remove_dir_all(&root)?;
    Ok(())
}
