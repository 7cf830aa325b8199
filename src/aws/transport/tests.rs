use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusoto_core::credential::AwsCredentials;

use super::super::fake::{Fake, Reply};
use super::*;

fn settings() -> AwsSettings {
    AwsSettings::default()
}

fn signed(url: &str) -> SignedRequest {
    let region = rusoto_core::Region::Custom { name: "us-east-1".to_owned(), endpoint: url.to_owned() };
    let mut request = SignedRequest::new("POST", "sts", &region, "/");
    request.set_payload(Some("Action=GetCallerIdentity"));
    request.sign(&AwsCredentials::new("AKIA1", "s3cret-key", Some("t0ken-of-session".to_owned()), None));
    request
}

async fn send(settings: &AwsSettings, url: &str) -> Result<HttpAnswer, Fault> {
    Transport::new(settings).expect("the settings are in order").send(signed(url)).await
}

#[tokio::test]
async fn the_request_arrives_as_it_was_signed_and_connections_are_kept() {
    let fake = Fake::answering(|_, _| Reply::Http(200, "done".to_owned())).await;
    let transport = Transport::new(&settings()).expect("the settings are in order");
    for _ in 0..2 {
        let answer = transport.send(signed(&format!("{}/base", fake.url()))).await.expect("answered");
        assert_eq!((answer.status, &answer.body[..]), (200, &b"done"[..]));
    }
    let asked = &fake.calls()[0];
    assert!(asked.head.starts_with("POST /base/ HTTP/1.1\r\n"), "{}", asked.head);
    assert_eq!(asked.body, "Action=GetCallerIdentity");
    assert_eq!(asked.header("host"), fake.url().strip_prefix("http://"));
    assert_eq!(asked.key_id(), Some("AKIA1"));
    assert_eq!(asked.header("x-amz-security-token"), Some("t0ken-of-session"));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let answer = b"HTTP/1.1 302 x\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_vec();
    let fake = Fake::answering(move |_, _| Reply::Raw(answer.clone())).await;
    assert_eq!(send(&settings(), &fake.url()).await.expect("answered").status, 302);
    assert_eq!(fake.calls().len(), 1);
}

#[tokio::test]
async fn the_read_timeout_applies_before_and_within_an_answer() {
    for head in ["", "HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\nhalf"] {
        let fake = Fake::answering(move |_, _| Reply::Stall(head.into())).await;
        let started = Instant::now();
        let settings = AwsSettings { read_timeout_ms: 300, ..settings() };
        assert_eq!(send(&settings, &fake.url()).await.err(), Some(Fault::TimedOut));
        assert!(started.elapsed() < Duration::from_secs(4));
    }
}

#[tokio::test]
async fn a_broken_answer_differs_from_a_failed_connection() {
    for bytes in ["", "HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\nhalf", "SSH-2.0-OpenSSH_9.2\r\n"] {
        let fake = Fake::answering(move |_, _| Reply::Raw(bytes.into())).await;
        let fault = send(&settings(), &fake.url()).await.expect_err("broken");
        assert!(matches!(fault, Fault::ConnectionLost(_)), "{bytes}: {fault:?}");
    }
    let unused = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    for url in [format!("http://{unused}"), "http://name.invalid".to_owned()] {
        let fault = send(&settings(), &url).await.expect_err("nobody listens");
        assert!(matches!(fault, Fault::NotConnected(_)), "{url}: {fault:?}");
    }
}

#[tokio::test]
async fn the_size_of_an_answer_is_limited_with_and_without_a_length() {
    let declared = format!("HTTP/1.1 200 x\r\ncontent-length: {}\r\n\r\n", 1_u64 << 40).into_bytes();
    let mut chunked = b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..6 {
        chunked.extend_from_slice(format!("{:x}\r\n", 1 << 20).as_bytes());
        chunked.resize(chunked.len() + (1 << 20), b'x');
        chunked.extend_from_slice(b"\r\n");
    }
    for bytes in [declared, chunked] {
        let fake = Fake::answering(move |_, _| Reply::Raw(bytes.clone())).await;
        let fault = send(&settings(), &fake.url()).await.expect_err("too large");
        assert!(matches!(&fault, Fault::Unintelligible(reason) if reason.contains("4194304")), "{fault:?}");
    }
}

#[tokio::test]
async fn a_proxy_gets_its_password_and_can_be_bypassed() {
    let proxy = Fake::answering(|asked, _| match asked.header("proxy-authorization") {
        Some("Basic YW5uOnBhc3Mgd29yZA==") => Reply::Http(200, "by the proxy".to_owned()),
        _ => Reply::Http(407, String::new()),
    })
    .await;
    let direct = Fake::answering(|_, _| Reply::Http(200, "direct".to_owned())).await;
    let through = |password: &str| AwsSettings {
        proxy: Some(proxy.url().replace("http://", &format!("http://ann:{password}@"))),
        ..settings()
    };
    let answer = send(&through("pass%20word"), "http://sts.example").await.expect("answered");
    assert_eq!(&answer.body[..], b"by the proxy");
    assert!(proxy.calls()[0].head.starts_with("POST http://sts.example/ HTTP/1.1"));

    let answer = send(&through("wrong-one"), "http://sts.example").await.expect("answered");
    assert_eq!(answer.status, 407);
    let fault = send(&through("wrong-one"), "https://sts.example").await.expect_err("no tunnel");
    assert!(matches!(fault, Fault::NotConnected(_)) && !format!("{fault:?}").contains("wrong-one"), "{fault:?}");
    assert!(proxy.calls()[2].head.starts_with("CONNECT sts.example:443 HTTP/1.1"));

    let excepted = AwsSettings { no_proxy: vec!["127.0.0.0/8".to_owned()], ..through("pass%20word") };
    assert_eq!(&send(&excepted, &direct.url()).await.expect("answered").body[..], b"direct");
}

#[tokio::test]
async fn a_header_that_http_cannot_carry_is_not_sent() {
    let mut request = signed("http://127.0.0.1:9");
    request.sign(&AwsCredentials::new("AKIA\r\nx: y", "s3cret-key", None, None));
    let fault = Transport::new(&settings()).expect("in order").send(request).await.expect_err("unsendable");
    assert_eq!(fault, Fault::Unsendable("its access key id cannot be put into an HTTP request".to_owned()));
}

#[tokio::test]
async fn only_the_ca_bundle_is_trusted_if_there_is_one() {
    let (port, authority) = tls_server("localhost");
    let (_, stranger) = tls_server("localhost");
    let directory = tempfile::tempdir().expect("a directory");
    let bundle = |name: &str, pem: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, pem).expect("it can be written");
        AwsSettings { ca_bundle: Some(path), ..settings() }
    };
    let ours = bundle("ours.pem", &format!("{stranger}\n{authority}"));
    let answer = send(&ours, &format!("https://localhost:{port}")).await.expect("trusted");
    assert_eq!(&answer.body[..], b"safe");

    let theirs = bundle("theirs.pem", &stranger);
    for (settings, host) in [(&theirs, "localhost"), (&settings(), "localhost"), (&ours, "127.0.0.1")] {
        let fault = send(settings, &format!("https://{host}:{port}")).await.expect_err("not trusted");
        assert!(matches!(&fault, Fault::Untrusted(reason) if reason.contains("certificate")), "{fault:?}");
        assert!(!fault.is_retryable(super::super::fault::RetryPolicy::Idempotent));
    }
}

#[test]
fn a_ca_bundle_that_is_none_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ca.pem");
    let settings = AwsSettings { ca_bundle: Some(path.clone()), ..settings() };
    let said = || Transport::new(&settings).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(said().contains("cannot be read"), "{}", said());
    for text in [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ] {
        std::fs::write(&path, text).expect("it can be written");
        assert!(said().contains("a PEM file of certificates is expected"), "{text}: {}", said());
    }
}

/// Starts an HTTPS server with a self-signed certificate for one name. Returns its port and the certificate.
fn tls_server(name: &str) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key));
    let config = Arc::new(config.expect("a configuration"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = rustls::StreamOwned::new(connection, stream);
            let answered = stream.read(&mut [0; 4096]).is_ok();
            if answered {
                let _ = stream.write_all(b"HTTP/1.1 200 x\r\ncontent-length: 4\r\nconnection: close\r\n\r\nsafe");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (port, made.cert.pem())
}
