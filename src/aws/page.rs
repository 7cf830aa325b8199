//! Lists that AWS gives page by page.

use super::failure::{AwsFailure, Operation};

/// Where a page begins, and how long it may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// What the page before gave; nothing for the first page.
    pub marker: Option<Marker>,
    /// How many at most, 1 to 1000; AWS's own default if nothing is said.
    pub limit: Option<u16>,
}

impl Paging {
    /// The first page of up to so many.
    pub fn first(limit: u16) -> Self {
        Self { marker: None, limit: Some(limit) }
    }
}

/// The way through a whole list, page after page.
#[derive(Debug)]
pub struct Walk {
    operation: Operation,
    /// The page that is to be asked for.
    pub paging: Paging,
    pages: u32,
}

/// No list of AWS's has so many pages: what goes on beyond them goes round.
const PAGES_MAX: u32 = 10_000;

impl Walk {
    /// Begins with this page of what an operation lists.
    pub fn of(operation: Operation, first: Paging) -> Self {
        Self { operation, paging: first, pages: 0 }
    }

    /// Goes on behind a page, by the marker on it; says whether there is more.
    ///
    /// # Errors
    /// [`AwsFailure::Unintelligible`] when the list comes back to where it was, or has no end.
    pub fn goes_on(&mut self, next: Option<Marker>) -> Result<bool, AwsFailure> {
        let Some(marker) = next else { return Ok(false) };
        self.pages += 1;
        if self.paging.marker.as_ref() == Some(&marker) || self.pages >= PAGES_MAX {
            let reason = "the list has no end".to_owned();
            return Err(AwsFailure::Unintelligible { operation: self.operation, reason });
        }
        self.paging.marker = Some(marker);
        Ok(true)
    }
}

/// AWS's mark of where the next page begins. It means nothing elsewhere, and AWS does not keep it for long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker(String);

impl Marker {
    /// Takes a marker that AWS gave.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it; an empty page need not be the last.
    pub items: Vec<T>,
    /// Where the next one begins, if there is one.
    pub next: Option<Marker>,
}

impl<T> Page<T> {
    /// A page, by AWS's two members: a marker counts only if AWS says that the list goes on.
    pub(super) fn of(items: Vec<T>, truncated: Option<bool>, marker: Option<String>) -> Self {
        let next = marker.filter(|marker| truncated == Some(true) && !marker.is_empty()).map(Marker);
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_an_end_is_refused() {
        let mut walk = Walk::of(Operation::LIST_KEYS, Paging::first(9));
        let marker = |n: u32| Some(Marker::new(n.to_string()));
        assert_eq!(walk.goes_on(marker(1)), Ok(true));
        assert_eq!(walk.paging, Paging { marker: marker(1), limit: Some(9) });
        assert!(walk.goes_on(marker(1)).is_err());
        assert!((2..).map(|n| walk.goes_on(marker(n % 2))).take(PAGES_MAX as usize).any(|goes_on| goes_on.is_err()));
        assert_eq!(walk.goes_on(None), Ok(false));
    }

    #[test]
    fn a_list_goes_on_only_if_aws_says_so() {
        let marker = || Some("m".to_owned());
        assert_eq!(Page::of(vec![1], Some(true), marker()).next, Some(Marker::new("m")));
        assert_eq!(Page::of(vec![1], Some(false), marker()).next, None);
        assert_eq!(Page::of(vec![1], None, marker()).next, None);
        assert_eq!(Page::of(vec![1], Some(true), None).next, None);
    }
}
