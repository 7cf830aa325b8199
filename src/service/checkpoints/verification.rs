//! What is known of the log's chain, and its check while the server runs: every record is read, and compared with its
//! hash, with the one before, and with the checkpoints that were made here.

use super::{Checkpoint, Checkpoints};
use crate::domain::time::Time;
use crate::ledger::{HeadMark, Verified};
use crate::service::access::{Administer, Permit};
use std::sync::{Arc, MutexGuard, PoisonError};

/// The most checkpoints that the log is compared with: the newest.
const CHECKPOINTS_MAX: usize = 10_000;

/// What is known of the chain.
pub struct ChainState {
    /// The last record.
    pub end: HeadMark,
    /// Whether the log was opened with the key of its seal: it was checked, and commits are sealed.
    pub is_sealed: bool,
    pub checkpoint: Option<Arc<Checkpoint>>,
    /// The last check since the start of the program.
    pub verification: Option<Verification>,
}

/// A check of the whole log.
#[derive(Clone, Debug)]
pub struct Verification {
    pub started: Time,
    /// The name of the user who started it.
    pub by: String,
    /// When it ended, and what was found; `None` while it runs.
    pub ended: Option<(Time, Outcome)>,
}

/// What a check found.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Nothing is wrong with the log.
    Whole {
        verified: Verified,
        /// The number of checkpoints that fit it.
        checkpoints: usize,
    },
    /// What is wrong, or why it could not be checked.
    Broken(String),
}

impl Checkpoints {
    /// Returns what is known of the chain.
    pub fn chain(&self, _permit: &Permit<Administer>) -> ChainState {
        let ledger = self.0.recorder.ledger();
        ChainState {
            end: ledger.end(),
            is_sealed: ledger.is_sealed(),
            checkpoint: self.latest(),
            verification: self.verification().clone(),
        }
    }

    /// Starts a check of the whole log, and returns it; if one runs, returns that. A dry run starts nothing.
    pub fn verify(&self, permit: &Permit<Administer>, dry_run: bool) -> Verification {
        let mut latest = self.verification();
        if let Some(running) = latest.as_ref().filter(|known| known.ended.is_none()) {
            return running.clone();
        }
        let by = permit.caller().user.name.to_string();
        let verification = Verification { started: self.0.recorder.now(), by, ended: None };
        if !dry_run {
            *latest = Some(verification.clone());
            let checkpoints = self.clone();
            // A task of its own: a check that panics must not count as running for ever.
            let own = self.clone();
            let check = tokio::spawn(async move { own.compare().await });
            tokio::spawn(async move {
                let outcome = check.await.unwrap_or_else(|error| Err(format!("the check ended early: {error}")));
                let outcome = outcome.unwrap_or_else(Outcome::Broken);
                if let Outcome::Broken(problem) = &outcome {
                    tracing::error!(problem, "the check of the log found something wrong");
                }
                let now = checkpoints.0.recorder.now();
                if let Some(verification) = checkpoints.verification().as_mut() {
                    verification.ended = Some((now, outcome));
                }
            });
        }
        verification
    }

    pub(super) async fn compare(&self) -> Result<Outcome, String> {
        let own = self.clone();
        let marks = tokio::task::spawn_blocking(move || own.marks()).await;
        let (marks, problem) = marks.map_err(|error| error.to_string())?;
        let checkpoints = marks.len();
        let verified = self.0.recorder.ledger().verify(marks).await.map_err(|broken| broken.to_string())?;
        match problem {
            None => Ok(Outcome::Whole { verified, checkpoints }),
            Some(problem) => Err(format!("the {} records are whole, but {problem}", verified.records)),
        }
    }

    /// The records of which there are checkpoints that can be believed, and what is wrong with the newest of the others.
    /// One bad checkpoint must not keep the log from being checked.
    fn marks(&self) -> (Vec<HeadMark>, Option<String>) {
        let newest: Vec<_> = {
            let file = self.file();
            (0..file.len()).rev().take(CHECKPOINTS_MAX).map(|place| (place, file.get(place))).collect()
        };
        let key = self.public_key();
        let (mut marks, mut problem) = (Vec::new(), None);
        for (place, read) in newest {
            let checked = match read {
                Ok(Some(checkpoint)) => checkpoint.check(&key).map_err(|error| {
                    format!("the checkpoint of record {} cannot be believed: {error}", checkpoint.number)
                }),
                Ok(None) => continue,
                Err(error) => Err(format!("checkpoint {} of this machine cannot be read: {error}", place + 1)),
            };
            match checked {
                Ok(mark) => marks.push(mark),
                Err(error) => drop(problem.get_or_insert(error)),
            }
        }
        (marks, problem)
    }

    fn verification(&self) -> MutexGuard<'_, Option<Verification>> {
        self.0.verification.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
