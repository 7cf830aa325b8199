//! The URLs and addresses that webhooks may have. An administrator of keys must not be able to reach, through this
//! program, services that only this machine can reach: those on loopback, and the metadata service of a cloud.

use reqwest::Url;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the settings allow.
#[derive(Clone, Copy, Debug, Default)]
pub struct UrlRules {
    /// Whether addresses of loopback, of the link and the like are allowed.
    pub local_addresses: bool,
    /// Whether `http` is allowed, besides `https`.
    pub http: bool,
}

/// The reason why a URL is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlProblem {
    #[error("must be a URL such as https://alarms.example.org/path")]
    NotAUrl,
    #[error("must not be longer than {URL_MAX} characters")]
    TooLong,
    #[error("must begin with https://; the setting alarms.allow_http allows http:// too")]
    Scheme,
    #[error("must not contain a user name or password: the URL is shown and recorded in the clear")]
    UserInfo,
    #[error("must not have a fragment (#)")]
    Fragment,
    #[error("must not name this machine or its link; the setting alarms.allow_local_addresses allows it")]
    Local,
}

/// The longest URL, in characters.
const URL_MAX: usize = 2_000;

/// Checks and parses the URL of a webhook.
///
/// # Errors
/// [`UrlProblem`].
pub fn check_url(text: &str, rules: UrlRules) -> Result<Url, UrlProblem> {
    if text.chars().count() > URL_MAX {
        return Err(UrlProblem::TooLong);
    }
    let url = Url::parse(text).map_err(|_| UrlProblem::NotAUrl)?;
    let host = url.host_str().ok_or(UrlProblem::NotAUrl)?;
    match url.scheme() {
        "https" => {}
        "http" if rules.http => {}
        _ => return Err(UrlProblem::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlProblem::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(UrlProblem::Fragment);
    }
    // Addresses of IPv6 are in brackets; those of IPv4 have four decimal numbers, in whatever form they were given.
    let is_local = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => is_local(address),
        // The addresses of other names are checked when they are resolved.
        Err(_) => {
            let name = host.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    };
    if is_local && !rules.local_addresses { Err(UrlProblem::Local) } else { Ok(url) }
}

/// Returns whether an address is of this machine or its link, is none of a single host, or is the metadata service of a
/// cloud. Private networks are not local: receivers are often there.
pub(super) fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_local_v4(address),
        IpAddr::V6(address) => embedded_v4(address).is_some_and(is_local_v4) || is_local_v6(address),
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    // Linux connects to any address of 0.0.0.0/8 as to loopback or to nobody.
    address.octets()[0] == 0
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        // Class E.
        || address.octets()[0] >= 240
        // Addresses of IETF protocols, and the metadata services of Alibaba Cloud and of Azure.
        || matches!(address.octets(), [192, 0, 0, _] | [100, 100, 100, 200] | [168, 63, 129, 16])
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_unicast_link_local()
        // The former site-local addresses, fec0::/10.
        || address.segments()[0] & 0xffc0 == 0xfec0
        // The services of AWS for its machines, such as metadata and credentials; those of Google Cloud; Teredo; NAT64 of
        // private networks.
        || matches!(address.segments(), [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..] | [0x2001, 0, ..] | [0x64, 0xff9b, 1, ..])
}

/// The IPv4 address that an IPv6 address stands for: a mapped or compatible one, one of NAT64, or one of 6to4.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) | (0, 0, 0, 0, 0xffff, 0) | (0x64, 0xff9b, 0, 0, 0, 0) => of(high, low),
        // `::` and `::1` are addresses of IPv6.
        (0, 0, 0, 0, 0, 0) if high != 0 => of(high, low),
        (0x2002, ..) => of(b, c),
        _ => None,
    }
}
