//! What our XKS proxy reported of the calls in a time, by AWS's id of the request: CloudTrail's events are joined with it.

use super::log_reading::LogReader;
use super::place::Place;
use crate::domain::event::Event;
use crate::domain::id::{KeyId, KeyStoreId};
use crate::domain::key::name::KeyArn;
use crate::domain::key_store::{KeyStoreEvent, ProxyCall};
use crate::domain::time::Time;
use crate::ledger::Ledger;
use crate::service::failure::Failure;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The most calls that are joined.
const CALLS_MAX: usize = 500_000;
/// The time after a call by which it is in the log.
const REPORTED_WITHIN_SECONDS: i64 = 600;
/// The `xks_result` of a call that was served.
pub(super) const SERVED: &str = "served";

/// The calls of one KMS.
#[derive(Default)]
pub(super) struct ProxyCalls {
    calls: HashMap<u128, Known>,
    results: Vec<String>,
    services: Vec<String>,
}

#[derive(Clone, Copy)]
struct Known {
    result: u16,
    service: u16,
    is_in_cloudtrail: bool,
}

impl ProxyCalls {
    /// Reads the calls of a window from the log.
    ///
    /// # Errors
    /// When the log cannot be read, or there are too many calls.
    pub(super) async fn read(ledger: &Ledger, place: &Place, (start, end): (Time, Time)) -> Result<Self, Failure> {
        let mut found = Self::default();
        let mut reader = LogReader::between(ledger, start, end.plus_seconds(REPORTED_WITHIN_SECONDS)).await?;
        loop {
            let records = reader.next().await?;
            if records.is_empty() {
                return Ok(found);
            }
            for record in &records {
                let Event::KeyStore(store, KeyStoreEvent::CallsReported { calls, .. }) = &record.event else {
                    continue;
                };
                for call in calls.iter().filter(|call| is_of(place, *store, call)) {
                    found.add(call)?;
                }
            }
        }
    }

    fn add(&mut self, call: &ProxyCall) -> Result<(), Failure> {
        let Some(id) = call.kms_request_id.as_deref() else { return Ok(()) };
        if self.calls.len() >= CALLS_MAX {
            return Err(Failure::Internal("the XKS proxy reported too many calls in the time; choose a shorter one"));
        }
        let result = number_of(&mut self.results, result(call));
        let service = number_of(&mut self.services, call.via_service.as_deref().unwrap_or_default());
        if let Entry::Vacant(place) = self.calls.entry(key_of(id)) {
            place.insert(Known { result, service, is_in_cloudtrail: false });
        }
        Ok(())
    }

    /// The `xks_result` of a call that CloudTrail has, which is noted.
    pub(super) fn join(&mut self, request_id: &str) -> Option<&str> {
        let known = self.calls.get_mut(&key_of(request_id))?;
        known.is_in_cloudtrail = true;
        self.results.get(usize::from(known.result)).map(String::as_str)
    }

    /// The service through which a call came, if the proxy was told.
    pub(super) fn service(&self, request_id: &str) -> Option<&str> {
        let known = self.calls.get(&key_of(request_id))?;
        self.services.get(usize::from(known.service)).map(String::as_str).filter(|service| !service.is_empty())
    }

    /// Whether CloudTrail had the call.
    pub(super) fn is_in_cloudtrail(&self, call: &ProxyCall) -> bool {
        let id = call.kms_request_id.as_deref();
        id.and_then(|id| self.calls.get(&key_of(id))).is_some_and(|known| known.is_in_cloudtrail)
    }
}

/// `served`, or the error that the proxy answered.
pub(super) fn result(call: &ProxyCall) -> &str {
    call.error.as_deref().unwrap_or(SERVED)
}

/// Whether a call is about a key of this KMS. The store may have been deleted since.
pub(super) fn is_of(place: &Place, store: KeyStoreId, call: &ProxyCall) -> bool {
    match place.published.state.key_stores.get(&store) {
        Some(store) => store.kms == place.kms.id,
        None => arn(call).is_some_and(|arn| place.has(&arn)),
    }
}

/// The ARN of the KMS key of a call. AWS tells it with every cryptographic call.
pub(super) fn arn(call: &ProxyCall) -> Option<KeyArn> {
    KeyArn::parse(call.kms_key_arn.as_deref()?).ok()
}

/// The key of a call, if it is known here.
pub(super) fn key(place: &Place, call: &ProxyCall) -> Option<KeyId> {
    let id = KeyId::parse(call.xks_key_id.as_deref()?).ok()?;
    place.published.state.keys.get(&id).filter(|key| key.kms == place.kms.id).map(|key| key.id)
}

/// The number of a text in a short list of texts. There are few results and services; beyond them the last one stands
/// for all.
fn number_of(texts: &mut Vec<String>, text: &str) -> u16 {
    let at = texts.iter().position(|known| known == text).unwrap_or_else(|| {
        if texts.len() < usize::from(u16::MAX) {
            texts.push(text.to_owned());
        }
        texts.len() - 1
    });
    u16::try_from(at).unwrap_or(u16::MAX)
}

fn key_of(request_id: &str) -> u128 {
    match uuid::Uuid::try_parse(request_id) {
        Ok(id) => id.as_u128(),
        Err(_) => {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, request_id.as_bytes());
            digest.as_ref().iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte))
        }
    }
}
