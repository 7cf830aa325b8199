//! AWS keys: the words that AWS uses for them, what it says of one, and the limits that it sets.
//!
//! Words are open: one that AWS adds tomorrow survives as `Other`, in the log too, and prints as it came. What a caller
//! gives is parsed strictly; what AWS says is taken as it is.

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
pub mod index;
pub mod material;
pub mod metadata;
pub mod name;
pub mod operation;
pub mod policy;
pub mod policy_text;
pub mod refusal;
mod shared;
pub mod spec;
pub mod sync;
pub mod tag;
