//! `/v1/audit`

mod attempts;
mod past;
mod records;
