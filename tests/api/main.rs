//! Black-box tests: they start the real program and talk to it as its users do.

mod appliance;
mod architecture;
mod client;
mod commands;
mod damage;
mod disk;
mod durability;
mod history;
mod moto;
mod observe;
mod openapi;
mod patience;
mod process;
mod schema;
mod seed;
mod serve;
mod tracer;
