//! The use cases of rotation: replacing a key by a new one, the schedule of a key, and AWS's own rotation. The steps at
//! AWS are in `operations/rotate.rs` and `operations/rotation.rs`.

use super::creation::ImportRequest;
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
use crate::service::access::{KeyPermit, RotateKey, ViewKey};
use crate::service::caller::RequestContext;
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
        let mut key = permit.key().clone();
        // The new key must copy the current content of the old one, not the last known one. A dry run is refused below.
        if !context.dry_run {
            let read = self.read_again(&permit.caller().change(context), &key).await?;
            key = read.published.state.key(key.id)?.clone();
        }
        let request = self.rotation(&key, request)?;
        self.request(request, permit.caller(), context).await
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

    /// Lists all materials of a key at AWS.
    ///
    /// # Errors
    /// The failure of AWS.
    pub async fn rotations(&self, permit: &KeyPermit<ViewKey>) -> Result<Vec<Rotation>, Failure> {
        let key = permit.key();
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

    /// Returns the operation that replaces a key by a new one. The caller of this method checks the right.
    ///
    /// # Errors
    /// When the key was already replaced, its policy is unknown, or the request does not fit it.
    pub(in crate::service) fn rotation(
        &self,
        old: &Key,
        request: RotationRequest,
    ) -> Result<OperationRequest, Failure> {
        if let Some(to) = old.rotated_to {
            return Err(KeyRefusal::Rotated { id: old.id, to }.into());
        }
        if old.policy.is_none() {
            return Err(KeyRefusal::PolicyUnreadable(old.id).into());
        }
        let origin = if request.import.is_some() { Origin::External } else { Origin::AwsKms };
        let import = match request.import {
            Some(import) => {
                self.fitting_spec(&import.source, Some(old.metadata.spec.clone()), old.metadata.arn.partition())?;
                Some(self.checked_import(import, None)?)
            }
            None if old.metadata.origin == Origin::External => {
                return Err(invalid("source_key_id", "must be given: the key's material does not come from AWS").into());
            }
            None => None,
        };
        let new = successor(old, origin, request.description);
        let wanted = Operation::Rotate { from: old.id, new, import, old: request.old };
        Ok(OperationRequest { key: KeyId::new(Uuid::new_v4()), kms: old.kms, region: old.region.clone(), wanted })
    }
}

/// Checks that a schedule can rotate this key with these settings. Otherwise every run would fail in the background.
///
/// # Errors
/// When it cannot.
fn check_rotation_job(key: &Key, job: &RotationJob) -> Result<(), Failure> {
    if key.metadata.manager != KeyManager::Customer || !matches!(key.metadata.origin, Origin::AwsKms | Origin::External)
    {
        return Err(KeyRefusal::NotRotatable(key.id).into());
    }
    if key.metadata.origin == Origin::External && job.key_source == NATIVE {
        let problem = "must be `local`: the key's material does not come from AWS";
        return Err(invalid("auto_rotate_key_source", problem).into());
    }
    if job.key_source != NATIVE {
        fitting_kind(key)?;
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
        description: description.unwrap_or_else(|| old.metadata.description.clone()),
        multi_region: old.metadata.multi_region.is_some(),
        policy: old.policy.clone(),
        bypass_lockout_check: false,
        tags: old.tags.iter().filter(own).cloned().collect(),
    }
}
