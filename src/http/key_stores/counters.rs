//! The health of a custom key store, and what the XKS proxy has counted for it.

use crate::domain::time::Time;
use crate::http::answer::Json;
use crate::http::envelope::maybe_rfc3339;
use crate::http::error::Problem;
use crate::http::guard::OnKeyStore;
use crate::service::Services;
use crate::service::access::ViewKeyStore;
use crate::service::key_stores::CallTimes;
use actix_web::web::Data;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The health of a custom key store.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomKeyStoreHealth)]
pub struct HealthView {
    /// What AWS would be told now: `ACTIVE`, `DEGRADED` or `UNAVAILABLE`.
    status: &'static str,
    /// The time of the check.
    checked_at: String,
    /// Whether the store refuses all requests.
    blocked: bool,
    /// `ok`, or why the health check key cannot encrypt and decrypt.
    health_check_key: &'static str,
    /// Whether the XKS proxy has a listener.
    listener: bool,
    /// The state of the connection, as AWS last said.
    connection_state: String,
    /// The last call of AWS with a valid signature, since the program started.
    #[serde(serialize_with = "maybe_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_aws_call_at: Option<Time>,
}

/// What the XKS proxy has counted for a store since the program started.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomKeyStoreCounters)]
pub struct CountersView {
    /// The calls by operation, refused ones included.
    calls: BTreeMap<&'static str, u64>,
    /// The refused calls by error.
    refusals: BTreeMap<&'static str, u64>,
    /// The times of the calls of the last minute.
    last_minute: LatenciesView,
    /// The times of the calls of the last hour.
    last_hour: LatenciesView,
}

/// The times of calls, from the complete request to the complete answer.
#[derive(Serialize, ToSchema)]
#[schema(as = CallTimes)]
pub(super) struct LatenciesView {
    /// The number of calls.
    calls: u64,
    /// Half of the calls took no longer, in microseconds; absent without calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    p50_microseconds: Option<u64>,
    /// 99 of 100 calls took no longer, in microseconds; absent without calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    p99_microseconds: Option<u64>,
}

/// `GET /v1/cckm/aws/custom-key-stores/{id}/health`
pub async fn health(auth: OnKeyStore<ViewKeyStore>, services: Data<Services>) -> Result<Json<HealthView>, Problem> {
    let health = services.key_stores.health(&auth.permit)?;
    Ok(Json(HealthView {
        status: health.status,
        checked_at: health.checked.to_string(),
        blocked: health.blocked,
        health_check_key: health.health_key_problem.unwrap_or("ok"),
        listener: health.has_listener,
        connection_state: health.connection_state,
        last_aws_call_at: health.last_call,
    }))
}

/// `GET /v1/cckm/aws/custom-key-stores/{id}/counters`
pub async fn counters(auth: OnKeyStore<ViewKeyStore>, services: Data<Services>) -> Result<Json<CountersView>, Problem> {
    let counters = services.key_stores.counters(&auth.permit)?;
    Ok(Json(CountersView {
        calls: counters.calls,
        refusals: counters.refusals,
        last_minute: LatenciesView::of(&counters.last_minute),
        last_hour: LatenciesView::of(&counters.last_hour),
    }))
}

impl LatenciesView {
    fn of(times: &CallTimes) -> Self {
        let micros = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Self { calls: times.calls, p50_microseconds: times.p50.map(micros), p99_microseconds: times.p99.map(micros) }
    }
}
