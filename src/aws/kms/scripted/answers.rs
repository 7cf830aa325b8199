//! The effect of each call on the model, and its answer.

use super::model::{Model, NOW, material_id, page, refused, wrapping_key};
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{Alias, Answer, DeletionScheduled, ImportParameters, KeyOrAlias, Request};
use crate::domain::key::aws_enums::{KeyState, MultiRegionKind, Origin};
use crate::domain::key::material::ImportState;
use crate::domain::key::metadata::{Rotation, RotationStatus};
use crate::domain::place::{AccountId, Region};

/// The states in which a key can be enabled or disabled.
const USABLE: [KeyState; 2] = [KeyState::Enabled, KeyState::Disabled];

const DAY: i64 = 86_400;

impl Model {
    pub(super) fn answer(
        &mut self,
        account: AccountId,
        region: &Region,
        request: &Request,
    ) -> Result<Answer, AwsFailure> {
        let operation = request.operation();
        let refused = |code: &str, message: &str| refused(operation, code, message);
        let no_alias = || refused("NotFoundException", "Alias is not found.");
        Ok(match request {
            Request::CreateCustomKeyStore(call) => {
                Answer::CreateCustomKeyStore(self.create_key_store(operation, region, call)?)
            }
            Request::DescribeCustomKeyStores(call) => {
                Answer::DescribeCustomKeyStores(self.describe_key_stores(operation, region, call)?)
            }
            Request::ConnectCustomKeyStore(call) => {
                Answer::ConnectCustomKeyStore(self.connect_key_store(operation, region, &call.store)?)
            }
            Request::DisconnectCustomKeyStore(call) => {
                Answer::DisconnectCustomKeyStore(self.disconnect_key_store(operation, region, &call.store)?)
            }
            Request::UpdateCustomKeyStore(call) => {
                Answer::UpdateCustomKeyStore(self.update_key_store(operation, region, call)?)
            }
            Request::DeleteCustomKeyStore(call) => {
                Answer::DeleteCustomKeyStore(self.delete_key_store(operation, region, &call.store)?)
            }
            Request::CreateKey(call) => Answer::CreateKey(self.create(account, region, call)),
            Request::DescribeKey(call) => {
                let key = match &call.key {
                    KeyOrAlias::Key(key) => key.clone(),
                    KeyOrAlias::Alias(alias) => {
                        let target = self.aliases.get(&(region.clone(), alias.clone()));
                        target.ok_or_else(no_alias)?.clone()
                    }
                };
                Answer::DescribeKey(self.key(operation, region, &key)?.metadata.clone())
            }
            Request::ListKeys(call) => {
                let here = self.keys.iter().filter(|((there, _), _)| there == region);
                Answer::ListKeys(page(here.map(|(_, key)| key.metadata.arn.clone()).collect(), &call.paging))
            }
            Request::ListAliases(call) => {
                let here = self.aliases.iter().filter(|((there, _), _)| there == region);
                let here = here.filter(|(_, key)| call.key.as_ref().is_none_or(|of| of == *key));
                let aliases = here.map(|((_, name), key)| Alias { name: name.clone(), target: Some(key.clone()) });
                Answer::ListAliases(page(aliases.collect(), &call.paging))
            }
            Request::GetKeyPolicy(call) => Answer::GetKeyPolicy(self.key(operation, region, &call.key)?.policy.clone()),
            Request::PutKeyPolicy(call) => {
                self.key(operation, region, &call.key)?.policy = call.policy.clone();
                Answer::PutKeyPolicy(())
            }
            Request::ListResourceTags(call) => {
                let tags = self.key(operation, region, &call.key)?.tags.clone();
                Answer::ListResourceTags(page(tags, &call.paging))
            }
            Request::TagResource(call) => {
                let key = self.alive(operation, region, &call.key)?;
                key.tags.retain(|old| call.tags.iter().all(|new| new.key != old.key));
                key.tags.extend_from_slice(&call.tags);
                Answer::TagResource(())
            }
            Request::UntagResource(call) => {
                let key = self.alive(operation, region, &call.key)?;
                key.tags.retain(|tag| !call.tag_keys.contains(&tag.key));
                Answer::UntagResource(())
            }
            Request::CreateAlias(call) => {
                self.alive(operation, region, &call.key)?;
                let place = (region.clone(), call.alias.clone());
                if self.aliases.contains_key(&place) {
                    let message = format!("An alias with the name {} already exists", call.alias);
                    return Err(refused("AlreadyExistsException", &message));
                }
                self.aliases.insert(place, call.key.clone());
                Answer::CreateAlias(())
            }
            Request::UpdateAlias(call) => {
                self.alive(operation, region, &call.key)?;
                let target = self.aliases.get_mut(&(region.clone(), call.alias.clone()));
                *target.ok_or_else(no_alias)? = call.key.clone();
                Answer::UpdateAlias(())
            }
            Request::DeleteAlias(call) => {
                self.aliases.remove(&(region.clone(), call.alias.clone())).ok_or_else(no_alias)?;
                Answer::DeleteAlias(())
            }
            Request::EnableKey(call) => {
                let metadata = &mut self.key_that_is(operation, region, &call.key, &USABLE)?.metadata;
                (metadata.state, metadata.enabled) = (KeyState::Enabled, true);
                Answer::EnableKey(())
            }
            Request::DisableKey(call) => {
                let metadata = &mut self.key_that_is(operation, region, &call.key, &USABLE)?.metadata;
                (metadata.state, metadata.enabled) = (KeyState::Disabled, false);
                Answer::DisableKey(())
            }
            Request::UpdateKeyDescription(call) => {
                self.alive(operation, region, &call.key)?.metadata.description = call.description.clone();
                Answer::UpdateKeyDescription(())
            }
            Request::EnableKeyRotation(call) => {
                let key = self.key_that_is(operation, region, &call.key, &[KeyState::Enabled])?;
                let period = call.period.unwrap_or_default();
                let next = Some(NOW.plus_seconds(i64::from(period.days()) * DAY));
                key.rotation = RotationStatus { enabled: true, period: Some(period), next, on_demand_started: None };
                Answer::EnableKeyRotation(())
            }
            Request::DisableKeyRotation(call) => {
                let key = self.key_that_is(operation, region, &call.key, &[KeyState::Enabled])?;
                key.rotation = RotationStatus::default();
                Answer::DisableKeyRotation(())
            }
            Request::GetKeyRotationStatus(call) => {
                Answer::GetKeyRotationStatus(self.key(operation, region, &call.key)?.rotation.clone())
            }
            Request::GetKeyLastUsage(call) => {
                let known = self.key(operation, region, &call.key)?.last_use.clone();
                Answer::GetKeyLastUsage(crate::domain::key::last_use::LastUse { asked: call.asked, ..known })
            }
            Request::ListGrants(call) => {
                let grants = self.key(operation, region, &call.key)?.grants.clone();
                Answer::ListGrants(page(grants, &call.paging))
            }
            Request::RotateKeyOnDemand(call) => {
                self.made += 1;
                let fresh = material_id(self.made);
                self.key_that_is(operation, region, &call.key, &[KeyState::Enabled])?.rotate(fresh);
                Answer::RotateKeyOnDemand(())
            }
            Request::ListKeyRotations(call) => {
                let materials = self.key(operation, region, &call.key)?.materials.clone();
                Answer::ListKeyRotations(page(materials, &call.paging))
            }
            Request::GetParametersForImport(call) => {
                if self.alive(operation, region, &call.key)?.metadata.origin != Origin::External {
                    return Err(refused("UnsupportedOperationException", "the origin is not EXTERNAL"));
                }
                let valid_to = Some(NOW.plus_seconds(DAY));
                let (wrapping_key, token) = (wrapping_key(), b"token".to_vec());
                Answer::GetParametersForImport(ImportParameters { wrapping_key, token, valid_to })
            }
            Request::ImportKeyMaterial(call) => {
                self.made += 1;
                let fresh = material_id(self.made);
                let material = self.alive(operation, region, &call.key)?.import(call, fresh);
                Answer::ImportKeyMaterial(Some(material))
            }
            Request::DeleteImportedKeyMaterial(call) => {
                let key = self.alive(operation, region, &call.key)?;
                let gone = |old: &&mut Rotation| call.material.is_none() || old.material == call.material;
                let materials = key.materials.iter_mut().filter(gone);
                materials.for_each(|old| old.import_state = Some(ImportState::PendingImport));
                (key.metadata.state, key.metadata.enabled) = (KeyState::PendingImport, false);
                (key.metadata.valid_to, key.metadata.expiration_model) = (None, None);
                Answer::DeleteImportedKeyMaterial(())
            }
            Request::ScheduleKeyDeletion(call) => {
                let metadata = &mut self.alive(operation, region, &call.key)?.metadata;
                let family = metadata.multi_region.as_ref();
                let waits =
                    family.is_some_and(|family| family.kind == MultiRegionKind::Primary && !family.replicas.is_empty());
                let date = (!waits).then(|| NOW.plus_seconds(i64::from(call.window.days()) * DAY));
                metadata.state = if waits { KeyState::PendingReplicaDeletion } else { KeyState::PendingDeletion };
                (metadata.enabled, metadata.deletion_date) = (false, date);
                metadata.pending_window = waits.then_some(call.window);
                Answer::ScheduleKeyDeletion(DeletionScheduled { date, state: Some(metadata.state.clone()) })
            }
            Request::CancelKeyDeletion(call) => {
                let pending = [KeyState::PendingDeletion, KeyState::PendingReplicaDeletion];
                let metadata = &mut self.key_that_is(operation, region, &call.key, &pending)?.metadata;
                let empty = metadata.current_material.is_none();
                metadata.state = if empty { KeyState::PendingImport } else { KeyState::Disabled };
                (metadata.deletion_date, metadata.pending_window) = (None, None);
                Answer::CancelKeyDeletion(())
            }
            Request::ReplicateKey(call) => {
                let primary = self.alive(operation, region, &call.new.key)?.clone();
                if self.keys.contains_key(&(call.replica_region.clone(), call.new.key.clone())) {
                    return Err(refused("AlreadyExistsException", "the region has a replica already"));
                }
                self.replicate(&primary, call);
                let replica = self.key(operation, &call.replica_region, &call.new.key)?;
                Answer::ReplicateKey(replica.metadata.clone())
            }
            Request::UpdatePrimaryRegion(call) => {
                self.alive(operation, region, &call.key)?;
                let primary = self.alive(operation, &call.new_primary, &call.key)?.metadata.arn.clone();
                self.write_family(&primary);
                Answer::UpdatePrimaryRegion(())
            }
            Request::GetPublicKey(call) => {
                match self.key(operation, region, &call.key)?.metadata.spec.is_asymmetric() {
                    true => Answer::GetPublicKey(wrapping_key()),
                    false => return Err(refused("UnsupportedOperationException", "the key is not asymmetric")),
                }
            }
        })
    }
}
