//! `/v1/usermgmt`

mod users;
