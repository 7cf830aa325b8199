//! Endpoints of tokens, users, groups and password policies.

use crate::domain::id::UserId;
use crate::domain::name::GroupName;
use crate::http::endpoint::{Endpoint, delete, get, patch, post, put};
use crate::http::{
    audit, audit_export, chain, checkpoints, groups, history, password_policies, preferences, rights, syslogs, tokens,
    users,
};
use crate::service::access::RequiredRight::{Administer, ManageUsers, Nothing, SignedIn};

pub(super) fn tokens() -> Vec<Endpoint> {
    vec![
        post("/auth/tokens", tokens::issue, "createToken", "Sign in, or renew a session with a refresh token")
            .needs(Nothing)
            .no_dry_run()
            .refuses(&[429]),
        get(
            "/auth/tokens",
            tokens::list,
            "listTokens",
            "List the caller's refresh tokens; for members of `admin`, all",
        )
        .needs(SignedIn),
        get("/auth/tokens/{id}", tokens::get, "getToken", "Get a refresh token").needs(SignedIn),
        delete("/auth/tokens/{id}", tokens::revoke_by_id, "deleteToken", "Revoke a refresh token, and end its session")
            .needs(SignedIn),
        post("/auth/revoke", tokens::revoke, "revokeToken", "Revoke the refresh token in the body").needs(Nothing),
        post(
            "/auth/self/revoke-others",
            tokens::revoke_others,
            "revokeOtherTokens",
            "Close all sessions of the caller but the one of the call",
        )
        .needs(SignedIn),
        patch("/auth/changepw", tokens::change_password, "changePassword", "Change one's own password")
            .needs(Nothing)
            .no_dry_run()
            .refuses(&[401, 422, 429]),
        get("/auth/self/user", users::get_own, "getOwnUser", "Get the user who calls").needs(SignedIn),
        get("/auth/self/rights", rights::own, "getOwnRights", "Get what the caller may do, on which KMS")
            .needs(SignedIn),
        get("/auth/self/preferences", preferences::get, "getOwnPreferences", "Get what clients keep for the caller")
            .needs(SignedIn),
        put(
            "/auth/self/preferences",
            preferences::set,
            "setOwnPreferences",
            "Replace what clients keep for the caller",
        )
        .needs(SignedIn),
        patch("/auth/self/user", users::update_own, "updateOwnUser", "Change the user who calls").needs(SignedIn),
    ]
}

pub(super) fn audit() -> Vec<Endpoint> {
    let (syslogs, syslog) = ("/configs/syslogs", "/configs/syslogs/{id}");
    vec![
        get("/audit/records", audit::list, "listAuditRecords", "List the records of the log").needs(Administer),
        get(
            "/audit/records/download",
            audit_export::download,
            "downloadAuditRecords",
            "Download the records of the log as a file",
        )
        .needs(Administer)
        .refuses(&[429]),
        get("/audit/records/{id}", audit::get, "getAuditRecord", "Get a record of the log").needs(Administer),
        post(syslogs, syslogs::create, "createSyslog", "Add a syslog receiver for audit records")
            .needs(Administer)
            .refuses(&[409]),
        get(syslogs, syslogs::list, "listSyslogs", "List the syslog receivers").needs(Administer),
        get(syslog, syslogs::get, "getSyslog", "Get a syslog receiver, and how it stands").needs(Administer),
        patch(syslog, syslogs::update, "updateSyslog", "Change a syslog receiver").needs(Administer),
        patch(
            "/configs/syslogs/{id}/{request}",
            syslogs::update_by_request,
            "updateSyslogByRequest",
            "Change a syslog receiver, as the vendor's Terraform provider does",
        )
        .needs(Administer),
        delete(syslog, syslogs::delete, "deleteSyslog", "Remove a syslog receiver").needs(Administer),
        get("/audit/chain", chain::get, "getAuditChain", "Get what is known of the chain of the log").needs(Administer),
        post("/audit/chain/verify", chain::verify, "verifyAuditChain", "Check the whole log")
            .needs(Administer)
            .read_only(),
        post("/audit/checkpoints", checkpoints::create, "createCheckpoint", "Make a signed checkpoint of the log")
            .needs(Administer),
        get("/audit/checkpoints", checkpoints::list, "listCheckpoints", "List the checkpoints of the log")
            .needs(Administer),
        get("/audit/checkpoints/key", checkpoints::key, "getCheckpointKey", "Get the public key of the checkpoints")
            .needs(Administer),
    ]
}

pub(super) fn users_and_groups() -> Vec<Endpoint> {
    let member = "/usermgmt/groups/{name}/users/{user_id}";
    let policies = "/usermgmt/pwdpolicies";
    let policy = "/usermgmt/pwdpolicies/{name}";
    vec![
        post("/usermgmt/users", users::create, "createUser", "Create a user")
            .needs(ManageUsers)
            .refuses(&[404, 409, 422, 429]),
        get("/usermgmt/users", users::list, "listUsers", "List the users").needs(ManageUsers),
        get("/usermgmt/users/{id}", users::get, "getUser", "Get a user").needs(ManageUsers).or_with(
            "at",
            "date-time",
            "The user as it was at this time, even if it is deleted now.",
            users::get_at,
        ),
        get(
            "/usermgmt/users/{id}/history",
            history::list::<UserId>,
            "getUserHistory",
            "List the events of a user, with logins and memberships",
        )
        .needs(ManageUsers),
        patch("/usermgmt/users/{id}", users::update, "updateUser", "Change a user")
            .needs(ManageUsers)
            .refuses(&[409, 422, 429]),
        delete("/usermgmt/users/{id}", users::remove, "deleteUser", "Delete a user").needs(ManageUsers).refuses(&[409]),
        post("/usermgmt/groups", groups::create, "createGroup", "Create a group").needs(ManageUsers).refuses(&[409]),
        get("/usermgmt/groups", groups::list, "listGroups", "List the groups").needs(SignedIn),
        get("/usermgmt/groups/{name}", groups::get, "getGroup", "Get a group").needs(SignedIn).or_with(
            "at",
            "date-time",
            "The group that had this name at this time, even if it is deleted now.",
            groups::get_at,
        ),
        get(
            "/usermgmt/groups/{name}/history",
            history::list::<GroupName>,
            "getGroupHistory",
            "List the events under the name of a group",
        )
        .needs(ManageUsers),
        patch("/usermgmt/groups/{name}", groups::update, "updateGroup", "Change a group")
            .needs(ManageUsers)
            .refuses(&[409]),
        delete("/usermgmt/groups/{name}", groups::remove, "deleteGroup", "Delete a group")
            .needs(ManageUsers)
            .refuses(&[409]),
        get("/usermgmt/groups/{name}/users", users::list_of_group, "listGroupMembers", "List the users of a group")
            .needs(ManageUsers),
        post(member, groups::add_member, "addGroupMember", "Add a user to a group").needs(ManageUsers),
        delete(member, groups::remove_member, "removeGroupMember", "Remove a user from a group")
            .needs(ManageUsers)
            .refuses(&[409]),
        post(policies, password_policies::create, "createPasswordPolicy", "Create a password policy")
            .needs(Administer)
            .refuses(&[409]),
        get(policies, password_policies::list, "listPasswordPolicies", "List the password policies").needs(Administer),
        get(policy, password_policies::get, "getPasswordPolicy", "Get a password policy").needs(Administer),
        patch(policy, password_policies::update, "updatePasswordPolicy", "Change a password policy").needs(Administer),
        delete(policy, password_policies::delete, "deletePasswordPolicy", "Delete a password policy")
            .needs(Administer)
            .refuses(&[409]),
    ]
}
