//! The open connections: their number for each source, their timeout, and room for others.
//!
//! A source cannot have all connections. It is counted from the moment a connection is accepted, before the TLS
//! handshake. When nearly all connections are open, those without a request are closed, of whoever holds most.
//!
//! A connection on which no request is being served has a timeout. actix has timers for the first head of a connection
//! and for the pause between two requests. It has none for a second head that does not end, for the rest of a body
//! whose request was answered, or for an answer that is not read. Without this timeout, any client, signed in or not,
//! could hold a connection indefinitely.

use super::sources::{Permit, Sources};
use actix_web::rt::net::TcpStream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::HashMap;
use std::net::{IpAddr, Shutdown, TcpStream as Socket};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The interval at which connections are checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The intervals at which a connection is polled while its client does not read: the first, and the longest.
const WRITABLE_INTERVALS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// The bytes of answers after which a connection is looked at before the next request is served.
const UNREAD_MAX: u64 = 64 * 1024;
/// The deadline of a connection on which a request is being served.
const NEVER: u64 = u64::MAX;

/// All open connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connections(Arc<Registry>);

struct Registry {
    started: Instant,
    timeout: Duration,
    /// With more open connections, those without a request are closed; `None` if they never are.
    crowded: Option<usize>,
    open: Mutex<HashMap<RawFd, Weak<Open>>>,
}

/// The connection of a request; actix keeps it among the connection's data.
#[derive(Clone)]
pub struct Connection(Arc<Open>);

/// A connection that was admitted; dropped when it ends.
pub(super) struct Admitted {
    _open: Arc<Open>,
}

struct Open {
    socket: Socket,
    /// Counts the connection for its source; `None` on a listener without such a bound.
    permit: Option<Permit>,
    /// Milliseconds after the registry's start.
    deadline: AtomicU64,
    /// The requests that are being served.
    requests: AtomicUsize,
    /// Whether the body of a request is awaited.
    receiving: AtomicBool,
    /// Whether an answer is being sent.
    answering: AtomicBool,
    /// The bytes of answers since the socket last took more to send.
    unread: AtomicU64,
    registry: Arc<Registry>,
}

impl Connections {
    /// A registry that closes a connection if the client takes longer than `timeout` to read an answer and send the
    /// next request.
    pub(super) fn with_timeout(timeout: Duration) -> Self {
        Self::new(timeout, None)
    }

    /// A registry that also closes connections without a request when more than `crowded` are open.
    pub(super) fn with_timeout_and_room(timeout: Duration, crowded: usize) -> Self {
        Self::new(timeout, Some(crowded))
    }

    fn new(timeout: Duration, crowded: Option<usize>) -> Self {
        Self(Arc::new(Registry { started: Instant::now(), timeout, crowded, open: Mutex::default() }))
    }

    /// Admits a connection that was just accepted; `None` if its source has as many as it may, or it has ended already.
    pub(super) fn admit(&self, stream: &TcpStream, sources: &Sources) -> Option<Admitted> {
        let permit = sources.admit(stream.peer_addr().ok()?.ip())?;
        Some(Admitted { _open: self.add(stream, Some(permit))? })
    }

    /// Returns a connection whose handshake is over; `None` if it has ended already.
    pub(super) fn register(&self, stream: &TcpStream) -> Option<Connection> {
        // Without a permit, an entry is that of an earlier connection with the same number.
        let admitted =
            self.open().get(&stream.as_raw_fd()).and_then(Weak::upgrade).filter(|open| open.permit.is_some());
        let open = admitted.or_else(|| self.add(stream, None))?;
        open.await_client();
        Some(Connection(open))
    }

    fn add(&self, stream: &TcpStream, permit: Option<Permit>) -> Option<Arc<Open>> {
        match stream.as_fd().try_clone_to_owned() {
            Ok(socket) => {
                let open = Open {
                    socket: socket.into(),
                    permit,
                    deadline: AtomicU64::new(0),
                    requests: AtomicUsize::new(0),
                    receiving: AtomicBool::new(false),
                    answering: AtomicBool::new(false),
                    unread: AtomicU64::new(0),
                    registry: self.0.clone(),
                };
                open.await_client();
                let open = Arc::new(open);
                // The number may have belonged to a connection that has ended.
                self.open().insert(stream.as_raw_fd(), Arc::downgrade(&open));
                Some(open)
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was closed: its descriptor could not be duplicated");
                None
            }
        }
    }

    /// Closes connections whose deadline has passed, as long as the program runs.
    pub(super) async fn watch(self) {
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            let now = self.0.now();
            self.open().retain(|_, open| match open.upgrade() {
                None => false,
                Some(open) => {
                    if open.deadline.load(Ordering::Acquire) <= now {
                        open.close();
                    }
                    true
                }
            });
            self.make_room();
        }
    }

    /// Closes connections without a request, of whoever holds most at that moment, if too many are open. Trusted proxies
    /// come last.
    fn make_room(&self) {
        let Some(crowded) = self.0.crowded else { return };
        let all: Vec<_> = self.open().values().filter_map(Weak::upgrade).collect();
        let mut idle: HashMap<Option<IpAddr>, (usize, Vec<Arc<Open>>)> = HashMap::new();
        for open in &all {
            let (held, idle) = idle.entry(open.permit.as_ref().and_then(Permit::source)).or_default();
            *held += 1;
            if open.is_idle() {
                idle.push(open.clone());
            }
        }
        for (_, idle) in idle.values_mut() {
            // The one that ends first is the last, and has been idle for the longest time.
            idle.sort_by_key(|open| std::cmp::Reverse(open.deadline.load(Ordering::Relaxed)));
        }
        for _ in crowded..all.len() {
            let with_idle = idle.iter_mut().filter(|(_, (_, idle))| !idle.is_empty());
            let most = with_idle.max_by_key(|(source, (held, _))| (source.is_some(), *held));
            let Some((_, (held, idle))) = most else { return };
            *held -= 1;
            if let Some(open) = idle.pop() {
                open.close_if_idle();
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<RawFd, Weak<Open>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }
}

impl Connection {
    /// Waits until the client has taken enough of the answers before that the next one can be sent. Without this, a
    /// client could ask on and never read, and each answer would stay in memory.
    pub async fn until_writable(&self) {
        // A look at the socket costs as much as a short answer.
        if self.0.unread.load(Ordering::Relaxed) < UNREAD_MAX {
            return;
        }
        let (mut interval, longest) = WRITABLE_INTERVALS;
        while !self.0.is_writable() {
            tokio::time::sleep(interval).await;
            interval = (2 * interval).min(longest);
        }
        self.0.unread.store(0, Ordering::Relaxed);
    }

    /// Counts the bytes of an answer.
    pub fn answered(&self, bytes: u64) {
        self.0.unread.fetch_add(bytes.min(UNREAD_MAX), Ordering::Relaxed);
    }

    /// Counts a request, until the returned value is dropped.
    pub fn request(&self) -> Requested {
        self.0.requests.fetch_add(1, Ordering::AcqRel);
        Requested(self.0.clone())
    }

    /// Marks the body of a request as awaited, until the returned value is dropped.
    pub fn receiving(&self) -> Receiving {
        self.0.receiving.store(true, Ordering::Release);
        Receiving(self.0.clone())
    }

    /// Whether the next request can be read: the body of one is awaited, or all are answered and the client takes the
    /// answers.
    pub fn takes_requests(&self) -> bool {
        let open = &self.0;
        let is_busy = open.requests.load(Ordering::Acquire) > 0 || open.answering.load(Ordering::Acquire);
        open.receiving.load(Ordering::Acquire) || (!is_busy && open.is_writable())
    }

    /// Suspends the timeout while a request is being served, until the returned value is dropped; `None` if the
    /// connection is being closed.
    pub fn serving(&self) -> Option<Serving> {
        let begin = |deadline: u64| (deadline != CLOSING).then_some(NEVER);
        self.0.deadline.fetch_update(Ordering::AcqRel, Ordering::Acquire, begin).ok()?;
        Some(Serving(self.0.clone()))
    }

    /// Marks an answer as being sent, until the returned value is dropped.
    pub fn answering(&self) -> Answering {
        self.0.answering.store(true, Ordering::Release);
        Answering(self.0.clone())
    }
}

/// The deadline of a connection that was closed to make room.
const CLOSING: u64 = 0;

impl Open {
    /// Starts the timeout for the client to read its answer and send the next request.
    fn await_client(&self) {
        let timeout = u64::try_from(self.registry.timeout.as_millis()).unwrap_or(NEVER);
        let deadline = self.registry.now().saturating_add(timeout).max(CLOSING + 1);
        self.deadline.store(deadline, Ordering::Release);
    }

    fn is_idle(&self) -> bool {
        self.deadline.load(Ordering::Acquire) != NEVER && !self.answering.load(Ordering::Acquire)
    }

    /// Whether the socket takes more to send. A socket that is closed does not block.
    fn is_writable(&self) -> bool {
        let mut polled = [PollFd::new(&self.socket, PollFlags::OUT)];
        // On an error, the next write says more.
        poll(&mut polled, Some(&Timespec::default())).map_or(true, |ready| ready > 0)
    }

    fn close(&self) {
        // This fails if the client has just closed the connection itself.
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Closes the connection, unless a request has just arrived.
    fn close_if_idle(&self) {
        let deadline = self.deadline.load(Ordering::Acquire);
        let close = |from| self.deadline.compare_exchange(from, CLOSING, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if self.is_idle() && deadline != NEVER && close(deadline) {
            self.close();
        }
    }
}

/// Marks a request as being served; when dropped, the timeout of the connection starts.
pub struct Serving(Arc<Open>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.await_client();
    }
}

/// Counts a request as being served.
pub struct Requested(Arc<Open>);

impl Drop for Requested {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Marks the body of a request as awaited.
pub struct Receiving(Arc<Open>);

impl Drop for Receiving {
    fn drop(&mut self) {
        self.0.receiving.store(false, Ordering::Release);
    }
}

/// Marks an answer as being sent.
pub struct Answering(Arc<Open>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.store(false, Ordering::Release);
    }
}
