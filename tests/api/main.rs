//! Black-box tests: they start the real program and talk to it as its users do.

mod appliance;
mod architecture;
mod bulk_jobs;
mod client;
mod moto;
mod openapi;
mod schema;
mod seed;
mod sync_jobs;
