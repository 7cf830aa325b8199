//! The external key of a KMS key: the outer of the two encryptions.

use std::collections::BTreeMap;

use super::super::call::{Call, CryptoKey};
use super::super::crypto::{Blob, Bytes};
use super::ProxyAccess;
use super::calls::RequestMetadata;
use super::ciphertext::{self, ExternalBlob};
use super::failure::ProxyFailure;
use crate::lab::refusal::Refusal;

/// The external key of a KMS key, and the way to it.
#[derive(Debug, Clone)]
pub(in crate::lab::kms) struct ExternalKey {
    pub access: ProxyAccess,
    /// The `XksKeyId`.
    pub id: String,
}

impl ExternalKey {
    /// Requires that the external key can be used for a new KMS key.
    ///
    /// # Errors
    /// The refusal of CreateKey.
    pub(in crate::lab::kms) async fn require_fit(&self, call: &Call<'_>) -> Result<(), Refusal> {
        let (xks, principal) = (&call.kms.xks, call.caller.arn());
        let metadata = metadata(call, &principal, None);
        let answered = xks.metadata(&self.access, call.region, &self.id, &metadata).await;
        answered.map_err(ProxyFailure::for_new_key)
    }

    /// Encrypts what KMS has encrypted with its own material. The key is judged again after the call.
    ///
    /// # Errors
    /// `KMSInvalidStateException`, or the refusal for the state of the key.
    pub(in crate::lab::kms) async fn seal(
        &self,
        call: &Call<'_>,
        crypto_key: &CryptoKey,
        context: &BTreeMap<String, String>,
        inner: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        let header = ciphertext::header(&crypto_key.material_id)?;
        let authenticated = ciphertext::authenticated(&header, context);
        let (xks, principal) = (&call.kms.xks, call.caller.arn());
        let metadata = metadata(call, &principal, Some(&crypto_key.arn));
        let encrypted = xks.encrypt(&self.access, call.region, &self.id, &metadata, &authenticated, inner).await;
        let encrypted = encrypted.map_err(ProxyFailure::for_cryptography)?;
        call.require_still_enabled(crypto_key)?;
        ciphertext::write(&header, &encrypted)
    }

    /// Decrypts a ciphertext: at the proxy, then with KMS's own material.
    ///
    /// # Errors
    /// As for [`ExternalKey::seal`].
    pub(in crate::lab::kms) async fn open(
        &self,
        call: &Call<'_>,
        crypto_key: &CryptoKey,
        context: &BTreeMap<String, String>,
        blob: &ExternalBlob,
    ) -> Result<Bytes, Refusal> {
        let authenticated = ciphertext::authenticated(&blob.header, context);
        let (xks, principal) = (&call.kms.xks, call.caller.arn());
        let metadata = metadata(call, &principal, Some(&crypto_key.arn));
        let opened = xks.decrypt(&self.access, call.region, &self.id, &metadata, &authenticated, &blob.encrypted).await;
        let inner = opened.map_err(ProxyFailure::for_cryptography)?;
        call.require_still_enabled(crypto_key)?;
        let secret = crypto_key.secret()?;
        let inner = Blob::read(&inner).filter(|inner| inner.material_id == blob.material_id);
        let plaintext = inner.and_then(|inner| inner.open(secret, context));
        plaintext.ok_or_else(|| ProxyFailure::WrongPlaintext.for_cryptography())
    }
}

fn metadata<'a>(call: &Call<'a>, principal: &'a str, key_arn: Option<&'a str>) -> RequestMetadata<'a> {
    RequestMetadata { principal, operation: call.operation, request_id: call.request_id, key_arn }
}
