//! Macros that implement `FromStr` and `Debug` for the types of this module.

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

/// Implements `Debug` with the text, which is more readable in a failed test or a log line than the fields.
macro_rules! debug_as_display {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    )*};
}
