//! The listener, over real connections.

use super::*;
use crate::listener::{Listening, Server, Timeouts};
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, SupportedCipherSuite, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

struct Running {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    handle: actix_web::dev::ServerHandle,
    stopped: JoinHandle<std::io::Result<()>>,
}

impl Running {
    fn start(proxy: &Proxy, timeouts: Timeouts) -> Running {
        Running::start_with(proxy, timeouts, &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    fn start_with(proxy: &Proxy, timeouts: Timeouts, algorithm: &'static rcgen::SignatureAlgorithm) -> Running {
        let key = rcgen::KeyPair::generate_for(algorithm).expect("a key");
        let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        let certificate: CertificateDer<'static> = parameters.self_signed(&key).expect("a certificate").into();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let certified = CertifiedKey::from_der(vec![certificate.clone()], key, &default_provider()).expect("a pair");
        let options = Listening {
            listener: TcpListener::bind("127.0.0.1:0").expect("a port"),
            tls: server_config(Arc::new(SingleCertAndKey::from(certified))).expect("a configuration"),
            workers: 1,
            timeouts,
            shutdown_seconds: 2,
            max_connections: 100,
            sources: None,
        };
        let (Server { address, handle }, stopped) = super::super::start(proxy.clone(), options).expect("a server");
        Running { address, certificate, handle, stopped: tokio::spawn(stopped) }
    }

    async fn connect(&self) -> Connection {
        self.connect_with(default_provider().cipher_suites, rustls::ALL_VERSIONS).await.expect("a connection")
    }

    async fn connect_with(
        &self,
        cipher_suites: Vec<SupportedCipherSuite>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> std::io::Result<Connection> {
        let kx_groups: Vec<&dyn SupportedKxGroup> = default_provider().kx_groups;
        let provider = CryptoProvider { cipher_suites, kx_groups, ..default_provider() };
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("a root");
        let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(versions);
        let mut config = builder.expect("versions").with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = TcpStream::connect(self.address).await?;
        Ok(Connection(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
    }

    async fn stop(self) {
        self.handle.stop(true).await;
        self.stopped.await.expect("the server's task").expect("no error");
    }
}

struct Connection(TlsStream<TcpStream>);

impl Connection {
    async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("a write");
        self.0.flush().await.expect("a flush");
    }

    /// Reads an answer: its status, its head in lower case, its body.
    async fn read(&mut self) -> (u16, String, Vec<u8>) {
        let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            if let Some(end) = received.windows(4).position(|end| end == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                let body = &received[end + 4..];
                if body.len() >= length.unwrap_or(0) {
                    return (head[9..12].parse().expect("a status"), head.clone(), body.to_vec());
                }
            }
            let read = self.0.read(&mut buffer).await.expect("an answer");
            assert!(read > 0, "the connection was closed: {}", String::from_utf8_lossy(&received));
            received.extend_from_slice(&buffer[..read]);
        }
    }

    async fn send(&mut self, call: &Call) -> (u16, String, Value) {
        self.write(&bytes_of(call)).await;
        let (status, head, body) = self.read().await;
        assert!(head.contains("\r\ncontent-type: application/json"), "{head}");
        (status, head, serde_json::from_slice(&body).expect("JSON"))
    }

    /// Waits until the server closes the connection.
    async fn assert_closed(&mut self, within: Duration) {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(within, self.0.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "the connection is still open");
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }
}

fn bytes_of(call: &Call) -> Vec<u8> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", call.method, call.path).into_bytes();
    for (name, value) in &call.headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(format!("content-length: {}\r\n\r\n", call.body.len()).bytes());
    bytes.extend(&call.body);
    bytes
}

fn signed_now(call: Call) -> Call {
    call.signed_by(ACCESS_KEY_ID, SECRET, REGION, "kms-xks-proxy", Utc::now())
}

fn health() -> Call {
    signed_now(Call::unsigned(&path("health"), &encrypt_body().to_string()))
}

fn patient() -> Timeouts {
    let long = Duration::from_secs(30);
    Timeouts { handshake: long, head: long, body: long, idle: long, answer: long, disconnect: Duration::from_secs(1) }
}

#[tokio::test]
async fn calls_over_one_connection_are_answered_and_errors_keep_it() {
    let proxy = proxy();
    let running = Running::start(&proxy, patient());
    let mut connection = running.connect().await;
    assert_eq!(connection.0.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let key_call =
        |operation: &str, body: &Value| signed_now(Call::unsigned(&key_path(KEY, operation), &body.to_string()));
    let (status, _, encrypted) = connection.send(&key_call("encrypt", &encrypt_body())).await;
    assert_eq!(status, 200);
    let (status, _, decrypted) = connection.send(&key_call("decrypt", &decrypt_body(&encrypted))).await;
    assert_eq!((status, decrypted), (200, json!({"plaintext": "SGVsbG8gV29ybGQh"})));
    for (call, expected) in [
        (Call::unsigned(&path("health"), "{}"), 401),
        (Call::unsigned("/other", "{}"), 404),
        (Call { method: "GET", ..Call::unsigned(&path("health"), "") }, 405),
        (Call { method: "PUT", ..Call::unsigned(&path("health"), "{}") }, 405),
        (key_call("encrypt", &json!({})), 400),
        (health(), 200),
    ] {
        let (status, head, answer) = connection.send(&call).await;
        assert_eq!((status, answer["errorName"].is_string()), (expected, expected != 200), "{answer}");
        assert_eq!(head.contains("\r\nallow: post"), expected == 405, "{head}");
    }
    // A query string is part of no valid call.
    let mut presigned = health();
    presigned.path += "?X-Amz-Expires=60";
    assert_eq!(connection.send(&presigned).await.0, 401);
    running.stop().await;
}

#[tokio::test]
async fn the_cipher_suites_are_those_of_aws_kms() {
    let (proxy, tls12, tls13) = (proxy(), &rustls::version::TLS12, &rustls::version::TLS13);
    let ecdsa = Running::start(&proxy, patient());
    let rsa = Running::start_with(&proxy, patient(), &rcgen::PKCS_RSA_SHA256);
    for (server, suite, version, served) in [
        (&ecdsa, cipher_suite::TLS13_AES_256_GCM_SHA384, tls13, true),
        (&ecdsa, cipher_suite::TLS13_CHACHA20_POLY1305_SHA256, tls13, true),
        (&ecdsa, cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls12, true),
        (&rsa, cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls12, true),
        (&rsa, cipher_suite::TLS13_AES_256_GCM_SHA384, tls13, true),
        (&ecdsa, cipher_suite::TLS13_AES_128_GCM_SHA256, tls13, false),
        (&ecdsa, cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls12, false),
    ] {
        let connected = server.connect_with(vec![suite], &[version]).await;
        match connected {
            Ok(mut connection) => {
                assert!(served, "{suite:?}");
                assert_eq!(connection.send(&health()).await.0, 200);
            }
            Err(error) => assert!(!served, "{suite:?}: {error}"),
        }
    }
    ecdsa.stop().await;
    rsa.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_ends_the_connection() {
    let proxy = proxy();
    let running = Running::start(&proxy, patient());
    let large = Call::unsigned(&path("health"), &" ".repeat(256 * 1024 + 1));
    let mut connection = running.connect().await;
    let (status, head, answer) = connection.send(&large).await;
    assert_eq!((status, &answer["errorName"]), (501, &json!("UnsupportedOperationException")));
    assert!(head.contains("\r\nconnection: close"), "{head}");
    connection.assert_closed(Duration::from_secs(5)).await;
    // In chunks, without a declared length.
    let mut connection = running.connect().await;
    let head = format!("POST {} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n", path("health"));
    connection.write(head.as_bytes()).await;
    for _ in 0..5 {
        connection.write(&[&b"10000\r\n"[..], &[b' '; 0x10000], b"\r\n"].concat()).await;
    }
    connection.write(b"0\r\n\r\n").await;
    assert_eq!(connection.read().await.0, 501);
    connection.assert_closed(Duration::from_secs(5)).await;
    // A length beyond all measure is refused before the body comes.
    let mut connection = running.connect().await;
    let head = format!("POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999\r\n\r\n", path("health"));
    connection.write(head.as_bytes()).await;
    assert_eq!(connection.read().await.0, 501);
    connection.assert_closed(Duration::from_secs(5)).await;
    let mut connection = running.connect().await;
    let long = format!("{}{}", encrypt_body(), " ".repeat(255 * 1024));
    assert_eq!(connection.send(&signed_now(Call::unsigned(&path("health"), &long))).await.0, 200);
    running.stop().await;
}

#[tokio::test]
async fn slow_clients_lose_their_connection() {
    let short = Duration::from_secs(1);
    let timeouts =
        Timeouts { handshake: short, head: short, body: short, idle: short, answer: short, disconnect: short };
    let proxy = proxy();
    let running = Running::start(&proxy, timeouts);
    // actix rounds its timers up, and the watch of connections runs each second.
    let limit = Duration::from_secs(20);
    let mut no_handshake = TcpStream::connect(running.address).await.expect("a connection");
    let mut idle = running.connect().await;
    let mut half_a_head = running.connect().await;
    half_a_head.write(b"POST / HTTP/1.1\r\nhost: lo").await;
    let mut second_head = running.connect().await;
    assert_eq!(second_head.send(&health()).await.0, 200);
    second_head.write(b"POST / HTTP/1.1\r\nhost: lo").await;
    let mut half_a_body = running.connect().await;
    let call = bytes_of(&health());
    half_a_body.write(&call[..call.len() - 1]).await;
    let (status, _, _) = half_a_body.read().await;
    assert_eq!(status, 400);
    half_a_body.assert_closed(limit).await;
    for connection in [&mut idle, &mut half_a_head, &mut second_head] {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(limit, connection.0.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the connection is still open");
    }
    let mut rest = Vec::new();
    assert!(tokio::time::timeout(limit, no_handshake.read_to_end(&mut rest)).await.is_ok());
    assert_eq!(running.connect().await.send(&health()).await.0, 200);
    running.stop().await;
}

#[tokio::test]
async fn a_block_is_in_force_on_open_connections() {
    let proxy = proxy();
    let running = Running::start(&proxy, patient());
    let mut connections = [running.connect().await, running.connect().await];
    for connection in &mut connections {
        assert_eq!(connection.send(&health()).await.0, 200);
    }
    proxy.put_store(StoreEntry { blocked: true, ..store() });
    for connection in &mut connections {
        let (status, _, answer) = connection.send(&health()).await;
        assert_eq!((status, &answer["errorName"]), (400, &json!("InvalidStateException")));
    }
    proxy.put_store(store());
    for connection in &mut connections {
        assert_eq!(connection.send(&health()).await.0, 200);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_stop_ends_idle_connections_and_closes_the_port() {
    let proxy = proxy();
    let running = Running::start(&proxy, patient());
    let address = running.address;
    let mut connection = running.connect().await;
    assert_eq!(connection.send(&health()).await.0, 200);
    let began = Instant::now();
    running.stop().await;
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(TcpStream::connect(address).await.is_err());
}

/// Serves one store with one key until the process is ended, for AWS's test client; prints its settings. Run it with
/// `cargo test --lib serve_for_the_test_client -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "it serves until it is ended"]
async fn serve_for_the_test_client() {
    let proxy = proxy();
    let running = Running::start(&proxy, patient());
    let prefix = StoreEntry::uri_path(STORE);
    println!("export XKS_PROXY_HOST=localhost:{}", running.address.port());
    println!("export URI_PREFIX={}", prefix.trim_start_matches('/').trim_end_matches("/kms/xks/v1"));
    println!("export SIGV4_ACCESS_KEY_ID={ACCESS_KEY_ID} SIGV4_SECRET_ACCESS_KEY='{SECRET}' REGION={REGION}");
    println!("export KEY_ID={KEY} ENCRYPT_ONLY_KEY_ID={ENCRYPT_ONLY} DECRYPT_ONLY_KEY_ID={DECRYPT_ONLY}");
    println!("export IMPOTENT_KEY_ID={IMPOTENT} SECURE=--insecure");
    running.stopped.await.expect("the server's task").expect("no error");
}
