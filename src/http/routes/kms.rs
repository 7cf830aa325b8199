//! Endpoints of KMSs, and of the connections that they use.

use crate::http::endpoint::{Endpoint, delete, get, patch, post};
use crate::http::{connections, examples, history, iam, kms};
use crate::service::access::RequiredRight::{
    ManageConnections, ManageKms, SignedIn, UpdateKms, ViewConnections, ViewKms,
};

pub(super) fn kms() -> Vec<Endpoint> {
    vec![
        post("/cckm/aws/accounts", kms::accounts, "getAccount", "Show the account that a connection leads to")
            .needs(ManageKms)
            .read_only()
            .refuses(&[404, 502, 504])
            .examples(examples::accounts),
        post("/cckm/aws/get-all-regions", kms::all_regions, "listRegions", "Show the regions that are enabled there")
            .needs(ManageKms)
            .read_only()
            .refuses(&[404, 502, 504]),
        post("/cckm/aws/get-iam-users", iam::users, "listIamUsers", "List the users of a KMS's account")
            .needs(ViewKms)
            .read_only()
            .refuses(&[409, 502, 504]),
        post("/cckm/aws/get-iam-roles", iam::roles, "listIamRoles", "List the roles of a KMS's account")
            .needs(ViewKms)
            .read_only()
            .refuses(&[409, 502, 504]),
        get("/cckm/aws/actions", kms::actions, "listActions", "List the APIs and the actions that permit them")
            .needs(SignedIn),
        post("/cckm/aws/kms", kms::add, "addKms", "Add a KMS")
            .needs(ManageKms)
            .refuses(&[404, 409, 502, 504])
            .examples(examples::add_kms),
        get("/cckm/aws/kms", kms::list, "listKms", "List the KMSs that the caller may see")
            .needs(SignedIn)
            .examples(examples::list_kms),
        get("/cckm/aws/kms/{id}", kms::get, "getKms", "Show a KMS")
            .needs(ViewKms)
            .or_with("at", "date-time", "The KMS as it was at this moment, also one that is deleted now.", kms::get_at)
            .examples(examples::get_kms),
        patch(
            "/cckm/aws/kms/{id}",
            kms::update,
            "updateKms",
            "Change the connection, the regions or the role of a KMS",
        )
        .needs(UpdateKms)
        .refuses(&[409, 502, 504])
        .examples(examples::update_kms),
        delete("/cckm/aws/kms/{id}", kms::delete, "deleteKms", "Delete a KMS; AWS itself is not touched")
            .needs(UpdateKms)
            .refuses(&[409]),
        get("/cckm/aws/kms/{id}/history", history::of_kms, "getKmsHistory", "List who did what to a KMS, and when")
            .needs(ViewKms),
        post("/cckm/aws/kms/{id}/update-acls", kms::update_acls, "updateKmsAcls", "Give and take permissions")
            .needs(UpdateKms)
            .refuses(&[409])
            .examples(examples::update_acls),
        post("/cckm/aws/kms/{id}/archive", kms::archive, "archiveKms", "Put a KMS away")
            .needs(UpdateKms)
            .refuses(&[409]),
        post("/cckm/aws/kms/{id}/recover", kms::recover, "recoverKms", "Bring an archived KMS back")
            .needs(UpdateKms)
            .refuses(&[409]),
    ]
}

pub(super) fn connections() -> Vec<Endpoint> {
    let all = "/connectionmgmt/services/aws/connections";
    let one = "/connectionmgmt/services/aws/connections/{id}";
    let test = "/connectionmgmt/services/aws/connections/{id}/test";
    let try_out = "/connectionmgmt/services/aws/connection-test";
    vec![
        post(all, connections::create, "createConnection", "Make a connection")
            .needs(ManageConnections)
            .refuses(&[409]),
        get(all, connections::list, "listConnections", "List the connections").needs(ViewConnections),
        get(one, connections::get, "getConnection", "Show a connection").needs(ViewConnections),
        patch(one, connections::update, "updateConnection", "Change a connection")
            .needs(ManageConnections)
            .refuses(&[409, 502, 504]),
        delete(one, connections::delete, "deleteConnection", "Delete a connection that no KMS uses")
            .needs(ManageConnections)
            .refuses(&[409]),
        post(test, connections::test, "testConnection", "Ask AWS whether a connection works, and note the answer")
            .needs(ManageConnections),
        post(try_out, connections::try_out, "tryConnection", "Ask AWS whether a connection would work")
            .needs(ManageConnections)
            .read_only(),
    ]
}
