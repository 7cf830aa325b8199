//! Claviger: the AWS side of a cloud key manager that an organisation runs itself.
//!
//! A request passes the modules in one order: `http` parses and authorises, `service` runs the use case,
//! `domain` decides, `ledger` records. `docs/architecture.md` describes them, and
//! `tests/api/architecture.rs` holds the table of who may use whom.
#![forbid(unsafe_code)]

pub mod aws;
pub mod cli;
pub mod domain;
pub mod http;
pub mod keyring;
pub mod lab;
pub mod ledger;
pub mod service;
