//! Keys: their operations, and their observed state at AWS.

use super::key_store::CallerRules;
use super::operation::Operation;
use super::primitives::{Moment, Text};
use crate::domain::key::{event as live, hyok, last_use, metadata, tag};
use uuid::Uuid;

layout! {
    enum KeyEvent<'a> of live::KeyEvent {
        OperationRequested { operation: Uuid, kms: Uuid, region: Text<'a>, wanted: Box<Operation<'a>> },
        OperationDone { operation: Uuid, learned: Vec<Aspect<'a>> },
        OperationFailed { operation: Uuid, reason: Text<'a> },
        OperationReconciled { operation: Uuid, learned: Vec<Aspect<'a>> },
        Found { kms: Uuid, region: Text<'a>, learned: Vec<Aspect<'a>> },
        Observed { learned: Vec<Aspect<'a>> },
        Vanished,
        RotationJobSet { job: Option<RotationJob<'a>> },
        Forgotten,
        Unmanaged { cause: UnmanagedCause },
        Replaced { by: Uuid },
        AliasMoved { alias: Text<'a>, to: Uuid },
        MaterialNotRotated { reason: Text<'a> },
        HyokCreated { kms: Uuid, region: Text<'a>, new: Box<NewHyokKey<'a>> },
        HyokBlocked,
        HyokUnblocked,
        HyokRotated { source: Uuid },
        CallerRulesSet { rules: CallerRules<'a> },
        EncryptionsCounted { version: u32, encryptions: u64 },
        HyokLinked { learned: Vec<Aspect<'a>> },
        VirtualKeyMade { source: Uuid, source_key_tier: Text<'a> },
        VirtualKeyDeletable { deletable: bool },
        VirtualKeyDeleted,
    }
}

layout! {
    struct NewHyokKey<'a> of hyok::NewHyokKey {
        store: Uuid,
        source: Uuid,
        source_key_tier: Text<'a>,
        blocked: bool,
        caller_rules: CallerRules<'a>,
        planned: Vec<Aspect<'a>>,
    }
}

layout! {
    enum UnmanagedCause of live::UnmanagedCause {
        KmsDeleted,
        RegionRemoved,
    }
}

layout! {
    enum Aspect<'a> of live::Aspect {
        Metadata(metadata: Box<KeyMetadata<'a>>),
        Aliases(aliases: Vec<Text<'a>>),
        Tags(tags: Vec<Tag<'a>>),
        Policy(policy: Text<'a>),
        Rotation(status: RotationStatus),
        ImportedMaterial(material: Text<'a>),
        LastUse(last_use: LastUse<'a>),
    }
}

layout! {
    struct KeyMetadata<'a> of metadata::KeyMetadata {
        arn: Text<'a>,
        created_at: Option<Moment>,
        description: Text<'a>,
        enabled: bool,
        spec: Text<'a>,
        usage: Text<'a>,
        state: Text<'a>,
        origin: Text<'a>,
        manager: Text<'a>,
        multi_region: Option<Box<MultiRegion<'a>>>,
        deletion_date: Option<Moment>,
        pending_window: Option<u16>,
        valid_to: Option<Moment>,
        expiration_model: Option<Text<'a>>,
        algorithms: Box<Algorithms<'a>>,
        current_material: Option<Text<'a>>,
        custom_key_store_id: Option<Text<'a>>,
        cloud_hsm_cluster_id: Option<Text<'a>>,
        xks_key_id: Option<Text<'a>>,
    }
}

layout! {
    struct Algorithms<'a> of metadata::Algorithms {
        encryption: Vec<Text<'a>>,
        signing: Vec<Text<'a>>,
        mac: Vec<Text<'a>>,
        key_agreement: Vec<Text<'a>>,
        encapsulation: Vec<Text<'a>>,
    }
}

layout! {
    struct MultiRegion<'a> of metadata::MultiRegion {
        kind: Text<'a>,
        primary: Text<'a>,
        replicas: Vec<Text<'a>>,
    }
}

layout! {
    struct RotationStatus of metadata::RotationStatus {
        enabled: bool,
        period: Option<u16>,
        next: Option<Moment>,
        on_demand_started: Option<Moment>,
    }
}

layout! {
    struct LastUse<'a> of last_use::LastUse {
        asked: Moment,
        tracked_since: Moment,
        last: Option<KeyUse<'a>>,
    }
}

layout! {
    struct KeyUse<'a> of last_use::KeyUse {
        at: Moment,
        operation: Text<'a>,
        event_id: Text<'a>,
    }
}

layout! {
    struct Tag<'a> of tag::Tag {
        key: Text<'a>,
        value: Text<'a>,
    }
}

layout! {
    struct RotationJob<'a> of live::RotationJob {
        schedule: Uuid,
        key_source: Text<'a>,
        disable_encrypt: bool,
        disable_encrypt_on_all_accounts: bool,
    }
}
