//! The program under test, its clients, its lab cloud, and tools that observe it from outside.

pub(crate) mod appliance;
pub(crate) mod client;
pub(crate) mod every_get;
pub(crate) mod json_schema;
pub(crate) mod kms_fixture;
pub(crate) mod lab;
/// Large logs, which are written without the program.
#[path = "../../../benches/large_log/mod.rs"]
#[allow(dead_code, reason = "the tests need less than the benchmarks")]
pub(crate) mod large_log;
pub(crate) mod raw_http;
pub(crate) mod receiver;
pub(crate) mod small_disk;
pub(crate) mod strace;
pub(crate) mod syslog_receiver;
pub(crate) mod visible_state;
