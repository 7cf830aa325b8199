//! Values that are serialised as text without an intermediate `String`.

use serde::{Serialize, Serializer};
use std::fmt::Display;

/// A value that is serialised with [`Display`].
pub struct Text<T>(pub T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}
