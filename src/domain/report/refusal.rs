//! Refusals of a report: the message, the kind and the reason of each.

use super::super::name::ReportName;
use super::super::refusal::reason::reasons;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum ReportRefusal {
    #[error("report `{0}` does not exist")]
    Unknown(String),
    #[error("report `{0}` is in progress; its rows can be read once it has ended")]
    InProgress(ReportName),
    #[error("there are {0} reports, and there may be no more; delete one first")]
    TooMany(usize),
    #[error("you have {0} reports, and a user may have no more; delete one first")]
    TooManyOfUser(usize),
    #[error(
        "sort: at most {most} rows, with {mib} MiB of values to sort by, can be sorted for an answer; give filters, fewer \
         columns, or a lower `skip` and `limit`"
    )]
    TooManyToSort { most: usize, mib: usize },
    #[error("the rows of report `{0}` are gone or damaged; make it again")]
    RowsLost(ReportName),
}

reasons! { ReportRefusal =>
    Unknown: Unknown, "report_unknown", "There is no such report, or none that the caller may see.";
    InProgress: Conflict, "report_in_progress", "The report has not ended yet, so it has no contents.";
    TooMany: Conflict, "report_limit", "There are as many reports as the settings allow.";
    TooManyOfUser: Conflict, "report_share", "The caller has a user's share of the reports that the settings allow.";
    TooManyToSort: Invalid of "sort", "report_sort_too_large", "The rows to sort for the answer are too many.";
    RowsLost: Conflict, "report_rows_lost", "The file with the rows of the report is gone or damaged.";
}
