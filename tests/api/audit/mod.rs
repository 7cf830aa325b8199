//! `/v1/audit`

mod past;
mod records;
