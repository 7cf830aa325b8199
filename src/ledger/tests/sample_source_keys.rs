//! One event of every kind that source keys have, and one source key of every algorithm.

use super::sample::{json, sealed, uuid};
use crate::domain::event::Event;
use crate::domain::id::SourceKeyId;
use crate::domain::name::SourceKeyName;
use crate::domain::source_key::kind::{AesSize, Curve, HmacHash, HmacSize, RsaSize, SourceKeyKind};
use crate::domain::source_key::{Fingerprint, MaterialOrigin, NewSourceKey, SourceKeyEvent, UsageMask};

const KINDS: [SourceKeyKind; 4] = [
    SourceKeyKind::Aes(AesSize::Aes256),
    SourceKeyKind::Rsa(RsaSize::Rsa4096),
    SourceKeyKind::Ec(Curve::Secp256k1),
    SourceKeyKind::Hmac(HmacHash::Sha512, HmacSize::ThreeQuarters),
];

fn created(kind: SourceKeyKind) -> SourceKeyEvent {
    let made = NewSourceKey {
        name: SourceKeyName::parse("зарплата").expect("a name"),
        kind,
        origin: if kind.is_asymmetric() { MaterialOrigin::Brought } else { MaterialOrigin::Generated },
        usage: UsageMask::usual(kind),
        unexportable: true,
        undeletable: false,
        labels: Some(json(r#"{"team":"платформа"}"#)),
        meta: None,
        fingerprint: Fingerprint([0xf0; 32]),
        public_key: kind.is_asymmetric().then(|| "-----BEGIN PUBLIC KEY-----\n".to_owned()),
    };
    SourceKeyEvent::Created { made: Box::new(made), material: sealed("a sealed material") }
}

pub(super) fn every_kind() -> Vec<Event> {
    let mut events: Vec<_> = KINDS.into_iter().map(created).collect();
    events.extend([
        SourceKeyEvent::Described { labels: None, meta: Some(json(r#"{"owner":7}"#)) },
        SourceKeyEvent::MadeUnexportable,
        SourceKeyEvent::Exported,
        SourceKeyEvent::Deleted,
    ]);
    events.into_iter().map(|event| Event::SourceKey(SourceKeyId::new(uuid(0x700)), event)).collect()
}
