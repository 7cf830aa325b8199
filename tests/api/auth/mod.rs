//! `/v1/auth`

mod rights;
mod tokens;
