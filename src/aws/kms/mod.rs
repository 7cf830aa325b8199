//! The way out to AWS KMS.
//!
//! Services make the calls of `calls/` through [`port::AwsKms`]; `aws::rusoto` is the port on AWS itself, `scripted`
//! the one for tests.

pub mod calls;
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
