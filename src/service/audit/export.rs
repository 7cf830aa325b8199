//! All records that match a query, read in pieces. A client that takes them slowly holds the places of the records in
//! memory, some bytes each, but not the records; so only a few exports are open at a time.

use super::merge::{Place, find};
use super::record::AuditRecord;
use super::{Audit, BATCH};
use crate::domain::id::{SessionId, UserId};
use crate::service::access::{Administer, Permit};
use crate::service::caller::Caller;
use crate::service::failure::Failure;
use crate::service::list::{Query, pool};
use crate::service::tokens::signed_in;
use std::sync::PoisonError;
use tokio::sync::OwnedSemaphorePermit;

/// The most exports that are open at a time.
pub(super) const EXPORTS_MAX: usize = 4;

/// The records of an export that are still to be read.
pub struct AuditExport {
    audit: Audit,
    reader: Reader,
    places: std::vec::IntoIter<Place>,
    /// Its place among the exports that may be open.
    _open: OwnedSemaphorePermit,
}

/// Who reads an export. A download has no end of its own, so the right is checked for each piece.
#[derive(Clone, Copy)]
struct Reader {
    session: SessionId,
    user: UserId,
}

impl Audit {
    /// Finds all records and failed attempts that match a query, in its order.
    ///
    /// # Errors
    /// When a filter has an invalid value, or the log cannot be read; [`Failure::TooManyDownloads`].
    pub async fn export(&self, permit: Permit<Administer>, query: &Query) -> Result<AuditExport, Failure> {
        super::filter::check(&query.filters)?;
        let open = self.exports.clone().try_acquire_owned().map_err(|_| Failure::TooManyDownloads(EXPORTS_MAX))?;
        let caller = permit.caller();
        let session = caller.session().ok_or(Failure::Internal("a download belongs to a session"))?;
        let reader = Reader { session, user: caller.user.id };
        let oldest_first = query.sort.first().is_some_and(|(_, descending)| !descending);
        let head = caller.published.head;
        while self.known() < head && self.grow().await? {}
        let attempts = self.attempts.clone();
        let attempted = pool::run(move || attempts.current()).await??;
        let (columns, filters) = (self.columns.clone(), query.filters.clone());
        let (skip, rows) = (query.skip, query.limit.rows());
        let found = pool::run(move || {
            let columns = columns.read().unwrap_or_else(PoisonError::into_inner);
            let attempted = attempted.read().unwrap_or_else(PoisonError::into_inner);
            find(&columns, &attempted, &filters, head, oldest_first, skip, rows)
        });
        let (_, places) = found.await??;
        Ok(AuditExport { audit: self.clone(), reader, places: places.into_iter(), _open: open })
    }
}

impl AuditExport {
    /// The next records; none at the end.
    ///
    /// # Errors
    /// When the log cannot be read, or the reader's session or right has ended.
    pub async fn next(&mut self) -> Result<Vec<AuditRecord>, Failure> {
        loop {
            let places: Vec<_> = self.places.by_ref().take(BATCH).collect();
            let records = self.audit.read(&self.permit()?, &places).await?;
            // Attempts may have been dropped since they were found.
            if !records.is_empty() || places.is_empty() {
                return Ok(records);
            }
        }
    }

    /// The reader's permit of this moment.
    fn permit(&self) -> Result<Permit<Administer>, Failure> {
        let Reader { session, user } = self.reader;
        let (published, now) = (self.audit.recorder.state(), self.audit.recorder.now());
        let user = signed_in(&published, now, session, user)?;
        Permit::authorize(Caller::present(user, session, published, now))
    }
}
