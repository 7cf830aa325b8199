//! Deliveries that are given up.

use super::*;
use crate::service::world::World;

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
