//! Checks at the start that the keyring and the log belong together. The log names the owners of secrets, the keyring
//! holds their data keys. If one of the two was lost or exchanged, the start fails and nothing is written or deleted.

use super::failure::Failure;
use super::{alarms, checkpoints, cloud, key_stores, log_seal, source_keys, tokens, users};
use crate::domain::id::InstallationId;
use crate::domain::state::State;
use crate::keyring::{Keyring, Owner};
use std::collections::HashSet;

const LOG_LOST: &str = "the event log is empty, but the keyring holds keys of secrets that were recorded: the log was \
                        lost; restore the entire data directory from one backup, or delete it to start over";
const KEYRING_LOST: &str = "the keyring has no key of this installation: it was lost, or belongs to another event log; \
                            restore the entire data directory from one backup";

/// The owner of the marker that the log was initialized: it has a data key and no secrets, so the marker survives the
/// loss of the log.
fn begun(id: InstallationId) -> Owner {
    Owner::new(BEGUN, id.uuid())
}

const BEGUN: &str = "log";

/// Writes the marker that the log was initialized, so that a later start detects the loss of the log.
pub(super) fn mark_begun(keyring: &Keyring, state: &State) -> Result<(), Failure> {
    let Some(installation) = &state.installation else { return Ok(()) };
    let mark = begun(installation.id);
    if !keyring.owners()?.contains(&mark) {
        keyring.seal(&mark, "begun", b"")?;
    }
    Ok(())
}

/// Refuses a log and a keyring that do not belong together. An interrupted first start leaves the keys of an
/// installation and of its first user, and can be repeated; any other key means that a log existed.
pub(super) fn refuse_strays(keyring: &Keyring, state: &State) -> Result<(), Failure> {
    let keys = keyring.owners()?;
    match &state.installation {
        Some(installation) if !keys.contains(&tokens::owner(installation.id)) => Err(Failure::Internal(KEYRING_LOST)),
        None if held_by_a_log(&keys) => Err(Failure::Internal(LOG_LOST)),
        _ => Ok(()),
    }
}

/// Deletes the data keys of owners that are not in the log. A crash between a write to the keyring and a write to the
/// log can leave such keys.
pub(super) fn shred_orphans(keyring: &Keyring, state: &State) -> Result<(), Failure> {
    let owners = owners(state);
    for orphan in keyring.owners()?.into_iter().filter(|owner| !owners.contains(owner)) {
        tracing::warn!(owner = %orphan, "deleting the data key of an owner who is not in the log");
        keyring.shred(&orphan)?;
    }
    Ok(())
}

fn owners(state: &State) -> HashSet<Owner> {
    let mut owners: HashSet<Owner> = state.users.iter().map(|user| users::owner(user.id)).collect();
    owners.extend(state.connections.iter().map(|connection| cloud::owner(connection.id)));
    let intact = state.source_keys.iter().filter(|key| key.lifecycle.destroy.is_none());
    owners.extend(intact.map(|key| source_keys::owner(key.id)));
    owners.extend(state.key_stores.iter().map(|store| key_stores::owner(store.id)));
    owners.extend(state.alarms.webhooks.iter().map(|webhook| alarms::owner(webhook.id)));
    owners.extend([log_seal::owner(), checkpoints::owner()]);
    owners.extend(
        state.installation.iter().flat_map(|installation| [tokens::owner(installation.id), begun(installation.id)]),
    );
    owners
}

fn held_by_a_log(keys: &[Owner]) -> bool {
    let count = |kind: &str| keys.iter().filter(|owner| owner.kind() == kind).count();
    let (installations, users) = (count(tokens::OWNER), count(users::OWNER));
    count(BEGUN) > 0 || users > installations || keys.len() > installations + users + count(log_seal::OWNER)
}
