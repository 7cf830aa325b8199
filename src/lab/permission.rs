//! The permissions of a user or a role: lists of allowed and denied actions, with AWS's wildcards.
//!
//! Unlike IAM's policies, they have no resources and no conditions. A denial overrides a permission.

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

/// Whether a text matches a pattern, in which `*` stands for any characters and `?` for one character.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // The state to return to if the last star has to match one character more.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after_star, from)) => {
                    retry = Some((after_star, from + 1));
                    p = after_star;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_any_characters_and_single_characters() {
        for (pattern, text) in
            [("*", ""), ("*", "a:b"), ("kms:*", "kms:CreateKey"), ("k?s:*Key", "kms:CreateKey"), ("a*b*c", "aXbYbZc")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("kms:*", "ec2:x"), ("?", ""), ("a*b", "abc"), ("", "a"), ("kms:Create", "kms:CreateKey")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

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
