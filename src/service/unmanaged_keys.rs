//! The keys of a KMS that was deleted, or of a region that was taken from one, are hidden from everybody by that one
//! event. Here the events of the keys themselves follow, in small commits with pauses between them, so that the changes
//! of others are not held up. The state tells which keys are left, so a restart goes on where the program ended.

use super::recorder::Recorder;
use super::system_change;
use crate::domain::command::Command;
use crate::domain::key::command::KeyCommand;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// How many keys one commit removes at most. What it keeps the writer busy is what another change may have to wait.
const BATCH: usize = 5;

/// The writer is free for others at least this many times as long as a commit takes.
const PAUSE_FACTOR: u32 = 4;

/// How often is looked whether there is anything to remove.
const IDLE: Duration = Duration::from_secs(1);

/// How long the log is left alone when it takes no changes.
const STOPPED: Duration = Duration::from_secs(30);

/// Removes the keys that are no longer managed, those first that the last run of the program left.
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
                    tracing::warn!(%failure, "the entries of keys that are no longer managed stay for now");
                    tokio::time::sleep(STOPPED).await;
                }
            }
        }
    });
}
