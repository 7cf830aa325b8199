//! Given-when-then tests of the domain: given these events, when this command is decided, then these events follow, or
//! this refusal. There is no store and no clock: each event is dated one step after the one before it.

use super::command::Command;
use super::connection::ConnectionCommand;
use super::event::Event;
use super::group::GroupCommand;
use super::job::bulk::BulkCommand;
use super::job::command::JobCommand;
use super::job::sync::SyncCommand;
use super::key::command::KeyCommand;
use super::key::example::at;
use super::key::hyok::HyokCommand;
use super::key::virtual_key::VirtualKeyCommand;
use super::key_store::command::KeyStoreCommand;
use super::kms::KmsCommand;
use super::password::decide::PasswordPolicyCommand;
use super::refusal::Refusal;
use super::schedule::ScheduleCommand;
use super::session::SessionCommand;
use super::source_key::SourceKeyCommand;
use super::state::State;
use super::template::TemplateCommand;
use super::time::Time;
use super::user::UserCommand;
use std::ops::Deref;

/// Returns the state after these events: the first at second 1, the next at second 2, and so on.
pub(crate) fn given(events: impl IntoIterator<Item = Event>) -> Given {
    Given::dated(at(1), 1, events)
}

/// A state and the time of its next event. It dereferences to the [`State`].
#[derive(Clone)]
pub(crate) struct Given {
    state: State,
    next: Time,
    step_seconds: i64,
}

impl Given {
    /// Returns the state after these events, the first at this time, each a step after the one before it.
    pub(crate) fn dated(first: Time, step_seconds: i64, events: impl IntoIterator<Item = Event>) -> Self {
        Self { state: State::default(), next: first, step_seconds }.and(events)
    }

    /// Returns the state after more events.
    pub(crate) fn and(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        self.extend(events);
        self
    }

    pub(crate) fn push(&mut self, event: Event) {
        self.push_at(self.next, event);
    }

    /// Applies one more event at this time; later events follow it.
    pub(crate) fn push_at(&mut self, time: Time, event: Event) {
        self.state.apply(time, &event);
        self.next = time.plus_seconds(self.step_seconds);
    }

    /// Returns the state after these commands. Asserts that none is refused.
    #[track_caller]
    pub(crate) fn after_all(self, commands: impl IntoIterator<Item = impl Into<Command>>) -> Self {
        commands.into_iter().fold(self, |given, command| given.when(command).then_done())
    }

    pub(crate) fn when(&self, command: impl Into<Command>) -> Decided {
        Decided { given: self.clone(), decision: self.state.decide(command.into()) }
    }
}

impl Extend<Event> for Given {
    fn extend<I: IntoIterator<Item = Event>>(&mut self, events: I) {
        events.into_iter().for_each(|event| self.push(event));
    }
}

impl Deref for Given {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

/// The decision on a command, which a test must examine.
#[must_use]
pub(crate) struct Decided {
    given: Given,
    decision: Result<Vec<Event>, Refusal>,
}

impl Decided {
    /// Asserts that exactly these events follow. Returns the state after them.
    #[track_caller]
    pub(crate) fn then(self, expected: impl IntoIterator<Item = Event>) -> Given {
        let expected: Vec<Event> = expected.into_iter().collect();
        assert_eq!(self.decision, Ok(expected.clone()));
        self.given.and(expected)
    }

    /// Asserts that the command is not refused. Returns the state after its events.
    #[track_caller]
    pub(crate) fn then_done(self) -> Given {
        let events = self.events();
        self.given.and(events)
    }

    #[track_caller]
    pub(crate) fn then_refused(self, expected: impl Into<Refusal>) {
        assert_eq!(self.decision, Err(expected.into()));
    }

    /// Returns the events, for a test that examines only some of them.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Event> {
        match &self.decision {
            Ok(events) => events.clone(),
            Err(refusal) => panic!("refused: {refusal:?}"),
        }
    }

    /// Returns the refusal, for a test that examines only its variant.
    #[track_caller]
    pub(crate) fn refusal(self) -> Refusal {
        self.decision.expect_err("a refusal")
    }
}

macro_rules! into_command {
    ($($variant:ident($command:ty)),*) => {
        $(impl From<$command> for Command {
            fn from(command: $command) -> Self {
                Self::$variant(command)
            }
        })*
    };
}

impl From<SyncCommand> for Command {
    fn from(command: SyncCommand) -> Self {
        Self::Job(JobCommand::Sync(command))
    }
}

impl From<HyokCommand> for Command {
    fn from(command: HyokCommand) -> Self {
        Self::Key(KeyCommand::Hyok(command))
    }
}

impl From<VirtualKeyCommand> for Command {
    fn from(command: VirtualKeyCommand) -> Self {
        Self::Key(KeyCommand::Virtual(command))
    }
}

impl From<BulkCommand> for Command {
    fn from(command: BulkCommand) -> Self {
        Self::Job(JobCommand::Bulk(command))
    }
}

into_command!(
    PasswordPolicy(PasswordPolicyCommand),
    User(UserCommand),
    Group(GroupCommand),
    Session(SessionCommand),
    Connection(ConnectionCommand),
    Kms(KmsCommand),
    Key(KeyCommand),
    SourceKey(SourceKeyCommand),
    Job(JobCommand),
    Template(TemplateCommand),
    Schedule(ScheduleCommand),
    KeyStore(KeyStoreCommand)
);

mod tests {
    use super::*;
    use crate::domain::example::{group, group_name};
    use crate::domain::refusal::GroupRefusal;

    fn create() -> Decided {
        let (name, description, metadata) = (group_name("ops"), String::new(), Default::default());
        given([]).when(GroupCommand::Create { name, description, metadata })
    }

    #[test]
    fn what_follows_is_part_of_what_is_given_from_then_on() {
        let state = create().then([group("ops")]);
        assert_eq!(state.group(&group_name("ops")).expect("the group").created, at(1));
    }

    #[test]
    #[should_panic(expected = "left == right")]
    fn another_event_than_expected_fails_the_test() {
        create().then([group("others")]);
    }

    #[test]
    #[should_panic(expected = "left == right")]
    fn a_missing_refusal_fails_the_test() {
        create().then_refused(GroupRefusal::NameTaken(group_name("ops")));
    }
}
