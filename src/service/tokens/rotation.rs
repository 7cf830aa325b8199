//! The rotation of the key that signs access tokens, by its age.

use super::Tokens;
use crate::domain::time::Time;
use crate::service::failure::Failure;
use crate::service::system_change;
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::runtime::Handle;

const DAY_SECONDS: i64 = 86_400;
/// The pause between two looks at the age. The clock can be set, and the machine can be suspended.
const PAUSE: Duration = Duration::from_secs(3600);

impl Tokens {
    /// Starts the task that replaces the key once it is so many days old.
    pub(in crate::service) fn rotate_forever(&self, runtime: &Handle, days: NonZeroU32) {
        let tokens = self.clone();
        runtime.spawn(async move {
            while tokens.recorder.ledger().is_accepting() {
                match tokens.rotate_if_due(days).await {
                    Ok(false) => {}
                    Ok(true) => tracing::info!("the key of access tokens was replaced, as it was {days} days old"),
                    Err(failure) => tracing::error!(%failure, "the key of access tokens could not be replaced"),
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    /// Replaces the key if it is so many days old. Returns whether it was.
    async fn rotate_if_due(&self, days: NonZeroU32) -> Result<bool, Failure> {
        let replacing = self.replacing.lock().await;
        let published = self.recorder.state();
        let made = published.state.installation.as_ref().map(|installation| installation.token_key_made);
        let is_due =
            |made: Time| made.plus_seconds(i64::from(days.get()).saturating_mul(DAY_SECONDS)) <= self.recorder.now();
        if !made.is_some_and(is_due) {
            return Ok(false);
        }
        self.replace_key_alone(&system_change("rotate-token-key"), &replacing).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Actor, Event, InstallationEvent};
    use crate::service::world::World;

    fn rotations(world: &World) -> usize {
        let is_rotation =
            |event: &Event| matches!(event, Event::Installation(InstallationEvent::TokenKeyReplaced { .. }));
        let records = world.records();
        records.iter().filter(|record| record.actor == Actor::System && is_rotation(&record.event)).count()
    }

    #[test]
    fn the_token_key_is_replaced_once_it_is_old_enough() {
        let world = World::new();
        let days = NonZeroU32::new(30).expect("not 0");
        let due = || world.run(world.services().tokens.rotate_if_due(days)).expect("it works");
        let key = || world.state().installation.expect("one").token_key;
        let first = key();
        assert!(!due(), "it is new");
        world.pass(29 * DAY_SECONDS);
        assert!(!due(), "it is 29 days old");
        world.pass(DAY_SECONDS);
        assert!(due(), "it is 30 days old");
        assert_ne!(key(), first);
        assert!(!due(), "the next one is new");
        world.pass(30 * DAY_SECONDS);
        assert!(due());
        assert_eq!(rotations(&world), 2);
    }

    #[test]
    fn a_start_replaces_an_old_token_key_if_the_settings_say_so() {
        let mut world = World::new();
        let made = |world: &World| world.state().installation.expect("one").token_key_made;
        let first = made(&world);
        world.pass(40 * DAY_SECONDS);
        world.kill();
        world.start();
        assert_eq!(made(&world), first, "without the setting it stays");
        world.kill();
        world.token_key_days = 30;
        world.start();
        world.until("the key is replaced", |state| {
            state.installation.as_ref().is_some_and(|installation| installation.token_key_made > first)
        });
    }
}
