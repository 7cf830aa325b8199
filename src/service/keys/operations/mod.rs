//! The operations on keys: one file each, or one for a kind of them, that says all of it. A file tells which call makes
//! or changes the key, what else is done, when AWS shows that it is done, and how it is recovered.
//!
//! Every step can be taken again after a crash without doing anything twice: what AWS has made is found by its tag, and
//! what cannot be repeated is only looked for.

mod aliases;
mod create;
mod deletion;
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
use async_trait::async_trait;
use uuid::Uuid;

/// What stops an operation on a key.
type KeyStepError = StepError<KeyTarget>;

/// The operations on keys, as use cases ask for them.
pub(in crate::service) type KeyOperations = Operations<KeyTarget>;

/// An operation that is to be requested.
pub(in crate::service) struct OperationRequest {
    /// The key: one of ours, or a new one.
    pub key: KeyId,
    pub kms: KmsId,
    pub region: Region,
    pub wanted: Operation,
}

impl KeyOperations {
    /// Writes the intent down, asks AWS, and writes the outcome down.
    ///
    /// # Errors
    /// What stands against it here, or what AWS says.
    pub(in crate::service) async fn request(
        &self,
        change: &Change,
        request: OperationRequest,
    ) -> Result<Committed, Failure> {
        let operation = OperationId::new(Uuid::new_v4());
        let OperationRequest { key: id, kms, region, wanted } = request;
        let request = KeyCommand::Request { id, operation, kms, region, wanted: Box::new(wanted) };
        match self.run(change, operation, Command::Key(request)).await? {
            Answer::Concluded(committed) | Answer::Underway(committed) => Ok(committed),
        }
    }
}

/// An operation on its way.
struct Work<'a> {
    target: &'a KeyTarget,
    at: RegionAccess,
    operation: OperationId,
    pending: &'a PendingOperation,
}

/// A key that AWS has made, and what it told of it.
struct Made {
    id: AwsKeyId,
    told: Option<Box<KeyMetadata>>,
}

/// An operation that makes a key.
#[async_trait]
trait MakesKey: Send + Sync {
    /// The call that makes it. It is never sent twice: each time would make another key.
    async fn make(&self, work: &Work<'_>) -> Result<Made, KeyStepError>;

    /// Finds the key that `make` may have made.
    async fn find(&self, work: &Work<'_>) -> Result<AwsKeyId, KeyStepError> {
        search::marked_key(work).await
    }

    /// What follows once the key is there; each step can be taken again.
    async fn finish(&self, work: &Work<'_>, key: &AwsKeyId) -> Result<(), KeyStepError>;

    /// Does AWS show that it was done?
    fn shows(&self, seen: &Snapshot) -> bool;

    /// The policy that the key is made with, if it is not AWS's default.
    fn policy(&self) -> Option<&PolicyText>;

    /// Has the key all that matters, although a step failed?
    fn is_complete(&self, _state: &State, _seen: &Snapshot) -> bool {
        false
    }
}

/// An operation on a key that is there.
#[async_trait]
trait ChangesKey: Send + Sync {
    async fn change(&self, work: &Work<'_>, key: &AwsKeyId) -> Result<(), KeyStepError>;

    /// What is done when AWS may have done it already: nothing, but for looking what it holds now.
    async fn recover(&self, _work: &Work<'_>, _key: &AwsKeyId) -> Result<(), KeyStepError> {
        Ok(())
    }

    /// Does AWS show that it was done?
    fn shows(&self, seen: &Snapshot) -> bool;

    /// The policy that it puts.
    fn policy(&self) -> Option<&PolicyText> {
        None
    }
}

/// One operation, by what it does to the key.
enum KeyOperation<'a> {
    Makes(Box<dyn MakesKey + 'a>),
    Changes(Box<dyn ChangesKey + 'a>),
}

/// The name of an operation, and its calls to AWS in the order in which they are sent: before each the program may be
/// killed. The crash matrix walks them.
pub struct OperationSteps {
    pub operation: &'static str,
    pub calls: &'static [AwsOperation],
}

/// One row for each operation: an operation without a row does not compile.
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
    Operation::Create(new) => Makes(create::STEPS, create::Create { new });
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

/// Adds which key is there to whatever stops a step.
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
