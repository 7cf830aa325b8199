//! Decides the commands of source keys.

use super::{SourceKey, SourceKeyCommand, SourceKeyEvent};
use crate::domain::event::Event;
use crate::domain::name::JsonText;
use crate::domain::patch::merged;
use crate::domain::refusal::{Refusal, SourceKeyRefusal};
use crate::domain::state::State;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: SourceKeyCommand) -> Result<Vec<Event>, Refusal> {
    let (id, events) = match command {
        SourceKeyCommand::Create { id, mut made, material } => {
            if state.source_key_named(&made.name).is_some() {
                return Err(SourceKeyRefusal::NameTaken(made.name).into());
            }
            made.labels = merged("labels", None, made.labels)?;
            made.meta = merged("meta", None, made.meta)?;
            (id, vec![SourceKeyEvent::Created { made, material }])
        }
        SourceKeyCommand::Update { id, labels, meta, unexportable } => {
            (id, state.source_key(id)?.update(labels, meta, unexportable)?)
        }
        SourceKeyCommand::Export { id } => {
            state.source_key(id)?.refuse_unexportable()?;
            (id, vec![SourceKeyEvent::Exported])
        }
        SourceKeyCommand::Delete { id } => {
            refuse_deletion(state, state.source_key(id)?)?;
            (id, vec![SourceKeyEvent::Deleted])
        }
    };
    Ok(events.into_iter().map(|event| Event::SourceKey(id, event)).collect())
}

fn refuse_deletion(state: &State, key: &SourceKey) -> Result<(), Refusal> {
    if key.made.undeletable {
        return Err(SourceKeyRefusal::Undeletable(key.made.name.clone()).into());
    }
    // The reconciliation of a pending import needs the material.
    let mut imports = state.operations.values().filter_map(|pending| pending.wanted.import());
    match imports.any(|import| import.source == key.id) {
        true => Err(SourceKeyRefusal::Busy(key.made.name.clone()).into()),
        false => Ok(()),
    }
}

impl SourceKey {
    fn update(
        &self,
        labels: Option<JsonText>,
        meta: Option<JsonText>,
        unexportable: Option<bool>,
    ) -> Result<Vec<SourceKeyEvent>, Refusal> {
        if unexportable == Some(false) {
            self.refuse_unexportable()?;
        }
        let labels = merged("labels", self.made.labels.clone(), labels)?;
        let meta = merged("meta", self.made.meta.clone(), meta)?;
        let mut events = Vec::new();
        if labels != self.made.labels || meta != self.made.meta {
            events.push(SourceKeyEvent::Described { labels, meta });
        }
        if unexportable == Some(true) && !self.made.unexportable {
            events.push(SourceKeyEvent::MadeUnexportable);
        }
        Ok(events)
    }

    fn refuse_unexportable(&self) -> Result<(), Refusal> {
        if self.made.unexportable { Err(SourceKeyRefusal::Unexportable(self.made.name.clone()).into()) } else { Ok(()) }
    }
}
