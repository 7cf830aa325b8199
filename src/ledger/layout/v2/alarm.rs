//! Alarms.

use super::primitives::{Moment, Text};
use crate::domain::alarm as live;
use uuid::Uuid;

layout! {
    enum AlarmEvent<'a> of live::AlarmEvent {
        Raised { facts: Box<AlarmFacts<'a>>, webhooks: Vec<Uuid> },
        Acknowledged { by: Text<'a> },
        Cleared { by: Text<'a> },
        Delivered { webhook: Uuid },
        GivenUp { webhook: Uuid, error: Text<'a> },
    }
}

layout! {
    struct AlarmFacts<'a> of live::AlarmFacts {
        condition: Condition,
        subject: Subject<'a>,
        message: Text<'a>,
        cause: Cause<'a>,
        due: Option<Moment>,
    }
}

layout! {
    enum Condition of live::Condition {
        DeletionScheduled,
        PolicyOpened,
        KeyDisabled,
        RotationOff,
        MaterialExpiring { days: u32 },
        ConnectionFailed,
        ConnectionRecovered,
        StoreFailed,
    }
}

layout! {
    enum Subject<'a> of live::Subject {
        Key { key: Uuid, kms: Uuid, region: Text<'a>, arn: Text<'a> },
        KeyStore { store: Uuid, kms: Uuid, region: Text<'a>, name: Text<'a> },
        Connection { connection: Uuid, name: Text<'a> },
    }
}

layout! {
    enum Cause<'a> of live::Cause {
        Here { by: Text<'a> },
        Outside { found_by: Text<'a>, by: Option<Text<'a>> },
        Nobody,
    }
}
