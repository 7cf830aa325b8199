//! Checks the text of a key policy as AWS does, and says where each mistake is.

use super::document::{Kind, PolicyError, Statement, statements_of};
use super::json::Json;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A mistake in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The place of the statement in the policy, from 1 on; `None` if the mistake is in no statement.
    pub statement: Option<usize>,
    pub sid: Option<String>,
    /// The line and the column in the text, from 1 on: of the mistake, or of the statement that has it.
    pub at: Option<(usize, usize)>,
    pub message: String,
}

/// The most problems that are listed.
const PROBLEMS_MAX: usize = 100;

/// Lists the mistakes in the text of a key policy that AWS would refuse, as far as they can be known here. Whether the
/// principals exist, only AWS knows.
pub fn problems(text: &str) -> Vec<Problem> {
    let whole = |message: String, at| vec![Problem { statement: None, sid: None, at, message }];
    if let Err(error) = Json::parse(text) {
        // The position is a value of its own.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        return whole(format!("not JSON: {message}"), Some((error.line(), error.column().max(1))));
    }
    let statements = match statements_of(text) {
        Ok((_, statements)) => statements,
        Err(error) => return whole(plain(&error), None),
    };
    let places = places(text);
    let mut found: Vec<Problem> = Vec::new();
    for (number, json) in (1..).zip(&statements) {
        if let Err(error) = Statement::parse(json, Kind::OfKey, number) {
            let at = places.get(number - 1).copied();
            found.push(Problem { statement: Some(number), sid: Statement::sid_of(json), at, message: plain(&error) });
        }
    }
    if statements.is_empty() {
        found.extend(whole("the policy has no statements".to_owned(), None));
    }
    found.truncate(PROBLEMS_MAX);
    found
}

/// The line and column of a place in a text, from 1 on.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

fn plain(error: &PolicyError) -> String {
    match error {
        PolicyError::Syntax(why) => why.clone(),
        PolicyError::InvalidPrincipal | PolicyError::NoPrincipal => error.to_string(),
    }
}

/// The places of the statements in the text.
fn places(text: &str) -> Vec<(usize, usize)> {
    #[derive(Deserialize)]
    struct Whole<'a> {
        #[serde(rename = "Statement", borrow)]
        statement: &'a RawValue,
    }
    let Ok(whole) = serde_json::from_str::<Whole<'_>>(text) else { return Vec::new() };
    let all = whole.statement.get();
    let each: Vec<&RawValue> = serde_json::from_str(all).unwrap_or_else(|_| vec![whole.statement]);
    // The values are parts of the text itself.
    let start = text.as_ptr() as usize;
    let offset = |part: &RawValue| (part.get().as_ptr() as usize).saturating_sub(start);
    // They follow one another, so each is counted from the one before.
    let (mut from, mut at) = (0, (1, 1));
    let mut place = |part: &RawValue| {
        let to = offset(part);
        let (lines, column) = line_and_column(text.get(from..).unwrap_or_default(), to.saturating_sub(from));
        at = (at.0 + lines - 1, if lines == 1 { at.1 + column - 1 } else { column });
        from = to;
        at
    };
    each.into_iter().map(&mut place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of the statement, the line and column, and the message.
    type Found = (Option<usize>, Option<(usize, usize)>, String);

    fn found(text: &str) -> Vec<Found> {
        problems(text).into_iter().map(|problem| (problem.statement, problem.at, problem.message)).collect()
    }

    #[test]
    fn a_mistake_is_named_with_its_line_and_column() {
        let json = found("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [,]\n}");
        assert_eq!(json.len(), 1);
        assert_eq!((json[0].0, json[0].1), (None, Some((3, 17))), "{json:?}");
        assert!(json[0].2.starts_with("not JSON: ") && !json[0].2.contains("line"), "{json:?}");
        assert!(found("{\"a\":1,\n\"a\":2}")[0].2.contains("occurs twice"));

        let text = r#"{"Version": "2012-10-17", "Statement": [
            {"Sid": "ok", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"},
            {"Sid": "bad", "Effect": "Maybe", "Principal": "*", "Action": "kms:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "kms:*", "Resource": "*"},
            {"Effect": "Allow", "Principal": {"AWS": "ann"}, "Action": "kms:*", "Resource": "*"},
            {"Sid": "ok", "Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": "*"}]}"#;
        let mistakes = found(text);
        let places: Vec<_> = mistakes.iter().map(|(statement, at, _)| (*statement, *at)).collect();
        let at = |line| Some((line, 13));
        assert_eq!(places, [(Some(2), at(3)), (Some(3), at(4)), (Some(4), at(5)), (Some(5), at(6))]);
        for (n, part) in ["Effect", "no principal", "invalid principals", "s3:Get*"].iter().enumerate() {
            assert!(mistakes[n].2.contains(part), "{part}: {mistakes:?}");
        }
        assert_eq!(problems(text)[0].sid.as_deref(), Some("bad"));
        let one = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}}"#;
        assert_eq!(found(one), []);
        assert_eq!(found(r#"{"Statement": []}"#)[0].2, "the policy has no statements");
        assert_eq!(found(r#"{"Statements": []}"#)[0].2, "unknown element Statements");
    }
}
