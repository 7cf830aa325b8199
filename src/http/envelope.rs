//! The envelope that resources share: id, uri, account, times.

use crate::domain::place::Region;
use crate::domain::time::Time;
use serde::{Serialize, Serializer};
use std::fmt::Display;
use utoipa::ToSchema;

/// What every resource begins with.
#[derive(Serialize, ToSchema)]
pub struct Envelope {
    /// The resource's id.
    #[schema(example = "0b90f8de-8617-498d-ad63-ca18eb717ae7")]
    id: String,
    /// Its uri.
    #[schema(example = "kylo:kylo:cckm:kms:kms")]
    uri: String,
    /// The domain that it is in.
    #[schema(example = "kylo:kylo:admin:accounts:kylo")]
    account: &'static str,
    /// The application that made it.
    #[schema(example = "ncryptify:gemalto:admin:apps:kylo")]
    application: &'static str,
    /// Whose application that is.
    #[serde(rename = "devAccount")]
    #[schema(example = "ncryptify:gemalto:admin:accounts:gemalto")]
    dev_account: &'static str,
    /// When it was made.
    #[serde(rename = "createdAt", serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime, example = "2020-11-05T05:29:17.200168Z")]
    created_at: Time,
    /// When it was last changed.
    #[serde(rename = "updatedAt", serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime, example = "2020-11-05T05:29:17.200168Z")]
    updated_at: Time,
}

impl Envelope {
    /// The envelope of a resource; `kind` is the service and type in its uri, `named` the last part.
    pub fn new(id: impl Display, kind: &str, named: impl Display, created_at: Time, updated_at: Time) -> Self {
        Self {
            id: id.to_string(),
            uri: format!("kylo:kylo:{kind}:{named}"),
            account: "kylo:kylo:admin:accounts:kylo",
            application: "ncryptify:gemalto:admin:apps:kylo",
            dev_account: "ncryptify:gemalto:admin:accounts:gemalto",
            created_at,
            updated_at,
        }
    }
}

/// A moment as clients read it.
pub fn rfc3339<S: Serializer>(time: &Time, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(time)
}

/// What clients read as text.
pub fn text<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// The names of regions, without a copy of each: a page holds many.
pub fn regions<S: Serializer>(regions: &[Region], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(regions.iter().map(Region::as_str))
}
