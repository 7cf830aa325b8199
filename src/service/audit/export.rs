//! All records that match a query, read in pieces: a client that takes them slowly holds no memory.

use super::merge::{Place, find};
use super::record::AuditRecord;
use super::{Audit, BATCH};
use crate::service::access::{Administer, Permit};
use crate::service::failure::Failure;
use crate::service::list::{Query, pool};
use std::sync::{Arc, PoisonError};

/// The records of an export that are still to be read.
pub struct AuditExport {
    audit: Audit,
    permit: Arc<Permit<Administer>>,
    places: std::vec::IntoIter<Place>,
}

impl Audit {
    /// Finds all records and failed attempts that match a query, in its order.
    ///
    /// # Errors
    /// When a filter has an invalid value, or the log cannot be read.
    pub async fn export(&self, permit: Permit<Administer>, query: &Query) -> Result<AuditExport, Failure> {
        super::filter::check(&query.filters)?;
        let oldest_first = query.sort.first().is_some_and(|(_, descending)| !descending);
        let head = permit.caller().published.head;
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
        Ok(AuditExport { audit: self.clone(), permit: Arc::new(permit), places: places.into_iter() })
    }
}

impl AuditExport {
    /// The next records; none at the end.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn next(&mut self) -> Result<Vec<AuditRecord>, Failure> {
        loop {
            let places: Vec<_> = self.places.by_ref().take(BATCH).collect();
            let records = self.audit.read(&self.permit, &places).await?;
            // Attempts may have been dropped since they were found.
            if !records.is_empty() || places.is_empty() {
                return Ok(records);
            }
        }
    }
}
