//! What a destination cannot get: records that a collector refuses for good, failed attempts that are deleted before they
//! were sent, and what a receiver that was replaced has not read.

use super::{group, head, metric, numbers_in, until};
use crate::support::appliance::{Appliance, PASSWORD, id};
use crate::support::receiver::Receiver;
use crate::support::syslog_receiver::{Over, SyslogReceiver};
use serde_json::json;
use std::collections::BTreeSet;

const SYSLOGS: &str = "/v1/configs/syslogs";

/// The numbers of the records in the requests that a collector took, after the first so many requests.
fn taken(receiver: &Receiver, skipped: usize, is_taken: impl Fn(&[u8]) -> bool) -> BTreeSet<u64> {
    let received = receiver.received().into_iter().skip(skipped).filter(|one| is_taken(&one.body));
    received.flat_map(|one| numbers_in(&one.body)).collect()
}

#[test]
fn what_is_too_long_for_a_collector_is_sent_in_parts() {
    const LONGEST: usize = 60_000;
    let receiver = Receiver::start();
    receiver.refuse_over(LONGEST, 413);
    // At first it takes nothing, so that batches become full.
    receiver.answer_with(503);
    let url = receiver.url();
    let appliance = Appliance::start_with(&[("CLAVIGER_FORWARDING_OTLP_URL", &url)]);
    let admin = appliance.admin();
    let metadata = json!({"a": "x".repeat(16_000)});
    for number in 0..24 {
        let body = json!({"name": format!("group {number}"), "client_metadata": metadata});
        admin.post("/v1/usermgmt/groups", body).expect(201);
    }
    let (last, before) = (head(&admin), receiver.received().len());
    receiver.answer_with(200);
    let numbers = || taken(&receiver, before, |body| body.len() <= LONGEST);
    until(|| Some(numbers()).filter(|numbers| (1..=last).all(|number| numbers.contains(&number))));
    let lengths: Vec<_> = receiver.received().iter().skip(before).map(|one| one.body.len()).collect();
    assert!(lengths.iter().any(|length| *length > LONGEST), "nothing was too long: {lengths:?}");
    assert!(lengths.iter().all(|length| *length < 400_000), "{lengths:?}");
    assert_eq!(metric(&admin, "skipped_total", "otlp"), 0.0);
}

#[test]
fn a_record_that_a_collector_refuses_alone_is_skipped_and_the_others_arrive() {
    let receiver = Receiver::start();
    let url = receiver.url();
    let appliance = Appliance::start_with(&[("CLAVIGER_FORWARDING_OTLP_URL", &url)]);
    let admin = appliance.admin();
    // Who refuses everything costs no record.
    receiver.answer_with(400);
    let begun = receiver.received().len();
    (0..5).for_each(|number| group(&admin, &format!("before {number}")));
    receiver.wait_for(begun + 6);
    group(&admin, "unwelcome");
    let refused = head(&admin);
    (0..5).for_each(|number| group(&admin, &format!("after {number}")));
    let last = head(&admin);
    assert_eq!(metric(&admin, "skipped_total", "otlp"), 0.0);
    receiver.refuse("unwelcome", 422);
    let begun = receiver.received().len();
    receiver.answer_with(200);
    let is_taken = |body: &[u8]| !String::from_utf8_lossy(body).contains("unwelcome");
    let numbers = || taken(&receiver, begun, is_taken);
    let all_others = |numbers: &BTreeSet<u64>| {
        (refused - 5..=last).filter(|number| *number != refused).all(|number| numbers.contains(&number))
    };
    until(|| Some(numbers()).filter(all_others));
    assert!(!numbers().contains(&refused));
    until(|| (metric(&admin, "skipped_total", "otlp") == 1.0).then_some(()));
    until(|| (metric(&admin, "lag_records", "otlp") == 0.0).then_some(()));
    let log = appliance.log();
    let line = log.lines().find(|line| line.contains("refused it for good")).expect("a line");
    assert!(line.contains(&refused.to_string()) && line.contains("ERROR") && line.contains("422"), "{line}");
}

#[test]
fn failed_attempts_that_were_deleted_before_they_were_sent_are_reported_and_counted() {
    let mut appliance = Appliance::start();
    let mut receiver = SyslogReceiver::start(Over::Tcp);
    let body = json!({"host": "127.0.0.1", "port": receiver.address.port(), "transport": "tcp"});
    appliance.admin().post(SYSLOGS, body).expect(201);
    appliance.user("ann");
    let fail = |appliance: &Appliance, times: usize| {
        let ann = appliance.nobody().sign_in("ann", PASSWORD);
        for _ in 0..times {
            ann.post("/v1/usermgmt/groups", json!({"name": "mine"})).refused(403, "NCERRInsufficientPermissions");
        }
        // Which waits until they are written.
        appliance.admin().get("/v1/audit/records?event=AccessDenied").expect(200);
    };
    let has_attempt = |messages: &[String], number: u64| {
        messages.iter().any(|message| message.contains(&format!("[claviger@32473 attempt=\"{number}\"")))
    };
    fail(&appliance, 1);
    receiver.wait_until(|messages| has_attempt(messages, 1));
    // Each login is a record, so this is one.
    let admin = appliance.admin();
    until(|| (metric(&admin, "lag_records", "tcp") == 0.0).then_some(()));
    receiver.stop();
    fail(&appliance, 2);
    appliance.kill();
    appliance.restart();
    fail(&appliance, 1);
    appliance.kill();
    let directory = appliance.data().join("attempts");
    let mut segments: Vec<_> =
        std::fs::read_dir(&directory).expect("files").map(|entry| entry.expect("a file").path()).collect();
    segments.sort();
    assert_eq!(segments.len(), 2);
    std::fs::remove_file(&segments[0]).expect("removed");
    receiver.start_again();
    appliance.restart();
    let messages = receiver.wait_until(|messages| has_attempt(messages, 4));
    assert!(!has_attempt(&messages, 2) && !has_attempt(&messages, 3));
    // The first was in the buffers of a connection that was reset, so it may be one of those to send again.
    let skipped = metric(&appliance.admin(), "skipped_total", "tcp");
    assert!([2.0, 3.0].contains(&skipped), "{skipped}");
    let log = appliance.log();
    let lines = log.lines().filter(|line| line.contains("failed attempts were deleted before they were sent"));
    assert_eq!(lines.count(), 1, "{log}");
}

#[test]
fn what_a_stalled_receiver_has_not_read_is_sent_to_the_one_that_takes_its_place() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let (stalled, other) = (SyslogReceiver::start(Over::Tcp), SyslogReceiver::start(Over::Tcp));
    stalled.stall(true);
    let body = json!({"host": "127.0.0.1", "port": stalled.address.port(), "transport": "tcp"});
    let made = admin.post(SYSLOGS, body).expect(201);
    let found = admin.get(&format!("/v1/audit/records?resource=forwarder/{}", id(&made))).expect(200);
    let first = found["resources"][0]["number"].as_u64().expect("a number");
    (0..5).for_each(|number| group(&admin, &format!("group {number}")));
    let at = format!("{SYSLOGS}/{}", id(&made));
    // The buffers have taken them, which counts as received after a while.
    until(|| Some(admin.get(&at).expect(200)).filter(|now| now["lag"] == 0 && now["last_sent_at"].is_string()));
    admin.patch(&at, json!({"port": other.address.port()})).expect(200);
    let last = head(&admin);
    other.wait_until(|messages| {
        let has = |number| messages.iter().any(|message| message.contains(&format!("number=\"{number}\"")));
        (first..=last).all(has)
    });
    assert!(stalled.messages().is_empty());
}
