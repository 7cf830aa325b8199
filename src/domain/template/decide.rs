//! Decides the commands of policy templates.

use super::patch::TemplatePatch;
use super::{Template, TemplateCommand, TemplateEvent, TemplatePolicy};
use crate::domain::event::Event;
use crate::domain::key::aggregate::Key;
use crate::domain::key::index::Term;
use crate::domain::key::operation::Operation;
use crate::domain::refusal::{Refusal, TemplateRefusal};
use crate::domain::state::State;
use std::sync::Arc;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: TemplateCommand) -> Result<Vec<Event>, Refusal> {
    let (id, event) = match command {
        TemplateCommand::Create { id, name, account, kms, policy } => {
            if state.templates.of_account(&name, account).is_some() {
                return Err(TemplateRefusal::NameTaken(name).into());
            }
            (id, Some(TemplateEvent::Created { name, account, kms, policy }))
        }
        TemplateCommand::ReplacePolicy { id, patch, pushes } => {
            let template = state.template(id)?;
            let to = patched_policy(state, template, patch)?;
            let changes = template.policy != to;
            if pushes {
                keys_of(state, template).try_for_each(|key| state.kms(key.kms)?.refuse_archived())?;
            }
            if changes && template.verified && !pushes {
                return Err(TemplateRefusal::NeedsPush(template.name.clone()).into());
            }
            (id, changes.then_some(TemplateEvent::PolicyReplaced { to }))
        }
        TemplateCommand::RecordPush { id, push } => (state.template(id)?.id, Some(TemplateEvent::Pushed(push))),
        TemplateCommand::Delete { id } => {
            let template = state.template(id)?;
            let is_set = |operation: &Operation| operation.template().is_some_and(|(set, _)| set == id);
            let pending = state.operations.values().any(|pending| is_set(&pending.wanted));
            if pending || keys_of(state, template).next().is_some() {
                return Err(TemplateRefusal::InUse(template.name.clone()).into());
            }
            (id, Some(TemplateEvent::Deleted))
        }
    };
    Ok(event.into_iter().map(|event| Event::Template(id, event)).collect())
}

/// Returns the policy of a template after a patch.
///
/// # Errors
/// When a name in it is invalid, or it would be longer than AWS accepts.
pub fn patched_policy(
    state: &State,
    template: &Template,
    patch: Option<TemplatePatch>,
) -> Result<TemplatePolicy, Refusal> {
    let to = template.policy.patched(patch);
    if let Some(kms) = state.kms_of_account(template.account).next() {
        to.check(kms.cloud, template.account)?;
    }
    Ok(to)
}

/// Returns the keys of the template's account that have the template's tag and are still at AWS.
pub fn keys_of<'a>(state: &'a State, template: &Template) -> impl Iterator<Item = &'a Arc<Key>> {
    let account = template.account;
    let tagged = state.keys.find(Term::Template(&template.id.to_string())).into_iter();
    tagged.filter(move |key| !state.is_gone(key) && !key.is_unlinked() && key.metadata.account() == account)
}
