//! The specs and usages of keys, and the partitions that offer them.

use super::aws_enums::open_enum;
use crate::domain::place::Partition;

open_enum! {
    /// The kind and size of a key.
    KeySpec {
        /// AES-256 in GCM mode; SM4 in China.
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        /// NIST P-256 (secp256r1).
        EccNistP256 = "ECC_NIST_P256",
        /// NIST P-384 (secp384r1).
        EccNistP384 = "ECC_NIST_P384",
        /// NIST P-521 (secp521r1).
        EccNistP521 = "ECC_NIST_P521",
        /// Edwards 25519.
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        /// The curve of cryptocurrencies (secp256k1).
        EccSecgP256k1 = "ECC_SECG_P256K1",
        Hmac224 = "HMAC_224",
        Hmac256 = "HMAC_256",
        Hmac384 = "HMAC_384",
        Hmac512 = "HMAC_512",
        Sm2 = "SM2",
        /// ML-DSA, security level 2.
        MlDsa44 = "ML_DSA_44",
        /// ML-DSA, security level 3.
        MlDsa65 = "ML_DSA_65",
        /// ML-DSA, security level 5.
        MlDsa87 = "ML_DSA_87",
        /// ML-KEM, security level 1.
        MlKem512 = "ML_KEM_512",
        /// ML-KEM, security level 3.
        MlKem768 = "ML_KEM_768",
        /// ML-KEM, security level 5.
        MlKem1024 = "ML_KEM_1024",
    }
}

open_enum! {
    /// The cryptographic operations of a key.
    KeyUsage {
        EncryptDecrypt = "ENCRYPT_DECRYPT",
        SignVerify = "SIGN_VERIFY",
        GenerateVerifyMac = "GENERATE_VERIFY_MAC",
        /// Derive shared secrets.
        KeyAgreement = "KEY_AGREEMENT",
        /// Encapsulate shared secrets for the owner of the key.
        EncapsulateDecapsulate = "ENCAPSULATE_DECAPSULATE",
    }
}

/// A combination of spec, usage and partition that AWS does not offer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    #[error("`{usage}` is not a usage of a key with spec {spec}: {} is expected", listed(.spec.usages()))]
    Usage { spec: KeySpec, usage: KeyUsage },
    /// The spec has several usages, and none was given.
    #[error("a key with spec {spec} needs a usage: {} is expected", listed(.spec.usages()))]
    UsageNeeded { spec: KeySpec },
    /// AWS offers the spec in China only.
    #[error("there are no keys with spec {spec} in partition `{partition}`: only in `aws-cn`")]
    Elsewhere { spec: KeySpec, partition: Partition },
}

fn listed(usages: &[KeyUsage]) -> String {
    usages.iter().map(KeyUsage::as_str).collect::<Vec<_>>().join(" or ")
}

impl KeySpec {
    /// Returns the usages of a spec, by AWS's table; none for an unknown spec.
    pub fn usages(&self) -> &'static [KeyUsage] {
        use KeyUsage::{EncapsulateDecapsulate, EncryptDecrypt, GenerateVerifyMac, KeyAgreement, SignVerify};
        match self {
            Self::SymmetricDefault => &[EncryptDecrypt],
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &[EncryptDecrypt, SignVerify],
            Self::EccNistP256 | Self::EccNistP384 | Self::EccNistP521 => &[SignVerify, KeyAgreement],
            Self::EccNistEdwards25519 | Self::EccSecgP256k1 => &[SignVerify],
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => &[SignVerify],
            Self::MlKem512 | Self::MlKem768 | Self::MlKem1024 => &[EncapsulateDecapsulate],
            Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512 => &[GenerateVerifyMac],
            Self::Sm2 => &[EncryptDecrypt, SignVerify, KeyAgreement],
            Self::Other(_) => &[],
        }
    }

    /// Returns the usage of a spec that has only one.
    pub fn default_usage(&self) -> Option<KeyUsage> {
        match self.usages() {
            [only] => Some(only.clone()),
            _ => None,
        }
    }

    /// Returns the usage of a new key: the requested one, or the only one.
    ///
    /// # Errors
    /// When the spec does not have the usage, or has several and none was requested.
    pub fn usage_or_default(&self, asked: Option<KeyUsage>) -> Result<KeyUsage, SpecError> {
        match asked {
            Some(usage) if self.usages().contains(&usage) => Ok(usage),
            Some(usage) => Err(SpecError::Usage { spec: self.clone(), usage }),
            None => self.default_usage().ok_or_else(|| SpecError::UsageNeeded { spec: self.clone() }),
        }
    }

    /// Checks that a partition offers the spec.
    ///
    /// # Errors
    /// When it does not.
    pub fn check_partition(&self, partition: Partition) -> Result<(), SpecError> {
        if *self == Self::Sm2 && partition != Partition::AwsCn {
            return Err(SpecError::Elsewhere { spec: self.clone(), partition });
        }
        Ok(())
    }

    /// Whether keys of the spec have a public key.
    pub fn is_asymmetric(&self) -> bool {
        !matches!(
            self,
            Self::SymmetricDefault | Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512 | Self::Other(_)
        )
    }

    /// Whether AWS can rotate the material of such keys. It rotates symmetric encryption keys only.
    pub fn is_rotatable(&self) -> bool {
        *self == Self::SymmetricDefault
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usages_are_those_of_awss_table() {
        let table: Vec<String> =
            KeySpec::KNOWN.iter().map(|spec| format!("{spec}: {}", listed(spec.usages()))).collect();
        insta::assert_snapshot!(table.join("\n"), @"
        SYMMETRIC_DEFAULT: ENCRYPT_DECRYPT
        RSA_2048: ENCRYPT_DECRYPT or SIGN_VERIFY
        RSA_3072: ENCRYPT_DECRYPT or SIGN_VERIFY
        RSA_4096: ENCRYPT_DECRYPT or SIGN_VERIFY
        ECC_NIST_P256: SIGN_VERIFY or KEY_AGREEMENT
        ECC_NIST_P384: SIGN_VERIFY or KEY_AGREEMENT
        ECC_NIST_P521: SIGN_VERIFY or KEY_AGREEMENT
        ECC_NIST_EDWARDS25519: SIGN_VERIFY
        ECC_SECG_P256K1: SIGN_VERIFY
        HMAC_224: GENERATE_VERIFY_MAC
        HMAC_256: GENERATE_VERIFY_MAC
        HMAC_384: GENERATE_VERIFY_MAC
        HMAC_512: GENERATE_VERIFY_MAC
        SM2: ENCRYPT_DECRYPT or SIGN_VERIFY or KEY_AGREEMENT
        ML_DSA_44: SIGN_VERIFY
        ML_DSA_65: SIGN_VERIFY
        ML_DSA_87: SIGN_VERIFY
        ML_KEM_512: ENCAPSULATE_DECAPSULATE
        ML_KEM_768: ENCAPSULATE_DECAPSULATE
        ML_KEM_1024: ENCAPSULATE_DECAPSULATE
        ");
    }

    #[test]
    fn a_usage_is_needed_only_where_there_is_a_choice() {
        assert_eq!(KeySpec::Hmac384.usage_or_default(None), Ok(KeyUsage::GenerateVerifyMac));
        let said = KeySpec::Rsa2048.usage_or_default(None).expect_err("a choice").to_string();
        assert_eq!(said, "a key with spec RSA_2048 needs a usage: ENCRYPT_DECRYPT or SIGN_VERIFY is expected");
        let wrong = KeySpec::EccSecgP256k1.usage_or_default(Some(KeyUsage::KeyAgreement));
        assert_eq!(
            wrong.expect_err("no such combination").to_string(),
            "`KEY_AGREEMENT` is not a usage of a key with spec ECC_SECG_P256K1: SIGN_VERIFY is expected"
        );
    }

    #[test]
    fn sm2_is_in_china_only() {
        assert_eq!(KeySpec::Sm2.check_partition(Partition::AwsCn), Ok(()));
        let said = KeySpec::Sm2.check_partition(Partition::Aws).expect_err("not there").to_string();
        assert_eq!(said, "there are no keys with spec SM2 in partition `aws`: only in `aws-cn`");
        for spec in KeySpec::KNOWN.iter().filter(|spec| **spec != KeySpec::Sm2) {
            assert!(Partition::ALL.into_iter().all(|partition| spec.check_partition(partition).is_ok()), "{spec}");
        }
    }

    #[test]
    fn every_known_spec_has_a_usage_and_an_unknown_one_has_none() {
        assert!(KeySpec::KNOWN.iter().all(|spec| !spec.usages().is_empty()));
        let unknown = KeySpec::parse("SLH_DSA_128S");
        assert_eq!((unknown.as_str(), unknown.usages()), ("SLH_DSA_128S", [].as_slice()));
    }
}
