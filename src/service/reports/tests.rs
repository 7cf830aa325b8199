//! How reports are made, against a scripted AWS: what interrupts them, and what then counts.

use super::*;
use crate::aws::failure::AwsFailure;
use crate::aws::logs::RawLogPage;
use crate::aws::operation::AwsOperation;
use crate::aws::page::Marker;
use crate::aws::scripted::Cue;
use crate::domain::place::Region;
use crate::domain::report::ReportStatus;
use crate::service::access::ViewReport;
use crate::service::world::{ACCOUNT, REGION, World};
use serde_json::{Value, json};

const KEY: &str = "0987dcba-09fe-87dc-65ba-ab0987654321";

/// An event of the last hour.
fn event(name: &str, n: u32) -> Value {
    json!({ "eventID": format!("event {n}"), "requestID": format!("request {n}"), "eventName": name,
        "eventTime": "2025-12-31T23:30:00Z", "recipientAccountId": ACCOUNT, "awsRegion": REGION, "readOnly": false,
        "resources": [{ "ARN": format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY}") }] })
}

/// A page of CloudWatch Logs with these decryptions, and the token of the next one.
fn page(numbers: &[u32], next: Option<&str>) -> Cue<RawLogPage> {
    page_of(&numbers.iter().map(|n| event("Decrypt", *n)).collect::<Vec<_>>(), next)
}

fn page_of(events: &[Value], next: Option<&str>) -> Cue<RawLogPage> {
    let events: Vec<Value> = events.iter().map(|event| json!({ "message": event.to_string() })).collect();
    let mut page = json!({ "events": events });
    if let Some(next) = next {
        page["nextToken"] = json!(next);
    }
    Cue::Answer(RawLogPage(page.to_string().into()))
}

/// Creates a report of the last day with these log groups.
fn create(world: &World, kind: ReportKind, groups: &[&str]) -> ReportId {
    let source = |group: &&str| {
        let log = LogPlace { region: Region::parse(REGION).expect("a region"), group: (*group).to_owned() };
        SourceRequest { kms: "kms".to_owned(), log: Some(log) }
    };
    let name = ReportName::parse("report").expect("a name");
    let sources = groups.iter().map(source).collect();
    let request = ReportRequest { name, kind, start: None, end: None, sources };
    let created = world.run(world.services().reports.create(&world.admin(), &World::context(), request));
    created.map_or_else(|failure| panic!("{failure}"), |seen| seen.report.id)
}

fn permit(world: &World, id: ReportId) -> ReportPermit<ViewReport> {
    ReportPermit::authorize(world.caller("admin"), id).unwrap_or_else(|failure| panic!("{failure}"))
}

fn counts(world: &World, id: ReportId) -> ReportCounts {
    world.services().reports.get(&permit(world, id)).counts
}

/// Waits until a report that goes on has read some pages, and waits for the next one.
fn until_pages(world: &World, id: ReportId, pages: u64) {
    for _ in 0..1_000 {
        if counts(world, id).pages >= pages && world.aws.log_windows().len() as u64 > pages {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it read {:?}", counts(world, id));
}

/// Waits until a report has ended; returns how, and its rows with these columns.
fn ended(world: &World, id: ReportId, shown: &[&str]) -> (ReportStatus, Vec<Vec<String>>) {
    world.until("the report ends", |state| state.reports.get(&id).is_some_and(|report| !report.is_in_progress()));
    let permit = permit(world, id);
    let query = Query::default();
    let contents = world.run(world.services().reports.contents(&permit, &query));
    let mut contents = contents.unwrap_or_else(|failure| panic!("{failure}"));
    let rows = contents.rows.take(1_000).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(rows.len() as u64, counts(world, id).rows, "the rows are counted");
    let at = |name: &&str| contents.columns.iter().position(|column| column == name).expect("a column");
    let text = |row: &Row| shown.iter().map(|name| row.cells[at(name)].to_string()).collect();
    (permit.report().status.clone(), rows.iter().map(text).collect())
}

#[test]
fn a_report_that_takes_too_long_ends_with_its_rows() {
    for (kind, column, expected) in [
        (ReportKind::KeyActivity, "event_id", &[["event 1"], ["event 2"]][..]),
        (ReportKind::ServiceUsage, "calls", &[["2"]]),
    ] {
        let mut world = World::new();
        world.kill();
        world.report_time_limit = Duration::from_millis(1_500);
        world.start();
        world.aws.log_pages.next(page(&[1, 2], Some("next")));
        world.aws.log_pages.always(Cue::Hang);
        let id = create(&world, kind, &["trail"]);
        let (status, rows) = ended(&world, id, &[column]);
        assert!(
            matches!(&status, ReportStatus::Failed(why) if why.contains("the limit of the settings")),
            "{status:?}"
        );
        assert_eq!(rows, expected, "{kind:?}");
        let counts = counts(&world, id);
        assert_eq!((counts.events_read, counts.pages), (2, 1), "{kind:?}");
    }
}

/// AWS's tokens are valid for a day.
#[test]
fn a_report_whose_token_is_refused_begins_again_and_has_each_event_once() {
    let mut world = World::new();
    world.aws.log_pages.next(page(&[1], Some("stale")));
    world.aws.log_pages.next(Cue::Hang);
    let id = create(&world, ReportKind::KeyActivity, &["trail"]);
    until_pages(&world, id, 1);
    world.kill();
    let (code, message) = ("InvalidParameterException".to_owned(), "The specified nextToken is invalid".to_owned());
    let operation = AwsOperation::FILTER_LOG_EVENTS;
    world.aws.log_pages.next(Cue::Fail(AwsFailure::Refused { operation, status: 400, code, message }));
    world.aws.log_pages.next(page(&[1], Some("new")));
    world.aws.log_pages.next(page(&[2], None));
    world.start();
    let (status, rows) = ended(&world, id, &["event_id"]);
    assert_eq!((status, rows), (ReportStatus::Completed, vec![vec!["event 1".to_owned()], vec!["event 2".to_owned()]]));
    let counts = counts(&world, id);
    assert_eq!((counts.events_read, counts.pages), (2, 2));
    let windows = world.aws.log_windows();
    let tokens: Vec<_> = windows.iter().map(|window| window.token.as_ref().map(Marker::as_str)).collect();
    assert_eq!(tokens, [None, Some("stale"), Some("stale"), None, Some("new")]);
}

/// Two trails of one account can deliver the same event.
#[test]
fn an_event_in_two_log_groups_of_a_kms_counts_once_also_after_a_restart() {
    let first = || [page(&[1, 2], None), page(&[1, 3], Some("more"))];
    for is_restarted in [false, true] {
        let mut world = World::new();
        first().into_iter().for_each(|cue| world.aws.log_pages.next(cue));
        if is_restarted {
            world.aws.log_pages.next(Cue::Hang);
        } else {
            world.aws.log_pages.next(page(&[2, 4], None));
        }
        let id = create(&world, ReportKind::ServiceUsage, &["one", "two"]);
        if is_restarted {
            until_pages(&world, id, 2);
            world.kill();
            first().into_iter().for_each(|cue| world.aws.log_pages.next(cue));
            world.aws.log_pages.next(page(&[2, 4], None));
            world.start();
        }
        let (status, rows) = ended(&world, id, &["calls"]);
        assert_eq!((status, rows), (ReportStatus::Completed, vec![vec!["4".to_owned()]]), "{is_restarted}");
        let counts = counts(&world, id);
        assert_eq!((counts.events_read, counts.pages), (6, 3), "{is_restarted}");
    }
}

/// The worker can be busy for seconds with the rows of another report.
#[test]
fn a_report_is_deleted_without_waiting_for_other_work_and_stays_deleted() {
    let world = World::new();
    world.aws.log_pages.next(page(&[1], Some("next")));
    world.aws.log_pages.next(Cue::Hang);
    let id = create(&world, ReportKind::KeyActivity, &["trail"]);
    until_pages(&world, id, 1);
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let busy = world.services().trails.worker().run(move || ended.recv().is_err());
    let (permit, context) = (permit(&world, id), World::context());
    let deleted = world.run(async {
        let delete = world.services().reports.delete(&permit, &context);
        tokio::time::timeout(Duration::from_secs(5), delete).await
    });
    assert!(deleted.is_ok_and(|deleted| deleted.is_ok()), "it waits for the worker");
    drop(end);
    assert!(world.run(busy).unwrap_or_else(|failure| panic!("{failure}")));
    let files = std::fs::read_dir(world.home().join("reports")).expect("a directory");
    assert_eq!(files.count(), 0);
}

#[test]
fn a_report_of_another_version_begins_again() {
    let mut world = World::new();
    world.aws.log_pages.next(page(&[1], Some("next")));
    world.aws.log_pages.next(Cue::Hang);
    let id = create(&world, ReportKind::KeyActivity, &["trail"]);
    until_pages(&world, id, 1);
    world.kill();
    let bounds = crate::report_store::Bounds { report_bytes: 1 << 20, all_bytes: 1 << 20, reserve_bytes: 0 };
    let known = std::collections::HashSet::from([id.uuid()]);
    let store = ReportStore::open(&world.home().join("reports"), bounds, &known).expect("it opens");
    let (mut writer, _) = store.writer(id.uuid()).expect("a file");
    writer.append(&["a row of another form"], b"\x07another checkpoint").expect("room");
    drop(writer);
    world.aws.log_pages.next(page(&[1, 2], None));
    world.start();
    let (status, rows) = ended(&world, id, &["event_id"]);
    assert_eq!((status, rows), (ReportStatus::Completed, vec![vec!["event 1".to_owned()], vec!["event 2".to_owned()]]));
}

/// They would look like calls of others.
#[test]
fn a_report_ends_with_an_error_if_the_journal_of_our_calls_cannot_be_read() {
    for kind in [ReportKind::KeyActivity, ReportKind::Reconciliation] {
        let world = World::new();
        world.aws.log_pages.next(page_of(&[event("DisableKey", 1)], None));
        let at = world.now().nanos() / 1_000_000 - 1_800_000;
        std::fs::create_dir(world.home().join(format!("aws-calls/changes-{at:015}.calls"))).expect("no file");
        let id = create(&world, kind, &["trail"]);
        let (status, rows) = ended(&world, id, &[]);
        assert!(matches!(&status, ReportStatus::Failed(why) if why.contains("journal of our calls")), "{status:?}");
        assert!(rows.is_empty(), "{kind:?}");
    }
}

#[test]
fn a_call_from_before_the_journal_is_nobodys_unless_we_never_make_such_calls() {
    let mut world = World::new();
    let origins = |world: &World| {
        world.aws.log_pages.next(page_of(&[event("DisableKey", 1), event("Decrypt", 2), event("ListGrants", 3)], None));
        let id = create(world, ReportKind::KeyActivity, &["trail"]);
        ended(world, id, &["event_name", "origin"]).1
    };
    let expected = |ours: &'static str| [["DisableKey", ours], ["Decrypt", "native"], ["ListGrants", ours]];
    assert_eq!(origins(&world), expected("native"), "the journal has all calls of the installation");
    world.kill();
    std::fs::remove_dir_all(world.home().join("aws-calls")).expect("it is lost");
    world.start();
    assert_eq!(origins(&world), expected("unknown"));
}

#[test]
fn a_user_has_a_share_of_the_reports_and_administrators_have_the_rest() {
    let mut world = World::new();
    let ann = world.user("ann", &[Action::ReportCreate]);
    let create_as = |world: &World, name: &str| {
        let permit: Permit<SignedIn> =
            Permit::authorize(world.caller(name)).unwrap_or_else(|failure| panic!("{failure}"));
        let sources = vec![SourceRequest { kms: "kms".to_owned(), log: None }];
        let name = ReportName::parse("own").expect("a name");
        let request = ReportRequest { name, kind: ReportKind::KeyAging, start: None, end: None, sources };
        world.run(world.services().reports.create(&permit, &World::context(), request)).map(|seen| seen.report.id)
    };
    // The world has room for 100 reports.
    for _ in 0..25 {
        create_as(&world, "admin").unwrap_or_else(|failure| panic!("{failure}"));
        create_as(&world, "ann").unwrap_or_else(|failure| panic!("{failure}"));
        world.pass(1);
    }
    let refused = |world: &World| match create_as(world, "ann") {
        Err(failure) => failure.to_string(),
        Ok(_) => panic!("{} has more than a share", ann.user.name.as_str()),
    };
    assert!(refused(&world).contains("25 reports"), "{}", refused(&world));
    create_as(&world, "admin").unwrap_or_else(|failure| panic!("{failure}"));
    world.kill();
    world.start();
    assert!(refused(&world).contains("25 reports"), "who created a report is in the log");
}
