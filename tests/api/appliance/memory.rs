//! What the memory of the process holds: no secret stays in it once it was used.

use crate::support::appliance::{Appliance, id, lab};
use memchr::memmem;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::json;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The largest part of the memory that is read at once, in bytes.
const PIECE: usize = 4 * 1024 * 1024;

/// Whether each of the texts is in the writable memory of the process.
fn found<'a>(appliance: &Appliance, secrets: &'a [(&str, String)]) -> Vec<&'a str> {
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", appliance.pid())).expect("its mappings");
    let memory = File::open(format!("/proc/{}/mem", appliance.pid())).expect("its memory");
    let mut found = Vec::new();
    let mut piece = vec![0; PIECE];
    for line in maps.lines() {
        let (range, rest) = line.split_once(' ').expect("a range");
        if !rest.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').expect("two addresses");
        let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).expect("an address"));
        let mut at = from;
        while at < to {
            let length = usize::try_from(to - at).map_or(PIECE, |left| left.min(PIECE));
            // A mapping may have ended since.
            if let Ok(read) = memory.read_at(&mut piece[..length], at) {
                for (name, secret) in secrets {
                    if !found.contains(name) && memmem::find(&piece[..read], secret.as_bytes()).is_some() {
                        found.push(*name);
                    }
                }
            }
            // Pieces overlap, for a secret on the border of two.
            at += if length == PIECE { (PIECE - 512) as u64 } else { length as u64 };
        }
    }
    found
}

/// A certificate of its own key, and the key, in PEM.
fn self_signed() -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, "claviger");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

#[test]
fn no_secret_stays_in_memory() {
    let appliance = Appliance::start();
    if let Err(error) = File::open(format!("/proc/{}/mem", appliance.pid())) {
        eprintln!("skipped: only root reads the memory of another process: {error}");
        return;
    }
    let mut secrets = vec![
        ("password of a new user", "Planted-1-for-a-new-user".to_owned()),
        ("password by a change", "Planted-2-by-a-change".to_owned()),
        ("wrong password", "Planted-3-wrong-password".to_owned()),
        ("password by an administrator", "Planted-4-by-an-administrator".to_owned()),
        ("secret access key", "planted/5+of/a+new+connection/secret0key".to_owned()),
        ("secret access key by a change", "planted/6+of/a+changed+one/secret+key+00".to_owned()),
        ("key material", "706c616e7465642d372d6b65792d6d6174657269616c2d69732d686572652d21".to_owned()),
        ("secret of a webhook", "whsec_UGxhbnRlZC04LW9mLWEtd2ViaG9vay0hLS0=".to_owned()),
        ("secret of a webhook by rotation", "whsec_UGxhbnRlZC05LW9mLWEtd2ViaG9vay1yLS0=".to_owned()),
    ];
    let text = |secrets: &[(&str, String)], n: usize| secrets[n].1.clone();
    {
        let admin = appliance.admin();
        let body = json!({"username": "ann", "password": text(&secrets, 0)});
        let ann =
            admin.post("/v1/usermgmt/users", body).expect(201)["user_id"].as_str().expect("an id").replace('|', "%7C");
        let nobody = appliance.nobody();
        let change = json!({"username": "ann", "password": text(&secrets, 0), "new_password": text(&secrets, 1)});
        assert!(nobody.patch("/v1/auth/changepw", change).status < 300);
        let wrong = json!({"username": "ann", "password": text(&secrets, 2)});
        nobody.post("/v1/auth/tokens", wrong).refused(401, "NCERRUnauthorized");
        let login = json!({"username": "ann", "password": text(&secrets, 1)});
        let first =
            nobody.post("/v1/auth/tokens", login).expect(200)["refresh_token"].as_str().expect("a token").to_owned();
        let refresh = json!({"grant_type": "refresh_token", "refresh_token": first});
        let jwt = nobody.post("/v1/auth/tokens", refresh).expect(200)["jwt"].as_str().expect("a token").to_owned();
        secrets.extend([("refresh token", first), ("access token", jwt)]);
        let change = json!({"password": text(&secrets, 3)});
        admin.patch(&format!("/v1/usermgmt/users/{ann}"), change).expect(200);
        let body =
            json!({"name": "planted", "access_key_id": "AKIALABUSER1ONLYLAB1", "secret_access_key": text(&secrets, 4)});
        let connection = id(&admin.post("/v1/connectionmgmt/services/aws/connections", body).expect(201));
        let (certificate, key) = self_signed();
        let anywhere = json!({"name": "anywhere", "is_role_anywhere": true, "iam_role_anywhere": {
            "anywhere_role_arn": "arn:aws:iam::123456789012:role/anywhere", "certificate": certificate, "private_key": key,
            "profile_arn": "arn:aws:rolesanywhere:eu-west-3:123456789012:profile/00000000-0000-4000-8000-000000000002",
            "trust_anchor_arn":
                "arn:aws:rolesanywhere:eu-west-3:123456789012:trust-anchor/00000000-0000-4000-8000-000000000001"}});
        admin.post("/v1/connectionmgmt/services/aws/connections", anywhere).expect(201);
        secrets.push(("private key of a connection", key.lines().nth(1).expect("its text").to_owned()));
        let token = admin.post("/v1/system/metrics/prometheus/enable", json!({})).expect(200)["token"].clone();
        secrets.push(("token of Prometheus", token.as_str().expect("a token").to_owned()));
        let change = json!({"secret_access_key": text(&secrets, 5)});
        admin.patch(&format!("/v1/connectionmgmt/services/aws/connections/{connection}"), change).expect(200);
        let body = json!({"name": "planted", "format": "raw", "material": text(&secrets, 6)});
        let key = id(&admin.post("/v1/vault/keys2", body).expect(201));
        let exported = admin.post(&format!("/v1/vault/keys2/{key}/export"), json!({"encoding": "HEX"})).expect(200);
        assert_eq!(exported["material"], text(&secrets, 6));
        let body = json!({"name": "planted", "url": "https://alarms.example.org/a", "enabled": false,
            "secret": text(&secrets, 7)});
        let webhook = id(&admin.post("/v1/alarms/webhooks", body).expect(201));
        let path = format!("/v1/alarms/webhooks/{webhook}/rotate-secret");
        admin.post(&path, json!({"secret": text(&secrets, 8)})).expect(200);
    }
    // What the process keeps for good can be found, so the search works.
    assert_eq!(found(&appliance, &[("host", "CLAVIGER_".to_owned())]), ["host"]);
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let left = found(&appliance, &secrets);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "still in memory: {left:?}");
        thread::sleep(Duration::from_secs(1));
    }
}

#[test]
fn memory_is_locked_where_the_limit_allows() {
    const NOT_ALLOWED: i32 = 77;
    let home = TempDir::new().expect("a directory");
    let plain = lab(home.path());
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -l unlimited || exit {NOT_ALLOWED}; exec \"$0\" \"$@\"")]);
    command.arg(plain.get_program()).args(plain.get_args());
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let locked = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:").map(str::to_owned));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default()
    };
    let end = Instant::now() + Duration::from_secs(20);
    // In KiB: the program has more than that from its start.
    while locked() < 1024 && Instant::now() < end {
        thread::sleep(Duration::from_millis(50));
    }
    let found = locked();
    running.kill().expect("a process to kill");
    let ended = running.wait().expect("its end");
    if ended.code() == Some(NOT_ALLOWED) {
        eprintln!("skipped: the limit of locked memory cannot be raised here");
        return;
    }
    assert!(found >= 1024, "{found} KiB are locked");
}
