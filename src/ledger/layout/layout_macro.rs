//! `layout! { struct Layout of Live { member: Type, … } }`, and the same with `enum`, define a layout and both
//! conversions, by members and variants of the same names. The members of a tuple variant have names here, which are
//! not stored. A layout that borrows is written `Layout<'a>`.
//!
//! A type that only older versions wrote is a `read struct` or `read enum`. Members that the live struct has gained
//! since then follow with their former values: `} with { member: value, … }`.

macro_rules! layout {
    // Serde cannot determine which members borrow, so the bound allows all of them to.
    ($(#[$meta:meta])* struct $name:ident<'a> of $($rest:tt)*) => {
        layout! { @struct [$(#[$meta])* #[serde(bound(deserialize = "'de: 'a"))]] $name [<'a>] $($rest)* }
    };
    ($(#[$meta:meta])* struct $name:ident of $($rest:tt)*) => {
        layout! { @struct [$(#[$meta])*] $name [] $($rest)* }
    };
    ($(#[$meta:meta])* enum $name:ident<'a> of $($rest:tt)*) => {
        layout! { @enum [$(#[$meta])* #[serde(bound(deserialize = "'de: 'a"))]] $name [<'a>] $($rest)* }
    };
    ($(#[$meta:meta])* enum $name:ident of $($rest:tt)*) => {
        layout! { @enum [$(#[$meta])*] $name [] $($rest)* }
    };
    ($(#[$meta:meta])* read struct $name:ident<'a> of $($rest:tt)*) => {
        layout! { @read_struct [$(#[$meta])* #[serde(bound(deserialize = "'de: 'a"))]] $name [<'a>] $($rest)* }
    };
    ($(#[$meta:meta])* read struct $name:ident of $($rest:tt)*) => {
        layout! { @read_struct [$(#[$meta])*] $name [] $($rest)* }
    };
    ($(#[$meta:meta])* read enum $name:ident<'a> of $($rest:tt)*) => {
        layout! { @read_enum [$(#[$meta])* #[serde(bound(deserialize = "'de: 'a"))]] $name [<'a>] $($rest)* }
    };
    ($(#[$meta:meta])* read enum $name:ident of $($rest:tt)*) => {
        layout! { @read_enum [$(#[$meta])*] $name [] $($rest)* }
    };

    (@struct $meta:tt $name:ident [$($life:tt)*] $live:ty { $($member:ident: $type:ty,)* }) => {
        layout! { @read_struct $meta $name [$($life)*] $live { $($member: $type,)* } with {} }

        impl<'a> $crate::ledger::layout::LayoutOf<'a, $live> for $name $($life)* {
            fn of(live: &'a $live) -> Self {
                type Live = $live;
                let Live { $($member),* } = live;
                Self { $($member: $crate::ledger::layout::LayoutOf::of($member),)* }
            }
        }
    };
    (@read_struct [$($meta:tt)*] $name:ident [$($life:tt)*] $live:ty { $($member:ident: $type:ty,)* }
        with { $($since:ident: $then:expr,)* }
    ) => {
        #[derive(serde::Serialize, serde::Deserialize)]
        $($meta)*
        pub(in crate::ledger) struct $name $($life)* { $($member: $type,)* }

        impl $($life)* $crate::ledger::layout::IntoLive<$live> for $name $($life)* {
            fn into_live(self) -> Result<$live, $crate::ledger::layout::Impossible> {
                type Live = $live;
                let Self { $($member),* } = self;
                Ok(Live {
                    $($member: $crate::ledger::layout::IntoLive::into_live($member)?,)*
                    $($since: $then,)*
                })
            }
        }

        #[cfg(test)]
        impl $($life)* $crate::ledger::layout::coverage::Covered for $name $($life)* {
            fn wanted(_: &str, wanted: &mut $crate::ledger::layout::coverage::Forms) {
                $(<$type>::wanted(concat!(stringify!($name), ".", stringify!($member)), wanted);)*
            }

            fn observe(&self, _: &str, seen: &mut $crate::ledger::layout::coverage::Forms) {
                let Self { $($member),* } = self;
                $($member.observe(concat!(stringify!($name), ".", stringify!($member)), seen);)*
            }
        }
    };

    (@enum $meta:tt $name:ident [$($life:tt)*] $live:ty { $(
        $(#[$variant_meta:meta])* $variant:ident
        $({ $($member:ident: $type:ty),* $(,)? })?
        $(( $($part:ident: $part_type:ty),* $(,)? ))?
    ,)* }) => {
        layout! { @read_enum $meta $name [$($life)*] $live { $(
            $(#[$variant_meta])* $variant $({ $($member: $type),* })? $(( $($part: $part_type),* ))?,
        )* } }

        impl<'a> $crate::ledger::layout::LayoutOf<'a, $live> for $name $($life)* {
            fn of(live: &'a $live) -> Self {
                type Live = $live;
                match live { $(
                    Live::$variant $({ $($member),* })? $(($($part),*))? => Self::$variant
                        $({ $($member: $crate::ledger::layout::LayoutOf::of($member)),* })?
                        $(($($crate::ledger::layout::LayoutOf::of($part)),*))?,
                )* }
            }
        }
    };
    (@read_enum [$($meta:tt)*] $name:ident [$($life:tt)*] $live:ty { $(
        $(#[$variant_meta:meta])* $variant:ident
        $({ $($member:ident: $type:ty),* $(,)? })?
        $(( $($part:ident: $part_type:ty),* $(,)? ))?
    ,)* }) => {
        #[derive(serde::Serialize, serde::Deserialize)]
        $($meta)*
        pub(in crate::ledger) enum $name $($life)* { $(
            $(#[$variant_meta])* $variant $({ $($member: $type),* })? $(($($part_type),*))?,
        )* }

        impl $($life)* $crate::ledger::layout::IntoLive<$live> for $name $($life)* {
            fn into_live(self) -> Result<$live, $crate::ledger::layout::Impossible> {
                type Live = $live;
                Ok(match self { $(
                    Self::$variant $({ $($member),* })? $(($($part),*))? => Live::$variant
                        $({ $($member: $crate::ledger::layout::IntoLive::into_live($member)?),* })?
                        $(($($crate::ledger::layout::IntoLive::into_live($part)?),*))?,
                )* })
            }
        }

        #[cfg(test)]
        impl $($life)* $crate::ledger::layout::coverage::Covered for $name $($life)* {
            fn wanted(_: &str, wanted: &mut $crate::ledger::layout::coverage::Forms) {
                $(
                    wanted.insert(concat!(stringify!($name), "::", stringify!($variant)).to_owned());
                    $($(<$type>::wanted(
                        concat!(stringify!($name), "::", stringify!($variant), ".", stringify!($member)), wanted
                    );)*)?
                    $($(<$part_type>::wanted(
                        concat!(stringify!($name), "::", stringify!($variant), ".", stringify!($part)), wanted
                    );)*)?
                )*
            }

            fn observe(&self, _: &str, seen: &mut $crate::ledger::layout::coverage::Forms) {
                match self { $(
                    Self::$variant $({ $($member),* })? $(($($part),*))? => {
                        seen.insert(concat!(stringify!($name), "::", stringify!($variant)).to_owned());
                        $($($member.observe(
                            concat!(stringify!($name), "::", stringify!($variant), ".", stringify!($member)), seen
                        );)*)?
                        $($($part.observe(
                            concat!(stringify!($name), "::", stringify!($variant), ".", stringify!($part)), seen
                        );)*)?
                    }
                )* }
            }
        }
    };
}
