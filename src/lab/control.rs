//! The lab's control endpoints, `/_lab/…`: health, injected faults, call counts, expiry of sessions, the clock. AWS has
//! no such endpoints.
//!
//! Requests are not signed. The lab therefore accepts only a loopback peer with a loopback `Host` header: a web page
//! must not reach the lab through a domain name that resolves to 127.0.0.1.

use std::net::IpAddr;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::dispatch::Cloud;
use super::fault::Fault;
use super::kms::XKS_SERVICE;
use super::secret::Secret;
use super::service::Service;
use super::trail;

/// The prefix of the control paths.
pub(super) const PREFIX: &str = "/_lab/";

/// The offset of the clock of KMS to the machine's clock, up to 136 years.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockSetting {
    ahead_seconds: u32,
}

/// The password of `kmsuser` on a CloudHSM cluster.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KmsuserSetting {
    cluster: String,
    password: Secret,
}

/// A user or role whose unique id AWS shows from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeletedPrincipal {
    arn: String,
}

/// The time between a call and the arrival of its event.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrailSetting {
    delay_seconds: u32,
}

/// Answers a request to a control endpoint.
pub(super) fn answer(cloud: &Cloud, request: &HttpRequest, body: &[u8], now: DateTime<Utc>) -> HttpResponse {
    if !is_local(request) {
        return error(403, "the lab accepts control requests from this machine only".to_owned());
    }
    let path = request.path().strip_prefix(PREFIX).unwrap_or_default();
    let method = request.method();
    match path {
        "health" if method == Method::GET => {
            ok(&json!({ "status": "ok", "services": Service::ALL.map(Service::name) }))
        }
        "faults" if method == Method::GET => ok(&json!(cloud.faults.left())),
        "faults" if method == Method::PUT => match serde_json::from_slice::<Vec<Fault>>(body) {
            Ok(faults) if faults.iter().any(Fault::is_misplaced) => {
                error(400, format!("faults: only a call to {XKS_SERVICE}, or to logs, can be answered so"))
            }
            Ok(faults) => {
                cloud.faults.set(faults);
                ok(&json!(cloud.faults.left()))
            }
            Err(fault) => error(400, format!("faults: {fault}")),
        },
        "faults" if method == Method::DELETE => {
            cloud.faults.set(Vec::new());
            HttpResponse::NoContent().finish()
        }
        "calls" if method == Method::GET => ok(&json!(cloud.call_counts.counts())),
        "calls" if method == Method::DELETE => {
            cloud.call_counts.clear();
            HttpResponse::NoContent().finish()
        }
        "sessions" if method == Method::DELETE => {
            cloud.sessions.end_all(now);
            HttpResponse::NoContent().finish()
        }
        "clock" if method == Method::GET => ok(&json!({ "ahead_seconds": cloud.kms.ahead_seconds() })),
        "clock" if method == Method::PUT => match serde_json::from_slice::<ClockSetting>(body) {
            Ok(ClockSetting { ahead_seconds }) => match cloud.kms.move_clock(ahead_seconds) {
                Ok(()) => ok(&json!({ "ahead_seconds": ahead_seconds })),
                Err(_) => failed(),
            },
            Err(fault) => error(400, format!("clock: {fault}")),
        },
        "kmsuser" if method == Method::PUT => match serde_json::from_slice::<KmsuserSetting>(body) {
            Ok(KmsuserSetting { cluster, .. }) if cloud.plan.cluster(&cluster).is_none() => {
                error(404, format!("kmsuser: the plan has no cluster {cluster}"))
            }
            Ok(KmsuserSetting { cluster, password }) => match cloud.kms.set_kmsuser_password(&cluster, password) {
                Ok(()) => HttpResponse::NoContent().finish(),
                Err(_) => failed(),
            },
            Err(fault) => error(400, format!("kmsuser: {fault}")),
        },
        "deleted-principal" if method == Method::PUT => match serde_json::from_slice::<DeletedPrincipal>(body) {
            Ok(DeletedPrincipal { arn }) => match cloud.plan.unique_id_of(&arn) {
                None => error(404, format!("deleted-principal: the plan has no user or role {arn}")),
                Some(id) => match cloud.kms.show_id_of(&arn, id) {
                    Ok(()) => ok(&json!({ "id": id })),
                    Err(_) => failed(),
                },
            },
            Err(fault) => error(400, format!("deleted-principal: {fault}")),
        },
        "cloudtrail" => answer_cloudtrail(cloud, method, body),
        "health" | "faults" | "calls" | "sessions" | "clock" | "kmsuser" | "deleted-principal" => {
            error(405, format!("{PREFIX}{path} does not support {method}"))
        }
        _ => error(
            404,
            format!(
                "{PREFIX}{path} does not exist: health, faults, calls, sessions, clock, kmsuser, deleted-principal, \
                 cloudtrail"
            ),
        ),
    }
}

/// The events of CloudTrail.
fn answer_cloudtrail(cloud: &Cloud, method: &Method, body: &[u8]) -> HttpResponse {
    let trail = &cloud.trail;
    let failed = |why: String| error(400, format!("cloudtrail: {why}"));
    if method == Method::PUT {
        match serde_json::from_slice::<TrailSetting>(body) {
            Ok(TrailSetting { delay_seconds }) => trail.set_delay_seconds(delay_seconds),
            Err(fault) => return failed(fault.to_string()),
        }
    } else if method == Method::POST {
        let order = match serde_json::from_slice::<trail::Order>(body) {
            Ok(order) => order,
            Err(fault) => return failed(fault.to_string()),
        };
        let Some(account) = cloud.plan.account(&order.account).filter(|account| account.may_use(&order.region)) else {
            return failed(format!("the plan has no account {} with the region {}", order.account, order.region));
        };
        if let Err(why) = trail.generate(order, account.partition.as_str(), cloud.kms.now()) {
            return failed(why);
        }
    } else if method == Method::DELETE {
        trail.clear();
        return HttpResponse::NoContent().finish();
    } else if method != Method::GET {
        return error(405, format!("{PREFIX}cloudtrail does not support {method}"));
    }
    ok(&json!({ "delay_seconds": trail.delay_seconds(), "events": trail.counts() }))
}

/// The answer if a change cannot be stored.
pub(super) fn failed() -> HttpResponse {
    error(500, "the lab cannot write to its disk".to_owned())
}

fn is_local(request: &HttpRequest) -> bool {
    let peer = request.peer_addr().is_some_and(|peer| peer.ip().is_loopback());
    let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(name, _)| name);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    peer && (name == "localhost" || address.is_ok_and(|address| address.is_loopback()))
}

fn ok(body: &Value) -> HttpResponse {
    HttpResponse::Ok().json(body)
}

fn error(status: u16, message: String) -> HttpResponse {
    super::dispatch::respond(status, "application/json", json!({ "error": message }).to_string())
}
