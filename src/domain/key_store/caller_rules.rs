//! Rules about the callers on whose behalf AWS asks the proxy.

use crate::domain::refusal::Refusal;

/// The most patterns in one list, and the longest pattern.
const PATTERNS_MAX: usize = 100;
const PATTERN_LENGTH_MAX: usize = 2048;

/// The callers that a store or key serves. `*` and `?` are wildcards. An empty list admits everybody; all lists that
/// are not empty must match.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallerRules {
    /// ARNs of principals.
    pub principals: Vec<String>,
    pub source_vpcs: Vec<String>,
    pub source_vpces: Vec<String>,
    /// Services on whose behalf AWS KMS calls, such as `s3.*.amazonaws.com`.
    pub via_services: Vec<String>,
    /// Operations of AWS KMS, such as `Decrypt`.
    pub operations: Vec<String>,
}

impl CallerRules {
    /// Checks the patterns.
    ///
    /// # Errors
    /// When a list is too long, or a pattern is empty, too long, or has characters that no value has.
    pub fn check(&self) -> Result<(), Refusal> {
        let refused = |problem: String| Refusal::Invalid { member: "caller_rules", problem };
        let lists = [
            ("principals", &self.principals),
            ("source_vpcs", &self.source_vpcs),
            ("source_vpces", &self.source_vpces),
            ("via_services", &self.via_services),
            ("operations", &self.operations),
        ];
        for (name, list) in lists {
            if list.len() > PATTERNS_MAX {
                return Err(refused(format!("{name} must not have more than {PATTERNS_MAX} entries")));
            }
            let is_wrong = |pattern: &&String| {
                !(1..=PATTERN_LENGTH_MAX).contains(&pattern.len()) || !pattern.bytes().all(|b| b.is_ascii_graphic())
            };
            if list.iter().any(|pattern| is_wrong(&pattern)) {
                return Err(refused(format!(
                    "an entry of {name} must have 1 to {PATTERN_LENGTH_MAX} printable ASCII characters and no blanks"
                )));
            }
        }
        Ok(())
    }
}
