//! Claviger: the AWS side of a cloud key manager that an organisation runs itself.
//!
//! A request passes through the modules in this order: `http` parses and authorizes, `service` runs the use case,
//! `domain` decides, `ledger` records. `docs/architecture.md` describes them, and `tests/api/architecture.rs` has the
//! table of permitted dependencies.
#![forbid(unsafe_code)]

pub mod attempt_log;
pub mod aws;
pub mod backup;
pub mod bounded_file;
pub mod call_journal;
pub mod cli;
pub mod domain;
pub mod forward;
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
pub mod keyring;
pub mod lab;
pub mod ledger;
pub mod listener;
pub mod policy;
pub mod report_store;
pub mod segment_files;
pub mod service;
pub mod sigv4;
pub mod sled_files;
pub mod webhook;
pub mod xks;
