//! Decides the commands of webhooks.

use super::refusal::{WEBHOOKS_MAX, WebhookRefusal};
use super::{Webhook, WebhookCommand, WebhookEvent, WebhookSettings};
use crate::domain::event::Event;
use crate::domain::id::{KmsId, WebhookId};
use crate::domain::name::WebhookName;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use std::sync::Arc;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: WebhookCommand) -> Result<Vec<Event>, Refusal> {
    let (id, events) = match command {
        WebhookCommand::Create { id, name, settings, secret } => {
            refuse_taken(state, &name)?;
            if state.alarms.webhooks.len() >= WEBHOOKS_MAX {
                return Err(WebhookRefusal::TooMany.into());
            }
            check(state, None, &settings)?;
            (id, vec![WebhookEvent::Created { name, settings, secret }])
        }
        WebhookCommand::Update { id, mut patch } => {
            let webhook = webhook(state, id)?;
            let name = patch.name.take().filter(|name| *name != webhook.name);
            if let Some(name) = &name {
                refuse_taken(state, name)?;
            }
            let settings = webhook.settings.clone().patched(*patch)?;
            check(state, Some(&webhook.settings), &settings)?;
            let renamed = name.map(|to| WebhookEvent::Renamed { to });
            let changed = (settings != webhook.settings).then_some(WebhookEvent::SettingsChanged { settings });
            (id, renamed.into_iter().chain(changed).collect())
        }
        WebhookCommand::ReplaceSecret { id, secret } => {
            (webhook(state, id)?.id, vec![WebhookEvent::SecretReplaced { secret }])
        }
        WebhookCommand::RecordFailure { id, error } => {
            let webhook = webhook(state, id)?;
            let is_known = webhook.failure.as_ref().is_some_and(|failure| failure.error == error);
            (id, if is_known { Vec::new() } else { vec![WebhookEvent::DeliveryFailed { error }] })
        }
        WebhookCommand::Delete { id } => (webhook(state, id)?.id, vec![WebhookEvent::Deleted]),
    };
    Ok(events.into_iter().map(|event| Event::Webhook(id, event)).collect())
}

/// Returns a webhook.
///
/// # Errors
/// When there is none.
pub fn webhook(state: &State, id: WebhookId) -> Result<&Arc<Webhook>, Refusal> {
    state.alarms.webhooks.get(&id).ok_or_else(|| WebhookRefusal::Unknown(id.to_string()).into())
}

fn refuse_taken(state: &State, name: &WebhookName) -> Result<(), Refusal> {
    match state.alarms.webhooks.named(name) {
        Some(_) => Err(WebhookRefusal::NameTaken(name.clone()).into()),
        None => Ok(()),
    }
}

/// Checks that the KMSs exist. Those that the webhook had before may have been deleted since.
fn check(state: &State, before: Option<&WebhookSettings>, settings: &WebhookSettings) -> Result<(), Refusal> {
    let is_new = |id: &&KmsId| before.is_none_or(|before| !before.kms.contains(id));
    settings.kms.iter().filter(is_new).try_for_each(|id| state.kms(*id).map(drop).map_err(|refusal| refusal.of("kms")))
}
