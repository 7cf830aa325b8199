//! Black-box tests: they start the real program and talk to it as its users do.

mod appliance;
mod architecture;
mod client;
mod commands;
mod damage;
mod disk;
mod durability;
mod history;
mod observe;
mod patience;
mod process;
mod seed;
mod serve;
mod tracer;
