//! What holds for every route: access, bad requests, the description of the API.

mod access;
mod bad_input;
mod malformed_requests;
mod openapi;
mod revoked_rights;
mod rights;
