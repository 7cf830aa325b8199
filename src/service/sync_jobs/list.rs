//! The list of synchronisation jobs: its filters and sort orders.

use super::sees;
use crate::domain::id::{JobId, KmsId};
use crate::domain::job::sync::{SyncJob, SyncScope};
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::service::caller::Caller;
use crate::service::list::{Candidates, Field, Listed};

/// A filter that the two lists set: clients cannot.
pub(super) const SCOPE: &str = "scope";

pub(super) fn scope(scope: SyncScope) -> &'static str {
    match scope {
        SyncScope::Keys => "keys",
        SyncScope::KeyStores => "custom-key-stores",
    }
}

impl Listed for SyncJob {
    type Rows = Table<JobId, Self>;
    const SORTS: &'static [&'static str] = &["id", "overall_status", "completed_at", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &["id", "kms", "overall_status", "abort"];
    const SEARCHES: &'static [&'static str] = &["id"];
    const IDENTITIES: &'static [&'static str] = &["id"];
    const SEES: Option<fn(&Caller, &Self) -> bool> = Some(sees);

    fn rows(state: &State) -> &Self::Rows {
        state.jobs.sync.all()
    }

    fn identified<'a>(_: &'a State, _: &str, value: &str) -> Candidates<'a, Self> {
        Box::new(JobId::parse(value).into_iter())
    }

    fn field(&self, member: &str, caller: &Caller) -> Field {
        let state = &caller.published.state;
        match member {
            "id" => Field::Text(self.id.to_string()),
            // Clients filter by the name or the id of a KMS.
            "kms" => Field::Texts(self.kms().into_iter().flat_map(|id| names(id, state)).collect()),
            "overall_status" => Field::Text(self.status().name().to_owned()),
            SCOPE => Field::Text(scope(self.scope).to_owned()),
            "abort" => Field::Flag(self.cancelled),
            "completed_at" => self.completed.map_or(Field::Absent, Field::Moment),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}

fn names(id: KmsId, state: &State) -> Vec<String> {
    state.kms.get(&id).map(|kms| kms.name.to_string()).into_iter().chain([id.to_string()]).collect()
}
