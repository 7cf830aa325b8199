//! Events of every kind for the drift watch.

use super::sample::{Form, kms, regions, uuid};
use crate::domain::drift::{Difference, DriftAspect, DriftEvent, DriftFacts, OutsideEvent};
use crate::domain::event::Event;
use crate::domain::id::{KeyId, ScheduleId};
use crate::domain::time::Time;

const ASPECTS: [DriftAspect; 12] = [
    DriftAspect::Existence,
    DriftAspect::State,
    DriftAspect::DeletionDate,
    DriftAspect::Description,
    DriftAspect::Policy,
    DriftAspect::Aliases,
    DriftAspect::Tags,
    DriftAspect::Rotation,
    DriftAspect::Material,
    DriftAspect::Expiry,
    DriftAspect::MultiRegion,
    DriftAspect::KeyStore,
];

pub(super) fn every_kind(form: Form) -> Vec<Event> {
    let region = regions(&["eu-west-1"]).remove(0);
    let event = OutsideEvent {
        id: uuid(if form.switch() { 0xe00 } else { 0xe01 }),
        name: "PutKeyPolicy".to_owned(),
        at: Time::from_nanos(1_800_000_000_000_000_000),
        by: "arn:aws:iam::123456789012:user/анна".to_owned(),
        by_type: "IAMUser".to_owned(),
        source_ip: form.text("192.0.2.7"),
        user_agent: form.text("aws-cli/2"),
        request_id: form.text("0a1b2c3d-0000-4000-8000-000000000001"),
    };
    let difference = |aspect| Difference { aspect, before: "[]".to_owned(), after: r#"["é"]"#.to_owned() };
    let facts = DriftFacts {
        region: region.clone(),
        key: form.option(KeyId::new(uuid(0x600))),
        key_arn: form.text("arn:aws:kms:eu-west-1:123456789012:key/0987dcba-09fe-87dc-65ba-ab0987654321"),
        event,
        changes: form.list(ASPECTS.map(difference).to_vec()),
        superseded: form.switch(),
    };
    let until = form.list(vec![(region, Time::from_nanos(7))]);
    let read = DriftEvent::Read { schedule: ScheduleId::new(uuid(0x900)), until };
    [DriftEvent::Found(Box::new(facts)), read].into_iter().map(|event| Event::Drift(kms(0), event)).collect()
}
