//! What a finding about a key is, in a sentence.

use super::rule::{Rule, UNUSED_DAYS};
use crate::domain::key::aggregate::Key;
use crate::policy::summary::Summary;

/// What a rule says about this key, which breaks it.
pub fn detail(rule: Rule, key: &Key) -> String {
    let summary = || key.policy.as_ref().map(|policy| Summary::of(policy.as_str()));
    let listed = |what: &str, of: fn(Summary) -> Vec<String>| match summary().map(of) {
        Some(items) => format!("{what} {}", items.join(", ")),
        None => "the policy could not be read".to_owned(),
    };
    match rule {
        Rule::PolicyEveryone => listed("the policy allows everybody something in", |summary| summary.everyone),
        Rule::PolicyOtherAccounts => {
            let own = key.metadata.account().to_string();
            let accounts = summary().map(|summary| summary.accounts).unwrap_or_default();
            let others: Vec<String> = accounts.into_iter().filter(|account| *account != own).collect();
            format!("the policy allows something to {}", others.join(", "))
        }
        Rule::PolicyDeletedPrincipals => listed("the policy names", |summary| summary.deleted),
        Rule::PolicyNotUnderstood => listed("not understood:", |summary| summary.not_understood),
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
        Rule::NoSchedule => "no schedule rotates the key".to_owned(),
        Rule::Unused => match key.last_use.as_ref().map(|known| (known.tracked_since, &known.last)) {
            Some((_, Some(used))) => format!("last used on {}, for {}", used.at, used.operation),
            Some((since, None)) => format!("not used since {since}, when AWS began to record it"),
            None => format!("not used for {UNUSED_DAYS} days"),
        },
    }
}
