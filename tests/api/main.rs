//! Black-box tests: they start the real program and talk to it as its users do.

mod access;
mod addresses;
mod appliance;
mod architecture;
mod bad_input;
mod client;
mod connections;
mod moto;
mod openapi;
mod picture;
mod schema;
mod seed;
mod tokens;
mod users;
