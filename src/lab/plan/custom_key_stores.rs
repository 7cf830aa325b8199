//! Custom key stores in the plan: the limits, the network between KMS and the proxies, and the CloudHSM clusters.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::digest;

use super::file::{ClusterFile, CustomKeyStoresFile};
use super::mistake::{Mistakes, Problem};
use super::validate::Owner;
use super::{Region, Secret};
use crate::sigv4::Certificate;

/// AWS's quota of custom key stores in an account and region.
const MAX_PER_REGION: i64 = 10;
/// AWS needs minutes to connect.
const CONNECTION_SECONDS: i64 = 2;
const HEALTH_CHECK_SECONDS: i64 = 300;
/// AWS's limit for a call to a proxy, with the connection.
const PROXY_TIMEOUT_MS: i64 = 250;
const STATES: [&str; 4] = ["ACTIVE", "UNINITIALIZED", "INITIALIZED", "DEGRADED"];
const HSM_STATES: [&str; 4] = ["ACTIVE", "CREATE_IN_PROGRESS", "DEGRADED", "DELETE_IN_PROGRESS"];
const ACTIVE: &str = "ACTIVE";
const HSM_TYPE: &str = "hsm1.medium";

/// The rules of `[custom_key_stores]`.
#[derive(Debug, Clone)]
pub(in crate::lab) struct CustomKeyStoreRules {
    pub max_per_region: usize,
    /// The time that connecting and disconnecting take, in seconds of the lab's clock.
    pub connection_seconds: i64,
    /// The time between two checks of the health of a connected proxy.
    pub health_check: Duration,
    /// The time that a proxy has for a call, with the connection.
    pub proxy_timeout: Duration,
    /// The hosts that KMS cannot reach, in lower case.
    pub unreachable_hosts: Vec<String>,
    pub unknown_vpc_endpoint_services: Vec<String>,
    /// Whether the certificate of a proxy must be valid for the host of its endpoint.
    pub check_host_names: bool,
}

/// A CloudHSM cluster of an account.
#[derive(Debug, Clone)]
pub(in crate::lab) struct Cluster {
    pub id: String,
    pub region: String,
    pub state: String,
    pub hsm_type: String,
    pub hsms: Vec<Hsm>,
    /// The password of `kmsuser`, until AWS or an administrator changes it.
    pub kmsuser_password: Secret,
    pub kmsuser_logged_in: bool,
    /// The certificate of the cluster, in PEM. Clusters that share a backup history have the same one.
    pub certificate: String,
}

#[derive(Debug, Clone)]
pub(in crate::lab) struct Hsm {
    pub zone: String,
    pub state: String,
}

impl Cluster {
    pub(in crate::lab) fn is_active(&self) -> bool {
        self.state == ACTIVE
    }

    pub(in crate::lab) fn active_hsms(&self) -> impl Iterator<Item = &Hsm> {
        self.hsms.iter().filter(|hsm| hsm.state == ACTIVE)
    }

    /// The availability zones with active HSMs.
    pub(in crate::lab) fn active_zones(&self) -> BTreeSet<&str> {
        self.active_hsms().map(|hsm| hsm.zone.as_str()).collect()
    }

    /// Whether a certificate in PEM is that of the cluster. Blanks around it and the ends of its lines do not matter.
    pub(in crate::lab) fn has_certificate(&self, certificate: &str) -> bool {
        self.certificate.split_whitespace().eq(certificate.split_whitespace())
    }

    /// Hexadecimal digits that are the same at every start, for the ids of a part of the cluster.
    pub(in crate::lab) fn digits(&self, part: &str, length: usize) -> String {
        let hash = digest::digest(&digest::SHA256, format!("{}/{part}", self.id).as_bytes());
        let digits: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        digits[..length].to_owned()
    }
}

pub(super) fn rules(file: CustomKeyStoresFile, mistakes: &mut Mistakes) -> CustomKeyStoreRules {
    let mut number = |member: &'static str, given: Option<i64>, default: i64, (least, most): (i64, i64)| {
        let number = given.unwrap_or(default);
        if !(least..=most).contains(&number) {
            mistakes.add(format!("custom_key_stores.{member}"), Problem::NumberOutOfRange { number, least, most });
        }
        number.clamp(least, most)
    };
    let max_per_region = number("max_per_region", file.max_per_region, MAX_PER_REGION, (0, 1000));
    let connection_seconds = number("connection_seconds", file.connection_seconds, CONNECTION_SECONDS, (0, 3600));
    let health_check =
        number("health_check_seconds", file.health_check_seconds, HEALTH_CHECK_SECONDS, (1, 86_400)).unsigned_abs();
    let timeout = number("proxy_timeout_ms", file.proxy_timeout_ms, PROXY_TIMEOUT_MS, (1, 60_000)).unsigned_abs();
    for (n, host) in file.unreachable_hosts.iter().enumerate().filter(|(_, host)| !is_host(host)) {
        let place = format!("custom_key_stores.unreachable_hosts[{n}]");
        mistakes.add(place, Problem::HostMalformed(host.clone()));
    }
    CustomKeyStoreRules {
        max_per_region: usize::try_from(max_per_region).unwrap_or_default(),
        connection_seconds,
        health_check: Duration::from_secs(health_check),
        proxy_timeout: Duration::from_millis(timeout),
        unreachable_hosts: file.unreachable_hosts.iter().map(|host| host.to_lowercase()).collect(),
        unknown_vpc_endpoint_services: file.unknown_vpc_endpoint_services,
        check_host_names: file.check_host_names,
    }
}

pub(super) fn clusters(
    place: &str,
    files: Vec<ClusterFile>,
    owner: &Owner<'_>,
    regions: &[Region],
    mistakes: &mut Mistakes,
) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = Vec::new();
    for (n, file) in files.into_iter().enumerate() {
        let place = format!("{place}.cloudhsm_clusters[{n}]");
        if !is_cluster_id(&file.id) {
            mistakes.add(format!("{place}.id"), Problem::ClusterMalformed(file.id.clone()));
        } else if clusters.iter().any(|other| other.id == file.id) {
            mistakes.add(format!("{place}.id"), Problem::NameRepeated(file.id.clone()));
        }
        if regions.iter().all(|known| known.name != file.region) {
            mistakes.add_unknown_region(format!("{place}.region"), &file.region, owner.partition, "enabled");
        }
        let state = file.state.unwrap_or_else(|| ACTIVE.to_owned());
        require_one_of(&format!("{place}.state"), &state, &STATES, mistakes);
        let mut hsms = Vec::new();
        for (h, hsm) in file.hsms.into_iter().enumerate() {
            let place = format!("{place}.hsms[{h}]");
            let letter = hsm.zone.strip_prefix(&file.region).filter(|letter| letter.len() == 1);
            if !letter.is_some_and(|letter| letter.bytes().all(|b| b.is_ascii_lowercase())) {
                let region = file.region.clone();
                mistakes.add(format!("{place}.zone"), Problem::ZoneMalformed { zone: hsm.zone.clone(), region });
            }
            let state = hsm.state.unwrap_or_else(|| ACTIVE.to_owned());
            require_one_of(&format!("{place}.state"), &state, &HSM_STATES, mistakes);
            hsms.push(Hsm { zone: hsm.zone, state });
        }
        if !(7..=32).contains(&file.kmsuser_password.reveal().chars().count()) {
            mistakes.add(format!("{place}.kmsuser_password"), Problem::PasswordMalformed);
        }
        if let Err(error) = Certificate::from_pem(&file.certificate) {
            mistakes.add(format!("{place}.certificate"), Problem::CertificateMalformed(error.to_string()));
        }
        clusters.push(Cluster {
            id: file.id,
            region: file.region,
            state,
            hsm_type: file.hsm_type.unwrap_or_else(|| HSM_TYPE.to_owned()),
            hsms,
            kmsuser_password: file.kmsuser_password,
            kmsuser_logged_in: file.kmsuser_logged_in,
            certificate: file.certificate,
        });
    }
    clusters
}

fn require_one_of(place: &str, value: &str, values: &'static [&'static str], mistakes: &mut Mistakes) {
    if !values.contains(&value) {
        mistakes.add(place, Problem::ValueUnknown { value: value.to_owned(), values: values.join(", ") });
    }
}

/// Whether a text has the form of the id of a CloudHSM cluster.
pub(in crate::lab) fn is_cluster_id(text: &str) -> bool {
    let letters = text.strip_prefix("cluster-").unwrap_or_default();
    (11..=16).contains(&letters.len()) && letters.bytes().all(|b| b.is_ascii_alphabetic() || (b'2'..=b'7').contains(&b))
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}
