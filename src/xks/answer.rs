//! The way of a call from the request to the answer: path, method, size, signature, rate, then the operation.

use super::body::CallerMetadata;
use super::directory::{Directory, Store};
use super::error::{ErrorName, Refusal};
use super::operations::{self, Encrypted};
use super::outcome::{EncryptionStep, Outcome, OutcomeResult};
use super::path::{Operation, Target};
use super::proxy::Inner;
use crate::sigv4::Request;
use chrono::{DateTime, Utc};
use std::num::NonZeroU32;
use std::time::Instant;

/// The largest body, in bytes.
pub(super) const BODY_LIMIT: usize = 256 * 1024;
/// The longest part of an unproven access key id, or of an unknown key's id, in an outcome.
const LONGEST_ID: usize = 128;
/// The number of calls without a valid signature that a store reports: anybody can send them, and must not be able to
/// fill the event log or to displace the outcomes of AWS's calls.
const UNSIGNED_REPORTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(10).expect("more than 0");

/// An answer. Its body is JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    /// Whether the answer has the header `Allow: POST`.
    pub allow_post: bool,
    /// Whether the connection ends after the answer.
    pub close: bool,
}

impl Answer {
    pub(super) fn ok(body: String) -> Answer {
        Answer { status: 200, body, allow_post: false, close: false }
    }

    pub(super) fn refusal(refusal: &Refusal) -> Answer {
        Answer { status: refusal.error.status(), ..Answer::ok(refusal.body()) }
    }

    /// The answer to a body that is too large, or that does not arrive.
    pub(super) fn closing(refusal: &Refusal) -> Answer {
        Answer { close: true, ..Answer::refusal(refusal) }
    }

    fn method_not_allowed() -> Answer {
        let refusal = Refusal::new(ErrorName::UnsupportedOperation, "the method must be POST");
        Answer { status: 405, allow_post: true, ..Answer::refusal(&refusal) }
    }
}

/// What is known of a call for its outcome.
#[derive(Default)]
struct Seen<'b> {
    authenticated: bool,
    access_key_id: Option<String>,
    caller: Option<CallerMetadata<'b>>,
    encrypted: Option<Encrypted>,
}

/// Answers a call whose body is complete.
pub(super) fn answer(proxy: &Inner, request: &Request<'_>, now: DateTime<Utc>) -> Answer {
    let began = Instant::now();
    let directory = proxy.directory.load();
    let (store, operation, xks_key_id) = match check_head(&directory, request.method, request.path) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    if request.body.len() > BODY_LIMIT {
        return too_large(store);
    }
    let mut seen = Seen::default();
    let result = serve(proxy, store, (operation, xks_key_id), request, now, &mut seen);
    report(proxy, store, (operation, xks_key_id), now, &result, seen);
    store.stats.count_call(operation);
    if let Err(refusal) = &result {
        store.stats.count_refusal(refusal.error);
    }
    store.stats.latencies.record(began.elapsed(), u64::try_from(now.timestamp()).unwrap_or(0));
    result.map_or_else(|refusal| Answer::refusal(&refusal), Answer::ok)
}

/// Answers a call whose body exceeds the limit.
pub(super) fn answer_oversized(directory: &Directory, method: &str, path: &str) -> Answer {
    check_head(directory, method, path).map_or_else(|answer| answer, |(store, ..)| too_large(store))
}

/// The store, the operation and the key's id that a path names.
fn check_head<'d, 'p>(
    directory: &'d Directory,
    method: &str,
    path: &'p str,
) -> Result<(&'d Store, Operation, &'p str), Answer> {
    let invalid_path = || Answer::refusal(&Refusal::new(ErrorName::InvalidUriPath, "the path is not valid"));
    let target = Target::parse(path).ok_or_else(invalid_path)?;
    let store = directory.stores.get(&target.store).ok_or_else(invalid_path)?;
    let Some((operation, xks_key_id)) = target.call else {
        store.stats.count_refusal(ErrorName::InvalidUriPath);
        return Err(invalid_path());
    };
    if method == "POST" { Ok((store, operation, xks_key_id)) } else { Err(Answer::method_not_allowed()) }
}

fn too_large(store: &Store) -> Answer {
    store.stats.count_refusal(ErrorName::UnsupportedOperation);
    let message = format!("the body is larger than {BODY_LIMIT} bytes");
    Answer::closing(&Refusal::new(ErrorName::UnsupportedOperation, message))
}

fn serve<'b>(
    proxy: &Inner,
    store: &Store,
    (operation, xks_key_id): (Operation, &str),
    request: &Request<'b>,
    now: DateTime<Utc>,
    seen: &mut Seen<'b>,
) -> Result<String, Refusal> {
    let settings = &store.settings;
    match super::authentication::authenticate(request, settings, now) {
        Ok(credential) => {
            seen.authenticated = true;
            seen.access_key_id = Some(credential.access_key_id.clone());
            credential.last_use.set(now);
            store.stats.last_call.set(now);
        }
        Err(access_key_id) => {
            seen.access_key_id = access_key_id;
            return Err(Refusal::new(ErrorName::AuthenticationFailed, "the signature is not valid"));
        }
    }
    // Only signed calls count: others must not be able to use up the rate of AWS.
    if settings.rate_limit.is_some_and(|rate| !store.stats.rate.admits(rate, now)) {
        return Err(Refusal::new(ErrorName::Throttling, "the calls exceed the rate of the key store"));
    }
    check_content_type(request)?;
    let (body, caller) = (request.body, &mut seen.caller);
    match operation {
        Operation::Health => {
            operations::check_health(store, body, caller)?;
            let status = operations::health_status(store, proxy.condition());
            Ok(operations::health_body(&proxy.installation, &proxy.version, status))
        }
        Operation::Metadata => operations::metadata(store, xks_key_id, body, caller),
        Operation::Encrypt => {
            let (answer, encrypted) = operations::encrypt(store, xks_key_id, body, now, caller)?;
            seen.encrypted = Some(encrypted);
            Ok(answer)
        }
        Operation::Decrypt => operations::decrypt(store, xks_key_id, body, now, caller),
    }
}

fn check_content_type(request: &Request<'_>) -> Result<(), Refusal> {
    let kind = request.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
    if kind.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::validation("the content type must be application/json"))
}

/// Puts the outcome of a call into the queue, if it is one to report.
fn report(
    proxy: &Inner,
    store: &Store,
    (operation, xks_key_id): (Operation, &str),
    now: DateTime<Utc>,
    result: &Result<String, Refusal>,
    seen: Seen<'_>,
) {
    let mut many = None;
    if let Some(Encrypted { version, counted }) = &seen.encrypted {
        if let Some(encryptions) = counted.step {
            let (store, xks_key_id) = (store.settings.id, xks_key_id.to_owned());
            proxy.outcomes.reach(EncryptionStep { store, xks_key_id, version: *version, encryptions });
        }
        many = counted.many.map(|encryptions| OutcomeResult::ManyEncryptions { version: *version, encryptions });
    }
    let result = match (result, many) {
        (Err(Refusal { error, message, rule }), _) => {
            OutcomeResult::Refused { error: *error, message: message.to_string(), rule: *rule }
        }
        (Ok(_), Some(many)) => many,
        (Ok(_), None) if store.settings.report_successes => OutcomeResult::Served,
        (Ok(_), None) => return,
    };
    if !seen.authenticated && !store.stats.unsigned_rate.admits(UNSIGNED_REPORTS_PER_SECOND, now) {
        return proxy.outcomes.drop_one();
    }
    let caller = seen.caller.unwrap_or_default();
    let owned = |text: Option<&str>| text.map(|text| start_of(text, super::body::LONGEST_TEXT));
    let outcome = Outcome {
        at: now,
        store: store.settings.id,
        operation,
        xks_key_id: (operation != Operation::Health).then(|| start_of(xks_key_id, LONGEST_ID)),
        access_key_id: seen.access_key_id.map(|id| start_of(&id, LONGEST_ID)),
        kms_request_id: owned(caller.request_id()),
        kms_operation: owned(caller.kms_operation()),
        kms_key_arn: owned(caller.key_arn()),
        principal: owned(caller.principal()),
        via_service: owned(caller.via_service()),
        source_vpc: owned(caller.source_vpc()),
        source_vpce: owned(caller.source_vpce()),
        result,
    };
    proxy.outcomes.add(outcome);
}

fn start_of(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].to_owned()
}
