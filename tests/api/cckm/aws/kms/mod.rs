//! `/v1/cckm/aws/kms`

mod connection;
mod deletion;
mod history;
mod regions;
