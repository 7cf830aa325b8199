//! What the listeners of the API and of the XKS proxy share: how long they wait for a client, and how many connections
//! one source may have.

mod connections;
mod sources;

pub use connections::{Answering, Connection, Connections};
pub use sources::Sources;

use std::time::Duration;

/// The times that a server waits for a client.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// The time for the TLS handshake.
    pub handshake: Duration,
    /// The time for the head of a request.
    pub head: Duration,
    /// The time for the body of a request.
    pub body: Duration,
    /// The time until the next request on an open connection.
    pub idle: Duration,
    /// The time in which the client must read an answer.
    pub answer: Duration,
    /// The time in which the client must close its side of a connection.
    pub disconnect: Duration,
}
