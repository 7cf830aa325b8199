//! `/v1/cckm/aws`

mod bulkjob;
mod iam;
mod keys;
mod kms;
mod synchronization_jobs;
mod templates;
mod vendor_examples;
