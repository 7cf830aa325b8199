//! Kinds and reasons of refusals. The kind determines the HTTP status; clients compare the reason.

use std::fmt::Display;

/// The kind of a refusal. `http::error` has the HTTP status of each kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RefusalKind {
    /// A member of the request is invalid.
    Invalid,
    /// The members of the request contradict each other.
    Contradictory,
    /// The request is well formed, but a rule of the installation forbids its contents.
    Unprocessable,
    /// The caller is not authenticated.
    Unauthenticated,
    /// The caller lacks the right.
    Forbidden,
    /// The resource does not exist, or the caller may not see it.
    Unknown,
    /// Another resource has the name, id or region.
    Taken,
    InUse,
    /// Another operation is in progress; the same request may succeed in a moment.
    Busy,
    /// The state of the resource forbids the request.
    Conflict,
    /// The resource is not as the client saw it.
    Stale,
    /// There were too many attempts; the message says when the next one is possible.
    Locked,
}

/// The machine-readable reason of a refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reason {
    /// The name in snake case. It is part of the API, and stays the same when messages change.
    pub name: &'static str,
    pub kind: RefusalKind,
    /// The description in docs/api.md.
    pub when: &'static str,
    /// The member of the request that is refused, if it is always the same.
    pub member: Option<&'static str>,
}

/// The values that a member can have: the least and the greatest number, or number of characters, bytes or entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    pub least: Option<u64>,
    pub most: Option<u64>,
}

impl Bounds {
    pub const fn least(least: u64) -> Self {
        Self { least: Some(least), most: None }
    }

    pub const fn most(most: u64) -> Self {
        Self { least: None, most: Some(most) }
    }

    pub const fn between(least: u64, most: u64) -> Self {
        Self { least: Some(least), most: Some(most) }
    }
}

/// The refusals of one aggregate.
pub trait AggregateRefusal {
    const REASONS: &'static [Reason];

    fn reason(&self) -> Reason;
}

/// Implements [`AggregateRefusal`] from one line for each variant, with its kind, name and description, and `of` the
/// member that it refuses, if there is one. A variant without a line does not compile.
macro_rules! reasons {
    ($refusal:ident => $($variant:ident: $kind:ident $(of $member:literal)?, $name:literal, $when:literal;)+) => {
        impl $crate::domain::refusal::reason::AggregateRefusal for $refusal {
            const REASONS: &'static [$crate::domain::refusal::reason::Reason] = &[$($crate::domain::refusal::reason::Reason {
                name: $name,
                kind: $crate::domain::refusal::reason::RefusalKind::$kind,
                when: $when,
                member: $crate::domain::refusal::reason::member_of!($($member)?),
            }),+];

            fn reason(&self) -> $crate::domain::refusal::reason::Reason {
                match self {
                    $(Self::$variant { .. } => $crate::domain::refusal::reason::Reason {
                        name: $name,
                        kind: $crate::domain::refusal::reason::RefusalKind::$kind,
                        when: $when,
                        member: $crate::domain::refusal::reason::member_of!($($member)?),
                    },)+
                }
            }
        }
    };
}
pub(in crate::domain) use reasons;

macro_rules! member_of {
    () => {
        None
    };
    ($member:literal) => {
        Some($member)
    };
}
pub(in crate::domain) use member_of;

pub(in crate::domain) fn listed<T: Display>(things: &[T]) -> String {
    things.iter().map(|thing| format!("`{thing}`")).collect::<Vec<_>>().join(", ")
}
