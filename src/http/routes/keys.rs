//! Endpoints of AWS keys, source keys and policy templates.

use crate::domain::action::Action::{
    KeyCancelDelete, KeyCreate, KeyDelete, KeyMaterialDelete, KeyMaterialImport, KeyRotate, KeySynchronize, KeyUpdate,
    KeyUpload,
};
use crate::domain::id::{KeyId, SourceKeyId, TemplateId};
use crate::http::endpoint::{Endpoint, delete, get, patch, post};
use crate::http::keys::{change, creation, material, policy_check, reading, rotation, rotations};
use crate::http::{history, rights, source_keys, templates};
use crate::service::access::RequiredRight::{
    ManageSourceKeys, OnKey, OnKms, OnTemplate, SignedIn, ViewKey, ViewKms, ViewSourceKeys, ViewTemplate,
};

/// The statuses of a call that AWS can refuse or leave unanswered.
const AT_AWS: &[u16] = &[409, 502, 504];

pub(super) fn keys() -> Vec<Endpoint> {
    let one = |path: &str| format!("/cckm/aws/keys/{{id}}{path}");
    vec![
        post("/cckm/aws/keys", creation::create, "createKey", "Create a key at AWS")
            .needs(OnKms(KeyCreate))
            .refuses(AT_AWS)
            .no_dry_run(),
        get("/cckm/aws/keys", reading::list, "listKeys", "List the keys that the caller may see").needs(SignedIn),
        get(&one(""), reading::get, "getKey", "Get a key").needs(ViewKey).or_with(
            "at",
            "date-time",
            "The key as it was at this time, even if it is removed now.",
            reading::get_at,
        ),
        get(&one("/rights"), rights::on_key, "getKeyRights", "Get what the caller may do on a key").needs(ViewKey),
        get(&one("/history"), history::list::<KeyId>, "getKeyHistory", "List the events of a key").needs(ViewKey),
        delete(&one(""), reading::forget, "deleteKey", "Remove the entry of a key that AWS has deleted")
            .needs(OnKey(KeyDelete))
            .refuses(&[409]),
        post(&one("/enable"), change::enable, "enableKey", "Enable a key").needs(OnKey(KeyUpdate)).refuses(AT_AWS),
        post(&one("/disable"), change::disable, "disableKey", "Disable a key").needs(OnKey(KeyUpdate)).refuses(AT_AWS),
        post(
            &one("/update-description"),
            change::update_description,
            "updateKeyDescription",
            "Change the description of a key",
        )
        .needs(OnKey(KeyUpdate))
        .refuses(AT_AWS),
        post(&one("/policy"), change::policy, "updateKeyPolicy", "Replace the policy of a key")
            .needs(OnKey(KeyUpdate))
            .refuses(AT_AWS),
        post(
            &one("/check-policy"),
            policy_check::check,
            "checkKeyPolicy",
            "Check a new policy for a key, without putting it",
        )
        .needs(OnKey(KeyUpdate))
        .read_only()
        .refuses(&[409]),
        post(&one("/add-tags"), change::add_tags, "addKeyTags", "Add tags to a key")
            .needs(OnKey(KeyUpdate))
            .refuses(AT_AWS),
        post(&one("/remove-tags"), change::remove_tags, "removeKeyTags", "Remove tags from a key")
            .needs(OnKey(KeyUpdate))
            .refuses(AT_AWS),
        post(
            &one("/add-alias"),
            change::add_alias,
            "addKeyAlias",
            "Add an alias to a key, or move it from another key",
        )
        .needs(OnKey(KeyUpdate))
        .refuses(AT_AWS),
        post(&one("/delete-alias"), change::delete_alias, "deleteKeyAlias", "Delete an alias of a key")
            .needs(OnKey(KeyUpdate))
            .refuses(AT_AWS),
        post(
            &one("/enable-auto-rotation"),
            rotation::enable_auto_rotation,
            "enableKeyAutoRotation",
            "Enable AWS's automatic rotation of a key",
        )
        .needs(OnKey(KeyUpdate))
        .refuses(AT_AWS),
        post(
            &one("/disable-auto-rotation"),
            rotation::disable_auto_rotation,
            "disableKeyAutoRotation",
            "Disable AWS's automatic rotation of a key",
        )
        .needs(OnKey(KeyUpdate))
        .refuses(AT_AWS),
        post(
            &one("/rotate-material"),
            rotation::rotate_material,
            "rotateKeyMaterial",
            "Rotate the material of a key now",
        )
        .needs(OnKey(KeyRotate))
        .refuses(AT_AWS),
        get(
            &one("/rotate-material/status"),
            rotation::material_rotation_status,
            "getMaterialRotationStatus",
            "Get the state of the last rotation of a key's material",
        )
        .needs(ViewKey)
        .refuses(AT_AWS),
        post(&one("/rotate"), rotation::rotate, "rotateKey", "Replace a key by a new one")
            .needs(OnKey(KeyRotate))
            .refuses(AT_AWS)
            .no_dry_run(),
        get(&one("/rotations"), rotations::rotations, "listKeyRotations", "List the materials of a key")
            .needs(ViewKey)
            .refuses(AT_AWS),
        post(
            &one("/import-material"),
            material::import_material,
            "importKeyMaterial",
            "Import the material of a source key",
        )
        .needs(OnKey(KeyMaterialImport))
        .refuses(AT_AWS),
        post(&one("/delete-material"), material::delete_material, "deleteKeyMaterial", "Delete imported material")
            .needs(OnKey(KeyMaterialDelete))
            .refuses(AT_AWS),
        post(
            &one("/schedule-deletion"),
            change::schedule_deletion,
            "scheduleKeyDeletion",
            "Schedule the deletion of a key by AWS",
        )
        .needs(OnKey(KeyDelete))
        .refuses(AT_AWS),
        post(&one("/cancel-deletion"), change::cancel_deletion, "cancelKeyDeletion", "Cancel the deletion of a key")
            .needs(OnKey(KeyCancelDelete))
            .refuses(AT_AWS),
        post(&one("/replicate-key"), creation::replicate, "replicateKey", "Create a replica of a multi-region key")
            .needs(OnKey(KeyCreate))
            .refuses(AT_AWS)
            .no_dry_run(),
        post(
            &one("/update-primary-region"),
            change::update_primary_region,
            "updateKeyPrimaryRegion",
            "Make a replica the primary key of its family",
        )
        .needs(OnKey(KeyUpdate))
        .refuses(AT_AWS),
        post(
            &one("/enable-rotation-job"),
            rotation::enable_job,
            "enableKeyRotationJob",
            "Assign a key to a schedule that rotates it",
        )
        .needs(OnKey(KeyRotate))
        .refuses(&[409]),
        post(
            &one("/disable-rotation-job"),
            rotation::disable_job,
            "disableKeyRotationJob",
            "Remove a key from the schedule that rotates it",
        )
        .needs(OnKey(KeyRotate))
        .refuses(&[409]),
        post(
            &one("/get-key-rotation-status"),
            rotation::rotation_status,
            "getKeyRotationStatus",
            "Get the state of AWS's automatic rotation of a key",
        )
        .needs(ViewKey)
        .refuses(AT_AWS)
        .read_only(),
        get(
            &one("/download-public-key"),
            reading::public_key,
            "downloadPublicKey",
            "Download the public key of an asymmetric key",
        )
        .needs(ViewKey)
        .refuses(AT_AWS),
        post(&one("/refresh"), reading::refresh, "refreshKey", "Read a key from AWS again")
            .needs(OnKey(KeySynchronize))
            .refuses(AT_AWS),
        post("/cckm/aws/upload-key", creation::upload, "uploadKey", "Create a key with the material of a source key")
            .needs(OnKms(KeyUpload))
            .refuses(AT_AWS)
            .no_dry_run(),
        post("/cckm/aws/alias/verify", reading::verify_alias, "verifyAlias", "Check whether an alias is available")
            .needs(ViewKms)
            .read_only()
            .refuses(AT_AWS),
    ]
}

const TYPE: (&str, &str) = ("type", "How the path names the source key: `id`, `name`, `alias` or `uri`.");
const VERSION: (&str, &str) = ("version", "The number of a version of it; -1 for the newest one.");
const SOURCE_KEY: &[(&str, &str)] = &[TYPE, VERSION];
const CLONED_SOURCE_KEY: &[(&str, &str)] =
    &[TYPE, VERSION, ("includeMaterial", "Not supported: anything but `false` is refused.")];

pub(super) fn source_keys() -> Vec<Endpoint> {
    let (all, one) = ("/vault/keys2", "/vault/keys2/{id}");
    vec![
        post(all, source_keys::create, "createSourceKey", "Create a source key, with new or given material")
            .needs(ManageSourceKeys)
            .refuses(&[409]),
        get(all, source_keys::list, "listSourceKeys", "List the source keys").needs(ViewSourceKeys),
        get(one, source_keys::get, "getSourceKey", "Get a source key, without its material")
            .needs(ViewSourceKeys)
            .queries(SOURCE_KEY)
            .or_with(
                "at",
                "date-time",
                "The source key as it was at this time, even if it is deleted now.",
                source_keys::get_at,
            ),
        get(
            "/vault/keys2/{id}/history",
            history::list::<SourceKeyId>,
            "getSourceKeyHistory",
            "List the events of a version of a source key",
        )
        .needs(ViewSourceKeys),
        patch(one, source_keys::update, "updateSourceKey", "Change a source key")
            .needs(ManageSourceKeys)
            .queries(SOURCE_KEY)
            .refuses(&[409]),
        delete(one, source_keys::delete, "deleteSourceKey", "Delete a source key and its material")
            .needs(ManageSourceKeys)
            .queries(SOURCE_KEY)
            .refuses(&[409]),
        get("/vault/keys2/{id}/versions", source_keys::versions, "listSourceKeyVersions", "List the versions")
            .needs(ViewSourceKeys),
        get("/vault/keys2/{id}/uses", source_keys::uses::list, "listSourceKeyUses", "List where a source key is used")
            .needs(ViewSourceKeys),
        post(
            "/vault/keys2/{id}/versions",
            source_keys::create_version,
            "createSourceKeyVersion",
            "Create a version of a source key, with new or given material",
        )
        .needs(ManageSourceKeys)
        .queries(SOURCE_KEY)
        .refuses(&[409]),
        post("/vault/keys2/{id}/export", source_keys::export, "exportSourceKey", "Export the material of a source key")
            .needs(ManageSourceKeys)
            .queries(SOURCE_KEY)
            .refuses(&[409]),
        post(
            "/vault/keys2/{id}/clone",
            source_keys::clone,
            "cloneSourceKey",
            "Create a source key with the same material",
        )
        .needs(ManageSourceKeys)
        .queries(CLONED_SOURCE_KEY)
        .refuses(&[409]),
        post("/vault/keys2/{id}/revoke", source_keys::revoke, "revokeSourceKey", "Revoke a source key")
            .needs(ManageSourceKeys)
            .queries(SOURCE_KEY)
            .refuses(&[409]),
        post("/vault/keys2/{id}/reactivate", source_keys::reactivate, "reactivateSourceKey", "Reactivate a source key")
            .needs(ManageSourceKeys)
            .queries(SOURCE_KEY)
            .refuses(&[409]),
        post("/vault/keys2/{id}/archive", source_keys::archive, "archiveSourceKey", "Archive a source key")
            .needs(ManageSourceKeys)
            .queries(SOURCE_KEY)
            .refuses(&[409]),
        post("/vault/keys2/{id}/recover", source_keys::recover, "recoverSourceKey", "Recover an archived source key")
            .needs(ManageSourceKeys)
            .queries(SOURCE_KEY)
            .refuses(&[409]),
        post(
            "/vault/keys2/{id}/destroy",
            source_keys::destroy,
            "destroySourceKey",
            "Destroy the material of a source key",
        )
        .needs(ManageSourceKeys)
        .queries(SOURCE_KEY)
        .refuses(&[409]),
    ]
}

pub(super) fn policy_templates() -> Vec<Endpoint> {
    let (all, one) = ("/cckm/aws/templates", "/cckm/aws/templates/{id}");
    vec![
        post(all, templates::create, "createTemplate", "Create a policy template")
            .needs(OnTemplate(KeyUpdate))
            .refuses(&[409]),
        get(all, templates::list, "listTemplates", "List the policy templates that the caller may see").needs(SignedIn),
        get(one, templates::get, "getTemplate", "Get a policy template").needs(ViewTemplate).or_with(
            "at",
            "date-time",
            "The template as it was at this time, even if it is deleted now.",
            templates::get_at,
        ),
        get(
            "/cckm/aws/templates/{id}/history",
            history::list::<TemplateId>,
            "getTemplateHistory",
            "List the events of a policy template",
        )
        .needs(ViewTemplate),
        patch(
            one,
            templates::update,
            "updateTemplate",
            "Change the policy of a template, and apply it to the keys of the template",
        )
        .needs(OnTemplate(KeyUpdate)),
        delete(one, templates::delete, "deleteTemplate", "Delete a policy template that no key uses")
            .needs(OnTemplate(KeyUpdate))
            .refuses(&[409]),
    ]
}
