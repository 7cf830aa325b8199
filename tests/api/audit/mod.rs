//! `/v1/audit`

mod records;
