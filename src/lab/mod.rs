//! The lab cloud: an embedded emulation of AWS on a loopback port, for demonstrations, air-gapped labs and tests.
//!
//! The lab implements AWS's wire protocols and checks signatures, so that real SDKs can use it. One port serves all
//! services. The rest of the program uses the lab over HTTP only, and no production command starts it. For tests it
//! also serves `/_lab/`, to this machine only:
//!
//! | request | effect |
//! |---|---|
//! | `GET /_lab/health` | `{"status": "ok", "services": ["sts", …]}` |
//! | `PUT /_lab/faults` | sets the faults to inject; `[]` or `DELETE` clears them, `GET` returns the remaining ones |
//! | `GET /_lab/calls` | the number of calls by operation: `{"sts:AssumeRole": {"eu-west-3": 2}}`; `DELETE` clears it |
//! | `DELETE /_lab/sessions` | expires every session issued so far |
//! | `PUT /_lab/kmsuser` | sets the password of `kmsuser` on a CloudHSM cluster: `{"cluster": "cluster-…", "password": "…"}` |
//! | `PUT /_lab/deleted-principal` | shows the unique id of a user or role in key policies, as after its deletion: `{"arn": "arn:aws:iam::…"}` |
//! | `GET /_lab/cloudtrail` | the number of events by account and region, and the delay; `DELETE` clears the events |
//! | `PUT /_lab/cloudtrail` | sets the time between a call and the arrival of its event: `{"delay_seconds": 1200}` |
//! | `POST /_lab/cloudtrail` | adds synthetic events, which are generated when they are read (`trail/synthetic.rs`) |
//! | `GET /_lab/clock` | the offset of the clock of KMS: `{"ahead_seconds": 0}`; `PUT` sets it |
//!
//! A fault: `{"service": "sts", "operation": "AssumeRole", "region": "eu-west-3", "times": 2, "delay_ms": 100,
//! "answer": "throttle"}`. `service`, `operation` and `region` match every call if they are left out; `times` defaults
//! to 1. `answer` is `throttle`, `internal`, `unavailable`, `deny` or `drop`; without it the call is only delayed.
//!
//! The calls of KMS to the proxies of external key stores are counted, and get faults, as those of a service
//! `kms-xks-proxy` with the operations `health`, `metadata`, `encrypt` and `decrypt`. A fault must name that service to
//! apply to them. Its `answer` can also be `garbage` or `wrong_cdiv`.
//!
//! A fault that names the service `logs` and the operation `FilterLogEvents` can also have the `answer` `short_page`
//! (one event) or `empty_page`; both pages have a token if there are more events.
//!
//! Synthetic events: `{"account": "123456789012", "region": "eu-west-3", "count": 1000000, "start":
//! "2026-11-01T00:00:00Z", "end": "2026-11-28T00:00:00Z", "keys": ["…"], "principals": ["arn:aws:iam::…"],
//! "operations": ["Decrypt"], "services": ["s3.amazonaws.com"], "failures_percent": 1, "seed": 7, "delay_seconds": 0}`.
//! The members after `keys` can be left out.

mod call_counts;
mod caller;
mod cloudhsm;
mod constraint;
mod control;
mod dispatch;
mod ec2;
mod fault;
mod front;
mod heavy_work;
mod iam;
mod key_id;
mod kms;
mod logs;
mod partition;
mod permission;
mod plan;
mod refusal;
mod roles_anywhere;
mod secret;
mod server;
mod service;
mod session;
mod session_policy;
mod session_tag;
mod sts;
mod trail;
mod wire;

pub use kms::XksListener;
pub use plan::{LabKeys, LabPlan, Mistake, Problem};
pub use server::{LabCloud, LabError};

#[cfg(test)]
mod tests;
