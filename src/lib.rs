//! Claviger: the AWS side of a cloud key manager that an organisation runs itself.
//!
//! One request goes one way through the house: `http` parses and authorises, `service` runs the use case,
//! `domain` judges it, `ledger` records it. `docs/architecture.md` has the whole picture, and
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
