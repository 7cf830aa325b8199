//! The principals of policies and grants.

use super::request::Caller;
use super::service;

/// A principal in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// `*`: everybody.
    Anyone,
    /// An account, as its id or as the ARN of its root, which has a partition.
    Account { id: String, partition: Option<String> },
    /// A user, role, session or federated user, by ARN.
    Arn(String),
    /// A service of AWS, such as `logs.eu-west-1.amazonaws.com`.
    Service(String),
    /// An identity provider.
    Federated(String),
    /// The unique id of a user or role, or the canonical id of an account.
    Id(String),
}

/// How a principal names a caller. Later variants say more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    No,
    /// By its account, which leaves the decision to the caller's own policies.
    ByAccount,
    /// By its user or role, or as anyone. Policies of its session still apply.
    ByIssuer,
    /// By the ARN of its session.
    BySession,
}

impl Principal {
    /// Reads a principal of a kind such as `AWS`; `None` if the form is invalid.
    pub fn parse(kind: &str, text: &str) -> Option<Principal> {
        match kind {
            "AWS" => Principal::parse_aws(text),
            "Service" => service::is_known(text).then(|| Principal::Service(text.to_owned())),
            "Federated" => {
                let provider = text.starts_with("arn:") && text.contains("-provider/") && !text.contains('*');
                let domain =
                    text.contains('.') && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-/:_".contains(c));
                (provider || domain).then(|| Principal::Federated(text.to_owned()))
            }
            "CanonicalUser" => {
                let hexadecimal = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
                hexadecimal.then(|| Principal::Id(text.to_owned()))
            }
            _ => None,
        }
    }

    /// Reads a principal that AWS has returned, and so has accepted: it knows more services than this program, and shows
    /// the unique id of a user or role that was deleted.
    pub fn returned(kind: &str, text: &str) -> Option<Principal> {
        let is_id = text.len() >= 16
            && text.starts_with('A')
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        Principal::parse(kind, text).or_else(|| match kind {
            "Service" if !text.is_empty() => Some(Principal::Service(text.to_owned())),
            "Federated" if !text.is_empty() => Some(Principal::Federated(text.to_owned())),
            "AWS" if is_id => Some(Principal::Id(text.to_owned())),
            _ => None,
        })
    }

    fn parse_aws(text: &str) -> Option<Principal> {
        if text == "*" {
            return Some(Principal::Anyone);
        }
        if is_account_id(text) {
            return Some(Principal::Account { id: text.to_owned(), partition: None });
        }
        if ["AIDA", "AROA"].iter().any(|prefix| text.starts_with(prefix)) {
            let fits = text.len() > 16 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            return fits.then(|| Principal::Id(text.to_owned()));
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, "", account, resource] = parts[..] else { return None };
        if !["aws", "aws-us-gov", "aws-cn"].contains(&partition) || !is_account_id(account) {
            return None;
        }
        let named = |rest: &str| !rest.is_empty() && !rest.ends_with('/') && !rest.contains(['*', '?']);
        match (service, resource.split_once('/')) {
            ("iam", None) if resource == "root" => {
                Some(Principal::Account { id: account.to_owned(), partition: Some(partition.to_owned()) })
            }
            ("iam", Some(("user" | "role", rest))) if named(rest) => Some(Principal::Arn(text.to_owned())),
            ("sts", Some(("federated-user", rest))) if named(rest) => Some(Principal::Arn(text.to_owned())),
            ("sts", Some(("assumed-role", rest))) if named(rest) && rest.split('/').count() == 2 => {
                Some(Principal::Arn(text.to_owned()))
            }
            _ => None,
        }
    }

    /// The account that the principal is, or belongs to; `None` if it has none.
    pub fn account(&self) -> Option<&str> {
        match self {
            Principal::Account { id, .. } => Some(id),
            Principal::Arn(arn) => arn.split(':').nth(4),
            Principal::Anyone | Principal::Service(_) | Principal::Federated(_) | Principal::Id(_) => None,
        }
    }

    /// How the principal names a caller.
    pub fn names(&self, caller: &Caller) -> Named {
        match self {
            Principal::Anyone => Named::ByIssuer,
            Principal::Account { id, .. } if *id == caller.account => {
                let root = caller.arn.ends_with(":root");
                if root { Named::ByIssuer } else { Named::ByAccount }
            }
            Principal::Arn(arn) if *arn == caller.issuer => Named::ByIssuer,
            Principal::Arn(arn) if *arn == caller.arn => Named::BySession,
            _ => Named::No,
        }
    }
}

pub(super) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_have_the_forms_that_aws_accepts() {
        for (kind, text) in [
            ("AWS", "*"),
            ("AWS", "123456789012"),
            ("AWS", "arn:aws:iam::123456789012:root"),
            ("AWS", "arn:aws:iam::123456789012:user/division/ann"),
            ("AWS", "arn:aws-cn:iam::123456789012:role/app"),
            ("AWS", "arn:aws:sts::123456789012:assumed-role/app/session"),
            ("AWS", "arn:aws:sts::123456789012:federated-user/bob"),
            ("AWS", "AROA3XFRBF535PLBIFPI4"),
            ("Service", "logs.eu-west-1.amazonaws.com"),
            ("Service", "ec2.amazonaws.com.cn"),
            ("Federated", "accounts.google.com"),
            ("Federated", "arn:aws:iam::123456789012:saml-provider/office"),
            ("CanonicalUser", "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"),
        ] {
            assert!(Principal::parse(kind, text).is_some(), "{kind} {text}");
        }
        for (kind, text) in [
            ("AWS", ""),
            ("AWS", "ann"),
            ("AWS", "12345678901"),
            ("AWS", "arn:aws:iam::123456789012:user/*"),
            ("AWS", "arn:aws:iam::123456789012:user/"),
            ("AWS", "arn:aws:iam::123456789012:group/all"),
            ("AWS", "arn:aws:iam:eu-west-1:123456789012:role/app"),
            ("AWS", "arn:aws:sts::123456789012:assumed-role/app"),
            ("AWS", "arn:azure:iam::123456789012:root"),
            ("Service", "*"),
            ("Service", "nothing.amazonaws.com"),
            ("Service", "logs.example.com"),
            ("Federated", "google"),
            ("CanonicalUser", "79a5"),
            ("Friend", "ann"),
        ] {
            assert_eq!(Principal::parse(kind, text), None, "{kind} {text}");
        }
    }
}
