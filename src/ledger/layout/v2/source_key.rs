//! Source keys.

use super::primitives::{Bytes, Fingerprint, Moment, Text};
use crate::domain::source_key as live;
use crate::domain::source_key::{attributes, kind, lifecycle};
use uuid::Uuid;

layout! {
    enum SourceKeyEvent<'a> of live::SourceKeyEvent {
        Created { made: Box<NewSourceKey<'a>>, material: Bytes<'a> },
        Described { labels: Option<Text<'a>>, meta: Option<Text<'a>> },
        MadeUnexportable,
        Exported,
        Deleted,
        VersionCreated {
            version: u32,
            made: Box<NewSourceKey<'a>>,
            material: Bytes<'a>,
            attributes: Box<Attributes<'a>>,
            lifecycle: Box<Lifecycle<'a>>,
            clone_of: Option<Uuid>,
            exported: bool,
        },
        UsageSet { usage: u32 },
        UndeletableSet { undeletable: bool },
        AttributesSet { attributes: Box<Attributes<'a>> },
        LifecycleSet { lifecycle: Box<Lifecycle<'a>> },
        Revoked { revocation: Revocation<'a>, occurred: Option<Moment> },
        Reactivated { reason: ReactivationReason, message: Text<'a> },
        Archived,
        Recovered,
        Destroyed,
        ExportedWrapped { with: Option<Uuid> },
    }
}

layout! {
    struct Attributes<'a> of attributes::Attributes {
        description: Text<'a>,
        uuid: Option<Text<'a>>,
        muid: Option<Text<'a>>,
        key_id: Option<Text<'a>>,
        aliases: Vec<KeyAlias<'a>>,
    }
}

layout! {
    struct KeyAlias<'a> of attributes::KeyAlias {
        alias: Text<'a>,
        index: u32,
        kind: AliasKind,
    }
}

layout! {
    enum AliasKind of attributes::AliasKind {
        Text,
        Uri,
    }
}

layout! {
    struct Lifecycle<'a> of lifecycle::Lifecycle {
        activation: Option<Moment>,
        process_start: Option<Moment>,
        protect_stop: Option<Moment>,
        deactivation: Option<Moment>,
        archive: Option<Moment>,
        compromise: Option<Moment>,
        compromise_occurrence: Option<Moment>,
        destroy: Option<Moment>,
        revocation: Option<Revocation<'a>>,
    }
}

layout! {
    struct Revocation<'a> of lifecycle::Revocation {
        reason: RevocationReason,
        message: Text<'a>,
    }
}

layout! {
    enum RevocationReason of lifecycle::RevocationReason {
        Unspecified,
        KeyCompromise,
        CaCompromise,
        AffiliationChanged,
        Superseded,
        CessationOfOperation,
        PrivilegeWithdrawn,
    }
}

layout! {
    enum ReactivationReason of lifecycle::ReactivationReason {
        DeactivatedToActive,
        ActiveProtectStopToActive,
        DeactivatedToActiveProtectStop,
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
        Bits(bits: u16),
    }
}
