//! Policy templates, which give many keys of an account the same policy.

use super::answer::{Created, Json, NoContent};
use super::body::{Body, optional, read_as, read_name, required};
use super::envelope::Envelope;
use super::error::Problem;
use super::guard::{Authorized, OnTemplate};
use super::history::{InPath, at};
use super::paging::{self, List, Listing};
use crate::domain::id::TemplateId;
use crate::domain::key::policy::PolicyPrincipals;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::name::TemplateName;
use crate::domain::place::AccountId;
use crate::domain::refusal::Refusal;
use crate::domain::template::patch::{PrincipalsPatch, TemplatePatch};
use crate::domain::template::{Push, Template, TemplatePolicy};
use crate::service::Services;
use crate::service::access::{SignedIn, UpdateKey, View};
use crate::service::failure::invalid;
use crate::service::templates::{self, Owner, TemplateChange, TemplateRequest, TemplateSeen};
use actix_web::HttpRequest;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// A policy template to create or change. A member that is absent keeps its value.
#[derive(Deserialize, ToSchema)]
#[schema(as = TemplateRequest)]
pub struct TemplateBody {
    /// The name of the template. Required for a new template; cannot be changed.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "payroll keys")]
    name: Option<String>,
    /// The name or id of a KMS of the template's account. A new template requires this or `account_id`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "kms")]
    kms: Option<String>,
    /// The AWS account of the template.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "123456789012")]
    account_id: Option<String>,
    /// The policy, as a JSON object or as its text. Without this and without the lists, the template has AWS's default
    /// policy.
    #[serde(default, alias = "Policy", deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    policy: Option<Value>,
    /// IAM users who administer the keys, by name or ARN.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = json!(["ann"]))]
    key_admins: Option<Vec<String>>,
    /// IAM roles that administer the keys.
    #[serde(default, deserialize_with = "optional")]
    key_admins_roles: Option<Vec<String>>,
    /// IAM users who use the keys.
    #[serde(default, deserialize_with = "optional")]
    key_users: Option<Vec<String>>,
    /// IAM roles that use the keys.
    #[serde(default, deserialize_with = "optional")]
    key_users_roles: Option<Vec<String>>,
    /// Other AWS accounts that use the keys.
    #[serde(default, deserialize_with = "optional")]
    external_accounts: Option<Vec<String>>,
    /// Apply the policy to every key of the template; required once AWS has accepted it on a key. Only for changes.
    #[serde(default, deserialize_with = "optional")]
    auto_push: Option<bool>,
}

/// A policy template.
#[derive(Serialize, ToSchema)]
#[schema(as = Template)]
pub struct TemplateView {
    #[serde(flatten)]
    envelope: Envelope,
    /// The name of the template.
    name: String,
    /// The AWS account of the template.
    account_id: String,
    /// The id of the KMS with which the template was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kms: Option<String>,
    /// The name of that KMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kms_name: Option<String>,
    /// Whether AWS has accepted the policy on a key.
    is_verified: bool,
    /// The policy for a key that encrypts.
    #[schema(value_type = Object)]
    policy: Value,
    /// IAM users who administer the keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_admins: Vec<String>,
    /// IAM roles that administer the keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_admins_roles: Vec<String>,
    /// IAM users who use the keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_users: Vec<String>,
    /// IAM roles that use the keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_users_roles: Vec<String>,
    /// Other AWS accounts that use the keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_accounts: Vec<String>,
    /// The result of the last push; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    push_report: Option<PushView>,
}

/// The result of applying the policy of a template to its keys.
#[derive(Serialize, ToSchema)]
#[schema(as = PushReport)]
pub struct PushView {
    /// The ids of the keys that have the new policy.
    pushed: Vec<String>,
    /// The keys that do not have it.
    failed: Vec<PushFailureView>,
}

/// A key to which a policy could not be applied.
#[derive(Serialize, ToSchema)]
#[schema(as = PushFailure)]
pub struct PushFailureView {
    /// The id of the key.
    key_id: String,
    /// The error: AWS's code and message, or a refusal by Claviger.
    error: String,
}

/// `POST /v1/cckm/aws/templates`
pub async fn create(
    auth: Authorized<SignedIn>,
    body: Body<TemplateBody>,
    services: Data<Services>,
) -> Result<Created<TemplateView>, Problem> {
    let mut body = body.0;
    let name = read_name("name", &required("name", body.name.take())?, TemplateName::parse)?;
    let owner = match (body.kms.take(), body.account_id.take()) {
        (Some(kms), None) => Owner::Kms(kms),
        (None, Some(account)) => Owner::Account(read_as("account_id", &account, AccountId::parse)?),
        (Some(_), Some(_)) => return Err(invalid("kms", "and account_id exclude each other; give one of them").into()),
        (None, None) => return Err(invalid("kms", "or account_id must be given").into()),
    };
    let policy = match body.change()? {
        Some(TemplatePatch::Text(text)) => TemplatePolicy::Text(text),
        Some(TemplatePatch::Principals(change)) => TemplatePolicy::Principals(change.over(PolicyPrincipals::default())),
        None => TemplatePolicy::Principals(PolicyPrincipals::default()),
    };
    let seen = services.templates.create(&auth.permit, &auth.context, TemplateRequest { name, owner, policy }).await?;
    Ok(Created(TemplateView::of(&seen)))
}

/// `GET /v1/cckm/aws/templates`
pub async fn list(
    auth: Authorized<SignedIn>,
    listing: Listing<Template>,
    services: Data<Services>,
) -> Result<List<TemplateView>, Problem> {
    let (page, caller) = services.templates.list(&auth.permit, &listing.0).await?;
    let view = move |template: &Arc<Template>| {
        TemplateView::of(&templates::seen(template.clone(), &caller.published.state, &caller.user))
    };
    paging::answer(page, view).await
}

/// `GET /v1/cckm/aws/templates/{id}`
pub async fn get(auth: OnTemplate<View>, services: Data<Services>) -> Json<TemplateView> {
    Json(TemplateView::of(&services.templates.get(&auth.permit)))
}

/// `GET /v1/cckm/aws/templates/{id}?at=<RFC 3339>`
pub async fn get_at(
    auth: Authorized<SignedIn>,
    request: HttpRequest,
    services: Data<Services>,
) -> Result<Json<TemplateView>, Problem> {
    let id = TemplateId::of(&request, &auth.permit.caller().published.state)?;
    Ok(Json(TemplateView::of(&services.histories.template(&auth.permit, id, at(&request)?).await?)))
}

/// `PATCH /v1/cckm/aws/templates/{id}`
pub async fn update(
    auth: OnTemplate<UpdateKey>,
    body: Body<TemplateBody>,
    services: Data<Services>,
) -> Result<Json<TemplateView>, Problem> {
    let mut body = body.0;
    body.refuse_fixed(auth.permit.template())?;
    let push = body.auto_push.unwrap_or(false);
    let change = TemplateChange { policy: body.change()?, push, kms: body.kms.take() };
    Ok(Json(TemplateView::of(&services.templates.update(&auth.permit, &auth.context, change).await?)))
}

/// `DELETE /v1/cckm/aws/templates/{id}`
pub async fn delete(auth: OnTemplate<UpdateKey>, services: Data<Services>) -> Result<NoContent, Problem> {
    services.templates.delete(&auth.permit, &auth.context).await?;
    Ok(NoContent)
}

impl TemplateBody {
    /// The policy in the body: a text or lists, not both.
    fn change(&mut self) -> Result<Option<TemplatePatch>, Refusal> {
        let people = PrincipalsPatch {
            admins: self.key_admins.take(),
            admin_roles: self.key_admins_roles.take(),
            users: self.key_users.take(),
            user_roles: self.key_users_roles.take(),
            accounts: self.external_accounts.take(),
        };
        match (self.policy.take(), people.is_some()) {
            (Some(_), true) if people.names_somebody() => {
                Err(invalid("policy", "can not be given together with lists such as key_admins"))
            }
            // Clients that change from lists to a text send empty lists.
            (Some(text), _) => {
                let text = PolicyText::of(&text).map_err(|problem| problem.refusal("policy"))?;
                Ok(Some(TemplatePatch::Text(text)))
            }
            (None, true) => Ok(Some(TemplatePatch::Principals(people))),
            (None, false) => Ok(None),
        }
    }

    /// Refuses a change of the name or the account. Clients may repeat the current values.
    fn refuse_fixed(&self, template: &Template) -> Result<(), Refusal> {
        let differs = |given: &Option<String>, known: &str| given.as_ref().is_some_and(|given| given != known);
        if differs(&self.name, template.name.as_str()) {
            return Err(invalid("name", "the name of a policy template cannot be changed"));
        }
        if differs(&self.account_id, &template.account.to_string()) {
            return Err(invalid("account_id", "the account of a policy template cannot be changed"));
        }
        Ok(())
    }
}

impl TemplateView {
    /// The view of a template.
    fn of(seen: &TemplateSeen) -> Self {
        let template: &Template = &seen.template;
        let people = match &template.policy {
            TemplatePolicy::Principals(people) => people.clone(),
            TemplatePolicy::Text(_) => PolicyPrincipals::default(),
        };
        Self {
            envelope: Envelope::new(
                template.id,
                "cckm:aws-policy-template",
                template.id,
                template.created,
                template.updated,
            ),
            name: template.name.to_string(),
            account_id: template.account.to_string(),
            kms: seen.kms.map(|id| id.to_string()),
            kms_name: seen.kms_name.clone(),
            is_verified: template.verified,
            policy: seen.policy.as_ref().map_or(Value::Null, PolicyText::value),
            key_admins: people.admins,
            key_admins_roles: people.admin_roles,
            key_users: people.users,
            key_users_roles: people.user_roles,
            external_accounts: people.accounts,
            push_report: seen.last_push.as_ref().map(PushView::of),
        }
    }
}

impl PushView {
    fn of(push: &Push) -> Self {
        let failed = push.failed.iter();
        Self {
            pushed: push.done.iter().map(ToString::to_string).collect(),
            failed: failed
                .map(|(key, error)| PushFailureView { key_id: key.to_string(), error: error.clone() })
                .collect(),
        }
    }
}
