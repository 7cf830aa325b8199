//! The use cases of rotation: replacing a key by a new one, the schedule of a key, and AWS's own rotation. The steps at
//! AWS are in `operations/rotate.rs` and `operations/rotation.rs`.

use super::creation::refuse_dry_run;
use super::import::{ImportRequest, PreparedImport};
use super::operations::OperationRequest;
use super::sources::fitting_kind;
use super::{KeySeen, Keys, shown};
use crate::aws::kms::calls::{GetKeyRotationStatus, ListKeyRotations};
use crate::domain::id::KeyId;
use crate::domain::key::aggregate::Key;
use crate::domain::key::aws_enums::{KeyManager, Origin};
use crate::domain::key::command::KeyCommand;
use crate::domain::key::event::{NATIVE, RotationJob};
use crate::domain::key::material::MaterialState;
use crate::domain::key::metadata::{Rotation, RotationStatus};
use crate::domain::key::operation::{NewKey, Operation, RetiredKey};
use crate::domain::key::tag::Tag;
use crate::domain::refusal::KeyRefusal;
use crate::ledger::Committed;
use crate::service::access::{KeyPermit, RotateKey, ViewKey};
use crate::service::caller::{Change, RequestContext};
use crate::service::failure::{Failure, invalid};
use uuid::Uuid;

/// The replacement of a key by a new one.
#[derive(Default)]
pub struct RotationRequest {
    /// The description of the new key; `None` for that of the old one.
    pub description: Option<String>,
    /// The material of the new key; `None` if AWS generates it.
    pub import: Option<ImportRequest>,
    /// The changes to the old key.
    pub old: RetiredKey,
}

/// The state of the last rotation of a key's material.
pub enum MaterialRotation {
    InProgress,
    Done,
    /// The rotation failed for this reason.
    Failed(String),
}

impl Keys {
    /// Creates a key that replaces another. The aliases move to the new key, and each key refers to the other.
    ///
    /// # Errors
    /// As [`Keys::create`].
    pub async fn rotate(
        &self,
        permit: &KeyPermit<RotateKey>,
        context: &RequestContext,
        request: RotationRequest,
    ) -> Result<KeySeen, Failure> {
        refuse_dry_run(context)?;
        let change = permit.caller().change(context);
        // The new key must copy the current content of the old one, not the last known one.
        let read = self.read_again(&change, permit.key()).await?;
        let old = read.published.state.key(permit.key().id)?;
        let (new, replaced) = self.replace(&change, old, request).await?;
        shown(&replaced?, new)
    }

    /// Creates a key that replaces another, without a permit, for other use cases. Returns the id of the new key with
    /// the result of the operation.
    ///
    /// # Errors
    /// When the key was already replaced, its policy is unknown, or the request does not fit it.
    pub(in crate::service) async fn replace(
        &self,
        change: &Change,
        old: &Key,
        request: RotationRequest,
    ) -> Result<(KeyId, Result<Committed, Failure>), Failure> {
        check_replaceable(old)?;
        let (import, fresh) = match import_of_rotation(old, request.import)? {
            Some(import) => {
                let PreparedImport { import, fresh } = self.prepare_import(change, import, old, None).await?;
                (Some(import), fresh)
            }
            None => (None, None),
        };
        let origin = match old.metadata.origin {
            Origin::AwsCloudHsm => Origin::AwsCloudHsm,
            _ if import.is_some() => Origin::External,
            _ => Origin::AwsKms,
        };
        let new = successor(old, origin, request.description);
        let wanted = Operation::Rotate { from: old.id, new, import, old: request.old };
        let id = KeyId::new(Uuid::new_v4());
        let request = OperationRequest { key: id, kms: old.kms, region: old.region.clone(), wanted };
        let replaced = self.operations.request(change, request).await;
        if let Err(failure) = &replaced {
            self.discard(change, fresh, failure, Some(id)).await;
        }
        Ok((id, replaced))
    }

    /// Assigns a key to a schedule that rotates it, or removes it from its schedule.
    ///
    /// # Errors
    /// When there is no such schedule, or it cannot rotate the key.
    pub async fn set_rotation_job(
        &self,
        permit: &KeyPermit<RotateKey>,
        context: &RequestContext,
        job: Option<RotationJob>,
    ) -> Result<KeySeen, Failure> {
        let key = permit.key();
        if let Some(job) = &job {
            check_rotation_job(key, job)?;
        }
        let command = KeyCommand::SetRotationJob { id: key.id, job };
        let committed = self.append(&permit.caller().change(context), command).await?;
        shown(&committed, key.id)
    }

    /// Reads whether and when AWS rotates a key.
    ///
    /// # Errors
    /// The failure of AWS.
    pub async fn rotation_status(&self, permit: &KeyPermit<ViewKey>) -> Result<RotationStatus, Failure> {
        let key = permit.key();
        let at = self.cloud.region(key.kms, &key.region).await?;
        let call = GetKeyRotationStatus { key: key.aws_id().clone() };
        Ok(at.call(call).await?)
    }

    /// Lists all materials of a key at AWS. AWS keeps several only for symmetric encryption keys in its own key store,
    /// and refuses the question for others.
    ///
    /// # Errors
    /// The failure of AWS.
    pub async fn rotations(&self, permit: &KeyPermit<ViewKey>) -> Result<Vec<Rotation>, Failure> {
        let key = permit.key();
        if !key.metadata.spec.is_rotatable() || !matches!(key.metadata.origin, Origin::AwsKms | Origin::External) {
            return Ok(Vec::new());
        }
        let at = self.cloud.region(key.kms, &key.region).await?;
        let list = ListKeyRotations::of(key.aws_id().clone());
        Ok(at.pages(list).collect().await?)
    }

    /// Returns whether a key has imported material that is pending rotation.
    pub(in crate::service) async fn has_pending_material(&self, key: &Key) -> Result<bool, Failure> {
        let at = self.cloud.region(key.kms, &key.region).await?;
        // AWS lists pending material first, and a key has at most one.
        let page = at.call(ListKeyRotations::of(key.aws_id().clone())).await?;
        Ok(page.items.iter().any(|rotation| rotation.state == Some(MaterialState::PendingRotation)))
    }

    /// Returns the state of the last rotation of a key's material.
    ///
    /// # Errors
    /// When the key was not rotated here, or the failure of AWS.
    pub async fn material_rotation(&self, permit: &KeyPermit<ViewKey>) -> Result<MaterialRotation, Failure> {
        let key = permit.key();
        let operations = &permit.caller().published.state.operations;
        let pending = key.pending.and_then(|pending| operations.get(&pending)).map(|pending| &pending.wanted);
        if matches!(pending, Some(Operation::RotateMaterial | Operation::ImportMaterial(_))) {
            return Ok(MaterialRotation::InProgress);
        }
        match &key.last_rotation {
            None => Err(KeyRefusal::NeverRotated(key.id).into()),
            Some(Err(reason)) => Ok(MaterialRotation::Failed(reason.clone())),
            // AWS rotates asynchronously.
            Some(Ok(())) => Ok(match self.rotation_status(permit).await?.on_demand_started {
                Some(_) => MaterialRotation::InProgress,
                None => MaterialRotation::Done,
            }),
        }
    }
}

/// Checks that a key can be replaced by a new one.
fn check_replaceable(old: &Key) -> Result<(), Failure> {
    match old.rotated_to {
        // Another key manager holds its material.
        _ if old.metadata.origin == Origin::ExternalKeyStore => Err(KeyRefusal::NotHyok(old.id).into()),
        Some(to) => Err(KeyRefusal::Rotated { id: old.id, to }.into()),
        None if old.policy.is_none() => Err(KeyRefusal::PolicyUnreadable(old.id).into()),
        None => Ok(()),
    }
}

/// The import into the key that replaces this one. A key with imported material is replaced by another such key.
///
/// # Errors
/// When AWS generates the material, and the request has options of an import.
fn import_of_rotation(old: &Key, import: Option<ImportRequest>) -> Result<Option<ImportRequest>, Failure> {
    let is_external = old.metadata.origin == Origin::External;
    match import {
        None => Ok(is_external.then(ImportRequest::default)),
        Some(_) if old.metadata.origin == Origin::AwsCloudHsm => {
            let problem = "cannot be given: the material of the key is in a CloudHSM cluster";
            Err(invalid("source_key_id", problem).into())
        }
        Some(import) if is_external || import.source.is_some() || import.names_tier => Ok(Some(import)),
        Some(_) => {
            let problem =
                "must be given with options of an import: the key's material comes from AWS, and AWS has none";
            Err(invalid("source_key_id", problem).into())
        }
    }
}

/// Whether a schedule can rotate the key at all: AWS's own keys and those of others' key managers it cannot.
pub(in crate::service) fn is_for_schedules(key: &Key) -> bool {
    match key.metadata.origin {
        Origin::AwsKms | Origin::External | Origin::AwsCloudHsm => key.metadata.manager == KeyManager::Customer,
        Origin::ExternalKeyStore => key.hyok.is_some(),
        Origin::Other(_) => false,
    }
}

/// Checks that a schedule can rotate this key with these settings. Otherwise every run would fail in the background.
///
/// # Errors
/// When it cannot.
fn check_rotation_job(key: &Key, job: &RotationJob) -> Result<(), Failure> {
    if !is_for_schedules(key) {
        return Err(KeyRefusal::NotRotatable(key.id).into());
    }
    let is_ours = key.hyok.is_some() || key.metadata.origin == Origin::External;
    if is_ours && job.key_source == NATIVE {
        let problem = "must be `local`: the key's material does not come from AWS";
        return Err(invalid("auto_rotate_key_source", problem).into());
    }
    if key.metadata.origin == Origin::AwsCloudHsm && job.key_source != NATIVE {
        let problem = "must be `native`: the material of the key is in a CloudHSM cluster";
        return Err(invalid("auto_rotate_key_source", problem).into());
    }
    if key.hyok.is_some() {
        return match job.disable_encrypt || job.disable_encrypt_on_all_accounts {
            true => {
                Err(invalid("auto_rotate_disable_encrypt", "is not for HYOK keys: no other key replaces them").into())
            }
            false => Ok(()),
        };
    }
    if job.key_source != NATIVE && fitting_kind(key).is_none() {
        let problem = format!("`{}`: no source key fits a key with spec {}", job.key_source, key.metadata.spec);
        return Err(invalid("auto_rotate_key_source", problem).into());
    }
    Ok(())
}

/// A new key with the properties of the old one.
fn successor(old: &Key, origin: Origin, description: Option<String>) -> NewKey {
    let own = |tag: &&Tag| !tag.is_of_aws() && tag.is_shown();
    NewKey {
        aliases: Vec::new(),
        spec: old.metadata.spec.clone(),
        usage: old.metadata.usage.clone(),
        origin,
        description: description.unwrap_or_else(|| old.description().to_owned()),
        multi_region: old.metadata.multi_region.is_some(),
        policy: old.policy.clone(),
        bypass_lockout_check: false,
        tags: old.tags.iter().filter(own).cloned().collect(),
    }
}
