//! The wire protocols of AWS's services: how requests and answers are spelled, with no meaning in them.

pub mod json;
pub mod query;
pub mod xml;
