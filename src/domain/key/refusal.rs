//! Refusals of a key: the message, the kind and the reason of each.

use super::super::id::KeyId;
use super::super::name::SourceKeyName;
use super::super::place::Region;
use super::super::refusal::reason::reasons;
use super::aws_enums::KeyState;
use super::name::AliasName;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum KeyRefusal {
    #[error("replica_region: there is a replica of this key in `{0}` already (AlreadyExistsException)")]
    ReplicaThere(Region),
    #[error("the policy of AWS key {0} may not be read (kms:GetKeyPolicy), and the key that replaces it is to have it")]
    PolicyUnreadable(KeyId),
    #[error("AWS key {0} does not exist")]
    Unknown(String),
    #[error("there is a key {0} already")]
    Exists(KeyId),
    #[error("AWS does not have key {0} any more: its entry can be viewed and deleted")]
    Gone(KeyId),
    #[error("region `{region}` of key {id} was taken from its KMS: its entry can be viewed and deleted")]
    RegionRemoved { id: KeyId, region: Region },
    #[error("AWS still has key {0}: schedule its deletion; the entry can be deleted once the key is gone")]
    NotGone(KeyId),
    #[error("alias: `{alias}` belongs to key {by}, which is pending deletion and keeps it until then")]
    AliasHeld { alias: AliasName, by: KeyId },
    #[error("alias: `{0}` is taken in this region; choose another one")]
    AliasTaken(AliasName),
    #[error("alias: key {key} does not have the alias `{alias}`")]
    AliasUnknown { alias: AliasName, key: KeyId },
    #[error("key {0} is pending deletion: AWS changes its policy, but not the tag of its policy template")]
    TemplateFixed(KeyId),
    #[error("key {0} takes no material of a source key: its origin is not EXTERNAL, or AWS cannot rotate its material")]
    NotExternal(KeyId),
    #[error("key {id} is in the state {state}: AWS rotates the material of enabled keys only")]
    NotEnabled { id: KeyId, state: KeyState },
    #[error("the material of key {0} was not rotated here")]
    NeverRotated(KeyId),
    #[error("key {0} is not asymmetric: it has no public key")]
    NotAsymmetric(KeyId),
    #[error(
        "key {0} cannot be rotated by a schedule: only keys that AWS does not manage itself can, and of those in external key stores only the ones that this manager serves"
    )]
    NotRotatable(KeyId),
    #[error("key {0} is not the primary key of a multi-region family: only such a key can be replicated")]
    NotPrimary(KeyId),
    #[error("key {id} was rotated already: key {to} has taken its place")]
    Rotated { id: KeyId, to: KeyId },
    #[error("key {0} is not linked to AWS yet: link it first; it can be blocked, rotated and deleted")]
    Unlinked(KeyId),
    #[error("key {0} is linked to AWS already")]
    Linked(KeyId),
    #[error("is not for HYOK keys: their rotation takes source_key_id and source_key_tier")]
    HyokRotation,
    #[error("key {0} is not in an external key store that this manager serves")]
    NotHyok(KeyId),
    #[error(
        "local_hosted_params.source_key_id: source key `{source_key}` cannot be the material of a key in an external key \
         store: it must be an AES-256 key that encrypts and decrypts, unexportable, undeletable and active, and {problem}"
    )]
    SourceUnfit { source_key: SourceKeyName, problem: &'static str },
    #[error(
        "source_key_id: source key `{source_key}` cannot be that of a virtual key: it must be an AES-256 key that encrypts \
         and decrypts, unexportable, undeletable and active, and {problem}"
    )]
    VirtualSourceUnfit { source_key: SourceKeyName, problem: &'static str },
    #[error("there is no virtual key {0}")]
    VirtualKeyUnknown(String),
    #[error("HYOK key {0} was created with this virtual key, and goes with it only")]
    VirtualKeyInUse(KeyId),
    #[error("virtual key {0} is not deletable: set `deletable` to true first")]
    VirtualKeyKept(KeyId),
    #[error("another operation on key {0} is under way; try again in a moment")]
    Busy(KeyId),
}

reasons! { KeyRefusal =>
    ReplicaThere: Taken of "replica_region", "replica_exists", "The key has a replica in the region already.";
    PolicyUnreadable: Conflict, "policy_unreadable", "The policy that the new key is to have may not be read.";
    Unknown: Unknown, "key_unknown", "There is no such key, or none that the caller may see.";
    Exists: Taken, "key_exists", "The id of the key is in use.";
    Gone: Conflict, "key_gone", "AWS does not have the key any more.";
    RegionRemoved: Conflict, "key_region_removed", "The region of the key was taken from its KMS.";
    NotGone: Conflict, "key_not_gone", "AWS still has the key.";
    AliasHeld: Taken of "alias", "alias_held", "A key that is pending deletion has the alias, and keeps it until then.";
    AliasTaken: Taken of "alias", "alias_taken", "Another key of the region has the alias.";
    AliasUnknown: Unknown of "alias", "alias_unknown", "The key does not have the alias.";
    TemplateFixed: Conflict, "key_template_fixed", "The key is pending deletion, so that it cannot get or lose a policy template.";
    NotExternal: Invalid, "key_not_external", "The key takes no material of a source key.";
    NotEnabled: Conflict, "key_not_enabled", "AWS rotates the material of enabled keys only.";
    NeverRotated: Unknown, "key_never_rotated", "The material of the key was not rotated here.";
    NotAsymmetric: Invalid, "key_not_asymmetric", "The key has no public key.";
    NotRotatable: Invalid, "key_not_rotatable", "A schedule cannot rotate the key: AWS manages it, or its origin is another one.";
    NotPrimary: Conflict, "key_not_primary", "The key is not the primary key of a multi-region family.";
    Rotated: Conflict, "key_rotated", "Another key has taken the place of the key.";
    Unlinked: Conflict, "key_unlinked", "AWS does not know the key yet.";
    Linked: Conflict, "key_linked", "AWS knows the key already.";
    HyokRotation: Unprocessable, "hyok_rotation_member", "The rotation of a HYOK key does not take the member.";
    NotHyok: Invalid, "key_not_hyok", "The key is not in an external key store that this manager serves.";
    SourceUnfit: Unprocessable of "local_hosted_params.source_key_id", "source_key_unfit", "The source key cannot be the material of a key in an external key store.";
    VirtualSourceUnfit: Unprocessable of "source_key_id", "virtual_source_unfit", "The source key cannot be that of a virtual key.";
    VirtualKeyUnknown: Unknown, "virtual_key_unknown", "There is no such virtual key, or none that the caller may see.";
    VirtualKeyInUse: InUse, "virtual_key_in_use", "A HYOK key was created with the virtual key.";
    VirtualKeyKept: InUse, "virtual_key_kept", "The virtual key is not deletable.";
    Busy: Busy, "key_busy", "Another operation on the key is under way.";
}
