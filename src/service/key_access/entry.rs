//! The entries of an answer: one for each principal that a statement or a grant names.

use crate::domain::key::grant::KeyGrant;
use crate::policy::access::{Subject, Target, concerns, constraint_in_words, granted};
use crate::policy::actions::{ACTIONS, Group, group_of};
use crate::policy::principal::{Named, Principal};
use crate::policy::summary::is_of_deleted;
use crate::policy::{Condition, Effect, Statement};

/// What a statement or a grant says of one principal.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The principal as AWS writes it; `*` for everybody.
    pub principal: String,
    pub kind: &'static str,
    pub account: Option<String>,
    /// The principals that are excepted from everybody (`NotPrincipal`).
    pub except: Vec<String>,
    pub effect: &'static str,
    pub actions: ActionNames,
    /// The patterns as they are written, and whether they are the actions that are left out (`NotAction`).
    pub written: Vec<String>,
    pub all_but: bool,
    /// Whether the statement is about this key: its `Resource` can name others.
    pub applies: bool,
    /// Whether the account is allowed it, and its own policies decide for each user and role.
    pub delegates_to_iam: bool,
    pub source: Source,
    pub conditions: Vec<ConditionSeen>,
}

/// Actions, by what they are for.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct ActionNames {
    pub r#use: Vec<String>,
    pub administer: Vec<String>,
    pub grant: Vec<String>,
    pub view: Vec<String>,
    /// Patterns that match no action that is known here.
    pub other: Vec<String>,
}

/// What an entry comes from.
#[derive(Clone, PartialEq, Debug)]
pub enum Source {
    Statement { number: usize, sid: Option<String> },
    Grant { id: String, name: String },
}

/// A condition, as AWS writes it and in words.
#[derive(Clone, PartialEq, Debug)]
pub struct ConditionSeen {
    pub operator: String,
    pub key: String,
    pub values: Vec<String>,
    pub text: String,
}

impl ConditionSeen {
    fn of(condition: &Condition) -> Self {
        Self {
            operator: condition.written.clone(),
            key: condition.key.clone(),
            values: condition.values.clone(),
            text: condition.in_words(),
        }
    }
}

impl ActionNames {
    fn push(&mut self, action: &str, group: Option<Group>) {
        let list = match group {
            Some(Group::Use) => &mut self.r#use,
            Some(Group::Administer) => &mut self.administer,
            Some(Group::Grant) => &mut self.grant,
            Some(Group::View) => &mut self.view,
            None => &mut self.other,
        };
        list.push(action.to_owned());
    }

    fn of(statement: &Statement) -> Self {
        let mut names = Self::default();
        for (action, group) in ACTIONS.iter().filter(|(action, _)| statement.is_about(action)) {
            names.push(action, Some(*group));
        }
        for (written, pattern) in statement.written_actions.iter().zip(&statement.actions.items) {
            let matches = |action: &str| crate::policy::pattern::matches(pattern, &action.to_ascii_lowercase());
            if !ACTIONS.iter().any(|(action, _)| matches(action)) {
                names.push(written, None);
            }
        }
        names
    }
}

/// The entries of the statements; with a subject, of those that are about it.
pub(super) fn of_policy(target: &Target<'_>, subject: Option<&Subject>) -> Vec<Entry> {
    let statements = target.reading.policy.statements().iter();
    let about =
        statements.filter(|statement| subject.is_none_or(|subject| concerns(target, statement, subject).0 > Named::No));
    about.flat_map(|statement| of_statement(target, statement)).collect()
}

fn of_statement(target: &Target<'_>, statement: &Statement) -> Vec<Entry> {
    let Some(principals) = &statement.principals else { return Vec::new() };
    let applies = statement.applies_to(target.arn, target.reading.policy.has_variables());
    let entry = |principal: &Principal, except: Vec<String>| Entry {
        principal: text_of(principal),
        kind: kind_of(principal),
        account: principal.account().map(str::to_owned),
        except,
        effect: if statement.effect == Effect::Allow { "allow" } else { "deny" },
        actions: ActionNames::of(statement),
        written: statement.written_actions.clone(),
        all_but: statement.actions.all_but,
        applies,
        delegates_to_iam: statement.effect == Effect::Allow && matches!(principal, Principal::Account { .. }),
        source: Source::Statement { number: statement.number, sid: statement.sid.clone() },
        conditions: statement.conditions.iter().map(ConditionSeen::of).collect(),
    };
    match principals.all_but {
        true => vec![entry(&Principal::Anyone, principals.items.iter().map(text_of).collect())],
        false => principals.items.iter().map(|principal| entry(principal, Vec::new())).collect(),
    }
}

/// The entries of the grants; with a subject, of those whose grantee it is.
pub(super) fn of_grants(target: &Target<'_>, grants: &[KeyGrant], subject: Option<&Subject>) -> Vec<Entry> {
    let pairs = grants.iter().zip(target.grants);
    let of_subject = pairs.filter(|(_, grant)| {
        let names = |subject: &Subject| {
            let operations = grant.operations.iter().map(|operation| format!("kms:{operation}"));
            operations.into_iter().any(|action| granted(grant, subject, &action) > Named::No)
        };
        subject.is_none_or(names)
    });
    let entry = |(at_aws, grant): (&KeyGrant, &crate::policy::grant::Grant)| {
        let principal =
            Principal::returned("AWS", &at_aws.grantee).unwrap_or_else(|| Principal::Service(at_aws.grantee.clone()));
        let written: Vec<String> = at_aws.operations.iter().map(|operation| format!("kms:{operation}")).collect();
        let mut actions = ActionNames::default();
        written.iter().for_each(|action| actions.push(action, group_of(action)));
        let pairs =
            [("EncryptionContextEquals", &at_aws.context_equals), ("EncryptionContextSubset", &at_aws.context_subset)];
        let constraints = pairs.into_iter().filter_map(|(name, pairs)| Some((name, pairs.as_ref()?)));
        let conditions = constraints.map(|(name, pairs)| ConditionSeen {
            operator: name.to_owned(),
            key: "EncryptionContext".to_owned(),
            values: pairs.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            text: constraint_in_words(grant).unwrap_or_default(),
        });
        Entry {
            principal: at_aws.grantee.clone(),
            kind: kind_of(&principal),
            account: principal.account().map(str::to_owned),
            except: Vec::new(),
            effect: "allow",
            actions,
            all_but: false,
            applies: true,
            delegates_to_iam: matches!(principal, Principal::Account { .. }),
            source: Source::Grant { id: at_aws.id.clone(), name: at_aws.name.clone() },
            conditions: conditions.collect(),
            written,
        }
    };
    of_subject.map(entry).collect()
}

fn text_of(principal: &Principal) -> String {
    match principal {
        Principal::Anyone => "*".to_owned(),
        Principal::Account { id, partition: None } => id.clone(),
        Principal::Account { id, partition: Some(partition) } => format!("arn:{partition}:iam::{id}:root"),
        Principal::Arn(text) | Principal::Service(text) | Principal::Federated(text) | Principal::Id(text) => {
            text.clone()
        }
    }
}

fn kind_of(principal: &Principal) -> &'static str {
    match principal {
        Principal::Anyone => "everyone",
        Principal::Account { .. } => "account",
        Principal::Arn(arn) => match arn.split(':').nth(5).and_then(|resource| resource.split('/').next()) {
            Some("role") => "role",
            Some("assumed-role") => "session",
            Some("federated-user") => "federated",
            _ => "user",
        },
        Principal::Service(_) => "service",
        Principal::Federated(_) => "federated",
        Principal::Id(id) if is_of_deleted(id) => "unknown_id",
        Principal::Id(_) => "canonical_user",
    }
}

/// The kind of a subject.
pub(super) fn kind_of_subject(subject: &Subject) -> &'static str {
    kind_of(&subject.principal())
}
