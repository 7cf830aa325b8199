//! The metrics for Prometheus: `/metrics`.

use super::health::MetricsAccess;
use crate::service::Services;
use crate::service::forwarding::KindTotals;
use crate::service::key_stores::Totals;
use actix_web::HttpRequest;
use actix_web::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Histogram,
    head: Gauge,
    accepting: Gauge,
    kms: Gauge,
    connections: Gauge,
    users: Gauge,
    sessions: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

/// The label for a method. Unknown methods share one label, so that clients cannot create series.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::PUT, Method::HEAD, Method::OPTIONS];
    KNOWN.iter().find(|known| *known == method).map_or("other", Method::as_str)
}

impl Metrics {
    /// The metrics for this access. `ledger_head` is for administrators only: it increases with a failed login of an
    /// existing user, and not with that of an unknown one, so it would tell which users exist.
    pub fn new(access: MetricsAccess) -> Self {
        let mut registry = Registry::with_prefix("claviger");
        let gauge = |registry: &mut Registry, name, help| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let requests = Family::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        let durations =
            Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
        registry.register("http_request_duration_seconds", "Time to answer a request", durations.clone());
        let head = Gauge::default();
        if access == MetricsAccess::ForAdmins {
            registry.register("ledger_head", "Number of the last event", head.clone());
        }
        Self {
            requests,
            durations,
            head,
            accepting: gauge(&mut registry, "ledger_accepting", "1 while the event log takes changes"),
            kms: gauge(&mut registry, "kms", "KMSs under management"),
            connections: gauge(&mut registry, "connections", "AWS connections"),
            users: gauge(&mut registry, "users", "Users"),
            sessions: gauge(&mut registry, "sessions", "Open sessions"),
            registry,
        }
    }
}

impl Metrics {
    /// Records a request that was answered.
    pub fn observe(&self, request: &HttpRequest, status: u16, took: Duration) {
        // The label is the pattern of the path: with the path itself, each id would create a series.
        let route = request.match_pattern().unwrap_or_else(|| "unknown".to_owned());
        let labels = RequestLabels { method: method_label(request.method()), route, status };
        self.requests.get_or_create(&labels).inc();
        self.durations.observe(took.as_secs_f64());
    }

    /// Encodes all metrics in the text format of OpenMetrics. Those of forwarding grow with the log, as its head does.
    pub async fn encode(&self, services: &Services, with_forwarding: bool) -> String {
        let totals = match with_forwarding {
            true => Some(services.forwarding.totals().await),
            false => None,
        };
        let published = services.state();
        let state = &published.state;
        let count = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
        self.head.set(i64::try_from(published.head).unwrap_or(i64::MAX));
        self.accepting.set(i64::from(services.is_accepting()));
        self.kms.set(count(state.kms.len()));
        self.connections.set(count(state.connections.len()));
        self.users.set(count(state.users.len()));
        self.sessions.set(count(state.sessions.len()));
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode_registry(&mut text, &self.registry);
        let _ = encode_registry(&mut text, &xks(&services.key_stores.totals()));
        if let Some(totals) = totals {
            let _ = encode_registry(&mut text, &forwarding(&totals));
        }
        let _ = encode_eof(&mut text);
        text
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ErrorLabel {
    error: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct QuantileLabels {
    window: &'static str,
    quantile: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// The metrics of forwarding, by kind of destination: the hosts are nobody's business here.
fn forwarding(totals: &[KindTotals]) -> Registry {
    let mut registry = Registry::with_prefix("claviger_forwarding");
    let (lag, age) = (Family::<KindLabel, Gauge>::default(), Family::<KindLabel, Gauge<f64, AtomicU64>>::default());
    let [sent, failures, skipped] = [(); 3].map(|()| Family::<KindLabel, Counter>::default());
    for totals in totals {
        let label = KindLabel { kind: totals.kind };
        lag.get_or_create(&label).set(i64::try_from(totals.lag_records).unwrap_or(i64::MAX));
        age.get_or_create(&label).set(totals.lag_seconds);
        sent.get_or_create(&label).inc_by(totals.sent);
        failures.get_or_create(&label).inc_by(totals.failures);
        skipped.get_or_create(&label).inc_by(totals.skipped);
    }
    registry.register("lag_records", "Records that the slowest destination has not received", lag);
    registry.register("lag_seconds", "Age of the oldest record that a destination has not received", age);
    registry.register("sent", "Records sent, repetitions included", sent);
    registry.register("failures", "Failures to send, or to keep a connection", failures);
    let help = "Records that will never be sent: refused by a collector for good, or deleted before they were sent";
    registry.register("skipped", help, skipped);
    registry
}

/// The metrics of the XKS proxy, which counts by itself, over all key stores.
fn xks(totals: &Totals) -> Registry {
    let mut registry = Registry::with_prefix("claviger_xks");
    let Totals { counters, encryptions, open_connections } = totals;
    let calls = Family::<OperationLabel, Counter>::default();
    for (operation, count) in &counters.calls {
        calls.get_or_create(&OperationLabel { operation }).inc_by(*count);
    }
    registry.register("calls", "Calls of AWS to the XKS proxy, refused ones included", calls);
    let refusals = Family::<ErrorLabel, Counter>::default();
    for (error, count) in &counters.refusals {
        refusals.get_or_create(&ErrorLabel { error }).inc_by(*count);
    }
    registry.register("refusals", "Calls that the XKS proxy refused", refusals);
    let times = Family::<QuantileLabels, Gauge<f64, AtomicU64>>::default();
    for (window, measured) in [("minute", &counters.last_minute), ("hour", &counters.last_hour)] {
        for (quantile, time) in [("0.5", measured.p50), ("0.99", measured.p99)] {
            if let Some(time) = time {
                times.get_or_create(&QuantileLabels { window, quantile }).set(time.as_secs_f64());
            }
        }
    }
    registry.register("call_duration_seconds", "Time to answer a call of AWS, in the last minute and hour", times);
    let encrypted: Counter = Counter::default();
    encrypted.inc_by(*encryptions);
    registry.register("encryptions", "Encryptions with all versions of all HYOK keys, at least", encrypted);
    let connections: Gauge = Gauge::default();
    connections.set(i64::try_from(*open_connections).unwrap_or(i64::MAX));
    registry.register("connections", "Open connections to the XKS proxy", connections);
    registry
}
