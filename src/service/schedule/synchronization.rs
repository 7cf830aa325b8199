//! What a synchronisation run does: it starts a synchronisation of the KMSs that its plan names.

use crate::domain::schedule::SynchronizationPlan;
use crate::service::Core;
use crate::service::caller::Change;
use crate::service::failure::{Failure, invalid};
use std::sync::Arc;

impl Core {
    /// Brings what is known here of these KMSs in line with AWS.
    ///
    /// # Errors
    /// What stands against it.
    pub(super) async fn synchronize_kms(
        self: &Arc<Self>,
        _change: &Change,
        _plan: &SynchronizationPlan,
    ) -> Result<(), Failure> {
        Err(invalid("operation", "`cckm_synchronization`: there are no synchronisation jobs in this version"))
    }
}
