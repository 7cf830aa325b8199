//! A bound on the connections from one source, so that a single host cannot take all of them. It counts a connection
//! from the moment it is accepted, before the TLS handshake.

use ipnet::IpNet;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The open connections by source. Cheap to clone.
#[derive(Clone)]
pub struct Sources(Arc<Inner>);

struct Inner {
    most: usize,
    /// Proxies and load balancers, which bring the connections of many clients.
    trusted: Vec<IpNet>,
    open: Mutex<HashMap<IpAddr, usize>>,
    /// When a refusal was last logged.
    reported: Mutex<Option<Instant>>,
}

/// The time between two lines of the log about refused connections.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// A connection that is counted; dropped when it ends.
pub struct Permit {
    sources: Sources,
    /// `None` for a trusted proxy.
    source: Option<IpAddr>,
}

impl Sources {
    /// Admits at most `most` connections from one source, and any number from the trusted addresses.
    pub fn at_most(most: usize, trusted: Vec<IpNet>) -> Self {
        Self(Arc::new(Inner { most, trusted, open: Mutex::default(), reported: Mutex::default() }))
    }

    /// Counts a connection; `None` if its source has as many as it may.
    pub fn admit(&self, peer: IpAddr) -> Option<Permit> {
        let peer = peer.to_canonical();
        if self.0.trusted.iter().any(|network| network.contains(&peer)) {
            return Some(Permit { sources: self.clone(), source: None });
        }
        let source = source_of(peer);
        let mut open = self.open();
        let count = open.entry(source).or_default();
        if *count >= self.0.most {
            self.report(source);
            return None;
        }
        *count += 1;
        Some(Permit { sources: self.clone(), source: Some(source) })
    }

    /// Logs a refusal, once a minute.
    fn report(&self, source: IpAddr) {
        let mut last = self.0.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() > REPORT_INTERVAL) {
            *last = Some(Instant::now());
            tracing::warn!(%source, most = self.0.most, "connections are refused: this source has as many as it may");
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// The counted source; `None` for a trusted proxy.
    pub(super) fn source(&self) -> Option<IpAddr> {
        self.source
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(source) = self.source else { return };
        let mut open = self.sources.open();
        if let Some(count) = open.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                open.remove(&source);
            }
        }
    }
}

/// Returns the address by which connections are counted: of IPv6 the /64, all of whose addresses a client usually
/// controls.
fn source_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        IpAddr::V4(address) => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_source_has_as_many_connections_as_it_may_and_leaves_nothing_behind() {
        let sources = Sources::at_most(2, vec![]);
        let (first, second) = (sources.admit(address("192.0.2.1")), sources.admit(address("::ffff:192.0.2.1")));
        assert!(first.is_some() && second.is_some() && sources.admit(address("192.0.2.1")).is_none());
        assert!(sources.admit(address("192.0.2.2")).is_some());
        drop(first);
        assert!(sources.admit(address("192.0.2.1")).is_some());
        let v6 = [address("2001:db8::1"), address("2001:db8::2"), address("2001:db8::3")];
        let held: Vec<_> = v6.map(|peer| sources.admit(peer)).into_iter().flatten().collect();
        assert_eq!(held.len(), 2);
        assert!(sources.admit(address("2001:db8:0:1::1")).is_some());
        drop((second, held));
        assert!(sources.open().is_empty());
    }

    #[test]
    fn trusted_proxies_have_no_bound() {
        let sources = Sources::at_most(1, vec!["10.0.0.0/8".parse().expect("a network")]);
        let held: Vec<_> = (0..100).map(|_| sources.admit(address("10.1.2.3"))).collect();
        assert!(held.iter().all(Option::is_some) && sources.open().is_empty());
    }
}
