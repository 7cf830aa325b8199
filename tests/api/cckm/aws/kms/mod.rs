//! `/v1/cckm/aws/kms`

mod deletion;
mod history;
mod regions;
