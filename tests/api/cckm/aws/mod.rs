//! `/v1/cckm/aws`

mod action_table;
mod bulkjob;
mod cloud_hsm_keys;
mod credential_rotation;
mod custom_key_stores;
mod custom_key_stores_cloudhsm;
mod custom_key_stores_crash;
mod custom_key_stores_linked;
mod custom_key_stores_sync;
mod drift_events;
pub(crate) mod hyok_keys;
mod hyok_keys_linked;
mod iam;
mod keys;
mod kms;
mod log_groups;
mod permissions;
mod posture;
mod principals;
mod reports;
pub(crate) mod synchronization_jobs;
mod templates;
mod vendor_examples;
