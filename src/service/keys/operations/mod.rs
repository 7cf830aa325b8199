//! The operations on keys. Each operation, or group of similar operations, has one file. It defines the call that
//! creates or changes the key, the steps that follow, the check that AWS shows the change, and the recovery.
//!
//! A recovery after a crash does nothing twice: it finds a created key by its mark, and only reads the result of a call
//! that must not be repeated.

mod aliases;
mod create;
mod deletion;
mod link;
mod material;
mod policy;
mod properties;
mod replicas;
mod rotate;
mod rotation;
mod search;
mod target;
mod upload;

pub(in crate::service) use target::KeyTarget;

use crate::aws::failure::AwsFailure;
use crate::aws::operation::AwsOperation;
use crate::domain::command::Command;
use crate::domain::id::{KeyId, KmsId, OperationId};
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::command::KeyCommand;
use crate::domain::key::follow_up;
use crate::domain::key::material::MaterialId;
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::operation::Operation;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::place::Region;
use crate::domain::state::{PendingOperation, State};
use crate::ledger::Committed;
use crate::service::caller::Change;
use crate::service::cloud::RegionAccess;
use crate::service::failure::Failure;
use crate::service::operations::{Answer, Operations, StepError};
use futures_util::future::BoxFuture;
use std::sync::OnceLock;
use uuid::Uuid;

type KeyStepError = StepError<KeyTarget>;

pub(in crate::service) type KeyOperations = Operations<KeyTarget>;

/// An operation to request.
pub(in crate::service) struct OperationRequest {
    /// The id of an existing key, or of the key to create.
    pub key: KeyId,
    pub kms: KmsId,
    pub region: Region,
    pub wanted: Operation,
}

impl KeyOperations {
    /// Records the intent, calls AWS, and records the outcome.
    ///
    /// # Errors
    /// The refusal by a rule, or the failure of AWS.
    pub(in crate::service) async fn request(
        &self,
        change: &Change,
        request: OperationRequest,
    ) -> Result<Committed, Failure> {
        let operation = OperationId::new(Uuid::new_v4());
        let OperationRequest { key: id, kms, region, wanted } = request;
        let request = KeyCommand::Request { id, operation, kms, region, wanted: Box::new(wanted) };
        let record = self.target().recorder.append(change, Command::Key(request));
        self.request_recorded(change, id, operation, record).await
    }

    /// Does the same, with an intent that `record` records.
    ///
    /// # Errors
    /// The refusal by a rule, or the failure of AWS.
    pub(in crate::service) async fn request_recorded(
        &self,
        change: &Change,
        id: KeyId,
        operation: OperationId,
        record: impl Future<Output = Result<Committed, Failure>>,
    ) -> Result<Committed, Failure> {
        match self.run_recorded(change, operation, record).await? {
            Answer::Concluded(committed) if !change.dry_run => Ok(self.follow_up(change, id, committed).await),
            Answer::Concluded(committed) | Answer::Underway(committed) => Ok(committed),
        }
    }

    /// Carries out the operations that follow from one on this key. One that fails is tried again later, and does not
    /// fail the operation that it follows from.
    async fn follow_up(&self, change: &Change, id: KeyId, mut committed: Committed) -> Committed {
        // The caller's right was for the operation itself.
        let change = change.done();
        let recorder = &self.target().recorder;
        let mut tried = Vec::new();
        loop {
            let following = follow_up::of(&committed.published.state, id, recorder.now());
            let Some(next) = following.into_iter().find(|next| !tried.contains(next)) else { return committed };
            tried.push(next.clone());
            let (key, wanted) = next;
            let Some((operation, request)) = request_of(&committed.published.state, key, wanted) else { continue };
            committed = match self.run(&change, operation, request).await {
                Ok(Answer::Concluded(next) | Answer::Underway(next)) => next,
                Err(failure) => {
                    tracing::warn!(%key, %failure, "an operation that follows from another failed; it is tried again");
                    Committed { published: recorder.state(), ..committed }
                }
            };
        }
    }
}

/// The request for an operation on an existing key, with the id of the operation.
fn request_of(state: &State, id: KeyId, wanted: Operation) -> Option<(OperationId, Command)> {
    let key = state.keys.get(&id)?;
    let operation = OperationId::new(Uuid::new_v4());
    let (kms, region) = (key.kms, key.region.clone());
    let request = KeyCommand::Request { id, operation, kms, region, wanted: Box::new(wanted) };
    Some((operation, Command::Key(request)))
}

/// The context of an attempt.
struct Work<'a> {
    target: &'a KeyTarget,
    at: RegionAccess,
    operation: OperationId,
    pending: &'a PendingOperation,
    /// AWS's id of the material that a step imported.
    imported: OnceLock<MaterialId>,
}

/// The key of an operation at AWS, and the response of AWS if this attempt created it.
struct Made {
    id: AwsKeyId,
    created: Option<Box<KeyMetadata>>,
}

/// An operation that creates a key.
trait MakesKey: Send + Sync {
    /// Creates the key. This is never repeated, since each call creates another key.
    fn make<'a>(&'a self, work: &'a Work<'_>) -> BoxFuture<'a, Result<Made, KeyStepError>>;

    /// Finds the key that `make` may have created.
    fn find<'a>(&'a self, work: &'a Work<'_>) -> BoxFuture<'a, Result<AwsKeyId, KeyStepError>> {
        Box::pin(async move { search::marked_key(work).await })
    }

    /// Takes the steps that follow the creation. Each can be repeated.
    fn finish<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>>;

    /// Returns whether AWS shows the result.
    fn shows(&self, seen: &Snapshot) -> bool;

    /// The policy that the key is created with; `None` for AWS's default.
    fn policy(&self) -> Option<&PolicyText>;

    /// Returns whether the key serves its purpose although a step failed.
    fn is_complete(&self, _state: &State, _seen: &Snapshot) -> bool {
        false
    }

    /// Returns whether the key can be deleted again after a step failed, because nobody can use it yet.
    fn is_unused(&self, _seen: &Snapshot) -> bool {
        true
    }
}

/// An operation on an existing key.
trait ChangesKey: Send + Sync {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>>;

    /// Takes the steps of a recovery, when AWS may have done the change. By default there are none, and only the result
    /// is read.
    fn recover<'a>(&'a self, _work: &'a Work<'_>, _key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move { Ok(()) })
    }

    /// Returns whether AWS shows the result.
    fn shows(&self, seen: &Snapshot) -> bool;

    /// The policy that the operation puts, if any.
    fn policy(&self) -> Option<&PolicyText> {
        None
    }
}

/// The steps of one operation.
enum KeyOperation<'a> {
    Makes(Box<dyn MakesKey + 'a>),
    Changes(Box<dyn ChangesKey + 'a>),
}

/// The name of an operation, and its calls to AWS in order. The crash matrix kills the program before each of them.
pub struct OperationSteps {
    pub operation: &'static str,
    pub calls: &'static [AwsOperation],
}

/// The table of all operations. An operation without a row does not compile.
macro_rules! operations {
    ($($pattern:pat => $kind:ident($steps:path, $operation:expr);)*) => {
        fn of(wanted: &Operation) -> KeyOperation<'_> {
            match wanted {
                $($pattern => KeyOperation::$kind(Box::new($operation)),)*
            }
        }

        /// The steps of all operations.
        pub const STEPS: &[OperationSteps] = &[$($steps),*];
    };
}

operations! {
    Operation::Create(new) => Makes(create::STEPS, create::Create { new, store: None });
    Operation::CreateInStore { new, store } =>
        Makes(create::IN_STORE, create::Create { new, store: Some(*store) });
    Operation::Link { new, store, is_new } => Makes(link::STEPS, link::Link { new, store: *store, is_new: *is_new });
    Operation::Upload { new, import } => Makes(upload::STEPS, upload::Upload { new, import });
    Operation::Rotate { from, new, import, old } =>
        Makes(rotate::STEPS, rotate::Rotate { from: *from, new, import: import.as_ref(), old });
    Operation::Replicate { of: _, new } => Makes(replicas::REPLICATE, replicas::Replicate { new });
    Operation::MovePrimary { to } => Changes(replicas::MOVE_PRIMARY, replicas::MovePrimary { to });
    Operation::Enable => Changes(properties::ENABLE, properties::Enable);
    Operation::Disable => Changes(properties::DISABLE, properties::Disable);
    Operation::Describe { to } => Changes(properties::DESCRIBE, properties::Describe { to });
    Operation::Tag { tags } => Changes(properties::TAG, properties::AddTags { tags });
    Operation::Untag { keys } => Changes(properties::UNTAG, properties::RemoveTags { keys });
    Operation::PutPolicy { policy, template } =>
        Changes(policy::STEPS, policy::PutPolicy { policy, template: template.as_deref() });
    Operation::AddAlias { alias, from: None } => Changes(aliases::ADD, aliases::AddAlias { alias });
    Operation::AddAlias { alias, from: Some(_) } => Changes(aliases::MOVE, aliases::MoveAlias { alias });
    Operation::DeleteAlias { alias } => Changes(aliases::DELETE, aliases::DeleteAlias { alias });
    Operation::EnableRotation { period } => Changes(rotation::ENABLE, rotation::EnableRotation { period: *period });
    Operation::DisableRotation => Changes(rotation::DISABLE, rotation::DisableRotation);
    Operation::RotateMaterial => Changes(rotation::ROTATE_MATERIAL, rotation::RotateMaterial);
    Operation::ImportMaterial(import) => Changes(material::IMPORT, material::ImportMaterial { import });
    Operation::DeleteMaterial { material } =>
        Changes(material::DELETE, material::DeleteMaterial { material: material.as_ref() });
    Operation::ScheduleDeletion { window } =>
        Changes(deletion::SCHEDULE, deletion::ScheduleDeletion { window: *window });
    Operation::CancelDeletion => Changes(deletion::CANCEL, deletion::CancelDeletion);
}

/// Adds the key that is known to exist to the error of a step.
trait Reaching<T> {
    fn reaching(self, key: &AwsKeyId) -> Result<T, KeyStepError>;
}

impl<T> Reaching<T> for Result<T, KeyStepError> {
    fn reaching(self, key: &AwsKeyId) -> Self {
        self.map_err(|error| error.reaching(key))
    }
}

impl<T> Reaching<T> for Result<T, AwsFailure> {
    fn reaching(self, key: &AwsKeyId) -> Result<T, KeyStepError> {
        self.map_err(KeyStepError::from).reaching(key)
    }
}
