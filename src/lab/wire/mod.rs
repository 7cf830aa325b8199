//! The wire protocols of AWS's services: how requests and answers are spelled, with no meaning in them.

pub(super) mod json;
pub(super) mod query;
pub(super) mod xml;
