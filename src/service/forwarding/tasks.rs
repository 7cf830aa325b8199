//! The task of each destination. A syslog receiver that is created gets one; one that is changed gets a new one, which
//! continues where the former one was.

use super::task::Task;
use super::{Forwarding, kind_of};
use crate::domain::forwarder::{Forwarder, MessageFormat, Transport};
use crate::domain::id::ForwarderId;
use crate::domain::time::Time;
use crate::forward::{self, Destination, Position, SyslogAddress, authorities};
use std::collections::HashMap;
use tokio::task::JoinHandle;

/// The tasks of syslog receivers, each with the time of the settings that it has.
type Running = HashMap<ForwarderId, (Time, JoinHandle<()>)>;

impl Forwarding {
    /// Starts the tasks, and the one that follows the changes of syslog receivers.
    pub(in crate::service) fn begin_work(&self) {
        for (name, kind, destination) in self.fixed.iter() {
            let (forwarding, name, destination) = (self.clone(), (*name).to_owned(), destination.clone());
            // They get the whole log.
            let since = Time::from_nanos(i64::MIN);
            let task = Task { forwarding, name, kind: *kind, destination, begin_at: None, since };
            self.runtime.spawn(task.run());
        }
        let forwarding = self.clone();
        self.runtime.spawn(async move {
            let mut running = Running::new();
            let mut head = forwarding.recorder.ledger().watch_head();
            loop {
                forwarding.follow(&mut running).await;
                if head.changed().await.is_err() {
                    return;
                }
            }
        });
    }

    /// Makes the tasks those of the present syslog receivers.
    async fn follow(&self, running: &mut Running) {
        let published = self.recorder.state();
        let forwarders = &published.state.forwarders;
        let is_current = |id: &ForwarderId, updated: Time| forwarders.get(id).is_some_and(|one| one.updated == updated);
        let ended: Vec<_> = running.extract_if(|id, (updated, _)| !is_current(id, *updated)).collect();
        for (id, (_, task)) in ended {
            // Its end is waited for: it must not report anything after the next one has begun.
            task.abort();
            let _ = task.await;
            if forwarders.get(&id).is_none() {
                self.forget(id.to_string()).await;
            }
        }
        for forwarder in forwarders.iter() {
            running.entry(forwarder.id).or_insert_with(|| {
                // What a former receiver has not read, the present one gets: it may be another one.
                let begin_at = self.statuses.surely_received(&forwarder.id.to_string());
                (forwarder.updated, self.runtime.spawn(self.task_of(forwarder, begin_at).run()))
            });
        }
    }

    async fn forget(&self, name: String) {
        self.statuses.forget(&name);
        let cursors = self.cursors.clone();
        let removed = tokio::task::spawn_blocking(move || cursors.remove(&name)).await;
        if let Err(error) = removed.map_err(std::io::Error::other).and_then(|removed| removed) {
            tracing::warn!(%error, "the position of a destination could not be removed");
        }
    }

    fn task_of(&self, forwarder: &Forwarder, begin_at: Option<Position>) -> Task {
        let settings = &forwarder.settings;
        let name = forwarder.id.to_string();
        let transport = match settings.transport {
            Transport::Udp => forward::Transport::Udp,
            Transport::Tcp => forward::Transport::Tcp,
            // They were checked before they were recorded. Without one, no certificate is accepted.
            Transport::Tls => forward::Transport::Tls(authorities(&settings.ca_certificates).unwrap_or_default()),
        };
        let format = match settings.format {
            MessageFormat::Rfc5424 => forward::Format::Rfc5424,
            MessageFormat::PlainMessage => forward::Format::Plain,
            MessageFormat::Cef => forward::Format::Cef,
            MessageFormat::Leef => forward::Format::Leef,
        };
        let address = SyslogAddress { host: settings.host.clone(), port: settings.port, transport };
        Task {
            forwarding: self.clone(),
            name,
            kind: kind_of(settings.transport),
            destination: Destination::Syslog { address, format },
            begin_at,
            since: forwarder.created,
        }
    }
}
