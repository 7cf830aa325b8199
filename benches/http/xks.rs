//! Encryption by the XKS proxy over 64 persistent connections, with a signature and an integrity value in each call,
//! compared with a bare actix handler that reads the same call and answers the same bytes over the same TLS. The server
//! has one processor and one worker, and the client has another processor. The calls of a round are one signed call,
//! repeated: the proxy does the same work for each, and the client's work does not count. AWS's sample proxy is
//! measured too, if there is one (`xks_peer.rs`).

use crate::Outcome;
use crate::connection::Connection;
use crate::figures::{at_least, at_most, figure, median};
use crate::get::{Round, measure};
use crate::program::{Program, keep_to};
use crate::xks_peer;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use chrono::Utc;
use claviger::listener::{Listening, Server, Timeouts};
use claviger::sigv4::{Request, SecretKey, SigningKey};
use claviger::xks::{
    CallerRules, Credential, KeyEntry, Material, Proxy, StoreEntry, VersionEntry, server_config, start,
};
use futures_util::future::try_join_all;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use uuid::Uuid;

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 7;
/// The processors of the server and of the client.
const SERVER: Option<usize> = Some(0);
const CLIENT: Option<usize> = Some(1);
const STORE: Uuid = Uuid::from_u128(1);
const KEY: &str = "9d6d3b52-1f5e-4b8e-8a55-7c9f2f0d4e21";
pub(crate) const ACCESS_KEY_ID: &str = "QFQ7ZB4VJ2DK5N3XW6RTYHGM";
pub(crate) const SECRET: &str = "FYtE5EFA5FT0mCc3DrGUe2sti527BitkQ0Zr9MO9fvE=";
pub(crate) const REGION: &str = "us-east-1";

/// What a process of this benchmark serves.
pub(crate) const PROXY: &str = "proxy";
pub(crate) const PROXY_WITH_KEYS: &str = "proxy-with-keys";
pub(crate) const BARE: &str = "bare";
const MANY_KEYS: usize = 10_000;

pub(crate) fn run(directory: &Path, runtime: &Runtime) -> Outcome<()> {
    create_certificate(&directory.join("data"))?;
    keep_to(SERVER)?;
    let proxy = Program::xks(directory, PROXY)?;
    std::fs::write(directory.join("answer"), runtime.block_on(one_answer(&proxy))?)?;
    let bare = Program::xks(directory, BARE)?;
    let with_keys = Program::xks(directory, PROXY_WITH_KEYS)?;
    let peer = xks_peer::wanted().map(|program| xks_peer::start(&program, directory)).transpose()?;
    let memory = with_keys.memory("VmRSS")? - proxy.memory("VmRSS")?;
    with_keys.stop()?;
    keep_to(CLIENT)?;
    let (mut ours, mut theirs, mut peers) = (Vec::new(), Vec::new(), Vec::new());
    runtime.block_on(async {
        let (mut our_connections, mut their_connections) = (connections(&proxy).await?, connections(&bare).await?);
        let mut peer = match &peer {
            Some(peer) => Some((peer, connections(peer).await?)),
            None => None,
        };
        for round in 0..=ROUNDS {
            let request = call_of_the_bench()?;
            let (our, their) = (
                measure(&proxy, &mut our_connections, &request).await?,
                measure(&bare, &mut their_connections, &request).await?,
            );
            if let Some((peer, connections)) = &mut peer {
                let rate = measure(peer, connections, &xks_peer::call()?).await?;
                peers.extend((round > 0).then_some(rate));
            }
            // The first round is a warm-up.
            if round > 0 {
                ours.push(our);
                theirs.push(their);
            }
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    keep_to(None)?;
    let rate = |rounds: &[Round]| median(rounds.iter().map(|round| round.per_second).collect());
    let cost = |rounds: &[Round]| median(rounds.iter().map(|round| round.cpu_micros).collect());
    figure("xks: calls per second, bare actix handler", rate(&theirs), 0);
    figure("xks: calls per second, encrypt", rate(&ours), 0);
    figure("xks: server's processor time per call, bare actix handler, in µs", cost(&theirs), 2);
    figure("xks: server's processor time per call, encrypt, in µs", cost(&ours), 2);
    at_least("xks: calls per second, encrypt to bare actix handler", rate(&ours) / rate(&theirs), 0.5);
    if !peers.is_empty() {
        figure("xks: calls per second, AWS's sample proxy on SoftHSM", rate(&peers), 0);
        figure("xks: server's processor time per call, AWS's sample proxy, in µs", cost(&peers), 2);
        figure("xks: calls per second, encrypt to AWS's sample proxy", rate(&ours) / rate(&peers), 2);
        // The client's one processor limits the rate of ours, but not that of the peer.
        at_least("xks: calls per processor second, encrypt to AWS's sample proxy", cost(&peers) / cost(&ours), 5.0);
    }
    at_most("xks: memory of 10 000 keys, in MiB", memory, 50.0);
    proxy.stop()
}

async fn connections(program: &Program) -> Outcome<Vec<Connection>> {
    try_join_all((0..CONNECTIONS).map(|_| program.connect())).await
}

/// The body of an answer to the call.
async fn one_answer(program: &Program) -> Outcome<Vec<u8>> {
    let (mut connection, call) = (program.connect().await?, call_of_the_bench()?);
    let answer = connection.send(&call).await?;
    match answer.status {
        200 => Ok(answer.body.to_vec()),
        other => Err(format!("{other}: {}", String::from_utf8_lossy(answer.body)).into()),
    }
}

/// Who signs a call.
pub(crate) struct Caller<'a> {
    pub access_key_id: &'a str,
    pub secret: &'a str,
    pub region: &'a str,
}

fn call_of_the_bench() -> Outcome<Vec<u8>> {
    let path = format!("{}/keys/{KEY}/encrypt", StoreEntry::uri_path(STORE));
    encrypt_call(&path, &Caller { access_key_id: ACCESS_KEY_ID, secret: SECRET, region: REGION })
}

/// The bytes of a signed call of the size that AWS's calls have.
pub(crate) fn encrypt_call(path: &str, caller: &Caller<'_>) -> Outcome<Vec<u8>> {
    let body = serde_json::json!({
        "requestMetadata": {
            "awsPrincipalArn": "arn:aws:sts::123456789012:assumed-role/app-role/app",
            "kmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/0987dcba-09fe-87dc-65ba-ab0987654321",
            "kmsOperation": "GenerateDataKey", "kmsRequestId": "4112f4d6-db54-4af4-ae30-c55a22a8dfae",
            "kmsViaService": "s3.us-east-1.amazonaws.com",
        },
        "additionalAuthenticatedData": "cHJvamVjdD1uaWxlLGRlcGFydG1lbnQ9bWFya2V0aW5n".repeat(4),
        "plaintext": "SGVsbG8gV29ybGQh".repeat(10), "encryptionAlgorithm": "AES_GCM",
        "ciphertextDataIntegrityValueAlgorithm": "SHA_256",
    })
    .to_string();
    let host = ("host".to_owned(), b"localhost".to_vec());
    let request = Request { method: "POST", path, query: "", headers: vec![host], body: body.as_bytes() };
    let key = SecretKey { access_key_id: caller.access_key_id, secret_access_key: caller.secret, session_token: None };
    let added = SigningKey::Secret(key)
        .sign(&request, caller.region, "kms-xks-proxy", Utc::now())
        .map_err(|_| "the call could not be signed")?;
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
    for (name, value) in added {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    Ok(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

fn create_certificate(data: &Path) -> Outcome<()> {
    std::fs::create_dir_all(data)?;
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    std::fs::write(data.join("tls.key"), made.signing_key.serialize_pem())?;
    std::fs::write(data.join("tls.crt"), made.cert.pem())?;
    Ok(())
}

/// Serves in a process of its own.
pub(crate) fn serve(role: &str, directory: &Path) -> Outcome<()> {
    let data = directory.join("data");
    let chain = vec![CertificateDer::from_pem_file(data.join("tls.crt"))?];
    let key = PrivateKeyDer::from_pem_file(data.join("tls.key"))?;
    let certified = CertifiedKey::from_der(chain, key, &rustls::crypto::aws_lc_rs::default_provider())?;
    let tls = server_config(Arc::new(SingleCertAndKey::from(certified)))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    actix_web::rt::System::new().block_on(async {
        match role {
            BARE => {
                let body = Bytes::from(std::fs::read(directory.join("answer"))?);
                announce(listener.local_addr()?);
                let server = HttpServer::new(move || {
                    let body = body.clone();
                    let handler = move |_: Bytes| {
                        let body = body.clone();
                        async move { HttpResponse::Ok().content_type("application/json").body(body) }
                    };
                    App::new().route("/{path:.*}", web::post().to(handler))
                });
                Ok(server.workers(1).listen_rustls_0_23(listener, tls)?.run().await?)
            }
            role => {
                let second = Duration::from_secs(1);
                let timeouts = Timeouts {
                    handshake: 10 * second,
                    head: 10 * second,
                    body: 10 * second,
                    idle: 60 * second,
                    answer: 10 * second,
                    disconnect: second,
                };
                let listening = Listening {
                    listener,
                    tls,
                    workers: 1,
                    timeouts,
                    shutdown_seconds: 1,
                    max_connections: 1000,
                    sources: None,
                };
                let keys = if role == PROXY_WITH_KEYS { MANY_KEYS } else { 1 };
                let (Server { address, .. }, stopped) = start(proxy(keys)?, listening)?;
                announce(address);
                Ok(stopped.await?)
            }
        }
    })
}

fn announce(address: SocketAddr) {
    println!("API https://{address}/api/v1");
}

/// A proxy with one store and this number of keys.
fn proxy(keys: usize) -> Outcome<Proxy> {
    let material = || Material::of(&[7; 32]).ok_or("no material");
    let store = StoreEntry {
        id: STORE,
        region: REGION.to_owned(),
        credentials: vec![Credential {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET.to_owned().into(),
        }],
        blocked: false,
        caller_rules: CallerRules::default(),
        rate_limit: None,
        report_successes: false,
        health_key: Some(material()?),
    };
    let key = |xks_key_id: String| -> Outcome<KeyEntry> {
        let version = VersionEntry {
            number: 1,
            material: Some(material()?),
            enabled: true,
            can_encrypt: true,
            can_decrypt: true,
            encryptions: 0,
        };
        Ok(KeyEntry {
            xks_key_id,
            blocked: false,
            enabled: true,
            caller_rules: CallerRules::default(),
            versions: vec![version],
            active_version: 1,
        })
    };
    let others = (1..keys).map(|n| key(Uuid::from_u128(n as u128).to_string()));
    let keys = std::iter::once(key(KEY.to_owned())).chain(others).collect::<Outcome<Vec<_>>>()?;
    let proxy = Proxy::new("bench", "0");
    proxy.replace_all(vec![(store, keys)]);
    Ok(proxy)
}
