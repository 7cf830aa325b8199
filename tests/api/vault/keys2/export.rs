//! `/v1/vault/keys2/{id}/export` with a wrapping: who has the wrapping key unwraps the material, and nobody else sees
//! it.

use super::{MATERIAL, at, events, hex, make};
use crate::support::appliance::{Appliance, id};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap, KeyWrapPadded};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OAEP_SHA512_MGF1SHA512, OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey,
    PrivateDecryptingKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

fn bytes(answer: &Value) -> Vec<u8> {
    assert_eq!(answer["encoding"], "base64");
    STANDARD.decode(answer["material"].as_str().expect("material")).expect("base64")
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

#[test]
fn material_is_wrapped_with_another_source_key() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let secret = make(&admin, json!({"name": "secret", "material": hex(MATERIAL)}));
    let pair = make(&admin, json!({"name": "pair", "algorithm": "ec", "curveid": "secp256r1"}));
    let (kek, small) = ([0x5a; 32], [0x5a; 16]);
    let wrapper = make(&admin, json!({"name": "kek", "material": hex(&kek), "aliases": [{"alias": "the kek"}]}));
    make(&admin, json!({"name": "small", "material": hex(&small)}));
    make(&admin, json!({"name": "middle", "size": 192}));
    let export = |key: &Value, body: Value| admin.post(&format!("{}/export", at(key)), body);
    let mut output = vec![0; 4096];

    let answer = export(&secret, json!({"wrapKeyName": "kek", "wrappingMethod": "encrypt"})).expect(200);
    let kek = || AesKek::new(&AES_256, &kek).expect("a key");
    assert_eq!(kek().unwrap(&bytes(&answer), &mut output).expect("it unwraps"), MATERIAL);
    let body = json!({"wrapKeyName": "the kek", "wrapKeyIDType": "alias", "padded": true});
    let answer = export(&secret, body).expect(200);
    assert_eq!(kek().unwrap_with_padding(&bytes(&answer), &mut output).expect("it unwraps"), MATERIAL);
    let body = json!({"wrapKeyName": "small", "wrappingEncryptionAlgo": "AES/AESKEYWRAPPADDING", "encoding": "base64"});
    let small = AesKek::new(&AES_128, &small).expect("a key");
    let answer = export(&pair, body).expect(200);
    let unwrapped = small.unwrap_with_padding(&bytes(&answer), &mut output).expect("it unwraps").to_vec();
    let text = format!("{}/export", at(&pair));
    let plain = admin.post(&text, json!({"encoding": "base64"})).expect(200);
    assert_eq!(unwrapped, bytes(&plain));
    let body =
        json!({"wrapKeyName": id(&wrapper), "wrapKeyIDType": "id", "padded": true, "pemWrap": true, "format": "pkcs1"});
    let answer = export(&pair, body).expect(200);
    let unwrapped = kek().unwrap_with_padding(&bytes(&answer), &mut output).expect("it unwraps").to_vec();
    assert!(unwrapped.starts_with(b"-----BEGIN EC PRIVATE KEY-----\n"));

    let recorded = events(&appliance, &secret);
    let wrapped = recorded.iter().filter(|line| line["event"].to_string().contains("ExportedWrapped"));
    let wrapped: Vec<String> = wrapped.map(|line| line["event"].to_string()).collect();
    assert!(wrapped.len() == 2 && wrapped.iter().all(|event| event.contains(&id(&wrapper))), "{wrapped:?}");

    let never = make(&admin, json!({"name": "never", "material": hex(MATERIAL)}));
    for (body, text) in [
        (json!({"wrapKeyName": "middle"}), "wrapKeyName: must be AES of 128 or 256 bits, or RSA"),
        (json!({"wrapKeyName": "pair"}), "wrapKeyName: must be AES of 128 or 256 bits, or RSA"),
        (json!({"wrapKeyName": "kek", "encoding": "hex"}), "encoding: must be `base64`"),
        (json!({"wrapKeyName": "kek", "wrappingMethod": "pbe"}), "wrappingMethod: `pbe` is not one of `encrypt`"),
        (json!({"wrapKeyName": "kek", "wrappingEncryptionAlgo": "AES/CBC"}), "wrappingEncryptionAlgo: `AES/CBC`"),
        (json!({"wrapKeyName": "kek", "wrapRSAAES": {"aesKeySize": 256}}), "wrapRSAAES: does not belong"),
        (json!({"wrapKeyName": "kek", "wrapPublicKeyPadding": "oaep"}), "wrapPublicKeyPadding: does not belong"),
        (json!({"wrapKeyName": "kek", "pemWrap": true}), "pemWrap: does not belong"),
        (json!({"wrappingMethod": "encrypt"}), "wrappingMethod: needs a wrapKeyName or a wrapPublicKey"),
        (json!({"padded": true}), "padded: needs a wrapKeyName"),
        (json!({"wrapRSAAES": {"padding": "oaep"}}), "wrapRSAAES: needs a wrapKeyName"),
        (json!({"wrapKeyName": "kek", "wrapPublicKey": "x"}), "wrapPublicKey: cannot be given together"),
        (json!({"wrapPublicKey": "x"}), "wrapPublicKey: must be an RSA public key"),
    ] {
        let said = export(&never, body).refused(400, "NCERRInvalidParamValue");
        assert!(said.starts_with(text), "{said}");
    }
    let said = export(&pair, json!({"wrapKeyName": "kek"})).refused(400, "NCERRInvalidParamValue");
    assert!(said.starts_with("wrappingEncryptionAlgo: the material has"), "{said}");
    export(&never, json!({"wrapKeyName": "nobody's"})).refused(404, "NCERRResourceNotFound");
    admin.post(&format!("{}/revoke", at(&wrapper)), json!({"reason": "Superseded"})).expect(200);
    let said = export(&never, json!({"wrapKeyName": "kek"})).refused(409, "NCERRConflict");
    assert_eq!(said, "source key `kek` is Deactivated: only an Active source key can be used");
    admin.patch(&at(&never), json!({"unexportable": true})).expect(200);
    export(&never, json!({"wrapKeyName": "small"})).refused(409, "NCERRConflict");
    assert_eq!(admin.get(&at(&never)).expect(200)["neverExported"], true, "nothing was exported");
}

#[test]
fn material_is_wrapped_with_an_rsa_key() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let secret = make(&admin, json!({"name": "secret", "material": hex(MATERIAL)}));
    let pair = make(&admin, json!({"name": "pair", "algorithm": "rsa"}));
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
    let public: PublicKeyX509Der<'_> = private.public_key().as_der().expect("DER");
    let public = pem("PUBLIC KEY", public.as_ref());
    let oaep = OaepPrivateDecryptingKey::new(private.clone()).expect("a key");
    let export = |key: &Value, body: Value| admin.post(&format!("{}/export", at(key)), body).expect(200);
    let mut plaintext = vec![0; 256];

    let wrapped = bytes(&export(&secret, json!({"wrapPublicKey": public, "wrapPublicKeyPadding": "oaep512"})));
    let read = oaep.decrypt(&OAEP_SHA512_MGF1SHA512, &wrapped, &mut plaintext, None).expect("it decrypts");
    assert_eq!(read, MATERIAL);
    let wrapped = bytes(&export(&secret, json!({"wrapPublicKey": public})));
    let pkcs1 = Pkcs1PrivateDecryptingKey::new(private.clone()).expect("a key");
    assert_eq!(pkcs1.decrypt(&wrapped, &mut plaintext).expect("it decrypts"), MATERIAL);

    // A source key with the same pair wraps as its public key does.
    let der: Pkcs8V1Der<'_> = private.as_der().expect("DER");
    make(&admin, json!({"name": "rsa kek", "algorithm": "rsa", "material": pem("PRIVATE KEY", der.as_ref())}));
    let algorithm = "RSA/RSAAESKEYWRAPPADDING";
    let expected = bytes(&export(&pair, json!({"encoding": "base64"})));
    for (body, cipher) in [
        (json!({"wrapPublicKey": public, "wrappingEncryptionAlgo": algorithm}), &AES_256),
        (
            json!({"wrapKeyName": "rsa kek", "wrappingMethod": "encrypt", "wrappingEncryptionAlgo": algorithm,
                "wrapRSAAES": {"aesKeySize": 128, "padding": "oaep256"}}),
            &AES_128,
        ),
    ] {
        let wrapped = bytes(&export(&pair, body));
        let (key, body) = wrapped.split_at(256);
        let key = oaep.decrypt(&OAEP_SHA256_MGF1SHA256, key, &mut plaintext, None).expect("it decrypts");
        let mut output = vec![0; body.len()];
        let kek = AesKek::new(cipher, key).expect("a key of this size");
        assert_eq!(kek.unwrap_with_padding(body, &mut output).expect("it unwraps"), expected);
    }
    for (key, body, text) in [
        (&pair, json!({"wrapPublicKey": public}), "wrappingEncryptionAlgo: must be `RSA/RSAAESKEYWRAPPADDING`"),
        (&secret, json!({"wrapPublicKey": public, "wrapPublicKeyPadding": "none"}), "wrapPublicKeyPadding: `none`"),
        (
            &secret,
            json!({"wrapKeyName": "rsa kek"}),
            "wrappingEncryptionAlgo: must be `RSA/RSAAESKEYWRAPPADDING` for an RSA key",
        ),
        (
            &secret,
            json!({"wrapPublicKey": public, "wrappingEncryptionAlgo": algorithm, "wrapRSAAES": {"aesKeySize": 192}}),
            "wrapRSAAES: aesKeySize must be 128 or 256",
        ),
        (
            &secret,
            json!({"wrapPublicKey": public, "wrappingEncryptionAlgo": algorithm, "wrapRSAAES": {"padding": "pkcs1"}}),
            "wrapRSAAES: `pkcs1` is not one of",
        ),
    ] {
        let said = admin.post(&format!("{}/export", at(key)), body).refused(400, "NCERRInvalidParamValue");
        assert!(said.starts_with(text), "{said}");
    }
}
