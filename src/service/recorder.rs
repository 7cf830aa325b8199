//! The recording of changes. The ledger's writer authorizes a change once more and decides it on the newest state, then
//! appends its events, and those of the alarms that it raises.

use super::Clock;
use super::alarms::alarms_of;
use super::caller::Change;
use super::expectation::Expectation;
use super::failure::Failure;
use super::limits::Limits;
use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;
use crate::domain::time::Time;
use crate::ledger::{Committed, Context, Ledger, Published};
use std::sync::Arc;

/// Reads the state and appends changes to it. Cheap to clone.
#[derive(Clone)]
pub(in crate::service) struct Recorder {
    ledger: Ledger,
    clock: Clock,
    limits: Limits,
}

impl Recorder {
    pub(in crate::service) fn new(ledger: Ledger, clock: Clock, limits: Limits) -> Self {
        Self { ledger, clock, limits }
    }

    pub(in crate::service) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(in crate::service) fn state(&self) -> Arc<Published> {
        self.ledger.state()
    }

    /// The current time, but never before the time of the last record, even if the clock was set back since.
    pub(in crate::service) fn now(&self) -> Time {
        (self.clock)().max(self.state().time)
    }

    /// The time that the clock shows, which may be before the time of the last record. For those who compare it with
    /// their own clocks.
    pub(in crate::service) fn clock_time(&self) -> Time {
        (self.clock)()
    }

    /// The log itself, for callers that read records.
    pub(in crate::service) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Appends the events of a command. A dry run decides and appends nothing.
    pub(in crate::service) async fn append(&self, change: &Change, command: Command) -> Result<Committed, Failure> {
        self.append_with(change, move |_, _| Ok(command.clone())).await
    }

    /// Appends a command that depends on the writer's newest state or on the time of the record. `command` runs on the
    /// writer's thread and delays all other changes, so it must be short.
    pub(in crate::service) async fn append_with(
        &self,
        change: &Change,
        command: impl Fn(&State, Time) -> Result<Command, Refusal> + Send + 'static,
    ) -> Result<Committed, Failure> {
        let context = Context { actor: change.actor.clone(), request_id: change.request_id.to_string() };
        let (authority, expected) = (change.authority.clone(), change.expected.clone());
        let (actor, limits) = (change.actor.clone(), self.limits);
        let decide = move |state: &State, at: Time| -> Result<Vec<Event>, Refusal> {
            authority.iter().try_for_each(|authority| authority.authorize(state, at))?;
            expected.iter().try_for_each(|expected| expected.check(state))?;
            let mut events = state.decide(command(state, at)?)?;
            limits.refuse_more(state, &actor, &events)?;
            events.extend(alarms_of(state, &actor, at, &events));
            Ok(events)
        };
        if change.dry_run {
            return Ok(self.ledger.consider(decide)?);
        }
        let committed = self.ledger.execute(context, decide).await?;
        change.expected.iter().for_each(Expectation::recorded);
        Ok(committed)
    }
}
