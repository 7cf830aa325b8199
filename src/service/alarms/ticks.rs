//! What time alone causes: the announcement that imported material expires soon or has expired, and the check that
//! connections work.

use super::Alarms;
use crate::domain::alarm::AlarmCommand;
use crate::domain::alarm::decide::{days_to_announce, is_news};
use crate::domain::command::Command;
use crate::domain::id::{ConnectionId, KeyId, KmsId};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::connections::{Checked, Patience};
use crate::service::failure::Failure;
use crate::service::list::pool;
use crate::service::system_change;
use std::collections::BTreeSet;
use std::time::Duration;

/// The pause between two looks at the expiries of all keys.
const EXPIRY_PAUSE: Duration = Duration::from_secs(60);

/// The pause before connections that could not reach AWS are tested once more.
const SECOND_CHECK_PAUSE: Duration = Duration::from_secs(30);

impl Alarms {
    pub(super) fn announce_expiries_forever(&self) {
        let alarms = self.clone();
        self.runtime.spawn(async move {
            while alarms.recorder.ledger().is_accepting() {
                if let Err(failure) = alarms.announce_expiries().await {
                    tracing::error!(%failure, "the expiry of key material could not be announced");
                }
                tokio::time::sleep(EXPIRY_PAUSE).await;
            }
        });
    }

    /// Announces the expiry of each key's material that expires soon and was not announced for so many days.
    pub(super) async fn announce_expiries(&self) -> Result<(), Failure> {
        let (published, now) = (self.recorder.state(), self.recorder.now());
        let due = pool::run(move || expiring(&published.state, now)).await?;
        for (key, valid_to, days) in due {
            let command = Command::Alarm(AlarmCommand::AnnounceExpiry { key, valid_to, days });
            self.recorder.append(&system_change("expiry"), command).await?;
        }
        Ok(())
    }

    pub(super) fn check_connections_forever(&self) {
        let Some(pause) = self.connection_checks else { return };
        let alarms = self.clone();
        self.runtime.spawn(async move {
            while alarms.recorder.ledger().is_accepting() {
                tokio::time::sleep(pause).await;
                alarms.check_connections(pause).await;
            }
        });
    }

    /// Tests the connections of all KMSs that are not archived, each with the roles that KMSs assume over it. A failure
    /// to reach AWS, which may be over in a moment, counts if it is still there some time later.
    pub(super) async fn check_connections(&self, pause: Duration) {
        let published = self.recorder.state();
        let used: BTreeSet<ConnectionId> =
            published.state.kms.iter().filter(|kms| !kms.archived).map(|kms| kms.connection).collect();
        let doubtful = self.check_each(used, Patience::ForSecondFailure).await;
        if !doubtful.is_empty() {
            tokio::time::sleep(pause.min(SECOND_CHECK_PAUSE)).await;
            self.check_each(doubtful, Patience::Over).await;
        }
    }

    /// Tests connections one after the other, and returns those that are to be tested once more.
    async fn check_each(&self, connections: BTreeSet<ConnectionId>, patience: Patience) -> BTreeSet<ConnectionId> {
        let mut doubtful = BTreeSet::new();
        for id in connections {
            match self.connections.check(id, patience).await {
                Ok(Checked::Recorded) => {}
                Ok(Checked::Doubtful) => drop(doubtful.insert(id)),
                Err(failure) => {
                    tracing::error!(connection = %id, %failure, "the result of a check could not be recorded")
                }
            }
        }
        doubtful
    }
}

/// The keys whose expiry is to be announced, and the days.
fn expiring(state: &State, now: Time) -> Vec<(KeyId, Time, u32)> {
    // The keys of an archived KMS are not read any more, so that their dates may be wrong.
    let is_current = |kms: KmsId| state.kms.get(&kms).is_some_and(|kms| !kms.archived);
    let keys = state.keys.iter().filter(|key| !key.is_ending() && is_current(key.kms));
    let due = keys.filter_map(|key| {
        let valid_to = key.metadata.valid_to?;
        let days = days_to_announce(now, valid_to)?;
        // Material that expired before the key was known here is no news.
        if days == 0 && valid_to <= key.created {
            return None;
        }
        is_news(state.alarms.announced(key.id), valid_to, days).then_some((key.id, valid_to, days))
    });
    due.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Event;
    use crate::domain::key::event::KeyEvent;
    use crate::domain::key::example::{added, after, at, key_id, kms_id, region, snapshot};
    use crate::domain::kms::KmsEvent;

    #[test]
    fn material_that_expires_or_has_expired_is_announced_unless_its_kms_is_archived() {
        let mut seen = snapshot(1, "imported");
        let mut due = |valid_to: Time, now: Time, archived: bool| {
            seen.metadata.valid_to = Some(valid_to);
            let (kms, region, learned) = (kms_id(0), region("eu-west-3"), seen.clone().all());
            let mut events =
                vec![added(0, &["eu-west-3"]), Event::Key(key_id(1), KeyEvent::Found { kms, region, learned })];
            events.extend(archived.then_some(Event::Kms(kms, KmsEvent::Archived)));
            expiring(&after(&events), now).into_iter().map(|(_, _, days)| days).collect::<Vec<_>>()
        };
        assert_eq!(due(at(100), at(50), false), [1]);
        assert_eq!(due(at(100), at(50), true), [0; 0]);
        assert_eq!(due(at(100), at(100), false), [0]);
        // The key became known in second 2.
        assert_eq!(due(at(1), at(50), false), [0; 0]);
    }
}
