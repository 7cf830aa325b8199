//! Events of every kind for reports.

use super::sample::{Form, kms, uuid};
use crate::domain::event::Event;
use crate::domain::id::ReportId;
use crate::domain::name::ReportName;
use crate::domain::place::Region;
use crate::domain::report::{LogPlace, ReportCounts, ReportEvent, ReportKind, ReportSource};
use crate::domain::time::Time;

fn created(form: Form, kind: ReportKind) -> ReportEvent {
    let region = Region::parse("us-east-1").expect("a region");
    let log = form.option(LogPlace { region, group: "aws-cloudtrail-logs".to_owned() });
    ReportEvent::Created {
        name: ReportName::parse("täglich").expect("a name"),
        kind,
        start: Time::from_nanos(1_700_000_000_000_000_000),
        end: Time::from_nanos(1_700_086_400_000_000_000),
        sources: form.list(vec![ReportSource { kms: kms(0), log }, ReportSource { kms: kms(1), log: None }]),
    }
}

pub(super) fn every_kind(form: Form) -> impl Iterator<Item = Event> {
    let counts = ReportCounts { events_read: 120_000, rows: 431, pages: 13, skipped: 2 };
    let report = |n: u128, event| Event::Report(ReportId::new(uuid(0xd00 + n)), event);
    let all = (0..).zip(ReportKind::ALL).map(move |(n, kind)| report(n, created(form, kind)));
    let ends = [
        report(0, ReportEvent::Completed { counts }),
        report(1, ReportEvent::Failed { reason: "ThrottlingException: Rate exceeded".to_owned(), counts }),
        report(2, ReportEvent::Deleted),
    ];
    all.chain(ends)
}
