//! How long a connection may stay on which no request is being served. actix has a timer for the first head of a
//! connection and for the pause between two requests, and none for a second head that does not end, for what is left
//! of a body whose request was answered, or for an answer that is not read: whoever does that, signed in or not, would
//! hold a connection for ever.

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use std::any::Any;
use std::net::{Shutdown, TcpStream as Socket};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How often connections are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// A request is being served.
const NEVER: u64 = u64::MAX;

/// All connections. Cheap to clone.
#[derive(Clone)]
pub struct Connections(Arc<Registry>);

struct Registry {
    began: Instant,
    allowed: Duration,
    open: Mutex<Vec<Weak<Open>>>,
}

/// One connection, as its requests know it.
pub struct Connection(Arc<Open>);

struct Open {
    socket: Socket,
    due: AtomicU64,
    registry: Arc<Registry>,
}

impl Connections {
    /// Connections on which a request may be awaited, and an answer read, for so long.
    pub fn allowed(allowed: Duration) -> Self {
        Self(Arc::new(Registry { began: Instant::now(), allowed, open: Mutex::default() }))
    }

    /// Takes a new connection in; what actix calls for each.
    pub fn enter(&self, stream: &dyn Any, data: &mut Extensions) {
        let Some(stream) = stream.downcast_ref::<TlsStream<TcpStream>>() else { return };
        match stream.get_ref().0.as_fd().try_clone_to_owned() {
            Ok(socket) => {
                let open = Open { socket: socket.into(), due: AtomicU64::new(0), registry: self.0.clone() };
                let connection = Connection(Arc::new(open));
                connection.0.await_client();
                self.open().push(Arc::downgrade(&connection.0));
                data.insert(connection);
            }
            Err(error) => tracing::warn!(%error, "a connection could not be watched"),
        }
    }

    /// Closes what is due, as long as the program runs.
    pub async fn watch(self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.0.now();
            self.open().retain(|open| match open.upgrade() {
                None => false,
                Some(open) if open.due.load(Ordering::Relaxed) > now => true,
                Some(open) => {
                    // Closed by the client just now: nothing is left to do.
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
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }
}

impl Connection {
    /// A request is being served: however long that takes, it is not the client's fault.
    pub fn serving(&self) -> Serving {
        self.0.due.store(NEVER, Ordering::Relaxed);
        Serving(self.0.clone())
    }
}

impl Open {
    /// From now on the client is to read its answer, and to ask again or go.
    fn await_client(&self) {
        let allowed = u64::try_from(self.registry.allowed.as_millis()).unwrap_or(NEVER);
        self.due.store(self.registry.now().saturating_add(allowed), Ordering::Relaxed);
    }
}

/// As long as it is there, a request is being served; however that ends.
pub struct Serving(Arc<Open>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.await_client();
    }
}
