//! The lab's port in front of its server: it ends TLS, and forwards everything else as it is.
//!
//! Many clients force `https://` on an endpoint of one's own, others `http://`. The first byte of a connection tells
//! them apart.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// The first byte of every TLS connection, and of no HTTP request.
const HANDSHAKE: u8 = 0x16;
/// The time that a client has for its first byte and for the handshake.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause after a failed accept, which happens when the process has too many open files.
const PAUSE: Duration = Duration::from_millis(50);

/// Forwards the connections of a listener to the server at `to`.
///
/// # Errors
/// An I/O error of the listener.
pub(super) fn start(
    listener: std::net::TcpListener,
    mut tls: ServerConfig,
    to: SocketAddr,
) -> io::Result<JoinHandle<()>> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    Ok(tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((client, _)) => drop(tokio::spawn(forward(client, acceptor.clone(), to))),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }))
}

/// Forwards one connection until one side ends it. Its errors concern this client alone.
async fn forward(client: TcpStream, acceptor: TlsAcceptor, to: SocketAddr) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut first = [0];
    timeout(PATIENCE, client.peek(&mut first)).await??;
    if first == [HANDSHAKE] {
        let secured = timeout(PATIENCE, acceptor.accept(client)).await??;
        return connect(secured, to).await;
    }
    connect(client, to).await
}

async fn connect(mut client: impl AsyncRead + AsyncWrite + Unpin, to: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(to).await?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
