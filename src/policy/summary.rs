//! What the policy of a key says, for somebody who looks at many keys: whom it names. It is made once for each text.

use super::actions::ACTIONS;
use super::document::{Effect, Policy, Statement};
use super::principal::Principal;

/// Whom a policy names. The account of the key is not known here: equal texts can belong to keys of several accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The statements that allow everybody something, without a condition that leaves only known callers.
    pub everyone: Vec<String>,
    /// The accounts that the policy allows something, by themselves or by their users and roles; sorted.
    pub accounts: Vec<String>,
    /// The unique ids of users and roles that were deleted; AWS shows them in place of the ARNs. Sorted.
    pub deleted: Vec<String>,
    /// The statements that could not be read, and why.
    pub not_understood: Vec<String>,
}

impl Summary {
    pub fn of(text: &str) -> Summary {
        let mut summary = Summary::default();
        let reading = match Policy::returned(text) {
            Ok(reading) => reading,
            Err(error) => {
                summary.not_understood.push(error.to_string());
                return summary;
            }
        };
        let statements = reading.policy.statements();
        let exclusions: Vec<_> = statements.iter().filter(|statement| excludes_others(statement)).collect();
        for statement in statements {
            summary.add(statement, &exclusions);
        }
        for list in [&mut summary.accounts, &mut summary.deleted] {
            list.sort_unstable();
            list.dedup();
        }
        let not_understood = reading.not_understood.iter();
        summary.not_understood.extend(
            not_understood.map(|part| format!("{}: {}", name_of(part.number, part.sid.as_deref()), part.reason)),
        );
        summary
    }

    fn add(&mut self, statement: &Statement, exclusions: &[&Statement]) {
        let Some(principals) = &statement.principals else { return };
        let deleted = principals.items.iter().filter_map(|principal| match principal {
            Principal::Id(id) if id.starts_with("AIDA") || id.starts_with("AROA") => Some(id.clone()),
            Principal::Id(_)
            | Principal::Anyone
            | Principal::Account { .. }
            | Principal::Arn(_)
            | Principal::Service(_)
            | Principal::Federated(_) => None,
        });
        self.deleted.extend(deleted);
        let is_about_keys = ACTIONS.iter().any(|(action, _)| statement.is_about(action));
        if statement.effect == Effect::Deny || !is_about_keys {
            return;
        }
        if names_everyone(statement) {
            let narrowing = statement.conditions.iter().filter(|one| one.narrows_callers());
            let mut narrowing = narrowing.peekable();
            if narrowing.peek().is_some() {
                self.accounts.extend(narrowing.flat_map(|one| one.accounts()).map(str::to_owned));
            } else if let Some(first) = exclusions.first() {
                // What one denial leaves, another may deny: the first is not exceeded.
                self.accounts.extend(left_by(first));
            } else {
                self.everyone.push(name_of(statement.number, statement.sid.as_deref()));
            }
        } else {
            self.accounts.extend(principals.items.iter().filter_map(Principal::account).map(str::to_owned));
        }
    }
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
        && !statement.resources.all_but
        && statement.resources.items.iter().any(|resource| resource == "*");
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
    let by_condition = denial.conditions.iter().flat_map(|one| one.accounts()).map(str::to_owned);
    let spared = denial.principals.iter().filter(|principals| principals.all_but).flat_map(|one| &one.items);
    by_condition.chain(spared.filter_map(Principal::account).map(str::to_owned)).collect()
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

    fn summary(statements: &str) -> Summary {
        Summary::of(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#))
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
        assert!(found.everyone.is_empty() && found.not_understood.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let odd = r#"{"Sid":"Odd","Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"Wonders":{"a:b":"c"}}}"#;
        let found = summary(&format!("{ANYONE}}},{odd}"));
        assert_eq!(found.everyone, ["Open"]);
        assert_eq!(found.not_understood, ["Odd: Syntax errors in policy: unknown condition operator Wonders"]);
        assert_eq!(Summary::of("{").not_understood.len(), 1);
    }
}
