//! The token with which programs read the metrics. The installation has at most one.

use super::event::{Event, InstallationEvent, Sealed};
use super::state::State;

#[derive(Clone, Debug)]
pub enum MetricsCommand {
    /// Sets the token, sealed. If there is one already it stays, unless `replace` is set.
    Enable { token: Sealed, replace: bool },
    /// Removes the token, if there is one.
    Disable,
}

/// Returns the events that the command causes. It cannot be refused.
pub(super) fn decide(state: &State, command: MetricsCommand) -> Vec<Event> {
    let has_token = state.installation.as_ref().is_some_and(|installation| installation.metrics_token.is_some());
    let event = match command {
        MetricsCommand::Enable { token, replace } => {
            (replace || !has_token).then_some(InstallationEvent::MetricsEnabled { token })
        }
        MetricsCommand::Disable => has_token.then_some(InstallationEvent::MetricsDisabled),
    };
    event.map(Event::Installation).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::InstallationId;
    use crate::domain::time::Time;
    use uuid::Uuid;

    #[test]
    fn a_token_stays_until_it_is_replaced_or_removed() {
        let sealed = |text: &str| Sealed(text.as_bytes().to_vec());
        let mut state = State::default();
        let make = |state: &mut State, command| {
            let events = decide(state, command);
            events.iter().for_each(|event| state.apply(Time::from_nanos(1), event));
            let token = state.installation.as_ref().and_then(|installation| installation.metrics_token.clone());
            (events.len(), token)
        };
        let id = InstallationId::new(Uuid::from_u128(1));
        let created = InstallationEvent::Created { id, token_key: sealed("k") };
        state.apply(Time::from_nanos(1), &Event::Installation(created));
        let enable = |token, replace| MetricsCommand::Enable { token: sealed(token), replace };
        assert_eq!(make(&mut state, MetricsCommand::Disable), (0, None));
        assert_eq!(make(&mut state, enable("a", false)), (1, Some(sealed("a"))));
        assert_eq!(make(&mut state, enable("b", false)), (0, Some(sealed("a"))));
        assert_eq!(make(&mut state, enable("b", true)), (1, Some(sealed("b"))));
        assert_eq!(make(&mut state, MetricsCommand::Disable), (1, None));
    }
}
