//! Forwarding of audit records: the syslog receivers, which clients manage, and the tasks that send.
//!
//! - `source`: what is sent
//! - `task`: one destination: what is sent next, what counts as received, pauses after failures
//! - `tasks`: the task of each destination, as the state has them
//! - `status`: how the destinations stand
//! - `list`: the filters and sort orders of syslog receivers
//!
//! Nothing here is on the path of an answer: the tasks read the log when it has grown.

mod list;
mod source;
mod status;
mod task;
mod tasks;

pub use status::{DestinationStatus, KindTotals};

use super::access::{Administer, Permit};
use super::caller::RequestContext;
use super::checkpoints::Checkpoints;
use super::failure::{Failure, invalid};
use super::list::{Page, Query, page};
use super::recorder::Recorder;
use crate::attempt_log::AttemptLog;
use crate::domain::command::Command;
use crate::domain::forwarder::decide::forwarder;
use crate::domain::forwarder::patch::ForwarderPatch;
use crate::domain::forwarder::{Forwarder, ForwarderCommand, ForwarderSettings, MessageFormat, Transport};
use crate::domain::id::ForwarderId;
use crate::domain::refusal::Refusal;
use crate::forward::{CursorDirectory, Destination, JsonFileSettings, Otlp, authorities};
use crate::ledger::Committed;
use source::Source;
use status::{Kind, Statuses};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use uuid::Uuid;

/// Where records are sent by the settings, and where the files of forwarding are.
pub struct ForwardingSettings {
    /// The directory in which the program notes how far each destination got.
    pub directory: PathBuf,
    /// The file for the records.
    pub file: Option<JsonFileSettings>,
    /// The OpenTelemetry collector.
    pub collector: Option<Otlp>,
}

/// The use cases of forwarding. Cheap to clone.
#[derive(Clone)]
pub struct Forwarding {
    recorder: Recorder,
    source: Source,
    cursors: CursorDirectory,
    statuses: Arc<Statuses>,
    /// The destinations of the settings: their names, kinds and places.
    fixed: Arc<Vec<(&'static str, Kind, Destination)>>,
    runtime: Handle,
}

/// A syslog receiver, and how it stands.
pub struct ForwarderSeen {
    pub forwarder: Arc<Forwarder>,
    pub status: DestinationStatus,
}

impl Forwarding {
    /// Opens the directory of forwarding.
    ///
    /// # Errors
    /// When the directory cannot be made or read.
    pub(super) fn new(
        recorder: Recorder,
        attempts: AttemptLog,
        checkpoints: Checkpoints,
        settings: ForwardingSettings,
        runtime: Handle,
    ) -> Result<Self, Failure> {
        let file = settings.file.map(|file| (FILE, Kind::File, Destination::JsonFile(file)));
        let collector = settings.collector.map(|collector| (COLLECTOR, Kind::Otlp, Destination::Otlp(collector)));
        let fixed = Arc::new(file.into_iter().chain(collector).collect());
        let cursors = open_cursors(&recorder, &settings.directory).map_err(|error| {
            tracing::error!(%error, "the directory of forwarding cannot be opened");
            Failure::Internal("the directory of forwarding cannot be opened")
        })?;
        let source = Source::new(recorder.clone(), attempts, checkpoints);
        Ok(Self { source, cursors, statuses: Arc::default(), fixed, runtime, recorder })
    }

    /// Lists the syslog receivers.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<Administer>, query: &Query) -> Result<Page<Forwarder>, Failure> {
        page(permit.caller(), query).await
    }

    /// Returns one syslog receiver.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, permit: &Permit<Administer>, id: ForwarderId) -> Result<ForwarderSeen, Failure> {
        Ok(self.seen(forwarder(&permit.caller().published.state, id)?.clone()))
    }

    /// Adds a syslog receiver. Records are sent to it from its own creation on. Its name need not resolve yet.
    ///
    /// # Errors
    /// When a value is invalid, or there are too many.
    pub async fn create(
        &self,
        permit: &Permit<Administer>,
        context: &RequestContext,
        patch: ForwarderPatch,
    ) -> Result<ForwarderSeen, Failure> {
        check(&patch)?;
        let transport = patch.transport.ok_or_else(|| invalid("transport", "must be given"))?;
        if patch.host.is_none() {
            return Err(invalid("host", "must be given").into());
        }
        let new = ForwarderSettings {
            host: String::new(),
            port: transport.default_port(),
            transport,
            format: MessageFormat::Rfc5424,
            ca_certificates: String::new(),
        };
        let id = ForwarderId::new(Uuid::new_v4());
        let command = ForwarderCommand::Create { id, settings: new.patched(patch) };
        self.append(permit, context, id, command).await
    }

    /// Changes a syslog receiver. What the former one has not received yet is sent to the new one.
    ///
    /// # Errors
    /// As [`Forwarding::create`], or when there is none.
    pub async fn update(
        &self,
        permit: &Permit<Administer>,
        context: &RequestContext,
        id: ForwarderId,
        patch: ForwarderPatch,
    ) -> Result<ForwarderSeen, Failure> {
        check(&patch)?;
        self.append(permit, context, id, ForwarderCommand::Update { id, patch }).await
    }

    /// Removes a syslog receiver. What it has not received yet is not sent any more.
    ///
    /// # Errors
    /// When there is none.
    pub async fn delete(
        &self,
        permit: &Permit<Administer>,
        context: &RequestContext,
        id: ForwarderId,
    ) -> Result<(), Failure> {
        self.commit(permit, context, ForwarderCommand::Delete { id }).await.map(drop)
    }

    /// A syslog receiver with its status.
    pub fn seen(&self, forwarder: Arc<Forwarder>) -> ForwarderSeen {
        ForwarderSeen { status: self.statuses.of(&forwarder.id.to_string(), self.source.end()), forwarder }
    }

    /// The sums over all destinations of each kind, for the metrics.
    pub async fn totals(&self) -> Vec<KindTotals> {
        let now = self.recorder.clock_time();
        let mut all = Vec::new();
        for (mut totals, received) in self.statuses.totals(self.source.end()) {
            let mut ages = vec![0];
            for position in received {
                match self.source.oldest_after(position).await {
                    Ok(oldest) => ages.extend(oldest.map(|oldest| now.nanos().saturating_sub(oldest))),
                    Err(error) => {
                        tracing::error!(error = &error as &dyn std::error::Error, "the age of a lag cannot be read");
                    }
                }
            }
            let oldest = ages.into_iter().max().unwrap_or(0);
            totals.lag_seconds = Duration::from_nanos(oldest.unsigned_abs()).as_secs_f64();
            all.push(totals);
        }
        all
    }

    async fn append(
        &self,
        permit: &Permit<Administer>,
        context: &RequestContext,
        id: ForwarderId,
        command: ForwarderCommand,
    ) -> Result<ForwarderSeen, Failure> {
        let committed = self.commit(permit, context, command).await?;
        Ok(self.seen(forwarder(&committed.published.state, id)?.clone()))
    }

    async fn commit(
        &self,
        permit: &Permit<Administer>,
        context: &RequestContext,
        command: ForwarderCommand,
    ) -> Result<Committed, Failure> {
        self.recorder.append(&permit.caller().change(context), Command::Forwarder(command)).await
    }
}

/// The names of the destinations of the settings. Syslog receivers have their ids.
const FILE: &str = "file";
const COLLECTOR: &str = "otlp";

/// Opens the directory of positions, without those of syslog receivers that are no more.
fn open_cursors(recorder: &Recorder, directory: &Path) -> std::io::Result<CursorDirectory> {
    let published = recorder.state();
    // The settings may leave a destination out for a while; it continues then.
    let is_known = |name: &str| {
        [FILE, COLLECTOR].contains(&name)
            || ForwarderId::parse(name).is_ok_and(|id| published.state.forwarders.get(&id).is_some())
    };
    CursorDirectory::open(directory, is_known)
}

/// Checks what only this module can: whether there are certificates.
fn check(patch: &ForwarderPatch) -> Result<(), Refusal> {
    match &patch.ca_certificates {
        Some(pem) if !pem.is_empty() => authorities(pem).map(drop).map_err(|problem| invalid("caCert", problem)),
        _ => Ok(()),
    }
}

/// The kind of a syslog receiver in the metrics.
const fn kind_of(transport: Transport) -> Kind {
    match transport {
        Transport::Udp => Kind::Udp,
        Transport::Tcp => Kind::Tcp,
        Transport::Tls => Kind::Tls,
    }
}
