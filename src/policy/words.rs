//! Conditions in words, and which of them narrow who a statement is about.

use super::condition::Condition;
use super::principal::is_account_id;

impl Condition {
    /// What the condition says, such as `the service that asks for the caller is s3.eu-west-1.amazonaws.com`.
    pub fn in_words(&self) -> String {
        let (comparison, quantifier) = self.comparison();
        let label = label(&self.key);
        let subject = match quantifier {
            Some(quantifier) => format!("{quantifier} {label}"),
            None => label,
        };
        let negated = comparison.contains("not");
        let values = listed(&self.values, if negated { "and" } else { "or" });
        let absent = if self.may_be_absent() { ", or the request does not say" } else { "" };
        match comparison {
            "is absent" if self.values.iter().all(|value| value.eq_ignore_ascii_case("true")) => {
                format!("the request does not say {subject}")
            }
            "is absent" => format!("the request says {subject}"),
            _ => format!("{subject} {comparison} {values}{absent}"),
        }
    }

    /// Whether the condition leaves only callers that the policy knows: of an account, an organization, a network.
    pub fn narrows_callers(&self) -> bool {
        self.is_positive() && self.names_callers()
    }

    /// Whether the condition, in a denial, leaves only callers that the policy knows.
    pub fn excludes_other_callers(&self) -> bool {
        self.is_negative() && self.names_callers()
    }

    /// Whether the condition, in a denial, only spares the services of AWS.
    pub fn spares_services_only(&self) -> bool {
        self.key.eq_ignore_ascii_case("aws:PrincipalIsAWSService") && self.values.iter().all(|value| value == "false")
    }

    /// The accounts that the condition names, whatever it says of them.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        let key = self.key.to_ascii_lowercase();
        let whole = ["kms:calleraccount", "aws:principalaccount", "aws:sourceaccount"].contains(&key.as_str());
        let in_arn = ["aws:principalarn", "aws:sourcearn"].contains(&key.as_str());
        let values = self.values.iter().filter_map(move |value| match (whole, in_arn) {
            (true, _) => Some(value.as_str()),
            (_, true) => value.split(':').nth(4),
            (false, false) => None,
        });
        values.filter(|account| is_account_id(account))
    }

    fn names_callers(&self) -> bool {
        let fixed = |text: &str| !text.is_empty() && !text.contains("${") && !self.is_wild(text);
        let names = |value: &String| match self.key.to_ascii_lowercase().as_str() {
            "kms:calleraccount"
            | "aws:principalaccount"
            | "aws:principalorgid"
            | "aws:sourceaccount"
            | "aws:sourceorgid"
            | "aws:sourcevpc"
            | "aws:sourcevpce" => fixed(value),
            // The session is named after the colon.
            "aws:userid" => value.split(':').next().is_some_and(fixed),
            // The account of the ARN decides; wildcards after it stay within the account.
            "aws:principalarn" | "aws:sourcearn" => value.split(':').nth(4).is_some_and(fixed),
            // The path begins with the organization.
            "aws:principalorgpaths" | "aws:sourceorgpaths" => value.split('/').next().is_some_and(fixed),
            "aws:sourceip" => !value.contains("${") && !is_wide(value),
            _ => false,
        };
        self.values.iter().all(names)
    }

    fn is_wild(&self, text: &str) -> bool {
        self.has_wildcards() && text.contains(['*', '?'])
    }
}

/// Whether a range of addresses is a large part of the internet.
fn is_wide(range: &str) -> bool {
    let (address, bits) = range.split_once('/').unwrap_or((range, "128"));
    let narrowest = if address.contains(':') { 32 } else { 8 };
    bits.parse::<u8>().map_or(true, |bits| bits < narrowest)
}

/// What a condition key is, in words; the key itself if it is not known here.
fn label(key: &str) -> String {
    let lower = key.to_ascii_lowercase();
    let known = match lower.as_str() {
        "kms:viaservice" => "the service that asks for the caller",
        "kms:calleraccount" | "aws:principalaccount" => "the caller's account",
        "aws:principalorgid" => "the caller's organization",
        "aws:principalorgpaths" => "the caller's place in the organization",
        "aws:principalarn" => "the caller's ARN",
        "aws:principaltype" => "the kind of the caller",
        "aws:principalisawsservice" => "whether the caller is a service of AWS",
        "aws:userid" => "the caller's unique id",
        "aws:username" => "the caller's user name",
        "aws:sourceip" => "the caller's address",
        "aws:sourcevpc" => "the caller's VPC",
        "aws:sourcevpce" => "the caller's VPC endpoint",
        "aws:sourcearn" => "the resource for which a service asks",
        "aws:sourceaccount" => "the account for which a service asks",
        "aws:sourceorgid" => "the organization for which a service asks",
        "aws:multifactorauthpresent" => "whether the caller used multi-factor authentication",
        "aws:securetransport" => "whether the connection is encrypted",
        "aws:currenttime" | "aws:epochtime" => "the time",
        "aws:requestedregion" => "the region",
        "kms:encryptioncontextkeys" => "the names in the encryption context",
        "kms:grantisforawsresource" => "whether the grant is for a resource of AWS",
        "kms:grantoperations" => "the operations of the grant",
        "kms:granteeprincipal" => "the grantee",
        "kms:retiringprincipal" => "the retiring principal",
        "kms:grantconstrainttype" => "the constraint of the grant",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let after = |prefix: &str| lower.starts_with(prefix).then(|| key.get(prefix.len()..).unwrap_or_default());
    if let Some(name) = after("kms:encryptioncontext:") {
        return format!("`{name}` in the encryption context");
    }
    match after("aws:principaltag/") {
        Some(tag) => format!("the caller's tag `{tag}`"),
        None => key.to_owned(),
    }
}

fn listed(values: &[String], word: &str) -> String {
    match values {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::Json;
    use super::*;

    fn condition(text: &str) -> Condition {
        Condition::parse_all(&Json::parse(text).expect("JSON")).expect("a condition").remove(0)
    }

    #[test]
    fn conditions_are_said_in_words() {
        for (text, expected) in [
            (
                r#"{"StringEquals":{"kms:ViaService":["s3.eu-west-1.amazonaws.com","ebs.amazonaws.com"]}}"#,
                "the service that asks for the caller is s3.eu-west-1.amazonaws.com or ebs.amazonaws.com",
            ),
            (
                r#"{"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::1:role/a","arn:aws:iam::1:role/b"]}}"#,
                "the caller's ARN is not like arn:aws:iam::1:role/a and arn:aws:iam::1:role/b",
            ),
            (
                r#"{"StringEqualsIfExists":{"kms:EncryptionContext:Team":"blue"}}"#,
                "`Team` in the encryption context is blue, or the request does not say",
            ),
            (
                r#"{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":"a"}}"#,
                "each of the names in the encryption context is a",
            ),
            (r#"{"Null":{"aws:SourceVpce":"true"}}"#, "the request does not say the caller's VPC endpoint"),
            (r#"{"NumericLessThan":{"kms:RotationPeriodInDays":"180"}}"#, "kms:RotationPeriodInDays is less than 180"),
            (r#"{"StringLike":{"aws:PrincipalTag/team":"b*"}}"#, "the caller's tag `team` is like b*"),
        ] {
            assert_eq!(condition(text).in_words(), expected);
        }
    }

    #[test]
    fn only_conditions_on_known_callers_narrow_everyone() {
        for (text, narrows) in [
            (r#"{"StringEquals":{"kms:CallerAccount":"111122223333"}}"#, true),
            (r#"{"StringEquals":{"AWS:PrincipalOrgId":["o-1","o-2"]}}"#, true),
            (r#"{"StringLike":{"aws:PrincipalOrgPaths":"o-1/r-1/*"}}"#, true),
            (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}"#, true),
            (r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, true),
            (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/app"}}"#, false),
            (r#"{"StringLike":{"aws:PrincipalOrgID":["o-1","*"]}}"#, false),
            (r#"{"StringEqualsIfExists":{"kms:CallerAccount":"111122223333"}}"#, false),
            (r#"{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, false),
            (r#"{"StringNotEquals":{"kms:CallerAccount":"111122223333"}}"#, false),
            (r#"{"StringEquals":{"kms:CallerAccount":"${aws:PrincipalAccount}"}}"#, false),
            (r#"{"StringLike":{"aws:userid":"AROAEXAMPLE:*"}}"#, true),
            (r#"{"IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}}"#, false),
            (r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","0.0.0.0/0"]}}"#, false),
            // Every account can give its callers such a tag, and use such a service.
            (r#"{"StringEquals":{"aws:PrincipalTag/team":"blue"}}"#, false),
            (r#"{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}"#, false),
            (r#"{"StringEquals":{"aws:PrincipalType":"User"}}"#, false),
        ] {
            assert_eq!(condition(text).narrows_callers(), narrows, "{text}");
        }
        for (text, excludes) in [
            (r#"{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}"#, true),
            (r#"{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}"#, true),
            (r#"{"ForAllValues:StringNotLike":{"aws:PrincipalOrgPaths":"o-1/r-1/*"}}"#, true),
            (r#"{"ForAnyValue:StringNotLike":{"aws:PrincipalOrgPaths":"o-1/r-1/*"}}"#, false),
            (r#"{"ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o-1/r-1/*"}}"#, false),
        ] {
            assert_eq!(condition(text).excludes_other_callers(), excludes, "{text}");
        }
    }
}
