//! The appliance as a process: start and stop, disk, commands, monitoring.

mod commands;
mod damage;
mod disk;
mod durability;
mod moto;
mod observability;
mod process;
mod serve;
mod timeouts;
