//! Black-box tests: they start the real program and use its API. The folders follow the paths of the API.

mod alarms;
mod appliance;
mod architecture;
mod audit;
mod auth;
mod backups;
mod cckm;
mod connectionmgmt;
mod console;
mod corpus;
mod events;
mod forwarding;
mod routes;
mod scheduler;
mod search;
mod support;
mod system;
mod threat_model;
mod torture;
mod usermgmt;
mod vault;
mod xks;
