//! An implementation of the port for tests of the services, on a small model of keys. It behaves as AWS, or fails or
//! hangs as scripted.
//!
//! The model has one account and any region. A scripted failure occurs before or after the effect. "After" is the case
//! in which AWS has executed the call and the answer is lost.

mod answers;
mod key_stores;
mod model;

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use super::calls::{Answer, CreateKey, Request};
use super::custom_key_store::CustomKeyStore;
use super::port::AwsKms;
use crate::aws::failure::AwsFailure;
use crate::aws::operation::AwsOperation;
use crate::aws::port::Access;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::name::AwsKeyId;
use crate::domain::place::{AccountId, Region};
use model::Model;
pub use model::{ModelKey, NOW, refused, unwrapping_key};

/// The scripted outcome of a call.
#[derive(Debug, Clone)]
pub enum Cue {
    /// The call fails without an effect.
    Fail(AwsFailure),
    /// The call takes effect and fails.
    FailAfter(AwsFailure),
    /// The call never returns and has no effect.
    Hang,
    /// The call takes effect and never returns.
    HangAfter,
}

/// A recorded call.
#[derive(Debug, Clone)]
pub struct RecordedCall {
    pub access: Access,
    pub region: Region,
    pub request: Request,
}

impl RecordedCall {
    pub fn operation(&self) -> AwsOperation {
        self.request.operation()
    }
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

    /// Adds the outcome of one call of an operation. Outcomes are used in the order in which they were added.
    pub fn next(&self, operation: AwsOperation, cue: Cue) {
        self.model().cues.push_back((operation, cue));
    }

    /// The calls so far, in order.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.model().recorded.clone()
    }

    /// The number of calls of an operation.
    pub fn times(&self, operation: AwsOperation) -> usize {
        self.model().recorded.iter().filter(|call| call.operation() == operation).count()
    }

    pub fn keys(&self) -> Vec<ModelKey> {
        self.model().keys.values().cloned().collect()
    }

    pub fn key(&self, region: &Region, key: &AwsKeyId) -> Option<ModelKey> {
        self.model().keys.get(&(region.clone(), key.clone())).cloned()
    }

    pub fn key_stores(&self) -> Vec<CustomKeyStore> {
        self.model().key_stores.values().cloned().collect()
    }

    /// Creates or changes a custom key store from outside the tested program.
    pub fn plant_key_store(&self, region: &Region, store: CustomKeyStore) {
        self.model().key_stores.insert((region.clone(), store.id.clone()), store);
    }

    /// Removes a custom key store from outside the tested program.
    pub fn remove_key_store(&self, region: &Region, id: &str) {
        self.model().key_stores.remove(&(region.clone(), id.to_owned()));
    }

    /// Changes a key from outside the tested program.
    pub fn change(&self, region: &Region, key: &AwsKeyId, change: impl FnOnce(&mut ModelKey)) {
        change(self.model().keys.get_mut(&(region.clone(), key.clone())).expect("the test names a key"));
    }

    /// Creates a key from outside the tested program.
    pub fn plant(&self, region: &Region, call: &CreateKey) -> KeyMetadata {
        self.model().create(self.account, region, call)
    }

    /// Removes a key, as at the end of its deletion window.
    pub fn vanish(&self, region: &Region, key: &AwsKeyId) {
        let mut model = self.model();
        model.keys.remove(&(region.clone(), key.clone()));
        model.aliases.retain(|(there, _), target| there != region || target != key);
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AwsKms for ScriptedKms {
    fn send<'a>(
        &'a self,
        access: &'a Access,
        region: &'a Region,
        request: Request,
    ) -> BoxFuture<'a, Result<Answer, AwsFailure>> {
        Box::pin(async move {
            let outcome = {
                let mut model = self.model();
                let (access, call) = (access.clone(), request.clone());
                model.recorded.push(RecordedCall { access, region: region.clone(), request: call });
                let operation = request.operation();
                let cue = model.cues.iter().position(|(cued, _)| *cued == operation);
                let cue = cue.and_then(|at| model.cues.remove(at)).map(|(_, cue)| cue);
                let mut answer = || model.answer(self.account, region, &request);
                match cue {
                    None => Some(answer()),
                    Some(Cue::Fail(failure)) => Some(Err(failure)),
                    Some(Cue::FailAfter(failure)) => Some(answer().and(Err(failure))),
                    Some(Cue::Hang) => None,
                    Some(Cue::HangAfter) => answer().map_or_else(|failure| Some(Err(failure)), |_| None),
                }
            };
            match outcome {
                Some(outcome) => outcome,
                None => std::future::pending().await,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::aws::call::AwsCall;
    use crate::aws::kms::calls::{
        CancelKeyDeletion, DescribeKey, EnableKey, ImportKeyMaterial, ListKeys, ReplicateKey, ScheduleKeyDeletion,
    };
    use crate::aws::page::Paging;
    use crate::aws::port::AccessKeys;
    use crate::domain::key::aws_enums::{KeyState, Origin};
    use crate::domain::key::days::DeletionWindow;
    use crate::domain::key::operation::{NewKey, NewReplica};
    use crate::domain::place::Partition;

    fn access() -> Access {
        let keys = AccessKeys { id: "AKIA1".to_owned(), secret: "s3cret".to_owned().into(), session_token: None };
        Access::with_keys(Partition::Aws, keys)
    }

    fn region(name: &str) -> Region {
        Region::parse(name).expect("a region")
    }

    #[tokio::test]
    async fn a_cue_applies_before_or_after_the_effect() {
        let kms = ScriptedKms::in_account("123456789012");
        let port: &dyn AwsKms = &kms;
        let (access, paris) = (access(), region("eu-west-3"));
        let failure = AwsFailure::Timeout { operation: CreateKey::OPERATION, after: Duration::from_secs(1) };
        for (cue, keys) in
            [(Cue::Fail(failure.clone()), 0), (Cue::FailAfter(failure.clone()), 1), (Cue::Hang, 1), (Cue::HangAfter, 2)]
        {
            kms.next(CreateKey::OPERATION, cue);
            let limit = Duration::from_millis(10);
            let call = tokio::time::timeout(limit, port.call(&access, &paris, CreateKey::plain())).await;
            assert!(!matches!(call, Ok(Ok(_))), "{call:?}");
            assert_eq!(kms.keys().len(), keys);
        }
        assert!(port.call(&access, &paris, CreateKey::plain()).await.is_ok());
        assert_eq!(kms.times(CreateKey::OPERATION), 5);
    }

    #[tokio::test]
    async fn the_model_has_the_key_states_of_aws() {
        let kms = ScriptedKms::in_account("123456789012");
        let port: &dyn AwsKms = &kms;
        let (access, paris, ireland) = (access(), region("eu-west-3"), region("eu-west-1"));
        let external = CreateKey::of(NewKey { origin: Origin::External, multi_region: true, ..CreateKey::plain().new });
        let key = port.call(&access, &paris, external).await.expect("made").key_id().clone();
        let enabled = port.call(&access, &paris, EnableKey { key: key.clone() }).await;
        assert!(enabled.expect_err("it has no material").is_invalid_state());
        let import = ImportKeyMaterial::first(key.clone(), b"token".to_vec(), b"wrapped".to_vec());
        port.call(&access, &paris, import).await.expect("imported");
        let new = NewReplica {
            key: key.clone(),
            primary: paris.clone(),
            aliases: Vec::new(),
            description: String::new(),
            policy: None,
            bypass_lockout_check: false,
            tags: Vec::new(),
        };
        let replica = ReplicateKey { new, replica_region: ireland.clone() };
        let metadata = port.call(&access, &paris, replica.clone()).await.expect("replicated");
        assert_eq!((&metadata.state, metadata.region()), (&KeyState::PendingImport, &ireland));
        let twice = port.call(&access, &paris, replica).await;
        assert!(twice.expect_err("it is there").is_already_there());
        let deletion = ScheduleKeyDeletion { key: key.clone(), window: DeletionWindow::default() };
        let scheduled = port.call(&access, &paris, deletion).await.expect("done");
        assert_eq!((scheduled.date, scheduled.state), (None, Some(KeyState::PendingReplicaDeletion)));
        port.call(&access, &paris, CancelKeyDeletion { key: key.clone() }).await.expect("called off");
        assert_eq!(kms.key(&paris, &key).expect("there").metadata.state, KeyState::Disabled);
        kms.vanish(&ireland, &key);
        assert!(port.call(&access, &ireland, DescribeKey::of(key)).await.expect_err("gone").is_not_found());
    }

    #[tokio::test]
    async fn lists_have_pages() {
        let kms = ScriptedKms::in_account("123456789012");
        let port: &dyn AwsKms = &kms;
        let (access, paris) = (access(), region("eu-west-3"));
        (0..5).for_each(|_| drop(kms.plant(&paris, &CreateKey::plain())));
        let (mut pages, mut seen) = (port.pages(&access, &paris, ListKeys { paging: Paging::first(2) }), 0);
        while let Some(keys) = pages.next().await.expect("answered") {
            seen += keys.len();
        }
        assert_eq!((seen, kms.times(ListKeys::OPERATION)), (5, 3));
    }
}
