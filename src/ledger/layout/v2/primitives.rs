//! The primitive layouts: text, bytes, times, ids. Names are read without validation: a name that was valid when it was
//! recorded stays readable, even if the rules for names change. Values with a fixed syntax (a region, an ARN, a number
//! of days) are parsed.

use crate::domain::alarm::AlarmNumber;
use crate::domain::connection::StsEndpoints as LiveStsEndpoints;
use crate::domain::cron::Cron;
use crate::domain::drift::DriftNumber;
use crate::domain::event::{Sealed, TokenHash as LiveTokenHash};
use crate::domain::id::*;
use crate::domain::key::aws_enums::{ExpirationModel, KeyManager, KeyState, MultiRegionKind, Origin};
use crate::domain::key::days::{DeletionWindow, RotationPeriod};
use crate::domain::key::material::MaterialId;
use crate::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::{KeySpec, KeyUsage};
use crate::domain::key_store::at_aws::ConnectionState;
use crate::domain::name::*;
use crate::domain::place::{AccountId, Arn, ExternalId, Partition as LivePartition, Region, RoleArn};
use crate::domain::source_key::{Fingerprint as LiveFingerprint, UsageMask};
use crate::domain::span::Span as LiveSpan;
use crate::domain::time::Time;
use crate::ledger::layout::{Impossible, IntoLive, LayoutOf};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

pub(in crate::ledger) struct Text<'a>(Cow<'a, str>);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

#[cfg(test)]
impl Text<'_> {
    pub(in crate::ledger) fn is_borrowed(&self) -> bool {
        matches!(self.0, Cow::Borrowed(_))
    }
}

/// Borrows the text; serde's own implementation for `Cow` copies.
impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <&'de str>::deserialize(from).map(|text| Self(Cow::Borrowed(text)))
    }
}

impl<'a> LayoutOf<'a, String> for Text<'a> {
    fn of(live: &'a String) -> Self {
        Self(Cow::Borrowed(live))
    }
}

impl IntoLive<String> for Text<'_> {
    fn into_live(self) -> Result<String, Impossible> {
        Ok(self.0.into_owned())
    }
}

impl<'a> LayoutOf<'a, Arc<str>> for Text<'a> {
    fn of(live: &'a Arc<str>) -> Self {
        Self(Cow::Borrowed(live))
    }
}

impl IntoLive<Arc<str>> for Text<'_> {
    fn into_live(self) -> Result<Arc<str>, Impossible> {
        Ok(self.0.into())
    }
}

macro_rules! texts {
    ($($live:ty, $written:ident, $read:expr;)*) => {$(
        impl<'a> LayoutOf<'a, $live> for Text<'a> {
            fn of(live: &'a $live) -> Self {
                Self(live.$written().into())
            }
        }

        impl IntoLive<$live> for Text<'_> {
            fn into_live(self) -> Result<$live, Impossible> {
                $read(&self.0).map_err(Impossible::because)
            }
        }
    )*};
}

/// Wraps a constructor that accepts any text.
fn any<T>(take: impl Fn(&str) -> T) -> impl Fn(&str) -> Result<T, &'static str> {
    move |text| Ok(take(text))
}

texts! {
    KmsName, as_str, any(KmsName::stored);
    ConnectionName, as_str, any(ConnectionName::stored);
    UserName, as_str, any(UserName::stored);
    GroupName, as_str, any(GroupName::stored);
    SourceKeyName, as_str, any(SourceKeyName::stored);
    TemplateName, as_str, any(TemplateName::stored);
    ScheduleName, as_str, any(ScheduleName::stored);
    ReportName, as_str, any(ReportName::stored);
    KeyStoreName, as_str, any(KeyStoreName::stored);
    PasswordPolicyName, as_str, any(PasswordPolicyName::stored);
    WebhookName, as_str, any(WebhookName::stored);
    JsonText, as_str, any(JsonText::stored);
    PolicyText, as_str, any(PolicyText::stored);
    MaterialId, as_str, any(MaterialId::new);
    AliasName, as_str, any(AliasName::stored);
    AwsKeyId, as_str, AwsKeyId::parse;
    KeyArn, to_string, KeyArn::parse;
    Arn, to_string, Arn::parse;
    RoleArn, to_string, RoleArn::parse;
    ExternalId, as_str, ExternalId::parse;
    AccountId, to_string, AccountId::parse;
    Region, as_str, Region::parse;
    Cron, as_str, Cron::parse;
    // AWS's enumerations are open: an unknown value is kept as text, and is read as a variant once it is known.
    KeySpec, as_str, any(KeySpec::parse);
    KeyUsage, as_str, any(KeyUsage::parse);
    KeyState, as_str, any(KeyState::parse);
    KeyManager, as_str, any(KeyManager::parse);
    Origin, as_str, any(Origin::parse);
    ExpirationModel, as_str, any(ExpirationModel::parse);
    ConnectionState, as_str, any(ConnectionState::parse);
    MultiRegionKind, as_str, any(MultiRegionKind::parse);
}

macro_rules! ids {
    ($($live:ty),* $(,)?) => {$(
        impl<'a> LayoutOf<'a, $live> for Uuid {
            fn of(live: &'a $live) -> Self {
                live.uuid()
            }
        }

        impl IntoLive<$live> for Uuid {
            fn into_live(self) -> Result<$live, Impossible> {
                Ok(<$live>::new(self))
            }
        }
    )*};
}

ids!(
    InstallationId,
    KmsId,
    ConnectionId,
    SessionId,
    RefreshTokenId,
    KeyId,
    OperationId,
    SourceKeyId,
    TemplateId,
    ScheduleId,
    ReportId,
    BackupId,
    KeyStoreId,
    CredentialId,
    JobId,
    EventId,
    UserId,
    WebhookId,
    ForwarderId,
);

impl LayoutOf<'_, Uuid> for Uuid {
    fn of(live: &Uuid) -> Self {
        *live
    }
}

impl IntoLive<Uuid> for Uuid {
    fn into_live(self) -> Result<Uuid, Impossible> {
        Ok(self)
    }
}

impl LayoutOf<'_, DriftNumber> for u64 {
    fn of(live: &DriftNumber) -> Self {
        live.0
    }
}

impl IntoLive<DriftNumber> for u64 {
    fn into_live(self) -> Result<DriftNumber, Impossible> {
        Ok(DriftNumber(self))
    }
}

impl LayoutOf<'_, AlarmNumber> for u64 {
    fn of(live: &AlarmNumber) -> Self {
        live.0
    }
}

impl IntoLive<AlarmNumber> for u64 {
    fn into_live(self) -> Result<AlarmNumber, Impossible> {
        Ok(AlarmNumber(self))
    }
}

/// Nanoseconds since 1970, in UTC.
pub(in crate::ledger) struct Moment(i64);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(&Time::from_nanos(self.0)) } else { to.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        i64::deserialize(from).map(Self)
    }
}

impl<'a> LayoutOf<'a, Time> for Moment {
    fn of(live: &'a Time) -> Self {
        Self(live.nanos())
    }
}

impl IntoLive<Time> for Moment {
    fn into_live(self) -> Result<Time, Impossible> {
        Ok(Time::from_nanos(self.0))
    }
}

/// A secret that the keyring has sealed. JSON shows only that it exists.
pub(in crate::ledger) struct Bytes<'a>(Cow<'a, [u8]>);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.serialize_str("[sealed]") } else { to.serialize_bytes(&self.0) }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <&'de [u8]>::deserialize(from).map(|bytes| Self(Cow::Borrowed(bytes)))
    }
}

impl<'a> LayoutOf<'a, Sealed> for Bytes<'a> {
    fn of(live: &'a Sealed) -> Self {
        Self(Cow::Borrowed(&live.0))
    }
}

impl IntoLive<Sealed> for Bytes<'_> {
    fn into_live(self) -> Result<Sealed, Impossible> {
        Ok(Sealed(self.0.into_owned()))
    }
}

/// Reads 32 bytes that follow their length, which is faster than reading an array.
struct Digest;

impl Visitor<'_> for Digest {
    type Value = [u8; 32];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("32 bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<[u8; 32], E> {
        bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))
    }
}

/// The hash of a refresh token. JSON shows only that it exists.
pub(in crate::ledger) struct TokenHash([u8; 32]);

impl Serialize for TokenHash {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.serialize_str("[hash]") } else { to.serialize_bytes(&self.0) }
    }
}

impl<'de> Deserialize<'de> for TokenHash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_bytes(Digest).map(Self)
    }
}

impl<'a> LayoutOf<'a, LiveTokenHash> for TokenHash {
    fn of(live: &'a LiveTokenHash) -> Self {
        Self(live.0)
    }
}

impl IntoLive<LiveTokenHash> for TokenHash {
    fn into_live(self) -> Result<LiveTokenHash, Impossible> {
        Ok(LiveTokenHash(self.0))
    }
}

/// The fingerprint of a source key. JSON shows it in hexadecimal digits.
pub(in crate::ledger) struct Fingerprint([u8; 32]);

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(&LiveFingerprint(self.0)) } else { to.serialize_bytes(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_bytes(Digest).map(Self)
    }
}

impl<'a> LayoutOf<'a, LiveFingerprint> for Fingerprint {
    fn of(live: &'a LiveFingerprint) -> Self {
        Self(live.0)
    }
}

impl IntoLive<LiveFingerprint> for Fingerprint {
    fn into_live(self) -> Result<LiveFingerprint, Impossible> {
        Ok(LiveFingerprint(self.0))
    }
}

impl<'a> LayoutOf<'a, UsageMask> for u32 {
    fn of(live: &'a UsageMask) -> Self {
        live.bits()
    }
}

impl IntoLive<UsageMask> for u32 {
    fn into_live(self) -> Result<UsageMask, Impossible> {
        UsageMask::parse(self.into()).map_err(Impossible::because)
    }
}

macro_rules! days {
    ($($live:ty),*) => {$(
        impl<'a> LayoutOf<'a, $live> for u16 {
            fn of(live: &'a $live) -> Self {
                live.days()
            }
        }

        impl IntoLive<$live> for u16 {
            fn into_live(self) -> Result<$live, Impossible> {
                <$live>::parse(self.into()).map_err(Impossible::because)
            }
        }
    )*};
}
days!(DeletionWindow, RotationPeriod);

layout! {
    enum Partition of LivePartition {
        #[serde(rename = "aws")]
        Aws,
        #[serde(rename = "aws-us-gov")]
        AwsUsGov,
        #[serde(rename = "aws-cn")]
        AwsCn,
    }
}

layout! {
    enum StsEndpoints of LiveStsEndpoints {
        Legacy,
        Regional,
    }
}

layout! {
    enum Span of LiveSpan {
        Days(days: u32),
        Hours(hours: u32),
    }
}
