//! The HTTPS server of the API and that of the XKS proxy: how long they wait for a client, how many connections one
//! source may have, and how far they read ahead.

mod connections;
mod paced;
mod server;
mod sources;

pub use connections::{Answering, Connection};
pub use server::{Listening, Server, serve};
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
