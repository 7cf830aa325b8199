//! The model of the scripted KMS: keys, aliases, and the rules of the key states.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};

use super::{Cue, RecordedCall};
use crate::aws::failure::AwsFailure;
use crate::aws::kms::calls::{CreateKey, ImportKeyMaterial, ReplicateKey};
use crate::aws::kms::custom_key_store::CustomKeyStore;
use crate::aws::operation::AwsOperation;
use crate::aws::page::{Marker, Page, Paging};
use crate::domain::key::aws_enums::{ExpirationModel, KeyManager, KeyState, MultiRegionKind, Origin};
use crate::domain::key::grant::KeyGrant;
use crate::domain::key::last_use::LastUse;
use crate::domain::key::material::{ImportState, ImportType, MaterialId, MaterialState, RotationKind};
use crate::domain::key::metadata::{KeyMetadata, MultiRegion, Rotation, RotationStatus};
use crate::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::tag::Tag;
use crate::domain::place::{AccountId, Region};
use crate::domain::time::Time;

type ModelResult<T> = Result<T, AwsFailure>;

#[derive(Debug, Clone)]
pub struct ModelKey {
    pub metadata: KeyMetadata,
    pub policy: PolicyText,
    pub tags: Vec<Tag>,
    pub rotation: RotationStatus,
    pub last_use: LastUse,
    pub grants: Vec<KeyGrant>,
    /// The materials, newest first.
    pub materials: Vec<Rotation>,
    pub imports: Vec<ImportKeyMaterial>,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) keys: BTreeMap<(Region, AwsKeyId), ModelKey>,
    pub(super) aliases: BTreeMap<(Region, AliasName), AwsKeyId>,
    pub(super) key_stores: BTreeMap<(Region, String), CustomKeyStore>,
    pub(super) cues: VecDeque<(AwsOperation, Cue)>,
    pub(super) recorded: Vec<RecordedCall>,
    pub(super) made: u128,
}

/// The time of the model, which does not pass: 2026-01-01T00:00:00Z.
pub const NOW: Time = Time::from_nanos(1_767_225_600_000_000_000);

/// The default size of a page, as in AWS.
const PAGE: usize = 100;

pub fn refused(operation: AwsOperation, code: &str, message: &str) -> AwsFailure {
    AwsFailure::Refused { operation, status: 400, code: code.to_owned(), message: message.to_owned() }
}

impl Model {
    pub(super) fn key(
        &mut self,
        operation: AwsOperation,
        region: &Region,
        key: &AwsKeyId,
    ) -> ModelResult<&mut ModelKey> {
        let found = self.keys.get_mut(&(region.clone(), key.clone()));
        found.ok_or_else(|| refused(operation, "NotFoundException", &format!("Key '{key}' does not exist")))
    }

    /// The key, if its state is one of `states`.
    pub(super) fn key_that_is(
        &mut self,
        operation: AwsOperation,
        region: &Region,
        key: &AwsKeyId,
        states: &[KeyState],
    ) -> ModelResult<&mut ModelKey> {
        let found = self.key(operation, region, key)?;
        if states.contains(&found.metadata.state) {
            return Ok(found);
        }
        let message = format!("{} is {}.", found.metadata.arn, found.metadata.state);
        Err(refused(operation, "KMSInvalidStateException", &message))
    }

    pub(super) fn alive(
        &mut self,
        operation: AwsOperation,
        region: &Region,
        key: &AwsKeyId,
    ) -> ModelResult<&mut ModelKey> {
        use KeyState::{Disabled, Enabled, PendingImport};
        self.key_that_is(operation, region, key, &[Enabled, Disabled, PendingImport])
    }

    pub(super) fn create(&mut self, account: AccountId, region: &Region, call: &CreateKey) -> KeyMetadata {
        let key = &call.new;
        self.made += 1;
        let id = match key.multi_region {
            true => format!("mrk-{:032x}", self.made),
            false => uuid::Uuid::from_u128(self.made).to_string(),
        };
        let arn = KeyArn::of(account, region.clone(), AwsKeyId::parse(&id).expect("an id by AWS's rule"));
        let external = key.origin == Origin::External;
        let current = (!external).then(|| material_id(self.made));
        let family = || MultiRegion { kind: MultiRegionKind::Primary, primary: arn.clone(), replicas: Vec::new() };
        let metadata = KeyMetadata {
            created_at: Some(NOW),
            description: key.description.clone(),
            enabled: !external,
            spec: key.spec.clone(),
            usage: key.usage.clone(),
            state: if external { KeyState::PendingImport } else { KeyState::Enabled },
            origin: key.origin.clone(),
            manager: KeyManager::Customer,
            multi_region: key.multi_region.then(family).map(Box::new),
            deletion_date: None,
            pending_window: None,
            valid_to: None,
            expiration_model: None,
            algorithms: Arc::default(),
            current_material: current.clone(),
            custom_key_store_id: call.custom_key_store_id.clone(),
            cloud_hsm_cluster_id: None,
            xks_key_id: call.xks_key_id.clone(),
            arn,
        };
        let root = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Sid": "Enable IAM User Permissions",
            "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{account}:root")}, "Action": "kms:*", "Resource": "*"}]});
        let model = ModelKey {
            metadata: metadata.clone(),
            policy: key.policy.clone().unwrap_or_else(|| PolicyText::of(&root).expect("a policy")),
            tags: key.tags.clone(),
            rotation: RotationStatus::default(),
            last_use: LastUse { asked: NOW, tracked_since: NOW, last: None },
            grants: Vec::new(),
            materials: current.map(|id| material(Some(id), None)).into_iter().collect(),
            imports: Vec::new(),
        };
        self.keys.insert((region.clone(), metadata.key_id().clone()), model);
        metadata
    }

    pub(super) fn replicate(&mut self, primary: &ModelKey, call: &ReplicateKey) {
        let external = primary.metadata.origin == Origin::External;
        let mut copy = primary.clone();
        copy.metadata.arn = primary.metadata.arn.in_region(call.replica_region.clone());
        copy.metadata.description = call.new.description.clone();
        copy.metadata.state = if external { KeyState::PendingImport } else { KeyState::Enabled };
        copy.metadata.enabled = !external;
        copy.tags = call.new.tags.clone();
        copy.policy = call.new.policy.clone().unwrap_or(copy.policy);
        self.keys.insert((call.replica_region.clone(), call.new.key.clone()), copy);
        self.write_family(&primary.metadata.arn);
    }

    /// Updates the multi-region configuration of a primary key and its replicas.
    pub(super) fn write_family(&mut self, primary: &KeyArn) {
        let of_family = |region_and_id: &&(Region, AwsKeyId)| region_and_id.1 == *primary.id();
        let regions: Vec<Region> = self.keys.keys().filter(of_family).map(|(region, _)| region.clone()).collect();
        let replicas = regions.iter().filter(|region| *region != primary.region());
        let replicas: Vec<KeyArn> = replicas.map(|region| primary.in_region(region.clone())).collect();
        for region in regions {
            let kind = if region == *primary.region() { MultiRegionKind::Primary } else { MultiRegionKind::Replica };
            if let Some(member) = self.keys.get_mut(&(region, primary.id().clone())) {
                let (primary, replicas) = (primary.clone(), replicas.clone());
                member.metadata.multi_region = Some(Box::new(MultiRegion { kind, primary, replicas }));
            }
        }
    }
}

impl ModelKey {
    /// Rotates to the material that is pending rotation, or to `fresh` if there is none.
    pub(super) fn rotate(&mut self, fresh: MaterialId) {
        let waiting = self.materials.iter().position(|old| old.state == Some(MaterialState::PendingRotation));
        let id = waiting.and_then(|at| self.materials.remove(at).material).unwrap_or(fresh);
        self.materials.iter_mut().for_each(|old| old.state = Some(MaterialState::NonCurrent));
        self.materials.insert(0, material(Some(id.clone()), Some(RotationKind::OnDemand)));
        self.metadata.current_material = Some(id);
    }

    /// Imports material and returns its id.
    pub(super) fn import(&mut self, call: &ImportKeyMaterial, fresh: MaterialId) -> MaterialId {
        self.imports.push(call.clone());
        if call.import_type == Some(ImportType::NewKeyMaterial) {
            // New material becomes current by a rotation.
            let state = Some(MaterialState::PendingRotation);
            self.materials.insert(0, Rotation { state, ..material(Some(fresh.clone()), None) });
            return fresh;
        }
        let known = call.material.clone().or_else(|| self.materials.first().and_then(|old| old.material.clone()));
        let id = known.unwrap_or(fresh);
        let expires = call.expires;
        let model = if expires.is_some() { ExpirationModel::Expires } else { ExpirationModel::DoesNotExpire };
        self.materials.retain(|old| old.material.as_ref() != Some(&id));
        self.materials.insert(
            0,
            Rotation {
                import_state: Some(ImportState::Imported),
                expiration_model: Some(model.clone()),
                valid_to: expires,
                description: call.description.clone(),
                ..material(Some(id.clone()), None)
            },
        );
        (self.metadata.valid_to, self.metadata.expiration_model) = (expires, Some(model));
        if self.metadata.state == KeyState::PendingImport {
            (self.metadata.state, self.metadata.enabled) = (KeyState::Enabled, true);
        }
        self.metadata.current_material = Some(id.clone());
        id
    }
}

pub(super) fn material_id(number: u128) -> MaterialId {
    MaterialId::new(&format!("{number:064x}"))
}

fn material(id: Option<MaterialId>, kind: Option<RotationKind>) -> Rotation {
    Rotation {
        material: id,
        state: Some(MaterialState::Current),
        import_state: None,
        rotated_at: kind.as_ref().map(|_| NOW),
        kind,
        expiration_model: None,
        valid_to: None,
        description: None,
    }
}

pub(super) fn page<T>(all: Vec<T>, paging: &Paging) -> Page<T> {
    let from: usize = paging.marker.as_ref().and_then(|marker| marker.as_str().parse().ok()).unwrap_or(0);
    let limit = paging.limit.map_or(PAGE, usize::from);
    let next = (all.len() > from + limit).then(|| Marker::new((from + limit).to_string()));
    Page { items: all.into_iter().skip(from).take(limit).collect(), next }
}

/// The private half of the wrapping key, so that a test can unwrap the material that a service has sent.
pub fn unwrapping_key() -> &'static PrivateDecryptingKey {
    static KEY: OnceLock<PrivateDecryptingKey> = OnceLock::new();
    KEY.get_or_init(|| PrivateDecryptingKey::generate(KeySize::Rsa4096).expect("the system has randomness"))
}

pub(super) fn wrapping_key() -> Vec<u8> {
    let der: PublicKeyX509Der<'_> = unwrapping_key().public_key().as_der().expect("it can be written");
    der.as_ref().to_vec()
}
