//! The rules of reports.

use super::*;
use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::key::example::{added, after, kms_id};
use crate::domain::refusal::{Refusal, ReportRefusal};
use crate::domain::state::State;
use uuid::Uuid;

fn id(n: u128) -> ReportId {
    ReportId::new(Uuid::from_u128(n))
}

fn create(n: u128) -> ReportCommand {
    ReportCommand::Create {
        id: id(n),
        name: ReportName::parse("daily").expect("a name"),
        kind: ReportKind::KeyActivity,
        start: Time::from_nanos(1),
        end: Time::from_nanos(2),
        sources: vec![ReportSource { kms: kms_id(0), log: None }; 2],
        most: 2,
    }
}

fn events(state: &State, command: ReportCommand) -> Result<Vec<Event>, Refusal> {
    state.decide(Command::Report(command))
}

fn with(state: &State, command: ReportCommand) -> State {
    let mut state = state.clone();
    for event in events(&state, command).expect("nothing stands against it") {
        state.apply(Time::from_nanos(9), &event);
    }
    state
}

#[test]
fn a_report_ends_once_and_keeps_its_end() {
    let state = with(&after(&[added(0, &["eu-west-3"])]), create(1));
    let report = state.report(id(1)).expect("it is there");
    assert_eq!((report.kms(), report.status.name()), (vec![kms_id(0)], "in_progress"));
    let counts = ReportCounts { events_read: 4, rows: 3, pages: 2, skipped: 1 };
    let failed = with(&state, ReportCommand::Fail { id: id(1), reason: "Throttled".to_owned(), counts });
    let report = failed.report(id(1)).expect("it is there").clone();
    assert_eq!((report.status.name(), report.counts, report.completed), ("error", counts, Some(Time::from_nanos(9))));
    let again = ReportCommand::Complete { id: id(1), counts: ReportCounts::default() };
    assert_eq!(events(&failed, again).expect("it changes nothing"), []);
}

#[test]
fn a_deleted_report_is_gone_and_its_end_is_not_recorded() {
    let state = with(&with(&after(&[added(0, &["eu-west-3"])]), create(1)), ReportCommand::Delete { id: id(1) });
    assert!(state.report(id(1)).is_err());
    let end = ReportCommand::Complete { id: id(1), counts: ReportCounts::default() };
    assert_eq!(events(&state, end).expect("it changes nothing"), []);
    assert!(events(&state, ReportCommand::Delete { id: id(1) }).is_err());
}

#[test]
fn the_number_of_reports_is_limited_and_names_need_not_be_unique() {
    let state = with(&with(&after(&[added(0, &["eu-west-3"])]), create(1)), create(2));
    let refusal = events(&state, create(3)).expect_err("there are two");
    assert_eq!(refusal, Refusal::Report(ReportRefusal::TooMany(2)));
    let state = with(&state, ReportCommand::Delete { id: id(1) });
    assert!(events(&state, create(3)).is_ok());
}

#[test]
fn a_report_of_nothing_or_of_an_unknown_kms_is_refused() {
    let state = after(&[added(0, &["eu-west-3"])]);
    let ReportCommand::Create { id, name, kind, start, sources, most, .. } = create(1) else { return };
    let reversed = ReportCommand::Create { id, name, kind, start, end: start, sources, most };
    assert_eq!(events(&state, reversed).expect_err("it ends at its start").member(), Some("end_time"));
    assert!(events(&State::default(), create(1)).is_err(), "there is no KMS");
}

#[test]
fn kinds_have_names() {
    for (kind, name) in ReportKind::ALL.into_iter().zip(ReportKind::NAMES) {
        assert_eq!((kind.name(), ReportKind::parse(name)), (*name, Some(kind)));
    }
}
