//! Principals in key policies and grants. AWS refuses unknown ones.

use crate::lab::partition::Partition;
use crate::lab::plan::LabPlan;
use crate::policy::principal::Principal;

/// Whether a principal exists. In accounts of the plan a user or role must exist; other accounts are not checked.
pub(super) fn is_known(plan: &LabPlan, partition: Partition, principal: &Principal) -> bool {
    let arn = match principal {
        Principal::Account { partition: of, .. } => return of.as_ref().is_none_or(|of| of == partition.as_str()),
        Principal::Arn(arn) => arn,
        Principal::Anyone | Principal::Service(_) | Principal::Federated(_) => return true,
        // The lab has no deleted users and roles, in whose place AWS shows unique ids.
        Principal::Id(id) => return id.len() == 64,
    };
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", of, service, "", account, resource] = parts[..] else { return false };
    if of != partition.as_str() {
        return false;
    }
    let Some(known) = plan.account(account) else { return true };
    let last = resource.rsplit('/').next().unwrap_or_default();
    match (service, resource.split_once('/')) {
        ("iam", Some(("user", _))) => known.user(last).is_some_and(|user| user.identity.arn == *arn),
        ("iam", Some(("role", _))) => known.role(last).is_some_and(|role| role.identity.arn == *arn),
        ("sts", Some(("assumed-role", rest))) => known.role(rest.split('/').next().unwrap_or_default()).is_some(),
        // Any name can be given to GetFederationToken.
        ("sts", Some(("federated-user", _))) => true,
        _ => false,
    }
}
