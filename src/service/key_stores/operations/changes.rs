//! Update, rotation of the credential, deletion: changes of a store that AWS has.
//!
//! - AWS calls the proxy with a new address or credential before it answers
//! - recovery: the same steps, unless AWS shows the result

use super::cloud_hsm::counted;
use super::link::connectivity;
use super::reading::read_back;
use super::{StoreStepError, Work, unread};
use crate::aws::kms::calls::{DeleteCustomKeyStore, UpdateCustomKeyStore};
use crate::aws::kms::custom_key_store::XksCredential;
use crate::domain::id::CredentialId;
use crate::domain::key_store::StoreSettings;
use crate::domain::key_store::at_aws::ConnectionState::{Connected, Disconnected};
use crate::domain::key_store::at_aws::StoreAtAws;
use crate::domain::name::KeyStoreName;
use crate::service::failure::Failure;
use crate::service::operations::Stage;

pub(super) async fn update(
    work: &Work<'_>,
    before: Box<StoreAtAws>,
    name: &KeyStoreName,
    settings: &StoreSettings,
) -> Result<Box<StoreAtAws>, StoreStepError> {
    let renames = work.renames(&before, name);
    let moves = !before.has_address(settings);
    if !renames && !moves {
        return Ok(before);
    }
    work.refuse_wrong_state(&before, moves)?;
    let call = UpdateCustomKeyStore {
        store: before.id.clone(),
        name: renames.then(|| name.to_string()),
        endpoint: moves.then(|| settings.endpoint.clone()),
        connectivity: moves.then(|| connectivity(settings)),
        ..UpdateCustomKeyStore::default()
    };
    send(work, &before, call, |seen| !work.renames(seen, name) && seen.has_address(settings)).await
}

impl Work<'_> {
    /// Whether AWS is still to be told a name. It is not told the present name: it may have another one, which wins.
    fn renames(&self, seen: &StoreAtAws, name: &KeyStoreName) -> bool {
        self.pending.store.name != *name && seen.name != name.as_str()
    }

    /// Refuses a change in a state in which AWS refuses it; `moves` if it is more than the name.
    fn refuse_wrong_state(&self, before: &StoreAtAws, moves: bool) -> Result<(), StoreStepError> {
        match before.connection_state {
            Disconnected => Ok(()),
            Connected if !moves => Ok(()),
            _ if moves => Err(self.wrong_state(before, "DISCONNECTED")),
            _ => Err(self.wrong_state(before, "CONNECTED or DISCONNECTED")),
        }
    }
}

/// Changes a store that this program does not serve; if `tells`, its password too.
pub(super) async fn amend(
    work: &Work<'_>,
    before: Box<StoreAtAws>,
    name: &KeyStoreName,
    cluster: Option<&str>,
    tells: bool,
) -> Result<Box<StoreAtAws>, StoreStepError> {
    let has = |seen: &StoreAtAws, cluster: &str| seen.cloud_hsm.as_ref().is_some_and(|seen| seen.cluster == cluster);
    let renames = work.renames(&before, name);
    let cluster = cluster.filter(|cluster| !has(&before, cluster));
    let moves = cluster.is_some() || tells;
    if !renames && !moves {
        return Ok(before);
    }
    work.refuse_wrong_state(&before, moves)?;
    let call = UpdateCustomKeyStore {
        store: before.id.clone(),
        name: renames.then(|| name.to_string()),
        cluster: cluster.map(str::to_owned),
        password: match tells {
            true => Some(work.password().map_err(|failure| StoreStepError::from(failure).reaching(&before.id))?),
            false => None,
        },
        ..UpdateCustomKeyStore::default()
    };
    let shows = |seen: &StoreAtAws| !work.renames(seen, name) && cluster.is_none_or(|cluster| has(seen, cluster));
    Ok(counted(work, send(work, &before, call, shows).await?).await)
}

pub(super) async fn rotate_credential(
    work: &Work<'_>,
    before: Box<StoreAtAws>,
    credential: CredentialId,
) -> Result<Box<StoreAtAws>, StoreStepError> {
    let store = &work.pending.store;
    let mut known = store.local.iter().flat_map(|local| &local.credentials);
    let new = known.find(|known| known.id == credential);
    let new = new.ok_or(Failure::Internal("a credential that AWS is told is not in the state"))?;
    let shows = |seen: &StoreAtAws| seen.proxy.as_ref().is_some_and(|proxy| proxy.access_key_id == new.access_key_id);
    if shows(&before) {
        return Ok(before);
    }
    // What AWS shows may be older than an attempt whose answer was lost: the new credential goes only if AWS lacks it.
    let is_settled = work.is_first || work.target.is_consistent_since(work.pending.since);
    let retried = |error: StoreStepError| if is_settled { error } else { error.with(Stage::Unknown) };
    if !matches!(before.connection_state, Connected | Disconnected) {
        return Err(retried(work.wrong_state(&before, "CONNECTED or DISCONNECTED")));
    }
    let secret_access_key = work.target.secret(store.id, new)?;
    let credential = XksCredential { access_key_id: new.access_key_id.clone(), secret_access_key };
    let call = UpdateCustomKeyStore {
        store: before.id.clone(),
        credential: Some(credential),
        ..UpdateCustomKeyStore::default()
    };
    work.at.call(call).await.map_err(|failure| retried(StoreStepError::from(failure).reaching(&before.id)))?;
    let seen = read_back(&work.at, &before.id, shows).await;
    let mut seen = seen.map_err(|failure| match work.is_first {
        true => unread(&before.id)(failure),
        false => StoreStepError::from(failure).with(Stage::Unknown),
    })?;
    // AWS has accepted the call, and shows it with a delay.
    if let Some(proxy) = &mut seen.proxy {
        proxy.access_key_id.clone_from(&new.access_key_id);
    }
    Ok(seen)
}

async fn send(
    work: &Work<'_>,
    before: &StoreAtAws,
    call: UpdateCustomKeyStore,
    shows: impl Fn(&StoreAtAws) -> bool,
) -> Result<Box<StoreAtAws>, StoreStepError> {
    work.at.call(call).await.map_err(|failure| StoreStepError::from(failure).reaching(&before.id))?;
    read_back(&work.at, &before.id, shows).await.map_err(unread(&before.id))
}

pub(super) async fn delete(work: &Work<'_>, before: Box<StoreAtAws>) -> Result<(), StoreStepError> {
    if before.connection_state != Disconnected {
        return Err(work.wrong_state(&before, "DISCONNECTED"));
    }
    let call = DeleteCustomKeyStore { store: before.id.clone() };
    work.at.call(call).await.map_err(|failure| StoreStepError::from(failure).reaching(&before.id))
}
