//! Refusals of the installation: the message, the kind and the reason of each.

use super::super::name::PasswordPolicyName;
use super::super::password::PolicyProblem;
use super::super::time::Time;
use super::reason::reasons;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum InstallationRefusal {
    #[error("{0}")]
    PolicyRejected(PolicyProblem),
    #[error("password policy `{0}` does not exist")]
    PolicyUnknown(String),
    #[error("policy_name: there is a password policy named `{0}` already; choose another name")]
    PolicyNameTaken(PasswordPolicyName),
    #[error("the global password policy cannot be deleted")]
    PolicyIsGlobal,
    #[error("password policy `{name}` is that of {users} users; give them another `password_policy` first")]
    PolicyInUse { name: PasswordPolicyName, users: usize },
    #[error("audit record `{0}` does not exist")]
    AuditRecordUnknown(String),
    #[error("this installation exists already")]
    Exists,
    #[error("the setting limits.{setting} allows at most {most} {what}; delete one, or wait until one has ended")]
    LimitReached { what: &'static str, setting: &'static str, most: usize },
    #[error("this was changed since the version of `If-Match`; its version is \"{present}\" now")]
    VersionStale { present: Time },
}

reasons! { InstallationRefusal =>
    PolicyRejected: Invalid, "password_policy_invalid", "The password policy contradicts itself, or exceeds a limit.";
    PolicyUnknown: Unknown, "password_policy_unknown", "There is no such password policy.";
    PolicyNameTaken: Taken of "policy_name", "password_policy_name_taken", "A password policy has the name already.";
    PolicyIsGlobal: Conflict, "password_policy_is_global", "The global password policy cannot be deleted.";
    PolicyInUse: InUse, "password_policy_in_use", "Users have the password policy.";
    LimitReached: Conflict, "limit_reached", "There are as many of these as the settings `[limits]` allow.";
    AuditRecordUnknown: Unknown, "audit_record_unknown", "The log has no record of the number.";
    Exists: Conflict, "installation_exists", "The installation exists already.";
    VersionStale: Stale, "version_stale", "`If-Match` has another version than the resource: it was changed since.";
}
