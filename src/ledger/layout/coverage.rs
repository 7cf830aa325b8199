//! The forms of the layouts that a set of samples covers: every variant, every optional member set and unset, every
//! list empty and non-empty.

use super::v2::primitives::{Bytes, Fingerprint, Moment, Text, TokenHash};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Names of forms, such as `Operation::Enable` and `NewKey.policy unset`.
pub(in crate::ledger) type Forms = BTreeSet<String>;

pub(in crate::ledger) trait Covered {
    /// Adds all forms that a value in this place can have.
    fn wanted(place: &str, wanted: &mut Forms);

    /// Adds the forms that this value has.
    fn observe(&self, place: &str, seen: &mut Forms);
}

impl<T: Covered> Covered for Option<T> {
    fn wanted(place: &str, wanted: &mut Forms) {
        wanted.extend([format!("{place} set"), format!("{place} unset")]);
        T::wanted(place, wanted);
    }

    fn observe(&self, place: &str, seen: &mut Forms) {
        seen.insert(format!("{place} {}", if self.is_some() { "set" } else { "unset" }));
        self.iter().for_each(|value| value.observe(place, seen));
    }
}

impl<T: Covered> Covered for Vec<T> {
    fn wanted(place: &str, wanted: &mut Forms) {
        wanted.extend([format!("{place} filled"), format!("{place} empty")]);
        T::wanted(place, wanted);
    }

    fn observe(&self, place: &str, seen: &mut Forms) {
        seen.insert(format!("{place} {}", if self.is_empty() { "empty" } else { "filled" }));
        self.iter().for_each(|value| value.observe(place, seen));
    }
}

impl<T: Covered> Covered for Box<T> {
    fn wanted(place: &str, wanted: &mut Forms) {
        T::wanted(place, wanted);
    }

    fn observe(&self, place: &str, seen: &mut Forms) {
        T::observe(self, place, seen);
    }
}

impl<A: Covered, B: Covered> Covered for (A, B) {
    fn wanted(place: &str, wanted: &mut Forms) {
        A::wanted(place, wanted);
        B::wanted(place, wanted);
    }

    fn observe(&self, place: &str, seen: &mut Forms) {
        self.0.observe(place, seen);
        self.1.observe(place, seen);
    }
}

macro_rules! of_one_form {
    ($($plain:ty),*) => {$(
        impl Covered for $plain {
            fn wanted(_: &str, _: &mut Forms) {}

            fn observe(&self, _: &str, _: &mut Forms) {}
        }
    )*};
}
of_one_form!(u16, u32, u64, Uuid, Moment, Text<'_>, Bytes<'_>, TokenHash, Fingerprint);

/// Both values are forms, so that the samples show the byte of each.
impl Covered for bool {
    fn wanted(place: &str, wanted: &mut Forms) {
        wanted.extend([format!("{place} true"), format!("{place} false")]);
    }

    fn observe(&self, place: &str, seen: &mut Forms) {
        seen.insert(format!("{place} {self}"));
    }
}
