//! A syslog receiver on a local port, over UDP, TCP or TLS. A test can stop it, start it again on the same port, and
//! have it stop reading.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Over {
    Udp,
    Tcp,
    Tls,
}

#[derive(Default)]
struct Shared {
    messages: Mutex<Vec<String>>,
    stops: AtomicBool,
    stalls: AtomicBool,
}

pub(crate) struct SyslogReceiver {
    pub address: SocketAddr,
    over: Over,
    shared: Arc<Shared>,
    /// The certificate and its key.
    tls: (String, Arc<ServerConfig>),
    thread: Option<JoinHandle<()>>,
}

impl SyslogReceiver {
    pub(crate) fn start(over: Over) -> Self {
        let tls = server_config();
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut receiver = Self { address: local, over, shared: Arc::default(), tls, thread: None };
        receiver.start_again();
        receiver
    }

    /// Starts it after [`SyslogReceiver::stop`]. It keeps what it has received.
    pub(crate) fn start_again(&mut self) {
        let (shared, tls) = (self.shared.clone(), self.tls.1.clone());
        shared.stops.store(false, Ordering::Release);
        let is_tls = self.over == Over::Tls;
        self.thread = Some(match self.over {
            Over::Udp => {
                let socket = UdpSocket::bind(self.address).expect("a port");
                // As large as the system allows: what does not fit is lost.
                rustix::net::sockopt::set_socket_recv_buffer_size(&socket, 4 * 1024 * 1024).expect("set");
                self.address = socket.local_addr().expect("an address");
                thread::spawn(move || datagrams(&socket, &shared))
            }
            Over::Tcp | Over::Tls => {
                let listener = TcpListener::bind(self.address).expect("a port");
                // Small buffers, so that a stalled receiver is soon full. Its connections inherit them.
                rustix::net::sockopt::set_socket_recv_buffer_size(&listener, 64 * 1024).expect("set");
                self.address = listener.local_addr().expect("an address");
                thread::spawn(move || connections(&listener, &shared, is_tls.then_some(&tls)))
            }
        });
    }

    /// Ends it as a kill would: what it has not read is lost.
    pub(crate) fn stop(&mut self) {
        self.shared.stops.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it ends");
        }
    }

    /// Stops reading, or goes on.
    pub(crate) fn stall(&self, stalls: bool) {
        self.shared.stalls.store(stalls, Ordering::Release);
    }

    /// The certificate, which is its own authority.
    pub(crate) fn certificate(&self) -> &str {
        &self.tls.0
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        self.shared.messages.lock().expect("a lock").clone()
    }

    /// How many datagrams the system has dropped since the start, because its buffer was full: it may, over UDP.
    pub(crate) fn dropped(&self) -> usize {
        let sockets = std::fs::read_to_string("/proc/net/udp").expect("readable");
        let port = format!(":{:04X}", self.address.port());
        let mut fields = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let own = fields.find(|fields| fields.get(1).is_some_and(|local| local.ends_with(&port)));
        own.and_then(|fields| fields.last()?.parse().ok()).expect("a socket and its drops")
    }

    /// Waits until what was received is as expected.
    #[track_caller]
    pub(crate) fn wait_until(&self, holds: impl Fn(&[String]) -> bool) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_secs(100);
        loop {
            let messages = self.messages();
            if holds(&messages) {
                return messages;
            }
            assert!(Instant::now() < deadline, "{:?}: {} messages", self.over, messages.len());
            thread::sleep(POLL);
        }
    }
}

impl Drop for SyslogReceiver {
    fn drop(&mut self) {
        self.shared.stops.store(true, Ordering::Release);
    }
}

impl Shared {
    fn stops(&self) -> bool {
        self.stops.load(Ordering::Acquire)
    }

    fn push(&self, message: &[u8]) {
        let text = String::from_utf8(message.to_vec()).expect("UTF-8");
        self.messages.lock().expect("a lock").push(text);
    }
}

fn server_config() -> (String, Arc<ServerConfig>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key);
    (made.cert.pem(), Arc::new(config.expect("a key")))
}

fn datagrams(socket: &UdpSocket, shared: &Shared) {
    socket.set_read_timeout(Some(POLL)).expect("a timeout");
    let mut bytes = [0; 4096];
    while !shared.stops() {
        if let Ok(length) = socket.recv(&mut bytes) {
            shared.push(&bytes[..length]);
        }
    }
}

fn connections(listener: &TcpListener, shared: &Arc<Shared>, tls: Option<&Arc<ServerConfig>>) {
    listener.set_nonblocking(true).expect("a mode");
    let mut readers = Vec::new();
    while !shared.stops() {
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(POLL);
            continue;
        };
        stream.set_nonblocking(false).expect("a mode");
        stream.set_read_timeout(Some(POLL)).expect("a timeout");
        let (shared, tls) = (shared.clone(), tls.cloned());
        readers.push(thread::spawn(move || match tls {
            None => frames(stream, &shared),
            Some(tls) => {
                let connection = ServerConnection::new(tls).expect("a connection");
                frames(StreamOwned::<_, TcpStream>::new(connection, stream), &shared);
            }
        }));
    }
    readers.into_iter().for_each(|reader| reader.join().expect("it ends"));
}

/// Reads messages, each after its length, until the connection or the receiver ends.
fn frames(mut stream: impl Read, shared: &Shared) {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    while !shared.stops() {
        if shared.stalls.load(Ordering::Acquire) {
            thread::sleep(POLL);
            continue;
        }
        match stream.read(&mut chunk) {
            Ok(0) => return,
            Ok(length) => bytes.extend_from_slice(&chunk[..length]),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => continue,
            Err(_) => return,
        }
        while let Some(space) = bytes.iter().position(|byte| *byte == b' ') {
            let length: usize = std::str::from_utf8(&bytes[..space]).expect("ASCII").parse().expect("a length");
            let end = space + 1 + length;
            if bytes.len() < end {
                break;
            }
            shared.push(&bytes[space + 1..end]);
            bytes.drain(..end);
        }
    }
}
