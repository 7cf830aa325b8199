//! A report in answers.

use crate::domain::report::{ReportCounts, ReportStatus};
use crate::domain::time::Time;
use crate::http::envelope::{Envelope, maybe_rfc3339, rfc3339};
use crate::service::reports::ReportSeen;
use serde::Serialize;
use utoipa::ToSchema;

/// A report.
#[derive(Serialize, ToSchema)]
#[schema(as = Report)]
pub struct ReportView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name of the report.
    name: String,
    /// `key-report`, `service-report`, `key-aging` or `reconciliation-report`.
    #[schema(example = "key-report")]
    report_type: &'static str,
    /// `in_progress`, `completed` or `error`.
    #[schema(example = "completed")]
    overall_status: &'static str,
    /// The time of the first events.
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    start_time: Time,
    /// The time after the last events.
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    end_time: Time,
    /// The KMSs and log groups.
    cloud_watch_params: Vec<SourceView>,
    /// The time at which the report ended; absent until then.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_rfc3339")]
    #[schema(value_type = String, required = false, format = DateTime)]
    completed_at: Option<Time>,
    /// Why the report ended early, with AWS's code and message if AWS refused; otherwise empty. The rows until then are
    /// kept.
    error: String,
    /// The counts so far.
    progress: ProgressView,
}

/// A KMS and a log group.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportSourceShown)]
pub(super) struct SourceView {
    /// The name of the KMS; its id if it was deleted.
    kms: String,
    /// The id of the KMS.
    kms_id: String,
    /// The region of the log group; empty without one.
    log_group_region: String,
    /// The name of the log group; empty without one.
    log_group_name: String,
}

/// The counts of a report.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportProgress)]
pub(super) struct ProgressView {
    /// The messages of log groups that were read.
    events_read: u64,
    /// The rows of the report, of all keys.
    rows: u64,
    /// The pages of log groups that were read.
    pages: u64,
    /// The messages that are no events of CloudTrail: cut, not JSON, or foreign.
    skipped: u64,
}

impl ReportView {
    pub(super) fn of(seen: &ReportSeen) -> Self {
        let report = &seen.report;
        let sources = report.sources.iter().zip(&seen.kms).map(|(source, kms)| SourceView {
            kms: kms.clone(),
            kms_id: source.kms.to_string(),
            log_group_region: source.log.as_ref().map(|log| log.region.to_string()).unwrap_or_default(),
            log_group_name: source.log.as_ref().map(|log| log.group.clone()).unwrap_or_default(),
        });
        let error = match &report.status {
            ReportStatus::Failed(reason) => reason.clone(),
            ReportStatus::InProgress | ReportStatus::Completed => String::new(),
        };
        let ReportCounts { events_read, rows, pages, skipped } = seen.counts;
        Self {
            envelope: Envelope::new(report.id, "cckm:aws-report", report.id, report.created, report.updated),
            name: report.name.to_string(),
            report_type: report.kind.name(),
            overall_status: report.status.name(),
            start_time: report.start,
            end_time: report.end,
            cloud_watch_params: sources.collect(),
            completed_at: report.completed,
            error,
            progress: ProgressView { events_read, rows, pages, skipped },
        }
    }
}
