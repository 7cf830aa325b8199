//! Values that JSON shows as their text, written without a copy in between.

use serde::{Serialize, Serializer};
use std::fmt::Display;

/// A value that is shown as its text.
pub struct Text<T>(pub T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}
