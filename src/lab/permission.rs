//! The permissions of a user or a role: lists of allowed and denied actions, with AWS's wildcards.
//!
//! Unlike IAM's policies, they have no resources and no conditions. A denial overrides a permission.

use crate::policy::pattern::matches;

#[derive(Debug, Clone, Default)]
pub(super) struct Permissions {
    /// Patterns of allowed actions, such as `*`, `kms:*`, `ec2:DescribeRegions`.
    pub allow: Vec<String>,
    /// Patterns of denied actions.
    pub deny: Vec<String>,
}

/// The decision about an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// A pattern allows the action, and none denies it.
    Allowed,
    ImplicitDeny,
    ExplicitDeny,
}

impl Decision {
    /// The name in the answers of IAM's policy simulator.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Decision::Allowed => "allowed",
            Decision::ImplicitDeny => "implicitDeny",
            Decision::ExplicitDeny => "explicitDeny",
        }
    }
}

impl Permissions {
    /// Decides about an action such as `ec2:DescribeRegions`. The comparison ignores case, as in IAM.
    pub(super) fn decide(&self, action: &str) -> Decision {
        let action = action.to_ascii_lowercase();
        let matched = |patterns: &[String]| patterns.iter().any(|p| matches(&p.to_ascii_lowercase(), &action));
        if matched(&self.deny) {
            Decision::ExplicitDeny
        } else if matched(&self.allow) {
            Decision::Allowed
        } else {
            Decision::ImplicitDeny
        }
    }
}

/// Whether a text is a pattern of actions: `*`, or a service, a colon and a name, which may contain `*` and `?`.
pub(super) fn is_action_pattern(pattern: &str) -> bool {
    let part = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'*' | b'?'))
    };
    pattern == "*" || pattern.split_once(':').is_some_and(|(service, name)| part(service) && part(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_overrides_and_the_default_is_denial() {
        let permissions = Permissions { allow: vec!["kms:*".into()], deny: vec!["kms:Schedule*".into()] };
        assert_eq!(permissions.decide("KMS:createkey"), Decision::Allowed);
        assert_eq!(permissions.decide("kms:ScheduleKeyDeletion"), Decision::ExplicitDeny);
        assert_eq!(permissions.decide("ec2:DescribeRegions"), Decision::ImplicitDeny);
    }

    #[test]
    fn action_patterns_name_a_service_and_an_action() {
        for pattern in ["*", "kms:*", "ec2:DescribeRegions", "i?m:List*"] {
            assert!(is_action_pattern(pattern), "{pattern}");
        }
        for pattern in ["", "kms", "kms:", ":x", "kms:a b", "kms:a:b"] {
            assert!(!is_action_pattern(pattern), "{pattern}");
        }
    }
}
