//! Faults to order: a test says which calls shall be slow, throttled, refused or cut off, and how many of them.
//!
//! Only `control.rs` sets them. Without an order the lab never fails on purpose.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::service::Service;

/// An order. Members that are left out fit every call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    /// `sts`, `ec2`, `iam`, `kms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Such as `AssumeRole`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The region that a request is signed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// For how many calls it holds from now on.
    #[serde(default = "once")]
    pub times: u32,
    /// How long the answer takes, in milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// What is answered; if left out, what would be answered anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Misfortune>,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Misfortune {
    /// Too many requests, in the words of the service.
    Throttle,
    /// 500.
    Internal,
    /// 503.
    Unavailable,
    /// The caller lacks the permission.
    Deny,
    /// The connection is closed without an answer.
    Drop,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// How long the answer takes.
    pub(super) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    fn fits(&self, service: Service, operation: &str, region: &str) -> bool {
        let fits = |wanted: &Option<String>, actual: &str| wanted.as_deref().is_none_or(|wanted| wanted == actual);
        self.times > 0
            && fits(&self.service, service.name())
            && fits(&self.operation, operation)
            && fits(&self.region, region)
    }
}

/// The orders that stand.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Replaces all orders.
    pub(super) fn set(&self, faults: Vec<Fault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// The orders that still hold, with the calls that are left of each.
    pub(super) fn left(&self) -> Vec<Fault> {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter().filter(|fault| fault.times > 0).cloned().collect()
    }

    /// Uses up one call of the first order that fits.
    pub(super) fn take(&self, service: Service, operation: &str, region: &str) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = faults.iter_mut().find(|fault| fault.fits(service, operation, region))?;
        fault.times -= 1;
        Some(fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_holds_for_the_calls_that_it_names() {
        let faults = Faults::default();
        let order = r#"[{"service": "sts", "operation": "AssumeRole", "region": "eu-west-3", "times": 2,
                         "answer": "throttle"}, {"service": "ec2", "delay_ms": 5}]"#;
        faults.set(serde_json::from_str(order).expect("an order"));
        assert_eq!(faults.take(Service::Sts, "GetCallerIdentity", "eu-west-3"), None);
        assert_eq!(faults.take(Service::Sts, "AssumeRole", "us-east-1"), None);
        for _ in 0..2 {
            let fault = faults.take(Service::Sts, "AssumeRole", "eu-west-3").expect("it holds twice");
            assert_eq!(fault.answer, Some(Misfortune::Throttle));
        }
        assert_eq!(faults.take(Service::Sts, "AssumeRole", "eu-west-3"), None);
        assert_eq!(faults.left().len(), 1);
        let slow = faults.take(Service::Ec2, "DescribeRegions", "us-east-1").expect("it holds");
        assert_eq!((slow.delay(), slow.answer), (Duration::from_millis(5), None));
        assert!(faults.left().is_empty());
    }

    #[test]
    fn an_order_with_unknown_members_is_refused() {
        assert!(serde_json::from_str::<Fault>(r#"{"servce": "sts"}"#).is_err());
        assert!(serde_json::from_str::<Fault>(r#"{"answer": "explode"}"#).is_err());
    }
}
