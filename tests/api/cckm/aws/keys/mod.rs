//! `/v1/cckm/aws/keys`

mod access;
mod bad_input;
mod crash;
mod lifecycle;
mod material;
mod rotation;
