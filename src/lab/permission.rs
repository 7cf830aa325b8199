//! The permissions of a user or a role: lists of allowed and denied actions, with AWS's wildcards.
//!
//! Unlike IAM's policies, they have no resources and no conditions. A denial overrides a permission.

use crate::policy::Policy;

#[derive(Debug, Clone, Default)]
pub(super) struct Permissions {
    /// Patterns of allowed actions, such as `*`, `kms:*`, `ec2:DescribeRegions`.
    pub allow: Vec<String>,
    /// Patterns of denied actions.
    pub deny: Vec<String>,
}

impl Permissions {
    pub(super) fn policy(&self) -> Policy {
        Policy::of_actions(&self.allow, &self.deny)
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
    fn action_patterns_name_a_service_and_an_action() {
        for pattern in ["*", "kms:*", "ec2:DescribeRegions", "i?m:List*"] {
            assert!(is_action_pattern(pattern), "{pattern}");
        }
        for pattern in ["", "kms", "kms:", ":x", "kms:a b", "kms:a:b"] {
            assert!(!is_action_pattern(pattern), "{pattern}");
        }
    }
}
