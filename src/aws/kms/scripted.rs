//! A KMS for tests of the services, with a small model of keys: it does what AWS would, or fails or hangs on cue.
//!
//! One account, any region. A cue strikes before or after the effect: "after" is the crash that matters, AWS has done
//! it and nobody was told.

mod calls;
mod model;

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::port::NewKey;
use crate::aws::failure::AwsFailure;
use crate::aws::operation::Operation;
use crate::aws::port::Access;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::name::AwsKeyId;
use crate::domain::place::{AccountId, Region};
use model::Model;
pub use model::{ModelKey, NOW, refused, unwrapping_key};

/// What happens to the next call of an operation.
#[derive(Debug, Clone)]
pub enum Cue {
    /// It fails, and nothing is done.
    Fail(AwsFailure),
    /// It is done, and fails all the same.
    FailAfter(AwsFailure),
    /// It never returns, and nothing is done.
    Hang,
    /// It is done, and never returns.
    HangAfter,
}

/// A call that was made.
#[derive(Debug, Clone)]
pub struct RecordedCall {
    pub operation: Operation,
    /// The way in that the service chose.
    pub access: Access,
    pub region: Region,
    /// The key or alias that it was about; empty for lists and new keys.
    pub subject: String,
}

#[derive(Debug)]
pub struct ScriptedKms {
    account: AccountId,
    model: Mutex<Model>,
}

impl ScriptedKms {
    pub fn in_account(account: &str) -> Self {
        Self { account: AccountId::parse(account).expect("the test gives an account"), model: Mutex::default() }
    }

    /// What happens to the next call of an operation; several are used up in order.
    pub fn next(&self, operation: Operation, cue: Cue) {
        self.model().cues.push_back((operation, cue));
    }

    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.model().asked.clone()
    }

    /// How often an operation was called.
    pub fn times(&self, operation: Operation) -> usize {
        self.model().asked.iter().filter(|asked| asked.operation == operation).count()
    }

    pub fn keys(&self) -> Vec<ModelKey> {
        self.model().keys.values().cloned().collect()
    }

    /// A key as it is.
    pub fn key(&self, region: &Region, key: &AwsKeyId) -> Option<ModelKey> {
        self.model().keys.get(&(region.clone(), key.clone())).cloned()
    }

    /// Changes a key behind everybody's back.
    pub fn change(&self, region: &Region, key: &AwsKeyId, change: impl FnOnce(&mut ModelKey)) {
        change(self.model().keys.get_mut(&(region.clone(), key.clone())).expect("the test names a key"));
    }

    /// Makes a key behind everybody's back.
    pub fn plant(&self, region: &Region, key: &NewKey) -> KeyMetadata {
        self.model().create(self.account, region, key)
    }

    /// Makes a key vanish, as at the end of its deletion window.
    pub fn vanish(&self, region: &Region, key: &AwsKeyId) {
        let mut model = self.model();
        model.keys.remove(&(region.clone(), key.clone()));
        model.aliases.retain(|(there, _), target| there != region || target != key);
    }

    async fn play<T>(
        &self,
        operation: Operation,
        (access, region): (&Access, &Region),
        subject: &str,
        act: impl FnOnce(&mut Model) -> Result<T, AwsFailure>,
    ) -> Result<T, AwsFailure> {
        let outcome = {
            let mut model = self.model();
            let (access, region, subject) = (access.clone(), region.clone(), subject.to_owned());
            model.asked.push(RecordedCall { operation, access, region, subject });
            let cue = model.cues.iter().position(|(cued, _)| *cued == operation);
            match cue.and_then(|at| model.cues.remove(at)).map(|(_, cue)| cue) {
                None => Some(act(&mut model)),
                Some(Cue::Fail(failure)) => Some(Err(failure)),
                Some(Cue::FailAfter(failure)) => Some(act(&mut model).and(Err(failure))),
                Some(Cue::Hang) => None,
                Some(Cue::HangAfter) => act(&mut model).map_or_else(|failure| Some(Err(failure)), |_| None),
            }
        };
        match outcome {
            Some(outcome) => outcome,
            None => std::future::pending().await,
        }
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::port::{AwsKms, LockoutCheck, MaterialImport, NewReplica};
    use super::*;
    use crate::aws::page::Paging;
    use crate::aws::port::AccessKeys;
    use crate::domain::key::aws_enums::{KeyState, Origin};
    use crate::domain::key::days::DeletionWindow;
    use crate::domain::key::spec::{KeySpec, KeyUsage};
    use crate::domain::place::Partition;

    fn access() -> Access {
        let keys = AccessKeys { id: "AKIA1".to_owned(), secret: "s3cret".to_owned().into(), session_token: None };
        Access::with_keys(Partition::Aws, keys)
    }

    fn region(name: &str) -> Region {
        Region::parse(name).expect("a region")
    }

    fn new() -> NewKey {
        NewKey::plain(KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt)
    }

    #[tokio::test]
    async fn a_cue_strikes_before_or_after_the_effect() {
        let kms = ScriptedKms::in_account("123456789012");
        let (access, paris) = (access(), region("eu-west-3"));
        let failure = AwsFailure::Timeout { operation: Operation::CREATE_KEY, after: Duration::from_secs(1) };
        for (cue, keys) in
            [(Cue::Fail(failure.clone()), 0), (Cue::FailAfter(failure.clone()), 1), (Cue::Hang, 1), (Cue::HangAfter, 2)]
        {
            kms.next(Operation::CREATE_KEY, cue);
            let (key, limit) = (new(), Duration::from_millis(10));
            let call = tokio::time::timeout(limit, kms.create_key(&access, &paris, &key)).await;
            assert!(!matches!(call, Ok(Ok(_))), "{call:?}");
            assert_eq!(kms.keys().len(), keys);
        }
        assert!(kms.create_key(&access, &paris, &new()).await.is_ok());
        assert_eq!(kms.times(Operation::CREATE_KEY), 5);
    }

    #[tokio::test]
    async fn the_model_keeps_awss_states() {
        let kms = ScriptedKms::in_account("123456789012");
        let (access, paris, ireland) = (access(), region("eu-west-3"), region("eu-west-1"));
        let external = NewKey { origin: Origin::External, multi_region: true, ..new() };
        let key = kms.create_key(&access, &paris, &external).await.expect("made").key_id().clone();
        assert!(kms.enable(&access, &paris, &key).await.expect_err("it has no material").is_invalid_state());
        let import = MaterialImport::first(b"token".to_vec(), b"wrapped".to_vec());
        kms.import_material(&access, &paris, &key, &import).await.expect("imported");
        let replica = NewReplica {
            region: ireland.clone(),
            description: String::new(),
            policy: None,
            lockout: LockoutCheck::Kept,
            tags: Vec::new(),
        };
        let metadata = kms.replicate(&access, &paris, &key, &replica).await.expect("replicated");
        assert_eq!((&metadata.state, metadata.region()), (&KeyState::PendingImport, &ireland));
        let twice = kms.replicate(&access, &paris, &key, &replica).await;
        assert!(twice.expect_err("it is there").is_already_there());
        let scheduled = kms.schedule_deletion(&access, &paris, &key, DeletionWindow::default()).await.expect("done");
        assert_eq!((scheduled.date, scheduled.state), (None, Some(KeyState::PendingReplicaDeletion)));
        kms.cancel_deletion(&access, &paris, &key).await.expect("called off");
        assert_eq!(kms.key(&paris, &key).expect("there").metadata.state, KeyState::Disabled);
        kms.vanish(&ireland, &key);
        assert!(kms.describe_key(&access, &ireland, &key).await.expect_err("gone").is_not_found());
    }

    #[tokio::test]
    async fn lists_have_pages() {
        let kms = ScriptedKms::in_account("123456789012");
        let (access, paris) = (access(), region("eu-west-3"));
        (0..5).for_each(|_| drop(kms.plant(&paris, &new())));
        let (mut paging, mut seen) = (Paging::first(2), 0);
        loop {
            let page = kms.list_keys(&access, &paris, &paging).await.expect("answered");
            seen += page.items.len();
            match page.next {
                Some(next) => paging.marker = Some(next),
                None => break,
            }
        }
        assert_eq!((seen, kms.times(Operation::LIST_KEYS)), (5, 3));
    }
}
