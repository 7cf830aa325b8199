//! An XKS proxy for tests, over HTTPS on a loopback port, with keys in memory.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{digest, rand};
use chrono::Utc;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::sigv4::{Claim, Request};

pub(super) const PATH: &str = "/test/kms/xks/v1";
pub(super) const ENDPOINT: &str = "https://xks.lab.internal";
pub(super) const ID: &str = "AAAAAAAAAAAAAAAAAAAA";
pub(super) const SECRET: &str = "0123456789012345678901234567890123456789012";

#[derive(Clone)]
pub(super) struct Proxy {
    pub listener: XksListener,
    behaviour: Arc<Mutex<Behaviour>>,
    /// Requests wait while there are no permits.
    pub gate: Arc<Semaphore>,
}

/// What the proxy does, and what it has seen.
pub(super) struct Behaviour {
    /// The secrets by access key id.
    pub credentials: BTreeMap<String, String>,
    /// The versions of each key, from 1.
    pub keys: BTreeMap<String, Vec<[u8; 32]>>,
    /// The answers by the last part of the path, in place of the right ones.
    pub answers: BTreeMap<String, (u16, Value)>,
    /// The calls, with their bodies.
    pub seen: Vec<(String, Value)>,
}

impl Proxy {
    pub(super) async fn start() -> Proxy {
        let certified = rcgen::generate_simple_self_signed(["xks.lab.internal".to_owned()]).expect("a certificate");
        let certificate: CertificateDer<'static> = certified.cert.der().clone();
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("a key");
        let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .expect("a configuration");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address: SocketAddr = listener.local_addr().expect("an address");
        let behaviour = Behaviour {
            credentials: BTreeMap::from([(ID.to_owned(), SECRET.to_owned())]),
            keys: BTreeMap::from([("key-1".to_owned(), vec![[1; 32]]), ("key-2".to_owned(), vec![[2; 32]])]),
            answers: BTreeMap::new(),
            seen: Vec::new(),
        };
        let proxy = Proxy {
            listener: XksListener { address, certificates: vec![certificate] },
            behaviour: Arc::new(Mutex::new(behaviour)),
            gate: Arc::new(Semaphore::new(1000)),
        };
        let (acceptor, serving) = (TlsAcceptor::from(Arc::new(tls)), proxy.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(socket, acceptor.clone()));
            }
        });
        proxy
    }

    pub(super) fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour.lock().expect("a lock")
    }

    /// The calls since the last time, with their bodies.
    pub(super) fn take_seen(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.behaviour().seen)
    }

    /// Answers a kind of call with something else.
    pub(super) fn answer_with(&self, call: &str, status: u16, body: Value) {
        self.behaviour().answers.insert(call.to_owned(), (status, body));
    }

    pub(super) fn answer_rightly(&self) {
        self.behaviour().answers.clear();
    }

    async fn serve(self, socket: TcpStream, acceptor: TlsAcceptor) {
        let Ok(mut stream) = acceptor.accept(socket).await else { return };
        let mut received = Vec::new();
        loop {
            let head = loop {
                if let Some(end) = received.windows(4).position(|part| part == b"\r\n\r\n") {
                    break end + 4;
                }
                match stream.read_buf(&mut received).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
            };
            let text = String::from_utf8(received[..head].to_vec()).expect("a head");
            let headers: Vec<(String, Vec<u8>)> = text
                .lines()
                .skip(1)
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.as_bytes().to_vec()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length").map(|(_, value)| value.clone());
            let length: usize =
                String::from_utf8(length.expect("a length")).expect("a text").parse().expect("a number");
            while received.len() < head + length {
                match stream.read_buf(&mut received).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
            }
            let body: Vec<u8> = received.drain(..head + length).skip(head).collect();
            let path = text.split(' ').nth(1).expect("a path");
            let request = Request { method: "POST", path, query: "", headers, body: &body };
            let (status, answer) = self.answer(&request);
            self.gate.acquire().await.expect("a gate").forget();
            self.gate.add_permits(1);
            let answer = answer.to_string();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            if stream.write_all(&[head.as_bytes(), answer.as_bytes()].concat()).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: &Request<'_>) -> (u16, Value) {
        let refused = |status: u16, name: &str| (status, json!({ "errorName": name, "errorMessage": "secret" }));
        let mut behaviour = self.behaviour();
        let Some(call) = request.path.strip_prefix(PATH) else { return refused(404, "InvalidUriPathException") };
        let claim = Claim::read(request).expect("a signature");
        claim.check_form(request, "kms-xks-proxy", Utc::now()).expect("a form");
        let secret = behaviour.credentials.get(&claim.access_key_id).cloned().unwrap_or_default();
        if claim.verify(request, &secret).is_err() {
            return refused(401, "AuthenticationFailedException");
        }
        let body: Value = serde_json::from_slice(request.body).expect("JSON");
        behaviour.seen.push((call.to_owned(), body.clone()));
        let parts: Vec<&str> = call.split('/').collect();
        if let Some(answer) = parts.last().and_then(|last| behaviour.answers.get(*last)) {
            return answer.clone();
        }
        match parts[..] {
            ["", "health"] => (200, health("ACTIVE")),
            ["", "keys", id, operation] => match (behaviour.keys.get(id), operation) {
                (None, _) => refused(404, "KeyNotFoundException"),
                (Some(_), "metadata") => {
                    let usage = json!(["ENCRYPT", "DECRYPT"]);
                    (200, json!({ "keySpec": "AES_256", "keyUsage": usage, "keyStatus": "ENABLED" }))
                }
                (Some(versions), "encrypt") => (200, encrypt(versions, &body)),
                (Some(versions), _) => match decrypt(versions, &body) {
                    Some(plaintext) => (200, json!({ "plaintext": plaintext })),
                    None => refused(400, "InvalidCiphertextException"),
                },
            },
            _ => refused(404, "InvalidUriPathException"),
        }
    }
}

pub(super) fn health(status: &str) -> Value {
    json!({
        "xksProxyFleetSize": 1, "xksProxyVendor": "v", "xksProxyModel": "m", "ekmVendor": "v",
        "ekmFleetDetails": [{ "id": "a", "model": "m", "healthStatus": status }],
    })
}

/// The metadata of ciphertexts of a version; none for the first one.
fn metadata(version: usize) -> Vec<u8> {
    if version == 1 { Vec::new() } else { vec![u8::try_from(version).expect("a small number")] }
}

fn additional(authenticated: &[u8], metadata: &[u8]) -> Vec<u8> {
    let length = u16::try_from(authenticated.len()).expect("a length").to_be_bytes();
    [&length[..], authenticated, &[u8::try_from(metadata.len()).expect("a length")], metadata].concat()
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("a key"))
}

fn encrypt(versions: &[[u8; 32]], body: &Value) -> Value {
    assert_eq!(
        (&body["encryptionAlgorithm"], &body["ciphertextDataIntegrityValueAlgorithm"]),
        (&json!("AES_GCM"), &json!("SHA_256"))
    );
    let authenticated = decoded(&body["additionalAuthenticatedData"]);
    let metadata = metadata(versions.len());
    let mut vector = [0; 12];
    rand::fill(&mut vector).expect("randomness");
    let mut sealed = decoded(&body["plaintext"]);
    let aad = Aad::from(additional(&authenticated, &metadata));
    let nonce = Nonce::assume_unique_for_key(vector);
    let tag = cipher(versions.last().expect("a version")).seal_in_place_separate_tag(nonce, aad, &mut sealed);
    let tag = tag.expect("a tag").as_ref().to_vec();
    let covered = [&authenticated[..], &metadata, &vector, &sealed, &tag].concat();
    let mut answer = json!({
        "ciphertext": encoded(&sealed),
        "initializationVector": encoded(vector),
        "authenticationTag": encoded(&tag),
        "ciphertextDataIntegrityValue": encoded(digest::digest(&digest::SHA256, &covered)),
    });
    if !metadata.is_empty() {
        answer["ciphertextMetadata"] = encoded(&metadata);
    }
    answer
}

fn decrypt(versions: &[[u8; 32]], body: &Value) -> Option<Value> {
    let given = body.get("ciphertextMetadata").map(decoded).unwrap_or_default();
    let version = given.first().map_or(1, |version| usize::from(*version));
    let vector: [u8; 12] = decoded(&body["initializationVector"]).try_into().ok()?;
    let mut sealed = [decoded(&body["ciphertext"]), decoded(&body["authenticationTag"])].concat();
    let aad = Aad::from(additional(&decoded(&body["additionalAuthenticatedData"]), &given));
    let key = cipher(versions.get(version - 1)?);
    let opened = key.open_in_place(Nonce::assume_unique_for_key(vector), aad, &mut sealed).ok()?;
    Some(encoded(opened))
}

/// The built-in plan with other members under `[custom_key_stores]`. Proxies get five seconds, because the machine that
/// runs the tests may be busy.
pub(super) fn plan_with(members: &str) -> LabPlan {
    let patience = if members.contains("proxy_timeout_ms") { "" } else { "proxy_timeout_ms = 5000\n" };
    let table = format!("[custom_key_stores]\n{patience}{members}");
    let plan = include_str!("../../../config/lab-cloud.toml").replace("[custom_key_stores]\n", &table);
    LabPlan::parse(&plan).expect("a plan")
}

/// A lab whose plan has other members under `[custom_key_stores]`.
pub(super) async fn lab_with(members: &str) -> Lab {
    let listen = "127.0.0.1:0".parse().expect("an address");
    Lab { cloud: LabCloud::start(plan_with(members), listen, None, None).await.expect("a free port") }
}

/// A lab with a proxy that it reaches.
pub(super) async fn lab_and_proxy() -> (Lab, Proxy) {
    let (lab, proxy) = (lab_with("").await, Proxy::start().await);
    lab.cloud.set_xks_listener(&proxy.listener).expect("a listener");
    (lab, proxy)
}

/// The parameters of a store on the proxy.
pub(super) fn store(name: &str) -> Value {
    json!({
        "CustomKeyStoreName": name,
        "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "XksProxyUriEndpoint": ENDPOINT,
        "XksProxyUriPath": PATH,
        "XksProxyConnectivity": "PUBLIC_ENDPOINT",
        "XksProxyAuthenticationCredential": { "AccessKeyId": ID, "RawSecretAccessKey": SECRET },
    })
}

/// Parameters with other members. `null` removes one.
pub(super) fn with(mut parameters: Value, members: Value) -> Value {
    let (all, members) =
        (parameters.as_object_mut().expect("an object"), members.as_object().expect("an object").clone());
    all.extend(members);
    all.retain(|_, value| !value.is_null());
    parameters
}

pub(super) fn with_id(id: &str) -> Value {
    json!({ "CustomKeyStoreId": id })
}

pub(super) fn update(id: &str, members: Value) -> Value {
    with(with_id(id), members)
}

/// The name of the `kmsOperation` of each call.
pub(super) fn operations(seen: &[(String, Value)]) -> Vec<(&str, &str)> {
    seen.iter()
        .map(|(call, body)| (call.as_str(), body["requestMetadata"]["kmsOperation"].as_str().expect("an operation")))
        .collect()
}

impl Lab {
    /// Moves the clock of KMS.
    pub(super) async fn seconds_ahead(&self, seconds: u32) {
        let setting = json!({ "ahead_seconds": seconds });
        assert_eq!(self.control(Method::PUT, "/_lab/clock", &setting).await, (200, setting));
    }

    pub(super) async fn faults(&self, faults: Value) {
        let (status, answer) = self.control(Method::PUT, "/_lab/faults", &faults).await;
        assert_eq!(status, 200, "{answer}");
    }
}

impl KmsClient<'_> {
    /// Creates a store and returns its id.
    pub(super) async fn new_store(&self, parameters: Value) -> String {
        let answer = self.call("CreateCustomKeyStore", parameters).await;
        answer["CustomKeyStoreId"].as_str().expect("an id").to_owned()
    }

    pub(super) async fn store(&self, id: &str) -> Value {
        let answer = self.call("DescribeCustomKeyStores", json!({ "CustomKeyStoreId": id })).await;
        answer["CustomKeyStores"][0].clone()
    }

    /// Connects a store, and waits until the attempt has ended. The clock of the lab is not moved.
    pub(super) async fn connect(&self, id: &str) -> Value {
        assert_eq!(self.call("ConnectCustomKeyStore", json!({ "CustomKeyStoreId": id })).await, json!({}));
        self.settled(id, "CONNECTING").await
    }

    pub(super) async fn disconnect(&self, id: &str) -> Value {
        assert_eq!(self.call("DisconnectCustomKeyStore", json!({ "CustomKeyStoreId": id })).await, json!({}));
        self.settled(id, "DISCONNECTING").await
    }

    /// The store as soon as it leaves a state.
    pub(super) async fn settled(&self, id: &str, state: &str) -> Value {
        for _ in 0..400 {
            let store = self.store(id).await;
            if store["ConnectionState"] != state {
                return store;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{id} stays {state}")
    }
}
