//! The list of synchronisation jobs: what can be filtered and sorted by.

use super::sees;
use crate::domain::job::sync::SyncJob;
use crate::domain::state::State;
use crate::service::caller::Caller;
use crate::service::failure::Failure;
use crate::service::list::{self, Field, Listed, Page, Query};

/// The jobs that a caller may see and that match a query.
pub(super) fn page(caller: &Caller, query: &Query) -> Result<Page<SyncJob>, Failure> {
    let state = &caller.published.state;
    let sees = |job: &SyncJob| sees(caller, job);
    list::page_for(caller, state.jobs.sync.all(), query, state, sees)
}

impl Listed for SyncJob {
    type Around = State;
    const SORTS: &'static [&'static str] = &["id", "overall_status", "completed_at", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &["id", "kms", "overall_status", "abort"];

    fn field(&self, member: &str, state: &State) -> Field {
        match member {
            "id" => Field::Text(self.id.to_string()),
            // Clients give a KMS by its name or by its id.
            "kms" => Field::Texts(self.kms().into_iter().flat_map(|id| names(id, state)).collect()),
            "overall_status" => Field::Text(self.status().name().to_owned()),
            "abort" => Field::Flag(self.cancelled),
            "completed_at" => self.completed.map_or(Field::Absent, Field::Moment),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}

fn names(id: crate::domain::id::KmsId, state: &State) -> Vec<String> {
    state.kms.get(&id).map(|kms| kms.name.to_string()).into_iter().chain([id.to_string()]).collect()
}
