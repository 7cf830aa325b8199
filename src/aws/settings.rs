//! The `[aws]` section of the configuration.
//!
//! Every member has a default that works for AWS over an open network. The only secret is the password of a proxy,
//! which `Debug` does not show.

use std::collections::HashSet;
use std::fmt::{self, Display};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::operation::Service;
use crate::domain::place::{Partition, Region};

/// The `[aws]` section.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct AwsSettings {
    /// The timeout for a connection (name, TCP, TLS, proxy), in milliseconds.
    pub connect_timeout_ms: u64,
    /// The timeout for each read of an answer, in milliseconds.
    pub read_timeout_ms: u64,
    /// The time limit of a call with all its attempts and assumed roles, in milliseconds.
    pub deadline_ms: u64,
    /// The largest number of attempts of a call.
    pub max_attempts: u32,
    /// The largest number of concurrent calls to KMS in a region of an account; further calls wait.
    pub max_in_flight_per_region: u32,
    /// The proxy for all calls, as `http://user:password@host:port`. Proxy variables of the environment are ignored.
    pub proxy: Option<String>,
    /// The hosts, domains with their subdomains, addresses and networks that bypass the proxy.
    pub no_proxy: Vec<String>,
    /// A PEM file of the certificate authorities to trust, instead of those of the system.
    pub ca_bundle: Option<PathBuf>,
    /// Endpoints that replace those of AWS. The most specific entry that matches a call is used.
    pub endpoints: Vec<EndpointOverride>,
    /// The duration of a role's session, in seconds. A role that is assumed through another role gets an hour at most.
    pub assume_role_duration_seconds: u32,
    /// The time after which a key that AWS does not list was not created, in seconds. AWS is eventually consistent.
    pub consistency_wait_seconds: u32,
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self {
            connect_timeout_ms: 5_000,
            read_timeout_ms: 10_000,
            deadline_ms: 30_000,
            max_attempts: 4,
            max_in_flight_per_region: 8,
            proxy: None,
            no_proxy: Vec::new(),
            ca_bundle: None,
            endpoints: Vec::new(),
            assume_role_duration_seconds: 3_600,
            consistency_wait_seconds: 300,
        }
    }
}

impl fmt::Debug for AwsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsSettings")
            .field("connect_timeout_ms", &self.connect_timeout_ms)
            .field("read_timeout_ms", &self.read_timeout_ms)
            .field("deadline_ms", &self.deadline_ms)
            .field("max_attempts", &self.max_attempts)
            .field("max_in_flight_per_region", &self.max_in_flight_per_region)
            .field("proxy", &self.proxy.as_deref().map(without_password))
            .field("no_proxy", &self.no_proxy)
            .field("ca_bundle", &self.ca_bundle)
            .field("endpoints", &self.endpoints)
            .field("assume_role_duration_seconds", &self.assume_role_duration_seconds)
            .field("consistency_wait_seconds", &self.consistency_wait_seconds)
            .finish()
    }
}

/// An endpoint that replaces one of AWS: a VPC endpoint, an emulator, the lab cloud.
///
/// A member that is left out matches every call. If several entries match, an entry with a service precedes one
/// without, then one with a region, then one with a partition.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct EndpointOverride {
    /// Matches calls in this partition only.
    #[serde(default, deserialize_with = "parsed")]
    pub partition: Option<Partition>,
    /// Matches calls to this service only.
    #[serde(default)]
    pub service: Option<Service>,
    /// Matches calls in this region only.
    #[serde(default, deserialize_with = "parsed")]
    pub region: Option<Region>,
    /// The URL of the endpoint: `https://host[:port][/path]`, or `http://…` in a trusted network.
    pub url: String,
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(from: D) -> Result<Option<T>, D::Error> {
    String::deserialize(from)?.parse().map(Some).map_err(D::Error::custom)
}

/// An invalid setting. The caller puts the section's name in front.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsMistake {
    /// A number outside its range.
    #[error("{member}: `{value}` is out of range: {least} to {most} is expected")]
    OutOfRange {
        member: &'static str,
        value: u64,
        /// The smallest valid value.
        least: u64,
        /// The largest valid value.
        most: u64,
    },
    /// A timeout that exceeds the deadline.
    #[error("{member}: `{value}` is longer than deadline_ms, `{deadline_ms}`: a shorter time is expected")]
    BeyondDeadline {
        member: &'static str,
        /// The value, in milliseconds.
        value: u64,
        /// The deadline, in milliseconds.
        deadline_ms: u64,
    },
    /// An invalid URL of a proxy. The error does not show the URL, which may hold a password.
    #[error("proxy: {0}: `http://host:port` or `http://user:password@host:port` is expected")]
    Proxy(UrlFault),
    /// An entry of `no_proxy` that matches nothing, or more than intended.
    #[error("no_proxy: `{0}` is not a host, domain, address or network")]
    NoProxy(String),
    /// An invalid URL of an endpoint.
    #[error("endpoints[{index}].url: `{url}`: {fault}: `https://host`, with a port and a path if needed, is expected")]
    Endpoint {
        /// The entry's index, from 0.
        index: usize,
        /// The URL, without a password.
        url: String,
        fault: UrlFault,
    },
    /// An endpoint whose region is not in its partition.
    #[error("endpoints[{index}].region: `{region}` is not a region of partition `{partition}`")]
    EndpointRegion {
        /// The entry's index, from 0.
        index: usize,
        region: Region,
        partition: Partition,
    },
    /// Two endpoints for the same calls.
    #[error("endpoints[{index}]: fits the same calls as an entry before it")]
    EndpointTwice {
        /// The index of the later entry, from 0.
        index: usize,
    },
}

/// The fault of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    #[error("not a URL")]
    Malformed,
    /// The scheme is neither `http` nor `https`.
    #[error("neither http nor https")]
    Scheme,
    /// The URL has a user or a password.
    #[error("it holds a user or a password")]
    Credentials,
    /// The URL has a query or a fragment.
    #[error("it holds a query or a fragment")]
    Query,
    /// The path has characters that a signature does not cover.
    #[error("its path holds more than letters, digits and `-._~/`")]
    Path,
}

const MINUTE_MS: u64 = 60_000;

impl AwsSettings {
    /// Returns all invalid settings; empty if all are valid.
    pub fn check(&self) -> Vec<SettingsMistake> {
        let mut mistakes = Vec::new();
        mistakes.extend(within("connect_timeout_ms", self.connect_timeout_ms, 10, 10 * MINUTE_MS));
        mistakes.extend(within("read_timeout_ms", self.read_timeout_ms, 10, 10 * MINUTE_MS));
        mistakes.extend(within("deadline_ms", self.deadline_ms, 100, 10 * MINUTE_MS));
        mistakes.extend(within("max_attempts", u64::from(self.max_attempts), 1, 20));
        mistakes.extend(within("max_in_flight_per_region", u64::from(self.max_in_flight_per_region), 1, 100));
        let duration = u64::from(self.assume_role_duration_seconds);
        mistakes.extend(within("assume_role_duration_seconds", duration, 900, 43_200));
        mistakes.extend(within("consistency_wait_seconds", u64::from(self.consistency_wait_seconds), 0, 3_600));
        for (member, value) in
            [("connect_timeout_ms", self.connect_timeout_ms), ("read_timeout_ms", self.read_timeout_ms)]
        {
            if value > self.deadline_ms {
                mistakes.push(SettingsMistake::BeyondDeadline { member, value, deadline_ms: self.deadline_ms });
            }
        }
        if let Some(Err(fault)) = self.proxy.as_deref().map(check_proxy) {
            mistakes.push(SettingsMistake::Proxy(fault));
        }
        let odd = |entry: &&String| entry.is_empty() || entry.contains([',', ' ', '@']) || entry.contains("://");
        mistakes.extend(self.no_proxy.iter().filter(odd).cloned().map(SettingsMistake::NoProxy));
        self.check_endpoints(&mut mistakes);
        mistakes
    }

    fn check_endpoints(&self, mistakes: &mut Vec<SettingsMistake>) {
        let mut seen = HashSet::new();
        for (index, entry) in self.endpoints.iter().enumerate() {
            if let Err(fault) = check_endpoint(&entry.url) {
                mistakes.push(SettingsMistake::Endpoint { index, url: without_password(&entry.url), fault });
            }
            if let (Some(partition), Some(region)) = (entry.partition, &entry.region)
                && region.partition() != partition
            {
                mistakes.push(SettingsMistake::EndpointRegion { index, region: region.clone(), partition });
            }
            if !seen.insert((entry.partition, entry.service, entry.region.clone())) {
                mistakes.push(SettingsMistake::EndpointTwice { index });
            }
        }
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(super) fn read_timeout(&self) -> Duration {
        Duration::from_millis(self.read_timeout_ms)
    }

    pub(super) fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }
}

fn within(member: &'static str, value: u64, least: u64, most: u64) -> Option<SettingsMistake> {
    (!(least..=most).contains(&value)).then_some(SettingsMistake::OutOfRange { member, value, least, most })
}

fn check_proxy(url: &str) -> Result<(), UrlFault> {
    let url = parse_url(url)?;
    let more_than_a_host = url.query().is_some() || url.fragment().is_some();
    if more_than_a_host { Err(UrlFault::Query) } else { Ok(()) }
}

fn check_endpoint(url: &str) -> Result<(), UrlFault> {
    let parsed = parse_url(url)?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(UrlFault::Credentials);
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(UrlFault::Query);
    }
    let signable = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    if parsed.path().bytes().all(signable) { Ok(()) } else { Err(UrlFault::Path) }
}

fn parse_url(url: &str) -> Result<reqwest::Url, UrlFault> {
    // The parser accepts `https:host`, blanks and backslashes; the code that signs requests does not.
    let parsed = reqwest::Url::parse(url).map_err(|_| UrlFault::Malformed)?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(UrlFault::Scheme);
    }
    let written_out = url.starts_with("http://") || url.starts_with("https://");
    let strange = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    if !written_out || url.contains(strange) || !parsed.has_host() {
        return Err(UrlFault::Malformed);
    }
    Ok(parsed)
}

/// A URL without user and password, for a message or a log line. The text need not be a valid URL.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return if url.contains('@') { "…".to_owned() } else { url.to_owned() };
    };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> AwsSettings {
        toml::from_str(text).expect("the text is a valid section")
    }

    fn problems(text: &str) -> Vec<String> {
        read(text).check().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_empty_section_is_the_default_and_has_no_mistake() {
        assert_eq!(read(""), AwsSettings::default());
        assert_eq!(AwsSettings::default().check(), []);
    }

    #[test]
    fn a_full_section_is_read() {
        let settings = read(
            r#"
            proxy = "http://ann:pass%20word@proxy.example:3128"
            no_proxy = ["169.254.0.0/16", ".internal.example", "localhost", "::1"]
            ca_bundle = "/etc/claviger/ca.pem"
            max_attempts = 2
            [[endpoints]]
            url = "http://127.0.0.1:4566"
            [[endpoints]]
            partition = "aws-cn"
            service = "sts"
            region = "cn-north-1"
            url = "https://vpce-1.sts.cn-north-1.vpce.amazonaws.com.cn/"
            "#,
        );
        assert_eq!(settings.check(), []);
        assert_eq!(settings.endpoints[1].service, Some(Service::Sts));
        let shown = format!("{settings:?}");
        assert!(!shown.contains("pass%20word") && !shown.contains("ann"), "{shown}");
        assert!(shown.contains("proxy.example:3128"), "{shown}");
    }

    #[test]
    fn unknown_members_services_and_regions_are_refused() {
        for text in [
            "proxi = 'http://p'",
            "[[endpoints]]\nurl = 'https://x'\nservice = 'stz'",
            "[[endpoints]]\nurl = 'https://x'\nregion = 'mars'",
            "[[endpoints]]\nurl = 'https://x'\npartition = 'aws-iso'",
            "[[endpoints]]\nservice = 'sts'",
            "deadline_ms = '5s'",
        ] {
            assert!(toml::from_str::<AwsSettings>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        let text = "connect_timeout_ms = 0\ndeadline_ms = 5000\nmax_attempts = 0\nmax_in_flight_per_region = 0\nassume_role_duration_seconds = 60";
        insta::assert_snapshot!(problems(text).join("\n"), @r"
        connect_timeout_ms: `0` is out of range: 10 to 600000 is expected
        max_attempts: `0` is out of range: 1 to 20 is expected
        max_in_flight_per_region: `0` is out of range: 1 to 100 is expected
        assume_role_duration_seconds: `60` is out of range: 900 to 43200 is expected
        read_timeout_ms: `10000` is longer than deadline_ms, `5000`: a shorter time is expected
        ");
    }

    #[test]
    fn bad_urls_are_named_without_their_password() {
        let text = r#"
            proxy = "ftp://ann:hunter2@proxy"
            no_proxy = ["a b", "http://x"]
            [[endpoints]]
            url = "https://u:hunter2@host"
            [[endpoints]]
            service = "sts"
            url = "https://host?x=1"
            [[endpoints]]
            service = "ec2"
            url = "https:host"
            [[endpoints]]
            service = "iam"
            url = "https://host/a b"
            [[endpoints]]
            service = "iam"
            url = "https://host/a%20b"
            [[endpoints]]
            partition = "aws"
            region = "cn-north-1"
            url = "https://host"
        "#;
        let shown = problems(text).join("\n");
        assert!(!shown.contains("hunter2"), "{shown}");
        insta::assert_snapshot!(shown, @r"
        proxy: neither http nor https: `http://host:port` or `http://user:password@host:port` is expected
        no_proxy: `a b` is not a host, domain, address or network
        no_proxy: `http://x` is not a host, domain, address or network
        endpoints[0].url: `https://…@host`: it holds a user or a password: `https://host`, with a port and a path if needed, is expected
        endpoints[1].url: `https://host?x=1`: it holds a query or a fragment: `https://host`, with a port and a path if needed, is expected
        endpoints[2].url: `https:host`: not a URL: `https://host`, with a port and a path if needed, is expected
        endpoints[3].url: `https://host/a b`: not a URL: `https://host`, with a port and a path if needed, is expected
        endpoints[4].url: `https://host/a%20b`: its path holds more than letters, digits and `-._~/`: `https://host`, with a port and a path if needed, is expected
        endpoints[4]: fits the same calls as an entry before it
        endpoints[5].region: `cn-north-1` is not a region of partition `aws`
        ");
    }
}
