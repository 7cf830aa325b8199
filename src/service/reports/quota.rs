//! The share of a user in the number of reports: whoever may create reports of one KMS must not be able to take all of
//! them. Who created a report is in the log; it is read when a user could have used up the share.

use super::Reports;
use crate::domain::event::Event;
use crate::domain::id::{ReportId, UserId};
use crate::domain::refusal::ReportRefusal;
use crate::domain::report::{Report, ReportEvent};
use crate::ledger::Ledger;
use crate::service::access;
use crate::service::caller::Caller;
use crate::service::failure::Failure;
use crate::service::reports::log_reading::LogReader;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use tokio::sync::Mutex;

/// The part of all reports that a user may have who does not administer KMSs.
const SHARE: usize = 4;

/// Who created each report; `None` if no user did.
#[derive(Default)]
pub(super) struct Creators(Mutex<HashMap<ReportId, Option<UserId>>>);

impl Reports {
    /// Checks that the caller may have one more report.
    ///
    /// # Errors
    /// When the share is used up.
    pub(super) async fn check_share(&self, caller: &Caller) -> Result<(), Failure> {
        let most = (self.settings.most / SHARE).max(1);
        let published = self.recorder.state();
        let reports = &published.state.reports;
        if reports.len() < most || access::administers_kms(&caller.user) {
            return Ok(());
        }
        let mut creators = self.creators.0.lock().await;
        creators.retain(|id, _| reports.get(id).is_some());
        for report in reports.iter() {
            if let Entry::Vacant(unknown) = creators.entry(report.id) {
                unknown.insert(creator(self.recorder.ledger(), report).await?);
            }
        }
        let own = creators.values().filter(|creator| **creator == Some(caller.user.id)).count();
        if own < most { Ok(()) } else { Err(ReportRefusal::TooManyOfUser(most).into()) }
    }
}

async fn creator(ledger: &Ledger, report: &Report) -> Result<Option<UserId>, Failure> {
    let mut next = LogReader::between(ledger, report.created, report.created).await?.place();
    while let Some(record) = ledger.read_one(next).await?.filter(|record| record.time <= report.created) {
        if matches!(record.event, Event::Report(id, ReportEvent::Created { .. }) if id == report.id) {
            return Ok(record.actor.user_id());
        }
        next += 1;
    }
    Ok(None)
}
