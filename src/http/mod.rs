//! The doors: parse, authenticate, authorise, call one use case, render. Knows actix; knows nothing of sled or AWS.

pub mod body;
pub mod connections;
pub mod envelope;
pub mod error;
pub mod groups;
pub mod guard;
pub mod health;
pub mod history;
pub mod kms;
pub mod metrics;
pub mod paging;
pub mod password_policy;
pub mod routes;
pub mod server;
pub mod source_keys;
pub mod tokens;
pub mod trace;
pub mod users;
