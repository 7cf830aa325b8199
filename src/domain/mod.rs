//! The business rules. `decide` turns a command into events or a refusal; `apply` updates the state with an event. The
//! module does no input or output and uses no clock, no randomness, no `async` and no other module of the crate: times,
//! ids and answers of AWS are arguments.

// Every match must name every variant: a forgotten one once left keys unlocked.
#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

pub mod acl;
pub mod action;
pub mod alarm;
pub mod backup;
mod cascade;
pub mod collection;
pub mod command;
pub mod connection;
pub mod cron;
pub mod drift;
pub mod event;
#[cfg(test)]
pub(crate) mod example;
pub mod forwarder;
pub mod group;
pub mod id;
pub mod job;
pub mod key;
pub mod key_store;
pub mod kms;
pub mod metrics;
pub mod name;
pub mod password;
pub mod patch;
pub mod place;
pub mod posture;
pub mod refusal;
pub mod report;
pub mod restore;
#[cfg(test)]
pub(crate) mod scenario;
pub mod schedule;
pub mod sealed;
pub mod session;
pub mod source_key;
pub mod span;
pub mod state;
pub mod table;
pub mod template;
pub mod time;
pub mod user;
pub mod version;
pub mod webhook;
