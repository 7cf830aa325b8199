//! Stores in CloudHSM clusters: creation, and the password of `kmsuser`, which is in memory only.
//!
//! - AWS shows neither the password nor a hash of it
//! - recovery: without the password nothing more is told to AWS. What AWS shows is recorded, and that it is not known
//!   which password AWS has

use super::create::Creation;
use super::reading::count_hsms;
use super::{StoreStepError, Work};
use crate::aws::kms::calls::{NewKeyStoreBacking, UpdateCustomKeyStore};
use crate::aws::kms::custom_key_store::KmsuserPassword;
use crate::domain::id::OperationId;
use crate::domain::key_store::at_aws::StoreAtAws;
use crate::service::failure::Failure;
use crate::service::operations::Attempt;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The difference of AWS's clock to this one, and more.
const CLOCK_SKEW_SECONDS: i64 = 300;

pub(super) async fn create(work: &Work<'_>, attempt: &Attempt<String>) -> Result<Box<StoreAtAws>, StoreStepError> {
    let store = &work.pending.store;
    let cluster = store.cloud_hsm.as_ref().ok_or(Failure::Internal("a CloudHSM key store has no cluster"))?;
    let backing = || {
        Ok(NewKeyStoreBacking::CloudHsm {
            cluster: cluster.cluster.clone(),
            password: work.password()?,
            trust_anchor: cluster.trust_anchor.clone(),
        })
    };
    // A cluster backs one store only.
    let is_new = |seen: &StoreAtAws| {
        seen.created_at.is_none_or(|created| created.plus_seconds(CLOCK_SKEW_SECONDS) >= work.pending.since)
    };
    let is_ours = |seen: &StoreAtAws| store.is_cluster_of(seen) && is_new(seen);
    let seen = Creation { backing, is_ours, taken_over_after: &[] }.attempt(work, attempt).await?;
    Ok(counted(work, seen).await)
}

/// Tells AWS the password of the operation.
pub(super) async fn tell_password(work: &Work<'_>, store: &str) -> Result<(), StoreStepError> {
    let password = Some(work.password()?);
    let call = UpdateCustomKeyStore { store: store.to_owned(), password, ..UpdateCustomKeyStore::default() };
    work.at.call(call).await.map_err(|failure| StoreStepError::from(failure).reaching(&store.to_owned()))
}

/// The store with the number of its HSMs, if it can be read.
pub(super) async fn counted(work: &Work<'_>, mut seen: Box<StoreAtAws>) -> Box<StoreAtAws> {
    if let Err(failure) = count_hsms(&work.at, std::slice::from_mut(&mut *seen)).await {
        tracing::warn!(store = %work.pending.store.id, %failure, "the HSMs of a cluster could not be counted");
    }
    seen
}

impl Work<'_> {
    /// The password that AWS is told.
    ///
    /// # Errors
    /// [`Failure::Interrupted`] if the program has ended since it was given.
    pub(super) fn password(&self) -> Result<KmsuserPassword, Failure> {
        self.target.passwords.get(self.pending.operation).ok_or(Failure::Interrupted)
    }
}

/// The passwords of pending operations.
#[derive(Default)]
pub(in crate::service) struct Passwords(Mutex<HashMap<OperationId, KmsuserPassword>>);

impl Passwords {
    /// Keeps the password of an operation until [`Passwords::forget`], or until the returned guard is dropped while the
    /// operation is not pending.
    pub(in crate::service) fn keep<P: Fn() -> bool>(
        &self,
        operation: OperationId,
        password: KmsuserPassword,
        is_pending: P,
    ) -> Kept<'_, P> {
        self.all().insert(operation, password);
        Kept { passwords: self, operation, is_pending }
    }

    pub(in crate::service) fn forget(&self, operation: OperationId) {
        self.all().remove(&operation);
    }

    fn get(&self, operation: OperationId) -> Option<KmsuserPassword> {
        self.all().get(&operation).cloned()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<OperationId, KmsuserPassword>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A password that is kept for a request. Without a pending operation nothing else would forget it.
pub(in crate::service) struct Kept<'a, P: Fn() -> bool> {
    passwords: &'a Passwords,
    operation: OperationId,
    is_pending: P,
}

impl<P: Fn() -> bool> Drop for Kept<'_, P> {
    fn drop(&mut self) {
        if !(self.is_pending)() {
            self.passwords.forget(self.operation);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;
    use zeroize::Zeroizing;

    #[test]
    fn a_password_goes_with_a_request_that_ends_before_its_operation_is_recorded() {
        let (passwords, operation) = (Passwords::default(), OperationId::new(Uuid::from_u128(1)));
        let password = || KmsuserPassword(Zeroizing::new("lab-only-kmsuser".to_owned()));
        for is_pending in [false, true] {
            let kept = passwords.keep(operation, password(), || is_pending);
            assert!(passwords.get(operation).is_some());
            drop(kept);
            assert_eq!(passwords.get(operation).is_some(), is_pending);
        }
        // The operation has an outcome.
        passwords.forget(operation);
        assert!(passwords.get(operation).is_none());
    }
}
