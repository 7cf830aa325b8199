//! What time alone causes: the announcement that imported material expires soon, and the check that connections work.

use super::Alarms;
use crate::domain::alarm::AlarmCommand;
use crate::domain::alarm::decide::{days_to_announce, is_news};
use crate::domain::command::Command;
use crate::domain::id::{ConnectionId, KeyId};
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::service::failure::Failure;
use crate::service::list::pool;
use crate::service::system_change;
use std::collections::BTreeSet;
use std::time::Duration;

/// The pause between two looks at the expiries of all keys.
const EXPIRY_PAUSE: Duration = Duration::from_secs(60);

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
                alarms.check_connections().await;
            }
        });
    }

    /// Tests the connections of all KMSs that are not archived, one after the other.
    async fn check_connections(&self) {
        let published = self.recorder.state();
        let used: BTreeSet<ConnectionId> =
            published.state.kms.iter().filter(|kms| !kms.archived).map(|kms| kms.connection).collect();
        for id in used {
            if let Err(failure) = self.connections.check(id).await {
                tracing::error!(connection = %id, %failure, "the result of a check could not be recorded");
            }
        }
    }
}

/// The keys whose expiry is to be announced, and the days.
fn expiring(state: &State, now: Time) -> Vec<(KeyId, Time, u32)> {
    let keys = state.keys.iter().filter(|key| !key.is_ending());
    let due = keys.filter_map(|key| {
        let valid_to = key.metadata.valid_to?;
        let days = days_to_announce(now, valid_to)?;
        is_news(state.alarms.announced(key.id), valid_to, days).then_some((key.id, valid_to, days))
    });
    due.collect()
}
