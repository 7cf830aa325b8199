//! Whom the policy of a key admits from outside of the key's account.

use super::condition::Condition;
use super::document::{Effect, Policy, Statement};
use super::principal::{Principal, is_account_id};
use std::collections::BTreeSet;

/// The text for everyone, in the answer of [`Policy::outsiders`].
pub const EVERYONE: &str = "everyone";

impl Policy {
    /// Returns whom outside of `account` the policy allows anything: `everyone`, `account 210987654321`, or
    /// `organization o-a1b2c3d4e5`. Statements that deny are not counted. A condition counts only if it says to which
    /// accounts the caller belongs.
    pub fn outsiders(&self, account: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for statement in self.statements().iter().filter(|statement| statement.effect == Effect::Allow) {
            statement.add_outsiders(account, &mut found);
        }
        found
    }
}

impl Statement {
    fn add_outsiders(&self, account: &str, found: &mut BTreeSet<String>) {
        let Some(principals) = &self.principals else { return };
        if principals.all_but || principals.items.iter().any(|principal| matches!(principal, Principal::Anyone)) {
            // The accounts of one condition suffice: all conditions have to hold.
            let told = self.conditions.iter().find_map(callers_of);
            match told {
                Some(callers) => found.extend(callers.into_iter().filter(|caller| *caller != of_account(account))),
                None => drop(found.insert(EVERYONE.to_owned())),
            }
            return;
        }
        let accounts = principals.items.iter().filter_map(|principal| match principal {
            Principal::Account { id, .. } => Some(id.as_str()),
            Principal::Arn(arn) => account_of(arn),
            Principal::Anyone | Principal::Service(_) | Principal::Federated(_) | Principal::Id(_) => None,
        });
        found.extend(accounts.filter(|other| *other != account).map(of_account));
    }
}

/// The callers to whom a condition restricts a statement; `None` if it does not say to which account they belong.
fn callers_of(condition: &Condition) -> Option<BTreeSet<String>> {
    let (key, values) = condition.required_values()?;
    let callers = match key.to_ascii_lowercase().as_str() {
        "kms:calleraccount" | "aws:principalaccount" | "aws:sourceaccount" => {
            values.iter().map(|value| is_account_id(value).then(|| of_account(value))).collect()
        }
        "aws:principalarn" | "aws:sourcearn" => {
            values.iter().map(|value| account_of(value).filter(|id| is_account_id(id)).map(of_account)).collect()
        }
        "aws:principalorgid" => values.iter().map(|value| Some(format!("organization {value}"))).collect(),
        "aws:principalorgpaths" => {
            let organization = |value: &String| value.split('/').next().map(|id| format!("organization {id}"));
            values.iter().map(organization).collect()
        }
        _ => None,
    };
    // A value with a wildcard or a variable can be any account.
    callers.filter(|callers: &BTreeSet<String>| callers.iter().all(|caller| !caller.contains(['*', '?', '$'])))
}

fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

fn of_account(id: &str) -> String {
    format!("account {id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn outsiders(statement: Value) -> Vec<String> {
        let mut whole = json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*"});
        for (name, value) in statement.as_object().expect("members") {
            whole[name] = value.clone();
        }
        let text = json!({"Version": "2012-10-17", "Statement": [whole]}).to_string();
        Policy::of_key(&text).expect("a policy").outsiders("123456789012").into_iter().collect()
    }

    #[test]
    fn other_accounts_and_everyone_are_outsiders() {
        let none: [&str; 0] = [];
        assert_eq!(outsiders(json!({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}})), none);
        assert_eq!(outsiders(json!({"Principal": {"Service": "logs.eu-west-1.amazonaws.com"}})), none);
        assert_eq!(outsiders(json!({"Principal": "*"})), ["everyone"]);
        assert_eq!(outsiders(json!({"Principal": {"AWS": ["123456789012", "*"]}})), ["everyone"]);
        let others = json!({"AWS": ["210987654321", "arn:aws:iam::333333333333:role/app"]});
        assert_eq!(outsiders(json!({"Principal": others})), ["account 210987654321", "account 333333333333"]);
        let but = json!({"NotPrincipal": {"AWS": "arn:aws:iam::123456789012:user/ann"}});
        assert_eq!(outsiders(but), ["everyone"]);
        assert_eq!(outsiders(json!({"Effect": "Deny", "Principal": "*"})), none);
    }

    #[test]
    fn a_condition_on_the_callers_account_narrows_everyone() {
        let with = |operator: &str, key: &str, value: Value| {
            outsiders(json!({"Principal": "*", "Condition": {operator: {key: value}}}))
        };
        let none: [&str; 0] = [];
        assert_eq!(with("StringEquals", "kms:CallerAccount", json!("123456789012")), none);
        assert_eq!(
            with("StringEquals", "kms:CallerAccount", json!(["123456789012", "210987654321"])),
            ["account 210987654321"]
        );
        assert_eq!(with("StringEquals", "aws:PrincipalOrgID", json!("o-a1b2c3d4e5")), ["organization o-a1b2c3d4e5"]);
        assert_eq!(with("ArnLike", "aws:PrincipalArn", json!("arn:aws:iam::123456789012:role/*")), none);
        for (operator, key, value) in [
            ("StringNotEquals", "kms:CallerAccount", "210987654321"),
            ("StringEqualsIfExists", "kms:CallerAccount", "123456789012"),
            ("ForAllValues:StringEquals", "kms:CallerAccount", "123456789012"),
            ("StringLike", "kms:CallerAccount", "*"),
            ("StringLike", "aws:PrincipalArn", "*"),
            ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/app"),
            ("StringLike", "aws:PrincipalOrgID", "o-*"),
            ("StringEquals", "kms:ViaService", "s3.eu-west-1.amazonaws.com"),
            ("IpAddress", "aws:SourceIp", "10.0.0.0/8"),
        ] {
            assert_eq!(with(operator, key, json!(value)), ["everyone"], "{operator} {key}");
        }
    }
}
