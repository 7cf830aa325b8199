//! The way out to AWS KMS.
//!
//! Services speak to [`port::AwsKms`]. `adapter.rs` implements it: through `rusoto_kms` where rusoto 0.48 knows the
//! operation with all the members that are needed, and through signed JSON requests (`json.rs`) for what AWS has added
//! or widened since: HMAC, ML-DSA and key agreement in DescribeKey's answer, rotation periods and rotation on demand,
//! materials with ids. `answers.rs` reads those answers.

pub mod port;

mod adapter;
mod answers;
mod json;
mod send;

#[cfg(test)]
mod moto_test;
#[cfg(test)]
pub mod scripted;
#[cfg(test)]
mod tests;
