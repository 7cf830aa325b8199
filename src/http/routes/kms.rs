//! Endpoints of KMSs and connections.

use crate::domain::action::Action;
use crate::domain::id::{ConnectionId, KmsId};
use crate::http::endpoint::{Endpoint, delete, get, patch, post};
use crate::http::{connections, examples, history, iam, kms, log_groups, permissions, principals, rights};
use crate::service::access::RequiredRight::{
    ManageConnections, ManageKms, OnKms, SignedIn, UpdateKms, ViewConnections, ViewKms,
};

pub(super) fn kms() -> Vec<Endpoint> {
    vec![
        post("/cckm/aws/accounts", kms::accounts, "getAccount", "Get the AWS account of a connection")
            .needs(ManageKms)
            .read_only()
            .refuses(&[404, 502, 504])
            .examples(examples::accounts),
        post(
            "/cckm/aws/get-all-regions",
            kms::all_regions,
            "listRegions",
            "List the enabled regions of a connection's account",
        )
        .needs(ManageKms)
        .read_only()
        .refuses(&[404, 502, 504]),
        post("/cckm/aws/get-iam-users", iam::users, "listIamUsers", "List the IAM users of a KMS's account")
            .needs(ViewKms)
            .read_only()
            .refuses(&[409, 502, 504]),
        post("/cckm/aws/get-iam-roles", iam::roles, "listIamRoles", "List the IAM roles of a KMS's account")
            .needs(ViewKms)
            .read_only()
            .refuses(&[409, 502, 504]),
        post("/cckm/aws/get-log-groups", log_groups::list, "listLogGroups", "List the log groups of a KMS's account")
            .needs(OnKms(Action::ReportCreate))
            .read_only()
            .refuses(&[409, 502, 504]),
        get(
            "/cckm/aws/permissions",
            permissions::get,
            "getPermissions",
            "Get the least IAM policy for what is to be used, and what is missing of it",
        )
        .needs(ManageKms)
        .refuses(&[404, 409, 502, 504]),
        get("/cckm/aws/actions", kms::actions, "listActions", "List the APIs and the actions that permit them")
            .needs(SignedIn),
        get("/cckm/aws/principals", principals::list, "listAclPrincipals", "List the names of users and groups")
            .needs(ManageKms),
        post("/cckm/aws/kms", kms::add, "addKms", "Add a KMS")
            .needs(ManageKms)
            .refuses(&[404, 409, 502, 504])
            .examples(examples::add_kms),
        get("/cckm/aws/kms", kms::list, "listKms", "List the KMSs that the caller may see")
            .needs(SignedIn)
            .examples(examples::list_kms),
        get("/cckm/aws/kms/{id}", kms::get, "getKms", "Get a KMS")
            .needs(ViewKms)
            .or_with("at", "date-time", "The KMS as it was at this time, even if it is deleted now.", kms::get_at)
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
        delete("/cckm/aws/kms/{id}", kms::delete, "deleteKms", "Delete a KMS; its keys stay at AWS")
            .needs(UpdateKms)
            .refuses(&[409]),
        get("/cckm/aws/kms/{id}/history", history::list::<KmsId>, "getKmsHistory", "List the events of a KMS")
            .needs(ViewKms),
        get("/cckm/aws/kms/{id}/rights", rights::on_kms, "getKmsRights", "Get what the caller may do on a KMS")
            .needs(ViewKms),
        post(
            "/cckm/aws/kms/{id}/update-acls",
            kms::update_acls,
            "updateKmsAcls",
            "Grant and revoke permissions on a KMS",
        )
        .needs(UpdateKms)
        .refuses(&[409])
        .examples(examples::update_acls),
        post("/cckm/aws/kms/{id}/archive", kms::archive, "archiveKms", "Archive a KMS")
            .needs(UpdateKms)
            .refuses(&[409]),
        post("/cckm/aws/kms/{id}/recover", kms::recover, "recoverKms", "Recover an archived KMS")
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
        post(all, connections::create, "createConnection", "Create a connection")
            .needs(ManageConnections)
            .refuses(&[409]),
        get(all, connections::list, "listConnections", "List the connections").needs(ViewConnections),
        get(one, connections::get, "getConnection", "Get a connection").needs(ViewConnections).or_with(
            "at",
            "date-time",
            "The connection as it was at this time, even if it is deleted now.",
            connections::get_at,
        ),
        get(
            "/connectionmgmt/services/aws/connections/{id}/history",
            history::list::<ConnectionId>,
            "getConnectionHistory",
            "List the events of a connection",
        )
        .needs(ViewConnections),
        patch(one, connections::update, "updateConnection", "Change a connection")
            .needs(ManageConnections)
            .refuses(&[409, 502, 504]),
        delete(one, connections::delete, "deleteConnection", "Delete a connection that no KMS uses")
            .needs(ManageConnections)
            .refuses(&[409]),
        post(test, connections::test, "testConnection", "Test a connection at AWS, and record the result")
            .needs(ManageConnections),
        post(try_out, connections::try_out, "tryConnection", "Test a connection at AWS without storing it")
            .needs(ManageConnections)
            .read_only(),
        get(
            "/connectionmgmt/services/aws/permissions",
            permissions::of_connections,
            "getConnectionPermissions",
            "Get the least IAM policy for what a connection is to be used for",
        )
        .needs(ViewConnections),
    ]
}
