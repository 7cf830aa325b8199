//! Source keys.

use super::primitives::{Bytes, Fingerprint, Text};
use crate::domain::source_key as live;
use crate::domain::source_key::kind;

layout! {
    enum SourceKeyEvent<'a> of live::SourceKeyEvent {
        Created { made: Box<NewSourceKey<'a>>, material: Bytes<'a> },
        Described { labels: Option<Text<'a>>, meta: Option<Text<'a>> },
        MadeUnexportable,
        Exported,
        Deleted,
    }
}

layout! {
    struct NewSourceKey<'a> of live::NewSourceKey {
        name: Text<'a>,
        kind: SourceKeyKind,
        origin: MaterialOrigin,
        usage: u32,
        unexportable: bool,
        undeletable: bool,
        labels: Option<Text<'a>>,
        meta: Option<Text<'a>>,
        fingerprint: Fingerprint,
        public_key: Option<Text<'a>>,
    }
}

layout! {
    enum MaterialOrigin of live::MaterialOrigin {
        Generated,
        Brought,
    }
}

layout! {
    enum SourceKeyKind of kind::SourceKeyKind {
        Aes(size: AesSize),
        Rsa(size: RsaSize),
        Ec(curve: Curve),
        Hmac(hash: HmacHash, size: HmacSize),
    }
}

layout! {
    enum AesSize of kind::AesSize {
        Aes128,
        Aes192,
        Aes256,
    }
}

layout! {
    enum RsaSize of kind::RsaSize {
        Rsa2048,
        Rsa3072,
        Rsa4096,
    }
}

layout! {
    enum Curve of kind::Curve {
        Secp256r1,
        Secp384r1,
        Secp521r1,
        Secp256k1,
    }
}

layout! {
    enum HmacHash of kind::HmacHash {
        Sha256,
        Sha384,
        Sha512,
    }
}

layout! {
    enum HmacSize of kind::HmacSize {
        Half,
        ThreeQuarters,
        Full,
    }
}
