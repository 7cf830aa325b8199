//! A member of a patch that may be taken away. A member that may only be changed is an `Option`: none keeps it.

use super::refusal::Refusal;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Patch<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    /// Returns what a member holds after the patch.
    pub fn over(self, now: Option<T>) -> Option<T> {
        match self {
            Self::Keep => now,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// Refuses a member by name.
pub(super) fn invalid(member: &'static str, problem: impl ToString) -> Refusal {
    Refusal::Invalid { member, problem: problem.to_string() }
}
