//! The envelope that resources share: id, URI, account and times.

use crate::domain::place::Region;
use crate::domain::time::Time;
use serde::{Serialize, Serializer};
use std::fmt::Display;
use utoipa::ToSchema;

/// The members with which every resource begins.
#[derive(Serialize, ToSchema)]
pub struct Envelope {
    /// The id of the resource.
    #[schema(example = "0b90f8de-8617-498d-ad63-ca18eb717ae7")]
    id: String,
    /// The URI of the resource.
    #[schema(example = "kylo:kylo:cckm:kms:kms")]
    uri: String,
    /// The domain of the resource; always the root domain.
    #[schema(example = "kylo:kylo:admin:accounts:kylo")]
    account: &'static str,
    /// The application that created the resource; always the same.
    #[schema(example = "ncryptify:gemalto:admin:apps:kylo")]
    application: &'static str,
    /// The account of that application.
    #[serde(rename = "devAccount")]
    #[schema(example = "ncryptify:gemalto:admin:accounts:gemalto")]
    dev_account: &'static str,
    /// The time at which the resource was created.
    #[serde(rename = "createdAt", serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime, example = "2020-11-05T05:29:17.200168Z")]
    created_at: Time,
    /// The time of the last change.
    #[serde(rename = "updatedAt", serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime, example = "2020-11-05T05:29:17.200168Z")]
    updated_at: Time,
}

impl Envelope {
    /// The envelope of a resource; `kind` is the service and type in its URI, `named` the last part of it.
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

/// Serialises a time in the format of RFC 3339.
pub fn rfc3339<S: Serializer>(time: &Time, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(time)
}

/// Serialises an optional time in the format of RFC 3339.
pub fn maybe_rfc3339<S: Serializer>(time: &Option<Time>, to: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, to),
        None => to.serialize_none(),
    }
}

/// Serialises a value as its text.
pub fn text<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// Serialises the names of regions without a copy of each.
pub fn regions<S: Serializer>(regions: &[Region], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(regions.iter().map(Region::as_str))
}
