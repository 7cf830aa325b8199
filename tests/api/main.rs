//! Black-box tests: they start the real program and talk to it as its users do. A folder is a part of the URL.

mod appliance;
mod architecture;
mod auth;
mod cckm;
mod connectionmgmt;
mod routes;
mod scheduler;
mod support;
mod usermgmt;
mod vault;
