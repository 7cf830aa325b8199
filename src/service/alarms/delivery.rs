//! Delivers alarms. What is to be delivered is in the state, so that a restart loses nothing; an alarm whose delivery
//! was not recorded yet is delivered again, with the same id. Each webhook has a task of its own, so a slow receiver
//! delays only itself. Its alarms are delivered in order, but one that the receiver refuses does not hold up the
//! others.

use super::{Alarms, payload};
use crate::domain::alarm::{Alarm, AlarmCommand, AlarmNumber};
use crate::domain::command::Command;
use crate::domain::id::WebhookId;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::domain::webhook::{Webhook, WebhookCommand};
use crate::ledger::Published;
use crate::service::failure::Failure;
use crate::service::pause::pause_after;
use crate::service::system_change;
use crate::webhook::Attempt;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An alarm is not delivered any more after attempts have failed for this time, in seconds.
const GIVE_UP_SECONDS: i64 = 24 * 3_600;

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The longest pause that a receiver can ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

/// The webhooks that have a task.
type Served = Arc<Mutex<HashSet<WebhookId>>>;

/// What is to be done next for a webhook.
struct Next {
    published: Arc<Published>,
    webhook: Arc<Webhook>,
    /// The alarm to deliver, or when one that was refused is due again.
    alarm: Result<Arc<Alarm>, Instant>,
}

/// Why an attempt failed.
struct Trouble {
    error: String,
    /// Whether the receiver refuses this alarm alone. Others may be delivered meanwhile.
    is_refusal: bool,
    /// The least pause that the receiver asks for.
    retry_after: Duration,
}

impl Trouble {
    fn of_all(error: String) -> Self {
        Self { error, is_refusal: false, retry_after: Duration::ZERO }
    }
}

/// How the deliveries to a webhook went since its task began, or since the webhook was changed.
#[derive(Default)]
struct Course {
    updated: Option<Time>,
    /// The failures since the last success. An alarm that is refused again does not count: it may be alone in that.
    failures: u32,
    failing_since: Option<Time>,
    refused: HashMap<AlarmNumber, Refused>,
}

/// An alarm that the receiver refused.
struct Refused {
    times: u32,
    since: Time,
    /// When it is tried again.
    due: Instant,
}

impl Course {
    /// Forgets the failures if the webhook was changed since.
    fn begin_again_after(&mut self, updated: Time) {
        if self.updated.replace(updated).is_some_and(|last| last != updated) {
            *self = Self { updated: self.updated, ..Self::default() };
        }
    }

    fn delivered(&mut self, number: AlarmNumber) {
        (self.failures, self.failing_since) = (0, None);
        self.refused.remove(&number);
    }

    /// Notes a failure. Returns since when attempts fail, and the pause before the next one.
    fn failed(&mut self, number: AlarmNumber, trouble: &Trouble, now: Time) -> (Time, Duration) {
        if !trouble.is_refusal {
            self.failures += 1;
            let since = *self.failing_since.get_or_insert(now);
            return (since, pause_after(self.failures, LONGEST_PAUSE).max(trouble.retry_after));
        }
        let new = Refused { times: 0, since: now, due: Instant::now() };
        let refused = self.refused.entry(number).or_insert(new);
        refused.times += 1;
        refused.due = Instant::now() + pause_after(refused.times, LONGEST_PAUSE).max(trouble.retry_after);
        if refused.times == 1 {
            self.failures += 1;
        }
        (refused.since, pause_after(self.failures, LONGEST_PAUSE))
    }
}

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
        let mut course = Course::default();
        while let Some(next) = self.next_of(id, &mut course) {
            let Next { published, webhook, alarm } = next;
            let alarm = match alarm {
                Ok(alarm) => alarm,
                Err(due) => {
                    let is_new =
                        |state: &State| state.alarms.pending(id).any(|number| !course.refused.contains_key(&number));
                    self.pause(&webhook, due.saturating_duration_since(Instant::now()), is_new).await;
                    continue;
                }
            };
            let number = alarm.number;
            let trouble = match self.attempt(&published, &webhook, &alarm).await {
                Ok(()) => {
                    course.delivered(number);
                    self.record(AlarmCommand::RecordDelivery { number, webhook: id }).await?;
                    continue;
                }
                Err(trouble) => trouble,
            };
            tracing::warn!(webhook = %webhook.name, alarm = %number, error = trouble.error, "an alarm could not be delivered");
            let now = self.recorder.now();
            let (since, pause) = course.failed(number, &trouble, now);
            // Time during which nobody tried does not count: the program was off, or the webhook disabled.
            if since.max(alarm.raised).plus_seconds(GIVE_UP_SECONDS) <= now {
                course.refused.remove(&number);
                self.record(AlarmCommand::GiveUp { number, webhook: id, error: trouble.error }).await?;
            } else {
                self.record_failure(&webhook, trouble.error).await?;
            }
            self.pause(&webhook, pause, |_| false).await;
        }
        Ok(())
    }

    /// The next delivery to a webhook that is enabled; `None` if nothing is pending, or nothing could be recorded.
    fn next_of(&self, id: WebhookId, course: &mut Course) -> Option<Next> {
        let published = self.recorder.state();
        let alarms = &published.state.alarms;
        let webhook = alarms.webhooks.get(&id).filter(|webhook| webhook.settings.enabled)?.clone();
        if !self.recorder.ledger().is_accepting() {
            return None;
        }
        course.begin_again_after(webhook.updated);
        course.refused.retain(|number, _| alarms.is_pending(*number, id));
        let fresh = alarms.pending(id).find(|number| !course.refused.contains_key(number));
        let refused = course.refused.iter().min_by_key(|(number, refused)| (refused.due, **number));
        let alarm = match (fresh, refused) {
            (Some(number), _) => Ok(alarms.all.get(&number)?.clone()),
            (None, Some((number, refused))) if refused.due <= Instant::now() => Ok(alarms.all.get(number)?.clone()),
            (None, Some((_, refused))) => Err(refused.due),
            (None, None) => return None,
        };
        Some(Next { published, webhook, alarm })
    }

    async fn attempt(&self, published: &Published, webhook: &Webhook, alarm: &Alarm) -> Result<(), Trouble> {
        let secrets = self.secrets_of(webhook).map_err(|failure| Trouble::of_all(failure.to_string()))?;
        // The same in every attempt, so that a receiver knows an alarm that it has received already.
        let delivery = format!("{}-{}", alarm.number, webhook.id);
        let body = payload::of_alarm(&published.state, webhook, &delivery, alarm);
        // The receiver compares it with its own clock.
        let seconds = self.recorder.clock_time().seconds();
        let attempt = Attempt { url: &webhook.settings.url, secrets: &secrets, id: &delivery, seconds, body };
        self.sender.send(attempt).await.map(drop).map_err(|error| Trouble {
            is_refusal: error.is_refusal(),
            retry_after: error.retry_after().unwrap_or_default().min(RETRY_AFTER_MAX),
            error: error.to_string(),
        })
    }

    /// Waits before the next attempt. A change of the webhook ends the pause, and so does what the caller waits for.
    async fn pause(&self, webhook: &Webhook, pause: Duration, ends: impl Fn(&State) -> bool) {
        let changed = async {
            let mut head = self.recorder.ledger().watch_head();
            loop {
                let now = self.recorder.state();
                let is_changed = match now.state.alarms.webhooks.get(&webhook.id) {
                    Some(now) => now.updated != webhook.updated,
                    None => true,
                };
                if is_changed || ends(&now.state) || head.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
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

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(is_refusal: bool) -> Trouble {
        Trouble { is_refusal, ..Trouble::of_all("no".to_owned()) }
    }

    #[test]
    fn a_changed_webhook_begins_anew_and_one_refused_alarm_does_not_lengthen_the_pauses_of_others() {
        let (now, later) = (Time::from_nanos(1), Time::from_nanos(2));
        let mut course = Course::default();
        course.begin_again_after(now);
        for _ in 0..5 {
            course.failed(AlarmNumber(1), &trouble(true), now);
        }
        assert_eq!((course.failures, course.refused[&AlarmNumber(1)].times), (1, 5));
        course.failed(AlarmNumber(2), &trouble(true), now);
        course.failed(AlarmNumber(3), &trouble(false), now);
        course.begin_again_after(now);
        assert_eq!((course.failures, course.refused.len()), (3, 2), "nothing was changed");
        course.begin_again_after(later);
        assert_eq!((course.failures, course.refused.len(), course.failing_since), (0, 0, None));
        course.failed(AlarmNumber(1), &trouble(false), later);
        course.delivered(AlarmNumber(1));
        assert_eq!((course.failures, course.failing_since), (0, None));
    }
}
