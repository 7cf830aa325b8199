//! Synthetic events: a test asks for many at once, and each is generated when it is read. The same order has the same
//! events at any time.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::event::is_read_only;
use super::group::{HEAD, OVERHEAD, Window};
use crate::lab::key_id;

const MAX_COUNT: u64 = 100_000_000;
const MAX_NAMES: usize = 10_000;
const OPERATIONS: [&str; 3] = ["Decrypt", "Encrypt", "GenerateDataKey"];

/// An order of events of KMS, spread evenly over a time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::lab) struct Order {
    pub account: String,
    pub region: String,
    pub count: u64,
    /// The time of the first event.
    pub start: DateTime<Utc>,
    /// The time after the last event.
    pub end: DateTime<Utc>,
    /// The ids or ARNs of the keys.
    pub keys: Vec<String>,
    /// The callers: ARNs of users or of sessions of roles, or names of services. Default: one user.
    #[serde(default)]
    pub principals: Vec<String>,
    /// The operations; default: Decrypt, Encrypt and GenerateDataKey.
    #[serde(default)]
    pub operations: Vec<String>,
    /// Services through which callers call, such as `s3.amazonaws.com`; they also call directly.
    #[serde(default)]
    pub services: Vec<String>,
    /// The share of calls that are denied.
    #[serde(default)]
    pub failures_percent: u8,
    /// Another number gives other events.
    #[serde(default)]
    pub seed: u64,
    /// The time between an event and its arrival.
    #[serde(default)]
    pub delay_seconds: u32,
}

/// The events of an order.
#[derive(Debug)]
pub(super) struct Batch {
    count: u64,
    start: i64,
    end: i64,
    delay_seconds: i64,
    seed: u64,
    failures_percent: u64,
    region: String,
    account: String,
    keys: Vec<Key>,
    operations: Vec<String>,
    callers: Vec<Caller>,
}

#[derive(Debug)]
struct Key {
    arn: String,
    account: String,
}

/// A caller, directly or through a service, with its members as JSON.
#[derive(Debug)]
struct Caller {
    name: String,
    identity: String,
    /// The `sourceIPAddress` and `userAgent`.
    from: String,
}

impl Order {
    /// Checks an order.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn batch(self, partition: &str, now: DateTime<Utc>) -> Result<Batch, String> {
        if !(1..=MAX_COUNT).contains(&self.count) {
            return Err(format!("count must be between 1 and {MAX_COUNT}"));
        }
        if self.end <= self.start {
            return Err("end must be after start".to_owned());
        }
        if self.end > now + TimeDelta::days(366) || self.start.timestamp() < 0 {
            return Err("start and end must be between 1970 and a year from now".to_owned());
        }
        if self.keys.is_empty() {
            return Err("keys must not be empty".to_owned());
        }
        for (name, list) in [("keys", &self.keys), ("principals", &self.principals), ("services", &self.services)] {
            if list.len() > MAX_NAMES {
                return Err(format!("{name} must have at most {MAX_NAMES} members"));
            }
        }
        if self.failures_percent > 100 {
            return Err("failures_percent must be between 0 and 100".to_owned());
        }
        let key = |name: &String| {
            let arn = match name.starts_with("arn:") {
                true => name.clone(),
                false => format!("arn:{partition}:kms:{}:{}:key/{name}", self.region, self.account),
            };
            let account = arn.split(':').nth(4).unwrap_or(&self.account).to_owned();
            Key { arn, account }
        };
        let keys = self.keys.iter().map(key).collect();
        let default = [format!("arn:{partition}:iam::{}:user/synthetic", self.account)];
        let principals: &[String] = if self.principals.is_empty() { &default } else { &self.principals };
        let mut callers = Vec::new();
        for principal in principals {
            callers.push(Caller::new(principal, None, &self.account)?);
            for service in &self.services {
                callers.push(Caller::new(principal, Some(service), &self.account)?);
            }
        }
        let operations = match self.operations.is_empty() {
            true => OPERATIONS.map(str::to_owned).to_vec(),
            false => self.operations,
        };
        if operations.iter().any(|name| name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric())) {
            return Err("an operation is a name such as Decrypt".to_owned());
        }
        Ok(Batch {
            count: self.count,
            start: self.start.timestamp(),
            end: self.end.timestamp(),
            delay_seconds: self.delay_seconds.into(),
            seed: self.seed,
            failures_percent: self.failures_percent.into(),
            region: self.region,
            account: self.account,
            keys,
            operations,
            callers,
        })
    }
}

impl Caller {
    fn new(principal: &str, service: Option<&str>, owner: &str) -> Result<Caller, String> {
        let mut identity = identity(principal, owner)
            .ok_or_else(|| format!("{principal} is not the ARN of a user or a session, or the name of a service"))?;
        if let Some(service) = service {
            identity["invokedBy"] = json!(service);
        }
        let by = service.or_else(|| (!principal.starts_with("arn:")).then_some(principal));
        let (address, agent) = by.map_or(("198.51.100.7", "aws-sdk/synthetic"), |service| (service, service));
        let from = format!(r#""sourceIPAddress":{},"userAgent":{}"#, json!(address), json!(agent));
        Ok(Caller { name: principal.to_owned(), identity: identity.to_string(), from })
    }
}

fn identity(principal: &str, owner: &str) -> Option<Value> {
    if !principal.starts_with("arn:") {
        let is_service = principal.ends_with(".amazonaws.com");
        return is_service.then(|| json!({ "type": "AWSService", "invokedBy": principal }));
    }
    let parts: Vec<&str> = principal.splitn(6, ':').collect();
    let [_, partition, service, _, account, resource] = parts[..] else { return None };
    let account = if account.is_empty() { owner } else { account };
    let hash = name_hash(principal);
    let id = |prefix: &str| format!("{prefix}{}", letters(hash));
    let key = key_id::temporary(account, &hash.to_be_bytes());
    match (service, resource.split('/').collect::<Vec<_>>()[..].split_first()?) {
        ("iam", (&"user", [.., name])) => Some(json!({
            "type": "IAMUser", "principalId": id("AIDA"), "arn": principal, "accountId": account,
            "accessKeyId": key.replacen("ASIA", "AKIA", 1), "userName": name,
        })),
        ("sts", (&"assumed-role", [role, session])) => Some(json!({
            "type": "AssumedRole", "principalId": format!("{}:{session}", id("AROA")), "arn": principal,
            "accountId": account, "accessKeyId": key,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": id("AROA"),
                    "arn": format!("arn:{partition}:iam::{account}:role/{role}"), "accountId": account, "userName": role,
                },
                "attributes": { "creationDate": super::super::plan::CREATED, "mfaAuthenticated": "false" },
            },
        })),
        _ => None,
    }
}

impl Batch {
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// An estimate: all events are about as large as the first one.
    pub(super) fn bytes(&self) -> u64 {
        self.count * (self.event(0).1.len() + OVERHEAD) as u64
    }

    /// The time of an event, in seconds since 1970. Later events have later times, or the same one.
    pub(super) fn second(&self, number: u64) -> i64 {
        let span = i128::from((self.end - self.start).max(1));
        let offset = span * i128::from(number) / i128::from(self.count);
        self.start + i64::try_from(offset).unwrap_or_default()
    }

    /// The time of arrival of an event, in milliseconds since 1970.
    pub(super) fn arrived(&self, number: u64) -> i64 {
        (self.second(number) + self.delay_seconds) * 1000
    }

    /// The number of the first event of a window.
    pub(super) fn first(&self, window: &Window, source: u32) -> u64 {
        let is_before = |number: u64| {
            let place = super::Place { second: self.second(number), source, number };
            place.second * 1000 < window.start || window.after.is_some_and(|after| place <= after)
        };
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(middle) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The id and the text of an event.
    pub(super) fn event(&self, number: u64) -> (u128, String) {
        let mut random = Random(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (request, id) = (random.uuid(), random.uuid());
        let (Some(key), Some(operation), Some(caller)) =
            (random.one_of(&self.keys), random.one_of(&self.operations), random.one_of(&self.callers))
        else {
            return (id.as_u128(), String::new());
        };
        let Caller { name, identity, from } = caller;
        let Key { arn, account } = key;
        let time = DateTime::from_timestamp(self.second(number), 0).unwrap_or_default();
        let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let (region, recipient) = (&self.region, &self.account);
        let quoted = json!(arn);
        let (failure, parameters) = if random.next() % 100 < self.failures_percent {
            let why = format!(
                "User: {name} is not authorized to perform: kms:{operation} on resource: {arn} because no \
                 identity-based policy allows the kms:{operation} action"
            );
            (format!(r#""errorCode":"AccessDenied","errorMessage":{},"#, json!(why)), "null".to_owned())
        } else if matches!(operation.as_str(), "Encrypt" | "Decrypt") {
            (String::new(), format!(r#"{{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","keyId":{quoted}}}"#))
        } else {
            (String::new(), format!(r#"{{"keyId":{quoted}}}"#))
        };
        let read_only = is_read_only(operation);
        let message = format!(
            r#"{HEAD}{identity},"eventTime":"{time}","eventSource":"kms.amazonaws.com","eventName":"{operation}","awsRegion":"{region}",{from},{failure}"requestParameters":{parameters},"responseElements":null,"requestID":"{request}","eventID":"{id}","readOnly":{read_only},"resources":[{{"accountId":"{account}","type":"AWS::KMS::Key","ARN":{quoted}}}],"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{recipient}","eventCategory":"Management"}}"#
        );
        (id.as_u128(), message)
    }
}

/// SplitMix64: numbers that look random and follow from the first one.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn uuid(&mut self) -> Uuid {
        let (high, low) = (self.next(), self.next());
        uuid::Builder::from_random_bytes((u128::from(high) << 64 | u128::from(low)).to_be_bytes()).into_uuid()
    }

    fn one_of<'t, T>(&mut self, list: &'t [T]) -> Option<&'t T> {
        let number = self.next().checked_rem(list.len() as u64)?;
        list.get(usize::try_from(number).ok()?)
    }
}

fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Letters of a unique id.
fn letters(hash: u64) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut random = Random(hash);
    (0..17).map(|_| char::from(ALPHABET[(random.next() & 31) as usize])).collect()
}
