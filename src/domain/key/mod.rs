//! AWS keys: the aggregate, AWS's metadata and enumerations, and AWS's limits.
//!
//! Enumerations of AWS are open: a value that AWS adds later is kept as `Other`, in the log too. Input of a caller is
//! parsed strictly; values from AWS are accepted as they are.

pub mod aggregate;
mod apply;
pub mod aws_enums;
pub mod collection;
pub mod command;
mod conclude;
pub mod days;
pub mod decide;
pub mod event;
#[cfg(test)]
pub(crate) mod example;
pub mod follow_up;
pub mod grant;
pub mod hyok;
pub mod index;
pub mod last_use;
pub mod mark;
pub mod material;
pub mod metadata;
pub mod name;
pub mod operation;
pub mod policy;
pub mod policy_difference;
pub mod policy_text;
pub mod refusal;
pub mod renewal;
mod shared;
pub mod spec;
pub mod sync;
pub mod tag;
pub mod virtual_key;
