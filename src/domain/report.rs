//! Reports: what happened to keys in a time, or how old they are. Their rows are in files beside the log; the log has who
//! asked for what, and how it ended.

pub mod decide;
pub mod refusal;

use super::id::{KmsId, ReportId};
use super::name::ReportName;
use super::place::Region;
use super::table::Table;
use super::time::Time;

#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    pub id: ReportId,
    pub name: ReportName,
    pub kind: ReportKind,
    /// The times of the events that it is about.
    pub start: Time,
    pub end: Time,
    pub sources: Vec<ReportSource>,
    pub status: ReportStatus,
    /// The counts at its end; zero until then.
    pub counts: ReportCounts,
    /// When it ended.
    pub completed: Option<Time>,
    pub created: Time,
    pub updated: Time,
}

impl Report {
    /// The KMSs that it is about, each once.
    pub fn kms(&self) -> Vec<KmsId> {
        let mut all = Vec::new();
        for source in &self.sources {
            if !all.contains(&source.kms) {
                all.push(source.kms);
            }
        }
        all
    }

    pub fn is_in_progress(&self) -> bool {
        self.status == ReportStatus::InProgress
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReportKind {
    /// The events on keys.
    KeyActivity,
    /// The calls by service, key, operation and principal.
    ServiceUsage,
    /// The keys with their age.
    KeyAging,
    /// The differences between AWS and the state.
    Reconciliation,
}

impl ReportKind {
    pub const ALL: [Self; 4] = [Self::KeyActivity, Self::ServiceUsage, Self::KeyAging, Self::Reconciliation];
    /// The names of all kinds.
    pub const NAMES: &'static [&'static str] = &["key-report", "service-report", "key-aging", "reconciliation-report"];

    /// The name that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyActivity => "key-report",
            Self::ServiceUsage => "service-report",
            Self::KeyAging => "key-aging",
            Self::Reconciliation => "reconciliation-report",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it cannot be made without CloudTrail.
    pub const fn needs_log_group(self) -> bool {
        match self {
            Self::ServiceUsage | Self::Reconciliation => true,
            Self::KeyActivity | Self::KeyAging => false,
        }
    }
}

/// A KMS, and where CloudTrail delivers the events of its account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReportSource {
    pub kms: KmsId,
    /// The log group; `None` for what is known here alone.
    pub log: Option<LogPlace>,
}

/// A log group of CloudWatch Logs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogPlace {
    pub region: Region,
    pub group: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReportStatus {
    InProgress,
    Completed,
    /// It ended early; the rows until then are kept.
    Failed(String),
}

impl ReportStatus {
    /// The name that clients use.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed(_) => "error",
        }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct ReportCounts {
    /// The messages of log groups that were read.
    pub events_read: u64,
    pub rows: u64,
    pub pages: u64,
    /// The messages that are no events of CloudTrail.
    pub skipped: u64,
}

#[derive(Clone, PartialEq, Debug)]
pub enum ReportEvent {
    Created { name: ReportName, kind: ReportKind, start: Time, end: Time, sources: Vec<ReportSource> },
    Completed { counts: ReportCounts },
    Failed { reason: String, counts: ReportCounts },
    Deleted,
}

#[derive(Clone, Debug)]
pub enum ReportCommand {
    Create {
        id: ReportId,
        name: ReportName,
        kind: ReportKind,
        start: Time,
        end: Time,
        sources: Vec<ReportSource>,
        /// The largest number of reports.
        most: usize,
    },
    Complete {
        id: ReportId,
        counts: ReportCounts,
    },
    Fail {
        id: ReportId,
        reason: String,
        counts: ReportCounts,
    },
    Delete {
        id: ReportId,
    },
}

impl Table<ReportId, Report> {
    pub(super) fn apply(&mut self, at: Time, id: ReportId, event: &ReportEvent) {
        let mut end = |status: ReportStatus, counts: &ReportCounts| {
            self.change(&id, |report| {
                report.status = status;
                report.counts = *counts;
                report.completed = Some(at);
                report.updated = at;
            });
        };
        match event {
            ReportEvent::Created { name, kind, start, end, sources } => self.insert(
                id,
                Report {
                    id,
                    name: name.clone(),
                    kind: *kind,
                    start: *start,
                    end: *end,
                    sources: sources.clone(),
                    status: ReportStatus::InProgress,
                    counts: ReportCounts::default(),
                    completed: None,
                    created: at,
                    updated: at,
                },
            ),
            ReportEvent::Completed { counts } => end(ReportStatus::Completed, counts),
            ReportEvent::Failed { reason, counts } => end(ReportStatus::Failed(reason.clone()), counts),
            ReportEvent::Deleted => drop(self.remove(&id)),
        }
    }
}

#[cfg(test)]
mod tests;
