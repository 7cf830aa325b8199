//! The layout of a record, with its actor and its event.

use super::alarm::AlarmEvent;
use super::backup::BackupEvent;
use super::connection::ConnectionEvent;
use super::drift::DriftEvent;
use super::forwarder::ForwarderEvent;
use super::group::GroupEvent;
use super::installation::InstallationEvent;
use super::job::JobEvent;
use super::key::KeyEvent;
use super::key_store::KeyStoreEvent;
use super::kms::KmsEvent;
use super::posture::PostureEvent;
use super::primitives::{Moment, Text};
use super::report::ReportEvent;
use super::schedule::ScheduleEvent;
use super::session::SessionEvent;
use super::source_key::SourceKeyEvent;
use super::template::TemplateEvent;
use super::user::UserEvent;
use super::webhook::WebhookEvent;
use crate::domain::event as live;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A record without its version and the hash of the one before, which are read without the codec.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(in crate::ledger) struct Entry<'a> {
    pub(in crate::ledger) seq: u64,
    pub(in crate::ledger) event_id: Uuid,
    pub(in crate::ledger) time: Moment,
    pub(in crate::ledger) actor: Actor<'a>,
    pub(in crate::ledger) request_id: Text<'a>,
    pub(in crate::ledger) event: Event<'a>,
}

layout! {
    enum Actor<'a> of live::Actor {
        System,
        User { id: Uuid, name: Text<'a> },
        Schedule { id: Uuid, name: Text<'a> },
        Client { id: Uuid, name: Text<'a>, session: Option<Uuid>, source: Text<'a> },
        Operator { uid: u32 },
    }
}

layout! {
    enum Event<'a> of live::Event {
        Installation(event: InstallationEvent<'a>),
        User(id: Uuid, event: UserEvent<'a>),
        Group(name: Text<'a>, event: GroupEvent<'a>),
        Session(id: Uuid, event: SessionEvent<'a>),
        Connection(id: Uuid, event: ConnectionEvent<'a>),
        Kms(id: Uuid, event: KmsEvent<'a>),
        Key(id: Uuid, event: KeyEvent<'a>),
        SourceKey(id: Uuid, event: SourceKeyEvent<'a>),
        Job(id: Uuid, event: JobEvent<'a>),
        Template(id: Uuid, event: TemplateEvent<'a>),
        Schedule(id: Uuid, event: ScheduleEvent<'a>),
        KeyStore(id: Uuid, event: KeyStoreEvent<'a>),
        Posture(event: PostureEvent<'a>),
        Report(id: Uuid, event: ReportEvent<'a>),
        Webhook(id: Uuid, event: WebhookEvent<'a>),
        Alarm(number: u64, event: AlarmEvent<'a>),
        Drift(kms: Uuid, event: DriftEvent<'a>),
        Backup(id: Uuid, event: BackupEvent<'a>),
        Forwarder(id: Uuid, event: ForwarderEvent<'a>),
    }
}
