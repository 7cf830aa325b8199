//! Version 2 of the record. Variants are added at the end of an enum; nothing else here is ever changed.

mod connection;
mod event;
mod group;
mod installation;
mod job;
mod key;
mod kms;
mod operation;
pub(super) mod primitives;
mod schedule;
mod session;
mod source_key;
mod template;
mod user;

#[cfg(test)]
pub(in crate::ledger) use event::Actor;
pub(in crate::ledger) use event::{Entry, Event};
pub(in crate::ledger) use primitives::Text;
#[cfg(test)]
pub(in crate::ledger) use primitives::{Bytes, Moment};
