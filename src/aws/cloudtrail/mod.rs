//! The events of CloudTrail about KMS, as a trail delivers them to CloudWatch Logs: one JSON text each.
//!
//! A log group can hold anything, so that nothing in a message is trusted: a text that is no event of CloudTrail is
//! reported as [`NotAnEvent`], a member of an unexpected form counts as absent, and long texts are cut.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::time::Time;

/// The filter pattern that selects the events of KMS.
pub const KMS_EVENTS: &str = r#"{ $.eventSource = "kms.amazonaws.com" }"#;

/// The longest message. CloudWatch Logs takes no longer ones.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// The longest text of a member, in bytes. ARNs have up to 2048 characters.
const TEXT_BYTES_MAX: usize = 2_048;
/// The most keys of one event.
const KEYS_MAX: usize = 16;

/// A call to KMS, as CloudTrail reports it. A text that the event does not have is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailEvent {
    /// Unique in the log group.
    pub event_id: String,
    /// AWS's id of the call; empty if AWS made the change by itself.
    pub request_id: String,
    /// The id that the events of one call in several accounts have in common.
    pub shared_event_id: String,
    pub time: Time,
    /// The operation, such as `Decrypt`.
    pub name: String,
    /// The service that was called, such as `kms.amazonaws.com`.
    pub source: String,
    pub region: String,
    /// The account in whose trail the event is.
    pub recipient_account: String,
    pub identity: TrailIdentity,
    pub source_ip: String,
    pub user_agent: String,
    /// The code of AWS's error; empty if the call succeeded.
    pub error_code: String,
    pub error_message: String,
    /// Whether the operation only reads; `None` if the event does not say.
    pub read_only: Option<bool>,
    /// The ARNs of the keys of the call.
    pub keys: Vec<String>,
    /// The names of the aliases of the call, such as `alias/payroll`.
    pub aliases: Vec<String>,
    /// The key as the caller named it: an id, an ARN, an alias.
    pub key_parameter: String,
    /// AWS's id of the key's custom key store.
    pub custom_key_store_id: String,
    pub xks_key_id: String,
    /// AWS's id of the custom key store that the call names or made.
    pub named_store_id: String,
    /// The service in the encryption context, if a caller gives one there.
    pub via_service: String,
}

/// Who made a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailIdentity {
    /// The type, such as `IAMUser`, `AssumedRole`, `AWSService`.
    pub kind: String,
    pub arn: String,
    pub principal_id: String,
    pub account: String,
    pub user_name: String,
    /// The service that called on behalf of the principal.
    pub invoked_by: String,
    /// The ARN of the role whose session it is.
    pub session_issuer: String,
}

impl TrailIdentity {
    /// The best name of the caller: the ARN, or what there is instead.
    pub fn name(&self) -> &str {
        let known = [&self.arn, &self.invoked_by, &self.user_name, &self.principal_id];
        known.into_iter().find(|text| !text.is_empty()).map_or(&self.kind, String::as_str)
    }
}

/// The reason why a message is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAnEvent {
    TooLong,
    /// It is not a JSON object; perhaps it was cut.
    NotJson,
    /// It is JSON, and lacks what every event of CloudTrail has.
    Foreign,
}

impl TrailEvent {
    /// Reads a message of a log group.
    ///
    /// # Errors
    /// Why it is no event of CloudTrail.
    pub fn parse(message: &str) -> Result<Self, NotAnEvent> {
        if message.len() > MESSAGE_BYTES_MAX {
            return Err(NotAnEvent::TooLong);
        }
        let event: Event<'_> = serde_json::from_str(message).map_err(|_| NotAnEvent::NotJson)?;
        let time = chrono::DateTime::parse_from_rfc3339(&text(event.event_time)).map_err(|_| NotAnEvent::Foreign)?;
        let (event_id, name) = (text(event.event_id), text(event.event_name));
        if event_id.is_empty() || name.is_empty() {
            return Err(NotAnEvent::Foreign);
        }
        let parameters: Parameters<'_> = object(event.request_parameters);
        let context: Context<'_> = object(parameters.encryption_context);
        let answered: Answered<'_> = object(event.response_elements);
        let named_store = parameters.custom_key_store_id.or(answered.custom_key_store_id);
        let additional: Additional<'_> = object(event.additional_event_data);
        Ok(Self {
            event_id,
            request_id: text(event.request_id),
            shared_event_id: text(event.shared_event_id),
            time: Time::of(time.to_utc()),
            name,
            source: text(event.event_source),
            region: text(event.aws_region),
            recipient_account: text(event.recipient_account_id),
            identity: identity(event.user_identity),
            source_ip: text(event.source_ip_address),
            user_agent: text(event.user_agent),
            error_code: text(event.error_code),
            error_message: text(event.error_message),
            read_only: event.read_only.and_then(|raw| serde_json::from_str(raw.get()).ok()),
            aliases: aliases(event.resources),
            keys: keys(event.resources),
            key_parameter: text(parameters.key_id),
            custom_key_store_id: text(additional.custom_key_store_id),
            xks_key_id: text(additional.xks_key_id),
            named_store_id: text(named_store),
            via_service: text(context.via_service),
        })
    }
}

fn identity(raw: Option<&RawValue>) -> TrailIdentity {
    let identity: Identity<'_> = object(raw);
    let session: Session<'_> = object(identity.session_context);
    let issuer: Issuer<'_> = object(session.session_issuer);
    TrailIdentity {
        kind: text(identity.kind),
        arn: text(identity.arn),
        principal_id: text(identity.principal_id),
        account: text(identity.account_id),
        user_name: text(identity.user_name),
        invoked_by: text(identity.invoked_by),
        session_issuer: text(issuer.arn),
    }
}

fn keys(raw: Option<&RawValue>) -> Vec<String> {
    arns(raw).filter(|arn| arn.contains(":key/")).take(KEYS_MAX).collect()
}

fn aliases(raw: Option<&RawValue>) -> Vec<String> {
    let name = |arn: String| arn.splitn(6, ':').nth(5).filter(|name| name.starts_with("alias/")).map(str::to_owned);
    arns(raw).filter_map(name).take(KEYS_MAX).collect()
}

/// The ARNs of the resources of an event.
fn arns(raw: Option<&RawValue>) -> impl Iterator<Item = String> {
    let resources: Vec<&RawValue> = raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    resources.into_iter().map(|raw| text(object::<Resource<'_>>(Some(raw)).arn))
}

/// The text of a member; empty if there is none, or it is no text.
fn text(raw: Option<&RawValue>) -> String {
    let text: Option<Cow<'_, str>> =
        raw.and_then(|raw| serde_json::from_str::<Text<'_>>(raw.get()).ok()).map(|text| text.0);
    let text = text.unwrap_or_default();
    match text.len() > TEXT_BYTES_MAX {
        true => text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned(),
        false => text.into_owned(),
    }
}

/// The members of an object; none if it is no object.
fn object<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> T {
    let raw = raw.map(RawValue::get).filter(|text| text.starts_with('{'));
    raw.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// An event. Each member is read on its own, so that one of an unexpected form does not spoil the others.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow, default, rename = "eventID")]
    event_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "requestID")]
    request_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "sharedEventID")]
    shared_event_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    event_time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    event_name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    event_source: Option<&'a RawValue>,
    #[serde(borrow, default)]
    aws_region: Option<&'a RawValue>,
    #[serde(borrow, default)]
    recipient_account_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user_identity: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "sourceIPAddress")]
    source_ip_address: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user_agent: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error_code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error_message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    read_only: Option<&'a RawValue>,
    #[serde(borrow, default)]
    resources: Option<&'a RawValue>,
    #[serde(borrow, default)]
    request_parameters: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response_elements: Option<&'a RawValue>,
    #[serde(borrow, default)]
    additional_event_data: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arn: Option<&'a RawValue>,
    #[serde(borrow, default)]
    principal_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    account_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user_name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    invoked_by: Option<&'a RawValue>,
    #[serde(borrow, default)]
    session_context: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Session<'a> {
    #[serde(borrow, default)]
    session_issuer: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Issuer<'a> {
    #[serde(borrow, default)]
    arn: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Resource<'a> {
    #[serde(borrow, default, rename = "ARN")]
    arn: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Parameters<'a> {
    #[serde(borrow, default)]
    key_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    encryption_context: Option<&'a RawValue>,
    #[serde(borrow, default)]
    custom_key_store_id: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Answered<'a> {
    #[serde(borrow, default)]
    custom_key_store_id: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Context<'a> {
    #[serde(borrow, default, rename = "kms:ViaService")]
    via_service: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Additional<'a> {
    #[serde(borrow, default)]
    custom_key_store_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    xks_key_id: Option<&'a RawValue>,
}

#[cfg(test)]
mod tests;
