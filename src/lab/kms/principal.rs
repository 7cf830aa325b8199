//! Principals in key policies. AWS refuses unknown ones.

use crate::lab::caller::Caller;
use crate::lab::partition::Partition;
use crate::lab::plan::{LabPlan, is_account_id};

/// Whether a principal is valid in a policy: everybody, an account, or a user, role or session. In accounts of the plan
/// the user or role must exist; other accounts are not checked.
pub(super) fn is_known(plan: &LabPlan, partition: Partition, text: &str) -> bool {
    if text == "*" || is_account_id(text) {
        return true;
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", of, service, "", account, resource] = parts[..] else { return false };
    if of != partition.as_str() || !is_account_id(account) {
        return false;
    }
    let known = plan.account(account);
    let last = resource.rsplit('/').next().unwrap_or_default();
    match (service, resource.split_once('/')) {
        ("iam", None) => resource == "root",
        ("iam", Some(("user", _))) => {
            !last.is_empty() && known.is_none_or(|known| known.user(last).is_some_and(|user| user.identity.arn == text))
        }
        ("iam", Some(("role", _))) => {
            !last.is_empty() && known.is_none_or(|known| known.role(last).is_some_and(|role| role.identity.arn == text))
        }
        ("sts", Some(("federated-user", name))) => !name.is_empty(),
        ("sts", Some(("assumed-role", rest))) => {
            let role = rest.split('/').next().unwrap_or_default();
            known.is_none_or(|known| known.role(role).is_some())
        }
        _ => false,
    }
}

/// Whether a principal of a policy matches the caller or its account.
pub(super) fn is_caller(caller: &Caller<'_>, text: &str) -> bool {
    let account = caller.account;
    let root = format!("arn:{}:iam::{}:root", account.partition, account.id);
    text == "*" || text == account.id || text == root || text == caller.identity().arn || text == caller.arn()
}
