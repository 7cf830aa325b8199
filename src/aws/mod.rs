//! The client for AWS.
//!
//! Services call AWS through the traits [`port::Aws`] and [`kms::port::AwsKms`], in domain terms, and do not depend on
//! the implementation. This module makes no decision about keys or KMSs. It never puts a credential into a log line, an
//! error or a `Debug` text.
//!
//! Each operation of AWS is a [`call::AwsCall`]; `client.rs` sends it.

pub mod asker;
pub mod call;
pub mod cloudtrail;
pub mod failure;
pub mod kms;
pub mod logs;
pub mod operation;
pub mod page;
pub mod port;
pub mod roles_anywhere;
pub mod rusoto;
pub mod settings;
pub mod witness;

mod client;
mod cloudhsm;
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

/// Whether the bytes are an XML document of AWS's query protocol; an entry point for fuzzing.
#[doc(hidden)]
pub fn is_xml(body: &[u8]) -> bool {
    xml::Element::parse(body).is_ok()
}
