//! The list of reports: its filters and sort orders.

use crate::domain::id::ReportId;
use crate::domain::report::{Report, ReportKind};
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::service::access;
use crate::service::caller::Caller;
use crate::service::list::{Candidates, Field, Listed};

impl Listed for Report {
    type Rows = Table<ReportId, Self>;
    const SORTS: &'static [&'static str] = &[
        "id",
        "name",
        "report_type",
        "overall_status",
        "start_time",
        "end_time",
        "completed_at",
        "createdAt",
        "updatedAt",
    ];
    const FILTERS: &'static [&'static str] = &["id", "name", "report_type", "overall_status"];
    const WORDS: &'static [(&'static str, &'static [&'static str])] =
        &[("report_type", ReportKind::NAMES), ("overall_status", &["in_progress", "completed", "error"])];
    const SEARCHES: &'static [&'static str] = &["id", "name", "report_type"];
    const IDENTITIES: &'static [&'static str] = &["id"];
    const SEES: Option<fn(&Caller, &Self) -> bool> =
        Some(|caller, report| access::sees_report(&caller.user, &caller.published.state, report));

    fn rows(state: &State) -> &Self::Rows {
        &state.reports
    }

    fn identified<'a>(_: &'a State, _: &str, value: &str) -> Candidates<'a, Self> {
        Box::new(ReportId::parse(value).into_iter())
    }

    fn field(&self, member: &str, _: &Caller) -> Field {
        match member {
            "id" => Field::Text(self.id.to_string()),
            "name" => Field::Text(self.name.to_string()),
            "report_type" => Field::Text(self.kind.name().to_owned()),
            "overall_status" => Field::Text(self.status.name().to_owned()),
            "start_time" => Field::Moment(self.start),
            "end_time" => Field::Moment(self.end),
            "completed_at" => self.completed.map_or(Field::Absent, Field::Moment),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}
