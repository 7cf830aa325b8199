//! Records what the XKS proxy reports: calls that it answered, and numbers of encryptions.

use super::refused_calls::RefusedCalls;
use crate::domain::command::Command;
use crate::domain::id::{KeyId, KeyStoreId};
use crate::domain::key::command::KeyCommand;
use crate::domain::key::hyok::HyokCommand;
use crate::domain::key_store::{command::KeyStoreCommand, event::ProxyCall};
use crate::domain::time::Time;
use crate::service::recorder::Recorder;
use crate::service::system_change;
use crate::xks::{Drained, Outcome, OutcomeResult};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Records a report. A failure is logged: the proxy serves AWS even if the log accepts no more changes.
pub(super) async fn record(recorder: &Recorder, refused: &RefusedCalls, drained: Drained) {
    for step in drained.steps {
        let Ok(id) = KeyId::parse(&step.xks_key_id) else { continue };
        let count = HyokCommand::CountEncryptions { id, version: step.version, encryptions: step.encryptions };
        append(recorder, Command::Key(KeyCommand::Hyok(count))).await;
    }
    let mut dropped = drained.dropped;
    let mut by_store: BTreeMap<Uuid, Vec<ProxyCall>> = BTreeMap::new();
    for outcome in drained.outcomes {
        if let OutcomeResult::ManyEncryptions { version, encryptions } = outcome.result {
            let key = outcome.xks_key_id.unwrap_or_default();
            tracing::warn!(key, version, encryptions, "a version of a HYOK key has encrypted so often: rotate the key");
            continue;
        }
        let (store, call) = (outcome.store, call(outcome));
        by_store.entry(store).or_default().push(call);
    }
    for (store, calls) in by_store {
        let (id, dropped) = (KeyStoreId::new(store), std::mem::take(&mut dropped));
        calls.iter().for_each(|call| refused.note(id, call));
        // Calls may have waited since before the store was deleted and its calls forgotten. A store that is deleted
        // after this look forgets them itself.
        if recorder.state().state.key_stores.get(&id).is_none() {
            refused.forget(id);
        }
        append(recorder, Command::KeyStore(KeyStoreCommand::ReportCalls { id, calls, dropped })).await;
    }
    if dropped > 0 {
        tracing::warn!(dropped, "the XKS proxy answered more calls than could be recorded");
    }
}

async fn append(recorder: &Recorder, command: Command) {
    if let Err(failure) = recorder.append(&system_change("xks-proxy"), command).await {
        tracing::error!(%failure, "a report of the XKS proxy could not be recorded");
    }
}

fn call(outcome: Outcome) -> ProxyCall {
    let (error, message, rule) = match outcome.result {
        OutcomeResult::Served | OutcomeResult::ManyEncryptions { .. } => (None, String::new(), None),
        OutcomeResult::Refused { error, message, rule } => (Some(error.name().to_owned()), message, rule),
    };
    ProxyCall {
        at: Time::of(outcome.at),
        operation: outcome.operation.name().to_owned(),
        error,
        message,
        rule: rule.map(str::to_owned),
        xks_key_id: outcome.xks_key_id,
        access_key_id: outcome.access_key_id,
        kms_request_id: outcome.kms_request_id,
        kms_operation: outcome.kms_operation,
        kms_key_arn: outcome.kms_key_arn,
        principal: outcome.principal,
        via_service: outcome.via_service,
        source_vpc: outcome.source_vpc,
        source_vpce: outcome.source_vpce,
    }
}
