//! Events of every kind for webhooks and alarms.

use super::sample::{Form, connection, json, kms, regions, sealed, uuid};
use crate::domain::alarm::{AlarmEvent, AlarmFacts, AlarmNumber, Cause, Condition, Subject};
use crate::domain::event::Event;
use crate::domain::id::{KeyId, KeyStoreId, WebhookId};
use crate::domain::name::WebhookName;
use crate::domain::time::Time;
use crate::domain::webhook::{WebhookEvent, WebhookSettings};

fn webhook() -> WebhookId {
    WebhookId::new(uuid(0xd00))
}

fn of_webhooks(form: Form) -> Vec<WebhookEvent> {
    let settings = WebhookSettings {
        url: "https://alarms.example.org/claviger".to_owned(),
        conditions: form.list(vec!["key_disabled".to_owned()]),
        kms: form.list(vec![kms(0)]),
        enabled: form.switch(),
        description: form.text("the night shift"),
        labels: form.option(json(r#"{"team":"ops"}"#)),
    };
    let name = WebhookName::parse("Ночная смена").expect("a name");
    vec![
        WebhookEvent::Created { name: name.clone(), settings: settings.clone(), secret: sealed("a sealed secret") },
        WebhookEvent::SettingsChanged { settings },
        WebhookEvent::Renamed { to: name },
        WebhookEvent::SecretReplaced { secret: sealed("another") },
        WebhookEvent::DeliveryFailed { error: "503 Service Unavailable".to_owned() },
    ]
}

fn subjects() -> [Subject; 3] {
    let region = regions(&["eu-west-1"]).remove(0);
    let arn = "arn:aws:kms:eu-west-1:123456789012:key/0987dcba-09fe-87dc-65ba-ab0987654321".to_owned();
    [
        Subject::Key { key: KeyId::new(uuid(0x600)), kms: kms(0), region: region.clone(), arn },
        Subject::KeyStore { store: KeyStoreId::new(uuid(0xc00)), kms: kms(0), region, name: "xks".to_owned() },
        Subject::Connection { connection: connection(0), name: "lab".to_owned() },
    ]
}

fn facts(form: Form, condition: Condition, subject: Subject, cause: Cause) -> AlarmFacts {
    let due = form.option(Time::from_nanos(1_800_000_000_000_000_000));
    AlarmFacts { condition, subject, message: "It was disabled.".to_owned(), cause, due }
}

/// The events of one webhook, and of alarms from the number `first` on.
fn of_alarms(form: Form, first: u64) -> Vec<(AlarmNumber, AlarmEvent)> {
    let [key, store, connection] = subjects();
    let outside = Cause::Outside {
        found_by: "schedule drift".to_owned(),
        by: form.option("arn:aws:iam::123456789012:user/ann".to_owned()),
    };
    let raised = [
        (Condition::DeletionScheduled, key.clone(), Cause::Here { by: "admin".to_owned() }),
        (Condition::PolicyOpened, key.clone(), outside.clone()),
        (Condition::KeyDisabled, key.clone(), outside.clone()),
        (Condition::RotationOff, key.clone(), outside),
        (Condition::MaterialExpiring { days: 7 }, key, Cause::Nobody),
        (Condition::ConnectionFailed, connection.clone(), Cause::Nobody),
        (Condition::ConnectionRecovered, connection, Cause::Nobody),
        (Condition::StoreFailed, store, Cause::Nobody),
    ];
    let raised = (first..).zip(raised).map(|(number, (condition, subject, cause))| {
        let facts = Box::new(facts(form, condition, subject, cause));
        (AlarmNumber(number), AlarmEvent::Raised { facts, webhooks: form.list(vec![webhook()]) })
    });
    let number = AlarmNumber(first);
    let later = [
        (number, AlarmEvent::Acknowledged { by: "ann".to_owned() }),
        (number, AlarmEvent::Delivered { webhook: webhook() }),
        (AlarmNumber(first + 1), AlarmEvent::GivenUp { webhook: webhook(), error: "timeout".to_owned() }),
        (number, AlarmEvent::Cleared { by: "ann".to_owned() }),
    ];
    raised.chain(later).collect()
}

pub(super) fn every_kind(form: Form) -> Vec<Event> {
    let webhooks = of_webhooks(form).into_iter().map(|event| Event::Webhook(webhook(), event));
    let first = if form.switch() { 1 } else { 9 };
    let alarms = of_alarms(form, first).into_iter().map(|(number, event)| Event::Alarm(number, event));
    webhooks.chain(alarms).chain([Event::Webhook(webhook(), WebhookEvent::Deleted)]).collect()
}
