//! The audit trail: the records of the log for administrators.
//!
//! - `record`: one record as it is shown and forwarded

pub mod record;
