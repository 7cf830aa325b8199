//! The differences between two key policies, statement by statement. Statements that IAM treats as the same are the
//! same here.

// `serde_json::Value` gets no new variants.
#![allow(clippy::wildcard_enum_match_arm)]

use super::policy_text::{PolicyText, canonical, normalised};
use serde_json::Value;
use std::collections::HashSet;

/// What changes from one policy to another.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PolicyDifference {
    pub added: Vec<PlacedStatement>,
    pub removed: Vec<PlacedStatement>,
    pub changed: Vec<ChangedStatement>,
    /// The number of statements that stay as they are.
    pub same: usize,
    /// Changes of `Version` and `Id`.
    pub elements: Vec<ElementChange>,
}

/// A statement with its place in its policy, from 1 on.
#[derive(Clone, PartialEq, Debug)]
pub struct PlacedStatement {
    pub number: usize,
    pub statement: Value,
    /// The statement in the form in which statements are compared.
    form: Value,
}

/// A statement that is in both policies, with changes.
#[derive(Clone, PartialEq, Debug)]
pub struct ChangedStatement {
    pub before: PlacedStatement,
    pub after: PlacedStatement,
    pub elements: Vec<ElementChange>,
}

/// The change of an element, such as `Action`: the values that it gains and loses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ElementChange {
    pub element: String,
    pub added: Vec<String>,
    pub removed: Vec<String>,
}

impl PlacedStatement {
    pub fn sid(&self) -> Option<&str> {
        self.statement.get("Sid").and_then(Value::as_str)
    }

    /// `statement 2`, or with its Sid.
    pub fn name(&self) -> String {
        match self.sid() {
            Some(sid) => format!("statement `{sid}`"),
            None => format!("statement {}", self.number),
        }
    }
}

/// The most statements of a policy that is compared, which takes time with their square. No policy of AWS has as many:
/// a statement has more than 64 bytes, and a policy up to 32 KiB.
const STATEMENTS_MAX: usize = 500;

impl PolicyDifference {
    /// The differences of two policies; `None` if one has too many statements to be one of AWS.
    pub fn between(before: &PolicyText, after: &PolicyText) -> Option<Self> {
        let (before, after) = (before.value(), after.value());
        let count = |policy: &Value| policy["Statement"].as_array().map_or(1, Vec::len);
        if count(&before).max(count(&after)) > STATEMENTS_MAX {
            return None;
        }
        let (mut old, mut new) = (placed(&before), placed(&after));
        let mut difference = Self { elements: elements(&before, &after, &["Version", "Id"]), ..Self::default() };
        // First those that are the same, then those with the same Sid, then those that differ in one element.
        difference.same = pair(&mut old, &mut new, |old, new| old.form == new.form).len();
        let of_sid = pair(&mut old, &mut new, |old, new| old.sid().is_some() && old.sid() == new.sid());
        let alike = pair(&mut old, &mut new, |old, new| elements(&old.form, &new.form, ELEMENTS).len() == 1);
        let changed = of_sid.into_iter().chain(alike).map(|(before, after)| {
            let elements = elements(&before.form, &after.form, ELEMENTS);
            ChangedStatement { before, after, elements }
        });
        difference.changed = changed.collect();
        difference.changed.sort_by_key(|change| change.after.number);
        (difference.removed, difference.added) = (old, new);
        Some(difference)
    }

    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty() && self.elements.is_empty()
    }

    /// Says the differences in English, a sentence each.
    pub fn words(&self) -> Vec<String> {
        let added = self.added.iter().map(|one| format!("Adds {}, which {}.", one.name(), said(&one.form)));
        let removed = self.removed.iter().map(|one| format!("Removes {}, which {}.", one.name(), said(&one.form)));
        let changed = self.changed.iter().map(|change| {
            let parts: Vec<String> = change.elements.iter().map(ElementChange::words).collect();
            format!("Changes {}: {}.", change.after.name(), parts.join("; "))
        });
        let elements = self.elements.iter().map(|change| format!("Changes the policy: {}.", change.words()));
        elements.chain(changed).chain(removed).chain(added).collect()
    }
}

impl ElementChange {
    fn words(&self) -> String {
        let element = &self.element;
        match (self.removed.as_slice(), self.added.as_slice()) {
            ([old], [new]) => format!("{element} is {new} in place of {old}"),
            ([], added) => format!("{element} gains {}", added.join(", ")),
            (removed, []) => format!("{element} loses {}", removed.join(", ")),
            (removed, added) => format!("{element} gains {} and loses {}", added.join(", "), removed.join(", ")),
        }
    }
}

const ELEMENTS: &[&str] =
    &["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// The statements of a policy, each with its place.
fn placed(policy: &Value) -> Vec<PlacedStatement> {
    let list = |policy: &Value| match &policy["Statement"] {
        Value::Array(all) => all.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let forms = list(&normalised(policy.clone())).into_iter().map(canonical);
    let all = (1..).zip(list(policy)).zip(forms);
    all.map(|((number, statement), form)| PlacedStatement { number, statement, form }).collect()
}

/// Takes the pairs that belong together out of both lists.
fn pair(
    old: &mut Vec<PlacedStatement>,
    new: &mut Vec<PlacedStatement>,
    belong: impl Fn(&PlacedStatement, &PlacedStatement) -> bool,
) -> Vec<(PlacedStatement, PlacedStatement)> {
    let mut pairs = Vec::new();
    let mut rest = Vec::new();
    for one in old.drain(..) {
        match new.iter().position(|other| belong(&one, other)) {
            Some(at) => pairs.push((one, new.remove(at))),
            None => rest.push(one),
        }
    }
    *old = rest;
    pairs
}

/// The elements of these names that two objects have with other values.
fn elements(before: &Value, after: &Value, names: &[&str]) -> Vec<ElementChange> {
    let change = |name: &&str| {
        let (old, new) = (values(&before[*name]), values(&after[*name]));
        let only_in = |these: &[String], those: &[String]| -> Vec<String> {
            let those: HashSet<_> = those.iter().collect();
            these.iter().filter(|value| !those.contains(value)).cloned().collect()
        };
        let (added, removed) = (only_in(&new, &old), only_in(&old, &new));
        (!added.is_empty() || !removed.is_empty()).then(|| ElementChange {
            element: (*name).to_owned(),
            added,
            removed,
        })
    };
    names.iter().filter_map(change).collect()
}

/// The values of an element, one text each: of principals `AWS: <name>`, of conditions `<operator> <key>: <value>`.
fn values(element: &Value) -> Vec<String> {
    match element {
        Value::Null => Vec::new(),
        Value::Array(all) => all.iter().flat_map(values).collect(),
        Value::Object(members) => {
            let of_member = |(name, value): (&String, &Value)| {
                let join = if value.is_object() { " " } else { ": " };
                values(value).into_iter().map(|value| format!("{name}{join}{value}")).collect::<Vec<_>>()
            };
            members.iter().flat_map(of_member).collect()
        }
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// What a statement says, in a clause.
fn said(statement: &Value) -> String {
    let list = |name: &str| values(&statement[name]).join(", ");
    let does = match statement["Effect"].as_str() {
        Some("Deny") => "denies",
        _ => "allows",
    };
    let who = match statement.get("NotPrincipal") {
        Some(_) => format!("everybody except {}", list("NotPrincipal")),
        None if statement["Principal"]["AWS"] == "*" => "everybody".to_owned(),
        None => list("Principal"),
    };
    let what = match statement.get("NotAction") {
        Some(_) => format!("everything except {}", list("NotAction")),
        None => list("Action"),
    };
    let condition = match statement.get("Condition") {
        Some(_) => format!(", if {}", list("Condition")),
        None => String::new(),
    };
    format!("{does} {who} {what}{condition}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy(statements: Value) -> PolicyText {
        PolicyText::of(&json!({"Version": "2012-10-17", "Statement": statements})).expect("a policy")
    }

    fn statement(sid: &str, principal: &str, actions: Value) -> Value {
        json!({"Sid": sid, "Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"})
    }

    const ROOT: &str = "arn:aws:iam::123456789012:root";
    const APP: &str = "arn:aws:iam::123456789012:role/app";

    #[test]
    fn statements_are_added_removed_and_changed() {
        let before = policy(json!([
            statement("root", ROOT, json!("kms:*")),
            statement("use", APP, json!(["kms:Encrypt", "kms:Decrypt"])),
            statement("old", APP, json!("kms:Sign")),
        ]));
        let after = policy(json!([
            statement("new", "*", json!("kms:Decrypt")),
            statement("use", APP, json!(["kms:Decrypt", "kms:DescribeKey"])),
            // IAM treats it as the same.
            statement("root", "123456789012", json!(["kms:*"])),
        ]));
        let difference = PolicyDifference::between(&before, &after).expect("comparable");
        let numbers = |all: &[PlacedStatement]| all.iter().map(|one| one.number).collect::<Vec<_>>();
        assert_eq!((numbers(&difference.added), numbers(&difference.removed), difference.same), (vec![1], vec![3], 1));
        let change = ElementChange {
            element: "Action".to_owned(),
            added: vec!["kms:DescribeKey".to_owned()],
            removed: vec!["kms:Encrypt".to_owned()],
        };
        assert_eq!((difference.changed.len(), &difference.changed[0].elements), (1, &vec![change]));
        let words = [
            "Changes statement `use`: Action is kms:DescribeKey in place of kms:Encrypt.".to_owned(),
            format!("Removes statement `old`, which allows AWS: {APP} kms:Sign."),
            "Adds statement `new`, which allows everybody kms:Decrypt.".to_owned(),
        ];
        assert_eq!(difference.words(), words);
        assert!(PolicyDifference::between(&after, &after).is_some_and(|difference| difference.is_empty()));
    }

    #[test]
    fn a_statement_without_a_sid_that_differs_in_one_element_is_changed() {
        let with = |condition: Value| {
            json!({"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
                "Condition": condition})
        };
        let one = |via: &str| policy(with(json!({"StringEquals": {"kms:ViaService": via}, "Bool": {"a": true}})));
        let difference = PolicyDifference::between(&one("s3.amazonaws.com"), &one("ebs.amazonaws.com"));
        let difference = difference.expect("comparable");
        assert_eq!((difference.added.len(), difference.removed.len(), difference.changed.len()), (0, 0, 1));
        let gained = "StringEquals kms:ViaService: ebs.amazonaws.com";
        assert_eq!(difference.changed[0].elements[0].added, [gained]);
    }

    #[test]
    fn a_policy_with_more_statements_than_aws_takes_is_not_compared() {
        let of = |count: usize| policy(vec![json!({}); count].into());
        assert!(PolicyDifference::between(&of(1), &of(STATEMENTS_MAX)).is_some());
        assert!(PolicyDifference::between(&of(1), &of(STATEMENTS_MAX + 1)).is_none());
        assert!(PolicyDifference::between(&of(STATEMENTS_MAX + 1), &of(1)).is_none());
    }
}
