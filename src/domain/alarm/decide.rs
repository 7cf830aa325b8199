//! Decides the commands of alarms.

use super::refusal::AlarmRefusal;
use super::{Alarm, AlarmCommand, AlarmEvent, AlarmFacts, AlarmNumber, Alarms, Cause, Condition, Subject};
use crate::domain::event::Event;
use crate::domain::id::{KeyId, WebhookId};
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use std::sync::Arc;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: AlarmCommand) -> Result<Vec<Event>, Refusal> {
    let one = |number, event| vec![Event::Alarm(number, event)];
    let is_pending = |number, webhook| state.alarms.is_pending(number, webhook);
    Ok(match command {
        AlarmCommand::AnnounceExpiry { key, valid_to, days } => announce_expiry(state, key, valid_to, days),
        AlarmCommand::Acknowledge { number, by } => {
            let alarm = alarm(state, number)?;
            if alarm.cleared.is_some() {
                return Err(AlarmRefusal::Cleared(number.0).into());
            }
            if alarm.acknowledged.is_some() { Vec::new() } else { one(number, AlarmEvent::Acknowledged { by }) }
        }
        AlarmCommand::Clear { number, by } => {
            let is_cleared = alarm(state, number)?.cleared.is_some();
            if is_cleared { Vec::new() } else { one(number, AlarmEvent::Cleared { by }) }
        }
        AlarmCommand::RecordDelivery { number, webhook } if is_pending(number, webhook) => {
            one(number, AlarmEvent::Delivered { webhook })
        }
        AlarmCommand::GiveUp { number, webhook, error } if is_pending(number, webhook) => {
            one(number, AlarmEvent::GivenUp { webhook, error })
        }
        AlarmCommand::RecordDelivery { .. } | AlarmCommand::GiveUp { .. } => Vec::new(),
    })
}

/// Returns an alarm that is kept.
///
/// # Errors
/// When there is none.
pub fn alarm(state: &State, number: AlarmNumber) -> Result<&Arc<Alarm>, Refusal> {
    state.alarms.all.get(&number).ok_or_else(|| AlarmRefusal::Unknown(number.to_string()).into())
}

/// Returns the events that raise alarms, each for the webhooks that want it.
pub fn raise(state: &State, facts: Vec<AlarmFacts>) -> Vec<Event> {
    let numbered = (state.alarms.next().0..).map(AlarmNumber).zip(facts);
    let events = numbered.map(|(number, facts)| {
        let webhooks = state.alarms.wanting(state, &facts);
        Event::Alarm(number, AlarmEvent::Raised { facts: Box::new(facts), webhooks })
    });
    events.collect()
}

impl Alarms {
    /// Returns the webhooks that want an alarm.
    fn wanting(&self, state: &State, facts: &AlarmFacts) -> Vec<WebhookId> {
        let kms = match &facts.subject {
            Subject::Key { kms, .. } | Subject::KeyStore { kms, .. } => vec![*kms],
            Subject::Connection { connection, .. } => {
                let using = state.kms.iter().filter(|kms| kms.connection == *connection);
                using.map(|kms| kms.id).collect()
            }
        };
        let wants = self.webhooks.iter().filter(|webhook| webhook.settings.wants(facts.condition, &kms));
        wants.map(|webhook| webhook.id).collect()
    }
}

/// Announces the expiry of a key's material, unless it was announced for so many days or fewer already.
fn announce_expiry(state: &State, id: KeyId, valid_to: Time, days: u32) -> Vec<Event> {
    let Some(key) = state.keys.get(&id) else { return Vec::new() };
    if key.gone || key.metadata.valid_to != Some(valid_to) || !is_news(state.alarms.announced(id), valid_to, days) {
        return Vec::new();
    }
    raise(state, vec![expiry_facts(Subject::of_key(key), valid_to, days)])
}

/// The alarm that imported material expires within so many days; none are left once it has expired.
pub fn expiry_facts(subject: Subject, valid_to: Time, days: u32) -> AlarmFacts {
    let consequence = "nothing that is encrypted with the key can be decrypted until it is imported again";
    let message = match days {
        0 => format!("The imported key material expired at {valid_to}. AWS deletes it, and {consequence}."),
        1 => format!(
            "The imported key material expires at {valid_to}, in 1 day or less. AWS deletes it then, and {consequence}."
        ),
        _ => format!(
            "The imported key material expires at {valid_to}, in {days} days or less. AWS deletes it then, and \
             {consequence}."
        ),
    };
    let condition = Condition::MaterialExpiring { days };
    AlarmFacts { condition, subject, message, cause: Cause::Nobody, due: Some(valid_to) }
}

/// Returns whether it is news that material expires at that time, within so many days, after this announcement.
pub fn is_news(announced: Option<(Time, u32)>, valid_to: Time, days: u32) -> bool {
    announced.is_none_or(|(told, within)| told != valid_to || days < within)
}

/// Returns the smallest number of days, of those that are announced, within which the material expires, 0 if it has
/// expired; `None` if it does not expire soon.
pub fn days_to_announce(now: Time, valid_to: Time) -> Option<u32> {
    let within = |days: &u32| valid_to <= now.plus_seconds(i64::from(*days) * 86_400);
    if valid_to <= now {
        return Some(0);
    }
    Condition::EXPIRY_DAYS.iter().rev().copied().find(|days| within(days))
}
