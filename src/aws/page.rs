//! Lists that AWS gives page by page.

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

    /// Limit and marker as rusoto's requests have them.
    pub(super) fn to_rusoto(&self) -> (Option<i64>, Option<String>) {
        (self.limit.map(i64::from), self.marker.as_ref().map(|marker| marker.as_str().to_owned()))
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
    fn a_list_goes_on_only_if_aws_says_so() {
        let marker = || Some("m".to_owned());
        assert_eq!(Page::of(vec![1], Some(true), marker()).next, Some(Marker::new("m")));
        assert_eq!(Page::of(vec![1], Some(false), marker()).next, None);
        assert_eq!(Page::of(vec![1], None, marker()).next, None);
        assert_eq!(Page::of(vec![1], Some(true), None).next, None);
    }
}
