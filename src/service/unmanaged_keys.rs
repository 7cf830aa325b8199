//! Removes the keys of deleted KMSs and of regions that were removed from a KMS. One event of the KMS hides these keys
//! from all users. This task then appends the events of the keys themselves, in small commits with pauses in between,
//! so that other changes wait little. The state lists the remaining keys, so the task continues after a restart.

use super::recorder::Recorder;
use super::system_change;
use crate::domain::command::Command;
use crate::domain::key::command::KeyCommand;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// The maximum number of keys in one commit. Another change can have to wait for the duration of such a commit.
const BATCH: usize = 5;

/// The pause after a commit, as a multiple of its duration.
const PAUSE_FACTOR: u32 = 4;

/// The pause between two checks while no keys are left to remove.
const IDLE: Duration = Duration::from_secs(1);

/// The pause after the log has refused a change.
const STOPPED: Duration = Duration::from_secs(30);

/// Starts the task that removes the keys that are no longer managed.
pub(super) fn remove_forever(recorder: Recorder, runtime: &Handle) {
    runtime.spawn(async move {
        let change = system_change("unmanaged-keys");
        loop {
            if recorder.state().state.keys.unmanaged().next().is_none() {
                tokio::time::sleep(IDLE).await;
                continue;
            }
            let begun = Instant::now();
            let command = Command::Key(KeyCommand::RemoveUnmanaged { most: BATCH });
            match recorder.append(&change, command).await {
                Ok(_) => tokio::time::sleep(begun.elapsed() * PAUSE_FACTOR).await,
                Err(failure) => {
                    tracing::warn!(%failure, "entries of keys that are no longer managed could not be removed");
                    tokio::time::sleep(STOPPED).await;
                }
            }
        }
    });
}
