//! `/v1/audit`

mod attempts;
mod chain;
mod past;
mod records;
