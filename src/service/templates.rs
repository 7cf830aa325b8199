//! Policy templates: create, view, change and delete them; push a changed policy to the keys that have it.

use super::access::{self, KeyPermit, KmsPermit, Permit, SignedIn, TemplatePermit, UpdateKey, View};
use super::caller::{Caller, Change, RequestContext};
use super::failure::{Failure, invalid};
use super::keys::{KeyOperations, OperationRequest, policy_context};
use super::list::{self, Candidates, Field, Listed, Page, Query};
use super::recorder::Recorder;
use crate::domain::command::Command;
use crate::domain::id::{KeyId, KmsId, TemplateId, UserId};
use crate::domain::key::operation::Operation;
use crate::domain::key::policy::PolicyContext;
use crate::domain::key::policy_text::PolicyText;
use crate::domain::key::spec::KeyUsage;
use crate::domain::name::TemplateName;
use crate::domain::place::{AccountId, Partition};
use crate::domain::refusal::{Refusal, TemplateRefusal};
use crate::domain::state::State;
use crate::domain::table::Table;
use crate::domain::template::decide::{keys_of, patched_policy};
use crate::domain::template::patch::TemplatePatch;
use crate::domain::template::{Push, Template, TemplateCommand, TemplatePolicy};
use crate::domain::user::User;
use crate::ledger::Committed;
use futures_util::{StreamExt, stream};
use std::sync::Arc;
use uuid::Uuid;

/// The use cases of policy templates. Cheap to clone.
#[derive(Clone)]
pub struct Templates {
    recorder: Recorder,
    operations: KeyOperations,
}

/// A template to create.
pub struct TemplateRequest {
    pub name: TemplateName,
    pub owner: Owner,
    pub policy: TemplatePolicy,
}

/// The account whose keys can have a template.
pub enum Owner {
    /// The account of the KMS of this name or id.
    Kms(String),
    Account(AccountId),
}

/// A change of a template.
pub struct TemplateChange {
    /// The new policy; `None` if it stays as it is.
    pub policy: Option<TemplatePatch>,
    /// Push the policy to the keys that have the template.
    pub push: bool,
    /// The KMS that the client gives, by name or id. It cannot be changed.
    pub kms: Option<String>,
}

/// A template as one caller may view it.
pub struct TemplateSeen {
    pub template: Arc<Template>,
    /// The KMS that it was created for, if the caller may view it.
    pub kms: Option<KmsId>,
    /// The name of the KMS, if the KMS still exists.
    pub kms_name: Option<String>,
    /// The policy text for an encryption key.
    pub policy: Option<PolicyText>,
    /// The result of the last push, for the keys that the caller may view.
    pub last_push: Option<Push>,
}

/// The number of keys that a push changes concurrently.
const KEYS_AT_ONCE: usize = 8;

impl Templates {
    pub(super) fn new(recorder: Recorder, operations: KeyOperations) -> Self {
        Self { recorder, operations }
    }

    /// Creates a template.
    ///
    /// # Errors
    /// When the name is in use, the caller lacks the right on the KMS or account, or the policy names an invalid
    /// principal.
    pub async fn create(
        &self,
        permit: &Permit<SignedIn>,
        context: &RequestContext,
        request: TemplateRequest,
    ) -> Result<TemplateSeen, Failure> {
        let caller = permit.caller();
        let (account, kms) = match request.owner {
            Owner::Kms(text) => {
                let permit = KmsPermit::<UpdateKey>::authorize_named(caller.clone(), &text)?;
                permit.kms().refuse_archived()?;
                (permit.kms().account, Some(permit.kms().id))
            }
            Owner::Account(account) => (account, None),
        };
        let unknown = || invalid("account_id", format!("there is no KMS of account {account}"));
        let caller = access::in_account::<UpdateKey>(caller.clone(), account, unknown())?;
        let cloud = partition(&caller.published.state, account).ok_or_else(unknown)?;
        request.policy.check(cloud, account)?;
        let (id, name, policy) = (TemplateId::new(Uuid::new_v4()), request.name, request.policy);
        let command = TemplateCommand::Create { id, name, account, kms, policy };
        shown(&self.append(&caller.change(context), command).await?, id, &caller.user)
    }

    /// Lists the templates that the caller may view.
    ///
    /// # Errors
    /// When the query filters by a value that the member cannot have.
    pub async fn list(&self, permit: &Permit<SignedIn>, query: &Query) -> Result<(Page<Template>, Caller), Failure> {
        let caller = permit.caller();
        Ok((list::page(caller, query).await?, caller.clone()))
    }

    pub fn get(&self, permit: &TemplatePermit<View>) -> TemplateSeen {
        seen(permit.template().clone(), &permit.caller().published.state, &permit.caller().user)
    }

    /// Changes the policy of a template, and pushes it to the keys that have the template if requested.
    ///
    /// # Errors
    /// When AWS has already accepted the policy and no push is requested, or the caller may not change one of the keys.
    /// A failure at a single key is not an error: it is listed in the template's last push.
    pub async fn update(
        &self,
        permit: &TemplatePermit<UpdateKey>,
        context: &RequestContext,
        request: TemplateChange,
    ) -> Result<TemplateSeen, Failure> {
        let (mut caller, template) = (permit.caller().clone(), permit.template());
        if let Some(kms) = &request.kms {
            check_kms(&caller, template, kms)?;
        }
        patched_policy(&caller.published.state, template, request.policy.clone())?;
        if request.push {
            // A push that a missing right stops at some of the keys would leave keys with different policies.
            caller = access::on_all_keys_of(caller, template.id)?;
        }
        let (id, pushes, change) = (template.id, request.push, caller.change(context));
        let command = TemplateCommand::ReplacePolicy { id, patch: request.policy, pushes };
        let committed = self.append(&change, command).await?;
        if !pushes || change.dry_run {
            return shown(&committed, id, &caller.user);
        }
        let context = RequestContext {
            request_id: change.request_id.clone(),
            dry_run: false,
            source: change.actor.source().map(Into::into),
            expected: None,
        };
        let push = self.push(caller.user.id, &context, id).await;
        shown(&self.append(&change.done(), TemplateCommand::RecordPush { id, push }).await?, id, &caller.user)
    }

    /// Deletes a template that no key has.
    ///
    /// # Errors
    /// When keys have it.
    pub async fn delete(&self, permit: &TemplatePermit<UpdateKey>, context: &RequestContext) -> Result<(), Failure> {
        let command = TemplateCommand::Delete { id: permit.template().id };
        self.append(&permit.caller().change(context), command).await.map(drop)
    }

    async fn append(&self, change: &Change, command: TemplateCommand) -> Result<Committed, Failure> {
        self.recorder.append(change, Command::Template(command)).await
    }

    /// Puts the policy of a template to each of its keys. The user's right is checked again for each key.
    async fn push(&self, by: UserId, context: &RequestContext, id: TemplateId) -> Push {
        let published = self.recorder.state();
        let template = published.state.templates.get(&id);
        let keys = template.map(|template| keys_of(&published.state, template).map(|key| key.id).collect::<Vec<_>>());
        let pushed = stream::iter(keys.unwrap_or_default())
            .map(|key| async move { (key, self.push_to(by, context, id, key).await) });
        let pushed: Vec<_> = pushed.buffered(KEYS_AT_ONCE).collect().await;
        let mut push = Push { done: Vec::new(), failed: Vec::new() };
        for (key, outcome) in pushed {
            match outcome {
                Ok(_) => push.done.push(key),
                Err(failure) => push.failed.push((key, failure.to_string())),
            }
        }
        push
    }

    async fn push_to(
        &self,
        by: UserId,
        context: &RequestContext,
        id: TemplateId,
        key: KeyId,
    ) -> Result<Committed, Failure> {
        let published = self.recorder.state();
        let caller = Caller::absent(published.state.user(by)?.clone(), published.clone());
        let permit = KeyPermit::<UpdateKey>::authorize(caller, key)?;
        let (key, template) = (permit.key(), published.state.template(id)?);
        let policy = template.policy.for_key(&policy_context(key)).map_err(|problem| invalid("policy", problem))?;
        let wanted = Operation::PutPolicy { policy, template: Some(id.to_string()) };
        let request = OperationRequest { key: key.id, kms: key.kms, region: key.region.clone(), wanted };
        self.operations.request(&permit.caller().change(context), request).await
    }
}

/// Checks that the KMS that a client repeats is that of the template. A template that was created with an account only
/// has no KMS of its own, so any KMS of the account is accepted.
///
/// # Errors
/// When it is another one.
fn check_kms(caller: &Caller, template: &Template, given: &str) -> Result<(), Refusal> {
    let state = &caller.published.state;
    let named = state.kms_by_id_or_name(given).ok().filter(|kms| access::sees(&caller.user, kms));
    let is_same = match (template.kms, named) {
        (Some(own), Some(named)) => named.id == own,
        // The KMS may have been deleted since.
        (Some(own), None) => own.to_string() == given,
        (None, named) => named.is_some_and(|named| named.account == template.account),
    };
    if is_same { Ok(()) } else { Err(invalid("kms", "the KMS of a policy template cannot be changed")) }
}

/// Finds a template by name or id, for keys of this account.
///
/// # Errors
/// When there is no such template in this account.
pub(super) fn find_for(state: &State, text: &str, account: AccountId) -> Result<Arc<Template>, Refusal> {
    let with_id = TemplateId::parse(text).ok().and_then(|id| state.templates.get(&id));
    let named = || state.templates.of_account(&TemplateName::parse(text).ok()?, account);
    let found = with_id.filter(|template| template.account == account).or_else(named);
    let unknown = || TemplateRefusal::Elsewhere { template: text.chars().take(80).collect(), account }.into();
    found.cloned().ok_or_else(unknown)
}

/// Returns a template as this user may view it.
pub fn seen(template: Arc<Template>, state: &State, user: &User) -> TemplateSeen {
    let kms = visible_kms(&template, state, user);
    let cloud = partition(state, template.account).unwrap_or(Partition::Aws);
    TemplateSeen {
        kms,
        kms_name: kms.and_then(|id| Some(state.kms.get(&id)?.name.to_string())),
        policy: template.policy.for_key(&encrypting(cloud, template.account)).ok(),
        last_push: template.last_push.as_ref().map(|push| {
            let sees = |key: &KeyId| access::sees_key_of(user, state, *key);
            Push {
                done: push.done.iter().filter(|key| sees(key)).copied().collect(),
                failed: push.failed.iter().filter(|(key, _)| sees(key)).cloned().collect(),
            }
        }),
        template,
    }
}

fn visible_kms(template: &Template, state: &State, user: &User) -> Option<KmsId> {
    template.kms.filter(|id| access::sees_kms_of(user, state, *id))
}

fn shown(committed: &Committed, id: TemplateId, user: &User) -> Result<TemplateSeen, Failure> {
    let state = &committed.published.state;
    Ok(seen(state.template(id)?.clone(), state, user))
}

/// The context of an encryption key, the most common kind.
fn encrypting(partition: Partition, account: AccountId) -> PolicyContext {
    PolicyContext { partition, account, usage: KeyUsage::EncryptDecrypt }
}

fn partition(state: &State, account: AccountId) -> Option<Partition> {
    state.kms_of_account(account).map(|kms| kms.cloud).next()
}

impl Listed for Template {
    type Rows = Table<TemplateId, Self>;
    const SORTS: &'static [&'static str] = &["id", "name", "account_id", "is_verified", "createdAt", "updatedAt"];
    const FILTERS: &'static [&'static str] = &["id", "name", "kms", "account_id", "is_verified"];
    const SEARCHES: &'static [&'static str] = &["id", "name"];
    const IDENTITIES: &'static [&'static str] = &["id", "name"];
    const SEES: Option<fn(&Caller, &Self) -> bool> =
        Some(|caller, template| access::sees_template(&caller.user, &caller.published.state, template));

    fn rows(state: &State) -> &Self::Rows {
        &state.templates
    }

    fn identified<'a>(state: &'a State, member: &str, value: &str) -> Candidates<'a, Self> {
        match member {
            "id" => Box::new(TemplateId::parse(value).ok().into_iter()),
            _ => match TemplateName::parse(value) {
                Ok(name) => Box::new(
                    state.templates.all_named(&name).map(|template| template.id).collect::<Vec<_>>().into_iter(),
                ),
                Err(_) => Box::new(std::iter::empty()),
            },
        }
    }

    fn field(&self, member: &str, viewer: &Caller) -> Field {
        match member {
            "id" => Field::Text(self.id.to_string()),
            "name" => Field::Text(self.name.to_string()),
            "kms" => {
                let state = &viewer.published.state;
                let kms = visible_kms(self, state, &viewer.user);
                Field::Texts(kms.map(|id| kms_names(state, id)).unwrap_or_default())
            }
            "account_id" => Field::Text(self.account.to_string()),
            "is_verified" => Field::Flag(self.verified),
            "createdAt" => Field::Moment(self.created),
            "updatedAt" => Field::Moment(self.updated),
            _ => Field::Absent,
        }
    }
}

/// The name and the id of a KMS. Clients filter by either.
fn kms_names(state: &State, id: KmsId) -> Vec<String> {
    state.kms.get(&id).map(|kms| kms.name.to_string()).into_iter().chain([id.to_string()]).collect()
}

#[cfg(test)]
mod tests;
