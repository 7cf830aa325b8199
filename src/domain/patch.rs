//! A member of a patch that can be changed or cleared. A member that can only be changed is an `Option`.

use super::refusal::Refusal;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Patch<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    /// Returns the value of the member after the patch.
    pub fn over(self, now: Option<T>) -> Option<T> {
        match self {
            Self::Keep => now,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// Returns the refusal of a member of the request.
pub(super) fn invalid(member: &'static str, problem: impl ToString) -> Refusal {
    Refusal::Invalid { member, problem: problem.to_string() }
}
