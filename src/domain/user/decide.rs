//! Decides the commands of users.

use super::patch::ProfilePatch;
use super::{User, UserCommand, UserProfile};
use crate::domain::acl::Principal;
use crate::domain::cascade;
use crate::domain::event::{Event, Sealed, UserEvent};
use crate::domain::group::SystemGroup;
use crate::domain::group::decide::refuse_last_admin;
use crate::domain::id::UserId;
use crate::domain::name::{PasswordPolicyName, UserName};
use crate::domain::password::{PasswordPolicy, PasswordProblem};
use crate::domain::refusal::{Refusal, SessionRefusal, UserRefusal};
use crate::domain::state::State;
use crate::domain::time::Time;

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: UserCommand) -> Result<Vec<Event>, Refusal> {
    match command {
        UserCommand::Create { id, name, profile, password, must_change, password_policy } => {
            refuse_taken(state, &name)?;
            let policy = password_policy.map(|name| assignable(state, name)).transpose()?.flatten();
            let assigned = policy.map(|policy| UserEvent::PasswordPolicyAssigned { policy: Some(policy) });
            let profile = UserProfile::default().patched(profile)?;
            let created = UserEvent::Created { name, profile, password, must_change };
            Ok([created].into_iter().chain(assigned).map(|event| Event::User(id, event)).collect())
        }
        UserCommand::Update { id, name, profile, password, must_change, clear_lockout, password_policy } => {
            let user = state.user(id)?;
            let policy = password_policy.map(|name| assignable(state, name)).transpose()?;
            let assigned = policy.filter(|policy| *policy != user.password_policy);
            let assigned = assigned.map(|policy| Event::User(id, UserEvent::PasswordPolicyAssigned { policy }));
            let mut events = user.update(state, name, profile, password, must_change, clear_lockout)?;
            events.extend(assigned);
            Ok(events)
        }
        UserCommand::UpdateOwn { id, mut profile } => {
            let user = state.user(id)?;
            if profile.email.as_ref().is_some_and(|email| *email != user.profile.email) {
                profile.email_verified = Some(false);
            }
            user.update(state, None, profile, None, None, false)
        }
        UserCommand::SetPreferences { id, preferences } => {
            let is_new = state.user(id)?.preferences.as_ref() != Some(&preferences);
            Ok(is_new.then_some(Event::User(id, UserEvent::PreferencesSet { preferences })).into_iter().collect())
        }
        UserCommand::ChangeOwnPassword { id, password_set, password, at } => {
            let user = state.user(id)?;
            if user.password_set != password_set {
                return Err(SessionRefusal::BadCredentials.into());
            }
            user.refuse_changed_lately(state.password_policies.of(user), at)?;
            let changed = Event::User(id, UserEvent::PasswordChanged { password, must_change: false });
            Ok([changed].into_iter().chain(cascade::close_sessions(state, id)).collect())
        }
        UserCommand::Rehash { id, from, to } => {
            let same = state.user(id)?.password == from;
            Ok(same.then_some(Event::User(id, UserEvent::PasswordRehashed { password: to })).into_iter().collect())
        }
        UserCommand::RecordFailure { id, source } => {
            state.user(id)?;
            Ok(vec![Event::User(id, UserEvent::LoginFailed { source })])
        }
        UserCommand::Remove { id } => remove(state, id),
    }
}

/// Returns the name of a policy as a user has it: `None` for the global one.
///
/// # Errors
/// When there is no such policy.
fn assignable(state: &State, name: PasswordPolicyName) -> Result<Option<PasswordPolicyName>, Refusal> {
    state.password_policy(&name).map_err(|refusal| refusal.of("password_policy"))?;
    Ok(Some(name).filter(|name| !name.is_global()))
}

fn refuse_taken(state: &State, name: &UserName) -> Result<(), Refusal> {
    if name.is_reserved() {
        return Err(UserRefusal::NameReserved(name.clone()).into());
    }
    match state.user_named(name) {
        Some(_) => Err(UserRefusal::NameTaken(name.clone()).into()),
        None => Ok(()),
    }
}

fn remove(state: &State, id: UserId) -> Result<Vec<Event>, Refusal> {
    let user = state.user(id)?;
    if user.is_in(SystemGroup::Admin) {
        refuse_last_admin(state)?;
    }
    let rights = cascade::withdraw_rights(state, Principal::User(id));
    let left = cascade::close_sessions(state, id).chain(cascade::leave_groups(user));
    Ok(rights.chain(left).chain([Event::User(id, UserEvent::Removed)]).collect())
}

impl User {
    fn refuse_changed_lately(&self, policy: &PasswordPolicy, at: Time) -> Result<(), Refusal> {
        let days = policy.password_change_min_days;
        let early = self.password_set.plus_seconds(i64::from(days) * 86_400) > at;
        if days > 0 && early && !self.password_due(policy, at) {
            return Err(UserRefusal::PasswordRejected(PasswordProblem::ChangedLately(days)).into());
        }
        Ok(())
    }

    fn update(
        &self,
        state: &State,
        name: Option<UserName>,
        profile: ProfilePatch,
        password: Option<Sealed>,
        must_change: Option<bool>,
        clear_lockout: bool,
    ) -> Result<Vec<Event>, Refusal> {
        let mut events = Vec::new();
        if let Some(to) = name.filter(|name| *name != self.name) {
            if to.folded() != self.name.folded() {
                refuse_taken(state, &to)?;
            }
            events.push(UserEvent::Renamed { to });
        }
        let profile = self.profile.patched(profile)?;
        if profile != self.profile {
            events.push(UserEvent::ProfileChanged { profile });
        }
        match (password, must_change) {
            (Some(password), must) => {
                events.push(UserEvent::PasswordChanged { password, must_change: must.unwrap_or(self.must_change) });
            }
            (None, Some(required)) if required != self.must_change => {
                events.push(UserEvent::PasswordChangeRequired { required });
            }
            (None, _) => {}
        }
        if clear_lockout && !self.failures.is_empty() {
            events.push(UserEvent::LockoutCleared);
        }
        let ends_sessions = events.iter().any(|event| matches!(event, UserEvent::PasswordChanged { .. }));
        let closed = ends_sessions.then(|| cascade::close_sessions(state, self.id)).into_iter().flatten();
        Ok(events.into_iter().map(|event| Event::User(self.id, event)).chain(closed).collect())
    }
}
