//! `GET /v1/cckm/aws/posture`: how the keys stand, and the keys of a finding.

use super::answer::Json;
use super::describe::{Described, Description};
use super::error::Problem;
use super::guard::Authorized;
use super::paging::{self, Columns, List, Listing};
use super::query::{members, unknown_member};
use crate::domain::key::aggregate::Key;
use crate::service::Services;
use crate::service::access::SignedIn;
use crate::service::posture::{AGES, Counts, DayOfTrend, PostureSeen, Rule};
use actix_web::dev::Payload;
use actix_web::web::{Data, Path};
use actix_web::{FromRequest, HttpRequest};
use serde::Serialize;
use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, Object, Type};

/// How the keys stand that the caller may view.
#[derive(Serialize, ToSchema)]
#[schema(as = Posture)]
pub struct PostureView {
    /// The time of the answer.
    at: String,
    #[serde(flatten)]
    counts: CountsView,
    /// Each KMS by itself.
    kms: Vec<KmsPostureView>,
    /// The last 30 days, oldest first: the sums of the KMSs all of whose keys the caller may view.
    trend: Vec<DayView>,
}

/// How the keys of one KMS stand.
#[derive(Serialize, ToSchema)]
#[schema(as = KmsPosture)]
struct KmsPostureView {
    /// The name of the KMS.
    kms: String,
    /// The id of the KMS.
    kms_id: String,
    /// The AWS account of the KMS.
    account_id: String,
    #[serde(flatten)]
    counts: CountsView,
    /// The last 30 days, oldest first; only if the caller may view all keys of the KMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    trend: Option<Vec<DayView>>,
}

/// Numbers of keys.
#[derive(Serialize, ToSchema)]
#[schema(as = PostureCounts)]
struct CountsView {
    /// The keys that AWS has.
    keys: u64,
    /// Those of them with any finding.
    keys_with_findings: u64,
    /// Entries of keys that AWS no longer has; they are not counted otherwise.
    gone: u64,
    /// The keys by AWS's state.
    by_state: BTreeMap<String, u64>,
    /// The keys by spec.
    by_spec: BTreeMap<String, u64>,
    /// The keys by the origin of their material.
    by_origin: BTreeMap<String, u64>,
    /// The keys by region.
    by_region: BTreeMap<String, u64>,
    /// The keys by age.
    by_age: Vec<AgeView>,
    /// The keys of which AWS says when they were last used, or that they were not.
    last_use_known: u64,
    /// The other keys.
    last_use_not_known: u64,
    /// The rules, the most severe first, also those without keys.
    findings: Vec<FindingView>,
}

/// The keys of an age.
#[derive(Serialize, ToSchema)]
#[schema(as = PostureAge)]
struct AgeView {
    /// The least age in days.
    from_days: i64,
    /// The age in days that is not reached; absent for the oldest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    below_days: Option<i64>,
    /// The number of keys.
    keys: u64,
}

/// A rule, and the number of keys that break it.
#[derive(Serialize, ToSchema)]
#[schema(as = Finding)]
struct FindingView {
    /// The name of the rule.
    #[schema(example = "policy_everyone")]
    rule: &'static str,
    /// `critical`, `high`, `medium` or `low`.
    severity: &'static str,
    /// The finding in a sentence.
    title: &'static str,
    /// What to do.
    remedy: &'static str,
    /// The number of keys.
    keys: u64,
}

/// The numbers of a day.
#[derive(Serialize, ToSchema)]
#[schema(as = PostureDay)]
struct DayView {
    /// The day, in UTC.
    #[schema(example = "2026-11-29")]
    day: String,
    /// The keys that AWS had.
    keys: u64,
    /// Those with any finding.
    keys_with_findings: u64,
    /// The number of keys of each rule with findings.
    findings: BTreeMap<String, u64>,
}

/// A key that breaks a rule.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyFinding)]
pub struct KeyFindingView {
    /// The id of the key.
    id: String,
    /// The ARN of the key.
    arn: String,
    /// AWS's id of the key.
    keyid: String,
    /// The aliases of the key.
    alias: Vec<String>,
    /// The name of the KMS.
    kms: String,
    /// The id of the KMS.
    kms_id: String,
    /// The AWS account of the key.
    account_id: String,
    /// The region of the key.
    region: String,
    /// The spec of the key.
    key_spec: String,
    /// AWS's state of the key.
    key_state: String,
    /// The origin of its material.
    origin: String,
    /// The rule; with `any`, all that the key breaks, the most severe first.
    rules: Vec<&'static str>,
    /// The severity of the first one.
    severity: &'static str,
    /// The finding about this key in a sentence, or the findings.
    detail: String,
}

/// The name of a rule that every key with a finding breaks.
const ANY_RULE: &str = "any";

/// `?kms=`, repeated.
pub struct PostureQuery(pub(super) Vec<String>);

/// The members of the query for the keys of a finding.
pub struct FindingColumns;

impl Columns for FindingColumns {
    const SORTS: &'static [&'static str] = &[];
    const FILTERS: &'static [&'static str] = &["kms", "region"];
}

/// `GET /v1/cckm/aws/posture`
pub async fn get(
    auth: Authorized<SignedIn>,
    query: PostureQuery,
    services: Data<Services>,
) -> Result<Json<PostureView>, Problem> {
    Ok(Json(PostureView::of(services.posture.get(&auth.permit, &query.0).await?)))
}

/// `GET /v1/cckm/aws/posture/findings/{rule}`
pub async fn findings(
    auth: Authorized<SignedIn>,
    rule: Path<String>,
    listing: Listing<FindingColumns>,
    services: Data<Services>,
) -> Result<List<KeyFindingView>, Problem> {
    let rule = match (Rule::parse(&rule), rule.as_str()) {
        (None, ANY_RULE) => None,
        (Some(rule), _) => Some(rule),
        (None, _) => {
            let names: Vec<&str> = Rule::ALL.into_iter().map(Rule::name).chain([ANY_RULE]).collect();
            return Err(Problem::query("rule", format!("must be one of {}", names.join(", "))));
        }
    };
    let (page, caller) = services.posture.findings(&auth.permit, rule, &listing.0).await?;
    let posture = services.posture.clone();
    let view = move |key: &Arc<Key>| {
        let state = &caller.published.state;
        let name = state.kms.get(&key.kms).map(|kms| kms.name.to_string());
        let rules = rule.map_or_else(|| posture.broken_by(key, state), |rule| vec![rule]);
        let details: Vec<String> = rules.iter().map(|rule| posture.detail(*rule, key, state)).collect();
        KeyFindingView::of(key, name.unwrap_or_default(), &rules, details.join("; "))
    };
    // A detail may read a policy.
    paging::answer_apart(page, view).await
}

impl FromRequest for PostureQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()))
    }
}

/// The largest number of KMSs in a query.
const KMS_MAX: usize = 200;

fn parse(query: &str) -> Result<PostureQuery, Problem> {
    let mut kms = Vec::new();
    for (name, value) in members(query).into_iter().filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            "kms" if kms.len() >= KMS_MAX => {
                return Err(Problem::query("kms", format!("must be given at most {KMS_MAX} times")));
            }
            "kms" => kms.push(value),
            // The guard reads it.
            "dry_run" => {}
            other => return Err(unknown_member(other, &["kms"])),
        }
    }
    Ok(PostureQuery(kms))
}

impl Described for PostureQuery {
    fn describe(to: &mut Description) {
        let text = "The names or ids of KMSs; all that the caller may view by default.";
        to.queries("kms", text, Array::new(Object::with_type(Type::String)));
        to.may_fail(&[400, 404]);
    }
}

impl PostureView {
    fn of(seen: PostureSeen) -> Self {
        let kms = seen.kms.into_iter().map(|one| KmsPostureView {
            kms: one.kms.name.to_string(),
            kms_id: one.kms.id.to_string(),
            account_id: one.kms.account.to_string(),
            counts: CountsView::of(one.counts),
            trend: one.trend.map(|days| days.into_iter().map(DayView::of).collect()),
        });
        Self {
            at: seen.at.to_string(),
            kms: kms.collect(),
            counts: CountsView::of(seen.total),
            trend: seen.trend.into_iter().map(DayView::of).collect(),
        }
    }
}

impl CountsView {
    fn of(counts: Counts) -> Self {
        let ends = AGES.into_iter().skip(1).map(Some).chain([None]);
        let ages = AGES.into_iter().zip(ends).zip(counts.by_age);
        let findings = Rule::ALL.into_iter().map(|rule| FindingView {
            rule: rule.name(),
            severity: rule.severity().name(),
            title: rule.title(),
            remedy: rule.remedy(),
            keys: counts.of_rule(rule),
        });
        Self {
            findings: findings.collect(),
            by_age: ages.map(|((from_days, below_days), keys)| AgeView { from_days, below_days, keys }).collect(),
            keys: counts.keys,
            keys_with_findings: counts.keys_with_findings,
            gone: counts.gone,
            by_state: counts.by_state,
            by_spec: counts.by_spec,
            by_origin: counts.by_origin,
            by_region: counts.by_region,
            last_use_known: counts.last_use_known,
            last_use_not_known: counts.keys - counts.last_use_known,
        }
    }
}

impl DayView {
    fn of(day: DayOfTrend) -> Self {
        let DayOfTrend { day, keys, keys_with_findings, findings } = day;
        Self { day, keys, keys_with_findings, findings }
    }
}

impl KeyFindingView {
    fn of(key: &Key, kms: String, rules: &[Rule], detail: String) -> Self {
        let metadata = &key.metadata;
        Self {
            id: key.id.to_string(),
            arn: metadata.arn.to_string(),
            keyid: key.aws_id().as_str().to_owned(),
            alias: key.aliases.iter().map(|alias| alias.as_str().to_owned()).collect(),
            kms,
            kms_id: key.kms.to_string(),
            account_id: metadata.account().to_string(),
            region: key.region.as_str().to_owned(),
            key_spec: metadata.spec.as_str().to_owned(),
            key_state: metadata.state.as_str().to_owned(),
            origin: metadata.origin.as_str().to_owned(),
            rules: rules.iter().map(|rule| rule.name()).collect(),
            // A key that was put right since the list was made breaks none.
            severity: rules.first().map_or("low", |rule| rule.severity().name()),
            detail,
        }
    }
}
