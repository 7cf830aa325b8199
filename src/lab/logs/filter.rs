//! Filter patterns of CloudWatch Logs: conditions on members of JSON events, `{ $.eventName = "Dec*" && … }`, and
//! terms.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::Value;

/// The deepest nesting of parentheses.
const MAX_DEPTH: usize = 32;

/// A filter pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    Json(Condition),
    /// Terms that a message must contain, of which it must contain one, and which it must not contain.
    Terms {
        all: Vec<String>,
        any: Vec<String>,
        none: Vec<String>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Compare(Selector, Comparison, Operand),
    Is(Selector, Option<bool>),
    Exists(Selector, bool),
}

/// A path to a member, such as `$.resources[0].ARN`.
type Selector = Vec<Step>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    Index(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value to compare with: a text in which `*` stands for any characters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    text: String,
    /// The number, if the text is one without quotes.
    number: Option<f64>,
}

/// The pattern cannot be parsed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Filter {
    /// Parses a pattern; `None` for an empty one, which all events match.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(super) fn parse(pattern: &str) -> Result<Option<Filter>, Malformed> {
        let pattern = pattern.trim();
        if pattern.is_empty() {
            return Ok(None);
        }
        let Some(inner) = pattern.strip_prefix('{') else { return terms(pattern).map(Some) };
        let inner = inner.strip_suffix('}').ok_or(Malformed)?;
        let mut parser = Parser { rest: inner.chars().peekable(), depth: 0 };
        let condition = parser.any_of()?;
        parser.end()?;
        Ok(Some(Filter::Json(condition)))
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            Filter::Json(condition) => {
                serde_json::from_str::<Value>(message).is_ok_and(|event| event.is_object() && condition.holds(&event))
            }
            Filter::Terms { all, any, none } => {
                let has = |term: &String| message.contains(term.as_str());
                all.iter().all(has) && (any.is_empty() || any.iter().any(has)) && !none.iter().any(has)
            }
        }
    }
}

impl Condition {
    fn holds(&self, event: &Value) -> bool {
        match self {
            Condition::And(one, other) => one.holds(event) && other.holds(event),
            Condition::Or(one, other) => one.holds(event) || other.holds(event),
            Condition::Exists(selector, wanted) => selected(event, selector).is_some() == *wanted,
            Condition::Is(selector, wanted) => selected(event, selector).is_some_and(|value| match wanted {
                Some(wanted) => value.as_bool() == Some(*wanted),
                None => value.is_null(),
            }),
            Condition::Compare(selector, comparison, operand) => {
                operand.compare(selected(event, selector), *comparison)
            }
        }
    }
}

impl Operand {
    fn compare(&self, value: Option<&Value>, comparison: Comparison) -> bool {
        let number = value.and_then(Value::as_f64);
        let is_equal = || match (value, self.number, number) {
            (_, Some(wanted), Some(number)) => (wanted - number).abs() < f64::EPSILON,
            (Some(Value::String(text)), ..) => fits(&self.text, text),
            (Some(value @ (Value::Bool(_) | Value::Number(_))), ..) => fits(&self.text, &value.to_string()),
            _ => false,
        };
        let ordered = |holds: fn(&f64, &f64) -> bool| match (number, self.number) {
            (Some(number), Some(other)) => holds(&number, &other),
            _ => false,
        };
        match comparison {
            Comparison::Equal => is_equal(),
            Comparison::Unequal => !is_equal(),
            Comparison::Less => ordered(f64::lt),
            Comparison::LessOrEqual => ordered(f64::le),
            Comparison::Greater => ordered(f64::gt),
            Comparison::GreaterOrEqual => ordered(f64::ge),
        }
    }
}

fn selected<'e>(event: &'e Value, selector: &Selector) -> Option<&'e Value> {
    selector.iter().try_fold(event, |value, step| match step {
        Step::Member(name) => value.get(name.as_str()),
        Step::Index(number) => value.get(*number),
    })
}

/// Whether a text has the form of a pattern, in which `*` stands for any characters.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((beginning, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(beginning) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(end)
}

/// Parses terms: `word`, `"some words"`, `?one ?of ?these`, `-not`.
fn terms(pattern: &str) -> Result<Filter, Malformed> {
    let (mut all, mut any, mut none) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest = pattern.chars().peekable();
    loop {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        let Some(first) = rest.peek().copied() else { break };
        let list = match first {
            '?' => &mut any,
            '-' => &mut none,
            _ => &mut all,
        };
        if matches!(first, '?' | '-') {
            rest.next();
        }
        let term = match rest.peek() {
            Some('"') => quoted(&mut rest)?,
            _ => {
                let mut word = String::new();
                while let Some(c) = rest.next_if(|c| !c.is_whitespace()) {
                    // AWS demands quotes for terms with other characters.
                    if !(c.is_alphanumeric() || c == '_' || c == '.') {
                        return Err(Malformed);
                    }
                    word.push(c);
                }
                word
            }
        };
        if term.is_empty() {
            return Err(Malformed);
        }
        list.push(term);
    }
    Ok(Filter::Terms { all, any, none })
}

fn quoted(rest: &mut Peekable<Chars<'_>>) -> Result<String, Malformed> {
    rest.next();
    let mut text = String::new();
    loop {
        match rest.next().ok_or(Malformed)? {
            '"' => return Ok(text),
            '\\' => text.push(rest.next().ok_or(Malformed)?),
            c => text.push(c),
        }
    }
}

struct Parser<'p> {
    rest: Peekable<Chars<'p>>,
    depth: usize,
}

impl Parser<'_> {
    fn any_of(&mut self) -> Result<Condition, Malformed> {
        let mut condition = self.all_of()?;
        while self.takes('|')? {
            condition = Condition::Or(Box::new(condition), Box::new(self.all_of()?));
        }
        Ok(condition)
    }

    fn all_of(&mut self) -> Result<Condition, Malformed> {
        let mut condition = self.one()?;
        while self.takes('&')? {
            condition = Condition::And(Box::new(condition), Box::new(self.one()?));
        }
        Ok(condition)
    }

    fn one(&mut self) -> Result<Condition, Malformed> {
        self.skip();
        if self.rest.next_if_eq(&'(').is_some() {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(Malformed);
            }
            let condition = self.any_of()?;
            self.skip();
            self.depth -= 1;
            return self.rest.next_if_eq(&')').map(|_| condition).ok_or(Malformed);
        }
        let selector = self.selector()?;
        self.skip();
        if self.rest.peek().is_some_and(char::is_ascii_alphabetic) {
            return match (self.word().as_str(), self.word().as_str()) {
                ("IS", "TRUE") => Ok(Condition::Is(selector, Some(true))),
                ("IS", "FALSE") => Ok(Condition::Is(selector, Some(false))),
                ("IS", "NULL") => Ok(Condition::Is(selector, None)),
                ("NOT", "EXISTS") => Ok(Condition::Exists(selector, false)),
                ("EXISTS", "") => Ok(Condition::Exists(selector, true)),
                _ => Err(Malformed),
            };
        }
        let first = self.rest.next().ok_or(Malformed)?;
        let or_equal = self.rest.next_if_eq(&'=').is_some();
        let comparison = match (first, or_equal) {
            ('=', false) => Comparison::Equal,
            ('!', true) => Comparison::Unequal,
            ('<', false) => Comparison::Less,
            ('<', true) => Comparison::LessOrEqual,
            ('>', false) => Comparison::Greater,
            ('>', true) => Comparison::GreaterOrEqual,
            _ => return Err(Malformed),
        };
        let operand = self.operand()?;
        let is_order = !matches!(comparison, Comparison::Equal | Comparison::Unequal);
        if is_order && operand.number.is_none() {
            return Err(Malformed);
        }
        Ok(Condition::Compare(selector, comparison, operand))
    }

    fn selector(&mut self) -> Result<Selector, Malformed> {
        self.rest.next_if_eq(&'$').ok_or(Malformed)?;
        let mut steps = Vec::new();
        loop {
            if self.rest.next_if_eq(&'.').is_some() {
                let mut name = String::new();
                while let Some(c) = self.rest.next_if(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ':')) {
                    name.push(c);
                }
                if name.is_empty() {
                    return Err(Malformed);
                }
                steps.push(Step::Member(name));
            } else if self.rest.next_if_eq(&'[').is_some() {
                if self.rest.peek() == Some(&'"') {
                    steps.push(Step::Member(quoted(&mut self.rest)?));
                } else {
                    let mut digits = String::new();
                    while let Some(c) = self.rest.next_if(char::is_ascii_digit) {
                        digits.push(c);
                    }
                    steps.push(Step::Index(digits.parse().map_err(|_| Malformed)?));
                }
                self.rest.next_if_eq(&']').ok_or(Malformed)?;
            } else {
                return if steps.is_empty() { Err(Malformed) } else { Ok(steps) };
            }
        }
    }

    fn operand(&mut self) -> Result<Operand, Malformed> {
        self.skip();
        if self.rest.peek() == Some(&'"') {
            return Ok(Operand { text: quoted(&mut self.rest)?, number: None });
        }
        let mut text = String::new();
        while let Some(c) = self.rest.next_if(|c| c.is_alphanumeric() || "_-.*+:/".contains(*c)) {
            text.push(c);
        }
        if text.is_empty() {
            return Err(Malformed);
        }
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        Ok(Operand { text, number })
    }

    fn word(&mut self) -> String {
        self.skip();
        let mut word = String::new();
        while let Some(c) = self.rest.next_if(char::is_ascii_alphabetic) {
            word.push(c.to_ascii_uppercase());
        }
        word
    }

    /// Whether `&&` or `||` follows.
    fn takes(&mut self, letter: char) -> Result<bool, Malformed> {
        self.skip();
        if self.rest.next_if_eq(&letter).is_none() {
            return Ok(false);
        }
        self.rest.next_if_eq(&letter).map(|_| true).ok_or(Malformed)
    }

    fn skip(&mut self) {
        while self.rest.next_if(|c| c.is_whitespace()).is_some() {}
    }

    fn end(&mut self) -> Result<(), Malformed> {
        self.skip();
        if self.rest.peek().is_some() { Err(Malformed) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"eventSource": "kms.amazonaws.com", "eventName": "Decrypt", "readOnly": true, "n": 7,
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/ann"}, "none": null,
        "resources": [{"ARN": "arn:aws:kms:eu-west-3:1:key/k"}], "text": "a\"b"}"#;

    fn matches(pattern: &str) -> bool {
        Filter::parse(pattern).expect(pattern).is_none_or(|filter| filter.matches(EVENT))
    }

    #[test]
    fn patterns_select_events_by_their_members() {
        for pattern in [
            "",
            "  ",
            r#"{ $.eventSource = "kms.amazonaws.com" }"#,
            r#"{$.eventSource="kms.amazonaws.com"}"#,
            "{ $.eventName = Decrypt }",
            r#"{ $.eventName = "De*" }"#,
            r#"{ $.eventName = "*cry*" }"#,
            r#"{ $.eventName = "D*r*t" }"#,
            r#"{ $.eventName != "Encrypt" }"#,
            r#"{ $.errorCode != "x" }"#,
            r#"{ $.eventName = "Encrypt" || $.eventName = "Decrypt" }"#,
            r#"{ $.eventName = "Decrypt" && ($.n = 8 || $.n = 7) }"#,
            r#"{ $.n = 1 && $.n = 2 || $.n = 7 }"#,
            r#"{ $.resources[0].ARN = "*key/k" }"#,
            "{ $.n >= 7 && $.n < 8 && $.n > 6.5 && $.n <= 7 }",
            "{ $.readOnly IS TRUE }",
            "{ $.readOnly = true }",
            "{ $.none IS NULL }",
            "{ $.errorCode NOT EXISTS }",
            r#"{ $["eventName"] = "Decrypt" }"#,
            r#"{ $.text = "a\"b" }"#,
            "Decrypt",
            r#""kms.amazonaws.com" Decrypt -Encrypt"#,
            "?Encrypt ?Decrypt",
        ] {
            assert!(matches(pattern), "{pattern}");
        }
        for pattern in [
            r#"{ $.eventSource = "sts.amazonaws.com" }"#,
            r#"{ $.eventName = "decrypt" }"#,
            r#"{ $.eventName = "De*x" }"#,
            r#"{ $.eventName = "Decrypt*t" }"#,
            r#"{ $.eventName != "Decrypt" }"#,
            r#"{ $.eventName = "Decrypt" && $.n = 8 }"#,
            "{ $.n > 7 }",
            "{ $.errorCode = \"*\" }",
            "{ $.resources[1].ARN = \"*\" }",
            "{ $.readOnly IS FALSE }",
            "{ $.eventName NOT EXISTS }",
            "{ $.userIdentity.type.x = 1 }",
            "Encrypt",
            "Decrypt -kms",
            "?Encrypt ?Sign",
        ] {
            assert!(!matches(pattern), "{pattern}");
        }
    }

    #[test]
    fn malformed_patterns_are_refused() {
        let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(100), ")".repeat(100));
        for pattern in [
            "{",
            "{ }",
            "{ $.a }",
            "{ $.a = }",
            "{ a = 1 }",
            "{ $. = 1 }",
            "{ $.a = 1",
            "{ $.a = 1 & $.b = 2 }",
            "{ $.a = 1 && }",
            "{ ($.a = 1 }",
            "{ $.a = 1) }",
            r#"{ $.a = "x }"#,
            "{ $.a > \"x\" }",
            "{ $.a IS MAYBE }",
            "{ $.a[x] = 1 }",
            "{ $.a == 1 }",
            "a,b",
            "\"a",
            "?",
            deep.as_str(),
        ] {
            assert_eq!(Filter::parse(pattern), Err(Malformed), "{pattern}");
        }
    }
}
