//! Which forms of the layouts a set of samples has: every variant, every optional member set and unset, every list
//! empty and not.

use super::v2::primitives::{Bytes, Fingerprint, Moment, Text, TokenHash};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Names of forms, such as `Operation::Enable` and `NewKey.policy unset`.
pub(in crate::ledger) type Forms = BTreeSet<String>;

pub(in crate::ledger) trait Covered {
    /// All forms that there are, of something that stands in this place.
    fn wanted(place: &str, wanted: &mut Forms);

    /// The forms that this one has.
    fn note(&self, place: &str, seen: &mut Forms);
}

impl<T: Covered> Covered for Option<T> {
    fn wanted(place: &str, wanted: &mut Forms) {
        wanted.extend([format!("{place} set"), format!("{place} unset")]);
        T::wanted(place, wanted);
    }

    fn note(&self, place: &str, seen: &mut Forms) {
        seen.insert(format!("{place} {}", if self.is_some() { "set" } else { "unset" }));
        self.iter().for_each(|value| value.note(place, seen));
    }
}

impl<T: Covered> Covered for Vec<T> {
    fn wanted(place: &str, wanted: &mut Forms) {
        wanted.extend([format!("{place} filled"), format!("{place} empty")]);
        T::wanted(place, wanted);
    }

    fn note(&self, place: &str, seen: &mut Forms) {
        seen.insert(format!("{place} {}", if self.is_empty() { "empty" } else { "filled" }));
        self.iter().for_each(|value| value.note(place, seen));
    }
}

impl<T: Covered> Covered for Box<T> {
    fn wanted(place: &str, wanted: &mut Forms) {
        T::wanted(place, wanted);
    }

    fn note(&self, place: &str, seen: &mut Forms) {
        T::note(self, place, seen);
    }
}

impl<A: Covered, B: Covered> Covered for (A, B) {
    fn wanted(place: &str, wanted: &mut Forms) {
        A::wanted(place, wanted);
        B::wanted(place, wanted);
    }

    fn note(&self, place: &str, seen: &mut Forms) {
        self.0.note(place, seen);
        self.1.note(place, seen);
    }
}

macro_rules! of_one_form {
    ($($plain:ty),*) => {$(
        impl Covered for $plain {
            fn wanted(_: &str, _: &mut Forms) {}

            fn note(&self, _: &str, _: &mut Forms) {}
        }
    )*};
}
of_one_form!(u16, u32, u64, Uuid, Moment, Text<'_>, Bytes<'_>, TokenHash, Fingerprint);

/// Both values of a switch, so that a sample shows which byte is which.
impl Covered for bool {
    fn wanted(place: &str, wanted: &mut Forms) {
        wanted.extend([format!("{place} true"), format!("{place} false")]);
    }

    fn note(&self, place: &str, seen: &mut Forms) {
        seen.insert(format!("{place} {self}"));
    }
}
