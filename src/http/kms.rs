//! The KMS endpoints of the vendor's page, archive and recover beside them.

use super::answer::{Created, Json, NoContent, Rendered};
use super::body::{Body, excerpt, optional, read_as, required};
use super::envelope::Envelope;
use super::error::Problem;
use super::guard::{Admitted, OnKms, kms_id};
use super::paging::{self, List, Listing, members};
use super::rendered;
use crate::domain::acl::{AclChange, AclEntry, Principal};
use crate::domain::action::{API_TABLE, Action};
use crate::domain::id::UserId;
use crate::domain::kms::{AssumedRole, Kms};
use crate::domain::name::{GroupName, KmsName};
use crate::domain::place::{AccountId, ExternalId, Region, RoleArn};
use crate::domain::time::Time;
use crate::service::Services;
use crate::service::access::{Amend, ManageKms, SignedIn, View};
use crate::service::failure::{Failure, invalid};
use crate::service::kms::{self, Addition, KmsSeen, KmsWishes};
use crate::service::list::Limit;
use actix_web::HttpRequest;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, Object, Type};

/// Which connection, and which role over it.
#[derive(Deserialize, ToSchema)]
#[schema(as = AccountRequest)]
pub struct AccountBody {
    /// Name or id of the connection.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = String, required = true, example = "test_aws-connection")]
    connection: Option<String>,
    /// ARN of the role to assume.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "arn:aws:iam::789012123456:role/test-assume-role-ac")]
    assume_role_arn: Option<String>,
    /// External id that the role asks for; only with `assume_role_arn`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "test-ext-id")]
    assume_role_external_id: Option<String>,
    /// Also check the permissions of the prerequisites, and name the missing ones.
    #[serde(default, deserialize_with = "optional")]
    validate: Option<bool>,
}

/// An account, as a connection (and a role) leads to it.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountView {
    /// The AWS account.
    #[schema(example = "123456789012")]
    account_id: String,
    /// The regions that are enabled there.
    regions: Vec<String>,
    /// As asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_arn: Option<String>,
    /// As asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_external_id: Option<String>,
    /// Permissions of the prerequisites that are missing; only if `validate` was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    missing_permissions: Option<Vec<String>>,
}

/// The regions of a connection's account.
#[derive(Serialize, ToSchema)]
#[schema(as = Regions)]
pub struct RegionsView {
    /// The regions that are enabled there.
    regions: Vec<String>,
}

/// A KMS to add.
#[derive(Deserialize, ToSchema)]
#[schema(as = AddKmsRequest)]
pub struct AddBody {
    /// The AWS account.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = String, required = true)]
    account_id: Option<String>,
    /// Name or id of the connection.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = String, required = true)]
    connection: Option<String>,
    /// Its name here, unique.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = String, required = true)]
    name: Option<String>,
    /// Which regions.
    #[serde(default, deserialize_with = "optional")]
    #[schema(value_type = Vec<String>, required = true)]
    regions: Option<Vec<String>>,
    /// ARN of the role to assume.
    #[serde(default, deserialize_with = "optional")]
    assume_role_arn: Option<String>,
    /// External id that the role asks for; only with `assume_role_arn`.
    #[serde(default, deserialize_with = "optional")]
    assume_role_external_id: Option<String>,
}

/// What to change of a KMS: one thing at a time.
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateKmsRequest)]
pub struct AmendBody {
    /// Name or id of another connection.
    #[serde(default, deserialize_with = "optional")]
    connection: Option<String>,
    /// Other regions.
    #[serde(default, deserialize_with = "optional")]
    regions: Option<Vec<String>>,
    /// ARN of another role.
    #[serde(default, deserialize_with = "optional")]
    assume_role_arn: Option<String>,
    /// External id that the role asks for; only with `assume_role_arn`.
    #[serde(default, deserialize_with = "optional")]
    assume_role_external_id: Option<String>,
    /// Take regions away although keys are managed there: their entries are forgotten, AWS is not touched.
    #[serde(default, deserialize_with = "optional")]
    force: Option<bool>,
}

/// Permissions to give and take: one entry, or a list of them under `acls`.
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateAclsRequest)]
pub struct AclsBody {
    /// Several entries: all or none take effect.
    #[serde(default, deserialize_with = "optional")]
    acls: Option<Vec<AclBody>>,
    /// One entry: the user (`local|<uuid>`); not together with `group`.
    #[serde(default, deserialize_with = "optional")]
    user_id: Option<String>,
    /// One entry: the group's name; not together with `user_id`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "CCKM Users")]
    group: Option<String>,
    /// One entry: which actions.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = json!(["view", "keycreate"]))]
    actions: Option<Vec<String>>,
    /// One entry: give (true) or take (false).
    #[serde(default, deserialize_with = "optional")]
    permit: Option<bool>,
}

/// Permissions to give to, or take from, one user or one group.
#[derive(Deserialize, ToSchema)]
#[schema(as = AclRequest)]
pub struct AclBody {
    /// The user (`local|<uuid>`); not together with `group`.
    #[serde(default, deserialize_with = "optional")]
    user_id: Option<String>,
    /// The group's name; not together with `user_id`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "CCKM Users")]
    group: Option<String>,
    /// Which actions.
    #[serde(default, deserialize_with = "optional")]
    #[schema(schema_with = action_names)]
    actions: Option<Vec<String>>,
    /// Give (true) or take (false).
    #[serde(default, deserialize_with = "optional")]
    permit: Option<bool>,
}

/// A KMS.
#[derive(Serialize, ToSchema)]
#[schema(as = Kms)]
pub struct KmsView {
    #[serde(flatten)]
    envelope: Envelope,
    /// Its name here.
    #[schema(value_type = String, example = "kms")]
    name: KmsName,
    /// The AWS account.
    #[schema(value_type = String, example = "123456789012")]
    account_id: AccountId,
    /// As whom AWS knows the connection there.
    #[schema(example = "arn:aws:iam::123456789012:user/user1")]
    arn: String,
    /// Who may do what; absent while nobody but administrators may do anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    acls: Vec<AclView>,
    /// The role that is assumed for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_arn: Option<String>,
    /// The external id that the role asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assume_role_external_id: Option<String>,
    /// The name of its connection.
    #[schema(example = "aws")]
    connection: String,
    /// Its regions.
    #[schema(value_type = Vec<String>, example = json!(["ap-south-1", "us-east-1"]))]
    regions: Vec<Region>,
    /// Its partition.
    #[schema(example = "aws")]
    cloud_name: &'static str,
    // This and `status` are always there, but the answers on the vendor's page do not have them.
    /// Always false: KMSs are added by hand.
    #[schema(required = false)]
    auto_added: bool,
    /// `active` or `archived`.
    #[schema(example = "active", required = false)]
    status: &'static str,
}

/// What one user or one group may do.
#[derive(Serialize, ToSchema)]
#[schema(as = Acl)]
pub struct AclView {
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_id: Option<String>,
    /// The group.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    group: Option<GroupName>,
    /// Which actions.
    #[schema(schema_with = action_names)]
    actions: Vec<&'static str>,
}

/// One row of the table "APIs and Action Mapping".
#[derive(Serialize, ToSchema)]
#[schema(as = ApiActions)]
pub struct ActionView {
    /// The API.
    api: &'static str,
    /// Any one of these permits it.
    #[schema(schema_with = action_names)]
    actions: Vec<&'static str>,
    /// What is permitted.
    description: &'static str,
}

fn action_names() -> Array {
    let names = Action::ALL.iter().map(|action| action.name());
    let name = Object::builder().schema_type(Type::String).enum_values(Some(names));
    Array::builder().items(name).description(Some("Names of actions.")).build()
}

/// `POST /v1/cckm/aws/accounts`
pub async fn accounts(
    who: Admitted<ManageKms>,
    body: Body<AccountBody>,
    services: Data<Services>,
) -> Result<Json<AccountView>, Problem> {
    let connection = required("connection", body.0.connection)?;
    let role = role(body.0.assume_role_arn, body.0.assume_role_external_id)?;
    let validate = body.0.validate.unwrap_or(false);
    let account = services.kms.account(who.permit, &connection, role.as_ref(), validate).await?;
    Ok(Json(AccountView {
        account_id: account.sighting.account.to_string(),
        regions: texts(&account.sighting.enabled),
        assume_role_arn: role.as_ref().map(|role| role.arn.as_arn().to_string()),
        assume_role_external_id: role.and_then(|role| Some(role.external_id?.as_str().to_owned())),
        missing_permissions: account.missing_permissions,
    }))
}

/// `POST /v1/cckm/aws/get-all-regions`
pub async fn all_regions(
    who: Admitted<ManageKms>,
    body: Body<AccountBody>,
    services: Data<Services>,
) -> Result<Json<RegionsView>, Problem> {
    let connection = required("connection", body.0.connection)?;
    let role = role(body.0.assume_role_arn, body.0.assume_role_external_id)?;
    let account = services.kms.account(who.permit, &connection, role.as_ref(), false).await?;
    Ok(Json(RegionsView { regions: texts(&account.sighting.enabled) }))
}

/// `POST /v1/cckm/aws/kms`
pub async fn add(
    who: Admitted<ManageKms>,
    body: Body<AddBody>,
    services: Data<Services>,
) -> Result<Created<KmsView>, Problem> {
    let body = body.0;
    let addition = Addition {
        name: read_as("name", &required("name", body.name)?, KmsName::parse)?,
        account: read_as("account_id", &required("account_id", body.account_id)?, AccountId::parse)?,
        connection: required("connection", body.connection)?,
        role: role(body.assume_role_arn, body.assume_role_external_id)?,
        regions: regions(required("regions", body.regions)?)?,
    };
    let seen = services.kms.add(who.permit, &who.asked, addition).await?;
    Ok(Created(KmsView::of(seen)))
}

/// `GET /v1/cckm/aws/kms`
pub async fn list(
    who: Admitted<SignedIn>,
    listing: Listing<Kms>,
    services: Data<Services>,
) -> Result<List<KmsView>, Problem> {
    let (page, caller) = services.kms.list(&who.permit, &listing.0)?;
    let view = move |kms: &_| KmsView::of(kms::seen(std::sync::Arc::clone(kms), &caller.published.state, &caller));
    Ok(paging::answer(page, view))
}

/// `GET /v1/cckm/aws/kms/{id}` without `at`
pub async fn get(who: OnKms<View>, services: Data<Services>) -> Result<Rendered<KmsView>, Problem> {
    rendered::kms(services.kms.get(&who.permit))
}

/// `GET /v1/cckm/aws/kms/{id}?at=<RFC 3339>`
pub async fn get_at(
    who: Admitted<SignedIn>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<KmsView>, Problem> {
    let seen = services.kms.get_at(&who.permit, kms_id(&request)?, at(&request)?)?;
    Ok(Json(KmsView::of(seen)))
}

/// `PATCH /v1/cckm/aws/kms/{id}`
pub async fn amend(
    who: OnKms<Amend>,
    body: Body<AmendBody>,
    services: Data<Services>,
) -> Result<Json<KmsView>, Problem> {
    let AmendBody { connection, regions: wanted, assume_role_arn, assume_role_external_id, force } = body.0;
    let wishes = KmsWishes {
        connection,
        regions: wanted.map(regions).transpose()?,
        role: role(assume_role_arn, assume_role_external_id)?,
        forget_keys: force.unwrap_or(false),
    };
    let seen = services.kms.amend(who.permit, &who.asked, wishes).await?;
    Ok(Json(KmsView::of(seen)))
}

/// `DELETE /v1/cckm/aws/kms/{id}`
pub async fn delete(who: OnKms<Amend>, services: Data<Services>) -> Result<NoContent, Problem> {
    services.kms.delete(who.permit, &who.asked).await?;
    Ok(NoContent)
}

/// `POST /v1/cckm/aws/kms/{id}/update-acls`
pub async fn update_acls(
    who: OnKms<Amend>,
    body: Body<AclsBody>,
    services: Data<Services>,
) -> Result<Json<KmsView>, Problem> {
    let seen = services.kms.update_acls(who.permit, &who.asked, changes(body.0)?).await?;
    Ok(Json(KmsView::of(seen)))
}

/// `POST /v1/cckm/aws/kms/{id}/archive`
pub async fn archive(who: OnKms<Amend>, services: Data<Services>) -> Result<Json<KmsView>, Problem> {
    let seen = services.kms.archive(who.permit, &who.asked).await?;
    Ok(Json(KmsView::of(seen)))
}

/// `POST /v1/cckm/aws/kms/{id}/recover`
pub async fn recover(who: OnKms<Amend>, services: Data<Services>) -> Result<Json<KmsView>, Problem> {
    let seen = services.kms.recover(who.permit, &who.asked).await?;
    Ok(Json(KmsView::of(seen)))
}

/// `GET /v1/cckm/aws/actions`
pub async fn actions(_who: Admitted<SignedIn>) -> List<ActionView> {
    let rows = API_TABLE.iter().map(|row| ActionView {
        api: row.api,
        actions: row.actions.iter().map(|action| action.name()).collect(),
        description: row.description,
    });
    List::of(0, Limit::All, API_TABLE.len(), rows)
}

fn at(request: &HttpRequest) -> Result<Time, Problem> {
    let value = members(request.query_string()).into_iter().rfind(|(name, _)| name == "at").map(|(_, value)| value);
    let problem = || Problem::Query {
        member: "at",
        problem: "must be a moment as RFC 3339 has it, such as 2020-11-05T05:29:17Z".to_owned(),
    };
    let moment = chrono::DateTime::parse_from_rfc3339(&value.ok_or_else(problem)?).map_err(|_| problem())?;
    Ok(Time::of(moment.to_utc()))
}

fn role(arn: Option<String>, external_id: Option<String>) -> Result<Option<AssumedRole>, Failure> {
    match (arn, external_id) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(invalid("assume_role_external_id", "can be given only together with assume_role_arn")),
        (Some(arn), external_id) => Ok(Some(AssumedRole {
            arn: read_as("assume_role_arn", &arn, RoleArn::parse)?,
            external_id: match external_id {
                Some(id) => Some(read_as("assume_role_external_id", &id, ExternalId::parse)?),
                None => None,
            },
        })),
    }
}

fn regions(names: Vec<String>) -> Result<Vec<Region>, Failure> {
    names.iter().map(|name| read_as("regions", name, Region::parse)).collect()
}

fn texts(regions: &[Region]) -> Vec<String> {
    regions.iter().map(Region::to_string).collect()
}

fn changes(body: AclsBody) -> Result<Vec<AclChange>, Failure> {
    let AclsBody { acls, user_id, group, actions, permit } = body;
    let one = AclBody { user_id, group, actions, permit };
    match acls {
        Some(_) if one.is_given() => {
            Err(invalid("acls", "can not be given together with user_id, group, actions or permit"))
        }
        Some(list) if list.is_empty() => Err(invalid("acls", "must have at least one entry")),
        Some(list) => list.into_iter().map(change).collect(),
        None => Ok(vec![change(one)?]),
    }
}

impl AclBody {
    fn is_given(&self) -> bool {
        self.user_id.is_some() || self.group.is_some() || self.actions.is_some() || self.permit.is_some()
    }
}

fn change(entry: AclBody) -> Result<AclChange, Failure> {
    let principal = match (entry.user_id, entry.group) {
        (Some(user), None) => Principal::User(read_as("user_id", &user, UserId::parse_subject)?),
        (None, Some(group)) => Principal::Group(read_as("group", &group, GroupName::parse)?),
        (Some(_), Some(_)) => return Err(invalid("user_id", "and group exclude each other; give one of them")),
        (None, None) => return Err(invalid("user_id", "or group must be given")),
    };
    let names = required("actions", entry.actions)?;
    if names.is_empty() {
        return Err(invalid("actions", "must have at least one action"));
    }
    let actions = names.iter().map(|name| action(name)).collect::<Result<Vec<_>, _>>()?;
    Ok(AclChange { principal, actions, permit: required("permit", entry.permit)? })
}

fn action(name: &str) -> Result<Action, Failure> {
    Action::parse(name).ok_or_else(|| {
        let known = Action::ALL.iter().map(|action| action.name()).collect::<Vec<_>>().join(", ");
        invalid("actions", format!("`{}` is not an action; the actions are {known}", excerpt(name)))
    })
}

impl KmsView {
    /// A KMS as its viewer may see it.
    pub fn of(seen: KmsSeen) -> Self {
        let kms: &Kms = &seen.kms;
        let acls = match seen.entries_of.holder() {
            None => kms.acl.entries().iter().map(AclView::of).collect(),
            Some((user, groups)) => kms.acl.holding_for(user, groups).map(AclView::of).collect(),
        };
        let role = kms.role.as_ref();
        Self {
            envelope: Envelope::new(kms.id, "cckm:kms", &kms.name, kms.created, kms.updated),
            name: kms.name.clone(),
            account_id: kms.account,
            arn: kms.arn.to_string(),
            acls,
            assume_role_arn: role.map(|role| role.arn.as_arn().to_string()),
            assume_role_external_id: role.and_then(|role| Some(role.external_id.as_ref()?.as_str().to_owned())),
            connection: seen.connection,
            regions: kms.regions.clone(),
            cloud_name: kms.cloud.as_str(),
            auto_added: false,
            status: kms::status(kms),
        }
    }
}

impl AclView {
    fn of(entry: &AclEntry) -> Self {
        let (user_id, group) = match &entry.principal {
            Principal::User(id) => (Some(id.subject()), None),
            Principal::Group(name) => (None, Some(name.clone())),
        };
        Self { user_id, group, actions: entry.actions.iter().map(Action::name).collect() }
    }
}
