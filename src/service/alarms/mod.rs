//! Alarms and webhooks: view, acknowledge and clear alarms; create, change, test and delete webhooks. `judge` says which
//! alarms a change raises, `ticks` raises those that time alone causes, `delivery` delivers.

mod delivery;
mod judge;
mod list;
mod payload;
mod ticks;

pub(in crate::service) use judge::alarms_of;

use super::access::{self, ManageAlarms, Permit, SignedIn};
use super::caller::{Caller, Change, RequestContext};
use super::connections::Connections;
use super::failure::{Failure, invalid};
use super::list::{Page, Query, page};
use super::recorder::Recorder;
use super::secrets::Secrets;
use crate::domain::alarm::refusal::AlarmRefusal;
use crate::domain::alarm::{Alarm, AlarmCommand, AlarmNumber};
use crate::domain::command::Command;
use crate::domain::id::{KmsId, WebhookId};
use crate::domain::name::WebhookName;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::webhook::decide::webhook;
use crate::domain::webhook::patch::WebhookPatch;
use crate::domain::webhook::{Webhook, WebhookCommand, WebhookSettings};
use crate::keyring::Owner;
use crate::ledger::Committed;
pub use crate::webhook::Secret;
use crate::webhook::{Attempt, SECRET_BYTES, Sender, check_url};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The kind of the owners of webhooks' secrets.
const OWNER: &str = "webhook";
/// The purpose under which the secret of a webhook is sealed.
const SIGNING_SECRET: &str = "signing_secret";

/// The owner of a webhook's secret.
pub(super) fn owner(id: WebhookId) -> Owner {
    Owner::new(OWNER, id.uuid())
}

/// The use cases of alarms and webhooks. Cheap to clone.
#[derive(Clone)]
pub struct Alarms {
    recorder: Recorder,
    secrets: Secrets,
    connections: Connections,
    sender: Sender,
    runtime: Handle,
    /// The pause between two checks of all connections in use; `None` for no checks.
    connection_checks: Option<Duration>,
}

/// A webhook to create, or a change of one.
#[derive(Default)]
pub struct WebhookChange {
    pub name: Option<WebhookName>,
    pub url: Option<String>,
    pub conditions: Option<Vec<String>>,
    /// KMSs, by name or id; empty for all.
    pub kms: Option<Vec<String>>,
    pub enabled: Option<bool>,
    pub description: Option<String>,
    pub labels: Option<crate::domain::name::JsonText>,
    /// The secret, as it is shown; `None` for a generated one. Only for a new webhook.
    pub secret: Option<Secret>,
}

/// A webhook and its deliveries.
pub struct WebhookSeen {
    pub webhook: Arc<Webhook>,
    /// The number of alarms that are still to be delivered.
    pub pending: usize,
}

/// A webhook with its secret, which is shown once.
pub struct WebhookWithSecret {
    pub seen: WebhookSeen,
    pub secret: Zeroizing<String>,
}

/// The result of a test delivery.
pub struct TestDelivery {
    /// The status of the answer, or the error.
    pub outcome: Result<u16, String>,
    pub took: Duration,
}

impl Alarms {
    pub(super) fn new(
        recorder: Recorder,
        secrets: Secrets,
        connections: Connections,
        sender: Sender,
        runtime: Handle,
        connection_checks: Option<Duration>,
    ) -> Self {
        Self { recorder, secrets, connections, sender, runtime, connection_checks }
    }

    /// Starts the tasks that deliver alarms, announce expiries and check connections.
    pub(in crate::service) fn begin_work(&self) {
        self.deliver_forever();
        self.announce_expiries_forever();
        self.check_connections_forever();
    }

    /// Lists the alarms that the caller may view.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<SignedIn>, query: &Query) -> Result<(Page<Alarm>, Caller), Failure> {
        Ok((page(permit.caller(), query).await?, permit.caller().clone()))
    }

    /// Returns one alarm.
    ///
    /// # Errors
    /// When there is none that the caller may view.
    pub fn get(&self, permit: &Permit<SignedIn>, number: &str) -> Result<(Arc<Alarm>, Caller), Failure> {
        let caller = permit.caller();
        let state = &caller.published.state;
        let alarm = find(state, number)?.clone();
        match access::sees_alarm(&caller.user, state, &alarm) {
            true => Ok((alarm, caller.clone())),
            false => Err(AlarmRefusal::Unknown(number.chars().take(20).collect()).into()),
        }
    }

    /// Records that the caller took note of an alarm.
    ///
    /// # Errors
    /// When there is none, or it is cleared.
    pub async fn acknowledge(
        &self,
        permit: &Permit<ManageAlarms>,
        context: &RequestContext,
        number: &str,
    ) -> Result<(Arc<Alarm>, Caller), Failure> {
        self.close(permit, context, number, |number, by| AlarmCommand::Acknowledge { number, by }).await
    }

    /// Clears an alarm: it needs no more attention.
    ///
    /// # Errors
    /// When there is none.
    pub async fn clear(
        &self,
        permit: &Permit<ManageAlarms>,
        context: &RequestContext,
        number: &str,
    ) -> Result<(Arc<Alarm>, Caller), Failure> {
        self.close(permit, context, number, |number, by| AlarmCommand::Clear { number, by }).await
    }

    async fn close(
        &self,
        permit: &Permit<ManageAlarms>,
        context: &RequestContext,
        number: &str,
        command: impl FnOnce(AlarmNumber, String) -> AlarmCommand,
    ) -> Result<(Arc<Alarm>, Caller), Failure> {
        let caller = permit.caller();
        let number = find(&caller.published.state, number)?.number;
        let command = command(number, caller.user.name.to_string());
        let committed = self.recorder.append(&caller.change(context), Command::Alarm(command)).await?;
        let alarm = crate::domain::alarm::decide::alarm(&committed.published.state, number)?.clone();
        Ok((alarm, caller.clone()))
    }

    /// Lists the webhooks.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn webhooks(
        &self,
        permit: &Permit<ManageAlarms>,
        query: &Query,
    ) -> Result<(Page<Webhook>, Caller), Failure> {
        Ok((page(permit.caller(), query).await?, permit.caller().clone()))
    }

    /// Returns one webhook.
    ///
    /// # Errors
    /// When there is none.
    pub fn webhook(&self, permit: &Permit<ManageAlarms>, id: WebhookId) -> Result<WebhookSeen, Failure> {
        seen(&permit.caller().published.state, id)
    }

    /// Creates a webhook.
    ///
    /// # Errors
    /// When the name is in use, the URL is not allowed, or a KMS does not exist.
    pub async fn create(
        &self,
        permit: &Permit<ManageAlarms>,
        context: &RequestContext,
        mut request: WebhookChange,
    ) -> Result<WebhookWithSecret, Failure> {
        let caller = permit.caller();
        let name = request.name.take().ok_or_else(|| invalid("name", "must be given"))?;
        if request.url.is_none() {
            return Err(invalid("url", "must be given").into());
        }
        let secret = match request.secret.take() {
            Some(secret) => secret,
            None => new_secret()?,
        };
        let patch = self.patch(&caller.published.state, request)?;
        let enabled = patch.enabled.unwrap_or(true);
        let settings = WebhookSettings { enabled, ..WebhookSettings::default() }.patched(patch)?;
        let (id, change) = (WebhookId::new(Uuid::new_v4()), caller.change(context));
        let sealed = self.secrets.seal(&change, &owner(id), SIGNING_SECRET, secret.bytes()).await?;
        let command = Command::Webhook(WebhookCommand::Create { id, name, settings, secret: sealed });
        let committed = self.secrets.append_owner(&self.recorder, &change, &owner(id), command).await?;
        Ok(WebhookWithSecret { seen: seen(&committed.published.state, id)?, secret: secret.shown() })
    }

    /// Changes a webhook.
    ///
    /// # Errors
    /// As [`Alarms::create`], or when there is none.
    pub async fn update(
        &self,
        permit: &Permit<ManageAlarms>,
        context: &RequestContext,
        id: WebhookId,
        request: WebhookChange,
    ) -> Result<WebhookSeen, Failure> {
        let caller = permit.caller();
        webhook(&caller.published.state, id)?;
        let patch = Box::new(self.patch(&caller.published.state, request)?);
        let committed = self.append(&caller.change(context), WebhookCommand::Update { id, patch }).await?;
        seen(&committed.published.state, id)
    }

    /// Replaces the secret of a webhook. For a day, deliveries are signed with the new one and the one before it.
    ///
    /// # Errors
    /// When there is no such webhook.
    pub async fn rotate_secret(
        &self,
        permit: &Permit<ManageAlarms>,
        context: &RequestContext,
        id: WebhookId,
        secret: Option<Secret>,
    ) -> Result<WebhookWithSecret, Failure> {
        let change = permit.caller().change(context);
        webhook(&permit.caller().published.state, id)?;
        let secret = match secret {
            Some(secret) => secret,
            None => new_secret()?,
        };
        let sealed = self.secrets.seal(&change, &owner(id), SIGNING_SECRET, secret.bytes()).await?;
        let committed = self.append(&change, WebhookCommand::ReplaceSecret { id, secret: sealed }).await?;
        Ok(WebhookWithSecret { seen: seen(&committed.published.state, id)?, secret: secret.shown() })
    }

    /// Deletes a webhook, and the data key of its secret. What was to be delivered to it is not delivered any more.
    ///
    /// # Errors
    /// When there is no such webhook.
    pub async fn delete(
        &self,
        permit: &Permit<ManageAlarms>,
        context: &RequestContext,
        id: WebhookId,
    ) -> Result<(), Failure> {
        let change = permit.caller().change(context);
        self.append(&change, WebhookCommand::Delete { id }).await?;
        self.secrets.shred(&change, &owner(id)).await;
        Ok(())
    }

    /// Sends a test delivery at once, and returns its outcome. Nothing is recorded.
    ///
    /// # Errors
    /// When there is no such webhook, or its secret cannot be unsealed.
    pub async fn test(&self, permit: &Permit<ManageAlarms>, id: WebhookId) -> Result<TestDelivery, Failure> {
        let webhook = webhook(&permit.caller().published.state, id)?.clone();
        let secrets = self.secrets_of(&webhook)?;
        let delivery = format!("test-{}", Uuid::new_v4());
        let body = payload::of_test(&webhook, &delivery, self.recorder.now());
        let began = Instant::now();
        let seconds = self.recorder.clock_time().seconds();
        let attempt = Attempt { url: &webhook.settings.url, secrets: &secrets, id: &delivery, seconds, body };
        let outcome = self.sender.send(attempt).await.map_err(|error| error.to_string());
        Ok(TestDelivery { outcome, took: began.elapsed() })
    }

    /// Checks the URL of a change, and finds its KMSs.
    fn patch(&self, state: &State, request: WebhookChange) -> Result<WebhookPatch, Refusal> {
        if let Some(url) = &request.url {
            check_url(url, self.sender.rules()).map_err(|problem| invalid("url", problem))?;
        }
        let find = |text: &String| state.kms_by_id_or_name(text).map(|kms| kms.id).map_err(|unknown| unknown.of("kms"));
        let kms = request.kms.map(|kms| kms.iter().map(find).collect::<Result<Vec<KmsId>, _>>()).transpose()?;
        Ok(WebhookPatch {
            name: request.name,
            url: request.url,
            conditions: request.conditions,
            kms,
            enabled: request.enabled,
            description: request.description,
            labels: request.labels,
        })
    }

    /// Returns the secrets that sign a delivery now: the current one, and for a day the one before it.
    fn secrets_of(&self, webhook: &Webhook) -> Result<Vec<Secret>, Failure> {
        let unseal = |sealed| self.secrets.unseal(&owner(webhook.id), SIGNING_SECRET, sealed).map(Secret::of_bytes);
        webhook.secrets_at(self.recorder.now()).map(unseal).collect()
    }

    async fn append(&self, change: &Change, command: WebhookCommand) -> Result<Committed, Failure> {
        self.recorder.append(change, Command::Webhook(command)).await
    }
}

fn find<'a>(state: &'a State, number: &str) -> Result<&'a Arc<Alarm>, Refusal> {
    let unknown = || AlarmRefusal::Unknown(number.chars().take(20).collect());
    let number = AlarmNumber::parse(number).map_err(|_| unknown())?;
    state.alarms.all.get(&number).ok_or_else(|| unknown().into())
}

fn seen(state: &State, id: WebhookId) -> Result<WebhookSeen, Failure> {
    Ok(seen_of(state, webhook(state, id)?.clone()))
}

/// Returns a webhook with the number of alarms that are still to be delivered to it.
pub fn seen_of(state: &State, webhook: Arc<Webhook>) -> WebhookSeen {
    WebhookSeen { pending: state.alarms.pending_count(webhook.id), webhook }
}

fn new_secret() -> Result<Secret, Failure> {
    let mut bytes = Zeroizing::new(vec![0; SECRET_BYTES]);
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Failure::Internal("there are no random numbers"))?;
    Ok(Secret::of_bytes(bytes))
}

#[cfg(test)]
mod tests;
