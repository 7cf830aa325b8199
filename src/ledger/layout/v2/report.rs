//! Reports.

use super::primitives::{Moment, Text};
use crate::domain::report as live;
use uuid::Uuid;

layout! {
    enum ReportEvent<'a> of live::ReportEvent {
        Created { name: Text<'a>, kind: ReportKind, start: Moment, end: Moment, sources: Vec<ReportSource<'a>> },
        Completed { counts: ReportCounts },
        Failed { reason: Text<'a>, counts: ReportCounts },
        Deleted,
    }
}

layout! {
    enum ReportKind of live::ReportKind {
        #[serde(rename = "key-report")]
        KeyActivity,
        #[serde(rename = "service-report")]
        ServiceUsage,
        #[serde(rename = "key-aging")]
        KeyAging,
        #[serde(rename = "reconciliation-report")]
        Reconciliation,
    }
}

layout! {
    struct ReportSource<'a> of live::ReportSource {
        kms: Uuid,
        log: Option<LogPlace<'a>>,
    }
}

layout! {
    struct LogPlace<'a> of live::LogPlace {
        region: Text<'a>,
        group: Text<'a>,
    }
}

layout! {
    struct ReportCounts of live::ReportCounts {
        events_read: u64,
        rows: u64,
        pages: u64,
        skipped: u64,
    }
}
