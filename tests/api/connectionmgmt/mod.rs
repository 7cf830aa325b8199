//! `/v1/connectionmgmt`

mod connections;
