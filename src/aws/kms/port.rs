//! What the services need of AWS KMS, in domain terms.
//!
//! Each call goes to one region of the account behind an [`Access`], waits for its turn there, has a deadline, and is
//! repeated only where that is safe: what [`AwsFailure::may_have_been_done`] says of a failure can be relied on.
//! AWS is eventually consistent: what was changed a moment ago may still be read as it was.

use std::fmt;

use async_trait::async_trait;

use crate::aws::failure::AwsFailure;
use crate::aws::page::{Page, Paging};
use crate::aws::port::Access;
use crate::domain::key::aws_enums::{KeyState, Origin};
use crate::domain::key::days::{DeletionWindow, RotationPeriod};
use crate::domain::key::material::{ImportType, MaterialId};
use crate::domain::key::metadata::{KeyMetadata, Rotation, RotationStatus};
use crate::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::key::tag::Tag;
use crate::domain::place::Region;
use crate::domain::time::Time;

type Answer<T> = Result<T, AwsFailure>;

/// AWS KMS as the services see it. Calls that change something answer once AWS has confirmed it.
#[async_trait]
pub trait AwsKms: Send + Sync + 'static {
    /// Makes a key (CreateKey). Never repeated once it may have been done: each time makes another key.
    async fn create_key(&self, access: &Access, region: &Region, key: &NewKey) -> Answer<KeyMetadata>;

    /// What a key is (DescribeKey).
    async fn describe_key(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<KeyMetadata>;

    /// The key behind an alias (DescribeKey); refused as not found if there is no such alias.
    async fn describe_alias(&self, access: &Access, region: &Region, alias: &AliasName) -> Answer<KeyMetadata>;

    /// The keys of the region, AWS's own among them, in AWS's order (ListKeys).
    async fn list_keys(&self, access: &Access, region: &Region, paging: &Paging) -> Answer<Page<KeyArn>>;

    /// The aliases of the region, or of one of its keys (ListAliases; AWS gives up to 100 at once).
    async fn list_aliases(
        &self,
        access: &Access,
        region: &Region,
        of: Option<&AwsKeyId>,
        paging: &Paging,
    ) -> Answer<Page<Alias>>;

    async fn get_key_policy(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<PolicyText>;

    /// Replaces the key's policy (PutKeyPolicy).
    async fn put_key_policy(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        policy: &PolicyText,
        lockout: LockoutCheck,
    ) -> Answer<()>;

    /// All tags of a key (ListResourceTags, over all its pages).
    async fn list_tags(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<Vec<Tag>>;

    /// Adds tags, or changes their values (TagResource).
    async fn tag(&self, access: &Access, region: &Region, key: &AwsKeyId, tags: &[Tag]) -> Answer<()>;

    /// Removes tags; those that are not there are no mistake (UntagResource).
    async fn untag(&self, access: &Access, region: &Region, key: &AwsKeyId, tag_keys: &[String]) -> Answer<()>;

    /// Gives a key another name (CreateAlias).
    async fn create_alias(&self, access: &Access, region: &Region, alias: &AliasName, key: &AwsKeyId) -> Answer<()>;

    /// Moves a name to another key of the same kind and use (UpdateAlias).
    async fn update_alias(&self, access: &Access, region: &Region, alias: &AliasName, key: &AwsKeyId) -> Answer<()>;

    /// Takes a name away (DeleteAlias).
    async fn delete_alias(&self, access: &Access, region: &Region, alias: &AliasName) -> Answer<()>;

    /// Switches a key on (EnableKey).
    async fn enable(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<()>;

    /// Switches a key off (DisableKey).
    async fn disable(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<()>;

    /// Replaces a key's description (UpdateKeyDescription).
    async fn update_description(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        description: &str,
    ) -> Answer<()>;

    /// Has AWS rotate a key by itself; AWS's own period, a year, if none is given (EnableKeyRotation).
    async fn enable_rotation(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        period: Option<RotationPeriod>,
    ) -> Answer<()>;

    /// Has AWS rotate a key no longer (DisableKeyRotation).
    async fn disable_rotation(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<()>;

    /// Whether and when AWS rotates a key (GetKeyRotationStatus).
    async fn rotation_status(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<RotationStatus>;

    /// Rotates a key now (RotateKeyOnDemand). Never repeated once it may have been done.
    async fn rotate_on_demand(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<()>;

    /// All materials of a key: the first, the current one, and those that wait for a rotation (ListKeyRotations).
    async fn list_rotations(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        paging: &Paging,
    ) -> Answer<Page<Rotation>>;

    /// What is needed to wrap material for a key, with a wrapping key of RSA 4096 (GetParametersForImport).
    async fn parameters_for_import(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        algorithm: WrappingAlgorithm,
    ) -> Answer<ImportParameters>;

    /// Imports wrapped material, and says AWS's id of it where AWS does (ImportKeyMaterial). Never repeated once it may
    /// have been done.
    async fn import_material(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        import: &MaterialImport,
    ) -> Answer<Option<MaterialId>>;

    /// Takes imported material away: that one, or the only one (DeleteImportedKeyMaterial).
    async fn delete_material(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        material: Option<&MaterialId>,
    ) -> Answer<()>;

    /// Has AWS delete a key after so many days (ScheduleKeyDeletion).
    async fn schedule_deletion(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        window: DeletionWindow,
    ) -> Answer<DeletionScheduled>;

    /// Calls the deletion off; the key is disabled then (CancelKeyDeletion).
    async fn cancel_deletion(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<()>;

    /// Makes a relative of a key in another region; `region` is the primary's (ReplicateKey). Never repeated once it may
    /// have been done.
    async fn replicate(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        replica: &NewReplica,
    ) -> Answer<KeyMetadata>;

    /// Makes the relative in `new_primary` the primary; `region` is the old primary's (UpdatePrimaryRegion).
    async fn update_primary_region(
        &self,
        access: &Access,
        region: &Region,
        key: &AwsKeyId,
        new_primary: &Region,
    ) -> Answer<()>;

    /// The public half of an asymmetric key, as the DER of a SubjectPublicKeyInfo (GetPublicKey).
    async fn public_key(&self, access: &Access, region: &Region, key: &AwsKeyId) -> Answer<Vec<u8>>;
}

/// A key to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    pub spec: KeySpec,
    pub usage: KeyUsage,
    /// Where its material will come from.
    pub origin: Origin,
    pub description: String,
    /// Whether it can have relatives in other regions.
    pub multi_region: bool,
    /// Its policy; AWS's default policy if there is none.
    pub policy: Option<PolicyText>,
    /// Whether AWS may refuse that policy.
    pub lockout: LockoutCheck,
    pub tags: Vec<Tag>,
    /// The custom key store that is to hold it.
    pub custom_key_store_id: Option<String>,
    /// Its id in the key manager outside AWS that holds it.
    pub xks_key_id: Option<String>,
}

impl NewKey {
    /// A key of some kind, and nothing else out of the ordinary.
    pub fn plain(spec: KeySpec, usage: KeyUsage) -> Self {
        Self {
            spec,
            usage,
            origin: Origin::AwsKms,
            description: String::new(),
            multi_region: false,
            policy: None,
            lockout: LockoutCheck::Kept,
            tags: Vec::new(),
            custom_key_store_id: None,
            xks_key_id: None,
        }
    }
}

/// Whether AWS refuses a policy that would keep its own author from changing it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LockoutCheck {
    #[default]
    Kept,
    /// It does not (`BypassPolicyLockoutSafetyCheck`).
    Bypassed,
}

/// A relative of a key to be made in another region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReplica {
    pub region: Region,
    /// What it is for; empty if nothing is said.
    pub description: String,
    /// Its policy; AWS's default policy if there is none.
    pub policy: Option<PolicyText>,
    /// Whether AWS may refuse that policy.
    pub lockout: LockoutCheck,
    pub tags: Vec<Tag>,
}

/// An alias and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    pub name: AliasName,
    /// The key; AWS's own aliases exist before their key does.
    pub target: Option<AwsKeyId>,
}

/// How material is wrapped on its way to AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrappingAlgorithm {
    /// For what fits into one block of RSA: symmetric and HMAC material.
    RsaesOaepSha256,
    /// For what does not: private keys, in PKCS#8.
    RsaAesKeyWrapSha256,
}

impl WrappingAlgorithm {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsaesOaepSha256 => "RSAES_OAEP_SHA_256",
            Self::RsaAesKeyWrapSha256 => "RSA_AES_KEY_WRAP_SHA_256",
        }
    }

    /// The one that material of a kind is wrapped with.
    pub fn of(spec: &KeySpec) -> Self {
        if spec.is_asymmetric() { Self::RsaAesKeyWrapSha256 } else { Self::RsaesOaepSha256 }
    }
}

/// What is needed to wrap material for a key.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportParameters {
    /// The wrapping key, as the DER of a SubjectPublicKeyInfo.
    pub wrapping_key: Vec<u8>,
    /// What goes back to AWS with the wrapped material.
    pub token: Vec<u8>,
    /// Until when both are good.
    pub valid_to: Option<Time>,
}

impl fmt::Debug for ImportParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportParameters").field("valid_to", &self.valid_to).finish_non_exhaustive()
    }
}

/// Wrapped material on its way to AWS.
#[derive(Clone, PartialEq, Eq)]
pub struct MaterialImport {
    /// What came with the wrapping key.
    pub token: Vec<u8>,
    pub wrapped: Vec<u8>,
    /// When AWS forgets it, to the second; never if nothing is said.
    pub expires: Option<Time>,
    /// Whether the key knows it already; a key's first material needs no word.
    pub import_type: Option<ImportType>,
    /// Which material it is, when it is imported again.
    pub material: Option<MaterialId>,
    /// What it is, in somebody's words.
    pub description: Option<String>,
}

impl MaterialImport {
    /// A key's first material, which does not expire.
    pub fn first(token: Vec<u8>, wrapped: Vec<u8>) -> Self {
        Self { token, wrapped, expires: None, import_type: None, material: None, description: None }
    }
}

impl fmt::Debug for MaterialImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaterialImport")
            .field("expires", &self.expires)
            .field("import_type", &self.import_type)
            .field("material", &self.material)
            .finish_non_exhaustive()
    }
}

/// A deletion that is ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionScheduled {
    /// When; not known while a primary waits for its replicas to go first.
    pub date: Option<Time>,
    /// The key's state now, where AWS says it.
    pub state: Option<KeyState>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_material_and_tokens_are_not_shown() {
        let import = MaterialImport::first(b"token".to_vec(), b"wrapped".to_vec());
        let parameters = ImportParameters { wrapping_key: b"key".to_vec(), token: b"token".to_vec(), valid_to: None };
        assert_eq!(
            format!("{import:?} {parameters:?}"),
            "MaterialImport { expires: None, import_type: None, material: None, .. } ImportParameters { valid_to: None, .. }"
        );
    }

    #[test]
    fn private_keys_are_wrapped_in_two_layers() {
        assert_eq!(WrappingAlgorithm::of(&KeySpec::SymmetricDefault), WrappingAlgorithm::RsaesOaepSha256);
        assert_eq!(WrappingAlgorithm::of(&KeySpec::Hmac512), WrappingAlgorithm::RsaesOaepSha256);
        assert_eq!(WrappingAlgorithm::of(&KeySpec::Rsa4096), WrappingAlgorithm::RsaAesKeyWrapSha256);
        assert_eq!(WrappingAlgorithm::of(&KeySpec::EccSecgP256k1), WrappingAlgorithm::RsaAesKeyWrapSha256);
    }
}
