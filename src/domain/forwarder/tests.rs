//! The decisions about forwarders.

use super::patch::ForwarderPatch;
use super::refusal::{FORWARDERS_MAX, ForwarderRefusal};
use super::*;
use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::state::State;
use uuid::Uuid;

fn id(number: usize) -> ForwarderId {
    ForwarderId::new(Uuid::from_u128(number as u128))
}

fn settings() -> ForwarderSettings {
    ForwarderSettings {
        host: "syslog.example.org".to_owned(),
        port: 514,
        transport: Transport::Udp,
        format: MessageFormat::Rfc5424,
        ca_certificates: String::new(),
    }
}

fn with(count: usize) -> State {
    let mut state = State::default();
    for number in 0..count {
        let event = Event::Forwarder(id(number), ForwarderEvent::Created { settings: settings() });
        state.apply(Time::from_nanos(1), &event);
    }
    state
}

fn update(state: &State, patch: ForwarderPatch) -> Result<Vec<Event>, crate::domain::refusal::Refusal> {
    state.decide(Command::Forwarder(ForwarderCommand::Update { id: id(0), patch }))
}

#[test]
fn the_default_port_follows_the_transport_and_another_port_stays() {
    let tcp = || ForwarderPatch { transport: Some(Transport::Tcp), ..ForwarderPatch::default() };
    assert_eq!(settings().patched(tcp()).port, 601);
    assert_eq!(ForwarderSettings { port: 1514, ..settings() }.patched(tcp()).port, 1514);
    let back = ForwarderPatch { port: Some(0), ..tcp() };
    assert_eq!(ForwarderSettings { port: 1514, ..settings() }.patched(back).port, 601);
}

#[test]
fn tls_needs_a_certificate_authority_and_a_change_to_the_same_records_nothing() {
    let state = with(1);
    let tls = ForwarderPatch { transport: Some(Transport::Tls), ..ForwarderPatch::default() };
    assert_eq!(update(&state, tls.clone()), Err(ForwarderRefusal::CaRequired.into()));
    let tls = ForwarderPatch { ca_certificates: Some("pem".to_owned()), ..tls };
    assert!(update(&state, tls).is_ok_and(|events| events.len() == 1));
    let same = ForwarderPatch { host: Some(settings().host), ..ForwarderPatch::default() };
    assert_eq!(update(&state, same), Ok(Vec::new()));
}

#[test]
fn there_are_so_many_at_most_and_unknown_ones_are_refused() {
    let create = |state: &State| {
        state.decide(Command::Forwarder(ForwarderCommand::Create { id: id(900), settings: settings() }))
    };
    assert!(create(&with(FORWARDERS_MAX - 1)).is_ok());
    assert_eq!(create(&with(FORWARDERS_MAX)), Err(ForwarderRefusal::TooMany.into()));
    let delete = with(1).decide(Command::Forwarder(ForwarderCommand::Delete { id: id(7) }));
    assert_eq!(delete, Err(ForwarderRefusal::Unknown(id(7).to_string()).into()));
}
