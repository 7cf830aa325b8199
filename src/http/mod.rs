//! The API over HTTPS. Each handler authorizes the caller, reads the request, calls one use case and renders the
//! answer. The module uses actix, and has no access to the ledger or AWS.

pub mod answer;
pub mod body;
pub mod bulk_jobs;
pub mod connections;
pub mod describe;
pub mod detached;
pub mod endpoint;
pub mod envelope;
pub mod error;
pub mod examples;
pub mod groups;
pub mod guard;
pub mod health;
pub mod history;
pub mod iam;
pub mod json_object;
pub mod keys;
pub mod kms;
pub mod metrics;
pub mod openapi;
pub mod paging;
pub mod password_policy;
pub mod rendered;
pub mod required_right;
pub mod routes;
pub mod schedules;
pub mod server;
pub mod source_keys;
pub mod sync_jobs;
pub mod tcp;
pub mod templates;
pub mod text;
pub mod tokens;
pub mod trace;
pub mod users;
