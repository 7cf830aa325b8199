//! The port to KMS on `rusoto_kms`, and on signed JSON requests where that is too old; `send.rs` sends both.

use async_trait::async_trait;
use rusoto_kms as rusoto;
use rusoto_kms::{Kms, KmsClient};

use super::answers::{self, moment};
use super::json;
use super::port::{
    Alias, AwsKms, DeletionScheduled, ImportParameters, LockoutCheck, MaterialImport, NewKey, NewReplica,
    WrappingAlgorithm,
};
use crate::aws::failure::AwsFailure;
use crate::aws::operation::Operation;
use crate::aws::page::{Marker, Page, Paging, Walk};
use crate::aws::port::Access;
use crate::aws::rusoto::{RusotoAws, unintelligible};
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::days::{DeletionWindow, RotationPeriod};
use crate::domain::key::material::MaterialId;
use crate::domain::key::metadata::{KeyMetadata, Rotation, RotationStatus};
use crate::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::tag::Tag;
use crate::domain::place::Region;

/// The only policy that a key can have goes by this name.
const POLICY_NAME: &str = "default";

/// One call through `rusoto_kms`.
macro_rules! plain {
    ($aws:expr, $access:expr, $region:expr, $operation:ident, $call:ident, $request:expr) => {{
        let request = $request;
        let ask = move |kms: KmsClient| {
            let request = request.clone();
            async move { kms.$call(request).await }
        };
        $aws.plain(Operation::$operation, $access, $region, ask).await
    }};
}

#[async_trait]
impl AwsKms for RusotoAws {
    async fn create_key(&self, access: &Access, region: &Region, key: &NewKey) -> Result<KeyMetadata, AwsFailure> {
        const OPERATION: Operation = Operation::CREATE_KEY;
        let answer: answers::OneKey = self.json(OPERATION, access, region, &json::CreateKey::of(key)).await?;
        answer.metadata().map_err(|reason| unintelligible(OPERATION, &reason))
    }

    async fn describe_key(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Result<KeyMetadata, AwsFailure> {
        self.describe(access, region, key.as_str()).await
    }

    async fn describe_alias(
        &self,
        access: &Access,
        region: &Region,
        alias: &AliasName,
    ) -> Result<KeyMetadata, AwsFailure> {
        self.describe(access, region, alias.as_str()).await
    }

    async fn list_keys(&self, access: &Access, region: &Region, paging: &Paging) -> Result<Page<KeyArn>, AwsFailure> {
        let request = rusoto::ListKeysRequest { limit: limit(paging), marker: marker(paging) };
        plain!(self, access, region, LIST_KEYS, list_keys, request).map(answers::keys)
    }

    async fn list_aliases(
        &self,
        access: &Access,
        region: &Region,
        of: Option<&AwsKeyId>,
        paging: &Paging,
    ) -> Result<Page<Alias>, AwsFailure> {
        let key_id = of.map(ToString::to_string);
        let request = rusoto::ListAliasesRequest { key_id, limit: limit(paging), marker: marker(paging) };
        plain!(self, access, region, LIST_ALIASES, list_aliases, request).map(answers::aliases)
    }

    async fn get_key_policy(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Result<PolicyText, AwsFailure> {
        let request = rusoto::GetKeyPolicyRequest { key_id: key.to_string(), policy_name: POLICY_NAME.to_owned() };
        let answer = plain!(self, access, region, GET_KEY_POLICY, get_key_policy, request)?;
        let policy = PolicyText::parse(&answer.policy.unwrap_or_default());
        policy.map_err(|error| unintelligible(Operation::GET_KEY_POLICY, &error.to_string()))
    }

    async fn put_key_policy(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        policy: &PolicyText,
        lockout: LockoutCheck,
    ) -> Result<(), AwsFailure> {
        let request = rusoto::PutKeyPolicyRequest {
            key_id: key.to_string(),
            policy_name: POLICY_NAME.to_owned(),
            policy: policy.to_string(),
            bypass_policy_lockout_safety_check: (lockout == LockoutCheck::Bypassed).then_some(true),
        };
        plain!(self, access, region, PUT_KEY_POLICY, put_key_policy, request)
    }

    async fn list_tags(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Result<Vec<Tag>, AwsFailure> {
        let mut tags = Vec::new();
        let mut walk = Walk::of(Operation::LIST_RESOURCE_TAGS, Paging::default());
        loop {
            let page = self.tag_page(access, region, key, &walk.paging).await?;
            tags.extend(page.items);
            if !walk.goes_on(page.next)? {
                return Ok(tags);
            }
        }
    }

    async fn tag(&self, access: &Access, region: &Region, key: &AwsKeyId, tags: &[Tag]) -> Result<(), AwsFailure> {
        let tags = tags.iter().map(|tag| rusoto::Tag { tag_key: tag.key.clone(), tag_value: tag.value.clone() });
        let request = rusoto::TagResourceRequest { key_id: key.to_string(), tags: tags.collect() };
        plain!(self, access, region, TAG_RESOURCE, tag_resource, request)
    }

    async fn untag(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        tag_keys: &[String],
    ) -> Result<(), AwsFailure> {
        let request = rusoto::UntagResourceRequest { key_id: key.to_string(), tag_keys: tag_keys.to_vec() };
        plain!(self, access, region, UNTAG_RESOURCE, untag_resource, request)
    }

    async fn create_alias(
        &self,
        access: &Access,
        region: &Region,
        alias: &AliasName,
        key: &AwsKeyId,
    ) -> Result<(), AwsFailure> {
        let request = rusoto::CreateAliasRequest { alias_name: alias.to_string(), target_key_id: key.to_string() };
        plain!(self, access, region, CREATE_ALIAS, create_alias, request)
    }

    async fn update_alias(
        &self,
        access: &Access,
        region: &Region,
        alias: &AliasName,
        key: &AwsKeyId,
    ) -> Result<(), AwsFailure> {
        let request = rusoto::UpdateAliasRequest { alias_name: alias.to_string(), target_key_id: key.to_string() };
        plain!(self, access, region, UPDATE_ALIAS, update_alias, request)
    }

    async fn delete_alias(&self, access: &Access, region: &Region, alias: &AliasName) -> Result<(), AwsFailure> {
        let request = rusoto::DeleteAliasRequest { alias_name: alias.to_string() };
        plain!(self, access, region, DELETE_ALIAS, delete_alias, request)
    }

    async fn enable(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Result<(), AwsFailure> {
        let request = rusoto::EnableKeyRequest { key_id: key.to_string() };
        plain!(self, access, region, ENABLE_KEY, enable_key, request)
    }

    async fn disable(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Result<(), AwsFailure> {
        let request = rusoto::DisableKeyRequest { key_id: key.to_string() };
        plain!(self, access, region, DISABLE_KEY, disable_key, request)
    }

    async fn update_description(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        description: &str,
    ) -> Result<(), AwsFailure> {
        let description = description.to_owned();
        let request = rusoto::UpdateKeyDescriptionRequest { key_id: key.to_string(), description };
        plain!(self, access, region, UPDATE_KEY_DESCRIPTION, update_key_description, request)
    }

    async fn enable_rotation(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        period: Option<RotationPeriod>,
    ) -> Result<(), AwsFailure> {
        let rotation_period_in_days = period.map(RotationPeriod::days);
        let request = json::EnableKeyRotation { key_id: key.as_str(), rotation_period_in_days };
        let answer: Result<answers::Done, _> =
            self.json(Operation::ENABLE_KEY_ROTATION, access, region, &request).await;
        answer.map(drop)
    }

    async fn disable_rotation(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Result<(), AwsFailure> {
        let request = rusoto::DisableKeyRotationRequest { key_id: key.to_string() };
        plain!(self, access, region, DISABLE_KEY_ROTATION, disable_key_rotation, request)
    }

    async fn rotation_status(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
    ) -> Result<RotationStatus, AwsFailure> {
        let request = json::OfKey { key_id: key.as_str() };
        let answer: Result<answers::KeyRotationStatus, _> =
            self.json(Operation::GET_KEY_ROTATION_STATUS, access, region, &request).await;
        answer.map(answers::KeyRotationStatus::status)
    }

    async fn rotate_on_demand(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Result<(), AwsFailure> {
        let request = json::OfKey { key_id: key.as_str() };
        let answer: Result<answers::Done, _> =
            self.json(Operation::ROTATE_KEY_ON_DEMAND, access, region, &request).await;
        answer.map(drop)
    }

    async fn list_rotations(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        paging: &Paging,
    ) -> Result<Page<Rotation>, AwsFailure> {
        let request = json::ListKeyRotations {
            key_id: key.as_str(),
            include_key_material: "ALL_KEY_MATERIAL",
            limit: paging.limit,
            marker: paging.marker.as_ref().map(Marker::as_str),
        };
        let answer: Result<answers::KeyRotations, _> =
            self.json(Operation::LIST_KEY_ROTATIONS, access, region, &request).await;
        answer.map(answers::KeyRotations::page)
    }

    async fn parameters_for_import(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        algorithm: WrappingAlgorithm,
    ) -> Result<ImportParameters, AwsFailure> {
        let request = rusoto::GetParametersForImportRequest {
            key_id: key.to_string(),
            wrapping_algorithm: algorithm.as_str().to_owned(),
            wrapping_key_spec: "RSA_4096".to_owned(),
        };
        let answer = plain!(self, access, region, GET_PARAMETERS_FOR_IMPORT, get_parameters_for_import, request)?;
        match (answer.public_key, answer.import_token) {
            (Some(key), Some(token)) if !key.is_empty() && !token.is_empty() => Ok(ImportParameters {
                wrapping_key: key.to_vec(),
                token: token.to_vec(),
                valid_to: answer.parameters_valid_to.map(moment),
            }),
            _ => Err(unintelligible(Operation::GET_PARAMETERS_FOR_IMPORT, "it holds no wrapping key, or no token")),
        }
    }

    async fn import_material(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        import: &MaterialImport,
    ) -> Result<Option<MaterialId>, AwsFailure> {
        let request = json::ImportKeyMaterial::of(key.as_str(), import);
        let answer: Result<answers::Imported, _> =
            self.json(Operation::IMPORT_KEY_MATERIAL, access, region, &request).await;
        answer.map(answers::Imported::material)
    }

    async fn delete_material(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        material: Option<&MaterialId>,
    ) -> Result<(), AwsFailure> {
        let key_material_id = material.map(MaterialId::as_str);
        let request = json::DeleteImportedKeyMaterial { key_id: key.as_str(), key_material_id };
        let answer: Result<answers::Done, _> =
            self.json(Operation::DELETE_IMPORTED_KEY_MATERIAL, access, region, &request).await;
        answer.map(drop)
    }

    async fn schedule_deletion(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        window: DeletionWindow,
    ) -> Result<DeletionScheduled, AwsFailure> {
        let pending_window_in_days = Some(i64::from(window.days()));
        let request = rusoto::ScheduleKeyDeletionRequest { key_id: key.to_string(), pending_window_in_days };
        let answer = plain!(self, access, region, SCHEDULE_KEY_DELETION, schedule_key_deletion, request)?;
        let state = answer.key_state.as_deref().map(KeyState::parse);
        Ok(DeletionScheduled { date: answer.deletion_date.map(moment), state })
    }

    async fn cancel_deletion(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Result<(), AwsFailure> {
        let request = rusoto::CancelKeyDeletionRequest { key_id: key.to_string() };
        plain!(self, access, region, CANCEL_KEY_DELETION, cancel_key_deletion, request).map(drop)
    }

    async fn replicate(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        replica: &NewReplica,
    ) -> Result<KeyMetadata, AwsFailure> {
        const OPERATION: Operation = Operation::REPLICATE_KEY;
        let request = json::ReplicateKey::of(key.as_str(), replica);
        let answer: answers::OneReplica = self.json(OPERATION, access, region, &request).await?;
        answer.metadata().map_err(|reason| unintelligible(OPERATION, &reason))
    }

    async fn update_primary_region(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        new_primary: &Region,
    ) -> Result<(), AwsFailure> {
        let primary_region = new_primary.to_string();
        let request = rusoto::UpdatePrimaryRegionRequest { key_id: key.to_string(), primary_region };
        plain!(self, access, region, UPDATE_PRIMARY_REGION, update_primary_region, request)
    }

    async fn public_key(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Result<Vec<u8>, AwsFailure> {
        let request = rusoto::GetPublicKeyRequest { key_id: key.to_string(), grant_tokens: None };
        let answer = plain!(self, access, region, GET_PUBLIC_KEY, get_public_key, request)?;
        let der = answer.public_key.filter(|der| !der.is_empty());
        let der = der.ok_or_else(|| unintelligible(Operation::GET_PUBLIC_KEY, "it holds no key"))?;
        Ok(der.to_vec())
    }
}

fn limit(paging: &Paging) -> Option<i64> {
    paging.limit.map(i64::from)
}

fn marker(paging: &Paging) -> Option<String> {
    paging.marker.as_ref().map(|marker| marker.as_str().to_owned())
}

impl RusotoAws {
    async fn describe(&self, access: &Access, region: &Region, key_id: &str) -> Result<KeyMetadata, AwsFailure> {
        const OPERATION: Operation = Operation::DESCRIBE_KEY;
        let answer: answers::OneKey = self.json(OPERATION, access, region, &json::OfKey { key_id }).await?;
        answer.metadata().map_err(|reason| unintelligible(OPERATION, &reason))
    }

    async fn tag_page(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        paging: &Paging,
    ) -> Result<Page<Tag>, AwsFailure> {
        let (limit, marker) = (limit(paging), marker(paging));
        let request = rusoto::ListResourceTagsRequest { key_id: key.to_string(), limit, marker };
        let answer = plain!(self, access, region, LIST_RESOURCE_TAGS, list_resource_tags, request)?;
        let tags = answer.tags.unwrap_or_default().into_iter().map(|tag| Tag::told(tag.tag_key, tag.tag_value));
        Ok(Page::of(tags.collect(), answer.truncated, answer.next_marker))
    }
}
