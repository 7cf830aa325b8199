//! Endpoints of AWS keys, of the material that is imported into them, and of policy templates.

use crate::domain::action::Action::{
    KeyCancelDelete, KeyCreate, KeyDelete, KeyMaterialDelete, KeyMaterialImport, KeyRotate, KeySynchronize, KeyUpdate,
    KeyUpload,
};
use crate::http::endpoint::{Endpoint, delete, get, patch, post};
use crate::http::keys::{change, creation, material, reading, rotation};
use crate::http::{source_keys, templates};
use crate::service::access::RequiredRight::{
    ManageSourceKeys, OnKey, OnKms, OnTemplate, SignedIn, ViewKey, ViewKms, ViewSourceKeys, ViewTemplate,
};

/// The statuses of a call that asks AWS about a key: AWS may be of another mind, or not answer.
const AT_AWS: &[u16] = &[409, 502, 504];

pub(super) fn keys() -> Vec<Endpoint> {
    let one = |path: &str| format!("/cckm/aws/keys/{{id}}{path}");
    vec![
        post("/cckm/aws/keys", creation::create, "createKey", "Make a key at AWS")
            .needs(OnKms(KeyCreate))
            .refuses(AT_AWS)
            .no_dry_run(),
        get("/cckm/aws/keys", reading::list, "listKeys", "List the keys that the caller may see").needs(SignedIn),
        get(&one(""), reading::get, "getKey", "Show a key").needs(ViewKey),
        delete(&one(""), reading::forget, "deleteKey", "Forget a key that AWS does not have any more")
            .needs(OnKey(KeyDelete))
            .refuses(&[409]),
        post(&one("/enable"), change::enable, "enableKey", "Take a key into use")
            .needs(OnKey(KeyUpdate))
            .refuses(AT_AWS),
        post(&one("/disable"), change::disable, "disableKey", "Take a key out of use")
            .needs(OnKey(KeyUpdate))
            .refuses(AT_AWS),
        post(&one("/update-description"), change::update_description, "updateKeyDescription", "Describe a key anew")
            .needs(OnKey(KeyUpdate))
            .refuses(AT_AWS),
        post(&one("/policy"), change::policy, "updateKeyPolicy", "Give a key another policy")
            .needs(OnKey(KeyUpdate))
            .refuses(AT_AWS),
        post(&one("/add-tags"), change::add_tags, "addKeyTags", "Add tags to a key")
            .needs(OnKey(KeyUpdate))
            .refuses(AT_AWS),
        post(&one("/remove-tags"), change::remove_tags, "removeKeyTags", "Remove tags from a key")
            .needs(OnKey(KeyUpdate))
            .refuses(AT_AWS),
        post(&one("/add-alias"), change::add_alias, "addKeyAlias", "Give a key an alias, or move it there")
            .needs(OnKey(KeyUpdate))
            .refuses(AT_AWS),
        post(&one("/delete-alias"), change::delete_alias, "deleteKeyAlias", "Take an alias away from a key")
            .needs(OnKey(KeyUpdate))
            .refuses(AT_AWS),
        post(
            &one("/enable-auto-rotation"),
            rotation::enable_auto_rotation,
            "enableKeyAutoRotation",
            "Let AWS rotate a key by itself",
        )
        .needs(OnKey(KeyUpdate))
        .refuses(AT_AWS),
        post(
            &one("/disable-auto-rotation"),
            rotation::disable_auto_rotation,
            "disableKeyAutoRotation",
            "Let AWS rotate a key no more",
        )
        .needs(OnKey(KeyUpdate))
        .refuses(AT_AWS),
        post(&one("/rotate-material"), rotation::rotate_material, "rotateKeyMaterial", "Rotate a key's material now")
            .needs(OnKey(KeyRotate))
            .refuses(AT_AWS),
        post(&one("/rotate"), rotation::rotate, "rotateKey", "Replace a key by a new one")
            .needs(OnKey(KeyRotate))
            .refuses(AT_AWS)
            .no_dry_run(),
        get(&one("/rotations"), rotation::rotations, "listKeyRotations", "List a key's materials")
            .needs(ViewKey)
            .refuses(AT_AWS),
        post(
            &one("/import-material"),
            material::import_material,
            "importKeyMaterial",
            "Import a source key's material",
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
            "Let AWS delete a key after a while",
        )
        .needs(OnKey(KeyDelete))
        .refuses(AT_AWS),
        post(&one("/cancel-deletion"), change::cancel_deletion, "cancelKeyDeletion", "Keep a key after all")
            .needs(OnKey(KeyCancelDelete))
            .refuses(AT_AWS),
        post(&one("/replicate-key"), creation::replicate, "replicateKey", "Make a replica of a multi-region key")
            .needs(OnKey(KeyCreate))
            .refuses(AT_AWS)
            .no_dry_run(),
        post(
            &one("/update-primary-region"),
            change::update_primary_region,
            "updateKeyPrimaryRegion",
            "Make a replica the primary key",
        )
        .needs(OnKey(KeyUpdate))
        .refuses(AT_AWS),
        post(
            &one("/enable-rotation-job"),
            rotation::enable_job,
            "enableKeyRotationJob",
            "Put a key under a schedule that rotates it",
        )
        .needs(OnKey(KeyRotate))
        .refuses(&[409]),
        post(
            &one("/disable-rotation-job"),
            rotation::disable_job,
            "disableKeyRotationJob",
            "Take a key off the schedule that rotates it",
        )
        .needs(OnKey(KeyRotate))
        .refuses(&[409]),
        post(
            &one("/get-key-rotation-status"),
            rotation::rotation_status,
            "getKeyRotationStatus",
            "Show whether AWS rotates a key",
        )
        .needs(ViewKey)
        .refuses(AT_AWS)
        .read_only(),
        get(&one("/download-public-key"), reading::public_key, "downloadPublicKey", "Download a key's public half")
            .needs(ViewKey)
            .refuses(AT_AWS),
        post(&one("/refresh"), reading::refresh, "refreshKey", "Read a key from AWS again")
            .needs(OnKey(KeySynchronize))
            .refuses(AT_AWS),
        post("/cckm/aws/upload-key", creation::upload, "uploadKey", "Make a key with a source key's material")
            .needs(OnKms(KeyUpload))
            .refuses(AT_AWS)
            .no_dry_run(),
        post("/cckm/aws/alias/verify", reading::verify_alias, "verifyAlias", "Say whether an alias is free")
            .needs(ViewKms)
            .read_only()
            .refuses(AT_AWS),
    ]
}

pub(super) fn source_keys() -> Vec<Endpoint> {
    let (all, one) = ("/vault/keys2", "/vault/keys2/{id}");
    vec![
        post(all, source_keys::create, "createSourceKey", "Make a source key, or bring one")
            .needs(ManageSourceKeys)
            .refuses(&[409]),
        get(all, source_keys::list, "listSourceKeys", "List the source keys").needs(ViewSourceKeys),
        get(one, source_keys::get, "getSourceKey", "Show a source key; never its material").needs(ViewSourceKeys),
        patch(one, source_keys::update, "updateSourceKey", "Describe a source key anew")
            .needs(ManageSourceKeys)
            .refuses(&[409]),
        delete(one, source_keys::delete, "deleteSourceKey", "Delete a source key and its material")
            .needs(ManageSourceKeys)
            .refuses(&[409]),
        post("/vault/keys2/{id}/export", source_keys::export, "exportSourceKey", "Export a source key's material")
            .needs(ManageSourceKeys)
            .refuses(&[409]),
    ]
}

pub(super) fn policy_templates() -> Vec<Endpoint> {
    let (all, one) = ("/cckm/aws/templates", "/cckm/aws/templates/{id}");
    vec![
        post(all, templates::create, "createTemplate", "Make a policy template")
            .needs(OnTemplate(KeyUpdate))
            .refuses(&[409]),
        get(all, templates::list, "listTemplates", "List the policy templates that the caller may see").needs(SignedIn),
        get(one, templates::get, "getTemplate", "Show a policy template").needs(ViewTemplate),
        patch(
            one,
            templates::update,
            "updateTemplate",
            "Change a template's policy, and push it to the keys that have it",
        )
        .needs(OnTemplate(KeyUpdate)),
        delete(one, templates::delete, "deleteTemplate", "Delete a policy template that no key has")
            .needs(OnTemplate(KeyUpdate))
            .refuses(&[409]),
    ]
}
