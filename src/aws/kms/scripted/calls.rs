//! What each call does to the model.

use async_trait::async_trait;

use super::super::port::{
    Alias, AwsKms, DeletionScheduled, ImportParameters, LockoutCheck, MaterialImport, NewKey, NewReplica,
    WrappingAlgorithm,
};
use super::ScriptedKms;
use super::model::{Model, NOW, material, material_id, page, refused, wrapping_key};
use crate::aws::failure::AwsFailure;
use crate::aws::operation::Operation;
use crate::aws::page::{Page, Paging};
use crate::aws::port::Access;
use crate::domain::key::aws_enums::{ExpirationModel, KeyState, MultiRegionKind, Origin};
use crate::domain::key::days::{DeletionWindow, RotationPeriod};
use crate::domain::key::material::{ImportState, ImportType, MaterialId, MaterialState, RotationKind};
use crate::domain::key::metadata::{KeyMetadata, Rotation, RotationStatus};
use crate::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::tag::Tag;
use crate::domain::place::Region;

type Answer<T> = Result<T, AwsFailure>;

#[async_trait]
impl AwsKms for ScriptedKms {
    async fn create_key(&self, access: &Access, region: &Region, key: &NewKey) -> Answer<KeyMetadata> {
        let act = |model: &mut Model| Ok(model.create(self.account, region, key));
        self.play(Operation::CREATE_KEY, (access, region), "", act).await
    }

    async fn describe_key(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<KeyMetadata> {
        const OPERATION: Operation = Operation::DESCRIBE_KEY;
        let act = |model: &mut Model| model.key(OPERATION, region, key).map(|key| key.metadata.clone());
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn describe_alias(&self, access: &Access, region: &Region, alias: &AliasName) -> Answer<KeyMetadata> {
        const OPERATION: Operation = Operation::DESCRIBE_KEY;
        let act = |model: &mut Model| {
            let target = model.aliases.get(&(region.clone(), alias.clone())).cloned();
            let target = target.ok_or_else(|| refused(OPERATION, "NotFoundException", "Alias is not found."))?;
            model.key(OPERATION, region, &target).map(|key| key.metadata.clone())
        };
        self.play(OPERATION, (access, region), alias.as_str(), act).await
    }

    async fn list_keys(&self, access: &Access, region: &Region, paging: &Paging) -> Answer<Page<KeyArn>> {
        let act = |model: &mut Model| {
            let here = model.keys.iter().filter(|((there, _), _)| there == region);
            Ok(page(here.map(|(_, key)| key.metadata.arn.clone()).collect(), paging))
        };
        self.play(Operation::LIST_KEYS, (access, region), "", act).await
    }

    async fn list_aliases(
        &self,
        access: &Access,
        region: &Region,
        of: Option<&AwsKeyId>,
        paging: &Paging,
    ) -> Answer<Page<Alias>> {
        let act = |model: &mut Model| {
            let here =
                model.aliases.iter().filter(|((there, _), key)| there == region && of.is_none_or(|of| of == *key));
            let aliases = here.map(|((_, name), key)| Alias { name: name.clone(), target: Some(key.clone()) });
            Ok(page(aliases.collect(), paging))
        };
        self.play(Operation::LIST_ALIASES, (access, region), of.map_or("", AwsKeyId::as_str), act).await
    }

    async fn get_key_policy(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<PolicyText> {
        const OPERATION: Operation = Operation::GET_KEY_POLICY;
        let act = |model: &mut Model| model.key(OPERATION, region, key).map(|key| key.policy.clone());
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn put_key_policy(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        policy: &PolicyText,
        _: LockoutCheck,
    ) -> Answer<()> {
        const OPERATION: Operation = Operation::PUT_KEY_POLICY;
        let act = |model: &mut Model| model.key(OPERATION, region, key).map(|key| key.policy = policy.clone());
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn list_tags(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<Vec<Tag>> {
        const OPERATION: Operation = Operation::LIST_RESOURCE_TAGS;
        let act = |model: &mut Model| model.key(OPERATION, region, key).map(|key| key.tags.clone());
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn tag(&self, access: &Access, region: &Region, key: &AwsKeyId, tags: &[Tag]) -> Answer<()> {
        const OPERATION: Operation = Operation::TAG_RESOURCE;
        let act = |model: &mut Model| {
            let key = model.alive(OPERATION, region, key)?;
            key.tags.retain(|old| tags.iter().all(|new| new.key != old.key));
            key.tags.extend_from_slice(tags);
            Ok(())
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn untag(&self, access: &Access, region: &Region, key: &AwsKeyId, tag_keys: &[String]) -> Answer<()> {
        const OPERATION: Operation = Operation::UNTAG_RESOURCE;
        let act = |model: &mut Model| {
            model.alive(OPERATION, region, key)?.tags.retain(|tag| !tag_keys.contains(&tag.key));
            Ok(())
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn create_alias(&self, access: &Access, region: &Region, alias: &AliasName, key: &AwsKeyId) -> Answer<()> {
        const OPERATION: Operation = Operation::CREATE_ALIAS;
        let act = |model: &mut Model| {
            model.alive(OPERATION, region, key)?;
            let place = (region.clone(), alias.clone());
            if model.aliases.contains_key(&place) {
                return Err(refused(
                    OPERATION,
                    "AlreadyExistsException",
                    &format!("An alias with the name {alias} already exists"),
                ));
            }
            model.aliases.insert(place, key.clone());
            Ok(())
        };
        self.play(OPERATION, (access, region), alias.as_str(), act).await
    }

    async fn update_alias(&self, access: &Access, region: &Region, alias: &AliasName, key: &AwsKeyId) -> Answer<()> {
        const OPERATION: Operation = Operation::UPDATE_ALIAS;
        let act = |model: &mut Model| {
            model.alive(OPERATION, region, key)?;
            let target = model.aliases.get_mut(&(region.clone(), alias.clone()));
            *target.ok_or_else(|| refused(OPERATION, "NotFoundException", "Alias is not found."))? = key.clone();
            Ok(())
        };
        self.play(OPERATION, (access, region), alias.as_str(), act).await
    }

    async fn delete_alias(&self, access: &Access, region: &Region, alias: &AliasName) -> Answer<()> {
        const OPERATION: Operation = Operation::DELETE_ALIAS;
        let act = |model: &mut Model| {
            let gone = model.aliases.remove(&(region.clone(), alias.clone()));
            gone.map(drop).ok_or_else(|| refused(OPERATION, "NotFoundException", "Alias is not found."))
        };
        self.play(OPERATION, (access, region), alias.as_str(), act).await
    }

    async fn enable(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<()> {
        const OPERATION: Operation = Operation::ENABLE_KEY;
        let act = |model: &mut Model| {
            let key = model.key_that_is(OPERATION, region, key, &[KeyState::Enabled, KeyState::Disabled])?;
            (key.metadata.state, key.metadata.enabled) = (KeyState::Enabled, true);
            Ok(())
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn disable(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<()> {
        const OPERATION: Operation = Operation::DISABLE_KEY;
        let act = |model: &mut Model| {
            let key = model.key_that_is(OPERATION, region, key, &[KeyState::Enabled, KeyState::Disabled])?;
            (key.metadata.state, key.metadata.enabled) = (KeyState::Disabled, false);
            Ok(())
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn update_description(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        description: &str,
    ) -> Answer<()> {
        const OPERATION: Operation = Operation::UPDATE_KEY_DESCRIPTION;
        let act = |model: &mut Model| {
            model.alive(OPERATION, region, key)?.metadata.description = description.to_owned();
            Ok(())
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn enable_rotation(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        period: Option<RotationPeriod>,
    ) -> Answer<()> {
        const OPERATION: Operation = Operation::ENABLE_KEY_ROTATION;
        let act = |model: &mut Model| {
            let key = model.key_that_is(OPERATION, region, key, &[KeyState::Enabled])?;
            let period = period.unwrap_or_default();
            let next = Some(NOW.plus_seconds(i64::from(period.days()) * 86_400));
            key.rotation = RotationStatus { enabled: true, period: Some(period), next, on_demand_started: None };
            Ok(())
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn disable_rotation(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<()> {
        const OPERATION: Operation = Operation::DISABLE_KEY_ROTATION;
        let act = |model: &mut Model| {
            model.key_that_is(OPERATION, region, key, &[KeyState::Enabled])?.rotation = RotationStatus::default();
            Ok(())
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn rotation_status(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<RotationStatus> {
        const OPERATION: Operation = Operation::GET_KEY_ROTATION_STATUS;
        let act = |model: &mut Model| model.key(OPERATION, region, key).map(|key| key.rotation.clone());
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn rotate_on_demand(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<()> {
        const OPERATION: Operation = Operation::ROTATE_KEY_ON_DEMAND;
        let act = |model: &mut Model| {
            model.made += 1;
            let id = material_id(model.made);
            let key = model.key_that_is(OPERATION, region, key, &[KeyState::Enabled])?;
            let waiting = key.materials.iter().position(|old| old.state == Some(MaterialState::PendingRotation));
            let id = waiting.and_then(|at| key.materials.remove(at).material).unwrap_or(id);
            key.materials.iter_mut().for_each(|old| old.state = Some(MaterialState::NonCurrent));
            key.materials.insert(0, material(Some(id.clone()), Some(RotationKind::OnDemand)));
            key.metadata.current_material = Some(id);
            Ok(())
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn list_rotations(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        paging: &Paging,
    ) -> Answer<Page<Rotation>> {
        const OPERATION: Operation = Operation::LIST_KEY_ROTATIONS;
        let act = |model: &mut Model| model.key(OPERATION, region, key).map(|key| page(key.materials.clone(), paging));
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn parameters_for_import(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        _: WrappingAlgorithm,
    ) -> Answer<ImportParameters> {
        const OPERATION: Operation = Operation::GET_PARAMETERS_FOR_IMPORT;
        let act = |model: &mut Model| {
            let key = model.alive(OPERATION, region, key)?;
            if key.metadata.origin != Origin::External {
                return Err(refused(OPERATION, "UnsupportedOperationException", "the origin is not EXTERNAL"));
            }
            let valid_to = Some(NOW.plus_seconds(86_400));
            Ok(ImportParameters { wrapping_key: wrapping_key(), token: b"token".to_vec(), valid_to })
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn import_material(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        import: &MaterialImport,
    ) -> Answer<Option<MaterialId>> {
        const OPERATION: Operation = Operation::IMPORT_KEY_MATERIAL;
        let act = |model: &mut Model| {
            model.made += 1;
            let fresh = material_id(model.made);
            let key = model.alive(OPERATION, region, key)?;
            if import.import_type == Some(ImportType::NewKeyMaterial) {
                // It waits until the key is rotated to it.
                let state = Some(MaterialState::PendingRotation);
                key.materials.insert(0, Rotation { state, ..material(Some(fresh.clone()), None) });
                key.imports.push(import.clone());
                return Ok(Some(fresh));
            }
            let known = import.material.clone().or_else(|| key.materials.first().and_then(|old| old.material.clone()));
            let id = known.unwrap_or(fresh);
            let expires = import.expires;
            let model = if expires.is_some() { ExpirationModel::Expires } else { ExpirationModel::DoesNotExpire };
            key.materials.retain(|old| old.material.as_ref() != Some(&id));
            key.materials.insert(
                0,
                Rotation {
                    import_state: Some(ImportState::Imported),
                    expiration_model: Some(model.clone()),
                    valid_to: expires,
                    description: import.description.clone(),
                    ..material(Some(id.clone()), None)
                },
            );
            (key.metadata.valid_to, key.metadata.expiration_model) = (expires, Some(model));
            if key.metadata.state == KeyState::PendingImport {
                (key.metadata.state, key.metadata.enabled) = (KeyState::Enabled, true);
            }
            key.metadata.current_material = Some(id.clone());
            key.imports.push(import.clone());
            Ok(Some(id))
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn delete_material(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        only: Option<&MaterialId>,
    ) -> Answer<()> {
        const OPERATION: Operation = Operation::DELETE_IMPORTED_KEY_MATERIAL;
        let act = |model: &mut Model| {
            let key = model.alive(OPERATION, region, key)?;
            let gone = |old: &&mut Rotation| only.is_none_or(|only| old.material.as_ref() == Some(only));
            key.materials.iter_mut().filter(gone).for_each(|old| old.import_state = Some(ImportState::PendingImport));
            (key.metadata.state, key.metadata.enabled) = (KeyState::PendingImport, false);
            (key.metadata.valid_to, key.metadata.expiration_model) = (None, None);
            Ok(())
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn schedule_deletion(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        window: DeletionWindow,
    ) -> Answer<DeletionScheduled> {
        const OPERATION: Operation = Operation::SCHEDULE_KEY_DELETION;
        let act = |model: &mut Model| {
            let metadata = &mut model.alive(OPERATION, region, key)?.metadata;
            let waits = metadata
                .multi_region
                .as_ref()
                .is_some_and(|family| family.kind == MultiRegionKind::Primary && !family.replicas.is_empty());
            let date = (!waits).then(|| NOW.plus_seconds(i64::from(window.days()) * 86_400));
            metadata.state = if waits { KeyState::PendingReplicaDeletion } else { KeyState::PendingDeletion };
            (metadata.enabled, metadata.deletion_date) = (false, date);
            metadata.pending_window = waits.then_some(window);
            Ok(DeletionScheduled { date, state: Some(metadata.state.clone()) })
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn cancel_deletion(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<()> {
        const OPERATION: Operation = Operation::CANCEL_KEY_DELETION;
        let act = |model: &mut Model| {
            let states = [KeyState::PendingDeletion, KeyState::PendingReplicaDeletion];
            let key = model.key_that_is(OPERATION, region, key, &states)?;
            let empty = key.metadata.current_material.is_none();
            key.metadata.state = if empty { KeyState::PendingImport } else { KeyState::Disabled };
            (key.metadata.deletion_date, key.metadata.pending_window) = (None, None);
            Ok(())
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn replicate(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        replica: &NewReplica,
    ) -> Answer<KeyMetadata> {
        const OPERATION: Operation = Operation::REPLICATE_KEY;
        let act = |model: &mut Model| {
            let primary = model.alive(OPERATION, region, key)?.clone();
            let place = (replica.region.clone(), key.clone());
            if model.keys.contains_key(&place) {
                return Err(refused(OPERATION, "AlreadyExistsException", "the region has a replica already"));
            }
            let external = primary.metadata.origin == Origin::External;
            let mut copy = primary.clone();
            copy.metadata.arn = primary.metadata.arn.in_region(replica.region.clone());
            copy.metadata.description = replica.description.clone();
            copy.metadata.state = if external { KeyState::PendingImport } else { KeyState::Enabled };
            copy.metadata.enabled = !external;
            copy.tags = replica.tags.clone();
            copy.policy = replica.policy.clone().unwrap_or(copy.policy);
            model.keys.insert(place, copy);
            model.settle_family(&primary.metadata.arn);
            model.key(OPERATION, &replica.region, key).map(|key| key.metadata.clone())
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn update_primary_region(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        new_primary: &Region,
    ) -> Answer<()> {
        const OPERATION: Operation = Operation::UPDATE_PRIMARY_REGION;
        let act = |model: &mut Model| {
            model.alive(OPERATION, region, key)?;
            let primary = model.alive(OPERATION, new_primary, key)?.metadata.arn.clone();
            model.settle_family(&primary);
            Ok(())
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }

    async fn public_key(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<Vec<u8>> {
        const OPERATION: Operation = Operation::GET_PUBLIC_KEY;
        let act = |model: &mut Model| match model.key(OPERATION, region, key)?.metadata.spec.is_asymmetric() {
            true => Ok(wrapping_key()),
            false => Err(refused(OPERATION, "UnsupportedOperationException", "the key is not asymmetric")),
        };
        self.play(OPERATION, (access, region), key.as_str(), act).await
    }
}
