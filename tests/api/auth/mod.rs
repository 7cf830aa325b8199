//! `/v1/auth`

mod tokens;
