//! How places are made of text and shown.

macro_rules! from_str {
    ($($name:ident),* $(,)?) => {$(
        impl std::str::FromStr for $name {
            type Err = $crate::domain::place::PlaceError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
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
