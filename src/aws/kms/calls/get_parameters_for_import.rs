//! GetParametersForImport: the wrapping key (RSA 4096) and the token for an import of material.

use std::fmt;

use rusoto_kms::Kms;

use crate::aws::call::{AwsCall, Wire};
use crate::aws::fault::{Fault, RetryPolicy};
use crate::aws::kms::json::moment;
use crate::aws::operation::AwsOperation;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::spec::KeySpec;
use crate::domain::time::Time;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetParametersForImport {
    pub key: AwsKeyId,
    pub algorithm: WrappingAlgorithm,
}

/// The algorithm that wraps material for an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrappingAlgorithm {
    /// For symmetric and HMAC material, which fits into one RSA block.
    RsaesOaepSha256,
    /// For private keys in PKCS#8, which do not fit.
    RsaAesKeyWrapSha256,
}

impl WrappingAlgorithm {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsaesOaepSha256 => "RSAES_OAEP_SHA_256",
            Self::RsaAesKeyWrapSha256 => "RSA_AES_KEY_WRAP_SHA_256",
        }
    }

    /// The algorithm for the material of a key spec.
    pub fn of(spec: &KeySpec) -> Self {
        if spec.is_asymmetric() { Self::RsaAesKeyWrapSha256 } else { Self::RsaesOaepSha256 }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct ImportParameters {
    /// The wrapping key, as the DER of a SubjectPublicKeyInfo.
    pub wrapping_key: Vec<u8>,
    /// The import token, which AWS expects with the wrapped material.
    pub token: Vec<u8>,
    /// The expiry of wrapping key and token.
    pub valid_to: Option<Time>,
}

impl fmt::Debug for ImportParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportParameters").field("valid_to", &self.valid_to).finish_non_exhaustive()
    }
}

impl AwsCall for GetParametersForImport {
    type Answer = ImportParameters;
    const OPERATION: AwsOperation = AwsOperation::kms("GetParametersForImport");
    const RETRY: RetryPolicy = RetryPolicy::ReadOnly;

    async fn attempt(&self, wire: &Wire<'_>) -> Result<ImportParameters, Fault> {
        let request = rusoto_kms::GetParametersForImportRequest {
            key_id: self.key.to_string(),
            wrapping_algorithm: self.algorithm.as_str().to_owned(),
            wrapping_key_spec: "RSA_4096".to_owned(),
        };
        let answer = wire.kms(async |kms| kms.get_parameters_for_import(request).await).await?;
        match (answer.public_key, answer.import_token) {
            (Some(key), Some(token)) if !key.is_empty() && !token.is_empty() => Ok(ImportParameters {
                wrapping_key: key.to_vec(),
                token: token.to_vec(),
                valid_to: answer.parameters_valid_to.map(moment),
            }),
            _ => Err(Fault::Unintelligible("the answer has no wrapping key or no token".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::kms::fake_kms::{ID, exchange, key};

    #[test]
    fn private_keys_are_wrapped_with_an_aes_key() {
        assert_eq!(WrappingAlgorithm::of(&KeySpec::SymmetricDefault), WrappingAlgorithm::RsaesOaepSha256);
        assert_eq!(WrappingAlgorithm::of(&KeySpec::Hmac512), WrappingAlgorithm::RsaesOaepSha256);
        assert_eq!(WrappingAlgorithm::of(&KeySpec::Rsa4096), WrappingAlgorithm::RsaAesKeyWrapSha256);
        assert_eq!(WrappingAlgorithm::of(&KeySpec::EccSecgP256k1), WrappingAlgorithm::RsaAesKeyWrapSha256);
    }

    #[test]
    fn tokens_are_not_shown() {
        let parameters = ImportParameters { wrapping_key: b"key".to_vec(), token: b"token".to_vec(), valid_to: None };
        assert_eq!(format!("{parameters:?}"), "ImportParameters { valid_to: None, .. }");
    }

    #[tokio::test]
    async fn the_request_matches_the_api_and_the_answer_is_read() {
        let call = GetParametersForImport { key: key(), algorithm: WrappingAlgorithm::RsaAesKeyWrapSha256 };
        let body =
            json!({"KeyId": ID, "ImportToken": "dG9rZW4=", "PublicKey": "a2V5", "ParametersValidTo": 1_700_086_400.0});
        let (sent, parameters) = exchange(call, body).await;
        let expected = r#"GetParametersForImport {ID,"WrappingAlgorithm":"RSA_AES_KEY_WRAP_SHA_256","WrappingKeySpec":"RSA_4096"}"#;
        assert_eq!(sent, expected);
        assert_eq!((parameters.token.as_slice(), parameters.wrapping_key.as_slice()), (&b"token"[..], &b"key"[..]));
        assert_eq!(parameters.valid_to.map(Time::seconds), Some(1_700_086_400));
    }
}
