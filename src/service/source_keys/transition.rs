//! Changes of the state of a source key: revoke, reactivate, archive, recover, destroy.

use super::{SourceKeys, owner, shown};
use crate::domain::id::SourceKeyId;
use crate::domain::source_key::lifecycle::{ReactivationReason, Revocation};
use crate::domain::source_key::{SourceKey, SourceKeyCommand};
use crate::domain::time::Time;
use crate::service::access::{ManageSourceKeys, Permit};
use crate::service::caller::RequestContext;
use crate::service::failure::Failure;
use std::sync::Arc;

#[derive(Clone)]
pub enum Transition {
    Revoke {
        revocation: Revocation,
        /// When a compromise is believed to have happened; `None` for the time of the creation.
        occurred: Option<Time>,
    },
    Reactivate {
        reason: ReactivationReason,
        message: String,
    },
    Archive,
    Recover,
    /// Destroy the material and keep the entry.
    Destroy,
}

impl SourceKeys {
    /// Changes the state of a source key. The destruction deletes the data key that sealed the material.
    ///
    /// # Errors
    /// When the present state forbids it, or the source key is undeletable and would be destroyed.
    pub async fn transition(
        &self,
        permit: Permit<ManageSourceKeys>,
        context: &RequestContext,
        id: SourceKeyId,
        transition: Transition,
    ) -> Result<Arc<SourceKey>, Failure> {
        let change = permit.caller().change(context);
        let destroys = matches!(transition, Transition::Destroy);
        let committed = self.command(&change, move |at| transition.clone().command(id, at)).await?;
        if destroys {
            self.secrets.shred(&change, &owner(id)).await;
        }
        shown(&committed, id)
    }
}

impl Transition {
    fn command(self, id: SourceKeyId, at: Time) -> SourceKeyCommand {
        match self {
            Self::Revoke { revocation, occurred } => SourceKeyCommand::Revoke { id, revocation, occurred, at },
            Self::Reactivate { reason, message } => SourceKeyCommand::Reactivate { id, reason, message, at },
            Self::Archive => SourceKeyCommand::Archive { id, at },
            Self::Recover => SourceKeyCommand::Recover { id, at },
            Self::Destroy => SourceKeyCommand::Destroy { id },
        }
    }
}
