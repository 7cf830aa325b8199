//! What the policy of a key says, for somebody who looks at many keys: whom it names. It is made once for each text.

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
        let excludes_others = statements.iter().any(excludes_others);
        for statement in statements {
            summary.add(statement, excludes_others);
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

    fn add(&mut self, statement: &Statement, excludes_others: bool) {
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
        if statement.effect == Effect::Deny {
            return;
        }
        if names_everyone(statement) {
            let narrowed = excludes_others || statement.conditions.iter().any(|one| one.narrows_callers());
            if narrowed {
                let named = statement.conditions.iter().filter(|one| one.narrows_callers());
                self.accounts.extend(named.flat_map(|one| one.accounts()).map(str::to_owned));
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
    let about_others = match statement.conditions.as_slice() {
        [] => all_but,
        [only] => !all_but && only.excludes_other_callers(),
        _ => false,
    };
    statement.effect == Effect::Deny && whole && names_everyone(statement) && about_others
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
