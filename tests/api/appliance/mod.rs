//! The appliance as a process: start and stop, disk, commands, monitoring.

mod backup;
mod bounds;
mod checkpoints;
mod commands;
mod damage;
mod disk;
mod durability;
mod floods;
mod memory;
mod moto;
mod observability;
mod process;
mod rekey;
mod rewritten;
mod sealed;
mod serve;
mod timeouts;
