//! The way out to AWS.
//!
//! Services speak to the traits [`port::Aws`] and [`kms::port::AwsKms`] in domain terms and never learn what is behind
//! them. Nothing here decides anything about keys or KMSs, and nothing here may put a credential into a log line, an
//! error or a `Debug` text.
//!
//! What is asked of AWS is a [`call::AwsCall`]; `client.rs` makes the call.

pub mod call;
pub mod failure;
pub mod kms;
pub mod operation;
pub mod page;
pub mod port;
pub mod rusoto;
pub mod settings;

mod client;
mod concurrency_limiter;
mod credentials;
mod ec2;
mod endpoint;
mod fault;
mod iam_list;
mod iam_simulation;
mod retry;
mod sts;
mod transport;
mod xml;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod moto_test;
#[cfg(test)]
pub mod scripted;
