//! Every value survives conversion through its layout, and layouts of former versions convert to the live types.

use super::v2::{Bytes, Moment, Text};
use super::*;
use crate::domain::cron::Cron;
use crate::domain::event::Sealed;
use crate::domain::key::aws_enums::KeyState;
use crate::domain::key::days::{DeletionWindow, RotationPeriod};
use crate::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use crate::domain::key::policy_text::PolicyText;
use crate::domain::name::{JsonText, KmsName};
use crate::domain::place::{AccountId, Arn, ExternalId, Region, RoleArn};
use crate::domain::time::Time;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

const CODEC: bincode::config::Configuration = bincode::config::standard();

/// The value after it was encoded and decoded.
macro_rules! through {
    ($layout:ident, $live:expr) => {{
        let bytes = encode($layout::of($live));
        live_like(decode::<$layout>(&bytes), $live)
    }};
}

fn live_like<Live, Layout: IntoLive<Live>>(layout: Layout, _: &Live) -> Live {
    layout.into_live().expect("it was written so")
}

fn decode<'a, Layout: Deserialize<'a>>(bytes: &'a [u8]) -> Layout {
    bincode::serde::borrow_decode_from_slice(bytes, CODEC).expect("it can be read").0
}

fn encode(layout: impl Serialize) -> Vec<u8> {
    bincode::serde::encode_to_vec(layout, CODEC).expect("it can be written")
}

fn arn(text: &str) -> Arn {
    Arn::parse(text).expect("an ARN")
}

#[test]
fn parsed_values_survive() {
    let arn = arn("arn:aws:sts::000000000042:assumed-role/keys/claviger");
    assert_eq!(through!(Text, &arn), arn);
    let role = RoleArn::parse("arn:aws-cn:iam::000000000042:role/a/b").expect("a role");
    assert_eq!(through!(Text, &role), role);
    let key = KeyArn::parse("arn:aws:kms:eu-west-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab");
    let key = key.expect("a key");
    assert_eq!(through!(Text, &key), key);
    let id: AwsKeyId = key.id().clone();
    assert_eq!(through!(Text, &id), id);
    let account = AccountId::parse("000000000042").expect("an account");
    assert_eq!(through!(Text, &account), account);
    let external = ExternalId::parse("a:b/c").expect("an external id");
    assert_eq!(through!(Text, &external), external);
    let cron = Cron::parse("0  9 * * sat").expect("a cron expression");
    assert_eq!(through!(Text, &cron), cron);
    let period = RotationPeriod::default();
    assert_eq!(through!(u16, &period), period);
}

/// An invalid stored value is a fault, never a panic and never another value.
#[test]
fn invalid_values_are_faults() {
    let said = |fault: Result<(), Impossible>| Fault::from(fault.expect_err("impossible")).to_string();
    let text = |text: &str| encode(Text::from(text));
    let region: Result<Region, _> = decode::<Text>(&text("mars")).into_live();
    assert!(said(region.map(drop)).starts_with("it cannot be decoded (`mars` is not an AWS region"));
    let account: Result<AccountId, _> = decode::<Text>(&text("42")).into_live();
    assert!(said(account.map(drop)).contains("`42` is not an AWS account id"));
    let window: Result<DeletionWindow, _> = decode::<u16>(&encode(31_u16)).into_live();
    assert!(said(window.map(drop)).contains("`31` is out of range"));
}

/// Validation rules apply to input, not to recorded values.
#[test]
fn formerly_valid_names_are_read() {
    let name: KmsName = decode::<Text>(&encode(Text::from(" padded "))).into_live().expect("a fact");
    assert_eq!(name.as_str(), " padded ");
    let alias: AliasName = decode::<Text>(&encode(Text::from("alias/a.b"))).into_live().expect("a fact");
    assert_eq!(alias.as_str(), "alias/a.b");
}

/// Decoding borrows text and bytes, because a start decodes millions of them.
#[test]
fn text_and_bytes_are_read_without_a_copy() {
    let bytes = encode((Text::from("a name"), Moment::of(&Time::from_nanos(7))));
    let (text, _): (Text, Moment) = decode(&bytes);
    assert!(text.is_borrowed());
}

/// Layouts of a version that is only read, as the header of `layout/mod.rs` describes.
mod past {
    use super::Text;

    #[derive(PartialEq, Debug)]
    pub(super) struct Settings {
        pub(super) label: String,
        pub(super) color: Option<String>,
    }

    #[derive(PartialEq, Debug)]
    pub(super) enum Change {
        Made(Settings),
        Gone,
        /// The former version does not have this variant.
        Recovered,
    }

    pub(super) mod v1 {
        use super::{Change as LiveChange, Settings as LiveSettings, Text};

        layout! {
            read struct Settings<'a> of LiveSettings {
                label: Text<'a>,
            } with {
                color: None,
            }
        }

        layout! {
            read enum Change<'a> of LiveChange {
                Made(settings: Settings<'a>),
                Gone,
            }
        }
    }
}

#[test]
fn a_member_that_a_former_version_lacked_gets_its_former_value() {
    let made: past::Change = decode::<past::v1::Change>(&[0, 1, b'x']).into_live().expect("possible");
    assert_eq!(made, past::Change::Made(past::Settings { label: "x".to_owned(), color: None }));
    let gone: past::Change = decode::<past::v1::Change>(&[1]).into_live().expect("possible");
    assert_eq!(gone, past::Change::Gone);
    assert_ne!(gone, past::Change::Recovered);
}

proptest! {
    #[test]
    fn any_text_survives(text in "\\PC{0,60}") {
        prop_assert_eq!(through!(Text, &text), text.clone());
        let state = KeyState::parse(&text);
        prop_assert_eq!(through!(Text, &state), state);
        let policy = PolicyText::stored(&text);
        let read: PolicyText = through!(Text, &policy);
        prop_assert_eq!(read.as_str(), policy.as_str());
        let json = JsonText::of(&serde_json::json!([text])).expect("short enough");
        prop_assert_eq!(through!(Text, &json), json);
    }

    #[test]
    fn any_bytes_and_moments_survive(bytes: Vec<u8>, nanos: i64) {
        let (sealed, time) = (Sealed(bytes), Time::from_nanos(nanos));
        prop_assert_eq!(through!(Bytes, &sealed), sealed);
        prop_assert_eq!(through!(Moment, &time), time);
    }

    #[test]
    fn any_region_survives(text in "([a-z]{2}-[a-z]{3,9}|us-gov-[a-z]{4})-[1-9][0-9]?") {
        if let Ok(region) = Region::parse(&text) { prop_assert_eq!(through!(Text, &region), region); }
    }
}
