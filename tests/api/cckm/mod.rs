//! `/v1/cckm`

pub(crate) mod aws;
