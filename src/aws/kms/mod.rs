//! The client for AWS KMS.
//!
//! Services send the calls of `calls/` through [`port::AwsKms`]. `aws::rusoto` implements the port for AWS, `scripted`
//! for tests.

pub mod calls;
pub mod custom_key_store;
pub mod port;

mod json;
mod key_metadata;

#[cfg(test)]
mod fake_kms;
#[cfg(test)]
mod moto_test;
#[cfg(test)]
pub mod scripted;
#[cfg(test)]
mod tests;
