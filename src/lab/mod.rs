//! The embedded lab cloud: an AWS of our own on a loopback port, for demonstrations, air-gapped labs and tests.
//!
//! It speaks AWS's wire protocols with signatures checked, one port for all services, so real SDKs can use it. The rest
//! of the program meets it over HTTP only, and a production command never starts it. Besides AWS's APIs it serves
//! `/_lab/`, from this machine only, for tests:
//!
//! | request | effect |
//! |---|---|
//! | `GET /_lab/health` | `{"status": "ok", "services": ["sts", …]}` |
//! | `PUT /_lab/faults` | sets the faults to order; `[]` or `DELETE` clears, `GET` shows what is left |
//! | `GET /_lab/calls` | how often each operation was called: `{"sts:AssumeRole": {"eu-west-3": 2}}`; `DELETE` clears |
//! | `DELETE /_lab/sessions` | every session issued so far is expired |
//! | `GET /_lab/clock` | how far the clock of KMS is ahead: `{"ahead_seconds": 0}`; `PUT` sets it |
//!
//! A fault: `{"service": "sts", "operation": "AssumeRole", "region": "eu-west-3", "times": 2, "delay_ms": 100,
//! "answer": "throttle"}`. `service`, `operation` and `region` may be left out (any), `times` too (1); `answer` is
//! `throttle`, `internal`, `unavailable`, `deny` or `drop`, or is left out for a delay alone.

mod call_counts;
mod caller;
mod constraint;
mod control;
mod dispatch;
mod ec2;
mod fault;
mod iam;
mod kms;
mod partition;
mod permission;
mod plan;
mod refusal;
mod secret;
mod server;
mod service;
mod session;
mod sigv4;
mod sts;
mod wire;

pub use plan::{LabKeys, LabPlan, Mistake, Problem};
pub use server::{LabCloud, LabError};

#[cfg(test)]
mod tests;
