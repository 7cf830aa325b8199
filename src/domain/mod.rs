//! The rules, pure: `decide` says what would happen, `apply` takes in what has. No input or output, no clock, no
//! randomness, no async; times, ids and what AWS said come in as arguments. Uses nothing else of ours.

// A new variant must be decided on wherever variants are told apart: a forgotten one left keys unlocked.
#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

pub mod acl;
pub mod action;
mod cascade;
pub mod collection;
pub mod command;
pub mod connection;
pub mod cron;
pub mod event;
#[cfg(test)]
pub(crate) mod example;
pub mod group;
pub mod id;
pub mod job;
pub mod key;
pub mod kms;
pub mod name;
pub mod password;
pub mod patch;
pub mod place;
pub mod refusal;
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
