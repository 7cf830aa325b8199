//! Paginated lists of AWS.

use std::fmt::Display;

use super::fault::Fault;

/// The start and the size of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// The marker from the page before; `None` for the first page.
    pub marker: Option<Marker>,
    /// The largest number of items, 1 to 1000; AWS's default if `None`.
    pub limit: Option<u16>,
}

impl Paging {
    /// The first page, with up to `limit` items.
    pub fn first(limit: u16) -> Self {
        Self { marker: None, limit: Some(limit) }
    }

    /// Limit and marker in the types of rusoto's requests.
    pub(super) fn to_rusoto(&self) -> (Option<i64>, Option<String>) {
        (self.limit.map(i64::from), self.marker.as_ref().map(|marker| marker.as_str().to_owned()))
    }
}

/// AWS's opaque marker of the next page. It is valid only for the same list and for a short time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker(String);

impl Marker {
    /// Wraps a marker that AWS returned.
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
    /// The items; an empty page need not be the last.
    pub items: Vec<T>,
    /// The marker of the next page; `None` on the last one.
    pub next: Option<Marker>,
}

impl<T> Page<T> {
    /// Builds a page from AWS's answer. A marker counts only if the list is truncated.
    ///
    /// # Errors
    /// [`Fault::Unintelligible`] if the list is truncated and there is no marker: the rest would be lost silently.
    pub(super) fn of(items: Vec<T>, truncated: Option<bool>, marker: Option<String>) -> Result<Self, Fault> {
        if truncated != Some(true) {
            return Ok(Self { items, next: None });
        }
        match marker.filter(|marker| !marker.is_empty()) {
            Some(marker) => Ok(Self { items, next: Some(Marker(marker)) }),
            None => Err(Fault::Unintelligible("the list is truncated and has no marker".to_owned())),
        }
    }
}

/// The parsed entry of a list. An entry of an unknown form is logged and skipped, so that it does not hide the others.
pub(super) fn known_entry<T, E: Display>(kind: &'static str, entry: Result<T, E>) -> Option<T> {
    entry.inspect_err(|error| tracing::warn!(kind, %error, "an entry in a list of AWS is skipped")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_counts_only_if_the_list_is_truncated() {
        let next = |truncated| Page::of(vec![1], truncated, Some("m".to_owned())).expect("a page").next;
        assert_eq!(next(Some(true)), Some(Marker::new("m")));
        assert_eq!(next(Some(false)), None);
        assert_eq!(next(None), None);
    }

    #[test]
    fn a_truncated_list_without_a_marker_is_rejected() {
        for marker in [None, Some(String::new())] {
            let page = Page::of(vec![1], Some(true), marker);
            assert!(matches!(page, Err(Fault::Unintelligible(_))), "{page:?}");
        }
    }
}
