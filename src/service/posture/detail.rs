//! What a finding about a key is, in a sentence.

use super::rule::{Rule, UNUSED_DAYS};
use crate::domain::key::aggregate::Key;
use crate::domain::state::State;
use crate::policy::summary::Said;
use crate::service::policies::Policies;

/// What a rule says about this key, which breaks it.
pub(super) fn detail(rule: Rule, key: &Key, state: &State, policies: &Policies) -> String {
    let meaning = || key.policy.as_ref().map(|policy| policies.meaning(policy));
    let said = || meaning().map(|known| known.summary.said_of(&key.metadata.arn.to_string())).unwrap_or_default();
    let listed = |what: &str, of: fn(Said) -> Vec<String>| format!("{what} {}", of(said()).join(", "));
    match rule {
        Rule::PolicyEveryone => listed("the policy allows everybody something in", |said| said.everyone),
        Rule::PolicyOtherAccounts => {
            let own = key.metadata.account().to_string();
            let others: Vec<String> = said().accounts.into_iter().filter(|account| *account != own).collect();
            format!("the policy allows something to {}", others.join(", "))
        }
        Rule::PolicyByCondition => format!("the policy allows something to {}", said().others.join("; ")),
        Rule::PolicyDeletedPrincipals => listed("the policy names", |said| said.deleted),
        Rule::PolicyNotUnderstood => match meaning() {
            Some(known) => format!("not understood: {}", known.summary.not_understood.join(", ")),
            None => "the policy could not be read".to_owned(),
        },
        Rule::MaterialExpiring => match key.metadata.valid_to {
            Some(end) => format!("the material expires on {end}"),
            None => "the material expires".to_owned(),
        },
        Rule::MaterialMissing => "the key waits for material".to_owned(),
        Rule::PendingDeletion => match key.metadata.deletion_date {
            Some(date) => format!("AWS deletes the key on {date}"),
            None => "AWS deletes the key once its last replica is gone".to_owned(),
        },
        Rule::NoRotation => "AWS's automatic rotation is off, and no schedule rotates the key".to_owned(),
        Rule::NoSchedule => match key.rotation_job.as_ref().and_then(|job| state.schedules.all.get(&job.schedule)) {
            Some(schedule) if schedule.next_due().is_some() => {
                "no schedule rotates the key: its KMS is archived".to_owned()
            }
            Some(schedule) => format!("no schedule rotates the key: {} is disabled or has ended", schedule.name),
            None => "no schedule rotates the key".to_owned(),
        },
        Rule::Unused => match key.last_use.as_ref().map(|known| (known.tracked_since, &known.last)) {
            Some((_, Some(used))) => format!("last used on {}, for {}", used.at, used.operation),
            Some((since, None)) => format!("not used since {since}, when AWS began to record it"),
            None => format!("not used for {UNUSED_DAYS} days"),
        },
    }
}
