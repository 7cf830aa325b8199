//! AWS's names of a key: its id, its ARN and its aliases.

use std::fmt;
use std::sync::Arc;

use crate::domain::place::{AccountId, Arn, Partition, Region};

/// A text that is not an AWS key id, key ARN or alias.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyNameError {
    #[error("`{0}` is not the id of an AWS key: a UUID, or `mrk-` and 32 hexadecimal digits, is expected")]
    KeyId(String),
    #[error("`{0}` is not the ARN of an AWS key: `arn:aws:kms:eu-west-1:123456789012:key/id` is expected")]
    KeyArn(String),
    #[error(
        "`{0}` is not an alias: `alias/` and up to {most} letters, digits and `/_-` are expected",
        most = AliasName::LONGEST - AliasName::PREFIX.len()
    )]
    Alias(String),
    /// An alias of AWS's own.
    #[error("`{0}` is reserved: aliases that begin with `alias/aws/` belong to AWS")]
    AliasReserved(String),
}

fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

/// AWS's id of a key: a UUID, or `mrk-` and 32 digits for a multi-region key. All keys of a multi-region family share
/// it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AwsKeyId(Arc<str>);

impl AwsKeyId {
    /// Parses an id in lower case, as AWS writes it.
    ///
    /// # Errors
    /// When the text is not an id of a key.
    pub fn parse(text: &str) -> Result<Self, KeyNameError> {
        let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_uuid = |text: &str| {
            let parts: Vec<&str> = text.split('-').collect();
            parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| hex(part))
        };
        let is_id = match text.strip_prefix("mrk-") {
            // AWS writes no hyphens behind `mrk-`; some emulators do.
            Some(digits) => (digits.len() == 32 && hex(digits)) || is_uuid(digits),
            None => is_uuid(text),
        };
        if is_id { Ok(Self(text.into())) } else { Err(KeyNameError::KeyId(excerpt(text))) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_multi_region(&self) -> bool {
        self.0.starts_with("mrk-")
    }
}

/// The ARN of a key, which contains its account and region.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyArn {
    partition: Partition,
    region: Region,
    account: AccountId,
    id: AwsKeyId,
}

impl KeyArn {
    /// Parses `arn:<partition>:kms:<region>:<account>:key/<id>`.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, KeyNameError> {
        Self::read(text).ok_or_else(|| KeyNameError::KeyArn(excerpt(text)))
    }

    fn read(text: &str) -> Option<Self> {
        let arn = Arn::parse(text).ok().filter(|arn| arn.service() == "kms")?;
        let (partition, region) = (arn.partition(), arn.region()?.clone());
        let id = AwsKeyId::parse(arn.resource().strip_prefix("key/")?).ok()?;
        (region.partition() == partition).then_some(Self { partition, region, account: arn.account()?, id })
    }

    /// Builds the ARN of a key in an account and region.
    pub fn of(account: AccountId, region: Region, id: AwsKeyId) -> Self {
        Self { partition: region.partition(), region, account, id }
    }

    /// Returns the ARN of the key of the same family in another region.
    #[must_use]
    pub fn in_region(&self, region: Region) -> Self {
        Self::of(self.account, region, self.id.clone())
    }

    pub fn id(&self) -> &AwsKeyId {
        &self.id
    }

    pub fn account(&self) -> AccountId {
        self.account
    }

    pub fn region(&self) -> &Region {
        &self.region
    }

    pub fn partition(&self) -> Partition {
        self.partition
    }
}

/// An alias of a key: `alias/` and a name that is unique in an account and region.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasName(Arc<str>);

impl AliasName {
    const PREFIX: &'static str = "alias/";
    const LONGEST: usize = 256;

    /// Parses an alias that exists at AWS. It may be one of AWS's own.
    ///
    /// # Errors
    /// When the text is not an alias.
    pub fn parse(text: &str) -> Result<Self, KeyNameError> {
        // AWS's documentation lists these characters; its pattern allows a colon too.
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte);
        let name = text.strip_prefix(Self::PREFIX).unwrap_or_default();
        if name.is_empty() || text.len() > Self::LONGEST || !name.bytes().all(allowed) {
            return Err(KeyNameError::Alias(excerpt(text)));
        }
        Ok(Self(text.into()))
    }

    /// Returns an alias that was read from the log. It was valid when it was recorded, so it is not checked again.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// Parses an alias that a caller wants to set, with or without `alias/`.
    ///
    /// # Errors
    /// When AWS would not accept it, or it is one of AWS's own.
    pub fn parse_own(text: &str) -> Result<Self, KeyNameError> {
        let whole = if text.starts_with(Self::PREFIX) { text.to_owned() } else { format!("{}{text}", Self::PREFIX) };
        let alias = Self::parse(&whole).map_err(|_| KeyNameError::Alias(excerpt(text)))?;
        if alias.is_of_aws() {
            return Err(KeyNameError::AliasReserved(excerpt(&whole)));
        }
        if whole.contains(':') { Err(KeyNameError::Alias(excerpt(text))) } else { Ok(alias) }
    }

    /// Returns the alias with its prefix `alias/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the alias without its prefix `alias/`.
    pub fn short(&self) -> &str {
        self.0.strip_prefix(Self::PREFIX).unwrap_or_default()
    }

    /// Whether the alias belongs to an AWS service.
    pub fn is_of_aws(&self) -> bool {
        self.short().starts_with("aws/")
    }
}

impl fmt::Display for AwsKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In pieces: a search writes the ARN of every key.
        let pieces = ["arn:", self.partition.as_str(), ":kms:", self.region.as_str(), ":"];
        pieces.iter().try_for_each(|piece| f.write_str(piece))?;
        self.account.fmt(f)?;
        f.write_str(":key/")?;
        f.write_str(self.id.as_str())
    }
}

impl fmt::Display for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! debug_as_display {
    ($($name:ident),* $(,)?) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    )*};
}

debug_as_display!(AwsKeyId, KeyArn, AliasName);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_id_is_a_uuid_or_that_of_a_family() {
        for (text, family) in
            [("1234abcd-12ab-34cd-56ef-1234567890ab", false), ("mrk-1234abcd12ab34cd56ef1234567890ab", true)]
        {
            assert_eq!(AwsKeyId::parse(text).map(|id| id.is_multi_region()), Ok(family));
        }
        for text in [
            "",
            "mrk-",
            "1234ABCD-12ab-34cd-56ef-1234567890ab",
            "1234abcd12ab34cd56ef1234567890ab",
            "{1234abcd-12ab-34cd-56ef-1234567890ab}",
            "mrk-1234abcd-12ab-34cd-56ef1234567890ab",
            "alias/a",
        ] {
            assert!(AwsKeyId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_arn_tells_account_and_region() {
        let text = "arn:aws-cn:kms:cn-north-1:012345678901:key/mrk-1234abcd12ab34cd56ef1234567890ab";
        let arn = KeyArn::parse(text).expect("a key");
        assert_eq!(arn.to_string(), text);
        assert_eq!((arn.region().as_str(), arn.account().to_string().as_str()), ("cn-north-1", "012345678901"));
        assert!(arn.id().is_multi_region() && arn.partition() == Partition::AwsCn);
        for text in [
            "arn:aws:kms:eu-west-1:123456789012:alias/a",
            "arn:aws:kms:cn-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:s3:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms::123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:eu-west-1::key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "1234abcd-12ab-34cd-56ef-1234567890ab",
        ] {
            assert!(KeyArn::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_alias_is_given_with_or_without_its_prefix() {
        for text in ["alias/payroll/2026", "payroll/2026"] {
            assert_eq!(AliasName::parse_own(text).map(|alias| alias.to_string()).as_deref(), Ok("alias/payroll/2026"));
        }
        let longest = "x".repeat(250);
        assert!(AliasName::parse_own(&longest).is_ok());
        for text in ["", "alias/", "a b", "é", "a:b", "a.b", &format!("{longest}x")] {
            assert!(matches!(AliasName::parse_own(text), Err(KeyNameError::Alias(_))), "{text}");
        }
        assert_eq!(
            AliasName::parse_own("a b").expect_err("a blank").to_string(),
            "`a b` is not an alias: `alias/` and up to 250 letters, digits and `/_-` are expected"
        );
    }

    #[test]
    fn awss_own_aliases_are_read_but_not_made() {
        assert!(AliasName::parse("alias/aws/s3").expect("AWS has it").is_of_aws());
        for text in ["aws/s3", "alias/aws/s3"] {
            assert!(matches!(AliasName::parse_own(text), Err(KeyNameError::AliasReserved(_))), "{text}");
        }
        assert!(AliasName::parse_own("awsome/s3").is_ok());
    }

    proptest! {
        #[test]
        fn names_parse_as_they_print(id in "([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})", alias in "[a-zA-Z0-9/_-]{1,250}") {
            let id = AwsKeyId::parse(&id).expect("an id by its rule");
            let arn = KeyArn::parse(&format!("arn:aws:kms:eu-west-1:123456789012:key/{id}")).expect("an ARN");
            let alias = AliasName::parse(&format!("alias/{alias}")).expect("an alias by its rule");
            prop_assert_eq!(AwsKeyId::parse(&id.to_string()), Ok(id));
            prop_assert_eq!(KeyArn::parse(&arn.to_string()), Ok(arn));
            prop_assert_eq!(AliasName::parse(&alias.to_string()), Ok(alias));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,60}") {
            let _ = (AwsKeyId::parse(&text), KeyArn::parse(&text), AliasName::parse(&text), AliasName::parse_own(&text));
        }
    }
}
