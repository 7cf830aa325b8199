//! A syslog receiver: RFC 5424 messages over UDP (RFC 5426), TCP (RFC 6587, octet counting) or TLS (RFC 5425).
//!
//! Syslog has no acknowledgements. A receiver that is killed with messages in its buffers resets the connection, which
//! `progress` makes use of.

use super::destination::Broken;
use super::item::Item;
use super::syslog_text::{Format, for_datagram, message};
use rustix::net::sockopt;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The time to connect, the handshake of TLS included.
const CONNECT_SECONDS: u64 = 10;
/// The time in which a receiver must take what is sent. One that is only slow is given time: a new connection would
/// not make it faster.
const SEND_SECONDS: u64 = 60;

/// The bytes that the system keeps for a receiver that does not take them (Linux doubles this). With its own choice,
/// which may be some MiB, more could be lost with a connection than is sent again.
const SEND_BUFFER: usize = 128 * 1024;

/// The address of a receiver, and how to reach it.
#[derive(Clone)]
pub struct SyslogAddress {
    pub host: String,
    pub port: u16,
    pub transport: Transport,
}

#[derive(Clone)]
pub enum Transport {
    Udp,
    Tcp,
    /// The certificate authorities that the receiver's certificate must be from.
    Tls(Authorities),
}

/// The certificate authorities that are trusted; none by default.
#[derive(Clone)]
pub struct Authorities(Arc<RootCertStore>);

impl Default for Authorities {
    fn default() -> Self {
        Self(Arc::new(RootCertStore::empty()))
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

enum Socket {
    Datagrams(UdpSocket),
    Stream(Box<dyn Stream>),
}

pub struct Syslog {
    socket: Socket,
    format: Format,
    /// The name of this machine.
    host: String,
}

/// Reads certificate authorities in PEM.
///
/// # Errors
/// The problem, for the message to the client.
pub fn authorities(pem: &str) -> Result<Authorities, &'static str> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| "must be certificates in PEM")?;
        roots.add(certificate).map_err(|_| "has a certificate that cannot be used as an authority")?;
    }
    if roots.is_empty() { Err("must have a certificate in PEM") } else { Ok(Authorities(Arc::new(roots))) }
}

impl Syslog {
    /// Connects. For UDP that only resolves the name.
    pub(super) async fn connect(address: &SyslogAddress, format: Format) -> Result<Self, Broken> {
        let connecting = timeout(Duration::from_secs(CONNECT_SECONDS), connect(address));
        let socket = connecting.await.map_err(|_| Broken::TimedOut(CONNECT_SECONDS))??;
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Ok(Self { socket, format, host })
    }

    pub(super) fn is_stream(&self) -> bool {
        matches!(self.socket, Socket::Stream(_))
    }

    pub(super) async fn send(&mut self, items: &[Item]) -> Result<usize, Broken> {
        let messages = items.iter().map(|item| message(item, self.format, &self.host));
        let limit = Duration::from_secs(SEND_SECONDS);
        match &mut self.socket {
            Socket::Datagrams(socket) => {
                let mut bytes = 0;
                for message in messages.map(for_datagram) {
                    bytes += socket.send(message.as_bytes()).await.map_err(|error| lost(&error))?;
                }
                Ok(bytes)
            }
            Socket::Stream(stream) => {
                let mut frames = Vec::new();
                for message in messages {
                    frames.extend_from_slice(message.len().to_string().as_bytes());
                    frames.push(b' ');
                    frames.extend_from_slice(message.as_bytes());
                }
                let sending = async {
                    stream.write_all(&frames).await?;
                    stream.flush().await
                };
                timeout(limit, sending)
                    .await
                    .map_err(|_| Broken::TimedOut(SEND_SECONDS))?
                    .map_err(|error| lost(&error))?;
                Ok(frames.len())
            }
        }
    }

    /// Waits until the receiver ends the connection; for UDP, until its machine answers that nobody receives.
    pub(super) async fn closed(&mut self) -> Broken {
        let mut ignored = [0; 512];
        loop {
            let read = match &mut self.socket {
                Socket::Datagrams(socket) => socket.recv(&mut ignored).await.map(|_| 1),
                Socket::Stream(stream) => stream.read(&mut ignored).await,
            };
            match read {
                Ok(0) => return Broken::Closed,
                Ok(_) => {}
                // The end of the connection without the one of TLS.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Broken::Closed,
                Err(error) => return lost(&error),
            }
        }
    }
}

async fn connect(address: &SyslogAddress) -> Result<Socket, Broken> {
    let found = lookup_host((address.host.as_str(), address.port)).await.map_err(|_| Broken::Unresolved)?;
    let found: Vec<SocketAddr> = found.collect();
    let first = found.first().ok_or(Broken::Unresolved)?;
    let not_connected = |error: io::Error| Broken::NotConnected(error.to_string());
    if matches!(address.transport, Transport::Udp) {
        let local: &str = if first.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(local).await.map_err(not_connected)?;
        // Only a connected socket is told that nobody receives.
        socket.connect(first).await.map_err(not_connected)?;
        return Ok(Socket::Datagrams(socket));
    }
    let stream = TcpStream::connect(&found[..]).await.map_err(not_connected)?;
    // A machine that is gone without a word is noticed after some minutes, also while nothing is sent.
    let probed = sockopt::set_socket_keepalive(&stream, true)
        .and_then(|()| sockopt::set_tcp_keepidle(&stream, Duration::from_secs(60)))
        .and_then(|()| sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER));
    probed.map_err(|error| not_connected(error.into()))?;
    let Transport::Tls(Authorities(roots)) = &address.transport else { return Ok(Socket::Stream(Box::new(stream))) };
    let name = ServerName::try_from(address.host.clone())
        .map_err(|_| Broken::NotConnected("no certificate can be for this host".to_owned()))?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Broken::NotConnected(error.to_string()))?
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(not_connected)?;
    Ok(Socket::Stream(Box::new(stream)))
}

fn lost(error: &io::Error) -> Broken {
    Broken::Lost(error.to_string())
}
