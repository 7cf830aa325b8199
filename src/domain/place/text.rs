//! How places go through text: in JSON as in the log, and back only through `parse`.

use super::PlaceError;
use serde::de::{self, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// Text in both directions, for each of these types.
macro_rules! as_text {
    ($($name:ident: $expected:literal),* $(,)?) => {$(
        impl std::str::FromStr for $name {
            type Err = $crate::domain::place::PlaceError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::domain::place::text::Text::that_is($expected))
            }
        }
    )*};
}

/// The text itself says more in a failed test or a log line than the layout of the parts.
macro_rules! debug_as_display {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    )*};
}

/// Reads a place out of any text that serde hands over, without a copy in between.
pub(super) struct Text<T> {
    expected: &'static str,
    into: PhantomData<T>,
}

impl<T> Text<T> {
    /// A text that is to be this, as errors name it.
    pub(super) fn that_is(expected: &'static str) -> Self {
        Self { expected, into: PhantomData }
    }
}

impl<T: FromStr<Err = PlaceError>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}
