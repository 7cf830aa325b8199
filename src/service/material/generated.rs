//! Generates material from the provider's random numbers.

use super::{Material, signing};
use crate::domain::source_key::kind::{RsaSize, SourceKeyKind};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use aws_lc_rs::signature::EcdsaKeyPair;
use zeroize::Zeroizing;

/// Generates material; `None` if the provider fails.
pub(super) fn generate(kind: SourceKeyKind) -> Option<Material> {
    match kind {
        SourceKeyKind::Aes(_) | SourceKeyKind::Hmac(..) => {
            let mut secret = Zeroizing::new(vec![0; kind.bits() as usize / 8]);
            fill(&mut secret).ok()?;
            Some(Material::from_bytes(kind, secret))
        }
        SourceKeyKind::Rsa(size) => {
            let size = match size {
                RsaSize::Rsa2048 => KeySize::Rsa2048,
                RsaSize::Rsa3072 => KeySize::Rsa3072,
                RsaSize::Rsa4096 => KeySize::Rsa4096,
            };
            let document = PrivateDecryptingKey::generate(size).ok()?.as_der().ok()?;
            Material::private_key(kind, document.as_ref())
        }
        SourceKeyKind::Ec(curve) => {
            let document = EcdsaKeyPair::generate_pkcs8(signing(curve), &SystemRandom::new()).ok()?;
            Material::private_key(kind, document.as_ref())
        }
    }
}
