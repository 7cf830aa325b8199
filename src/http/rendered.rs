//! A cache of serialised KMSs for administrators, who all see the same. A KMS is read far more often than it changes,
//! and the serialisation is a quarter of the work of a read. An entry is valid only for the version of the KMS, and the
//! name of its connection, from which it was made.

use super::answer::Rendered;
use super::error::Problem;
use super::kms::KmsView;
use crate::domain::id::KmsId;
use crate::domain::kms::Kms;
use crate::service::failure::Failure;
use crate::service::kms::{EntriesOf, KmsSeen};
use actix_web::web::Bytes;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// The largest number of entries in the cache of a thread; a full cache is cleared.
const CACHE_MAX: usize = 256;

struct CachedView {
    kms: Arc<Kms>,
    connection: String,
    text: Bytes,
}

thread_local! {
    static CACHE: RefCell<HashMap<KmsId, CachedView>> = RefCell::default();
}

/// A serialised KMS, from the cache if the caller sees all of it.
///
/// # Errors
/// [`Problem`] if the serialisation fails, which is a defect.
pub fn kms(seen: KmsSeen) -> Result<Rendered<KmsView>, Problem> {
    if !matches!(seen.entries_of, EntriesOf::All) {
        return Ok(Rendered::new(write(seen)?));
    }
    CACHE.with_borrow_mut(|cache| {
        if let Some(cached) = cache.get(&seen.kms.id).filter(|cached| cached.is_valid_for(&seen)) {
            return Ok(Rendered::new(cached.text.clone()));
        }
        if cache.len() >= CACHE_MAX {
            cache.clear();
        }
        let (kms, connection) = (seen.kms.clone(), seen.connection.clone());
        let text = write(seen)?;
        cache.insert(kms.id, CachedView { kms, connection, text: text.clone() });
        Ok(Rendered::new(text))
    })
}

fn write(seen: KmsSeen) -> Result<Bytes, Problem> {
    let text = serde_json::to_vec(&KmsView::of(seen));
    Ok(text.map_err(|_| Failure::Internal("an answer could not be written"))?.into())
}

impl CachedView {
    fn is_valid_for(&self, seen: &KmsSeen) -> bool {
        Arc::ptr_eq(&self.kms, &seen.kms) && self.connection == seen.connection
    }
}
