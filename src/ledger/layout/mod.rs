//! What is written: layouts, which are plain types that nothing but the log uses. A live type of the domain is free to
//! change; its layout is not, because bincode writes members by position and variants by number.
//!
//! A layout names its members once, in [`layout!`], and both conversions come from that. They name all members of both
//! sides, so a live type that gets a member or a variant does not compile until its layout has decided. To change an event:
//!
//! - **A new variant** (of `KeyEvent`, `Operation`, `Aspect`, …): add it to the layout, at the end of the enum.
//! - **A new member**: a layout that was released never gets one. Begin the next version: `v3/` has the struct with its
//!   new member, and what holds it up to `Entry`; all the rest it takes from `v2/` with `pub(super) use`. In `v2/` the
//!   same types become `read struct` and `read enum`, which are never written, and the struct says what the member was
//!   then: `} with { member: None, }`. `record.rs` writes the new version and reads both. Where only one event has the
//!   struct, a new live variant with it may be less.
//! - **A variant or a member that goes**: likewise, with the conversion of that one type written out by hand.
//! - Then give the samples the new forms (`ledger/tests/sample*.rs`) and run `write_a_new_golden_file`, which adds a file
//!   to `tests/golden/`. A test fails until every variant has a sample there, with every optional member set and unset.
//!   Files that are there are never edited.

use super::error::Fault;
use std::sync::Arc;

#[macro_use]
mod layout_macro;

#[cfg(test)]
pub(super) mod coverage;
pub(super) mod state;
#[cfg(test)]
mod tests;
pub(super) mod v2;

/// A layout of `Live`, made to be written: it borrows what it can.
pub(super) trait LayoutOf<'a, Live> {
    fn of(live: &'a Live) -> Self;
}

/// A layout that was read, made into what it stands for.
pub(super) trait IntoLive<Live> {
    /// # Errors
    /// When no such live value is possible.
    fn into_live(self) -> Result<Live, Impossible>;
}

/// A value that this program could not have written.
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
