//! `/v1/cckm`

mod aws;
