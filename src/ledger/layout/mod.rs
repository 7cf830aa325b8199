//! Layouts: the stored forms of the domain's types, which only the log uses. A live type, that is a type of the domain,
//! may change; its layout may not, because bincode encodes members by position and variants by number.
//!
//! A layout lists its members once, in [`layout!`], which generates both conversions. They name all members of both
//! sides, so a live type with a new member or variant does not compile until its layout handles it. To change an event:
//!
//! - **A new variant** (of `KeyEvent`, `Operation`, `Aspect`, …): add it to the layout, at the end of the enum.
//! - **A new member**: a released layout never gets one. Begin the next version: `v3/` has the struct with its new
//!   member, and the types that contain it, up to `Entry`; it imports all others from `v2/` with `pub(super) use`. In
//!   `v2/` the same types become `read struct` and `read enum`, which are never written, and the struct gives the
//!   member's former value: `} with { member: None, }`. `record.rs` writes the new version and reads both. If only one
//!   event has the struct, adding a live variant may be less work.
//! - **A removed variant or member**: the same, with the conversion of that one type written by hand.
//! - Then add the new forms to the samples (`ledger/tests/sample*.rs`) and run `write_a_new_golden_file`, which adds a
//!   file to `tests/golden/`. A test fails until every variant has a sample there, with every optional member set and
//!   unset. Existing files are never edited.

use super::error::Fault;
use imbl::Vector;
use std::sync::Arc;

#[macro_use]
mod layout_macro;

#[cfg(test)]
pub(super) mod coverage;
pub(super) mod state;
#[cfg(test)]
mod tests;
pub(super) mod v2;

/// A conversion from a live value to its layout, for writing. The layout borrows where possible.
pub(super) trait LayoutOf<'a, Live> {
    fn of(live: &'a Live) -> Self;
}

/// A conversion from a layout that was read to the live value.
pub(super) trait IntoLive<Live> {
    /// # Errors
    /// When the layout's value is not a valid live value.
    fn into_live(self) -> Result<Live, Impossible>;
}

/// The message for a stored value that is not a valid live value.
#[derive(Debug)]
pub(super) struct Impossible(Box<str>);

impl Impossible {
    fn because(error: impl ToString) -> Self {
        Self(error.to_string().into())
    }
}

impl std::fmt::Display for Impossible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Impossible> for Fault {
    fn from(impossible: Impossible) -> Self {
        Fault::Undecodable(impossible.0.into())
    }
}

impl<'a, Live, Layout: LayoutOf<'a, Live>> LayoutOf<'a, Option<Live>> for Option<Layout> {
    fn of(live: &'a Option<Live>) -> Self {
        live.as_ref().map(Layout::of)
    }
}

impl<Live, Layout: IntoLive<Live>> IntoLive<Option<Live>> for Option<Layout> {
    fn into_live(self) -> Result<Option<Live>, Impossible> {
        self.map(Layout::into_live).transpose()
    }
}

impl<'a, Live, Layout: LayoutOf<'a, Live>> LayoutOf<'a, Vec<Live>> for Vec<Layout> {
    fn of(live: &'a Vec<Live>) -> Self {
        live.iter().map(Layout::of).collect()
    }
}

impl<Live, Layout: IntoLive<Live>> IntoLive<Vec<Live>> for Vec<Layout> {
    fn into_live(self) -> Result<Vec<Live>, Impossible> {
        self.into_iter().map(Layout::into_live).collect()
    }
}

impl<'a, Live: Clone, Layout: LayoutOf<'a, Live>> LayoutOf<'a, Vector<Live>> for Vec<Layout> {
    fn of(live: &'a Vector<Live>) -> Self {
        live.iter().map(Layout::of).collect()
    }
}

impl<Live: Clone, Layout: IntoLive<Live>> IntoLive<Vector<Live>> for Vec<Layout> {
    fn into_live(self) -> Result<Vector<Live>, Impossible> {
        self.into_iter().map(Layout::into_live).collect()
    }
}

impl<'a, Live, Layout: LayoutOf<'a, Live>> LayoutOf<'a, Box<Live>> for Box<Layout> {
    fn of(live: &'a Box<Live>) -> Self {
        Box::new(Layout::of(live))
    }
}

impl<Live, Layout: IntoLive<Live>> IntoLive<Box<Live>> for Box<Layout> {
    fn into_live(self) -> Result<Box<Live>, Impossible> {
        (*self).into_live().map(Box::new)
    }
}

impl<'a, Live, Layout: LayoutOf<'a, Live>> LayoutOf<'a, Arc<Live>> for Box<Layout> {
    fn of(live: &'a Arc<Live>) -> Self {
        Box::new(Layout::of(live))
    }
}

impl<Live, Layout: IntoLive<Live>> IntoLive<Arc<Live>> for Box<Layout> {
    fn into_live(self) -> Result<Arc<Live>, Impossible> {
        (*self).into_live().map(Arc::new)
    }
}

impl<'a, A, B, One: LayoutOf<'a, A>, Other: LayoutOf<'a, B>> LayoutOf<'a, (A, B)> for (One, Other) {
    fn of((one, other): &'a (A, B)) -> Self {
        (One::of(one), Other::of(other))
    }
}

impl<A, B, One: IntoLive<A>, Other: IntoLive<B>> IntoLive<(A, B)> for (One, Other) {
    fn into_live(self) -> Result<(A, B), Impossible> {
        Ok((self.0.into_live()?, self.1.into_live()?))
    }
}

macro_rules! as_it_is {
    ($($plain:ty),*) => {$(
        impl LayoutOf<'_, $plain> for $plain {
            fn of(live: &$plain) -> Self {
                *live
            }
        }

        impl IntoLive<$plain> for $plain {
            fn into_live(self) -> Result<$plain, Impossible> {
                Ok(self)
            }
        }
    )*};
}
as_it_is!(bool, u16, u32, u64);
