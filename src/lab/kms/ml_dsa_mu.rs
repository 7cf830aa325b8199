//! ML-DSA signatures of a message representative µ that the client has computed: the message type `EXTERNAL_MU`.
//!
//! aws-lc-rs signs whole messages only.

use ml_dsa::{
    EncodedSignature, EncodedVerifyingKey, ExpandedSigningKey, ExpandedSigningKeyBytes, MlDsa44, MlDsa65, MlDsa87,
    MlDsaParams, Signature, VerifyingKey,
};

use super::spec::Spec;

pub(super) const LENGTH: usize = 64;

/// Signs µ with the expanded private key of a key pair; `None` if a length is wrong.
pub(super) fn sign(spec: Spec, expanded: &[u8], mu: &[u8]) -> Option<Vec<u8>> {
    match spec {
        Spec::MlDsa44 => sign_with::<MlDsa44>(expanded, mu),
        Spec::MlDsa65 => sign_with::<MlDsa65>(expanded, mu),
        Spec::MlDsa87 => sign_with::<MlDsa87>(expanded, mu),
        _ => None,
    }
}

/// Verifies a signature of µ with the public key as bytes.
pub(super) fn verify(spec: Spec, public: &[u8], mu: &[u8], signature: &[u8]) -> bool {
    let verified = match spec {
        Spec::MlDsa44 => verify_with::<MlDsa44>(public, mu, signature),
        Spec::MlDsa65 => verify_with::<MlDsa65>(public, mu, signature),
        Spec::MlDsa87 => verify_with::<MlDsa87>(public, mu, signature),
        _ => None,
    };
    verified.unwrap_or_default()
}

fn sign_with<P: MlDsaParams>(expanded: &[u8], mu: &[u8]) -> Option<Vec<u8>> {
    let bytes = ExpandedSigningKeyBytes::<P>::try_from(expanded).ok()?;
    #[allow(deprecated)] // The seed of the key pair is not known. The key comes from aws-lc-rs, and is well formed.
    let key = ExpandedSigningKey::<P>::from_expanded(&bytes);
    Some(key.sign_mu_deterministic(&mu.try_into().ok()?).encode().to_vec())
}

fn verify_with<P: MlDsaParams>(public: &[u8], mu: &[u8], signature: &[u8]) -> Option<bool> {
    let key = VerifyingKey::<P>::decode(&EncodedVerifyingKey::<P>::try_from(public).ok()?);
    let signature = Signature::<P>::decode(&EncodedSignature::<P>::try_from(signature).ok()?)?;
    Some(key.verify_mu(&mu.try_into().ok()?, &signature))
}
