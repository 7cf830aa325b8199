//! `/v1/cckm/aws/kms`

mod history;
mod regions;
