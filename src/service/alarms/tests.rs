//! Deliveries that are given up or cannot be recorded, and the check of connections.

use super::*;
use crate::aws::operation::AwsOperation;
use crate::aws::port::Caller;
use crate::aws::scripted::Cue;
use crate::domain::kms::AssumedRole;
use crate::domain::name::KmsName;
use crate::domain::place::{AccountId, Arn, Region, RoleArn};
use crate::service::failure::AwsFailure;
use crate::service::kms::Addition;
use crate::service::world::{ACCOUNT, World};
use std::sync::Mutex;

#[test]
fn an_alarm_is_given_up_after_a_day_and_the_webhook_says_so() {
    let world = World::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port");
    let name = WebhookName::parse("ops").ok();
    let change = WebhookChange { name, url: Some(format!("http://{free}/")), ..WebhookChange::default() };
    let alarms = &world.services().alarms;
    let made = world.run(alarms.create(&world.admin(), &World::context(), change)).expect("a webhook");
    let id = made.seen.webhook.id;
    let connection = world.state().connections.iter().next().expect("a connection").id;
    let failed = crate::domain::connection::ConnectionCommand::RecordTest { id: connection, error: Some("no".into()) };
    let append = world.recorder();
    world.run(append.append(&crate::service::system_change("test"), Command::Connection(failed))).expect("recorded");
    let webhook = |state: &State| state.alarms.webhooks.get(&id).expect("a webhook").clone();
    world.until("a failure is shown", |state| webhook(state).failure.is_some());
    assert_eq!((world.state().alarms.pending_count(id), webhook(&world.state()).lost), (1, 0));
    world.pass(25 * 3_600);
    world.until("it is given up", |state| webhook(state).lost == 1);
    assert_eq!(world.state().alarms.pending_count(id), 0);
}

/// A receiver that accepts everything, and keeps the requests.
fn accepting() -> (String, Arc<Mutex<Vec<String>>>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let received = Arc::<Mutex<Vec<String>>>::default();
    let into = received.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut bytes = [0; 8_192];
            let read = stream.read(&mut bytes).unwrap_or(0);
            into.lock().expect("a lock").push(String::from_utf8_lossy(&bytes[..read]).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 204 Fine\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    (url, received)
}

#[test]
fn a_delivery_has_the_time_of_the_clock_even_if_that_was_set_back() {
    let world = World::new();
    let (url, received) = accepting();
    let change = WebhookChange { name: WebhookName::parse("ops").ok(), url: Some(url), ..WebhookChange::default() };
    let alarms = &world.services().alarms;
    let made = world.run(alarms.create(&world.admin(), &World::context(), change)).expect("a webhook");
    world.pass(-3_600);
    let tested = world.run(alarms.test(&world.admin(), made.seen.webhook.id)).expect("an attempt");
    assert_eq!(tested.outcome, Ok(204));
    let sent = received.lock().expect("a lock").pop().expect("a request");
    assert!(sent.contains(&format!("webhook-timestamp: {}\r\n", world.now().seconds())), "{sent}");
}

#[test]
fn nothing_is_delivered_once_the_log_has_stopped() {
    let world = World::new();
    let (url, received) = accepting();
    let name = WebhookName::parse("ops").ok();
    let change = WebhookChange { name, url: Some(url), enabled: Some(false), ..WebhookChange::default() };
    let alarms = &world.services().alarms;
    let made = world.run(alarms.create(&world.admin(), &World::context(), change)).expect("a webhook");
    let enable = WebhookChange { enabled: Some(true), ..WebhookChange::default() };
    let id = made.seen.webhook.id;
    world.run(alarms.update(&world.admin(), &World::context(), id, enable)).expect("it is enabled");
    // The alarm and the end of the log come at once: its delivery cannot be recorded.
    let connection = world.state().connections.iter().next().expect("a connection").id;
    let failed = crate::domain::connection::ConnectionCommand::RecordTest { id: connection, error: Some("no".into()) };
    let recorder = world.recorder();
    world.run(async {
        let change = crate::service::system_change("test");
        recorder.append(&change, Command::Connection(failed)).await.expect("recorded");
        recorder.ledger().clone().close().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    });
    assert!(received.lock().expect("a lock").len() <= 1, "at most the attempt that was under way");
}

#[test]
fn a_connection_is_checked_with_the_role_of_each_kms_and_what_may_be_over_soon_is_checked_twice() {
    let world = World::new();
    let account = AccountId::parse(ACCOUNT).expect("an account");
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/keys");
    let role = AssumedRole { arn: RoleArn::parse(&arn).expect("a role"), external_id: None };
    let addition = Addition {
        name: KmsName::parse("other").expect("a name"),
        account,
        connection: "aws".to_owned(),
        role: Some(role),
        regions: vec![Region::parse("eu-west-1").expect("a region")],
    };
    world.run(world.services().kms.add(world.admin(), &World::context(), addition)).expect("a KMS");

    let operation = AwsOperation::GET_CALLER_IDENTITY;
    let caller = Caller { account, arn: Arn::parse(&arn).expect("an ARN") };
    let fine = || Cue::Answer(caller.clone());
    let refused = |code: &str| {
        Cue::Fail(AwsFailure::Refused { operation, status: 403, code: code.to_owned(), message: "no".to_owned() })
    };
    let throttled =
        || Cue::Fail(AwsFailure::Throttled { operation, code: "Throttling".to_owned(), message: String::new() });
    let timeout = || Cue::Fail(AwsFailure::Timeout { operation, after: Duration::from_secs(1) });
    let check = |cues: Vec<Cue<Caller>>| {
        cues.into_iter().for_each(|cue| world.aws.caller.next(cue));
        world.run(world.services().alarms.check_connections(Duration::ZERO));
        let connection = world.state().connections.iter().next().expect("a connection").clone();
        connection.last_test.as_ref().and_then(|test| test.error.clone()).unwrap_or_default()
    };
    let raised = || {
        let state = world.state();
        state.alarms.all.iter().map(|alarm| alarm.facts.condition.name()).collect::<Vec<_>>()
    };
    assert_eq!((check(vec![]), raised()), (String::new(), vec![]));
    // The connection by itself is fine, and the role is gone.
    let error = check(vec![fine(), refused("AccessDenied")]);
    assert!(error.contains("with the role of KMS other") && error.contains("AccessDenied"), "{error}");
    assert_eq!(raised(), ["connection_failed"]);
    let error = check(vec![refused("ExpiredToken")]);
    assert!(error.contains("ExpiredToken"), "another error is recorded: {error}");
    assert_eq!(check(vec![throttled()]), error, "throttling says nothing");
    assert_eq!(check(vec![]), "");
    assert_eq!(raised(), ["connection_failed", "connection_recovered"]);
    assert_eq!(check(vec![throttled()]), "");
    assert_eq!(check(vec![timeout(), fine()]), "", "it was over at the second check");
    let error = check(vec![timeout(), fine(), timeout()]);
    assert!(error.contains("no answer"), "{error}");
    assert_eq!(raised(), ["connection_failed", "connection_recovered", "connection_failed"]);
}
