//! Delivers alarms. What is to be delivered is in the state, so that a restart loses nothing; an alarm whose delivery
//! was not recorded yet is delivered again, with the same id. Each webhook has a task of its own, and its alarms are
//! delivered in order, so a slow receiver delays only itself.

use super::{Alarms, payload};
use crate::domain::alarm::{Alarm, AlarmCommand, AlarmNumber};
use crate::domain::command::Command;
use crate::domain::id::WebhookId;
use crate::domain::webhook::{Webhook, WebhookCommand};
use crate::ledger::Published;
use crate::service::failure::Failure;
use crate::service::system_change;
use crate::webhook::Attempt;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// An alarm is not delivered any more after attempts have failed for this time, in seconds.
const GIVE_UP_SECONDS: i64 = 24 * 3_600;

/// The pauses after failures: doubled each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The webhooks that have a task.
type Served = Arc<Mutex<HashSet<WebhookId>>>;

impl Alarms {
    /// Starts the task that starts a task for each webhook with pending alarms.
    pub(super) fn deliver_forever(&self) {
        let alarms = self.clone();
        self.runtime.spawn(async move {
            let served = Served::default();
            let mut head = alarms.recorder.ledger().watch_head();
            loop {
                alarms.serve_pending(&served);
                if head.changed().await.is_err() || !alarms.recorder.ledger().is_accepting() {
                    return;
                }
            }
        });
    }

    fn serve_pending(&self, served: &Served) {
        let published = self.recorder.state();
        for id in published.state.alarms.webhooks_with_pending() {
            let is_enabled = published.state.alarms.webhooks.get(&id).is_some_and(|webhook| webhook.settings.enabled);
            if is_enabled && served.lock().unwrap_or_else(PoisonError::into_inner).insert(id) {
                let (alarms, served) = (self.clone(), served.clone());
                self.runtime.spawn(async move {
                    if let Err(failure) = alarms.deliver_all(id).await {
                        tracing::error!(webhook = %id, %failure, "the outcome of a delivery could not be recorded");
                        // The alarm is still pending: without the pause it would be delivered again and again.
                        tokio::time::sleep(LONGEST_PAUSE).await;
                    }
                    served.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                    // Something may have been added since the last look.
                    if alarms.recorder.ledger().is_accepting() {
                        alarms.serve_pending(&served);
                    }
                });
            }
        }
    }

    /// Delivers the pending alarms of a webhook, until there are none or the webhook is disabled or deleted.
    async fn deliver_all(&self, id: WebhookId) -> Result<(), Failure> {
        let mut failures = 0;
        let mut failing_since = None;
        while let Some((published, webhook, alarm)) = self.next_of(id) {
            let number = alarm.number;
            let error = match self.attempt(&published, &webhook, &alarm).await {
                Ok(()) => {
                    (failures, failing_since) = (0, None);
                    self.record(AlarmCommand::RecordDelivery { number, webhook: id }).await?;
                    continue;
                }
                Err(error) => error,
            };
            tracing::warn!(webhook = %webhook.name, alarm = %number, error, "an alarm could not be delivered");
            let now = self.recorder.now();
            // Time during which nobody tried does not count: the program was off, or the webhook disabled.
            let since = *failing_since.get_or_insert(now);
            if since.max(alarm.raised).plus_seconds(GIVE_UP_SECONDS) <= now {
                self.record(AlarmCommand::GiveUp { number, webhook: id, error }).await?;
            } else {
                self.record_failure(&webhook, error).await?;
            }
            failures += 1;
            self.pause(&webhook, failures).await;
        }
        Ok(())
    }

    /// The oldest pending alarm of a webhook that is enabled.
    fn next_of(&self, id: WebhookId) -> Option<(Arc<Published>, Arc<Webhook>, Arc<Alarm>)> {
        let published = self.recorder.state();
        let alarms = &published.state.alarms;
        let webhook = alarms.webhooks.get(&id).filter(|webhook| webhook.settings.enabled)?.clone();
        let number: AlarmNumber = alarms.pending(id).next()?;
        let alarm = alarms.all.get(&number)?.clone();
        Some((published, webhook, alarm))
    }

    async fn attempt(&self, published: &Published, webhook: &Webhook, alarm: &Alarm) -> Result<(), String> {
        let secret = self.secret_of(webhook).map_err(|failure| failure.to_string())?;
        // The same in every attempt, so that a receiver knows an alarm that it has received already.
        let delivery = format!("{}-{}", alarm.number, webhook.id);
        let body = payload::of_alarm(&published.state, webhook, &delivery, alarm);
        let seconds = self.recorder.now().seconds();
        let attempt = Attempt { url: &webhook.settings.url, secret: &secret, id: &delivery, seconds, body };
        self.sender.send(attempt).await.map(drop).map_err(|error| error.to_string())
    }

    /// Waits before the next attempt. A change of the webhook ends the pause.
    async fn pause(&self, webhook: &Webhook, failures: u32) {
        let changed = async {
            let mut head = self.recorder.ledger().watch_head();
            loop {
                let now = self.recorder.state();
                let now = now.state.alarms.webhooks.get(&webhook.id);
                if now.is_none_or(|now| now.updated != webhook.updated) || head.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause_after(failures)) => {}
            () = changed => {}
        }
    }

    async fn record(&self, command: AlarmCommand) -> Result<(), Failure> {
        self.recorder.append(&system_change("webhook"), Command::Alarm(command)).await.map(drop)
    }

    /// Records the failure, unless the same is recorded already: retries do not fill the log.
    async fn record_failure(&self, webhook: &Webhook, error: String) -> Result<(), Failure> {
        let command = Command::Webhook(WebhookCommand::RecordFailure { id: webhook.id, error });
        match self.recorder.append(&system_change("webhook"), command).await {
            // The webhook was deleted meanwhile.
            Ok(_) | Err(Failure::Refused(_)) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

/// The pause after so many failures in a row: between half and all of the doubled pause.
fn pause_after(failures: u32) -> Duration {
    let mut jitter = [0u8; 1];
    // Without random numbers the pauses are regular, which is harmless.
    let _ = aws_lc_rs::rand::fill(&mut jitter);
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    doubled / 2 + (doubled / 2).mul_f64(f64::from(jitter[0]) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_quarter_of_an_hour() {
        for (failures, least, most) in [(1, 500, 1_000), (2, 1_000, 2_000), (5, 8_000, 16_000), (40, 450_000, 900_000)]
        {
            for _ in 0..20 {
                let pause = pause_after(failures).as_millis();
                assert!((least..=most).contains(&pause), "{failures}: {pause} ms");
            }
        }
    }
}
