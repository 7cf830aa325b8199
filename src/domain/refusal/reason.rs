//! Kinds and reasons of refusals. A kind decides the status of the answer; a reason is what clients compare.

use std::fmt::Display;

/// How a refusal is answered. `http::error` has the status of each kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RefusalKind {
    /// A member of the request does not hold what it should.
    Invalid,
    /// The members of the request do not go together.
    Contradictory,
    /// The request is well formed, but a rule of the installation is against its contents.
    Unprocessable,
    /// The caller is not known, or not yet let in.
    Unauthenticated,
    /// The caller lacks the right.
    Forbidden,
    /// There is no such thing, or none that the caller may see.
    Unknown,
    /// Another thing has the name or the place.
    Taken,
    InUse,
    /// Something is under way; the same request may succeed in a moment.
    Busy,
    /// The present state is against it.
    Conflict,
    /// Tried too often; the message says when it may be tried again.
    Locked,
}

/// Why something is refused, in the form that programs read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reason {
    /// In snake case. Part of the API: it stays when messages change.
    pub name: &'static str,
    pub kind: RefusalKind,
    /// When an answer has it, as docs/api.md says it.
    pub when: &'static str,
}

/// The refusals of one aggregate.
pub trait AggregateRefusal {
    /// Every reason that one of them can have.
    const REASONS: &'static [Reason];

    fn reason(&self) -> Reason;
}

/// Gives an enum of refusals its reasons: one line for each variant with its kind, its name and its description. Both
/// the match of `reason` and the list `REASONS` come from these lines. A variant without a line does not compile.
macro_rules! reasons {
    ($refusal:ident => $($variant:ident: $kind:ident, $name:literal, $when:literal;)+) => {
        impl $crate::domain::refusal::reason::AggregateRefusal for $refusal {
            const REASONS: &'static [$crate::domain::refusal::reason::Reason] = &[$($crate::domain::refusal::reason::Reason {
                name: $name,
                kind: $crate::domain::refusal::reason::RefusalKind::$kind,
                when: $when,
            }),+];

            fn reason(&self) -> $crate::domain::refusal::reason::Reason {
                match self {
                    $(Self::$variant { .. } => $crate::domain::refusal::reason::Reason {
                        name: $name,
                        kind: $crate::domain::refusal::reason::RefusalKind::$kind,
                        when: $when,
                    },)+
                }
            }
        }
    };
}
pub(in crate::domain) use reasons;

pub(in crate::domain) fn listed<T: Display>(things: &[T]) -> String {
    things.iter().map(|thing| format!("`{thing}`")).collect::<Vec<_>>().join(", ")
}
