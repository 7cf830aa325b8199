//! The daily counts of keys and findings.

use super::primitives::{Moment, Text};
use crate::domain::posture as live;
use uuid::Uuid;

layout! {
    enum PostureEvent<'a> of live::PostureEvent {
        Counted { day: Moment, kms: Vec<KmsCounts<'a>> },
    }
}

layout! {
    struct KmsCounts<'a> of live::KmsCounts {
        kms: Uuid,
        keys: u64,
        keys_with_findings: u64,
        findings: Vec<(Text<'a>, u64)>,
    }
}
