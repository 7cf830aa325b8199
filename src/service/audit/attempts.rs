//! Failed attempts: which are recorded, and the columns by which they are filtered.

use super::columns::{Columns, Facts};
use crate::attempt_log::{Attempt, AttemptLog, NewAttempt};
use crate::domain::name::UserName;
use crate::domain::user::User;
use crate::service::failure::Failure;
use crate::service::recorder::Recorder;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

/// The attempts in one read of the log.
const BATCH: usize = 10_000;
/// The reasons of a wrong password.
const WRONG_PASSWORD: &str = "credentials_wrong";

/// A request that was refused, as `http` saw it.
pub struct Refused<'a> {
    pub status: u16,
    /// The stable name of the cause.
    pub reason: &'a str,
    pub method: &'a str,
    pub path: &'a str,
    /// Whether the request asked for a change.
    pub is_change: bool,
    pub source: String,
    pub request_id: &'a str,
    /// The user of the token.
    pub user: Option<&'a User>,
    /// The name with which a client tried to sign in.
    pub tried_name: Option<&'a str>,
}

/// The failed attempts. Cheap to clone.
#[derive(Clone)]
pub struct Attempts {
    recorder: Recorder,
    log: AttemptLog,
    rows: Arc<RwLock<Rows>>,
    /// Names that no user has are kept as hashes of this run of the program.
    hasher: RandomState,
}

/// What filters ask for, of each attempt that is kept.
#[derive(Default)]
pub(super) struct Rows {
    pub columns: Columns,
    /// The numbers of the attempts in the columns.
    pub numbers: Vec<u64>,
    /// The first of them that is kept still.
    pub first: u64,
}

impl Attempts {
    pub(in crate::service) fn new(recorder: Recorder, log: AttemptLog) -> Self {
        Self { recorder, log, rows: Arc::default(), hasher: RandomState::new() }
    }

    /// The log itself, for callers that read all attempts.
    pub fn log(&self) -> &AttemptLog {
        &self.log
    }

    /// Records a request that was refused, if it is one to record: for want of a token or a right, or a change that was
    /// refused. It never waits.
    pub fn note(&self, refused: &Refused<'_>) {
        let lacks_right = matches!(refused.status, 401 | 403);
        if !(lacks_right || refused.is_change && (400..500).contains(&refused.status)) {
            return;
        }
        let published = self.recorder.state();
        let known = refused.tried_name.and_then(|name| published.state.user_named(&UserName::stored(name)));
        // The event log has the wrong passwords of users.
        if known.is_some() && refused.reason == WRONG_PASSWORD {
            return;
        }
        let user = known.map(AsRef::as_ref).or(refused.user);
        let unknown = refused.tried_name.filter(|_| known.is_none());
        self.log.record(NewAttempt {
            nanos: self.recorder.now().nanos(),
            status: refused.status,
            reason: refused.reason.to_owned(),
            method: refused.method.to_owned(),
            path: refused.path.to_owned(),
            source: refused.source.clone(),
            user: user.map(|user| user.name.to_string()),
            user_id: user.map(|user| user.id.subject()),
            name_hash: unknown.map(|name| format!("{:016x}", self.hasher.hash_one(name.to_lowercase()))),
            request_id: refused.request_id.to_owned(),
        });
    }

    /// The columns with all attempts so far. It blocks: call it on a thread that may.
    pub(super) fn current(&self) -> Result<Arc<RwLock<Rows>>, Failure> {
        self.log.flush();
        let unreadable = |error| {
            tracing::error!(%error, "the failed attempts cannot be read");
            Failure::Internal("the failed attempts could not be read")
        };
        let kept = self.log.first().map_err(unreadable)?;
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        rows.first = kept;
        // Most of what is in the columns was deleted: they are made anew.
        if rows.numbers.len() > 10_000 && rows.numbers.partition_point(|number| *number < kept) > rows.numbers.len() / 2
        {
            *rows = Rows { first: kept, ..Rows::default() };
        }
        loop {
            let next = rows.numbers.last().map_or(1, |last| last + 1);
            let attempts = self.log.read(next, BATCH).map_err(unreadable)?;
            if attempts.is_empty() {
                break;
            }
            for attempt in &attempts {
                rows.numbers.push(attempt.number);
                rows.columns.push(Facts::of_attempt(attempt));
            }
        }
        drop(rows);
        Ok(self.rows.clone())
    }

    /// The attempts with these numbers, which must ascend. It blocks.
    pub(super) fn read_many(&self, numbers: &[u64]) -> Result<Vec<Attempt>, Failure> {
        self.log.read_many(numbers).map_err(|error| {
            tracing::error!(%error, "the failed attempts cannot be read");
            Failure::Internal("the failed attempts could not be read")
        })
    }
}
