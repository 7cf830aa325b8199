//! Version 2 of the record. Variants may be added at the end of an enum; nothing else here ever changes.

pub(super) mod alarm;
pub(super) mod backup;
pub(super) mod connection;
pub(super) mod drift;
mod event;
pub(super) mod forwarder;
pub(super) mod group;
pub(super) mod installation;
pub(super) mod job;
pub(super) mod key;
pub(super) mod key_store;
pub(super) mod kms;
pub(super) mod operation;
pub(super) mod posture;
pub(super) mod primitives;
pub(super) mod report;
pub(super) mod schedule;
pub(super) mod session;
pub(super) mod source_key;
pub(super) mod template;
pub(super) mod user;
pub(super) mod webhook;

#[cfg(test)]
pub(in crate::ledger) use event::Actor;
pub(in crate::ledger) use event::{Entry, Event};
pub(in crate::ledger) use primitives::Text;
#[cfg(test)]
pub(in crate::ledger) use primitives::{Bytes, Moment};
