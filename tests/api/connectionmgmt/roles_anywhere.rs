//! Connections over IAM Roles Anywhere: a certificate in place of an access key.

use crate::support::appliance::{Appliance, id};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm,
};
use serde_json::{Value, json};
use std::path::Path;

const CONNECTIONS: &str = "/v1/connectionmgmt/services/aws/connections";
const ANCHOR: &str = "arn:aws:rolesanywhere:eu-west-3:123456789012:trust-anchor/00000000-0000-4000-8000-000000000001";
const PROFILE: &str = "arn:aws:rolesanywhere:eu-west-3:123456789012:profile/00000000-0000-4000-8000-000000000002";
const ROLE: &str = "arn:aws:iam::123456789012:role/anywhere";

struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, "Test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// A client certificate and its private key.
    fn issue(&self, algorithm: &'static SignatureAlgorithm) -> (String, String) {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, "claviger");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate_for(algorithm).expect("a key");
        let made = params.signed_by(&key, &self.0).expect("a certificate");
        (made.pem(), key.serialize_pem())
    }

    /// An appliance whose lab trusts this authority.
    fn appliance(&self) -> Appliance {
        let plan = include_str!("../../../config/lab-cloud.toml");
        let (first, rest) = plan.split_once("\n[[accounts]]\nid = \"789012123456\"").expect("a second account");
        let trust = format!(
            "[[accounts.trust_anchors]]\nid = \"00000000-0000-4000-8000-000000000001\"\nregion = \"eu-west-3\"\n\
             certificate = '''\n{}'''\n\
             [[accounts.profiles]]\nid = \"00000000-0000-4000-8000-000000000002\"\nregion = \"eu-west-3\"\n\
             roles = [\"anywhere\"]\n\
             [[accounts.roles]]\nname = \"anywhere\"\ntrusts = [\"rolesanywhere.amazonaws.com\"]\nallow = [\"*\"]\n",
            self.0.pem()
        );
        Appliance::start_with_plan(&format!("{first}\n{trust}\n[[accounts]]\nid = \"789012123456\"{rest}"))
    }
}

fn connection(name: &str, (certificate, key): &(String, String)) -> Value {
    json!({
        "name": name, "is_role_anywhere": true,
        "iam_role_anywhere": {
            "anywhere_role_arn": ROLE, "certificate": certificate, "private_key": key, "profile_arn": PROFILE,
            "trust_anchor_arn": ANCHOR,
        },
    })
}

#[test]
fn a_key_is_made_over_a_certificate() {
    let ca = Ca::new();
    let mut appliance = ca.appliance();
    let admin = appliance.admin();
    for (name, algorithm) in [("rsa", &PKCS_RSA_SHA256), ("ecdsa", &PKCS_ECDSA_P256_SHA256)] {
        let identity = ca.issue(algorithm);
        let tested = admin.post("/v1/connectionmgmt/services/aws/connection-test", connection(name, &identity));
        assert_eq!(tested.expect(200), json!({"connection_ok": true}));
        let made = admin.post(CONNECTIONS, connection(name, &identity)).expect(201);
        assert_eq!(made["is_role_anywhere"], true);
        assert_eq!(
            made["iam_role_anywhere"],
            json!({
                "anywhere_role_arn": ROLE, "certificate": identity.0, "profile_arn": PROFILE,
                "trust_anchor_arn": ANCHOR,
            })
        );
        let tested = admin.post(&format!("{CONNECTIONS}/{name}/test"), json!({})).expect(200);
        assert_eq!(tested, json!({"connection_ok": true}));
    }
    let accounts = admin.post("/v1/cckm/aws/accounts", json!({"connection": "ecdsa"})).expect(200);
    assert_eq!(accounts["account_id"], "123456789012");
    let kms = json!({
        "name": "over a certificate", "regions": ["eu-west-3"], "account_id": "123456789012", "connection": "ecdsa",
    });
    let kms = admin.post("/v1/cckm/aws/kms", kms).expect(201);
    let arn = kms["arn"].as_str().expect("an ARN");
    assert!(arn.starts_with("arn:aws:sts::123456789012:assumed-role/anywhere/"), "{arn}");
    let key = json!({
        "kms": id(&kms), "region": "eu-west-3", "aws_param": {"Alias": "anywhere", "Description": "over a certificate"},
    });
    let key = admin.post("/v1/cckm/aws/keys", key).expect(201);
    assert_eq!(key["aws_param"]["Description"], "over a certificate");

    appliance.kill();
    appliance.restart();
    let admin = appliance.admin();
    let tested = admin.post(&format!("{CONNECTIONS}/ecdsa/test"), json!({})).expect(200);
    assert_eq!(tested, json!({"connection_ok": true}), "after a restart");
}

#[test]
fn certificate_and_key_are_replaced_together() {
    let ca = Ca::new();
    let appliance = ca.appliance();
    let admin = appliance.admin();
    let (old, new) = (ca.issue(&PKCS_ECDSA_P256_SHA256), ca.issue(&PKCS_RSA_SHA256));
    admin.post(CONNECTIONS, connection("c", &old)).expect(201);
    let path = format!("{CONNECTIONS}/c");
    let half = admin.patch(&path, json!({"iam_role_anywhere": {"certificate": new.0}}));
    let problem = half.expect(400).to_string();
    assert!(problem.contains("iam_role_anywhere.private_key: is not the private key of the certificate"), "{problem}");
    // The vendor's Terraform provider sends all members again, and false.
    let mut update = connection("c", &new);
    update["is_role_anywhere"] = json!(false);
    let changed = admin.patch(&path, update).expect(200);
    assert_eq!(
        (&changed["is_role_anywhere"], &changed["iam_role_anywhere"]["certificate"]),
        (&json!(true), &json!(new.0))
    );
    assert_eq!(admin.post(&format!("{path}/test"), json!({})).expect(200), json!({"connection_ok": true}));
    let described = admin.patch(&path, json!({"description": "d"})).expect(200);
    assert_eq!(described["iam_role_anywhere"], changed["iam_role_anywhere"]);

    let bare = admin.patch(&path, json!({"is_role_anywhere": false})).expect(400).to_string();
    assert!(bare.contains("access_key_id: must be given, since is_role_anywhere is false"), "{bare}");
    let keys = json!({
        "is_role_anywhere": false, "access_key_id": "AKIALABUSER1ONLYLAB1",
        "secret_access_key": "lab-only/user1/not+a+secret/of+any+use01",
    });
    let changed = admin.patch(&path, keys).expect(200);
    assert_eq!((&changed["is_role_anywhere"], changed.get("iam_role_anywhere")), (&json!(false), None));
    assert_eq!(admin.post(&format!("{path}/test"), json!({})).expect(200), json!({"connection_ok": true}));
    let mut back = connection("c", &old);
    back.as_object_mut().expect("members").remove("name");
    assert_eq!(admin.patch(&path, back).expect(200)["is_role_anywhere"], true);
}

#[test]
fn the_private_key_is_shown_and_stored_nowhere() {
    let ca = Ca::new();
    let appliance = ca.appliance();
    let admin = appliance.admin();
    let identity = ca.issue(&PKCS_ECDSA_P256_SHA256);
    let made = admin.post(CONNECTIONS, connection("c", &identity)).expect(201);
    let line = identity.1.lines().nth(1).expect("a line of the key").to_owned();
    let answers = [
        made.to_string(),
        admin.get(&format!("{CONNECTIONS}/c")).expect(200).to_string(),
        admin.get(CONNECTIONS).expect(200).to_string(),
        appliance.log(),
    ];
    assert!(answers.iter().all(|text| !text.contains(&line)));
    for file in files(&appliance.data()) {
        let bytes = std::fs::read(&file).expect("a file");
        assert!(!bytes.windows(line.len()).any(|window| window == line.as_bytes()), "{}", file.display());
    }
}

fn files(at: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(at).expect("a directory").map(|entry| entry.expect("an entry").path());
    let read = |path: std::path::PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.flat_map(read).filter(|path| path.is_file()).collect()
}

#[test]
fn wrong_members_are_named() {
    let ca = Ca::new();
    let appliance = ca.appliance();
    let admin = appliance.admin();
    let (one, other) = (ca.issue(&PKCS_ECDSA_P256_SHA256), ca.issue(&PKCS_ECDSA_P256_SHA256));
    let changed = |member: &str, value: Value| {
        let mut body = connection("c", &one);
        body["iam_role_anywhere"][member] = value;
        body
    };
    let mut without = connection("c", &one);
    without.as_object_mut().expect("members").remove("iam_role_anywhere");
    let mut unwanted = connection("c", &one);
    unwanted["is_role_anywhere"] = json!(false);
    unwanted["access_key_id"] = json!("AKIALABUSER1ONLYLAB1");
    unwanted["secret_access_key"] = json!("lab-only/user1/not+a+secret/of+any+use01");
    for (body, problem) in [
        (changed("certificate", Value::Null), "iam_role_anywhere.certificate: must be given"),
        (changed("private_key", json!("")), "iam_role_anywhere.private_key: must be given"),
        (changed("certificate", json!("x")), "iam_role_anywhere.certificate: is not a certificate in PEM"),
        (changed("private_key", json!("x")), "iam_role_anywhere.private_key: is not an unencrypted private key in PEM"),
        (changed("private_key", json!(other.1)), "iam_role_anywhere.private_key: is not the private key of the"),
        (changed("anywhere_role_arn", json!(PROFILE)), "iam_role_anywhere.anywhere_role_arn: "),
        (changed("profile_arn", json!(ANCHOR)), "iam_role_anywhere.profile_arn: "),
        (changed("trust_anchor_arn", json!("x")), "iam_role_anywhere.trust_anchor_arn: "),
        (
            changed("trust_anchor_arn", json!(ANCHOR.replace("eu-west-3", "eu-west-1"))),
            "iam_role_anywhere.profile_arn: ",
        ),
        (without, "iam_role_anywhere.anywhere_role_arn: must be given"),
        (unwanted, "is_role_anywhere: must be true"),
    ] {
        let answer = admin.post(CONNECTIONS, body).expect(400).to_string();
        assert!(answer.contains(problem), "{problem} in {answer}");
    }
    assert_eq!(admin.get(&format!("{CONNECTIONS}?name=c")).expect(200)["total"], 0);
    let stranger = Ca::new().issue(&PKCS_ECDSA_P256_SHA256);
    admin.post(CONNECTIONS, connection("stranger", &stranger)).expect(201);
    let tested = admin.post(&format!("{CONNECTIONS}/stranger/test"), json!({})).expect(200);
    assert_eq!(tested["connection_ok"], false);
    let error = tested["connection_error"].as_str().expect("an error");
    assert!(error.contains("rolesanywhere:CreateSession refused by AWS: AccessDeniedException: Untrusted"), "{error}");
}
