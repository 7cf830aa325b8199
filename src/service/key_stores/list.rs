//! The lists of stores and of credentials: their filters and sort orders.

use crate::domain::id::KeyStoreId;
use crate::domain::key_store::{Connectivity, KeyStore, StoreKind};
use crate::domain::name::KeyStoreName;
use crate::domain::place::Partition;
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::service::access;
use crate::service::caller::Caller;
use crate::service::list::{Candidates, Field, Listed};

/// The types of custom key stores, as AWS names them.
pub(super) const EXTERNAL_KEY_STORE: &str = "EXTERNAL_KEY_STORE";
pub(super) const AWS_CLOUDHSM: &str = "AWS_CLOUDHSM";

impl Listed for KeyStore {
    type Rows = Table<KeyStoreId, Self>;
    const SORTS: &'static [&'static str] =
        &["id", "name", "kms", "kms_id", "region", "type", "connection_state", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &[
        "id",
        "name",
        "kms",
        "kms_id",
        "region",
        "cloud_name",
        "type",
        "custom_key_store_type",
        "connection_state",
        "source_key_tier",
        "xks_proxy_connectivity",
        "blocked",
        "linked_state",
        "gone",
    ];
    const WORDS: &'static [(&'static str, &'static [&'static str])] = &[
        ("cloud_name", Partition::NAMES),
        ("type", StoreKind::NAMES),
        ("custom_key_store_type", &[EXTERNAL_KEY_STORE, AWS_CLOUDHSM]),
        ("xks_proxy_connectivity", Connectivity::NAMES),
        ("blocked", &["true", "false"]),
        ("linked_state", &["true", "false"]),
        ("gone", &["true", "false"]),
    ];
    const SEARCHES: &'static [&'static str] = &["id", "name"];
    const IDENTITIES: &'static [&'static str] = &["id", "name"];
    const SEES: Option<fn(&Caller, &Self) -> bool> =
        Some(|caller, store| access::sees_key_store(&caller.user, &caller.published.state, store));

    fn rows(state: &State) -> &Self::Rows {
        &state.key_stores
    }

    fn identified<'a>(state: &'a State, member: &str, value: &str) -> Candidates<'a, Self> {
        if member == "id" {
            return Box::new(KeyStoreId::parse(value).into_iter());
        }
        let name = KeyStoreName::parse(value).ok();
        let named: Vec<_> =
            name.iter().flat_map(|name| state.key_stores.all_named(name)).map(|store| store.id).collect();
        Box::new(named.into_iter())
    }

    fn field(&self, member: &str, caller: &Caller) -> Field {
        let state = &caller.published.state;
        let kms = state.kms.get(&self.kms);
        let settings = self.local.as_ref().map(|local| &local.settings);
        let proxy = self.at_aws.as_ref().and_then(|seen| seen.proxy.as_ref());
        let text = |text: &str| Field::Text(text.to_owned());
        match member {
            "id" => Field::Text(self.id.to_string()),
            "name" => text(self.name.as_str()),
            "kms" => {
                Field::Texts(kms.map(|kms| kms.name.to_string()).into_iter().chain([self.kms.to_string()]).collect())
            }
            "kms_id" => Field::Text(self.kms.to_string()),
            "region" => text(self.region.as_str()),
            "cloud_name" => kms.map_or(Field::Absent, |kms| text(kms.cloud.as_str())),
            "type" => text(self.kind().name()),
            "custom_key_store_type" => text(self.aws_type()),
            "connection_state" => text(self.connection_state()),
            "source_key_tier" => settings.map_or(Field::Absent, |settings| text(&settings.source_key_tier)),
            "xks_proxy_connectivity" => match (settings, proxy) {
                (Some(settings), _) => text(settings.connectivity.name()),
                (None, Some(proxy)) => text(&proxy.connectivity),
                (None, None) => Field::Absent,
            },
            "blocked" => Field::Flag(self.local.as_ref().is_some_and(|local| local.blocked)),
            "linked_state" => Field::Flag(self.is_linked()),
            "gone" => Field::Flag(self.gone),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}

impl KeyStore {
    /// AWS's name of the type of the store.
    pub fn aws_type(&self) -> &'static str {
        match self.kind() {
            StoreKind::CloudHsm => AWS_CLOUDHSM,
            StoreKind::Local | StoreKind::Remote => EXTERNAL_KEY_STORE,
        }
    }

    /// The state of the connection in AWS's words. An unlinked store is disconnected.
    pub fn connection_state(&self) -> &str {
        match &self.at_aws {
            Some(seen) if !self.gone => seen.connection_state.as_str(),
            Some(_) | None => "DISCONNECTED",
        }
    }
}
