//! Caller rules: which calls a key store or a key admits, by what AWS says of the caller.

use super::body::CallerMetadata;

/// Patterns with the wildcards `*` and `?`, case-sensitive. An empty list admits everyone; of each other list a pattern
/// must match. A call without the value in question, such as the VPC of a call that came over none, matches no pattern.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerRules {
    pub principals: Vec<String>,
    pub source_vpcs: Vec<String>,
    pub source_vpces: Vec<String>,
    pub via_services: Vec<String>,
    pub operations: Vec<String>,
}

impl CallerRules {
    /// # Errors
    /// The name of the first list that does not admit the call.
    pub(super) fn admit(&self, caller: &CallerMetadata<'_>) -> Result<(), &'static str> {
        let lists = [
            ("principals", &self.principals, caller.principal()),
            ("source_vpcs", &self.source_vpcs, caller.source_vpc()),
            ("source_vpces", &self.source_vpces, caller.source_vpce()),
            ("via_services", &self.via_services, caller.via_service()),
            ("operations", &self.operations, caller.kms_operation()),
        ];
        let admits = |patterns: &[String], value: Option<&str>| {
            patterns.is_empty() || value.is_some_and(|value| patterns.iter().any(|pattern| matches(pattern, value)))
        };
        match lists.into_iter().find(|(_, patterns, value)| !admits(patterns, *value)) {
            Some((name, ..)) => Err(name),
            None => Ok(()),
        }
    }
}

/// Matches in time proportional to both lengths: a star that fails is extended by one character, and only the last star
/// is ever extended.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match (pattern.get(at), star) {
            (Some('*'), _) => {
                star = Some((at, read));
                at += 1;
            }
            (Some(wanted), _) if *wanted == '?' || *wanted == text[read] => {
                at += 1;
                read += 1;
            }
            (_, Some((position, taken))) => {
                at = position + 1;
                read = taken + 1;
                star = Some((position, read));
            }
            _ => return false,
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}
