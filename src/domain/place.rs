//! Partitions, regions and accounts of AWS; ARNs are in `arn`.
//!
//! `parse` is the only constructor, for text from a caller, from AWS and from the log. The values are always well
//! formed, and print exactly as they were given. Whether a region is enabled or an account exists, only AWS knows.

#[macro_use]
mod text;

mod arn;

pub use arn::{Arn, ArnError, ExternalId, RoleArn};

use std::fmt;

/// A text that is not a partition, region, account or ARN. The caller prefixes the message with the member's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    #[error("`{0}` is not an AWS partition: `aws`, `aws-us-gov` or `aws-cn` is expected")]
    Partition(Excerpt),
    #[error("`{0}` is not an AWS region: a name such as `eu-west-1` is expected")]
    Region(Excerpt),
    /// The text has the form of a region, but belongs to none of the three partitions.
    #[error("`{0}` is a region of none of the partitions `aws`, `aws-us-gov` and `aws-cn`")]
    RegionElsewhere(Excerpt),
    #[error("`{0}` is not an AWS account id: 12 digits are expected")]
    AccountId(Excerpt),
    #[error("`{text}` is not an ARN: {reason}")]
    Arn { text: Excerpt, reason: ArnError },
    #[error("`{0}` is not the ARN of an IAM role: `arn:aws:iam::123456789012:role/name` is expected")]
    RoleArn(Excerpt),
    #[error("`{0}` is not an external id: 2 to 1224 letters, digits and `_+=,.@:/-` are expected")]
    ExternalId(Excerpt),
}

/// The beginning of a refused text, short enough for a message. It must not be used for secrets.
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

/// An AWS partition. Credentials and resources of one partition are not valid in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Partition {
    #[default]
    Aws,
    /// The regions of the US government.
    AwsUsGov,
    AwsCn,
}

impl Partition {
    pub const ALL: [Partition; 3] = [Partition::Aws, Partition::AwsUsGov, Partition::AwsCn];
    pub const NAMES: &'static [&'static str] =
        &[Partition::Aws.as_str(), Partition::AwsUsGov.as_str(), Partition::AwsCn.as_str()];

    /// Reads `aws`, `aws-us-gov` or `aws-cn`.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        let found = Self::ALL.into_iter().find(|partition| partition.as_str() == text);
        found.ok_or_else(|| PlaceError::Partition(Excerpt::of(text)))
    }

    /// The name of the partition, as in an ARN. The API calls it the cloud name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsCn => "aws-cn",
        }
    }

    /// The domain of the partition's endpoints.
    pub const fn dns_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
            Self::AwsCn => "amazonaws.com.cn",
        }
    }

    /// The region that is used if none is given. It is enabled in every account of the partition.
    pub fn default_region(self) -> Region {
        Region::packed(match self {
            Self::Aws => "us-east-1",
            Self::AwsUsGov => "us-gov-west-1",
            Self::AwsCn => "cn-north-1",
        })
    }
}

/// The name of a region, such as `eu-west-1`. It is stored without an allocation, because most records of a log have
/// one and a start reads all of them.
///
/// Names that AWS does not use yet are accepted if they have the form of a region's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    /// The name, padded with zeroes, so that comparing the bytes compares the names.
    bytes: [u8; Self::LONGEST],
    length: u8,
}

impl Region {
    /// `us-gov-`, a word, `-` and two digits have 22 bytes; one more makes the struct 24 bytes large.
    const LONGEST: usize = 23;
    const LONGEST_WORD: usize = 12;

    /// Reads the name of a region of one of the three partitions.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        let Some(words) = Self::words(text) else { return Err(PlaceError::Region(Excerpt::of(text))) };
        match Self::partition_of(text, words) {
            Some(_) => Ok(Self::packed(text)),
            None => Err(PlaceError::RegionElsewhere(Excerpt::of(text))),
        }
    }

    /// Stores a name that is known to fit.
    fn packed(name: &str) -> Self {
        let mut bytes = [0; Self::LONGEST];
        bytes.iter_mut().zip(name.bytes()).for_each(|(place, byte)| *place = byte);
        Self { bytes, length: name.len().min(Self::LONGEST) as u8 }
    }

    pub fn as_str(&self) -> &str {
        // The bytes are always ASCII.
        self.bytes.get(..usize::from(self.length)).and_then(|name| str::from_utf8(name).ok()).unwrap_or_default()
    }

    /// Returns the partition of the region, which follows from its name.
    pub fn partition(&self) -> Partition {
        let name = self.as_str();
        Self::words(name).and_then(|words| Self::partition_of(name, words)).unwrap_or_default()
    }

    /// Returns the number of words before the number, if the text consists of two or three words of lower-case letters
    /// and a number: `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`.
    fn words(text: &str) -> Option<usize> {
        let (mut words, mut letters) = (0, 0);
        let mut rest = text.as_bytes();
        while let [byte, more @ ..] = rest {
            match byte {
                b'a'..=b'z' if letters < Self::LONGEST_WORD => letters += 1,
                b'-' if letters > 0 => (words, letters) = (words + 1, 0),
                _ => break,
            }
            rest = more;
        }
        (letters == 0 && (2..=3).contains(&words) && is_region_number(rest)).then_some(words)
    }

    /// Returns the partition by AWS's naming of regions. The isolated partitions (`us-iso-east-1`) and the European
    /// Sovereign Cloud (`eusc-de-east-1`) are not supported.
    fn partition_of(shaped: &str, words: usize) -> Option<Partition> {
        let gov = shaped.starts_with("us-gov-");
        match (&shaped.as_bytes()[..3], words) {
            (b"cn-", 2) => Some(Partition::AwsCn),
            (b"us-", 3) if gov => Some(Partition::AwsUsGov),
            ([_, _, b'-'], 2) if !gov => Some(Partition::Aws),
            _ => None,
        }
    }
}

/// One or two digits, the first of which is not zero.
fn is_region_number(text: &[u8]) -> bool {
    matches!(text, [b'1'..=b'9'] | [b'1'..=b'9', b'0'..=b'9'])
}

/// The id of an AWS account: 12 digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

impl AccountId {
    /// Reads exactly 12 digits.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        let refused = || PlaceError::AccountId(Excerpt::of(text));
        if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused());
        }
        text.parse().map(Self).map_err(|_| refused())
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

from_str!(Partition, Region);
debug_as_display!(Region, AccountId);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
    fn a_refusal_quotes_no_more_than_the_head() {
        let said = Region::parse(&"é".repeat(1_000_000)).expect_err("no region").to_string();
        assert!(said.len() < 300 && said.contains('…'), "{said}");
    }

    pub(super) fn partition() -> impl Strategy<Value = Partition> {
        proptest::sample::select(Partition::ALL.to_vec())
    }

    pub(super) fn region() -> impl Strategy<Value = Region> {
        "([a-z]{2}-[a-z]{3,9}|us-gov-[a-z]{4})-[1-9][0-9]?"
            .prop_filter_map("of a partition", |text| Region::parse(&text).ok())
    }

    pub(super) fn account() -> impl Strategy<Value = AccountId> {
        "[0-9]{12}".prop_map(|text| AccountId::parse(&text).expect("12 digits"))
    }

    proptest! {
        #[test]
        fn places_parse_as_they_print(partition in partition(), region in region(), account in account()) {
            prop_assert_eq!(Partition::parse(&partition.to_string()), Ok(partition));
            prop_assert_eq!(Region::parse(&region.to_string()), Ok(region));
            prop_assert_eq!(AccountId::parse(&account.to_string()), Ok(account));
        }

        #[test]
        fn what_parses_prints_as_it_came_and_nothing_panics(text in "\\PC{0,60}") {
            if let Ok(region) = Region::parse(&text) { prop_assert_eq!(region.to_string(), text.clone()); }
            if let Ok(account) = AccountId::parse(&text) { prop_assert_eq!(account.to_string(), text.clone()); }
        }
    }
}
