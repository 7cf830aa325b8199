//! Changes that were made outside.

use super::primitives::{Moment, Text};
use crate::domain::drift as live;
use uuid::Uuid;

layout! {
    enum DriftEvent<'a> of live::DriftEvent {
        Found(facts: Box<DriftFacts<'a>>),
        Read { schedule: Uuid, until: Vec<(Text<'a>, Moment)> },
    }
}

layout! {
    struct DriftFacts<'a> of live::DriftFacts {
        region: Text<'a>,
        key: Option<Uuid>,
        key_arn: Text<'a>,
        event: OutsideEvent<'a>,
        changes: Vec<Difference<'a>>,
        superseded: bool,
    }
}

layout! {
    struct OutsideEvent<'a> of live::OutsideEvent {
        id: Uuid,
        name: Text<'a>,
        at: Moment,
        by: Text<'a>,
        by_type: Text<'a>,
        source_ip: Text<'a>,
        user_agent: Text<'a>,
        request_id: Text<'a>,
    }
}

layout! {
    struct Difference<'a> of live::Difference {
        aspect: DriftAspect,
        before: Text<'a>,
        after: Text<'a>,
    }
}

layout! {
    enum DriftAspect of live::DriftAspect {
        Existence,
        State,
        DeletionDate,
        Description,
        Policy,
        Aliases,
        Tags,
        Rotation,
        Material,
        Expiry,
        MultiRegion,
        KeyStore,
    }
}
