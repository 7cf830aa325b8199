//! KMSs as they were written out last, for the administrators, who all see the same. A KMS is read far more often than
//! it changes, and to write it out is a quarter of the work of reading it. What is kept holds for the very version of
//! the KMS (and the name of its connection) that it was made of, and is made anew for any other.

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

/// So many are kept by each thread that answers; then it begins anew.
const MOST: usize = 256;

struct CachedView {
    kms: Arc<Kms>,
    connection: String,
    text: Bytes,
}

thread_local! {
    static KEPT: RefCell<HashMap<KmsId, CachedView>> = RefCell::default();
}

/// A KMS, written out.
///
/// # Errors
/// When it cannot be, which does not happen.
pub fn kms(seen: KmsSeen) -> Result<Rendered<KmsView>, Problem> {
    if !matches!(seen.entries_of, EntriesOf::All) {
        return Ok(Rendered::new(write(seen)?));
    }
    KEPT.with_borrow_mut(|kept| {
        if let Some(known) = kept.get(&seen.kms.id).filter(|known| known.is_of(&seen)) {
            return Ok(Rendered::new(known.text.clone()));
        }
        if kept.len() >= MOST {
            kept.clear();
        }
        let (kms, connection) = (seen.kms.clone(), seen.connection.clone());
        let text = write(seen)?;
        kept.insert(kms.id, CachedView { kms, connection, text: text.clone() });
        Ok(Rendered::new(text))
    })
}

fn write(seen: KmsSeen) -> Result<Bytes, Problem> {
    let text = serde_json::to_vec(&KmsView::of(seen));
    Ok(text.map_err(|_| Failure::Internal("an answer could not be written"))?.into())
}

impl CachedView {
    fn is_of(&self, seen: &KmsSeen) -> bool {
        Arc::ptr_eq(&self.kms, &seen.kms) && self.connection == seen.connection
    }
}
