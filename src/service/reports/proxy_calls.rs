//! What our XKS proxy reported of the calls in a time, by AWS's id of the request: CloudTrail's events are joined with it.
//! Their number is bounded. From the time of the first call beyond the bound on, nothing is joined, and the rows say so.

use super::log_reading::LogReader;
use super::place::Place;
use crate::aws::cloudtrail::TrailEvent;
use crate::call_journal::key_of;
use crate::domain::event::Event;
use crate::domain::id::{KeyId, KeyStoreId};
use crate::domain::key::name::KeyArn;
use crate::domain::key_store::{event::KeyStoreEvent, event::ProxyCall};
use crate::domain::time::Time;
use crate::ledger::{Ledger, Record};
use crate::service::failure::Failure;
use crate::service::trail::CLOCK_SKEW_MS;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The most calls that are joined: what fits into a table of 2^20 places.
const CALLS_MAX: usize = 900_000;
/// The time after a call by which it is in the log.
const REPORTED_WITHIN_SECONDS: i64 = 600;
/// The `xks_result` of a call that was served.
pub(super) const SERVED: &str = "served";
/// The `xks_result` of an event that our proxy did not report. Served calls are reported only by stores that say so.
const NOT_SEEN: &str = "not seen";

/// The `xks_result` of a call that is beyond the bound.
const NOT_JOINED: &str = "not joined";

/// The calls of one KMS, by the request and the key: one ReEncrypt of a caller can be two calls of AWS, with one id.
pub(super) struct ProxyCalls {
    calls: HashMap<(u128, u32), Known>,
    most: usize,
    /// The time of the first call that did not fit.
    full_at: Option<Time>,
    keys: HashMap<KeyArn, u32>,
    results: Vec<String>,
    services: Vec<String>,
}

impl Default for ProxyCalls {
    fn default() -> Self {
        let [results, services] = [Vec::new(), Vec::new()];
        Self { calls: HashMap::new(), most: CALLS_MAX, full_at: None, keys: HashMap::new(), results, services }
    }
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
    /// When the log cannot be read.
    pub(super) async fn read(ledger: &Ledger, place: &Place, (start, end): (Time, Time)) -> Result<Self, Failure> {
        let mut found = Self::default();
        let mut reader = LogReader::between(ledger, start, end.plus_seconds(REPORTED_WITHIN_SECONDS)).await?;
        loop {
            let records = reader.next().await?;
            // Calls are reported within some minutes: what follows is beyond the bound.
            let is_over = |record: &Record| found.is_beyond(record.time.plus_seconds(-REPORTED_WITHIN_SECONDS));
            if records.last().is_none_or(is_over) {
                return Ok(found);
            }
            for record in &records {
                let Event::KeyStore(store, KeyStoreEvent::CallsReported { calls, .. }) = &record.event else {
                    continue;
                };
                for call in calls.iter().filter(|call| is_of(place, *store, call)) {
                    found.add(place, call);
                }
            }
        }
    }

    fn add(&mut self, place: &Place, call: &ProxyCall) {
        let Some((id, arn)) = call.kms_request_id.as_deref().zip(arn_at(place, call)) else { return };
        let result = number_of(&mut self.results, result(call));
        let service = number_of(&mut self.services, call.via_service.as_deref().unwrap_or_default());
        let number = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let key = *self.keys.entry(arn).or_insert(number);
        let known = Known { result, service, is_in_cloudtrail: false };
        let is_full = self.calls.len() >= self.most;
        match self.calls.entry((key_of(id), key)) {
            Entry::Vacant(_) if is_full => self.full_at = Some(self.full_at.map_or(call.at, |full| full.min(call.at))),
            Entry::Vacant(place) => drop(place.insert(known)),
            // A refusal counts more than what was served for the same request.
            Entry::Occupied(mut place) if call.error.is_some() => drop(place.insert(known)),
            Entry::Occupied(_) => {}
        }
    }

    /// Whether calls of this time are beyond the bound.
    fn is_beyond(&self, time: Time) -> bool {
        self.full_at.is_some_and(|full| time >= full)
    }

    /// What an event says whose call is not here.
    pub(super) fn absence(&self, event: Time) -> &'static str {
        // AWS's clock and ours differ.
        if self.is_beyond(event.plus_seconds(CLOCK_SKEW_MS / 1_000)) { NOT_JOINED } else { NOT_SEEN }
    }

    fn place_of(&self, request_id: &str, key: &KeyArn) -> Option<(u128, u32)> {
        Some((key_of(request_id), *self.keys.get(key)?))
    }

    /// The `xks_result` of a call that CloudTrail has, which is noted.
    pub(super) fn join(&mut self, request_id: &str, key: &KeyArn) -> Option<&str> {
        let at = self.place_of(request_id, key)?;
        let known = self.calls.get_mut(&at)?;
        known.is_in_cloudtrail = true;
        self.results.get(usize::from(known.result)).map(String::as_str)
    }

    /// The service through which a call came, if the proxy was told.
    pub(super) fn service(&self, event: &TrailEvent, key: &KeyArn) -> Option<&str> {
        match self.place_of(&event.request_id, key).and_then(|at| self.calls.get(&at)) {
            Some(known) => self.services.get(usize::from(known.service)).map(String::as_str),
            // Whether a service called is known only of calls that are joined.
            None if event.xks_key_id.is_empty() => None,
            None => Some(self.absence(event.time)).filter(|absence| *absence == NOT_JOINED),
        }
        .filter(|service| !service.is_empty())
    }

    /// Whether CloudTrail had the call, or may have had it.
    pub(super) fn is_in_cloudtrail(&self, place: &Place, call: &ProxyCall) -> bool {
        let Some((id, arn)) = call.kms_request_id.as_deref().zip(arn_at(place, call)) else { return false };
        let known = self.place_of(id, &arn).and_then(|at| self.calls.get(&at));
        known.map_or_else(|| self.is_beyond(call.at), |known| known.is_in_cloudtrail)
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
fn arn(call: &ProxyCall) -> Option<KeyArn> {
    KeyArn::parse(call.kms_key_arn.as_deref()?).ok()
}

/// The ARN of the KMS key of a call, or of the key here that it is about.
pub(super) fn arn_at(place: &Place, call: &ProxyCall) -> Option<KeyArn> {
    // A call of a health check is about no key.
    arn(call).or_else(|| Some(place.published.state.keys.get(&key(place, call)?)?.metadata.arn.clone()))
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

#[cfg(test)]
mod tests;
