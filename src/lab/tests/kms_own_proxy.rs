//! Tests of external key stores on the program's own XKS proxy.

use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use uuid::Uuid;

use super::xks_proxy::{plan_with, store, with};
use super::*;
use crate::listener::Listening;
use crate::xks;

const REGION: &str = "eu-west-3";
const STORE: Uuid = Uuid::from_u128(0x4a0d_79d6_1d1b_49fd_9dbe_799c_b9c0_fb3f);
const ACCESS_KEY_ID: &str = "QFQ7ZB4VJ2DK5N3XW6RTYHGM";
const SECRET: &str = "FYtE5EFA5FT0mCc3DrGUe2sti527BitkQ0Zr9MO9fvE=";
const KEY: &str = "9d6d3b52-1f5e-4b8e-8a55-7c9f2f0d4e21";

#[derive(Debug)]
struct OneCertificate(Arc<CertifiedKey>);

impl ResolvesServerCert for OneCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn entry(blocked: bool) -> xks::StoreEntry {
    let secret_access_key = SECRET.to_owned().into();
    xks::StoreEntry {
        id: STORE,
        region: REGION.to_owned(),
        credentials: vec![xks::Credential { access_key_id: ACCESS_KEY_ID.to_owned(), secret_access_key }],
        blocked,
        caller_rules: xks::CallerRules::default(),
        rate_limit: None,
        report_successes: false,
        health_key: xks::Material::of(&[9; 32]),
    }
}

/// A key with versions, of which the last one encrypts.
fn key(versions: u8) -> xks::KeyEntry {
    let version = |number: u8| xks::VersionEntry {
        number: u32::from(number),
        material: xks::Material::of(&[number; 32]),
        enabled: true,
        can_encrypt: true,
        can_decrypt: true,
        encryptions: 0,
    };
    xks::KeyEntry {
        xks_key_id: KEY.to_owned(),
        blocked: false,
        enabled: true,
        caller_rules: xks::CallerRules::default(),
        versions: (1..=versions).map(version).collect(),
        active_version: u32::from(versions),
    }
}

/// Starts a server of the proxy. It runs until the runtime of the test ends.
fn serve(proxy: &xks::Proxy) -> XksListener {
    let certified = rcgen::generate_simple_self_signed(["xks.lab.internal".to_owned()]).expect("a certificate");
    let certificate: CertificateDer<'static> = certified.cert.der().clone();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("a key");
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let key = CertifiedKey::from_der(vec![certificate.clone()], key, &provider).expect("a pair");
    let seconds = Duration::from_secs;
    let options = Listening {
        listener: TcpListener::bind("127.0.0.1:0").expect("a port"),
        tls: xks::server_config(Arc::new(OneCertificate(Arc::new(key)))).expect("a configuration"),
        workers: 1,
        timeouts: crate::listener::Timeouts {
            handshake: seconds(5),
            head: seconds(5),
            body: seconds(5),
            idle: seconds(5),
            answer: seconds(5),
            disconnect: seconds(5),
        },
        shutdown_seconds: 0,
        max_connections: 100,
        sources: None,
    };
    let (server, stopped) = xks::start(proxy.clone(), options).expect("a server");
    tokio::spawn(stopped);
    XksListener { address: server.address, certificates: vec![certificate] }
}

#[tokio::test]
async fn kms_uses_a_key_of_the_program_until_it_is_blocked() {
    let proxy = xks::Proxy::new("installation", "1.0.0");
    proxy.put_store_with_keys(entry(false), vec![key(1)]);
    let listen = "127.0.0.1:0".parse().expect("an address");
    let cloud = LabCloud::start(plan_with(""), listen, None, None).await.expect("a lab");
    cloud.set_xks_listener(&serve(&proxy)).expect("a listener");
    let lab = Lab { cloud };
    let kms = lab.kms(REGION);
    let members = json!({
        "XksProxyUriPath": xks::StoreEntry::uri_path(STORE),
        "XksProxyAuthenticationCredential": { "AccessKeyId": ACCESS_KEY_ID, "RawSecretAccessKey": SECRET },
    });
    let store = kms.new_store(with(store("a"), members)).await;
    assert_eq!(kms.connect(&store).await["ConnectionState"], "CONNECTED");
    let parameters = json!({ "CustomKeyStoreId": store, "Origin": "EXTERNAL_KEY_STORE", "XksKeyId": KEY });
    let unknown = with(parameters.clone(), json!({ "XksKeyId": "unknown" }));
    assert_eq!(kms.code("CreateKey", unknown).await, "XksKeyNotFoundException");
    let id = kms.id(parameters).await;
    let context = json!({ "purpose": "test" });
    let encrypt = json!({ "KeyId": id, "Plaintext": encoded("p".repeat(4096)), "EncryptionContext": context });
    let decrypt = |sealed: &Value| json!({ "CiphertextBlob": sealed["CiphertextBlob"], "EncryptionContext": context });
    let old = kms.call("Encrypt", encrypt.clone()).await;
    // The key is rotated: old and new ciphertexts can be decrypted.
    assert!(proxy.put_key(STORE, key(2)));
    let new = kms.call("Encrypt", encrypt.clone()).await;
    for sealed in [&old, &new] {
        assert_eq!(decoded(&kms.call("Decrypt", decrypt(sealed)).await["Plaintext"]), "p".repeat(4096).into_bytes());
    }
    let data_key = kms.call("GenerateDataKey", json!({ "KeyId": id, "KeySpec": "AES_256" })).await;
    let opened = kms.call("Decrypt", json!({ "CiphertextBlob": data_key["CiphertextBlob"] })).await;
    assert_eq!(opened["Plaintext"], data_key["Plaintext"]);
    proxy.put_store_with_keys(entry(true), vec![key(2)]);
    for (operation, parameters) in [("Encrypt", encrypt), ("Decrypt", decrypt(&old))] {
        let (code, message) = kms.refusal(operation, parameters).await;
        assert!(code == "KMSInvalidStateException" && message.contains("not enabled"), "{code} {message}");
    }
    kms.disconnect(&store).await;
    assert_eq!(kms.connect(&store).await["ConnectionErrorCode"], "XKS_PROXY_ACCESS_DENIED");
    proxy.put_store_with_keys(entry(false), vec![key(2)]);
    kms.disconnect(&store).await;
    kms.connect(&store).await;
    assert_eq!(decoded(&kms.call("Decrypt", decrypt(&old)).await["Plaintext"]).len(), 4096);
}
