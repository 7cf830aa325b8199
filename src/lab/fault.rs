//! Fault injection: a test defines which calls, and how many, are delayed, throttled, refused or disconnected.
//!
//! Only `control.rs` sets faults.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::kms::XKS_SERVICE;
use super::service::Service;

/// A fault to inject. A member that is left out matches every call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    /// The service: `sts`, `ec2`, `iam`, `kms`, `cloudhsm`, `logs`; or `kms-xks-proxy` for the calls of KMS to the
    /// proxies of external key stores, to which only faults apply that name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The operation, such as `AssumeRole`; `health`, `metadata`, `encrypt` or `decrypt` of a proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The region that a request is signed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The number of calls that get the fault.
    #[serde(default = "once")]
    pub times: u32,
    /// The delay of the answer, in milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// The answer of the fault; the regular answer if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<FaultAnswer>,
}

/// The answer to a call with a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FaultAnswer {
    /// The service's throttling error.
    Throttle,
    /// 500.
    Internal,
    /// 503.
    Unavailable,
    /// The permission is denied.
    Deny,
    /// The operation is executed and the connection is closed without an answer.
    Drop,
    /// The body of the answer of a proxy is garbage.
    Garbage,
    /// The `ciphertextDataIntegrityValue` in the answer of a proxy is wrong.
    WrongCdiv,
    /// A page of FilterLogEvents has one event only.
    ShortPage,
    /// A page of FilterLogEvents has no event, and a token if there are more.
    EmptyPage,
}

fn once() -> u32 {
    1
}

impl Fault {
    pub(super) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    /// Whether the answer is one that only another service can give: a proxy, or CloudWatch Logs.
    pub(super) fn is_misplaced(&self) -> bool {
        let only_of = match self.answer {
            Some(FaultAnswer::Garbage | FaultAnswer::WrongCdiv) => XKS_SERVICE,
            Some(FaultAnswer::ShortPage | FaultAnswer::EmptyPage) => Service::Logs.name(),
            _ => return false,
        };
        self.service.as_deref() != Some(only_of)
    }

    fn fits(&self, service: &str, operation: &str, region: &str) -> bool {
        let fits = |wanted: &Option<String>, actual: &str| wanted.as_deref().is_none_or(|wanted| wanted == actual);
        self.times > 0 && fits(&self.service, service) && fits(&self.operation, operation) && fits(&self.region, region)
    }
}

/// The active faults.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(super) fn set(&self, faults: Vec<Fault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// The active faults with their remaining numbers of calls.
    pub(super) fn left(&self) -> Vec<Fault> {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter().filter(|fault| fault.times > 0).cloned().collect()
    }

    /// Takes one call from the first fault that matches.
    pub(super) fn take(&self, service: Service, operation: &str, region: &str) -> Option<Fault> {
        self.take_first(|fault| fault.fits(service.name(), operation, region))
    }

    /// Takes one call to a proxy from the first fault that matches.
    pub(super) fn take_of_proxy(&self, operation: &str, region: &str) -> Option<Fault> {
        self.take_first(|fault| fault.service.is_some() && fault.fits(XKS_SERVICE, operation, region))
    }

    fn take_first(&self, fits: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = faults.iter_mut().find(|fault| fits(fault))?;
        fault.times -= 1;
        Some(fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_applies_to_the_calls_that_match() {
        let faults = Faults::default();
        let order = r#"[{"service": "sts", "operation": "AssumeRole", "region": "eu-west-3", "times": 2,
                         "answer": "throttle"}, {"service": "ec2", "delay_ms": 5}]"#;
        faults.set(serde_json::from_str(order).expect("an order"));
        assert_eq!(faults.take(Service::Sts, "GetCallerIdentity", "eu-west-3"), None);
        assert_eq!(faults.take(Service::Sts, "AssumeRole", "us-east-1"), None);
        for _ in 0..2 {
            let fault = faults.take(Service::Sts, "AssumeRole", "eu-west-3").expect("it holds twice");
            assert_eq!(fault.answer, Some(FaultAnswer::Throttle));
        }
        assert_eq!(faults.take(Service::Sts, "AssumeRole", "eu-west-3"), None);
        assert_eq!(faults.left().len(), 1);
        let slow = faults.take(Service::Ec2, "DescribeRegions", "us-east-1").expect("it holds");
        assert_eq!((slow.delay(), slow.answer), (Duration::from_millis(5), None));
        assert!(faults.left().is_empty());
    }

    #[test]
    fn only_a_fault_that_names_the_proxy_applies_to_its_calls() {
        let faults = Faults::default();
        let order =
            r#"[{"delay_ms": 1}, {"service": "kms-xks-proxy", "operation": "encrypt", "answer": "wrong_cdiv"}]"#;
        faults.set(serde_json::from_str(order).expect("an order"));
        assert_eq!(faults.take_of_proxy("decrypt", "us-east-1"), None);
        let fault = faults.take_of_proxy("encrypt", "us-east-1").expect("it holds");
        assert_eq!((fault.answer, fault.is_misplaced()), (Some(FaultAnswer::WrongCdiv), false));
        let elsewhere = Fault { service: Some("kms".to_owned()), ..fault };
        assert!(elsewhere.is_misplaced());
        assert_eq!(faults.left().len(), 1);
    }

    #[test]
    fn a_fault_with_unknown_members_is_rejected() {
        assert!(serde_json::from_str::<Fault>(r#"{"servce": "sts"}"#).is_err());
        assert!(serde_json::from_str::<Fault>(r#"{"answer": "explode"}"#).is_err());
    }
}
