//! Key specs and key usages: AWS's table of valid combinations and their algorithms.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::exception;
use crate::lab::partition::Partition;
use crate::lab::refusal::Refusal;

/// The key spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Spec {
    SymmetricDefault,
    #[serde(rename = "RSA_2048")]
    Rsa2048,
    #[serde(rename = "RSA_3072")]
    Rsa3072,
    #[serde(rename = "RSA_4096")]
    Rsa4096,
    #[serde(rename = "ECC_NIST_P256")]
    P256,
    #[serde(rename = "ECC_NIST_P384")]
    P384,
    #[serde(rename = "ECC_NIST_P521")]
    P521,
    #[serde(rename = "ECC_SECG_P256K1")]
    Secp256k1,
    #[serde(rename = "ECC_NIST_EDWARDS25519")]
    Ed25519,
    #[serde(rename = "HMAC_224")]
    Hmac224,
    #[serde(rename = "HMAC_256")]
    Hmac256,
    #[serde(rename = "HMAC_384")]
    Hmac384,
    #[serde(rename = "HMAC_512")]
    Hmac512,
    #[serde(rename = "SM2")]
    Sm2,
    #[serde(rename = "ML_DSA_44")]
    MlDsa44,
    #[serde(rename = "ML_DSA_65")]
    MlDsa65,
    #[serde(rename = "ML_DSA_87")]
    MlDsa87,
    #[serde(rename = "ML_KEM_512")]
    MlKem512,
    #[serde(rename = "ML_KEM_768")]
    MlKem768,
    #[serde(rename = "ML_KEM_1024")]
    MlKem1024,
}

/// The key usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Usage {
    EncryptDecrypt,
    SignVerify,
    GenerateVerifyMac,
    KeyAgreement,
    EncapsulateDecapsulate,
}

impl Usage {
    const ALL: [Usage; 5] = [
        Usage::SignVerify,
        Usage::EncryptDecrypt,
        Usage::GenerateVerifyMac,
        Usage::KeyAgreement,
        Usage::EncapsulateDecapsulate,
    ];
    pub(super) const NAMES: [&str; 5] =
        ["SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"];

    pub(super) fn name(self) -> &'static str {
        let place = Usage::ALL.iter().position(|usage| *usage == self).unwrap_or_default();
        Usage::NAMES[place]
    }

    pub(super) fn named(name: &str) -> Option<Usage> {
        Usage::ALL.into_iter().find(|usage| usage.name() == name)
    }

    /// The member of the key's metadata that lists the algorithms of the usage.
    pub(super) fn algorithms_member(self) -> &'static str {
        match self {
            Usage::EncryptDecrypt => "EncryptionAlgorithms",
            Usage::SignVerify => "SigningAlgorithms",
            Usage::GenerateVerifyMac => "MacAlgorithms",
            Usage::KeyAgreement => "KeyAgreementAlgorithms",
            Usage::EncapsulateDecapsulate => "EncapsulationAlgorithms",
        }
    }
}

const RSA_SIGNING: &[&str] = &[
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
];

impl Spec {
    /// In the order of AWS's messages.
    const ALL: [(Spec, &str); 20] = [
        (Spec::Rsa2048, "RSA_2048"),
        (Spec::Rsa3072, "RSA_3072"),
        (Spec::Rsa4096, "RSA_4096"),
        (Spec::P256, "ECC_NIST_P256"),
        (Spec::P384, "ECC_NIST_P384"),
        (Spec::P521, "ECC_NIST_P521"),
        (Spec::Secp256k1, "ECC_SECG_P256K1"),
        (Spec::Ed25519, "ECC_NIST_EDWARDS25519"),
        (Spec::SymmetricDefault, "SYMMETRIC_DEFAULT"),
        (Spec::Hmac224, "HMAC_224"),
        (Spec::Hmac256, "HMAC_256"),
        (Spec::Hmac384, "HMAC_384"),
        (Spec::Hmac512, "HMAC_512"),
        (Spec::Sm2, "SM2"),
        (Spec::MlDsa44, "ML_DSA_44"),
        (Spec::MlDsa65, "ML_DSA_65"),
        (Spec::MlDsa87, "ML_DSA_87"),
        (Spec::MlKem512, "ML_KEM_512"),
        (Spec::MlKem768, "ML_KEM_768"),
        (Spec::MlKem1024, "ML_KEM_1024"),
    ];

    pub(super) fn names() -> Vec<&'static str> {
        Spec::ALL.iter().map(|(_, name)| *name).collect()
    }

    pub(super) fn name(self) -> &'static str {
        Spec::ALL.iter().find(|(spec, _)| *spec == self).map_or("", |(_, name)| name)
    }

    pub(super) fn named(name: &str) -> Option<Spec> {
        Spec::ALL.iter().find(|(_, known)| *known == name).map(|(spec, _)| *spec)
    }

    /// The algorithms for a usage; empty if the combination is invalid.
    pub(super) fn algorithms(self, usage: Usage) -> &'static [&'static str] {
        match (self, usage) {
            (Spec::SymmetricDefault, Usage::EncryptDecrypt) => &["SYMMETRIC_DEFAULT"],
            (Spec::Rsa2048 | Spec::Rsa3072 | Spec::Rsa4096, Usage::EncryptDecrypt) => {
                &["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
            }
            (Spec::Rsa2048 | Spec::Rsa3072 | Spec::Rsa4096, Usage::SignVerify) => RSA_SIGNING,
            (Spec::P256 | Spec::Secp256k1, Usage::SignVerify) => &["ECDSA_SHA_256"],
            (Spec::P384, Usage::SignVerify) => &["ECDSA_SHA_384"],
            (Spec::P521, Usage::SignVerify) => &["ECDSA_SHA_512"],
            (Spec::Ed25519, Usage::SignVerify) => &["ED25519_SHA_512", "ED25519_PH_SHA_512"],
            (Spec::P256 | Spec::P384 | Spec::P521 | Spec::Sm2, Usage::KeyAgreement) => &["ECDH"],
            (Spec::Hmac224, Usage::GenerateVerifyMac) => &["HMAC_SHA_224"],
            (Spec::Hmac256, Usage::GenerateVerifyMac) => &["HMAC_SHA_256"],
            (Spec::Hmac384, Usage::GenerateVerifyMac) => &["HMAC_SHA_384"],
            (Spec::Hmac512, Usage::GenerateVerifyMac) => &["HMAC_SHA_512"],
            (Spec::Sm2, Usage::EncryptDecrypt) => &["SM2PKE"],
            (Spec::Sm2, Usage::SignVerify) => &["SM2DSA"],
            (Spec::MlDsa44 | Spec::MlDsa65 | Spec::MlDsa87, Usage::SignVerify) => &["ML_DSA_SHAKE_256"],
            (Spec::MlKem512 | Spec::MlKem768 | Spec::MlKem1024, Usage::EncapsulateDecapsulate) => &["ML_KEM"],
            _ => &[],
        }
    }

    /// The usage of a new key, which defaults to `ENCRYPT_DECRYPT` for symmetric keys only.
    ///
    /// # Errors
    /// `ValidationException` if the usage is missing, or invalid for the spec.
    pub(super) fn usage(self, asked: Option<Usage>) -> Result<Usage, Refusal> {
        let usage = match asked {
            Some(usage) => usage,
            None if self == Spec::SymmetricDefault => Usage::EncryptDecrypt,
            None => {
                let why = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
                return Err(Refusal::Invalid(why.to_owned()));
            }
        };
        if self.algorithms(usage).is_empty() {
            let (usage, spec) = (usage.name(), self.name());
            return Err(Refusal::Invalid(format!("KeyUsage {usage} is not compatible with KeySpec {spec}")));
        }
        Ok(usage)
    }

    /// Refuses a spec that a partition does not offer.
    ///
    /// # Errors
    /// `UnsupportedOperationException`.
    pub(super) fn offered(self, partition: Partition) -> Result<(), Refusal> {
        let in_china = partition == Partition::China;
        let missing = match self {
            Spec::Sm2 => !in_china,
            Spec::MlKem512 | Spec::MlKem768 | Spec::MlKem1024 => in_china,
            _ => false,
        };
        if missing {
            let why = format!("The key spec {} is not supported in this Region.", self.name());
            return Err(exception::unsupported(why));
        }
        Ok(())
    }

    /// Whether it is a symmetric encryption key.
    pub(super) fn is_symmetric(self) -> bool {
        self == Spec::SymmetricDefault
    }

    pub(super) fn is_hmac(self) -> bool {
        matches!(self, Spec::Hmac224 | Spec::Hmac256 | Spec::Hmac384 | Spec::Hmac512)
    }

    /// Whether it is a key pair.
    pub(super) fn is_asymmetric(self) -> bool {
        !self.is_symmetric() && !self.is_hmac()
    }

    /// Whether material can be imported.
    pub(super) fn importable(self) -> bool {
        !self.is_post_quantum()
    }

    fn is_post_quantum(self) -> bool {
        self.name().starts_with("ML_")
    }

    /// Adds spec, usage and algorithms to the metadata of a key.
    pub(super) fn describe(self, usage: Usage, description: &mut Value) {
        description["KeySpec"] = json!(self.name());
        description["CustomerMasterKeySpec"] = json!(self.name());
        description["KeyUsage"] = json!(usage.name());
        description[usage.algorithms_member()] = json!(self.algorithms(usage));
    }
}
