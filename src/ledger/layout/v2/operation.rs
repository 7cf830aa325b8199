//! Operations on keys at AWS.

use super::key::Tag;
use super::primitives::{Moment, Text};
use crate::domain::key::operation as live;
use uuid::Uuid;

layout! {
    enum Operation<'a> of live::Operation {
        Create(new: NewKey<'a>),
        Upload { new: NewKey<'a>, import: Import<'a> },
        Rotate { from: Uuid, new: NewKey<'a>, import: Option<Import<'a>>, old: RetiredKey },
        Replicate { of: Uuid, new: NewReplica<'a> },
        Enable,
        Disable,
        Describe { to: Text<'a> },
        PutPolicy { policy: Text<'a>, template: Option<Text<'a>> },
        Tag { tags: Vec<Tag<'a>> },
        Untag { keys: Vec<Text<'a>> },
        AddAlias { alias: Text<'a>, from: Option<Uuid> },
        DeleteAlias { alias: Text<'a> },
        EnableRotation { period: Option<u16> },
        DisableRotation,
        RotateMaterial,
        ImportMaterial(import: Import<'a>),
        DeleteMaterial { material: Option<Text<'a>> },
        ScheduleDeletion { window: u16 },
        CancelDeletion,
        MovePrimary { to: Text<'a> },
        CreateInStore { new: NewKey<'a>, store: Uuid },
        Link { new: NewKey<'a>, store: Uuid, is_new: bool },
    }
}

layout! {
    struct NewKey<'a> of live::NewKey {
        aliases: Vec<Text<'a>>,
        spec: Text<'a>,
        usage: Text<'a>,
        origin: Text<'a>,
        description: Text<'a>,
        multi_region: bool,
        policy: Option<Text<'a>>,
        bypass_lockout_check: bool,
        tags: Vec<Tag<'a>>,
    }
}

layout! {
    struct NewReplica<'a> of live::NewReplica {
        key: Text<'a>,
        primary: Text<'a>,
        aliases: Vec<Text<'a>>,
        description: Text<'a>,
        policy: Option<Text<'a>>,
        bypass_lockout_check: bool,
        tags: Vec<Tag<'a>>,
    }
}

layout! {
    struct Import<'a> of live::Import {
        source: Uuid,
        valid_to: Option<Moment>,
        existing: bool,
        material: Option<Text<'a>>,
        description: Option<Text<'a>>,
    }
}

layout! {
    struct RetiredKey of live::RetiredKey {
        retain_alias: bool,
        disable_encrypt: Option<EncryptFor>,
    }
}

layout! {
    enum EncryptFor of live::EncryptFor {
        OwnAccount,
        AllAccounts,
    }
}
