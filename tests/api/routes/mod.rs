//! Tests of all routes: access, invalid requests, the description of the API.

mod access;
mod bad_input;
mod malformed_requests;
mod openapi;
mod revoked_rights;
mod rights;
mod versions;
