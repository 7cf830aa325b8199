//! A persistent HTTPS connection with little overhead: requests are prepared bytes, and only the status and the length
//! of an answer are parsed.

use crate::Outcome;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A connection to the program.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

/// An answer in the connection's buffer.
pub(crate) struct Answer<'a> {
    pub status: u16,
    pub head: &'a [u8],
    pub body: &'a [u8],
}

impl Connection {
    /// Connects, and trusts only the certificate in the data directory.
    pub(crate) async fn connect(address: SocketAddr, data: &Path) -> Outcome<Self> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(data.join("tls.crt"))?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        Ok(Self { stream, buffer: vec![0; 64 * 1024] })
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Outcome<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        let (mut filled, mut whole) = (0, None);
        while whole.is_none_or(|(head, length)| filled < head + length) {
            if filled == self.buffer.len() {
                self.buffer.resize(2 * filled, 0);
            }
            match self.stream.read(&mut self.buffer[filled..]).await? {
                0 => {
                    return Err("the connection was closed in the middle of an answer".into());
                }
                more => filled += more,
            }
            if whole.is_none() {
                whole = measure(&self.buffer[..filled]);
            }
        }
        let head = whole.map_or(0, |(head, _)| head);
        let (head, body) = self.buffer[..filled].split_at(head);
        let status = std::str::from_utf8(head.get(9..12).unwrap_or_default())?.parse()?;
        Ok(Answer { status, head, body })
    }

    /// Sends a request; an answer with another status is an error.
    pub(crate) async fn send_expecting(&mut self, request: &[u8], status: u16) -> Outcome<Value> {
        let answer = self.send(request).await?;
        if answer.status != status {
            return Err(format!("{}: {}", answer.status, String::from_utf8_lossy(answer.body)).into());
        }
        Ok(if answer.body.is_empty() { Value::Null } else { serde_json::from_slice(answer.body)? })
    }
}

impl Connection {
    /// Sends a request and discards the streamed answer, whose status must be 200; returns the length of the answer.
    pub(crate) async fn drain(&mut self, request: &[u8]) -> Outcome<usize> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        let mut read = self.stream.read(&mut self.buffer).await?;
        if !self.buffer[..read].starts_with(b"HTTP/1.1 200") {
            return Err(String::from_utf8_lossy(&self.buffer[..read]).into());
        }
        if measure(&self.buffer[..read]).is_none_or(|(_, length)| length > 0) {
            return Err("the answer is not streamed".into());
        }
        let (mut end, mut length) = (Vec::new(), 0);
        loop {
            length += read;
            end.extend_from_slice(&self.buffer[read.saturating_sub(LAST_CHUNK.len())..read]);
            end.drain(..end.len().saturating_sub(LAST_CHUNK.len()));
            if end == LAST_CHUNK {
                return Ok(length);
            }
            read = self.stream.read(&mut self.buffer).await?;
            if read == 0 {
                return Err("the connection was closed in the middle of an answer".into());
            }
        }
    }
}

/// The end of a streamed answer.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

/// The lengths of head and body, once the head is complete. A body without a content length counts as empty.
fn measure(bytes: &[u8]) -> Option<(usize, usize)> {
    const LENGTH: &[u8] = b"content-length: ";
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let at = bytes[..head].windows(LENGTH.len()).position(|name| name.eq_ignore_ascii_case(LENGTH));
    let digits = at.map_or(&b""[..], |at| &bytes[at + LENGTH.len()..head]);
    let length = digits.iter().take_while(|digit| digit.is_ascii_digit());
    Some((head, length.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))))
}

/// The bytes of a request; `token` and `body` may be empty.
pub(crate) fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{authorization}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The milliseconds until the answer to a request has come; its status must be 200.
pub(crate) async fn millis(connection: &mut Connection, request: &[u8]) -> Outcome<f64> {
    let began = Instant::now();
    connection.send_expecting(request, 200).await?;
    Ok(began.elapsed().as_secs_f64() * 1e3)
}
