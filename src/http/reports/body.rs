//! The request for a report.

use crate::domain::name::ReportName;
use crate::domain::place::Region;
use crate::domain::refusal::{Bounds, Refusal};
use crate::domain::report::{LogPlace, ReportKind};
use crate::domain::time::Time;
use crate::http::body::{optional, read_as, read_name, required};
use crate::service::failure::{invalid, no_entries, out_of_range};
use crate::service::reports::{ReportRequest, SourceRequest};
use chrono::DateTime;
use serde::Deserialize;
use utoipa::ToSchema;

/// The most KMSs of a report.
const SOURCES_MAX: usize = 100;

/// A report to create.
#[derive(Deserialize, ToSchema)]
#[schema(as = ReportRequest)]
pub struct ReportBody {
    /// The name of the report. Names need not be unique.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "daily")]
    name: Option<String>,
    /// `key-report` (default), `service-report`, `key-aging` or `reconciliation-report`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "key-report")]
    report_type: Option<String>,
    /// The time of the first events, in RFC 3339; a day before the end by default.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<String>, format = DateTime)]
    start_time: Option<String>,
    /// The time after the last events, in RFC 3339; by default, and at most, now.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Option<String>, format = DateTime)]
    end_time: Option<String>,
    /// The KMSs, each with the log group that has the CloudTrail events of its account.
    #[serde(default, deserialize_with = "optional")]
    cloud_watch_params: Option<Vec<SourceBody>>,
}

/// A KMS and a log group.
#[derive(Deserialize, ToSchema)]
#[schema(as = ReportSource)]
struct SourceBody {
    /// The name or id of the KMS.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "kms")]
    kms: Option<String>,
    /// The region of the log group.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "us-east-1")]
    log_group_region: Option<String>,
    /// The name of the log group. A `key-report` without one has the events of this manager only; a `key-aging` needs
    /// none.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "aws-cloudtrail-logs")]
    log_group_name: Option<String>,
}

impl ReportBody {
    pub(super) fn wanted(self) -> Result<ReportRequest, Refusal> {
        let name = read_name("name", &required("name", self.name)?, ReportName::parse)?;
        let kind = match self.report_type {
            None => ReportKind::KeyActivity,
            Some(word) => ReportKind::parse(&word)
                .ok_or_else(|| invalid("report_type", format!("must be one of {}", ReportKind::NAMES.join(", "))))?,
        };
        let (start, end) = (read_time("start_time", self.start_time)?, read_time("end_time", self.end_time)?);
        let sources = required("cloud_watch_params", self.cloud_watch_params)?;
        if sources.is_empty() {
            return Err(no_entries("cloud_watch_params"));
        }
        if sources.len() > SOURCES_MAX {
            let problem = format!("must have at most {SOURCES_MAX} entries");
            return Err(out_of_range("cloud_watch_params", Bounds::between(1, SOURCES_MAX as u64), problem));
        }
        let sources = sources.into_iter().map(SourceBody::wanted).collect::<Result<_, _>>()?;
        Ok(ReportRequest { name, kind, start, end, sources })
    }
}

impl SourceBody {
    fn wanted(self) -> Result<SourceRequest, Refusal> {
        let kms = required("kms", self.kms)?;
        let log = match (self.log_group_region, self.log_group_name) {
            (None, None) => None,
            (Some(region), Some(group)) => {
                let fits = |c: char| c.is_ascii_alphanumeric() || ".-_/#".contains(c);
                if group.len() > 512 || !group.chars().all(fits) {
                    let problem = "must be the name of a log group: at most 512 letters, digits, and `.-_/#`";
                    return Err(invalid("log_group_name", problem));
                }
                Some(LogPlace { region: read_as("log_group_region", &region, Region::parse)?, group })
            }
            (Some(_), None) => return Err(invalid("log_group_name", "must be given with log_group_region")),
            (None, Some(_)) => return Err(invalid("log_group_region", "must be given with log_group_name")),
        };
        Ok(SourceRequest { kms, log })
    }
}

fn read_time(member: &'static str, text: Option<String>) -> Result<Option<Time>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let problem = || invalid(member, "must be a time in RFC 3339, such as 2026-11-28T10:00:00Z");
    let time = DateTime::parse_from_rfc3339(&text).map_err(|_| problem())?;
    let time = Time::exactly(time.to_utc()).ok_or_else(problem)?;
    if time.nanos() < 0 {
        return Err(invalid(member, "must not be before 1970"));
    }
    Ok(Some(time))
}
