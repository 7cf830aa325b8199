//! `/v1/usermgmt`

mod pwdpolicies;
mod users;
