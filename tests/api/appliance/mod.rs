//! The appliance as a process: start and stop, its disk, its commands, what operators see of it.

mod commands;
mod damage;
mod disk;
mod durability;
mod moto;
mod observability;
mod process;
mod serve;
mod timeouts;
