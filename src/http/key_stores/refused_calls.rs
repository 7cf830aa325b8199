//! `GET /v1/cckm/aws/custom-key-stores/{id}/refused-calls`: the last calls of AWS that the XKS proxy refused.

use crate::domain::key_store::event::ProxyCall;
use crate::http::error::Problem;
use crate::http::guard::OnKeyStore;
use crate::http::paging::{Columns, List, Listing, write_page};
use crate::service::Services;
use crate::service::access::ViewKeyStore;
use crate::service::key_stores::refused_calls;
use crate::service::list::Words;
use actix_web::web::Data;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A call of AWS that was refused.
#[derive(Serialize, ToSchema)]
#[schema(as = RefusedCall)]
pub struct RefusedCallView {
    /// The time of the call.
    at: String,
    /// The operation: `health`, `metadata`, `encrypt` or `decrypt`.
    operation: String,
    /// The error that AWS was answered.
    #[schema(example = "InvalidStateException")]
    error: String,
    /// Why, in words.
    message: String,
    /// The caller rule that did not admit the call, such as `key store: principals`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rule: Option<String>,
    /// The id of the key that the call names, which need not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    xks_key_id: Option<String>,
    /// The access key id that the call names; not proven if the signature is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    access_key_id: Option<String>,
    /// The id of the request to AWS KMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kms_request_id: Option<String>,
    /// The operation of AWS KMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kms_operation: Option<String>,
    /// The ARN of the key at AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kms_key_arn: Option<String>,
    /// The ARN of who called AWS KMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    principal: Option<String>,
    /// The service that called AWS KMS for the principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    via_service: Option<String>,
    /// The VPC of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    source_vpc: Option<String>,
    /// The VPC endpoint of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    source_vpce: Option<String>,
}

/// The members of the query for refused calls.
pub struct RefusedCallColumns;

impl Columns for RefusedCallColumns {
    const SORTS: &'static [&'static str] = &[];
    const FILTERS: &'static [&'static str] = refused_calls::FILTERS;
    const WORDS: Words = refused_calls::WORDS;
}

/// `GET /v1/cckm/aws/custom-key-stores/{id}/refused-calls`
pub async fn list(
    auth: OnKeyStore<ViewKeyStore>,
    listing: Listing<RefusedCallColumns>,
    services: Data<Services>,
) -> Result<List<RefusedCallView>, Problem> {
    let query = listing.0;
    let calls = services.key_stores.refused_calls(&auth.permit, &query)?;
    let rows = calls.iter().skip(query.skip).take(query.limit.rows());
    let rows = rows.map(|call: &Arc<ProxyCall>| RefusedCallView::of(call));
    Ok(List::of_body(write_page(&query, query.limit, calls.len(), rows)?))
}

impl RefusedCallView {
    fn of(call: &ProxyCall) -> Self {
        let call = call.clone();
        Self {
            at: call.at.to_string(),
            operation: call.operation,
            error: call.error.unwrap_or_default(),
            message: call.message,
            rule: call.rule,
            xks_key_id: call.xks_key_id,
            access_key_id: call.access_key_id,
            kms_request_id: call.kms_request_id,
            kms_operation: call.kms_operation,
            kms_key_arn: call.kms_key_arn,
            principal: call.principal,
            via_service: call.via_service,
            source_vpc: call.source_vpc,
            source_vpce: call.source_vpce,
        }
    }
}
