//! The lists of alarms and of webhooks: their filters and sort orders.

use crate::domain::alarm::{Alarm, AlarmNumber, Condition, Severity};
use crate::domain::id::WebhookId;
use crate::domain::name::WebhookName;
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::domain::webhook::Webhook;
use crate::service::access;
use crate::service::caller::Caller;
use crate::service::list::{Candidates, Field, Listed};

impl Listed for Alarm {
    type Rows = Table<AlarmNumber, Self>;
    const SORTS: &'static [&'static str] = &["id", "name", "severity", "state", "createdAt", "triggeredAt"];
    const FILTERS: &'static [&'static str] =
        &["id", "name", "severity", "state", "acknowledged", "kms", "kms_id", "region", "key_id"];
    const WORDS: &'static [(&'static str, &'static [&'static str])] = &[
        ("name", Condition::NAMES),
        ("severity", Severity::NAMES),
        ("state", &["on", "off"]),
        ("acknowledged", &["true", "false"]),
    ];
    const SEARCHES: &'static [&'static str] = &["id", "name", "key_id"];
    const IDENTITIES: &'static [&'static str] = &["id"];
    const SEES: Option<fn(&Caller, &Self) -> bool> =
        Some(|caller, alarm| access::sees_alarm(&caller.user, &caller.published.state, alarm));

    fn rows(state: &State) -> &Self::Rows {
        &state.alarms.all
    }

    fn identified<'a>(_: &'a State, _: &str, value: &str) -> Candidates<'a, Self> {
        Box::new(AlarmNumber::parse(value).into_iter())
    }

    fn matches(&self, filter: &str, value: &str, _: &Caller) -> Option<bool> {
        (filter == "severity").then(|| self.facts.condition.severity().name() == value)
    }

    fn field(&self, member: &str, viewer: &Caller) -> Field {
        let subject = &self.facts.subject;
        match member {
            "id" => Field::Number(self.number.0),
            "name" => Field::Text(self.facts.condition.name().to_owned()),
            // The rank, by which it is sorted.
            "severity" => Field::Number(self.facts.condition.severity() as u64),
            "state" => Field::Text(state_of(self).to_owned()),
            "acknowledged" => Field::Flag(self.acknowledged.is_some()),
            "kms" | "kms_id" => {
                let id = subject.kms();
                let kms = id.and_then(|id| viewer.published.state.kms.get(&id));
                let name = kms.map(|kms| kms.name.to_string()).filter(|_| member == "kms");
                Field::Texts(name.into_iter().chain(id.map(|id| id.to_string())).collect())
            }
            "region" => subject.region().map_or(Field::Absent, |region| Field::Text(region.to_string())),
            "key_id" => subject.key().map_or(Field::Absent, |key| Field::Text(key.to_string())),
            "createdAt" | "triggeredAt" => Field::Moment(self.raised),
            _ => Field::Absent,
        }
    }
}

/// `on`, or `off` once the alarm is cleared.
fn state_of(alarm: &Alarm) -> &'static str {
    if alarm.cleared.is_some() { "off" } else { "on" }
}

impl Listed for Webhook {
    type Rows = Table<WebhookId, Self>;
    const SORTS: &'static [&'static str] = &["id", "name", "enabled", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &["id", "name", "enabled", "failing"];
    const WORDS: &'static [(&'static str, &'static [&'static str])] =
        &[("enabled", &["true", "false"]), ("failing", &["true", "false"])];
    const SEARCHES: &'static [&'static str] = &["id", "name"];
    const IDENTITIES: &'static [&'static str] = &["id", "name"];

    fn rows(state: &State) -> &Self::Rows {
        &state.alarms.webhooks
    }

    fn identified<'a>(state: &'a State, member: &str, value: &str) -> Candidates<'a, Self> {
        let id = match member {
            "id" => WebhookId::parse(value).ok(),
            _ => WebhookName::parse(value).ok().and_then(|name| Some(state.alarms.webhooks.named(&name)?.id)),
        };
        Box::new(id.into_iter())
    }

    fn field(&self, member: &str, _: &Caller) -> Field {
        match member {
            "id" => Field::Text(self.id.to_string()),
            "name" => Field::Text(self.name.to_string()),
            "enabled" => Field::Flag(self.settings.enabled),
            "failing" => Field::Flag(self.failure.is_some()),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}
