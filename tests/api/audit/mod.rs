//! `/v1/audit`

mod attempts;
mod chain;
mod downloads;
mod past;
mod records;
