//! `/v1/cckm`

pub(crate) mod aws;
mod virtual_keys;
