//! Conditions: `{"StringEquals": {"kms:ViaService": ["s3.eu-west-1.amazonaws.com"]}}`.

use std::net::IpAddr;

use chrono::{DateTime, NaiveDate, Utc};

use super::json::Json;
use super::pattern::{self, Part};
use super::request::Context;

/// One operator with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The operator as it is written, such as `ForAnyValue:StringLikeIfExists`.
    pub written: String,
    quantifier: Option<Quantifier>,
    operator: Operator,
    if_exists: bool,
    pub key: String,
    pub values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    ForAnyValue,
    ForAllValues,
}

/// What is compared, and whether the result is negated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Null,
    Bool,
    Text { test: TextTest, negated: bool },
    Numeric(Comparison),
    Date(Comparison),
    Ip { negated: bool },
    Arn { negated: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextTest {
    Equals,
    EqualsIgnoreCase,
    Like,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equals,
    NotEquals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

impl Operator {
    fn parse(name: &str) -> Option<Operator> {
        let text = |test, negated| Some(Operator::Text { test, negated });
        match name {
            "Null" => Some(Operator::Null),
            "Bool" => Some(Operator::Bool),
            "StringEquals" | "BinaryEquals" => text(TextTest::Equals, false),
            "StringNotEquals" => text(TextTest::Equals, true),
            "StringEqualsIgnoreCase" => text(TextTest::EqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => text(TextTest::EqualsIgnoreCase, true),
            "StringLike" => text(TextTest::Like, false),
            "StringNotLike" => text(TextTest::Like, true),
            "IpAddress" => Some(Operator::Ip { negated: false }),
            "NotIpAddress" => Some(Operator::Ip { negated: true }),
            "ArnEquals" | "ArnLike" => Some(Operator::Arn { negated: false }),
            "ArnNotEquals" | "ArnNotLike" => Some(Operator::Arn { negated: true }),
            _ => match (name.strip_prefix("Numeric"), name.strip_prefix("Date")) {
                (Some(rest), _) => Comparison::parse(rest).map(Operator::Numeric),
                (_, Some(rest)) => Comparison::parse(rest).map(Operator::Date),
                _ => None,
            },
        }
    }

    fn is_negated(self) -> bool {
        match self {
            Operator::Null | Operator::Bool => false,
            Operator::Text { negated, .. } | Operator::Ip { negated } | Operator::Arn { negated } => negated,
            Operator::Numeric(comparison) | Operator::Date(comparison) => comparison == Comparison::NotEquals,
        }
    }

    /// Whether a policy may have a value.
    fn takes(self, value: &str) -> bool {
        let variable = value.contains("${");
        match self {
            Operator::Null | Operator::Bool => variable || boolean(value).is_some(),
            Operator::Numeric(_) => variable || value.trim().parse::<f64>().is_ok(),
            Operator::Date(_) => variable || time(value).is_some(),
            Operator::Ip { .. } => variable || network(value).is_some(),
            Operator::Text { .. } | Operator::Arn { .. } => true,
        }
    }
}

impl Comparison {
    fn parse(name: &str) -> Option<Comparison> {
        Some(match name {
            "Equals" => Comparison::Equals,
            "NotEquals" => Comparison::NotEquals,
            "LessThan" => Comparison::LessThan,
            "LessThanEquals" => Comparison::LessThanEquals,
            "GreaterThan" => Comparison::GreaterThan,
            "GreaterThanEquals" => Comparison::GreaterThanEquals,
            _ => return None,
        })
    }

    /// Compares. `NotEquals` is the negation of `Equals`, which the caller applies.
    fn holds<T: PartialOrd>(self, one: T, other: T) -> bool {
        match self {
            Comparison::Equals | Comparison::NotEquals => one == other,
            Comparison::LessThan => one < other,
            Comparison::LessThanEquals => one <= other,
            Comparison::GreaterThan => one > other,
            Comparison::GreaterThanEquals => one >= other,
        }
    }
}

impl Condition {
    /// Reads the element `Condition` of a statement.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse_all(element: &Json) -> Result<Vec<Condition>, String> {
        let operators = element.object().ok_or("the Condition has to be an object")?;
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let keys = keys.object().ok_or_else(|| format!("the condition {name} has to be an object"))?;
            for (key, values) in keys {
                conditions.push(Condition::parse(name, key, values)?);
            }
        }
        Ok(conditions)
    }

    fn parse(name: &str, key: &str, values: &Json) -> Result<Condition, String> {
        let (quantifier, rest) = match name.split_once(':') {
            None => (None, name),
            Some(("ForAnyValue", rest)) => (Some(Quantifier::ForAnyValue), rest),
            Some(("ForAllValues", rest)) => (Some(Quantifier::ForAllValues), rest),
            Some(_) => return Err(format!("unknown condition operator {name}")),
        };
        let (rest, if_exists) = match rest.strip_suffix("IfExists") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let operator = Operator::parse(rest).filter(|operator| *operator != Operator::Null || !if_exists);
        let operator = operator.ok_or_else(|| format!("unknown condition operator {name}"))?;
        if !key.split_once(':').is_some_and(|(service, rest)| !service.is_empty() && !rest.is_empty()) {
            return Err(format!("{key} is not a condition key"));
        }
        let values = match values {
            Json::List(all) if all.is_empty() => return Err(format!("the condition key {key} has no value")),
            Json::List(all) => all.iter().map(scalar).collect(),
            one => scalar(one).map(|one| vec![one]),
        };
        let values = values.ok_or_else(|| format!("a value of the condition key {key} has to be a text"))?;
        if let Some(value) = values.iter().find(|value| !operator.takes(value)) {
            return Err(format!("{value} is not a value for the condition operator {name}"));
        }
        Ok(Condition { written: name.to_owned(), quantifier, operator, if_exists, key: key.to_owned(), values })
    }

    /// Whether the condition holds. Without `variables`, `${` in a value has no meaning.
    pub(super) fn holds(&self, context: &Context, variables: bool) -> bool {
        let actual = context.get(&self.key).unwrap_or_default();
        if self.operator == Operator::Null {
            return self.values.iter().any(|value| boolean(value) == Some(actual.is_empty()));
        }
        if actual.is_empty() {
            let all = self.quantifier == Some(Quantifier::ForAllValues);
            return self.if_exists || all || (self.quantifier.is_none() && self.operator.is_negated());
        }
        let given: Vec<Vec<Part>> =
            self.values.iter().filter_map(|value| pattern::expand(value, variables.then_some(context))).collect();
        let negated = self.operator.is_negated();
        let fits = |value: &String| given.iter().any(|given| self.compare(value, given)) != negated;
        match self.quantifier {
            Some(Quantifier::ForAnyValue) => actual.iter().any(fits),
            Some(Quantifier::ForAllValues) => actual.iter().all(fits),
            None if negated => actual.iter().all(fits),
            None => actual.iter().any(fits),
        }
    }

    /// Whether the condition holds for a request of which only some values are known; `None` if it depends on others.
    pub(super) fn judge(&self, known: &Context, variables: bool) -> Option<bool> {
        let has_variable = variables && self.values.iter().any(|value| value.contains("${"));
        (!has_variable && known.get(&self.key).is_some()).then(|| self.holds(known, variables))
    }

    /// Whether the condition admits only values that are among its own: it does not hold for a request without a value.
    pub(super) fn is_positive(&self) -> bool {
        let compares = !matches!(self.operator, Operator::Null | Operator::Bool);
        compares && !self.operator.is_negated() && !self.if_exists && self.quantifier != Some(Quantifier::ForAllValues)
    }

    /// Whether the condition holds for every request whose value is not among its own.
    pub(super) fn is_negative(&self) -> bool {
        // Without a value, `ForAnyValue` does not hold, and the others do.
        self.operator.is_negated() && self.quantifier != Some(Quantifier::ForAnyValue)
    }

    /// Whether `*` and `?` stand for other characters in its values.
    pub(super) fn has_wildcards(&self) -> bool {
        matches!(self.operator, Operator::Text { test: TextTest::Like, .. } | Operator::Arn { .. })
    }

    /// How a value is compared, in words, and whether any of its values or each of them.
    pub(super) fn comparison(&self) -> (&'static str, Option<&'static str>) {
        let words = match self.operator {
            Operator::Null => "is absent",
            Operator::Text { test: TextTest::Like, negated: false } | Operator::Arn { negated: false } => "is like",
            Operator::Text { test: TextTest::Like, negated: true } | Operator::Arn { negated: true } => "is not like",
            Operator::Bool | Operator::Text { negated: false, .. } => "is",
            Operator::Text { negated: true, .. } => "is not",
            Operator::Ip { negated: false } => "is in",
            Operator::Ip { negated: true } => "is not in",
            Operator::Numeric(comparison) | Operator::Date(comparison) => match comparison {
                Comparison::Equals => "is",
                Comparison::NotEquals => "is not",
                Comparison::LessThan => "is less than",
                Comparison::LessThanEquals => "is at most",
                Comparison::GreaterThan => "is more than",
                Comparison::GreaterThanEquals => "is at least",
            },
        };
        let quantifier = self.quantifier.map(|quantifier| match quantifier {
            Quantifier::ForAnyValue => "one of",
            Quantifier::ForAllValues => "each of",
        });
        (words, quantifier)
    }

    /// Whether a request without a value fulfils it, by `…IfExists`.
    pub(super) fn may_be_absent(&self) -> bool {
        self.if_exists
    }

    /// Whether a value fits one value of the policy, before a negation.
    fn compare(&self, actual: &str, given: &[Part]) -> bool {
        let literal = || pattern::literal(given);
        match self.operator {
            Operator::Null => false,
            Operator::Bool => boolean(actual).is_some() && boolean(actual) == boolean(&literal()),
            Operator::Text { test: TextTest::Equals, .. } => actual == literal(),
            Operator::Text { test: TextTest::EqualsIgnoreCase, .. } => {
                actual.to_lowercase() == literal().to_lowercase()
            }
            Operator::Text { test: TextTest::Like, .. } => pattern::fits(given, actual),
            Operator::Numeric(comparison) => match (actual.parse::<f64>(), literal().trim().parse::<f64>()) {
                (Ok(actual), Ok(given)) => comparison.holds(actual, given),
                _ => false,
            },
            Operator::Date(comparison) => match (time(actual), time(&literal())) {
                (Some(actual), Some(given)) => comparison.holds(actual, given),
                _ => false,
            },
            Operator::Ip { .. } => match (actual.parse::<IpAddr>(), network(&literal())) {
                (Ok(actual), Some((network, bits))) => in_network(actual, network, bits),
                _ => false,
            },
            Operator::Arn { .. } => arn_fits(given, actual),
        }
    }
}

/// A text, number or Boolean, as the text that AWS makes of it.
fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::Text(text) => Some(text.clone()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::List(_) | Json::Object(_) => None,
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A time in ISO 8601, or in seconds since 1970.
fn time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(seconds) = text.parse::<i64>() {
        return DateTime::from_timestamp(seconds, 0);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc())
}

/// An address or a network such as `203.0.113.0/24`.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse::<u32>().ok()?)),
        None => (text.parse::<IpAddr>().ok()?, None),
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some((address, bits))
}

fn in_network(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(address) & mask == u32::from(network) & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(address) & mask == u128::from(network) & mask
        }
        _ => false,
    }
}

/// ARNs are compared part by part, so that a wildcard does not reach over a colon of the first five parts.
fn arn_fits(pattern: &[Part], arn: &str) -> bool {
    if pattern == [Part::Any] {
        return true;
    }
    let patterns: Vec<&[Part]> = pattern.splitn(6, |part| *part == Part::Char(':')).collect();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    patterns.len() == parts.len() && patterns.iter().zip(parts).all(|(pattern, part)| pattern::fits(pattern, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(text: &str) -> Result<Vec<Condition>, String> {
        Condition::parse_all(&Json::parse(text).expect("JSON"))
    }

    #[test]
    fn operators_compare_as_aws_does() {
        let mut context = Context::default();
        context.set("aws:PrincipalTag/team", "Blue");
        context.set("aws:username", "ann");
        context.set("kms:CallerAccount", "123456789012");
        context.set("aws:MultiFactorAuthPresent", "true");
        context.set("kms:RotationPeriodInDays", "180");
        context.set("aws:CurrentTime", "2026-03-01T12:00:00Z");
        context.set("aws:SourceIp", "203.0.113.9");
        context.set("aws:PrincipalArn", "arn:aws:iam::123456789012:role/team/app");
        context.set_all("kms:EncryptionContextKeys", ["a", "b"].map(str::to_owned));
        for (text, expected) in [
            (r#"{"StringEquals":{"AWS:principaltag/TEAM":"Blue"}}"#, true),
            (r#"{"StringEquals":{"aws:PrincipalTag/team":"blue"}}"#, false),
            (r#"{"StringEqualsIgnoreCase":{"aws:PrincipalTag/team":"blue"}}"#, true),
            (r#"{"StringNotEqualsIgnoreCase":{"aws:PrincipalTag/team":"blue"}}"#, false),
            (r#"{"StringEquals":{"aws:PrincipalTag/team":"Bl*"}}"#, false),
            (r#"{"StringLike":{"aws:PrincipalTag/team":["x","Bl*"]}}"#, true),
            (r#"{"StringNotLike":{"aws:PrincipalTag/team":["x","Bl*"]}}"#, false),
            (r#"{"StringLike":{"aws:PrincipalTag/team":"${aws:PrincipalTag/team}"}}"#, true),
            (r#"{"StringEquals":{"aws:username":"${aws:PrincipalTag/none}"}}"#, false),
            (r#"{"StringEquals":{"kms:CallerAccount":123456789012}}"#, true),
            (r#"{"StringEquals":{"kms:ViaService":"x"}}"#, false),
            (r#"{"StringNotEquals":{"kms:ViaService":"x"}}"#, true),
            (r#"{"StringEqualsIfExists":{"kms:ViaService":"x"}}"#, true),
            (r#"{"Null":{"kms:ViaService":true}}"#, true),
            (r#"{"Null":{"kms:ViaService":"false"}}"#, false),
            (r#"{"Null":{"aws:username":"false"}}"#, true),
            (r#"{"Bool":{"aws:MultiFactorAuthPresent":true}}"#, true),
            (r#"{"Bool":{"aws:MultiFactorAuthPresent":"False"}}"#, false),
            (r#"{"Bool":{"aws:SecureTransport":"false"}}"#, false),
            (r#"{"BoolIfExists":{"aws:SecureTransport":"false"}}"#, true),
            (r#"{"NumericLessThanEquals":{"kms:RotationPeriodInDays":"180"}}"#, true),
            (r#"{"NumericGreaterThan":{"kms:RotationPeriodInDays":180}}"#, false),
            (r#"{"NumericNotEquals":{"kms:RotationPeriodInDays":[90,180]}}"#, false),
            (r#"{"DateLessThan":{"aws:CurrentTime":"2026-03-02"}}"#, true),
            (r#"{"DateGreaterThanEquals":{"aws:CurrentTime":"1772366400"}}"#, true),
            (r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]}}"#, true),
            (r#"{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","0.0.0.0/0"]}}"#, false),
            (r#"{"IpAddress":{"aws:SourceIp":"::/0"}}"#, false),
            (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/team/*"}}"#, true),
            (r#"{"ArnEquals":{"aws:PrincipalArn":"arn:*:role/team/app"}}"#, false),
            (r#"{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/*"}}"#, false),
            (r#"{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["a","b","c"]}}"#, true),
            (r#"{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["a"]}}"#, false),
            (r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}"#, true),
            (r#"{"ForAnyValue:StringEquals":{"kms:EncryptionContextKeys":["b"]}}"#, true),
            (r#"{"ForAnyValue:StringNotEquals":{"kms:EncryptionContextKeys":["a","b"]}}"#, false),
            (r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["a"]}}"#, false),
            (r#"{"StringEquals":{"kms:CallerAccount":"123456789012"},"Bool":{"aws:ViaAWSService":"true"}}"#, false),
        ] {
            let conditions = condition(text).expect("a condition");
            assert_eq!(conditions.iter().all(|one| one.holds(&context, true)), expected, "{text}");
        }
    }

    #[test]
    fn what_aws_does_not_know_is_refused() {
        for text in [
            r#"[]"#,
            r#"{"StringEquals":"x"}"#,
            r#"{"StringEquals":{"kms:ViaService":[]}}"#,
            r#"{"StringEquals":{"kms:ViaService":null}}"#,
            r#"{"StringEquals":{"kms:ViaService":{"a":"b"}}}"#,
            r#"{"StringEquals":{"kms:ViaService":["a",["b"]]}}"#,
            r#"{"StringEquals":{"ViaService":"x"}}"#,
            r#"{"StringMatches":{"kms:ViaService":"x"}}"#,
            r#"{"stringequals":{"kms:ViaService":"x"}}"#,
            r#"{"ForEachValue:StringEquals":{"kms:ViaService":"x"}}"#,
            r#"{"NullIfExists":{"kms:ViaService":"true"}}"#,
            r#"{"Bool":{"aws:SecureTransport":"yes"}}"#,
            r#"{"NumericEquals":{"kms:RotationPeriodInDays":"many"}}"#,
            r#"{"DateLessThan":{"aws:CurrentTime":"soon"}}"#,
            r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}"#,
        ] {
            assert!(condition(text).is_err(), "{text}");
        }
    }
}
