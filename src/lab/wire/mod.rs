//! The wire protocols of AWS's services: syntax of requests and answers, independent of the operations.

pub(super) mod json;
pub(super) mod query;
pub(super) mod xml;
