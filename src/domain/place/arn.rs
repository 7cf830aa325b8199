//! ARNs, ARNs of roles, and external ids.

use super::{AccountId, Excerpt, Partition, PlaceError, Region};
use std::fmt;

/// The reason why a text is not an ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    /// The text has fewer than six parts, does not begin with `arn`, or is too long.
    #[error("`arn:partition:service:region:account:resource` is expected")]
    Shape,
    /// The service or the resource is empty, or contains invalid characters.
    #[error("its {0} is missing or holds characters that an ARN may not hold")]
    Part(&'static str),
    /// The partition, region or account is invalid.
    #[error(transparent)]
    Place(Box<PlaceError>),
}

/// An ARN: `arn:partition:service:region:account:resource`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    partition: Partition,
    service: Box<str>,
    region: Option<Region>,
    account: Option<AccountId>,
    resource: Box<str>,
}

impl Arn {
    const LONGEST: usize = 2048;

    /// Parses an ARN of one of the three partitions. Region and account may be empty, as in ARNs of IAM and S3.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        Self::read(text).map_err(|reason| PlaceError::Arn { text: Excerpt::of(text), reason })
    }

    fn read(text: &str) -> Result<Self, ArnError> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or(ArnError::Shape);
        if next()? != "arn" || text.len() > Self::LONGEST {
            return Err(ArnError::Shape);
        }
        let (partition, service, region, account, resource) = (next()?, next()?, next()?, next()?, next()?);
        let place = |error| ArnError::Place(Box::new(error));

        let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if service.is_empty() || !service.bytes().all(named) {
            return Err(ArnError::Part("service"));
        }
        if resource.is_empty() || !resource.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ArnError::Part("resource"));
        }
        Ok(Self {
            partition: Partition::parse(partition).map_err(place)?,
            service: service.into(),
            region: unless_empty(region, Region::parse).map_err(place)?,
            account: unless_empty(account, AccountId::parse).map_err(place)?,
            resource: resource.into(),
        })
    }

    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The service's short name, such as `kms`.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The region; `None` for global services.
    pub fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }

    /// The account that owns the resource; `None` if the service leaves it out.
    pub fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// The part after the account, such as `key/1234abcd-…`.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Returns the name of the role of a session (`arn:aws:sts::…:assumed-role/name/session`). Such an ARN does not
    /// contain the role's path.
    pub fn role_of_session(&self) -> Option<&str> {
        let rest = self.resource.strip_prefix("assumed-role/").filter(|_| &*self.service == "sts")?;
        rest.split_once('/').map(|(role, _session)| role)
    }
}

fn unless_empty<T>(text: &str, parse: fn(&str) -> Result<T, PlaceError>) -> Result<Option<T>, PlaceError> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

/// The ARN of an IAM role.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleArn {
    arn: Arn,
    account: AccountId,
}

impl RoleArn {
    /// Parses `arn:<partition>:iam::<account>:role/<path><name>`.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        let arn = Arn::parse(text)?;
        let path_and_name = arn.resource.strip_prefix("role/").unwrap_or_default();
        let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
        let name_ok = (1..=64).contains(&name.len()) && name.bytes().all(is_iam_name_byte);
        let path_ok = path.len() <= 510 && !path_and_name.starts_with('/') && !path_and_name.contains("//");
        match arn.account {
            Some(account) if &*arn.service == "iam" && arn.region.is_none() && name_ok && path_ok => {
                Ok(Self { arn, account })
            }
            _ => Err(PlaceError::RoleArn(Excerpt::of(text))),
        }
    }

    /// Builds the ARN of a role without a path.
    pub fn named(partition: Partition, account: AccountId, name: &str) -> Result<Self, PlaceError> {
        Self::parse(&format!("arn:{partition}:iam::{account}:role/{name}"))
    }

    pub fn partition(&self) -> Partition {
        self.arn.partition
    }

    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The role's name, without its path.
    pub fn name(&self) -> &str {
        self.arn.resource.rsplit('/').next().unwrap_or_default()
    }

    pub fn as_arn(&self) -> &Arn {
        &self.arn
    }
}

fn is_iam_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)
}

/// An external id, which the trust policy of a role may require (`sts:ExternalId`). AWS does not treat it as a secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(Box<str>);

impl ExternalId {
    /// Parses an external id by the rules of STS.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        let allowed = |byte: u8| is_iam_name_byte(byte) || byte == b':' || byte == b'/';
        if (2..=1224).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(PlaceError::ExternalId(Excerpt::of(text)))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for text in ["arn:", self.partition.as_str(), ":", &self.service, ":"] {
            f.write_str(text)?;
        }
        f.write_str(self.region.as_ref().map_or("", Region::as_str))?;
        f.write_str(":")?;
        if let Some(account) = &self.account {
            account.fmt(f)?;
        }
        f.write_str(":")?;
        f.write_str(&self.resource)
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.arn.fmt(f)
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

debug_as_display!(Arn, RoleArn, ExternalId);

#[cfg(test)]
mod tests {
    use super::super::tests::{account, partition, region};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_arn_is_taken_apart_and_prints_as_it_came() {
        let text = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd";
        let arn = Arn::parse(text).expect("an ARN");
        assert_eq!(arn.to_string(), text);
        assert_eq!((arn.partition(), arn.service(), arn.resource()), (Partition::Aws, "kms", "key/1234abcd"));
        assert_eq!(arn.region().map(Region::as_str), Some("eu-west-1"));
        assert_eq!(arn.account(), AccountId::parse("123456789012").ok());

        let session = Arn::parse("arn:aws:sts::123456789012:assumed-role/deploy/me@x").expect("an ARN");
        assert_eq!(session.role_of_session(), Some("deploy"));
        assert_eq!(arn.role_of_session(), None);
        assert_eq!(
            Arn::parse("arn:aws:logs:eu-west-1:123456789012:log-group:a:*").map(|arn| arn.to_string()).ok().as_deref(),
            Some("arn:aws:logs:eu-west-1:123456789012:log-group:a:*")
        );
    }

    #[test]
    fn what_is_no_arn_is_told_why() {
        let long = format!("arn:aws:iam::123456789012:{}", "x".repeat(3_000));
        let said: Vec<String> = [
            "",
            "arn:aws:iam::123456789012",
            "ARN:aws:iam::123456789012:user/a",
            "arn:aws-iso:iam::123456789012:user/a",
            "arn:aws::::user/a",
            "arn:aws:iam::123456789012:",
            "arn:aws:iam::123456789012:user/a b",
            "arn:aws:iam::1234:user/a",
            "arn:aws:kms:mars:123456789012:key/a",
            &long,
        ]
        .iter()
        .map(|text| Arn::parse(text).expect_err("no ARN").to_string())
        .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        `` is not an ARN: `arn:partition:service:region:account:resource` is expected
        `arn:aws:iam::123456789012` is not an ARN: `arn:partition:service:region:account:resource` is expected
        `ARN:aws:iam::123456789012:user/a` is not an ARN: `arn:partition:service:region:account:resource` is expected
        `arn:aws-iso:iam::123456789012:user/a` is not an ARN: `aws-iso` is not an AWS partition: `aws`, `aws-us-gov` or `aws-cn` is expected
        `arn:aws::::user/a` is not an ARN: its service is missing or holds characters that an ARN may not hold
        `arn:aws:iam::123456789012:` is not an ARN: its resource is missing or holds characters that an ARN may not hold
        `arn:aws:iam::123456789012:user/a b` is not an ARN: its resource is missing or holds characters that an ARN may not hold
        `arn:aws:iam::1234:user/a` is not an ARN: `1234` is not an AWS account id: 12 digits are expected
        `arn:aws:kms:mars:123456789012:key/a` is not an ARN: `mars` is not an AWS region: a name such as `eu-west-1` is expected
        `arn:aws:iam::123456789012:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` is not an ARN: `arn:partition:service:region:account:resource` is expected
        ");
    }

    #[test]
    fn only_a_role_can_be_assumed() {
        for (text, name) in [
            ("arn:aws:iam::789012123456:role/test-assume-role-ac", "test-assume-role-ac"),
            ("arn:aws-us-gov:iam::789012123456:role/a/b/deep_role+=,.@-1", "deep_role+=,.@-1"),
        ] {
            let role = RoleArn::parse(text).expect("a role");
            assert_eq!((role.name(), role.to_string().as_str()), (name, text));
            assert_eq!(role.account().to_string(), "789012123456");
        }
        for text in [
            "arn:aws:iam::789012123456:user/ann",
            "arn:aws:iam::789012123456:role/",
            "arn:aws:iam::789012123456:role",
            "arn:aws:iam::789012123456:role/a/",
            "arn:aws:iam::789012123456:role//a",
            "arn:aws:iam::789012123456:role/a//b",
            "arn:aws:iam::789012123456:role/na!me",
            "arn:aws:iam:us-east-1:789012123456:role/a",
            "arn:aws:iam:::role/a",
            "arn:aws:sts::789012123456:assumed-role/a/b",
            &format!("arn:aws:iam::789012123456:role/{}", "x".repeat(65)),
        ] {
            assert!(matches!(RoleArn::parse(text), Err(PlaceError::RoleArn(_))), "{text}");
        }
    }

    #[test]
    fn an_external_id_follows_the_rule_of_sts() {
        for text in ["test-ext-id", "ab", "a:b/c=d,e@f.g_h+1", &"x".repeat(1_224)] {
            assert_eq!(ExternalId::parse(text).map(|id| id.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "a", "a b", "é-é", "a;b", &"x".repeat(1_225)] {
            assert!(ExternalId::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn arns_parse_as_they_print(
            partition in partition(),
            service in "[a-z][a-z0-9-]{0,9}",
            region in proptest::option::of(region()),
            account in proptest::option::of(account()),
            resource in "[!-~]{1,40}",
        ) {
            let region = region.map(|region| region.to_string()).unwrap_or_default();
            let account = account.map(|account| account.to_string()).unwrap_or_default();
            let text = format!("arn:{partition}:{service}:{region}:{account}:{resource}");
            let arn = Arn::parse(&text).expect("an ARN by its rule");
            prop_assert_eq!(arn.to_string(), text);
            prop_assert_eq!(Arn::parse(&arn.to_string()), Ok(arn));
        }

        #[test]
        fn roles_parse_as_they_print(partition in partition(), account in account(), path in "([a-z0-9]{1,5}/){0,3}", name in "[A-Za-z0-9+=,.@_-]{1,64}") {
            let role = RoleArn::parse(&format!("arn:{partition}:iam::{account}:role/{path}{name}")).expect("a role by its rule");
            prop_assert_eq!((role.partition(), role.account(), role.name()), (partition, account, name.as_str()));
            prop_assert_eq!(RoleArn::parse(&role.to_string()), Ok(role));
        }

        #[test]
        fn what_parses_prints_as_it_came_and_nothing_panics(text in "\\PC{0,60}") {
            if let Ok(arn) = Arn::parse(&text) { prop_assert_eq!(arn.to_string(), text.clone()); }
            let _ = RoleArn::parse(&text);
        }
    }
}
