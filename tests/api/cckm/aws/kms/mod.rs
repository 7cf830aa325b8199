//! `/v1/cckm/aws/kms`

mod archived;
mod connection;
mod deletion;
mod history;
mod regions;
