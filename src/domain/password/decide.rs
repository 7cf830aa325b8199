//! Decides the commands of password policies.

use super::patch::PasswordPolicyPatch;
use super::policies::NamedPasswordPolicy;
use crate::domain::event::{Event, InstallationEvent};
use crate::domain::name::PasswordPolicyName;
use crate::domain::refusal::{InstallationRefusal, Refusal};
use crate::domain::state::State;

#[derive(Clone, Debug)]
pub enum PasswordPolicyCommand {
    /// Create a policy. Members that the patch does not give are those of the global policy.
    Create {
        name: PasswordPolicyName,
        patch: PasswordPolicyPatch,
    },
    Update {
        name: PasswordPolicyName,
        patch: PasswordPolicyPatch,
    },
    Delete {
        name: PasswordPolicyName,
    },
}

/// Returns the events that the command causes. See [`State::decide`].
pub fn decide(state: &State, command: PasswordPolicyCommand) -> Result<Vec<Event>, Refusal> {
    match command {
        PasswordPolicyCommand::Create { name, patch } => {
            if state.password_policies.get(&name).is_some() {
                return Err(InstallationRefusal::PolicyNameTaken(name).into());
            }
            let model = NamedPasswordPolicy { name, ..NamedPasswordPolicy::clone(state.password_policies.global()) };
            Ok(vec![set(model.patched(patch)?)])
        }
        PasswordPolicyCommand::Update { name, patch } => {
            let present = state.password_policy(&name)?;
            let policy = NamedPasswordPolicy::clone(present).patched(patch)?;
            Ok(if policy == **present { vec![] } else { vec![set(policy)] })
        }
        PasswordPolicyCommand::Delete { name } => {
            state.password_policy(&name)?;
            if name.is_global() {
                return Err(InstallationRefusal::PolicyIsGlobal.into());
            }
            let users = state.users.iter().filter(|user| user.password_policy.as_ref() == Some(&name)).count();
            if users > 0 {
                return Err(InstallationRefusal::PolicyInUse { name, users }.into());
            }
            Ok(vec![Event::Installation(InstallationEvent::PasswordPolicyDeleted { name })])
        }
    }
}

fn set(policy: NamedPasswordPolicy) -> Event {
    let NamedPasswordPolicy { name, policy, expiry_notification_days } = policy;
    Event::Installation(InstallationEvent::PasswordPolicySet { name, policy, expiry_notification_days })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::UserEvent;
    use crate::domain::example::{password, user, user_id, user_name};
    use crate::domain::password::{PasswordPolicy, PasswordProblem, PolicyProblem};
    use crate::domain::refusal::UserRefusal;
    use crate::domain::scenario::{Given, given};
    use crate::domain::user::UserCommand;
    use crate::domain::user::patch::ProfilePatch;

    fn name(text: &str) -> PasswordPolicyName {
        PasswordPolicyName::parse(text).expect("a name")
    }

    fn create(text: &str, patch: PasswordPolicyPatch) -> PasswordPolicyCommand {
        PasswordPolicyCommand::Create { name: name(text), patch }
    }

    fn delete(text: &str) -> PasswordPolicyCommand {
        PasswordPolicyCommand::Delete { name: name(text) }
    }

    fn lasting(days: u32) -> PasswordPolicyPatch {
        PasswordPolicyPatch { password_lifetime: Some(days), ..PasswordPolicyPatch::default() }
    }

    fn stored(text: &str, policy: PasswordPolicy, expiry_notification_days: u32) -> Event {
        let event = InstallationEvent::PasswordPolicySet { name: name(text), policy, expiry_notification_days };
        Event::Installation(event)
    }

    fn assign(text: Option<&str>) -> UserCommand {
        let (id, profile) = (user_id(1), ProfilePatch::default());
        let password_policy = text.map(name);
        UserCommand::Update {
            id,
            name: None,
            profile,
            password: None,
            must_change: None,
            clear_lockout: false,
            password_policy,
        }
    }

    #[test]
    fn a_policy_begins_with_the_members_of_the_global_one() {
        let long = PasswordPolicy { inclusive_min_total_length: 20, ..PasswordPolicy::default() };
        let zeros = PasswordPolicyPatch {
            inclusive_min_total_length: Some(0),
            inclusive_min_digits: Some(0),
            password_expiry_notification_days: Some(7),
            ..lasting(30)
        };
        let machines = PasswordPolicy { inclusive_min_digits: 0, password_lifetime: 30, ..long.clone() };
        let state = given([stored("global", long.clone(), 0)]);
        let state = state.when(create("machines", zeros)).then([stored("machines", machines.clone(), 7)]);
        let taken = |text: &str| InstallationRefusal::PolicyNameTaken(name(text));
        state.when(create("machines", lasting(1))).then_refused(taken("machines"));
        state.when(create("global", lasting(1))).then_refused(taken("global"));
        let update = |text: &str, patch| PasswordPolicyCommand::Update { name: name(text), patch };
        state.when(update("machines", lasting(30))).then([]);
        let yearly = PasswordPolicy { password_lifetime: 365, ..machines };
        let state = state.when(update("machines", lasting(365))).then([stored("machines", yearly, 7)]);
        assert_eq!(state.password_policies.global().policy, long);
        state.when(update("people", lasting(1))).then_refused(InstallationRefusal::PolicyUnknown("people".to_owned()));
        let far = PasswordPolicyPatch { password_expiry_notification_days: Some(36_501), ..Default::default() };
        let days = PolicyProblem::Days("password_expiry_notification_days");
        state.when(update("global", far)).then_refused(InstallationRefusal::PolicyRejected(days));
    }

    fn under_machines() -> Given {
        let strict = PasswordPolicy { password_change_min_days: 2, ..PasswordPolicy::default() };
        given([user(1), user(2), stored("machines", strict, 0)]).after_all([assign(Some("machines"))])
    }

    #[test]
    fn a_user_is_under_one_policy_and_others_stay_under_the_global_one() {
        let state = under_machines();
        state.when(assign(Some("machines"))).then([]);
        state.when(assign(None)).then([]);
        let change = |n: u8| UserCommand::ChangeOwnPassword {
            id: user_id(n.into()),
            password_set: state.user(user_id(n.into())).expect("the user").password_set,
            password: password(7),
            at: crate::domain::key::example::at(9),
        };
        let early = UserRefusal::PasswordRejected(PasswordProblem::ChangedLately(2));
        state.when(change(1)).then_refused(early);
        state.when(change(2)).then_done();
        let freed = Event::User(user_id(1), UserEvent::PasswordPolicyAssigned { policy: None });
        let state = state.when(assign(Some("global"))).then([freed]);
        state.when(change(1)).then_done();
        let unknown = Refusal::from(InstallationRefusal::PolicyUnknown("people".to_owned()));
        state.when(assign(Some("people"))).then_refused(unknown.of("password_policy"));
    }

    #[test]
    fn a_new_user_can_have_a_policy() {
        let create = |policy: &str| UserCommand::Create {
            id: user_id(3),
            name: user_name("cid"),
            profile: ProfilePatch::default(),
            password: password(3),
            must_change: false,
            password_policy: Some(name(policy)),
        };
        let state = under_machines().when(create("machines")).then_done();
        assert_eq!(state.user(user_id(3)).expect("the user").password_policy, Some(name("machines")));
        let state = under_machines().when(create("global")).then_done();
        assert_eq!(state.user(user_id(3)).expect("the user").password_policy, None);
        let unknown = Refusal::from(InstallationRefusal::PolicyUnknown("people".to_owned()));
        under_machines().when(create("people")).then_refused(unknown.of("password_policy"));
    }

    #[test]
    fn a_policy_that_is_global_or_that_users_have_stays() {
        let state = under_machines();
        state.when(delete("global")).then_refused(InstallationRefusal::PolicyIsGlobal);
        let in_use = InstallationRefusal::PolicyInUse { name: name("machines"), users: 1 };
        state.when(delete("machines")).then_refused(in_use);
        let deleted = InstallationEvent::PasswordPolicyDeleted { name: name("machines") };
        let state = state.when(UserCommand::Remove { id: user_id(1) }).then_done();
        let state = state.when(delete("machines")).then([Event::Installation(deleted)]);
        state.when(delete("machines")).then_refused(InstallationRefusal::PolicyUnknown("machines".to_owned()));
    }
}
