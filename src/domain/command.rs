//! The commands of the domain. Each is decided by the `decide.rs` of its aggregate.

use super::alarm::{self, AlarmCommand};
use super::backup::{self, BackupCommand};
use super::connection::{self, ConnectionCommand};
use super::drift::decide::DriftCommand;
use super::event::{Event, GroupEvent, InstallationEvent, Sealed, UserEvent};
use super::forwarder::{self, ForwarderCommand};
use super::group::{self, GroupCommand, SystemGroup};
use super::id::InstallationId;
use super::job::command::JobCommand;
use super::key::command::KeyCommand;
use super::key_store::{self, command::KeyStoreCommand};
use super::kms::{self, KmsCommand};
use super::metrics::{self, MetricsCommand};
use super::name::GroupName;
use super::password::{self, decide::PasswordPolicyCommand};
use super::posture::{self, decide::PostureCommand};
use super::refusal::{GroupRefusal, InstallationRefusal, Refusal};
use super::report::{self, ReportCommand};
use super::schedule::{self, ScheduleCommand};
use super::session::{self, SessionCommand};
use super::source_key::{self, SourceKeyCommand};
use super::state::State;
use super::template::{self, TemplateCommand};
use super::user::{self, UserCommand};
use super::webhook::{self, WebhookCommand};
use super::{drift, job, key};

#[derive(Clone, Debug)]
pub enum Command {
    Install {
        /// The audience of the tokens that this installation issues.
        id: InstallationId,
        /// The key that signs the tokens, sealed.
        token_key: Sealed,
        admin: Box<UserCommand>,
    },
    /// Signs tokens with another key.
    ReplaceTokenKey {
        /// The new key, sealed.
        token_key: Sealed,
    },
    /// Records that the master key was replaced.
    NoteMasterKeyReplaced,
    /// Records that the server was unsealed.
    NoteUnsealed {
        failures: u32,
    },
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
    KeyStore(KeyStoreCommand),
    Posture(PostureCommand),
    Report(ReportCommand),
    Backup(BackupCommand),
    Webhook(WebhookCommand),
    Alarm(AlarmCommand),
    Drift(DriftCommand),
    Metrics(MetricsCommand),
    Forwarder(ForwarderCommand),
}

impl State {
    /// Returns the events that a command causes. The state stays as it is until these events are applied.
    ///
    /// # Errors
    /// The rule that forbids the command.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Install { id, token_key, admin } => self.install(id, token_key, *admin),
            Command::ReplaceTokenKey { token_key } => {
                Ok(vec![Event::Installation(InstallationEvent::TokenKeyReplaced { token_key })])
            }
            Command::NoteMasterKeyReplaced => Ok(vec![Event::Installation(InstallationEvent::MasterKeyReplaced)]),
            Command::NoteUnsealed { failures } => {
                Ok(vec![Event::Installation(InstallationEvent::Unsealed { failures })])
            }
            Command::PasswordPolicy(command) => password::decide::decide(self, command),
            Command::User(command) => user::decide::decide(self, command),
            Command::Group(command) => group::decide::decide(self, command),
            Command::Session(command) => session::decide::decide(self, command),
            Command::Connection(command) => connection::decide::decide(self, command),
            Command::Kms(command) => kms::decide::decide(self, command),
            Command::Key(command) => key::decide::decide(self, command),
            Command::SourceKey(command) => source_key::decide::decide(self, command),
            Command::Job(command) => job::decide::decide(self, command),
            Command::Template(command) => template::decide::decide(self, command),
            Command::Schedule(command) => schedule::decide::decide(self, command),
            Command::KeyStore(command) => key_store::decide::decide(self, command),
            Command::Posture(command) => posture::decide::decide(self, command),
            Command::Report(command) => report::decide::decide(self, command),
            Command::Backup(command) => backup::decide::decide(self, command),
            Command::Webhook(command) => webhook::decide::decide(self, command),
            Command::Alarm(command) => alarm::decide::decide(self, command),
            Command::Drift(command) => drift::decide::decide(self, command),
            Command::Metrics(command) => Ok(metrics::decide(self, command)),
            Command::Forwarder(command) => forwarder::decide::decide(self, command),
        }
    }

    fn install(&self, id: InstallationId, token_key: Sealed, admin: UserCommand) -> Result<Vec<Event>, Refusal> {
        if self.installation.is_some() {
            return Err(InstallationRefusal::Exists.into());
        }
        let mut events = vec![Event::Installation(InstallationEvent::Created { id, token_key })];
        for group in SystemGroup::ALL {
            let name = system_name(group)?;
            let (description, metadata) = (group.description().to_owned(), Default::default());
            events.push(Event::Group(name, GroupEvent::Created { description, metadata }));
        }
        let made = user::decide::decide(self, admin)?;
        let first = made.first().cloned();
        events.extend(made);
        if let Some(Event::User(user, UserEvent::Created { .. })) = first {
            events.push(Event::Group(system_name(SystemGroup::Admin)?, GroupEvent::MemberAdded { user }));
        }
        Ok(events)
    }
}

fn system_name(group: SystemGroup) -> Result<GroupName, Refusal> {
    GroupName::parse(group.name()).map_err(|_| Refusal::Group(GroupRefusal::Unknown(group.name().to_owned())))
}
