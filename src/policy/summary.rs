//! What the policy of a key says, for somebody who looks at many keys: whom it names. It is made once for each text.

use super::actions::ACTIONS;
use super::condition::Condition;
use super::document::{Effect, Reading, Selection, Statement};
use super::principal::Principal;
use std::collections::BTreeSet;

/// Whom a policy names. The key and its account are not known here: equal texts can belong to several keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// What the policy says of any key.
    pub of_any_key: Said,
    /// What those statements say that are only about the keys that their `Resource` names.
    pub of_some_keys: Vec<(Resources, Said)>,
    /// The statements that could not be read, and why.
    pub not_understood: Vec<String>,
}

/// What statements say. The lists are sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The statements that allow everybody something, without a condition that leaves only known callers.
    pub everyone: Vec<String>,
    /// The accounts that are allowed something, by themselves or by their users and roles.
    pub accounts: Vec<String>,
    /// The callers that only conditions name, and not by their account: `callers, if the caller's organization is o-1`.
    pub others: Vec<String>,
    /// The unique ids of users and roles that were deleted; AWS shows them in place of the ARNs.
    pub deleted: Vec<String>,
}

/// The keys that a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resources {
    patterns: Selection<String>,
    variables: bool,
}

impl Resources {
    /// Whether the key with this ARN can be among them.
    pub fn can_mean(&self, arn: &str) -> bool {
        self.patterns.can_mean(arn, self.variables)
    }
}

impl Summary {
    /// Reads the policy of a key as AWS returns it.
    pub fn of(text: &str) -> Summary {
        Self::of_reading(&Reading::of(text))
    }

    pub fn of_reading(reading: &Reading) -> Summary {
        let mut summary = Summary::default();
        let statements = reading.policy.statements();
        let exclusions: Vec<_> = statements.iter().filter(|statement| excludes_others(statement)).collect();
        for statement in statements.iter().filter(|statement| is_about_keys(statement)) {
            let mut said = Said::default();
            said.add(statement, &exclusions);
            if is_about_any_key(statement) {
                summary.of_any_key.extend(&said);
            } else if said != Said::default() {
                let patterns = statement.resources.clone();
                let resources = Resources { patterns, variables: reading.policy.has_variables() };
                summary.of_some_keys.push((resources, said));
            }
        }
        summary.of_any_key.sort();
        let not_understood = reading.not_understood.iter().map(|part| match part.number {
            0 => part.reason.clone(),
            number => format!("{}: {}", name_of(number, part.sid.as_deref()), part.reason),
        });
        summary.not_understood.extend(not_understood);
        summary
    }

    /// What the policy says of the key with this ARN.
    pub fn said_of(&self, arn: &str) -> Said {
        let mut said = self.of_any_key.clone();
        let of_key = self.of_some_keys.iter().filter(|(resources, _)| resources.can_mean(arn));
        of_key.for_each(|(_, more)| said.extend(more));
        said.sort();
        said
    }

    /// Whom outside of an account the policy allows something with the key: `everyone`, `account 210987654321`, or
    /// callers that conditions name.
    pub fn outsiders(&self, arn: &str, account: &str) -> BTreeSet<String> {
        let Said { everyone, accounts, others, deleted: _ } = self.said_of(arn);
        let everyone = everyone.first().map(|_| "everyone".to_owned());
        let accounts = accounts.into_iter().filter(|other| other != account).map(|other| format!("account {other}"));
        everyone.into_iter().chain(accounts).chain(others).collect()
    }
}

impl Said {
    fn extend(&mut self, more: &Said) {
        self.everyone.extend_from_slice(&more.everyone);
        self.accounts.extend_from_slice(&more.accounts);
        self.others.extend_from_slice(&more.others);
        self.deleted.extend_from_slice(&more.deleted);
    }

    fn sort(&mut self) {
        for list in [&mut self.accounts, &mut self.others, &mut self.deleted] {
            list.sort_unstable();
            list.dedup();
        }
    }

    /// Adds accounts; if there are none, the callers that conditions name.
    fn add_named(&mut self, accounts: Vec<String>, before: &str, conditions: &[&Condition]) {
        if accounts.is_empty() {
            let words: Vec<String> = conditions.iter().map(|one| one.in_words()).collect();
            self.others.push(format!("{before} {}", words.join(" and ")));
        }
        self.accounts.extend(accounts);
    }

    fn add(&mut self, statement: &Statement, exclusions: &[&Statement]) {
        let Some(principals) = &statement.principals else { return };
        let deleted = principals.items.iter().filter_map(|principal| match principal {
            Principal::Id(id) if is_of_deleted(id) => Some(id.clone()),
            Principal::Id(_)
            | Principal::Anyone
            | Principal::Account { .. }
            | Principal::Arn(_)
            | Principal::Service(_)
            | Principal::Federated(_) => None,
        });
        self.deleted.extend(deleted);
        if statement.effect == Effect::Deny {
            return;
        }
        if names_everyone(statement) {
            let narrowing: Vec<_> = statement.conditions.iter().filter(|one| one.narrows_callers()).collect();
            if !narrowing.is_empty() {
                self.add_named(accounts_in(&narrowing), "callers, if", &narrowing);
            } else if let Some(first) = exclusions.first() {
                // What one denial leaves, another may deny: the first is not exceeded.
                self.add_named(left_by(first), "callers, unless", &first.conditions.iter().collect::<Vec<_>>());
            } else {
                self.everyone.push(name_of(statement.number, statement.sid.as_deref()));
            }
        } else {
            self.accounts.extend(principals.items.iter().filter_map(Principal::account).map(str::to_owned));
        }
    }
}

/// Whether an id is that of a user or a role. AWS shows it in place of the ARN once the user or role is deleted.
pub fn is_of_deleted(id: &str) -> bool {
    id.starts_with("AIDA") || id.starts_with("AROA")
}

/// Whether a statement is about an action of KMS on a key.
fn is_about_keys(statement: &Statement) -> bool {
    ACTIONS.iter().any(|(action, _)| statement.is_about(action))
}

/// Whether a statement is about the key that has the policy, whichever that is.
fn is_about_any_key(statement: &Statement) -> bool {
    !statement.resources.all_but && statement.resources.items.iter().any(|resource| resource == "*")
}

/// The accounts that conditions name.
fn accounts_in(conditions: &[&Condition]) -> Vec<String> {
    conditions.iter().flat_map(|one| one.accounts()).map(str::to_owned).collect()
}

/// Whether a statement is about everybody, or about everybody but some.
fn names_everyone(statement: &Statement) -> bool {
    let principals = statement.principals.as_ref();
    principals.is_some_and(|principals| principals.all_but || principals.items.contains(&Principal::Anyone))
}

/// Whether a denial leaves everything only to callers that the policy knows: it is about everybody, all actions and
/// the key, and has one condition, on who calls; or it is about everybody but some, without a condition.
fn excludes_others(statement: &Statement) -> bool {
    let whole = !statement.actions.all_but
        && statement.actions.items.iter().any(|action| ["*", "kms:*"].contains(&action.as_str()))
        && is_about_any_key(statement);
    let all_but = statement.principals.as_ref().is_some_and(|principals| principals.all_but);
    let spares_everyone =
        all_but && statement.principals.iter().any(|principals| principals.items.contains(&Principal::Anyone));
    let others: Vec<_> = statement.conditions.iter().filter(|one| !one.spares_services_only()).collect();
    let about_others = match others[..] {
        [] => all_but,
        [only] => !all_but && only.excludes_other_callers(),
        _ => false,
    } && !spares_everyone;
    statement.effect == Effect::Deny && whole && names_everyone(statement) && about_others
}

/// The accounts that a denial to others leaves.
fn left_by(denial: &Statement) -> Vec<String> {
    let by_condition = accounts_in(&denial.conditions.iter().collect::<Vec<_>>());
    let spared = denial.principals.iter().filter(|principals| principals.all_but).flat_map(|one| &one.items);
    by_condition.into_iter().chain(spared.filter_map(Principal::account).map(str::to_owned)).collect()
}

/// The name of a statement: its Sid, or its place.
pub fn name_of(number: usize, sid: Option<&str>) -> String {
    match sid {
        Some(sid) if !sid.is_empty() => sid.to_owned(),
        _ => format!("statement {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn summary_of(statements: &str) -> Summary {
        Summary::of(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#))
    }

    fn summary(statements: &str) -> Said {
        summary_of(statements).said_of(KEY)
    }

    const ANYONE: &str = r#"{"Sid":"Open","Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*""#;

    #[test]
    fn everybody_is_named_unless_a_condition_or_a_denial_leaves_known_callers() {
        let everyone = |statements: &str| summary(statements).everyone;
        assert_eq!(everyone(&format!("{ANYONE}}}")), ["Open"]);
        let with = |condition: &str| format!("{ANYONE},\"Condition\":{condition}}}");
        assert_eq!(everyone(&with(r#"{"StringEquals":{"kms:ViaService":"s3.amazonaws.com"}}"#)), ["Open"]);
        let narrowed = summary(&with(r#"{"StringEquals":{"kms:CallerAccount":"444455556666"}}"#));
        assert_eq!((narrowed.everyone.len(), narrowed.accounts.as_slice()), (0, &["444455556666".to_owned()][..]));
        let deny = r#"{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}"#;
        assert!(everyone(&format!("{ANYONE}}},{deny}")).is_empty());
        let services = deny.replace(r#""o-1"}"#, r#""o-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}"#);
        assert!(everyone(&format!("{ANYONE}}},{services}")).is_empty(), "services of AWS are spared");
        let others = deny
            .replace(r#"{"aws:PrincipalOrgID":"o-1"}"#, r#"{"aws:PrincipalAccount":["111122223333","444455556666"]}"#);
        let left = summary(&format!("{ANYONE}}},{others}"));
        assert_eq!(
            (left.everyone.len(), left.accounts),
            (0, vec!["111122223333".to_owned(), "444455556666".to_owned()])
        );
        let spared = r#"{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::444455556666:root"]},"Action":"kms:*","Resource":"*"}"#;
        let left = summary(&format!("{ANYONE}}},{spared}"));
        assert_eq!((left.everyone.len(), left.accounts), (0, vec!["444455556666".to_owned()]));
        let nobody = spared.replace("arn:aws:iam::444455556666:root", "*");
        assert_eq!(everyone(&format!("{ANYONE}}},{nobody}")), ["Open"], "a denial to nobody");
        let of_s3 = format!("{}}}", ANYONE.replace("kms:*", "s3:*"));
        assert!(everyone(&of_s3).is_empty(), "a statement that is not about keys");
        let deny_some = deny.replace("kms:*", "kms:Decrypt");
        assert_eq!(everyone(&format!("{ANYONE}}},{deny_some}")), ["Open"]);
        let all_but = r#"{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/ann"},"Action":"kms:Decrypt","Resource":"*"}"#;
        assert_eq!(everyone(all_but), ["statement 1"]);
        assert!(everyone(&all_but.replace("Allow", "Deny")).is_empty(), "a denial opens nothing");
    }

    #[test]
    fn other_accounts_everyone_and_callers_of_conditions_are_outsiders() {
        let outsiders = |statement: &str| -> Vec<String> {
            summary_of(statement).outsiders(KEY, "123456789012").into_iter().collect()
        };
        let to = |effect: &str, who: &str| format!(r#"{{"Effect":"{effect}",{who},"Action":"kms:*","Resource":"*"}}"#);
        let none: [&str; 0] = [];
        assert_eq!(outsiders(&to("Allow", r#""Principal":{"AWS":"arn:aws:iam::123456789012:root"}"#)), none);
        assert_eq!(outsiders(&to("Allow", r#""Principal":{"Service":"logs.eu-west-1.amazonaws.com"}"#)), none);
        assert_eq!(outsiders(&to("Allow", r#""Principal":"*""#)), ["everyone"]);
        assert_eq!(outsiders(&to("Allow", r#""Principal":{"AWS":["123456789012","*"]}"#)), ["everyone"]);
        let others = r#""Principal":{"AWS":["210987654321","arn:aws:iam::333333333333:role/app"]}"#;
        assert_eq!(outsiders(&to("Allow", others)), ["account 210987654321", "account 333333333333"]);
        let but = r#""NotPrincipal":{"AWS":"arn:aws:iam::123456789012:user/ann"}"#;
        assert_eq!(outsiders(&to("Allow", but)), ["everyone"]);
        assert_eq!(outsiders(&to("Deny", r#""Principal":"*""#)), none);
        let with = |operator: &str, key: &str, value: &str| {
            outsiders(&format!(r#"{ANYONE},"Condition":{{"{operator}":{{"{key}":{value}}}}}}}"#))
        };
        assert_eq!(with("StringEquals", "kms:CallerAccount", r#""123456789012""#), none);
        let two = r#"["123456789012","210987654321"]"#;
        assert_eq!(with("StringEquals", "kms:CallerAccount", two), ["account 210987654321"]);
        assert_eq!(with("ArnLike", "aws:PrincipalArn", r#""arn:aws:iam::123456789012:role/*""#), none);
        let organization = with("StringEquals", "aws:PrincipalOrgID", r#""o-a1b2c3d4e5""#);
        assert_eq!(organization, ["callers, if the caller's organization is o-a1b2c3d4e5"]);
        let network = with("IpAddress", "aws:SourceIp", r#""10.0.0.0/8""#);
        assert!(network[0].contains("10.0.0.0/8"), "{network:?}");
        for (operator, key, value) in [
            ("StringNotEquals", "kms:CallerAccount", "210987654321"),
            ("StringEqualsIfExists", "kms:CallerAccount", "123456789012"),
            ("ForAllValues:StringEquals", "kms:CallerAccount", "123456789012"),
            ("StringLike", "kms:CallerAccount", "*"),
            ("StringLike", "aws:PrincipalArn", "*"),
            ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/app"),
            ("StringLike", "aws:PrincipalOrgID", "o-*"),
            ("StringEquals", "kms:ViaService", "s3.eu-west-1.amazonaws.com"),
        ] {
            assert_eq!(with(operator, key, &format!("\"{value}\"")), ["everyone"], "{operator} {key}");
        }
        let deny = r#"{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}}"#;
        let left = outsiders(&format!("{ANYONE}}},{deny}"));
        assert_eq!(left, ["callers, unless the caller's organization is not o-1"]);
    }

    #[test]
    fn accounts_and_deleted_users_are_named() {
        let found = summary(
            r#"{"Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::444455556666:role/app",
               "arn:aws:iam::444455556666:root","AIDACKCEVSQ6C2EXAMPLE"],"Service":"new-thing.amazonaws.com"},
               "Action":"kms:*","Resource":"*"},
               {"Effect":"Deny","Principal":{"AWS":["arn:aws:iam::777788889999:root","AROADBQP57FF2AEXAMPLE"]},
               "Action":"kms:*","Resource":"*"}"#,
        );
        assert_eq!(found.accounts, ["111122223333", "444455556666"]);
        assert_eq!(found.deleted, ["AIDACKCEVSQ6C2EXAMPLE", "AROADBQP57FF2AEXAMPLE"]);
        assert!(found.everyone.is_empty());
    }

    #[test]
    fn statements_about_other_keys_or_other_services_say_nothing_of_the_key() {
        let other = "arn:aws:kms:eu-west-1:123456789012:key/another";
        let to = |effect: &str, who: &str, action: &str, resource: &str| {
            let statement = format!(r#"{{"Effect":"{effect}","Principal":{{"AWS":"{who}"}},{action},{resource}}}"#);
            summary(&statement)
        };
        let (kms, whole) = (r#""Action":"kms:*""#, r#""Resource":"*""#);
        let of_other = format!(r#""Resource":"{other}""#);
        for who in ["*", "444455556666", "AIDACKCEVSQ6C2EXAMPLE"] {
            let said = |action: &str, resource: &str| to("Allow", who, action, resource) != Said::default();
            assert!(said(kms, whole) && said(kms, &format!(r#""Resource":["{other}","{KEY}"]"#)), "{who}");
            assert!(said(kms, r#""Resource":"arn:aws:kms:*:*:key/*""#) && said(r#""NotAction":"kms:Decrypt""#, whole));
            assert!(said(kms, &of_other.replace("Resource", "NotResource")), "{who}");
            assert!(said(kms, r#""Resource":"arn:aws:kms:*:${aws:PrincipalAccount}:key/a""#), "{who}");
            assert!(!said(kms, &of_other) && !said(kms, r#""NotResource":"*""#), "{who}");
            assert!(!said(r#""Action":"s3:*""#, whole) && !said(r#""NotAction":"kms:*""#, whole), "{who}");
        }
        let opened = format!(r#"{{"Effect":"Allow","Principal":"*",{kms},{of_other}}}"#);
        assert!(summary_of(&opened).outsiders(KEY, "123456789012").is_empty(), "and raise no alarm");
        assert_eq!(summary_of(&opened).outsiders(other, "123456789012").len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let odd = r#"{"Sid":"Odd","Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"Wonders":{"a:b":"c"}}}"#;
        let found = summary_of(&format!("{ANYONE}}},{odd}"));
        assert_eq!(found.of_any_key.everyone, ["Open"]);
        assert_eq!(found.not_understood, ["Odd: Syntax errors in policy: unknown condition operator Wonders"]);
        assert_eq!(Summary::of("{").not_understood.len(), 1);
    }
}
