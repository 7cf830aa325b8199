//! Connect, disconnect: change the connection between AWS and the proxy. They end once AWS has accepted them; the
//! follower records how the connection goes on.
//!
//! - AWS connects no store whose connection has failed: it is disconnected first, which takes AWS a while
//! - recovery: the same steps, from the state that AWS shows

use super::cloud_hsm::tell_password;
use super::reading::read_back;
use super::{StoreStepError, Work, unread};
use crate::aws::kms::calls::{ConnectCustomKeyStore, DisconnectCustomKeyStore};
use crate::domain::key_store::at_aws::ConnectionState::{Connected, Connecting, Disconnected, Disconnecting, Failed};
use crate::domain::key_store::at_aws::StoreAtAws;
use crate::service::key_stores::operations::StoreTarget;
use crate::service::operations::{Progress, Stage};
use std::time::Duration;

/// The pause before AWS is asked again whether it has disconnected a store.
const PAUSE: Duration = Duration::from_secs(2);

/// Connects a store; if `tells`, with the password of the operation.
pub(super) async fn connect(
    work: &Work<'_>,
    before: Box<StoreAtAws>,
    tells: bool,
) -> Result<Progress<StoreTarget>, StoreStepError> {
    let store = before.id.clone();
    match before.connection_state {
        Failed => {
            let call = DisconnectCustomKeyStore { store: store.clone() };
            work.at.call(call).await.map_err(|failure| StoreStepError::from(failure).reaching(&store))?;
            let seen = read_back(&work.at, &store, |seen| seen.connection_state != Failed).await;
            work.observe(&*seen.map_err(unread(&store))?).await;
            return Ok(Progress::Underway { again_after: PAUSE, made: None });
        }
        Disconnecting if work.is_first => return Err(work.wrong_state(&before, "DISCONNECTED or FAILED")),
        Disconnecting => {
            work.observe(&before).await;
            return Ok(Progress::Underway { again_after: PAUSE, made: None });
        }
        // AWS takes a password only while the store is disconnected. As long as it is not known which one AWS was told,
        // this one counts as told: AWS connects with the one that it has, and has replaced the one that it was told.
        Connected | Connecting if tells && work.is_first && knows_password(work) => {
            return Err(work.wrong_state(&before, "DISCONNECTED or FAILED"));
        }
        Connected | Connecting if tells => return Ok(Progress::Done { seen: Some(before), related: None }),
        _ if tells => tell_password(work, &store).await?,
        _ => {}
    }
    let call = ConnectCustomKeyStore { store: store.clone() };
    work.at.call(call).await.map_err(|failure| {
        let error = StoreStepError::from(failure).reaching(&store);
        // AWS has the password already. The recovery, which follows at once, reads how the store is.
        if tells && work.is_first { error.with(Stage::Unknown) } else { error }
    })?;
    let seen = read_back(&work.at, &store, |seen| seen.connection_state != Disconnected).await;
    let mut seen = seen.map_err(unread(&store))?;
    // AWS has accepted the call, and shows it with a delay.
    if seen.connection_state == Disconnected {
        seen.connection_state = Connecting;
    }
    Ok(Progress::Done { seen: Some(seen), related: None })
}

fn knows_password(work: &Work<'_>) -> bool {
    work.pending.store.cloud_hsm.as_ref().is_some_and(|known| known.told.is_some())
}

pub(super) async fn disconnect(
    work: &Work<'_>,
    before: Box<StoreAtAws>,
) -> Result<Progress<StoreTarget>, StoreStepError> {
    let store = before.id.clone();
    match before.connection_state {
        Disconnected | Disconnecting if work.is_first => {
            return Err(work.wrong_state(&before, "CONNECTED, CONNECTING or FAILED"));
        }
        Disconnected | Disconnecting => return Ok(Progress::Done { seen: Some(before), related: None }),
        _ => {}
    }
    let call = DisconnectCustomKeyStore { store: store.clone() };
    work.at.call(call).await.map_err(|failure| StoreStepError::from(failure).reaching(&store))?;
    let seen = read_back(&work.at, &store, |seen| seen.connection_state != before.connection_state).await;
    let mut seen = seen.map_err(unread(&store))?;
    if matches!(seen.connection_state, Connected | Connecting | Failed) {
        seen.connection_state = Disconnecting;
    }
    Ok(Progress::Done { seen: Some(seen), related: None })
}
