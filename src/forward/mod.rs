//! The ways in which audit records leave the program. This module knows how a record is written and sent, and whether
//! it arrived; `service/forwarding` decides what is sent when.
//!
//! - `item`: what is sent: an audit record, a failed attempt, or a checkpoint
//! - `destination`: where it is sent, and the connection to it
//! - `syslog`: a syslog receiver, over UDP, TCP or TLS; `syslog_text`: its messages; `cef`: the formats of two vendors
//! - `json_file`: a file with rotation; `otlp`: an OpenTelemetry collector
//! - `progress`: what was sent, and what counts as received
//! - `cursor`: how far a destination got, in a file

mod cef;
mod cursor;
mod destination;
mod item;
mod json_file;
mod otlp;
mod progress;
mod syslog;
mod syslog_text;

#[cfg(test)]
mod tests;

pub use cursor::CursorDirectory;
pub use destination::{Broken, Connection, Destination, Sent};
pub use item::{Item, Number, Severity};
pub use json_file::JsonFileSettings;
pub use otlp::{Otlp, OtlpError};
pub use progress::{Position, Progress, SOURCES};
pub use syslog::{Authorities, SyslogAddress, Transport, authorities};
pub use syslog_text::Format;

use std::io;

/// Runs work with files on a thread that may block.
///
/// # Errors
/// That of the work; or that it ended early.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other).and_then(|done| done)
}
