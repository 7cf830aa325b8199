//! `/v1/auth`

mod preferences;
mod rights;
mod tokens;
