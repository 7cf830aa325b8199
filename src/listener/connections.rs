//! A timeout for connections on which no request is being served. actix has timers for the first head of a connection
//! and for the pause between two requests. It has none for a second head that does not end, for the rest of a body
//! whose request was answered, or for an answer that is not read. Without this timeout, any client, signed in or not,
//! could hold a connection indefinitely.

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use std::any::Any;
use std::net::{Shutdown, TcpStream as Socket};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The interval at which connections are checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The deadline of a connection on which a request is being served.
const NEVER: u64 = u64::MAX;

/// All open connections. Cheap to clone.
#[derive(Clone)]
pub struct Connections(Arc<Registry>);

struct Registry {
    started: Instant,
    timeout: Duration,
    open: Mutex<Vec<Weak<Open>>>,
}

/// The connection of a request; actix keeps it among the connection's data.
pub struct Connection(Arc<Open>);

struct Open {
    socket: Socket,
    /// Milliseconds after the registry's start.
    deadline: AtomicU64,
    registry: Arc<Registry>,
}

impl Connections {
    /// A registry that closes a connection if the client takes longer than `timeout` to read an answer and send the
    /// next request.
    pub fn with_timeout(timeout: Duration) -> Self {
        Self(Arc::new(Registry { started: Instant::now(), timeout, open: Mutex::default() }))
    }

    /// Adds a new connection; the callback for actix's `on_connect`.
    pub fn register(&self, stream: &dyn Any, data: &mut Extensions) {
        let Some(stream) = stream.downcast_ref::<TlsStream<TcpStream>>() else { return };
        match stream.get_ref().0.as_fd().try_clone_to_owned() {
            Ok(socket) => {
                let open = Open { socket: socket.into(), deadline: AtomicU64::new(0), registry: self.0.clone() };
                let connection = Connection(Arc::new(open));
                connection.0.await_client();
                self.open().push(Arc::downgrade(&connection.0));
                data.insert(connection);
            }
            Err(error) => tracing::warn!(%error, "a connection has no timeout: its descriptor could not be duplicated"),
        }
    }

    /// Closes connections whose deadline has passed, as long as the program runs.
    pub async fn watch(self) {
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            let now = self.0.now();
            self.open().retain(|open| match open.upgrade() {
                None => false,
                Some(open) if open.deadline.load(Ordering::Relaxed) > now => true,
                Some(open) => {
                    // This fails if the client has just closed the connection itself.
                    let _ = open.socket.shutdown(Shutdown::Both);
                    false
                }
            });
        }
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Open>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }
}

impl Connection {
    /// Suspends the timeout while a request is being served, until the returned value is dropped.
    pub fn serving(&self) -> Serving {
        self.0.deadline.store(NEVER, Ordering::Relaxed);
        Serving(self.0.clone())
    }
}

impl Open {
    /// Starts the timeout for the client to read its answer and send the next request.
    fn await_client(&self) {
        let timeout = u64::try_from(self.registry.timeout.as_millis()).unwrap_or(NEVER);
        self.deadline.store(self.registry.now().saturating_add(timeout), Ordering::Relaxed);
    }
}

/// Marks a request as being served; when dropped, the timeout of the connection starts.
pub struct Serving(Arc<Open>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.await_client();
    }
}
