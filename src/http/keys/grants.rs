//! `GET /v1/cckm/aws/keys/{id}/grants`: the grants of a key, as AWS has them.

use crate::domain::key::aggregate::Key;
use crate::domain::key::grant::KeyGrant;
use crate::http::envelope::Envelope;
use crate::http::error::Problem;
use crate::http::guard::OnKey;
use crate::http::paging::{Columns, List, Listing, write_page};
use crate::service::Services;
use crate::service::access::ViewKey;
use crate::service::key_access::GrantFilter;
use crate::service::list::{Query, pool};
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

/// A grant of a key.
#[derive(Serialize, ToSchema)]
#[schema(as = Grant)]
pub struct GrantView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The id of the KMS.
    kms_id: String,
    /// The id of the key.
    key_id: String,
    /// The grant under AWS's names: `GrantId`, `Name`, `GranteePrincipal`, `RetiringPrincipal`, `IssuingAccount`,
    /// `Operations`, `Constraints`, `CreationDate`, `KeyId`.
    #[schema(value_type = Object)]
    aws_param: Value,
}

impl Columns for KeyGrant {
    const SORTS: &'static [&'static str] = &[];
    const FILTERS: &'static [&'static str] = &["GrantId", "Name", "GranteePrincipal"];
}

/// `GET /v1/cckm/aws/keys/{id}/grants`
pub async fn grants(
    auth: OnKey<ViewKey>,
    listing: Listing<KeyGrant>,
    services: Data<Services>,
) -> Result<List<GrantView>, Problem> {
    let query = listing.0;
    let given = |member: &str| -> Option<String> {
        let mut values = query.filters.iter().filter(|(name, _)| name == member).map(|(_, value)| value.clone());
        values.next().filter(|_| values.next().is_none())
    };
    let filter = GrantFilter { id: given("GrantId"), grantee: given("GranteePrincipal") };
    let grants = services.key_access.grants(&auth.permit, &filter).await?;
    let key = auth.permit.key().clone();
    Ok(List::of_body(pool::run(move || page(&key, grants, &query)).await??))
}

/// Writes the page of the grants that the filters admit.
fn page(key: &Key, mut grants: Vec<KeyGrant>, query: &Query) -> Result<Vec<u8>, Problem> {
    let value = |grant: &KeyGrant, member: &str| match member {
        "GrantId" => grant.id.clone(),
        "Name" => grant.name.clone(),
        _ => grant.grantee.clone(),
    };
    let matches = |grant: &KeyGrant, member: &str| {
        let mut given = query.filters.iter().filter(|(name, _)| name == member);
        given.any(|(_, wanted)| *wanted == value(grant, member))
    };
    grants.retain(|grant| query.filters.iter().all(|(member, _)| matches(grant, member)));
    let rows = grants.iter().skip(query.skip).take(query.limit.rows());
    write_page(query, query.limit, grants.len(), rows.map(|grant| GrantView::of(key, grant)))
}

impl GrantView {
    fn of(key: &Key, grant: &KeyGrant) -> Self {
        let mut aws_param = json!({
            "KeyId": key.metadata.arn.to_string(),
            "GrantId": grant.id,
            "Name": grant.name,
            "GranteePrincipal": grant.grantee,
            "IssuingAccount": grant.issuing_account,
            "Operations": grant.operations,
        });
        if let Some(created) = grant.created_at {
            aws_param["CreationDate"] = json!(created.to_string());
        }
        if let Some(retiring) = &grant.retiring {
            aws_param["RetiringPrincipal"] = json!(retiring);
        }
        let pairs =
            [("EncryptionContextEquals", &grant.context_equals), ("EncryptionContextSubset", &grant.context_subset)];
        for (name, pairs) in pairs.into_iter().filter_map(|(name, pairs)| Some((name, pairs.as_ref()?))) {
            aws_param["Constraints"][name] = json!(pairs);
        }
        let (id, created) = (id_of(key, grant), grant.created_at.unwrap_or(key.created));
        Self {
            envelope: Envelope::new(id, "cckm:aws-key-grant", id, created, created),
            kms_id: key.kms.to_string(),
            key_id: key.id.to_string(),
            aws_param,
        }
    }
}

/// An id that stays the same: AWS's id of a grant is longer than a UUID.
fn id_of(key: &Key, grant: &KeyGrant) -> Uuid {
    let start = grant.id.get(..32).and_then(|digits| u128::from_str_radix(digits, 16).ok()).unwrap_or_default();
    uuid::Builder::from_random_bytes((key.id.uuid().as_u128() ^ start).to_be_bytes()).into_uuid()
}
