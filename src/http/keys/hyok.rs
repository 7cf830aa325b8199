//! Keys that this manager holds, in external key stores that it serves.

use super::creation::{AwsParamBody, described};
use super::policy::PolicyBody;
use super::protection::ProtectionBody;
use super::view::KeyView;
use crate::domain::id::{KeyId, KeyStoreId, SourceKeyId};
use crate::domain::key::hyok::HyokKey;
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;
use crate::http::answer::{Created, Json};
use crate::http::body::{Body, BodyOrNone, optional, read_as, required};
use crate::http::envelope::maybe_rfc3339;
use crate::http::error::Problem;
use crate::http::guard::{Authorized, OnKey};
use crate::http::key_stores::{CallerRulesBody, tier};
use crate::http::paging::{Columns, List, Listing};
use crate::service::Services;
use crate::service::access::{BlockHyokKey, LinkHyokKey, SignedIn, UpdateKey, ViewKey};
use crate::service::keys::{HyokRequest, KeySeen, LinkRequest, PolicyChoice, VersionSeen};
use crate::service::list::Query;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A HYOK key to create.
#[derive(Deserialize, ToSchema)]
#[schema(as = HyokKeyRequest)]
pub struct HyokBody {
    /// What only this manager knows of the key.
    #[serde(default, deserialize_with = "optional")]
    local_hosted_params: Option<HyokLocalBody>,
    /// What AWS is told when the key is linked.
    #[serde(default, deserialize_with = "optional")]
    aws_param: Option<AwsParamBody>,
    /// The callers that the key serves; everybody whom the store serves by default.
    #[serde(default, deserialize_with = "optional")]
    caller_rules: Option<CallerRulesBody>,
    #[serde(flatten)]
    policy: PolicyBody,
}

/// What only this manager knows of a HYOK key.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = HyokLocalParams)]
pub(super) struct HyokLocalBody {
    /// The id of the custom key store, which this manager serves.
    #[serde(default, deserialize_with = "optional")]
    custom_key_store_id: Option<String>,
    /// The id of the source key: AES-256, unexportable, undeletable.
    #[serde(default, deserialize_with = "optional")]
    source_key_id: Option<String>,
    /// The tier of the source key; that of the store by default.
    #[serde(default, deserialize_with = "optional")]
    source_key_tier: Option<String>,
    /// Whether the key refuses all requests.
    #[serde(default, deserialize_with = "optional")]
    blocked: Option<bool>,
    /// Whether the key is created at AWS at once; its store must be linked and connected.
    #[serde(default, deserialize_with = "optional")]
    linked_state: Option<bool>,
}

/// The settings with which AWS creates a HYOK key; what is absent is as the key was created here.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = LinkKeyRequest)]
pub struct LinkBody {
    /// What AWS is told.
    #[serde(default, deserialize_with = "optional")]
    aws_param: Option<AwsParamBody>,
    /// Accept a policy under which nobody could change the policy of the key any more.
    #[serde(default, rename = "BypassPolicyLockoutSafetyCheck", deserialize_with = "optional")]
    bypass_policy_lockout_safety_check: Option<bool>,
    #[serde(flatten)]
    policy: PolicyBody,
    #[serde(flatten)]
    protection: ProtectionBody,
}

/// New rules about the callers of a key.
#[derive(Deserialize, ToSchema)]
#[schema(as = CallerRulesChange)]
pub struct RulesBody {
    /// The rules, which replace the present ones.
    #[serde(default, deserialize_with = "optional")]
    caller_rules: Option<CallerRulesBody>,
}

/// What only this manager knows of a HYOK key.
#[derive(Serialize, ToSchema)]
#[schema(as = HyokLocal)]
pub(super) struct HyokView {
    /// The id of the custom key store.
    custom_key_store_id: String,
    /// The id of the source key that encrypts.
    source_key_id: String,
    /// The tier of the source key.
    source_key_tier: String,
    /// Whether the key refuses all requests.
    blocked: bool,
    /// Whether AWS knows the key.
    linked_state: bool,
    /// The number of the version that encrypts.
    version: u32,
    /// The id by which AWS asks the proxy for the key.
    xks_key_id: String,
}

/// A version of a HYOK key.
#[derive(Serialize, ToSchema)]
#[schema(as = HyokKeyVersion)]
pub struct VersionView {
    /// The id of the version.
    id: String,
    /// The number of the version, from 1 on.
    version: u32,
    /// The id of its source key.
    source_key_id: String,
    /// The name of its source key.
    source_key_name: String,
    /// The number of the source key's version, from 1 on.
    source_key_version: u32,
    /// `active` for the version that encrypts, `retired` for the others, which decrypt.
    state: &'static str,
    /// The time at which the version was made.
    #[serde(rename = "createdAt")]
    created_at: String,
    /// When it last encrypted, since the program started.
    #[serde(serialize_with = "maybe_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_encrypt_at: Option<crate::domain::time::Time>,
    /// When it last decrypted, since the program started.
    #[serde(serialize_with = "maybe_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_decrypt_at: Option<crate::domain::time::Time>,
}

impl Columns for VersionSeen {
    const SORTS: &'static [&'static str] = &["version"];
    const FILTERS: &'static [&'static str] = &[];
}

/// `POST /v1/cckm/aws/create-hyok-key`
pub async fn create(
    auth: Authorized<SignedIn>,
    body: Body<HyokBody>,
    services: Data<Services>,
) -> Result<Created<KeyView>, Problem> {
    let seen = services.keys.create_hyok(&auth.permit, &auth.context, body.0.request()?).await?;
    Ok(Created(KeyView::of(seen)))
}

/// `POST /v1/cckm/aws/keys/{id}/link`
pub async fn link(
    auth: OnKey<LinkHyokKey>,
    body: BodyOrNone<LinkBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let request = body.0.request()?;
    Ok(Json(KeyView::of(services.keys.link_hyok(&auth.permit, &auth.context, request).await?)))
}

/// `POST /v1/cckm/aws/keys/{id}/block`
pub async fn block(auth: OnKey<BlockHyokKey>, services: Data<Services>) -> Result<Json<KeyView>, Problem> {
    Ok(Json(KeyView::of(services.keys.set_blocked(&auth.permit, &auth.context, true).await?)))
}

/// `POST /v1/cckm/aws/keys/{id}/unblock`
pub async fn unblock(auth: OnKey<BlockHyokKey>, services: Data<Services>) -> Result<Json<KeyView>, Problem> {
    Ok(Json(KeyView::of(services.keys.set_blocked(&auth.permit, &auth.context, false).await?)))
}

/// `POST /v1/cckm/aws/keys/{id}/caller-rules`
pub async fn caller_rules(
    auth: OnKey<UpdateKey>,
    body: Body<RulesBody>,
    services: Data<Services>,
) -> Result<Json<KeyView>, Problem> {
    let rules = required("caller_rules", body.0.caller_rules)?.rules();
    Ok(Json(KeyView::of(services.keys.set_caller_rules(&auth.permit, &auth.context, rules).await?)))
}

/// `GET /v1/cckm/aws/keys/{id}/counters`
pub async fn counters(auth: OnKey<ViewKey>, services: Data<Services>) -> Result<Json<KeyCountersView>, Problem> {
    let rows = services.keys.versions(auth.permit.key(), &auth.permit.caller().published.state)?;
    Ok(Json(KeyCountersView { versions: rows.iter().map(VersionCountersView::of).collect() }))
}

/// `GET /v1/cckm/aws/keys/{id}/versions`
pub async fn versions(
    auth: OnKey<ViewKey>,
    listing: Listing<VersionSeen>,
    services: Data<Services>,
) -> Result<List<VersionView>, Problem> {
    let (key, query) = (auth.permit.key(), &listing.0);
    let rows = services.keys.versions(key, &auth.permit.caller().published.state)?;
    VersionView::page(key.id, rows, query)
}

/// What the XKS proxy has counted for a HYOK key.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyCounters)]
pub struct KeyCountersView {
    /// The versions, newest first.
    versions: Vec<VersionCountersView>,
}

/// What the XKS proxy has counted for a version of a HYOK key.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyVersionCounters)]
struct VersionCountersView {
    /// The number of the version, from 1 on.
    version: u32,
    /// At least the number of encryptions since the version was made. After each start of the program it is up to
    /// 2^21 higher. From 2^31 on the key should be rotated.
    encryptions: u64,
    /// The last encryption since the program started.
    #[serde(serialize_with = "maybe_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_encrypt_at: Option<Time>,
    /// The last decryption since the program started.
    #[serde(serialize_with = "maybe_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_decrypt_at: Option<Time>,
}

impl VersionCountersView {
    fn of(row: &VersionSeen) -> Self {
        Self {
            version: row.number,
            encryptions: row.encryptions,
            last_encrypt_at: row.last_encrypt,
            last_decrypt_at: row.last_decrypt,
        }
    }
}

impl HyokBody {
    fn request(self) -> Result<HyokRequest, Refusal> {
        const STORE: &str = "local_hosted_params.custom_key_store_id";
        const SOURCE: &str = "local_hosted_params.source_key_id";
        let local = self.local_hosted_params.unwrap_or_default();
        let mut aws = self.aws_param.unwrap_or_default();
        Ok(HyokRequest {
            store: read_as(STORE, &required(STORE, local.custom_key_store_id)?, KeyStoreId::parse)?,
            source: read_as(SOURCE, &required(SOURCE, local.source_key_id)?, SourceKeyId::parse)?,
            source_key_tier: tier("local_hosted_params.source_key_tier", local.source_key_tier)?,
            blocked: local.blocked.unwrap_or_default(),
            linked: local.linked_state.unwrap_or_default(),
            bypass_lockout_check: aws.bypasses_lockout_check(),
            caller_rules: self.caller_rules.map(CallerRulesBody::rules).unwrap_or_default(),
            aliases: aws.aliases()?,
            description: described("aws_param.Description", aws.take_description().unwrap_or_default())?,
            policy: self.policy.choice("aws_param.Policy", aws.take_policy())?,
            tags: aws.tags()?,
        })
    }
}

impl LinkBody {
    fn request(self) -> Result<LinkRequest, Refusal> {
        self.protection.refuse()?;
        let mut aws = self.aws_param.unwrap_or_default();
        let description = aws.take_description().map(|text| described("aws_param.Description", text));
        let policy = match self.policy.choice("aws_param.Policy", aws.take_policy())? {
            PolicyChoice::Default => None,
            choice => Some(choice),
        };
        Ok(LinkRequest {
            alias: aws.aliases()?.pop(),
            description: description.transpose()?,
            policy,
            bypass_lockout_check: aws.bypasses_lockout_check()
                || self.bypass_policy_lockout_safety_check.unwrap_or(false),
            tags: aws.given_tags()?,
        })
    }
}

impl HyokView {
    pub(super) fn of(seen: &KeySeen, hyok: &HyokKey) -> Self {
        Self {
            custom_key_store_id: hyok.store.to_string(),
            source_key_id: seen.source.map(|source| source.to_string()).unwrap_or_default(),
            source_key_tier: hyok.source_key_tier.clone(),
            blocked: hyok.blocked,
            linked_state: hyok.linked,
            version: hyok.active(),
            xks_key_id: seen.key.id.to_string(),
        }
    }
}

impl VersionView {
    /// A page of the versions of a key, which are newest first.
    pub(super) fn page(key: KeyId, mut rows: Vec<VersionSeen>, query: &Query) -> Result<List<Self>, Problem> {
        if query.sort.first().is_some_and(|(_, descending)| !descending) {
            rows.reverse();
        }
        let page = rows.iter().skip(query.skip).take(query.limit.rows()).map(|row| Self::of(key.uuid().as_u128(), row));
        List::of(query, query.limit, rows.len(), page)
    }

    fn of(key: u128, seen: &VersionSeen) -> Self {
        // A version has no id of its own: this one stays the same.
        let id = uuid::Builder::from_random_bytes((key ^ (u128::from(seen.number) << 64)).to_be_bytes()).into_uuid();
        Self {
            id: id.to_string(),
            version: seen.number,
            source_key_id: seen.source_id.to_string(),
            source_key_name: seen.source_name.clone(),
            source_key_version: seen.source_version,
            state: if seen.is_active { "active" } else { "retired" },
            created_at: seen.version.created.to_string(),
            last_encrypt_at: seen.last_encrypt,
            last_decrypt_at: seen.last_decrypt,
        }
    }
}
