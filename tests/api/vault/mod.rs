//! `/v1/vault`

mod keys2;
