//! Black-box tests: they start the real program and talk to it as its users do.

mod access;
mod addresses;
mod appliance;
mod architecture;
mod bad_input;
mod client;
mod commands;
mod connections;
mod damage;
mod disk;
mod durability;
mod history;
mod moto;
mod observe;
mod openapi;
mod patience;
mod picture;
mod process;
mod schema;
mod seed;
mod serve;
mod source_keys;
mod tokens;
mod tracer;
mod users;
