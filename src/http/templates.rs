//! Policy templates: one policy for many keys of an account.

use super::answer::{Created, Json, NoContent};
use super::body::{Body, optional, read_as, required};
use super::envelope::Envelope;
use super::error::Problem;
use super::guard::{Authorized, OnTemplate};
use super::paging::{self, List, Listing};
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
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// A template to make, or what is to change of one.
#[derive(Deserialize, ToSchema)]
#[schema(as = TemplateRequest)]
pub struct TemplateBody {
    /// Its name. A new template needs one; it cannot be changed.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "payroll keys")]
    name: Option<String>,
    /// Name or id of a KMS, for whose account the template is. A new template needs this or `account_id`.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "kms")]
    kms: Option<String>,
    /// The AWS account for whose keys the template is.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = "123456789012")]
    account_id: Option<String>,
    /// The policy: its text, or the object itself. Without this, and without the lists: AWS's default policy.
    #[serde(default, alias = "Policy", deserialize_with = "optional")]
    #[schema(value_type = Option<Object>)]
    policy: Option<Value>,
    /// Users who administer the keys: names, or ARNs.
    #[serde(default, deserialize_with = "optional")]
    #[schema(example = json!(["ann"]))]
    key_admins: Option<Vec<String>>,
    /// Roles that administer the keys.
    #[serde(default, deserialize_with = "optional")]
    key_admins_roles: Option<Vec<String>>,
    /// Users who use the keys.
    #[serde(default, deserialize_with = "optional")]
    key_users: Option<Vec<String>>,
    /// Roles that use the keys.
    #[serde(default, deserialize_with = "optional")]
    key_users_roles: Option<Vec<String>>,
    /// Other AWS accounts that use the keys.
    #[serde(default, deserialize_with = "optional")]
    external_accounts: Option<Vec<String>>,
    /// Push the policy to every key that has it; needed once AWS has accepted it on a key. For changes only.
    #[serde(default, deserialize_with = "optional")]
    auto_push: Option<bool>,
}

/// A policy template.
#[derive(Serialize, ToSchema)]
#[schema(as = Template)]
pub struct TemplateView {
    #[serde(flatten)]
    envelope: Envelope,
    /// Its name.
    name: String,
    /// The AWS account for whose keys it is.
    account_id: String,
    /// The KMS that it was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kms: Option<String>,
    /// That KMS's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kms_name: Option<String>,
    /// AWS has accepted the policy on a key.
    is_verified: bool,
    /// The policy, as it is worded for a key that encrypts.
    #[schema(value_type = Object)]
    policy: Value,
    /// Users who administer the keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_admins: Vec<String>,
    /// Roles that administer the keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_admins_roles: Vec<String>,
    /// Users who use the keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_users: Vec<String>,
    /// Roles that use the keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_users_roles: Vec<String>,
    /// Other accounts that use the keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_accounts: Vec<String>,
    /// How the last push went; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    push_report: Option<PushView>,
}

/// What became of a policy that was pushed to the keys that have it.
#[derive(Serialize, ToSchema)]
#[schema(as = PushReport)]
pub struct PushView {
    /// The keys that have the policy now.
    pushed: Vec<String>,
    /// The keys that do not.
    failed: Vec<PushFailureView>,
}

/// A key that a policy did not reach.
#[derive(Serialize, ToSchema)]
#[schema(as = PushFailure)]
pub struct PushFailureView {
    /// Which key.
    key_id: String,
    /// Why: AWS's own code and message, or what stands against it here.
    error: String,
}

/// `POST /v1/cckm/aws/templates`
pub async fn create(
    who: Authorized<SignedIn>,
    body: Body<TemplateBody>,
    services: Data<Services>,
) -> Result<Created<TemplateView>, Problem> {
    let mut body = body.0;
    let name = read_as("name", &required("name", body.name.take())?, TemplateName::parse)?;
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
    let seen = services.templates.create(&who.permit, &who.context, TemplateRequest { name, owner, policy }).await?;
    Ok(Created(TemplateView::of(&seen)))
}

/// `GET /v1/cckm/aws/templates`
pub async fn list(
    who: Authorized<SignedIn>,
    listing: Listing<Template>,
    services: Data<Services>,
) -> Result<List<TemplateView>, Problem> {
    let (page, caller) = services.templates.list(&who.permit, &listing.0).await?;
    let view = move |template: &Arc<Template>| {
        TemplateView::of(&templates::seen(template.clone(), &caller.published.state, &caller.user))
    };
    paging::answer(page, view).await
}

/// `GET /v1/cckm/aws/templates/{id}`
pub async fn get(who: OnTemplate<View>, services: Data<Services>) -> Json<TemplateView> {
    Json(TemplateView::of(&services.templates.get(&who.permit)))
}

/// `PATCH /v1/cckm/aws/templates/{id}`
pub async fn update(
    who: OnTemplate<UpdateKey>,
    body: Body<TemplateBody>,
    services: Data<Services>,
) -> Result<Json<TemplateView>, Problem> {
    let mut body = body.0;
    body.refuse_fixed(who.permit.template())?;
    let push = body.auto_push.unwrap_or(false);
    let change = TemplateChange { policy: body.change()?, push };
    Ok(Json(TemplateView::of(&services.templates.update(&who.permit, &who.context, change).await?)))
}

/// `DELETE /v1/cckm/aws/templates/{id}`
pub async fn delete(who: OnTemplate<UpdateKey>, services: Data<Services>) -> Result<NoContent, Problem> {
    services.templates.delete(&who.permit, &who.context).await?;
    Ok(NoContent)
}

impl TemplateBody {
    /// The policy that is asked for: a text or lists, not both.
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
                Err(invalid("policy", "and key_admins and its kin exclude each other"))
            }
            // Clients that go over from lists to a text send the lists empty.
            (Some(text), _) => {
                let text = PolicyText::of(&text).map_err(|problem| invalid("policy", problem))?;
                Ok(Some(TemplatePatch::Text(text)))
            }
            (None, true) => Ok(Some(TemplatePatch::Principals(people))),
            (None, false) => Ok(None),
        }
    }

    /// Clients repeat what they know; what would change is refused.
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
    /// A template as its viewer may see it.
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
