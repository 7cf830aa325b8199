//! The program as a user of a shell or a service manager meets it: settings, log, commands.
//!
//! It may use every module; none may use it.

pub mod config;
pub mod logging;
pub mod notify;
