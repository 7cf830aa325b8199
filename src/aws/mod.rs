//! The way out to AWS.
