//! Requests at the level of bytes, for slow or unusual clients.

use crate::support::appliance::Appliance;
use crate::support::client::Client;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

/// A connection to the appliance.
pub(crate) type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A request whose head the server has read, and whose body was not sent yet.
pub(crate) struct PartialRequest {
    stream: Stream,
    body: String,
}

impl PartialRequest {
    /// Sends the head, and gives the server time to read it.
    pub(crate) fn send(appliance: &Appliance, client: &Client, method: &str, path: &str, body: &Value) -> Self {
        let (mut stream, body, token) = (connect_tls(appliance), body.to_string(), client.token());
        let head = format!(
            "{method} /api{path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("sent");
        stream.flush().expect("sent");
        std::thread::sleep(Duration::from_millis(500));
        Self { stream, body }
    }

    /// Sends the body, and returns the answer.
    pub(crate) fn end(mut self) -> String {
        self.stream.write_all(self.body.as_bytes()).expect("sent");
        read_to_end(&mut self.stream)
    }

    /// Sends the body, and closes the connection without a TLS closure alert once the server has the body.
    pub(crate) fn finish_and_disconnect(mut self) {
        self.stream.write_all(self.body.as_bytes()).expect("sent");
        self.stream.flush().expect("sent");
        std::thread::sleep(Duration::from_millis(300));
    }
}

pub(crate) fn connect(appliance: &Appliance) -> TcpStream {
    let stream = TcpStream::connect(appliance.api.trim_start_matches("https://")).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
    stream
}

/// A connection to the API from this address.
pub(crate) fn connect_from(appliance: &Appliance, address: IpAddr) -> TcpStream {
    connect_to(&appliance.api, address)
}

/// A connection to the host and port of this URL, from this address.
pub(crate) fn connect_to(url: &str, address: IpAddr) -> TcpStream {
    let to: SocketAddr = url.trim_start_matches("https://").parse().expect("an address");
    let socket = nix::sys::socket::socket(
        nix::sys::socket::AddressFamily::Inet,
        nix::sys::socket::SockType::Stream,
        nix::sys::socket::SockFlag::empty(),
        None,
    );
    let socket = socket.expect("a socket");
    let sockaddr = |address: SocketAddr| nix::sys::socket::SockaddrStorage::from(address);
    nix::sys::socket::bind(socket.as_raw_fd(), &sockaddr((address, 0).into())).expect("bound");
    nix::sys::socket::connect(socket.as_raw_fd(), &sockaddr(to)).expect("connected");
    socket.into()
}

pub(crate) fn connect_tls(appliance: &Appliance) -> StreamOwned<ClientConnection, TcpStream> {
    tls_over(appliance, connect(appliance))
}

/// TLS with the certificate of the appliance, over a connection to one of its listeners.
pub(crate) fn tls_over(appliance: &Appliance, connection: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(appliance.data().join("tls.crt")).expect("a certificate");
    roots.add(certificate).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    StreamOwned::new(ClientConnection::new(config, name).expect("a client"), connection)
}

/// Reads until the server closes the connection.
pub(crate) fn read_to_end(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        // The server may close the connection without a TLS closure alert.
        Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {}
        Err(error) => panic!("the connection stays open: {error}"),
    }
    String::from_utf8(bytes).expect("UTF-8")
}
