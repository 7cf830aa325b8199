//! The layouts of alarms and webhooks in a snapshot.

use super::super::v2::alarm::AlarmFacts;
use super::super::v2::primitives::{Bytes, Moment, Text};
use super::super::v2::webhook::WebhookSettings;
use super::super::{Impossible, IntoLive, LayoutOf};
use crate::domain::alarm;
use crate::domain::webhook;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

layout! {
    struct Alarm<'a> of alarm::Alarm {
        number: u64,
        facts: AlarmFacts<'a>,
        raised: Moment,
        acknowledged: Option<(Moment, Text<'a>)>,
        cleared: Option<(Moment, Text<'a>)>,
    }
}

layout! {
    struct Webhook<'a> of webhook::Webhook {
        id: Uuid,
        name: Text<'a>,
        settings: WebhookSettings<'a>,
        secret: Bytes<'a>,
        earlier_secret: Option<EarlierSecret<'a>>,
        failure: Option<DeliveryFailure<'a>>,
        last_delivery: Option<Moment>,
        lost: u64,
        created: Moment,
        updated: Moment,
    }
}

layout! {
    struct EarlierSecret<'a> of webhook::EarlierSecret {
        secret: Bytes<'a>,
        replaced: Moment,
    }
}

layout! {
    struct ReadTimes of alarm::ReadTimes {
        keys: Option<Moment>,
        key_stores: Option<Moment>,
    }
}

layout! {
    struct DeliveryFailure<'a> of webhook::DeliveryFailure {
        since: Moment,
        error: Text<'a>,
    }
}

/// The alarms, the webhooks, and what is to be delivered.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Alarms<'a> {
    all: Vec<Alarm<'a>>,
    webhooks: Vec<Webhook<'a>>,
    next: u64,
    pending: Vec<(Uuid, Vec<u64>)>,
    announced: Vec<(Uuid, (Moment, u32))>,
    read: Vec<((Uuid, Text<'a>), ReadTimes)>,
}

impl<'a> Alarms<'a> {
    pub(super) fn of(live: &'a alarm::Alarms) -> Self {
        let pending = live.webhooks_with_pending().into_iter();
        let pending = pending.map(|id| (id.uuid(), live.pending(id).map(|number| number.0).collect()));
        let announced = live.announcements().into_iter();
        let announced = announced.map(|(key, (due, days))| (key.uuid(), (LayoutOf::of(&due), days)));
        let read = live.all_read_times().into_iter();
        Self {
            all: live.all.iter().map(|alarm| Alarm::of(alarm)).collect(),
            webhooks: live.webhooks.iter().map(|webhook| Webhook::of(webhook)).collect(),
            next: live.next().0,
            pending: pending.collect(),
            announced: announced.collect(),
            read: read
                .map(|((kms, region), times)| ((kms.uuid(), LayoutOf::of(region)), ReadTimes::of(times)))
                .collect(),
        }
    }

    pub(super) fn entries(self) -> Result<alarm::AlarmEntries, Impossible> {
        Ok(alarm::AlarmEntries {
            all: self.all.into_live()?,
            webhooks: self.webhooks.into_live()?,
            next: self.next.into_live()?,
            pending: self.pending.into_live()?,
            announced: self.announced.into_live()?,
            read: self.read.into_live()?,
        })
    }
}
