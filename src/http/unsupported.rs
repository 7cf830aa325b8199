//! Members of the vendor's API that ask for something that is not built: a wrapping of the material, a derivation, a
//! signature. To ignore one would answer material in the clear to a client that asked for protection, so each is
//! refused, unless its value asks for nothing.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The beginnings of names that are refused.
const PREFIXES: &[&str] = &["wrap", "macSign", "secretData"];

/// Other names that are refused.
const NAMES: &[&str] = &[
    "allVersions",
    "certType",
    "defaultIV",
    "emptyMaterial",
    "generateKeyId",
    "hkdfCreateParameters",
    "idSize",
    "padded",
    "password",
    "publicKeyParameters",
    "revocationReason",
    "rotationFrequencyDays",
    "signingAlgo",
    "templateId",
    "xts",
];

/// A body for [`Protected`].
pub trait Supports {
    /// The members of the lists above that the body has.
    const BUILT: &'static [&'static str] = &[];
}

/// A body in which a member of the lists above is refused, unless it asks for nothing. Other members are those of `T`.
#[derive(Default)]
pub struct Protected<T>(pub T);

impl<'de, T: Deserialize<'de> + Supports> Deserialize<'de> for Protected<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Supports> Visitor<'de> for Members<T> {
            type Value = Protected<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(Supported { members, built: T::BUILT })).map(Protected)
            }
        }
        from.deserialize_map(Members(PhantomData))
    }
}

/// The members of an object without those that are not supported.
struct Supported<A> {
    members: A,
    built: &'static [&'static str],
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Supported<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.members.next_key::<String>()? {
            let is_listed = NAMES.contains(&name.as_str()) || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            if !is_listed || self.built.contains(&name.as_str()) {
                return seed.deserialize(name.into_deserializer()).map(Some);
            }
            self.members.next_value::<Unsupported>()?;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.members.next_value_seed(seed)
    }
}

/// A member that is refused, unless it is `null`, `""`, 0, false, or empty.
#[derive(Default)]
pub struct Unsupported;

impl<'de> Deserialize<'de> for Unsupported {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let asks_for_nothing = match Value::deserialize(from)? {
            Value::Null | Value::Bool(false) => true,
            Value::Bool(true) => false,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(values) => values.is_empty(),
            Value::Object(members) => members.is_empty(),
        };
        match asks_for_nothing {
            true => Ok(Self),
            false => Err(D::Error::custom("is not supported; leave it out")),
        }
    }
}

impl<T: ToSchema> PartialSchema for Protected<T> {
    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}

impl<T: ToSchema> ToSchema for Protected<T> {
    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}
