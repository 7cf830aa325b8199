//! The token with which Prometheus reads the metrics: enable, renew, disable, show and check it. It does not expire.

use super::access::{Administer, Permit};
use super::caller::{Change, RequestContext};
use super::failure::Failure;
use super::recorder::Recorder;
use super::secrets::Secrets;
use super::tokens;
use crate::domain::command::Command;
use crate::domain::event::Sealed;
use crate::domain::metrics::MetricsCommand;
use crate::domain::state::State;
use aws_lc_rs::constant_time::verify_slices_are_equal;
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
    /// The token that was unsealed last, so that not every scrape unseals it.
    known: Arc<Mutex<Option<Known>>>,
}

/// A token in both forms.
struct Known {
    sealed: Sealed,
    token: Zeroizing<String>,
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
        self.current(&self.recorder.state().state)
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
        match self.current(&self.recorder.state().state) {
            Ok(Some(token)) => verify_slices_are_equal(token.as_bytes(), text.as_bytes()).is_ok(),
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

    fn current(&self, state: &State) -> Result<Option<Zeroizing<String>>, Failure> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let installation = state.installation.as_ref();
        let Some((id, sealed)) = installation.and_then(|it| Some((it.id, it.metrics_token.as_ref()?))) else {
            *known = None;
            return Ok(None);
        };
        if let Some(known) = known.as_ref().filter(|known| known.sealed == *sealed) {
            return Ok(Some(known.token.clone()));
        }
        let bytes = self.secrets.unseal(&tokens::owner(id), PURPOSE, sealed)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Failure::Internal("the token of the metrics is no text"))?;
        let token = Zeroizing::new(text.to_owned());
        *known = Some(Known { sealed: sealed.clone(), token: token.clone() });
        Ok(Some(token))
    }
}
