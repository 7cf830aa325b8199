//! Events of every kind for source keys, and a source key of every algorithm and size.

use super::sample::{Form, json, sealed, uuid};
use crate::domain::event::Event;
use crate::domain::id::SourceKeyId;
use crate::domain::name::SourceKeyName;
use crate::domain::source_key::kind::{AesSize, Curve, HmacHash, HmacSize, RsaSize, SourceKeyKind};
use crate::domain::source_key::{Fingerprint, MaterialOrigin, NewSourceKey, SourceKeyEvent, UsageMask};

const KINDS: [SourceKeyKind; 13] = [
    SourceKeyKind::Aes(AesSize::Aes128),
    SourceKeyKind::Aes(AesSize::Aes192),
    SourceKeyKind::Aes(AesSize::Aes256),
    SourceKeyKind::Rsa(RsaSize::Rsa2048),
    SourceKeyKind::Rsa(RsaSize::Rsa3072),
    SourceKeyKind::Rsa(RsaSize::Rsa4096),
    SourceKeyKind::Ec(Curve::Secp256r1),
    SourceKeyKind::Ec(Curve::Secp384r1),
    SourceKeyKind::Ec(Curve::Secp521r1),
    SourceKeyKind::Ec(Curve::Secp256k1),
    SourceKeyKind::Hmac(HmacHash::Sha256, HmacSize::Half),
    SourceKeyKind::Hmac(HmacHash::Sha384, HmacSize::Full),
    SourceKeyKind::Hmac(HmacHash::Sha512, HmacSize::ThreeQuarters),
];

fn created(form: Form, kind: SourceKeyKind) -> SourceKeyEvent {
    let made = NewSourceKey {
        name: SourceKeyName::parse("зарплата").expect("a name"),
        kind,
        origin: form.option(MaterialOrigin::Brought).unwrap_or(MaterialOrigin::Generated),
        usage: UsageMask::usual(kind),
        unexportable: form.switch(),
        undeletable: form.switch(),
        labels: form.option(json(r#"{"team":"платформа"}"#)),
        meta: form.option(json("true")),
        fingerprint: Fingerprint([0xf0; 32]),
        public_key: form.option("-----BEGIN PUBLIC KEY-----\n".to_owned()),
    };
    SourceKeyEvent::Created { made: Box::new(made), material: sealed("a sealed material") }
}

pub(super) fn every_kind(form: Form) -> Vec<Event> {
    let mut events: Vec<_> = KINDS.into_iter().map(|kind| created(form, kind)).collect();
    events.extend([
        SourceKeyEvent::Described { labels: form.option(json("{}")), meta: form.option(json(r#"{"owner":7}"#)) },
        SourceKeyEvent::MadeUnexportable,
        SourceKeyEvent::Exported,
        SourceKeyEvent::Deleted,
    ]);
    events.into_iter().map(|event| Event::SourceKey(SourceKeyId::new(uuid(0x700)), event)).collect()
}
