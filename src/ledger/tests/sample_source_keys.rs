//! Events of every kind for source keys, and a source key of every algorithm and size.

use super::sample::{Form, json, sealed, uuid};
use crate::domain::event::Event;
use crate::domain::id::SourceKeyId;
use crate::domain::name::SourceKeyName;
use crate::domain::source_key::attributes::{AliasKind, Attributes, KeyAlias};
use crate::domain::source_key::kind::{AesSize, Curve, HmacHash, HmacSize, RsaSize, SourceKeyKind};
use crate::domain::source_key::lifecycle::{Lifecycle, ReactivationReason, Revocation, RevocationReason};
use crate::domain::source_key::{Fingerprint, MaterialOrigin, NewSourceKey, SourceKeyEvent, UsageMask};
use crate::domain::time::Time;

const KINDS: [SourceKeyKind; 14] = [
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
    SourceKeyKind::Hmac(HmacHash::Sha256, HmacSize::Bits(264)),
];

fn made(form: Form, name: &str, kind: SourceKeyKind) -> Box<NewSourceKey> {
    Box::new(NewSourceKey {
        name: SourceKeyName::parse(name).expect("a name"),
        kind,
        origin: form.option(MaterialOrigin::Brought).unwrap_or(MaterialOrigin::Generated),
        usage: UsageMask::usual(kind),
        unexportable: form.switch(),
        undeletable: form.switch(),
        labels: form.option(json(r#"{"team":"платформа"}"#)),
        meta: form.option(json("true")),
        fingerprint: Fingerprint([0xf0; 32]),
        public_key: form.option("-----BEGIN PUBLIC KEY-----\n".to_owned()),
    })
}

fn created(form: Form, kind: SourceKeyKind) -> SourceKeyEvent {
    SourceKeyEvent::Created { made: made(form, "зарплата", kind), material: sealed("a sealed material") }
}

fn attributes(form: Form) -> Box<Attributes> {
    let alias = |alias: &str, index, kind| KeyAlias { alias: alias.to_owned(), index, kind };
    let aliases = vec![alias("зарплата 2", 0, AliasKind::Text), alias("https://example.com/k", 3, AliasKind::Uri)];
    Box::new(Attributes {
        description: form.text("für die Lohnbuchhaltung"),
        uuid: form.option("0b90f8de-8617-498d-ad63-ca18eb717ae7".to_owned()),
        muid: form.option("muid-1".to_owned()),
        key_id: form.option("-42".to_owned()),
        aliases: form.list(aliases),
    })
}

fn lifecycle(form: Form) -> Box<Lifecycle> {
    let date = |second: i64| form.option(Time::from_nanos(1_700_000_000_000_000_000 + second * 1_000_000_000));
    let revocation = Revocation { reason: RevocationReason::KeyCompromise, message: form.text("lost") };
    Box::new(Lifecycle {
        activation: date(1),
        process_start: date(2),
        protect_stop: date(3),
        deactivation: date(4),
        archive: date(5),
        compromise: date(6),
        compromise_occurrence: date(7),
        destroy: date(8),
        revocation: form.option(revocation),
    })
}

/// The events of two versions, of which the first is destroyed.
fn versions(form: Form) -> Vec<Event> {
    let kind = SourceKeyKind::Aes(AesSize::Aes256);
    let created = |version, name: &str, clone_of| SourceKeyEvent::VersionCreated {
        version,
        made: made(form, name, kind),
        material: sealed("a sealed material"),
        attributes: attributes(form),
        lifecycle: lifecycle(form),
        clone_of: form.option(clone_of),
        exported: form.switch(),
    };
    let of = |id, event| Event::SourceKey(SourceKeyId::new(uuid(id)), event);
    let mut events = vec![
        of(0x701, created(0, "versioned", SourceKeyId::new(uuid(0x700)))),
        of(0x702, created(1, "versioned", SourceKeyId::new(uuid(0x700)))),
        of(0x701, SourceKeyEvent::UsageSet { usage: UsageMask::usual(kind) }),
        of(0x701, SourceKeyEvent::UndeletableSet { undeletable: form.switch() }),
        of(0x701, SourceKeyEvent::AttributesSet { attributes: attributes(form) }),
        of(0x701, SourceKeyEvent::LifecycleSet { lifecycle: lifecycle(form) }),
    ];
    let occurred = form.option(Time::from_nanos(1_700_000_000_000_000_000));
    events.extend(RevocationReason::WORDS.map(|(_, reason)| {
        let revocation = Revocation { reason, message: form.text("no longer needed") };
        of(0x702, SourceKeyEvent::Revoked { revocation, occurred })
    }));
    events.extend(
        ReactivationReason::WORDS.map(|(_, reason)| {
            of(0x702, SourceKeyEvent::Reactivated { reason, message: form.text("needed after all") })
        }),
    );
    events.extend([SourceKeyEvent::Archived, SourceKeyEvent::Recovered].map(|event| of(0x702, event)));
    let with = form.option(SourceKeyId::new(uuid(0x700)));
    events.push(of(0x702, SourceKeyEvent::ExportedWrapped { with }));
    events.push(of(0x701, SourceKeyEvent::Destroyed));
    events
}

pub(super) fn every_kind(form: Form) -> Vec<Event> {
    let mut events: Vec<_> = KINDS.into_iter().map(|kind| created(form, kind)).collect();
    events.extend([
        SourceKeyEvent::Described { labels: form.option(json("{}")), meta: form.option(json(r#"{"owner":7}"#)) },
        SourceKeyEvent::MadeUnexportable,
        SourceKeyEvent::Exported,
        SourceKeyEvent::Deleted,
    ]);
    let of_the_first = |event| Event::SourceKey(SourceKeyId::new(uuid(0x700)), event);
    events.into_iter().map(of_the_first).chain(versions(form)).collect()
}
