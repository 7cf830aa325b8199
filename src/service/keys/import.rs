//! Imports of material: from a source key that the request names, or from a new one. A rotation to new material begins
//! with an import.

use super::operations::OperationRequest;
use super::{KeySeen, Keys, shown};
use crate::domain::id::{KeyId, SourceKeyId};
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::{KeyState, Origin};
use crate::domain::key::command::KeyCommand;
use crate::domain::key::material::MaterialId;
use crate::domain::key::operation::{Import, Operation};
use crate::domain::refusal::KeyRefusal;
use crate::domain::time::Time;
use crate::ledger::Committed;
use crate::service::access::{KeyPermit, KeyRight, RotateKey};
use crate::service::caller::{Change, RequestContext};
use crate::service::failure::{Failure, invalid};

/// An import of material into a key.
#[derive(Default)]
pub struct ImportRequest {
    /// The name or id of the source key; `None` for a new one that fits the key.
    pub source: Option<String>,
    /// Whether the request names the tier of source keys.
    pub names_tier: bool,
    /// The time at which AWS deletes the material.
    pub valid_to: Option<Time>,
    /// Whether the key had this material before. The default is that of AWS: yes for a key that has material.
    pub existing: Option<bool>,
    /// The id of the material at AWS.
    pub material: Option<MaterialId>,
    /// The description of the material at AWS.
    pub description: Option<String>,
}

/// An import whose source key is known.
pub(super) struct PreparedImport {
    pub import: Import,
    /// The source key, if it was made for this import.
    pub fresh: Option<SourceKeyId>,
}

impl Keys {
    /// Imports the material of a source key.
    ///
    /// # Errors
    /// When it does not fit the key; otherwise as [`Keys::change`].
    pub async fn import_material<A: KeyRight>(
        &self,
        permit: &KeyPermit<A>,
        context: &RequestContext,
        request: ImportRequest,
    ) -> Result<KeySeen, Failure> {
        let (key, change) = (permit.key(), permit.caller().change(context));
        let request = self.with_known_source(request, key)?;
        let committed = self.import_as(&change, key, request).await?;
        shown(&committed, key.id)
    }

    /// Rotates a key to its next material. If the request is an import, that material is imported first. A key with
    /// imported material for which AWS has no next one gets the material of a new source key.
    ///
    /// # Errors
    /// When the material does not fit the key; otherwise as [`Keys::change`].
    pub async fn rotate_material(
        &self,
        permit: &KeyPermit<RotateKey>,
        context: &RequestContext,
        import: Option<ImportRequest>,
    ) -> Result<KeySeen, Failure> {
        let (key, change) = (permit.key(), permit.caller().change(context));
        let import = match import {
            None if self.lacks_material(key).await? => Some(ImportRequest::default()),
            import => import,
        };
        shown(&self.rotate_material_as(&change, key, import).await?, key.id)
    }

    /// Rotates a key to its next material, without a permit, for other use cases.
    ///
    /// # Errors
    /// As [`Keys::rotate_material`].
    pub(in crate::service) async fn rotate_material_as(
        &self,
        change: &Change,
        key: &Key,
        import: Option<ImportRequest>,
    ) -> Result<Committed, Failure> {
        let is_imported = import.is_some();
        if let Some(import) = import {
            check_rotation_to_import(key)?;
            let import = ImportRequest { existing: Some(false), material: None, ..import };
            if let Err(failure) = self.import_as(change, key, import).await {
                let command = KeyCommand::RecordFailedRotation { id: key.id, reason: failure.to_string() };
                self.append(&change.done(), command).await?;
                return Err(failure);
            }
        }
        let rotated = self.operations.request(change, on(key, Operation::RotateMaterial)).await;
        rotated.map_err(|failure| match is_imported {
            true => failure.leaving("the material was imported, and the next rotation makes it the current one"),
            false => failure,
        })
    }

    /// Imports material into a key, and deletes a new source key again if AWS has not received its material.
    async fn import_as(&self, change: &Change, key: &Key, request: ImportRequest) -> Result<Committed, Failure> {
        let PreparedImport { import, fresh } = self.prepare_import(change, request, key, Some(key)).await?;
        let imported = self.operations.request(change, on(key, Operation::ImportMaterial(import))).await;
        if let Err(failure) = &imported {
            self.discard(change, fresh, failure, None).await;
        }
        imported
    }

    /// Checks an import request, and resolves or makes its source key. `like` is the key whose spec the material must
    /// fit; `into` is the key that gets the material, if it exists.
    ///
    /// # Errors
    /// When there is no such source key or it does not fit, or `valid_to` is in the past or more than 365 days ahead.
    pub(super) async fn prepare_import(
        &self,
        change: &Change,
        request: ImportRequest,
        like: &Key,
        into: Option<&Key>,
    ) -> Result<PreparedImport, Failure> {
        self.check_expiration(&request)?;
        let (source, fresh) = match &request.source {
            Some(source) => {
                self.fitting_spec(source, Some(like.metadata.spec.clone()), like.metadata.arn.partition())?;
                (self.source_key(source)?.id, None)
            }
            None => {
                let fresh = self.fresh_source_key(change, like).await?;
                (fresh, Some(fresh))
            }
        };
        let has_material = into.is_some_and(|key| key.metadata.state != KeyState::PendingImport);
        Ok(PreparedImport { import: request.import_of(source, has_material), fresh })
    }

    /// The import into a key that is to be created, from the source key that the request names.
    ///
    /// # Errors
    /// As [`Keys::prepare_import`].
    pub(super) fn first_import(&self, request: ImportRequest) -> Result<Import, Failure> {
        self.check_expiration(&request)?;
        let source = request.source.as_deref().ok_or_else(|| invalid("source_key_identifier", "must be given"))?;
        let source = self.source_key(source)?.id;
        Ok(request.import_of(source, false))
    }

    fn check_expiration(&self, request: &ImportRequest) -> Result<(), Failure> {
        let now = self.recorder.now();
        let latest = now.plus_seconds(365 * 86_400);
        match request.valid_to.is_some_and(|end| end <= now || end > latest) {
            true => Err(invalid("valid_to", format!("must be ahead, and no later than {latest}")).into()),
            false => Ok(()),
        }
    }

    /// Completes a request that names no source key: with the source key of the material that is imported again, if AWS
    /// takes no other material.
    ///
    /// # Errors
    /// When no material can be imported into the key, or the source key of its material is not known.
    fn with_known_source(&self, request: ImportRequest, key: &Key) -> Result<ImportRequest, Failure> {
        if request.source.is_some() {
            return Ok(request);
        }
        if key.metadata.origin != Origin::External {
            return Err(KeyRefusal::NotExternal(key.id).into());
        }
        if takes_new_material(&request, key) {
            return Ok(ImportRequest { existing: Some(false), ..request });
        }
        let of_material = |id: &MaterialId| key.materials.iter().rfind(|ours| ours.material.as_ref() == Some(id));
        let known = request.material.as_ref().map_or_else(|| key.current_import(), of_material);
        let published = self.recorder.state();
        let known = known
            .filter(|known| published.state.source_keys.get(&known.source).is_some_and(|source| source.has_material()));
        let problem = "must be given: AWS takes only the material that the key had, and its source key is not known";
        let source = known.ok_or_else(|| invalid("source_key_identifier", problem))?.source;
        Ok(ImportRequest { source: Some(source.to_string()), existing: Some(true), ..request })
    }

    /// Returns whether AWS has no material to which a key with imported material can rotate.
    async fn lacks_material(&self, key: &Key) -> Result<bool, Failure> {
        let takes_more = key.metadata.origin == Origin::External && key.metadata.spec.is_rotatable();
        Ok(takes_more && key.metadata.enabled && !self.has_pending_material(key).await?)
    }

    /// Deletes a source key that was made for an operation that failed, unless AWS may have its material: the source
    /// key may be the only other copy. `made` is the key that the operation was to create.
    pub(super) async fn discard(
        &self,
        change: &Change,
        fresh: Option<SourceKeyId>,
        failure: &Failure,
        made: Option<KeyId>,
    ) {
        let is_made = made.is_some_and(|made| self.recorder.state().state.keys.get(&made).is_some());
        if let Some(fresh) = fresh
            && !is_made
            && !may_have_been_done(failure)
        {
            self.delete_unused(change, fresh).await;
        }
    }
}

impl ImportRequest {
    fn import_of(self, source: SourceKeyId, has_material: bool) -> Import {
        Import {
            source,
            valid_to: self.valid_to,
            existing: self.existing.unwrap_or(has_material),
            material: self.material,
            description: self.description,
        }
    }
}

/// Checks that AWS can rotate a key to material that is imported now. Otherwise the import would remain without the
/// rotation.
fn check_rotation_to_import(key: &Key) -> Result<(), Failure> {
    if key.metadata.origin != Origin::External || !key.metadata.spec.is_rotatable() {
        return Err(KeyRefusal::NotExternal(key.id).into());
    }
    match key.metadata.enabled {
        true => Ok(()),
        false => Err(KeyRefusal::NotEnabled { id: key.id, state: key.metadata.state.clone() }.into()),
    }
}

/// Returns whether a request without a source key can be for new material. Only symmetric keys can have several
/// materials, and a key that has lost its material takes only the same one again.
fn takes_new_material(request: &ImportRequest, key: &Key) -> bool {
    let waits = key.metadata.state == KeyState::PendingImport;
    let is_first = waits && key.materials.is_empty();
    match request.existing {
        _ if request.material.is_some() => false,
        Some(existing) if key.metadata.spec.is_rotatable() => !existing,
        Some(_) | None => is_first || (key.metadata.spec.is_rotatable() && !waits),
    }
}

fn on(key: &Key, wanted: Operation) -> OperationRequest {
    OperationRequest { key: key.id, kms: key.kms, region: key.region.clone(), wanted }
}

fn may_have_been_done(failure: &Failure) -> bool {
    match failure {
        Failure::Cloud(cloud) => cloud.may_have_been_done(),
        Failure::Halfway { cause, .. } => may_have_been_done(cause),
        _ => false,
    }
}
