//! Imported material. These operations affect only the key.
//!
//! - import: gets AWS's public key, wraps the source key's material with it, and sends it. Recovery: imports it again;
//!   AWS refuses material that the key already has
//! - delete: a single call. Recovery: only reads the key

use super::{ChangesKey, KeyStepError, OperationSteps, Work};
use crate::aws::call::AwsCall;
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{
    DeleteImportedKeyMaterial, DescribeKey, GetParametersForImport, ImportKeyMaterial, WrappingAlgorithm,
};
use crate::domain::id::SourceKeyId;
use crate::domain::key::aggregate::Snapshot;
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::material::{ImportType, MaterialId};
use crate::domain::key::metadata::KeyMetadata;
use crate::domain::key::name::AwsKeyId;
use crate::domain::key::operation::Import;
use crate::domain::key::spec::KeySpec;
use crate::service::failure::Failure;
use crate::service::keys::reading::until_there;
use crate::service::material::wrapping::Wrapping;
use futures_util::future::BoxFuture;

pub(super) const IMPORT: OperationSteps = OperationSteps {
    operation: "import-material",
    calls: &[GetParametersForImport::OPERATION, ImportKeyMaterial::OPERATION],
};

pub(super) struct ImportMaterial<'a> {
    pub import: &'a Import,
}

impl ChangesKey for ImportMaterial<'_> {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move { import(work, key, self.import).await })
    }

    fn recover<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move {
            let again = self.import_again(work, key).await;
            again.map_err(|error| if is_of_the_import(&error.failure) { error.reaching(key) } else { error })
        })
    }

    fn shows(&self, seen: &Snapshot) -> bool {
        seen.metadata.state != KeyState::PendingImport
    }
}

impl ImportMaterial<'_> {
    async fn import_again(&self, work: &Work<'_>, key: &AwsKeyId) -> Result<(), KeyStepError> {
        let published = work.target.recorder.state();
        let known = published.state.key(work.pending.key).map_err(Failure::from)?;
        let metadata = work.at.call(DescribeKey::of(key.clone())).await?;
        if metadata.state != KeyState::PendingImport && known.metadata.state == KeyState::PendingImport {
            return Ok(());
        }
        match import(work, key, self.import).await {
            Err(KeyStepError { failure: Failure::Cloud(cloud), .. }) if cloud.is("IncorrectKeyMaterialException") => {
                Ok(())
            }
            other => other,
        }
    }
}

pub(super) const DELETE: OperationSteps =
    OperationSteps { operation: "delete-material", calls: &[DeleteImportedKeyMaterial::OPERATION] };

pub(super) struct DeleteMaterial<'a> {
    /// The material to delete; `None` for the current one.
    pub material: Option<&'a MaterialId>,
}

impl ChangesKey for DeleteMaterial<'_> {
    fn change<'a>(&'a self, work: &'a Work<'_>, key: &'a AwsKeyId) -> BoxFuture<'a, Result<(), KeyStepError>> {
        Box::pin(async move {
            let call = DeleteImportedKeyMaterial { key: key.clone(), material: self.material.cloned() };
            work.at.call(call).await?;
            Ok(())
        })
    }

    fn shows(&self, _seen: &Snapshot) -> bool {
        true
    }
}

/// Imports the first material of a key, unless it has material. This step of operations that create keys can be
/// repeated.
pub(super) async fn import_unless_there(
    work: &Work<'_>,
    key: &AwsKeyId,
    material: &Import,
) -> Result<(), KeyStepError> {
    let call = DescribeKey::of(key.clone());
    let metadata = until_there(|| work.at.call(call.clone())).await?;
    if metadata.state != KeyState::PendingImport {
        return Ok(());
    }
    import(work, key, material).await
}

async fn import(work: &Work<'_>, key: &AwsKeyId, import: &Import) -> Result<(), KeyStepError> {
    let metadata = work.at.call(DescribeKey::of(key.clone())).await?;
    let algorithm = WrappingAlgorithm::of(&metadata.spec);
    let parameters = work.at.call(GetParametersForImport { key: key.clone(), algorithm }).await?;
    let call = ImportKeyMaterial {
        key: key.clone(),
        token: parameters.token,
        wrapped: wrap(work, import.source, &parameters.wrapping_key)?,
        expires: import.valid_to,
        import_type: import_type(import, &metadata),
        material: import.material.clone(),
        description: import.description.clone(),
    };
    if let Some(material) = work.at.call(call).await? {
        // Each operation imports one material.
        let _ = work.imported.set(material);
    }
    Ok(())
}

/// The import type for AWS: only symmetric keys can have several materials, and the first one needs no type.
fn import_type(import: &Import, metadata: &KeyMetadata) -> Option<ImportType> {
    match (import.existing, metadata.state == KeyState::PendingImport) {
        _ if metadata.spec != KeySpec::SymmetricDefault => None,
        (true, _) => Some(ImportType::ExistingKeyMaterial),
        (false, true) => None,
        (false, false) => Some(ImportType::NewKeyMaterial),
    }
}

/// Wraps the material of a source key with AWS's public key.
fn wrap(work: &Work<'_>, source: SourceKeyId, wrapping_key: &[u8]) -> Result<Vec<u8>, Failure> {
    let kind = work.target.recorder.state().state.source_key(source)?.made.kind;
    Wrapping::of(kind).wrap(&work.target.source_keys.material_for_import(source)?, wrapping_key)
}

/// Returns whether AWS or a rule refused the import itself, and not another call that precedes it.
fn is_of_the_import(failure: &Failure) -> bool {
    let importing = [GetParametersForImport::OPERATION, ImportKeyMaterial::OPERATION];
    match failure {
        Failure::Cloud(cloud @ AwsFailure::Refused { .. }) => importing.contains(&cloud.operation()),
        failure => matches!(failure, Failure::Refused(_)),
    }
}
