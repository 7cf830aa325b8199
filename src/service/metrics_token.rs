//! The token with which Prometheus reads the metrics: enable, renew, disable, show and check it. It does not expire.

use super::access::{Administer, Permit};
use super::caller::{Change, RequestContext};
use super::failure::Failure;
use super::recorder::Recorder;
use super::secrets::Secrets;
use super::tokens;
use crate::domain::command::Command;
use crate::domain::event::Sealed;
use crate::domain::id::InstallationId;
use crate::domain::metrics::MetricsCommand;
use crate::domain::state::State;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The purpose under which the token is sealed.
const PURPOSE: &str = "metrics-token";

/// The use cases of the token. Cheap to clone.
#[derive(Clone)]
pub struct MetricsToken {
    recorder: Recorder,
    secrets: Secrets,
    /// What is known of the token, so that not every scrape unseals it.
    known: Arc<Mutex<Option<Known>>>,
}

/// A sealed token, and the SHA-256 of the token.
struct Known {
    sealed: Sealed,
    hash: Digest,
}

impl MetricsToken {
    pub(super) fn new(recorder: Recorder, secrets: Secrets) -> Self {
        Self { recorder, secrets, known: Arc::default() }
    }

    /// Returns the token; `None` if there is none.
    ///
    /// # Errors
    /// When the token cannot be unsealed.
    pub fn get(&self, _permit: &Permit<Administer>) -> Result<Option<Zeroizing<String>>, Failure> {
        match sealed_in(&self.recorder.state().state) {
            Some((id, sealed)) => self.unsealed(id, sealed).map(Some),
            None => Ok(None),
        }
    }

    /// Makes a token, unless there is one and it is not to be renewed. Returns the one that is valid now.
    ///
    /// # Errors
    /// When the log or the keyring fails.
    pub async fn enable(
        &self,
        permit: &Permit<Administer>,
        context: &RequestContext,
        replace: bool,
    ) -> Result<Option<Zeroizing<String>>, Failure> {
        let change = permit.caller().change(context);
        let installation = permit.caller().published.state.installation.as_ref();
        let id = installation.ok_or(Failure::Internal("the log has no installation"))?.id;
        let mut bytes = Zeroizing::new([0u8; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| Failure::Internal("the system gives no random numbers"))?;
        let token = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()));
        let sealed = self.secrets.seal(&change, &tokens::owner(id), PURPOSE, token.as_bytes()).await?;
        self.append(&change, MetricsCommand::Enable { token: sealed, replace }).await?;
        match change.dry_run {
            true => Ok(None),
            false => self.get(permit),
        }
    }

    /// Removes the token, if there is one.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn disable(&self, permit: &Permit<Administer>, context: &RequestContext) -> Result<(), Failure> {
        self.append(&permit.caller().change(context), MetricsCommand::Disable).await
    }

    /// Returns whether a text is the token.
    pub fn is(&self, text: &str) -> bool {
        match self.hash(&self.recorder.state().state) {
            Ok(Some(hash)) => verify_slices_are_equal(hash.as_ref(), digest(&SHA256, text.as_bytes()).as_ref()).is_ok(),
            Ok(None) => false,
            Err(failure) => {
                tracing::error!(%failure, "the token of the metrics cannot be unsealed");
                false
            }
        }
    }

    async fn append(&self, change: &Change, command: MetricsCommand) -> Result<(), Failure> {
        self.recorder.append(change, Command::Metrics(command)).await.map(drop)
    }

    /// The SHA-256 of the token; `None` if there is none.
    fn hash(&self, state: &State) -> Result<Option<Digest>, Failure> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((id, sealed)) = sealed_in(state) else {
            *known = None;
            return Ok(None);
        };
        if let Some(known) = known.as_ref().filter(|known| known.sealed == *sealed) {
            return Ok(Some(known.hash));
        }
        let hash = digest(&SHA256, self.unsealed(id, sealed)?.as_bytes());
        *known = Some(Known { sealed: sealed.clone(), hash });
        Ok(Some(hash))
    }

    fn unsealed(&self, id: InstallationId, sealed: &Sealed) -> Result<Zeroizing<String>, Failure> {
        let bytes = self.secrets.unseal(&tokens::owner(id), PURPOSE, sealed)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Failure::Internal("the token of the metrics is no text"))?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

/// The installation and its sealed token, if there is one.
fn sealed_in(state: &State) -> Option<(InstallationId, &Sealed)> {
    let installation = state.installation.as_ref()?;
    Some((installation.id, installation.metrics_token.as_ref()?))
}
