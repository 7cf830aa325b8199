//! `/v1/cckm/aws/keys`

mod access;
mod bad_input;
mod crash;
mod halfway;
mod lifecycle;
mod material;
mod policy_check;
mod principals;
mod renewal;
mod rotation;
mod searched;
