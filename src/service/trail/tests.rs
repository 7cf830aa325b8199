//! The reading of pages, against a scripted AWS.

use super::*;
use crate::aws::failure::AwsFailure;
use crate::aws::scripted::Cue;
use crate::service::world::{REGION, World};
use serde_json::{Value, json};

const START: i64 = 1_767_225_600;

fn source(world: &World) -> TrailSource {
    let region = Region::parse(REGION).expect("a region");
    TrailSource { kms: world.kms_id(), region, log_group: "trail".to_owned() }
}

fn window() -> TrailWindow {
    let start = Time::from_nanos(START * 1_000_000_000);
    TrailWindow { start, end: start.plus_seconds(3_600) }
}

fn event(n: u32) -> Value {
    json!({ "eventID": format!("event {n}"), "eventName": "Decrypt", "eventTime": "2026-01-01T00:00:00Z" })
}

fn page(messages: &[String], next: Option<&str>) -> Cue<RawLogPage> {
    let events: Vec<Value> = messages.iter().map(|message| json!({ "message": message })).collect();
    let mut page = json!({ "events": events });
    if let Some(next) = next {
        page["nextToken"] = json!(next);
    }
    Cue::Answer(RawLogPage(page.to_string().into()))
}

fn reader(world: &World) -> TrailReader {
    let mut reader = world.services().trails.reader(source(world), window(), None);
    reader.patience = Patience { attempts: 4, first: Duration::from_millis(1), longest: Duration::from_millis(2) };
    reader
}

fn read_all(world: &World, mut reader: TrailReader) -> Result<(Vec<String>, TrailCounts), Failure> {
    world.run(async move {
        let (mut ids, mut counts) = (Vec::new(), TrailCounts::default());
        while let Some(page) =
            reader.next(|events| events.into_iter().map(|event| event.event_id).collect::<Vec<_>>()).await?
        {
            ids.extend(page.result);
            counts.add(page.counts);
        }
        Ok((ids, counts))
    })
}

#[test]
fn pages_are_read_to_the_last_one_and_an_event_counts_once() {
    let world = World::new();
    let text = |n| event(n).to_string();
    for cue in [
        page(&[text(1), "{\"cut".to_owned()], Some("a")),
        page(&[], Some("b")),
        page(&[text(1), text(2), "START".to_owned(), "{}".to_owned()], None),
    ] {
        world.aws.log_pages.next(cue);
    }
    let (ids, counts) = read_all(&world, reader(&world)).expect("all is read");
    assert_eq!(ids, ["event 1", "event 2"]);
    assert_eq!(counts, TrailCounts { read: 6, pages: 3, repeated: 1, skipped: 3 });
    let windows = world.aws.log_windows();
    let tokens: Vec<_> = windows.iter().map(|window| window.token.as_ref().map(Marker::as_str)).collect();
    assert_eq!(tokens, [None, Some("a"), Some("b")]);
    assert_eq!((windows[0].start_ms, windows[0].end_ms), (START * 1_000, (START + 3_600) * 1_000 - 1));
}

#[test]
fn a_throttled_page_is_asked_for_again_and_a_refused_one_is_not() {
    let world = World::new();
    let operation = AwsOperation::FILTER_LOG_EVENTS;
    let (code, message) = ("ThrottlingException".to_owned(), "Rate exceeded".to_owned());
    let throttled = AwsFailure::Throttled { operation, code, message };
    for _ in 0..3 {
        world.aws.log_pages.next(Cue::Fail(throttled.clone()));
    }
    world.aws.log_pages.next(page(&[event(1).to_string()], None));
    assert_eq!(read_all(&world, reader(&world)).expect("it is read").0, ["event 1"]);
    world.aws.log_pages.always(Cue::Fail(throttled.clone()));
    let failure = read_all(&world, reader(&world)).expect_err("throttled too often");
    assert!(matches!(failure, Failure::Cloud(AwsFailure::Throttled { .. })), "{failure}");
    assert_eq!(world.aws.log_windows().len(), 8, "four attempts each");
    let (code, message) = ("ResourceNotFoundException".to_owned(), "none".to_owned());
    world.aws.log_pages.always(Cue::Fail(AwsFailure::Refused { operation, status: 400, code, message }));
    assert!(read_all(&world, reader(&world)).is_err());
    assert_eq!(world.aws.log_windows().len(), 9);
}

/// A synchronisation of the same region can take all permits for calls.
#[test]
fn a_page_that_is_not_sent_is_asked_for_again_a_few_times() {
    let world = World::new();
    let operation = AwsOperation::FILTER_LOG_EVENTS;
    let not_sent = AwsFailure::NotSent { operation, reason: "too many concurrent calls".to_owned() };
    world.aws.log_pages.next(Cue::Fail(not_sent.clone()));
    world.aws.log_pages.next(page(&[event(1).to_string()], None));
    assert_eq!(read_all(&world, reader(&world)).expect("it is read").0, ["event 1"]);
    world.aws.log_pages.always(Cue::Fail(not_sent));
    let mut patient = reader(&world);
    patient.patience.attempts = 12;
    assert!(read_all(&world, patient).is_err());
    assert_eq!(world.aws.log_windows().len(), 2 + 4);
}

#[test]
fn a_list_without_an_end_is_an_error() {
    let world = World::new();
    world.aws.log_pages.always(page(&[event(1).to_string()], Some("again")));
    let failure = read_all(&world, reader(&world)).expect_err("the same token again and again");
    assert!(failure.to_string().contains("no end"), "{failure}");
}

#[test]
fn an_answer_that_is_no_page_is_an_error() {
    let world = World::new();
    world.aws.log_pages.always(Cue::Answer(RawLogPage("{\"events\":[".into())));
    let failure = read_all(&world, reader(&world)).expect_err("it is cut");
    assert!(matches!(failure, Failure::Cloud(AwsFailure::Unintelligible { .. })), "{failure}");
}

#[test]
fn a_panic_of_the_work_is_an_error_and_the_worker_goes_on() {
    let world = World::new();
    let worker = Worker::start().expect("a thread");
    world.run(async {
        assert!(worker.run(|| panic!("of a test")).await.is_err());
        assert_eq!(worker.run(|| 7).await.expect("it goes on"), 7);
    });
}
