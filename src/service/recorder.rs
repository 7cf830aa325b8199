//! How a change gets into the log: judged by the newest state, once more as to the right to it, then written down.

use super::Clock;
use super::caller::Change;
use super::failure::Failure;
use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::ledger::{Committed, Context, Ledger, Published};
use std::sync::Arc;

/// The state, and the way to change it. Cheap to clone.
#[derive(Clone)]
pub(in crate::service) struct Recorder {
    ledger: Ledger,
    clock: Clock,
}

impl Recorder {
    pub(in crate::service) fn new(ledger: Ledger, clock: Clock) -> Self {
        Self { ledger, clock }
    }

    pub(in crate::service) fn state(&self) -> Arc<Published> {
        self.ledger.state()
    }

    /// The time as the log counts it: never before the last record, even if the clock was set back since.
    pub(in crate::service) fn now(&self) -> Time {
        (self.clock)().max(self.state().time)
    }

    /// The log itself, for those who read it.
    pub(in crate::service) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Appends the events of a command. A dry run only decides.
    pub(in crate::service) async fn append(&self, change: &Change, command: Command) -> Result<Committed, Failure> {
        self.append_with(change, move |_, _| Ok(command.clone())).await
    }

    /// The same for a command that depends on the state, or on the time, that the writer finds. `command` runs on the
    /// writer's thread, where all other changes wait for it: it is a service's own, and short.
    pub(in crate::service) async fn append_with(
        &self,
        change: &Change,
        command: impl Fn(&State, Time) -> Result<Command, Refusal> + Send + 'static,
    ) -> Result<Committed, Failure> {
        let context = Context { actor: change.actor.clone(), request_id: change.request_id.to_string() };
        let authority = change.authority.clone();
        let decide = move |state: &State, at: Time| -> Result<Vec<Event>, Refusal> {
            authority.iter().try_for_each(|authority| authority.authorize(state, at))?;
            state.decide(command(state, at)?)
        };
        if change.dry_run {
            return Ok(self.ledger.consider(decide)?);
        }
        Ok(self.ledger.execute(context, decide).await?)
    }
}
