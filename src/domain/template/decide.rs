//! What is decided on policy templates: each command, on the state that it finds, becomes events or a refusal.

use super::patch::TemplatePatch;
use super::{Template, TemplateCommand, TemplateEvent, TemplatePolicy};
use crate::domain::event::Event;
use crate::domain::key::aggregate::Key;
use crate::domain::key::index::Term;
use crate::domain::refusal::{Refusal, TemplateRefusal};
use crate::domain::state::State;
use std::sync::Arc;

/// Says what would happen; does nothing.
///
/// # Errors
/// What stands against it.
pub fn decide(state: &State, command: TemplateCommand) -> Result<Vec<Event>, Refusal> {
    let (id, event) = match command {
        TemplateCommand::Create { id, name, account, kms, policy } => {
            if state.templates.named(&name).is_some() {
                return Err(TemplateRefusal::NameTaken(name).into());
            }
            (id, Some(TemplateEvent::Created { name, account, kms, policy }))
        }
        TemplateCommand::ReplacePolicy { id, patch, pushes } => {
            let template = state.template(id)?;
            let to = patched_policy(state, template, patch)?;
            let changes = template.policy != to;
            if changes && template.verified && !pushes {
                return Err(TemplateRefusal::NeedsPush(template.name.clone()).into());
            }
            (id, changes.then_some(TemplateEvent::PolicyReplaced { to }))
        }
        TemplateCommand::NotePush { id, push } => (state.template(id)?.id, Some(TemplateEvent::Pushed(push))),
        TemplateCommand::Delete { id } => {
            let template = state.template(id)?;
            match keys_of(state, template).next() {
                None => (id, Some(TemplateEvent::Deleted)),
                Some(_) => return Err(TemplateRefusal::InUse(template.name.clone()).into()),
            }
        }
    };
    Ok(event.into_iter().map(|event| Event::Template(id, event)).collect())
}

/// The policy of a template after a patch.
///
/// # Errors
/// When a name in it can be no principal, or it would be longer than AWS takes.
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

/// The keys of its account that carry a template's tag and are still at AWS.
pub fn keys_of<'a>(state: &'a State, template: &Template) -> impl Iterator<Item = &'a Arc<Key>> {
    let account = template.account;
    let tagged = state.keys.find(Term::Template(&template.id.to_string())).into_iter();
    tagged.filter(move |key| !key.gone && key.metadata.account() == account)
}
