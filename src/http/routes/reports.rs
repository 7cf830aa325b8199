//! Endpoints of reports.

use crate::domain::action::Action;
use crate::http::endpoint::{Endpoint, delete, get, post};
use crate::http::reports;
use crate::service::access::RequiredRight::{OnEveryKms, OnReport, SignedIn, ViewReport};

pub(super) fn reports() -> Vec<Endpoint> {
    let (all, one) = ("/cckm/aws/reports", "/cckm/aws/reports/{id}");
    vec![
        post(all, reports::create, "createReport", "Create a report of keys and their use")
            .needs(OnEveryKms(Action::ReportCreate))
            .refuses(&[404, 409]),
        get(all, reports::list, "listReports", "List the reports that the caller may see").needs(SignedIn),
        get(one, reports::get, "getReport", "Get a report").needs(ViewReport),
        get("/cckm/aws/reports/{id}/contents", reports::contents, "getReportContents", "List the rows of a report")
            .needs(ViewReport)
            .refuses(&[409]),
        get("/cckm/aws/reports/{id}/download", reports::download, "downloadReport", "Download the rows of a report")
            .needs(OnReport(Action::ReportDownload))
            .refuses(&[409]),
        delete(one, reports::delete, "deleteReport", "Delete a report and its rows")
            .needs(OnReport(Action::ReportDelete)),
    ]
}
