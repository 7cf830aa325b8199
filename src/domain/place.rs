//! Where things are in AWS: partition, region, account, ARN. Parsed once, trusted afterwards.
//!
//! `parse` is the only way in, for text from a caller, from AWS and from the log alike; what comes out is always
//! well formed, and prints exactly as it came. Whether a region is enabled or an account exists, only AWS knows.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// Text that names no place in AWS. The caller puts the member's name in front.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Not the name of one of the three partitions.
    #[error("`{0}` is not an AWS partition: `aws`, `aws-us-gov` or `aws-cn` is expected")]
    Partition(Excerpt),
    /// Not shaped like a region's name.
    #[error("`{0}` is not an AWS region: a name such as `eu-west-1` is expected")]
    Region(Excerpt),
    /// Shaped like a region, but of none of the three partitions.
    #[error("`{0}` is a region of none of the partitions `aws`, `aws-us-gov` and `aws-cn`")]
    RegionElsewhere(Excerpt),
    /// Not 12 digits.
    #[error("`{0}` is not an AWS account id: 12 digits are expected")]
    AccountId(Excerpt),
    /// Not an ARN.
    #[error("`{text}` is not an ARN: {reason}")]
    Arn {
        /// What was given.
        text: Excerpt,
        /// What is wrong with it, or what would be right.
        reason: ArnFault,
    },
    /// An ARN, but not that of an IAM role.
    #[error("`{0}` is not the ARN of an IAM role: `arn:aws:iam::123456789012:role/name` is expected")]
    RoleArn(Excerpt),
    /// Not an external id that STS would take.
    #[error("`{0}` is not an external id: 2 to 1224 letters, digits and `_+=,.@:/-` are expected")]
    ExternalId(Excerpt),
}

/// What is wrong with a text that should be an ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArnFault {
    /// Fewer than six parts, or none of the parts is `arn`.
    #[error("`arn:partition:service:region:account:resource` is expected")]
    Shape,
    /// The service, or the resource, is empty or holds what it may not hold.
    #[error("its {0} is missing or holds characters that an ARN may not hold")]
    Part(&'static str),
    /// The partition, region or account is not one.
    #[error(transparent)]
    Place(Box<PlaceError>),
}

/// The head of a refused text, short enough for a message. Never used for anything secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt(Box<str>);

impl Excerpt {
    const LIMIT: usize = 80;

    fn of(text: &str) -> Self {
        let mut head: String = text.chars().take(Self::LIMIT).collect();
        if head.len() < text.len() {
            head.push('…');
        }
        Self(head.into())
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One of the worlds that AWS keeps apart. Nothing crosses from one to another, credentials least of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Partition {
    /// The commercial regions.
    #[default]
    Aws,
    /// The regions of the US government.
    AwsUsGov,
    /// The regions in China.
    AwsCn,
}

impl Partition {
    /// Every partition there is.
    pub const ALL: [Partition; 3] = [Partition::Aws, Partition::AwsUsGov, Partition::AwsCn];
    /// Their names.
    pub const NAMES: &'static [&'static str] =
        &[Partition::Aws.as_str(), Partition::AwsUsGov.as_str(), Partition::AwsCn.as_str()];

    /// Reads `aws`, `aws-us-gov` or `aws-cn`.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        let found = Self::ALL.into_iter().find(|partition| partition.as_str() == text);
        found.ok_or_else(|| PlaceError::Partition(Excerpt::of(text)))
    }

    /// The partition's name, as in an ARN; the product's API calls it the cloud name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsCn => "aws-cn",
        }
    }

    /// What the names of the partition's endpoints end in.
    pub const fn dns_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
            Self::AwsCn => "amazonaws.com.cn",
        }
    }

    /// The region that is asked when nobody has chosen one: it is enabled in every account of the partition.
    pub fn default_region(self) -> Region {
        Region(Arc::from(match self {
            Self::Aws => "us-east-1",
            Self::AwsUsGov => "us-gov-west-1",
            Self::AwsCn => "cn-north-1",
        }))
    }
}

/// The name of a region, such as `eu-west-1`. Cheap to clone.
///
/// Names that AWS has not used yet are taken if they are shaped as AWS shapes them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Arc<str>);

impl Region {
    /// Reads the name of a region of one of the three partitions.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        if !Self::is_shaped(text) {
            return Err(PlaceError::Region(Excerpt::of(text)));
        }
        match Self::partition_of(text) {
            Some(_) => Ok(Self(Arc::from(text))),
            None => Err(PlaceError::RegionElsewhere(Excerpt::of(text))),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition that the region belongs to, which its name tells.
    pub fn partition(&self) -> Partition {
        Self::partition_of(&self.0).unwrap_or_default()
    }

    /// Three or four words of lower-case letters, then a number: `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`.
    fn is_shaped(text: &str) -> bool {
        let Some((words, number)) = text.rsplit_once('-') else { return false };
        let mut count = 0;
        let lower = words.split('-').all(|word| {
            count += 1;
            !word.is_empty() && word.len() <= 12 && word.bytes().all(|byte| byte.is_ascii_lowercase())
        });
        lower && (2..=3).contains(&count) && is_region_number(number)
    }

    /// The rule by which AWS names regions; the isolated partitions (`us-iso-east-1`) and the European sovereign
    /// cloud (`eusc-de-east-1`) fit none of it.
    fn partition_of(shaped: &str) -> Option<Partition> {
        let words = shaped.split('-').count() - 1;
        let area = shaped.split('-').next().unwrap_or_default();
        match (area, words) {
            ("cn", 2) => Some(Partition::AwsCn),
            ("us", 3) if shaped.starts_with("us-gov-") => Some(Partition::AwsUsGov),
            ("us", 2) if shaped.starts_with("us-gov-") => None,
            (area, 2) if area.len() == 2 => Some(Partition::Aws),
            _ => None,
        }
    }
}

fn is_region_number(text: &str) -> bool {
    (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0')
}

/// An AWS account's number: 12 digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

impl AccountId {
    /// Reads 12 digits, no more and no less.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        let refused = || PlaceError::AccountId(Excerpt::of(text));
        if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused());
        }
        text.parse().map(Self).map_err(|_| refused())
    }
}

/// The name of one thing in AWS: `arn:partition:service:region:account:resource`.
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

    /// Reads an ARN of one of the three partitions. Region and account may be empty, as IAM's and S3's are.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        Self::read(text).map_err(|reason| PlaceError::Arn { text: Excerpt::of(text), reason })
    }

    fn read(text: &str) -> Result<Self, ArnFault> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or(ArnFault::Shape);
        if next()? != "arn" || text.len() > Self::LONGEST {
            return Err(ArnFault::Shape);
        }
        let (partition, service, region, account, resource) = (next()?, next()?, next()?, next()?, next()?);
        let place = |error| ArnFault::Place(Box::new(error));

        let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if service.is_empty() || !service.bytes().all(named) {
            return Err(ArnFault::Part("service"));
        }
        if resource.is_empty() || !resource.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ArnFault::Part("resource"));
        }
        Ok(Self {
            partition: Partition::parse(partition).map_err(place)?,
            service: service.into(),
            region: unless_empty(region, Region::parse).map_err(place)?,
            account: unless_empty(account, AccountId::parse).map_err(place)?,
            resource: resource.into(),
        })
    }

    /// The partition that the thing is in.
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The service's short name, such as `kms`.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The region, if the service has any.
    pub fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }

    /// The account that owns the thing, if the service says so.
    pub fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// What follows the account, such as `key/1234abcd-…`.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The name of the role behind an assumed role's session (`arn:aws:sts::…:assumed-role/name/session`).
    ///
    /// The role's path is lost in such an ARN: AWS leaves it out.
    pub fn role_of_session(&self) -> Option<&str> {
        let rest = self.resource.strip_prefix("assumed-role/").filter(|_| &*self.service == "sts")?;
        rest.split_once('/').map(|(role, _session)| role)
    }
}

fn unless_empty<T>(text: &str, parse: fn(&str) -> Result<T, PlaceError>) -> Result<Option<T>, PlaceError> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

/// The ARN of an IAM role, the only kind of thing that can be assumed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleArn {
    arn: Arn,
    account: AccountId,
}

impl RoleArn {
    /// Reads `arn:<partition>:iam::<account>:role/<path><name>`.
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

    /// The role of that name, without a path, in an account.
    pub fn named(partition: Partition, account: AccountId, name: &str) -> Result<Self, PlaceError> {
        Self::parse(&format!("arn:{partition}:iam::{account}:role/{name}"))
    }

    /// The partition that the role is in.
    pub fn partition(&self) -> Partition {
        self.arn.partition
    }

    /// The account that the role is in.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The role's name, without its path.
    pub fn name(&self) -> &str {
        self.arn.resource.rsplit('/').next().unwrap_or_default()
    }

    /// The same as an ARN of any kind.
    pub fn as_arn(&self) -> &Arn {
        &self.arn
    }
}

fn is_iam_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)
}

/// What a role's trust policy may ask of whoever assumes it, besides credentials. AWS does not treat it as a secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(Box<str>);

impl ExternalId {
    /// Reads an external id by STS's rule.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        let allowed = |byte: u8| is_iam_name_byte(byte) || byte == b':' || byte == b'/';
        if (2..=1224).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(PlaceError::ExternalId(Excerpt::of(text)))
        }
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:{}:", self.partition, self.service)?;
        if let Some(region) = &self.region {
            region.fmt(f)?;
        }
        f.write_str(":")?;
        if let Some(account) = &self.account {
            account.fmt(f)?;
        }
        write!(f, ":{}", self.resource)
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

/// All of them go through text: in JSON as in the log, and back only through `parse`.
macro_rules! as_text {
    ($($name:ident: $expected:literal),* $(,)?) => {$(
        impl FromStr for $name {
            type Err = PlaceError;

            fn from_str(text: &str) -> Result<Self, PlaceError> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text { expected: $expected, into: PhantomData })
            }
        }
    )*};
}

as_text! {
    Partition: "the name of an AWS partition",
    Region: "the name of an AWS region",
    AccountId: "the 12 digits of an AWS account",
    Arn: "an ARN",
    RoleArn: "the ARN of an IAM role",
    ExternalId: "an external id",
}

/// Reads a place out of any text that serde hands over, without a copy in between.
struct Text<T> {
    expected: &'static str,
    into: PhantomData<T>,
}

impl<T: FromStr<Err = PlaceError>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// The text itself says more in a failed test or a log line than the layout of the parts.
macro_rules! debug_as_display {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    )*};
}

debug_as_display!(Region, AccountId, Arn, RoleArn, ExternalId);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn partitions_are_the_three() {
        for partition in Partition::ALL {
            assert_eq!(Partition::parse(partition.as_str()), Ok(partition));
            assert_eq!(partition.default_region().partition(), partition);
            assert_eq!(Region::parse(partition.default_region().as_str()), Ok(partition.default_region()));
        }
        for text in ["", "AWS", "aws ", "aws-iso", "gcp"] {
            assert!(Partition::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_region_tells_its_partition_even_if_it_is_new() {
        for (text, partition) in [
            ("us-east-1", Partition::Aws),
            ("ap-southeast-7", Partition::Aws),
            ("mx-central-1", Partition::Aws),
            ("il-central-1", Partition::Aws),
            ("us-gov-east-1", Partition::AwsUsGov),
            ("cn-northwest-1", Partition::AwsCn),
        ] {
            let region = Region::parse(text).expect("a region");
            assert_eq!((region.as_str(), region.partition()), (text, partition));
        }
        for text in ["eusc-de-east-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-gov-1", "cn-a-b-1"] {
            assert!(matches!(Region::parse(text), Err(PlaceError::RegionElsewhere(_))), "{text}");
        }
        let not_shaped = "|us-east|us-east-|us-east-0|us-east-01|us-east-1a|US-EAST-1|us_east_1|-east-1|us--1|us-1|1|us-east-1 |us-east-100|é-east-1|us-east-1\n|us-e2st-1|a-b-c-d-e-1";
        for text in not_shaped.split('|') {
            assert!(matches!(Region::parse(text), Err(PlaceError::Region(_))), "{text:?}");
        }
    }

    #[test]
    fn an_account_keeps_its_leading_zeros() {
        let account = AccountId::parse("000000000042").expect("an account");
        assert_eq!(account.to_string(), "000000000042");
        for text in ["", "12345", "1234567890123", "12345678901a", "+12345678901", " 12345678901", "１２３４"] {
            assert!(AccountId::parse(text).is_err(), "{text:?}");
        }
        let said = AccountId::parse("12345").expect_err("too short").to_string();
        assert_eq!(said, "`12345` is not an AWS account id: 12 digits are expected");
    }

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

    #[test]
    fn a_refusal_quotes_no_more_than_the_head() {
        let said = Region::parse(&"é".repeat(1_000_000)).expect_err("no region").to_string();
        assert!(said.len() < 300 && said.contains('…'), "{said}");
    }

    #[test]
    fn json_and_the_log_take_only_what_parses() {
        assert!(serde_json::from_str::<Region>("\"mars\"").is_err());
        assert!(serde_json::from_str::<Region>("7").is_err());
        let said = serde_json::from_str::<AccountId>("\"7\"").expect_err("no account").to_string();
        assert!(said.starts_with("`7` is not an AWS account id"), "{said}");
    }

    fn survives<T>(place: &T) -> bool
    where
        T: Serialize + for<'de> Deserialize<'de> + FromStr<Err = PlaceError> + fmt::Display + PartialEq,
    {
        let json = serde_json::to_string(place).expect("it is text");
        let config = bincode::config::standard();
        let bytes = bincode::serde::encode_to_vec(place, config).expect("it is text");
        let (read, _): (T, usize) = bincode::serde::decode_from_slice(&bytes, config).expect("it was written so");
        let from_json: T = serde_json::from_str(&json).expect("it was written so");
        let parsed: T = place.to_string().parse().expect("it was printed so");
        serde_json::from_str::<String>(&json).ok() == Some(place.to_string())
            && read == *place
            && from_json == *place
            && parsed == *place
    }

    fn partition() -> impl Strategy<Value = Partition> {
        proptest::sample::select(Partition::ALL.to_vec())
    }

    fn region() -> impl Strategy<Value = Region> {
        "([a-z]{2}-[a-z]{3,9}|us-gov-[a-z]{4})-[1-9][0-9]?"
            .prop_filter_map("of a partition", |text| Region::parse(&text).ok())
    }

    fn account() -> impl Strategy<Value = AccountId> {
        "[0-9]{12}".prop_map(|text| AccountId::parse(&text).expect("12 digits"))
    }

    proptest! {
        #[test]
        fn places_survive_every_form(partition in partition(), region in region(), account in account()) {
            prop_assert!(survives(&partition) && survives(&region) && survives(&account));
        }

        #[test]
        fn arns_survive_every_form(
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
            prop_assert!(survives(&arn));
        }

        #[test]
        fn roles_survive_every_form(partition in partition(), account in account(), path in "([a-z0-9]{1,5}/){0,3}", name in "[A-Za-z0-9+=,.@_-]{1,64}") {
            let role = RoleArn::parse(&format!("arn:{partition}:iam::{account}:role/{path}{name}")).expect("a role by its rule");
            prop_assert_eq!((role.partition(), role.account(), role.name()), (partition, account, name.as_str()));
            prop_assert!(survives(&role));
        }

        #[test]
        fn what_parses_prints_as_it_came_and_nothing_panics(text in "\\PC{0,60}") {
            if let Ok(region) = Region::parse(&text) { prop_assert_eq!(region.to_string(), text.clone()); }
            if let Ok(account) = AccountId::parse(&text) { prop_assert_eq!(account.to_string(), text.clone()); }
            if let Ok(arn) = Arn::parse(&text) { prop_assert_eq!(arn.to_string(), text.clone()); }
            let _ = RoleArn::parse(&text);
        }
    }
}
