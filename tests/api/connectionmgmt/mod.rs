//! `/v1/connectionmgmt`

mod connections;
mod roles_anywhere;
