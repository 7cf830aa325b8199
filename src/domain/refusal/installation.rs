//! Refusals of the installation: the message, the kind and the reason of each.

use super::super::password::PolicyProblem;
use super::reason::reasons;

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum InstallationRefusal {
    #[error("{0}")]
    PolicyRejected(PolicyProblem),
    #[error("this installation exists already")]
    Exists,
}

reasons! { InstallationRefusal =>
    PolicyRejected: Invalid, "password_policy_invalid", "The password policy contradicts itself, or exceeds a limit.";
    Exists: Conflict, "installation_exists", "The installation exists already.";
}
