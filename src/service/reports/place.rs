//! The KMS that a source of a report is about, and the keys in it: which key an event is about, and how it is named.

use super::row::Cell;
use crate::aws::cloudtrail::TrailEvent;
use crate::domain::id::KmsId;
use crate::domain::key::aggregate::Key;
use crate::domain::key::name::{AwsKeyId, KeyArn};
use crate::domain::kms::Kms;
use crate::domain::place::Region;
use crate::ledger::Published;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// A KMS as it was when the report began to read it.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) published: Arc<Published>,
    pub(super) kms: Arc<Kms>,
    /// The keys by region and alias; made when an event names an alias.
    aliases: OnceLock<HashMap<(Region, String), KeyArn>>,
}

/// A key that an event names.
pub(super) struct NamedKey {
    pub(super) arn: KeyArn,
    /// The key, if it is known here.
    pub(super) key: Option<Arc<Key>>,
}

impl Place {
    pub(super) fn new(published: Arc<Published>, kms: Arc<Kms>) -> Self {
        Self { published, kms, aliases: OnceLock::new() }
    }

    /// Whether a key of this ARN belongs to the KMS.
    pub(super) fn has(&self, arn: &KeyArn) -> bool {
        arn.account() == self.kms.account && self.kms.regions.contains(arn.region())
    }

    /// The keys of the KMS that an event is about. A trail can have the events of several regions and accounts.
    pub(super) fn keys_of(&self, event: &TrailEvent) -> Vec<NamedKey> {
        let mut arns: Vec<KeyArn> = event.keys.iter().filter_map(|text| KeyArn::parse(text).ok()).collect();
        if arns.is_empty() {
            arns.extend(self.parameter(event));
        }
        arns.sort();
        arns.dedup();
        arns.into_iter().filter(|arn| self.has(arn)).map(|arn| self.named(arn)).collect()
    }

    /// The key in the parameters of a call: AWS lists no resource for some refused ones.
    fn parameter(&self, event: &TrailEvent) -> Option<KeyArn> {
        if let Ok(arn) = KeyArn::parse(&event.key_parameter) {
            return Some(arn);
        }
        // `arn:aws:kms:eu-west-1:123456789012:alias/x`, or the last part alone.
        let parts: Vec<&str> = event.key_parameter.splitn(6, ':').collect();
        let (account, region, name) = match parts[..] {
            ["arn", _, "kms", region, account, name] => (account, region, name),
            [""] => (event.recipient_account.as_str(), event.region.as_str(), event.aliases.first()?.as_str()),
            [name] => (event.recipient_account.as_str(), event.region.as_str(), name),
            _ => return None,
        };
        if account != self.kms.account.to_string() {
            return None;
        }
        let region = self.kms.regions.iter().find(|known| known.as_str() == region)?;
        if name.starts_with("alias/") {
            return self.aliases.get_or_init(|| self.by_alias()).get(&(region.clone(), name.to_owned())).cloned();
        }
        Some(KeyArn::of(self.kms.account, region.clone(), AwsKeyId::parse(name).ok()?))
    }

    /// The aliases as they are now: where one was before is not known.
    fn by_alias(&self) -> HashMap<(Region, String), KeyArn> {
        let state = &self.published.state;
        let keys = state.keys_of_kms(self.id()).filter(|key| !state.is_gone(key) && !key.is_unlinked());
        let named = keys.flat_map(|key| key.aliases.iter().map(move |alias| (key, alias)));
        named.map(|(key, alias)| ((key.region.clone(), alias.as_str().to_owned()), key.metadata.arn.clone())).collect()
    }

    pub(super) fn named(&self, arn: KeyArn) -> NamedKey {
        let key = self.published.state.key_at_aws(self.id(), arn.region(), arn.id()).cloned();
        NamedKey { arn, key }
    }

    pub(super) fn id(&self) -> KmsId {
        self.kms.id
    }
}

impl NamedKey {
    /// The cells `key_arn`, `key_id`, `alias`.
    pub(super) fn cells(&self) -> [Cell; 3] {
        [Cell::text(self.arn.to_string()), Cell::text(self.arn.id().as_str()), alias(self.key.as_deref())]
    }

    /// The cells `aws_account_id`, `region`, `cloud_name`.
    pub(super) fn place_cells(&self) -> [Cell; 3] {
        [
            Cell::text(self.arn.account().to_string()),
            Cell::text(self.arn.region().as_str()),
            Cell::text(self.arn.partition().as_str()),
        ]
    }
}

/// The first alias of a key.
pub(super) fn alias(key: Option<&Key>) -> Cell {
    Cell::text(key.and_then(|key| key.aliases.first()).map(|alias| alias.as_str().to_owned()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Event;
    use crate::domain::key::aggregate::Snapshot;
    use crate::domain::key::event::KeyEvent;
    use crate::domain::key::example::{ACCOUNT, added, after, key_id, kms_id, region, snapshot};
    use crate::domain::key::name::AliasName;
    use crate::domain::time::Time;

    /// AWS lists no key for a call that it refused before it looked for one.
    #[test]
    fn a_refused_call_is_about_the_key_that_its_caller_named() {
        let alias = AliasName::parse("alias/payroll").expect("an alias");
        let learned = Snapshot { aliases: Some(vec![alias]), ..snapshot(1, "") }.all();
        let found = KeyEvent::Found { kms: kms_id(0), region: region("eu-west-3"), learned };
        let state = after(&[added(0, &["eu-west-3", "eu-west-1"]), Event::Key(key_id(1), found)]);
        let kms = state.kms(kms_id(0)).expect("a KMS").clone();
        let place = Place::new(Arc::new(Published { head: 2, time: Time::from_nanos(0), state }), kms);
        let arn = snapshot(1, "").metadata.arn;
        let named = |parameter: &str, region: &str, account: &str| {
            let event = serde_json::json!({"eventTime": "2026-11-28T10:56:58Z", "eventName": "Decrypt", "eventID": "e",
                "awsRegion": region, "recipientAccountId": account, "requestParameters": {"keyId": parameter}});
            let event = TrailEvent::parse(&event.to_string()).expect("an event");
            place.keys_of(&event).into_iter().map(|named| named.arn).collect::<Vec<_>>()
        };
        let alias_arn = format!("arn:aws:kms:eu-west-3:{ACCOUNT}:alias/payroll");
        for parameter in ["alias/payroll", &alias_arn, arn.id().as_str(), &arn.to_string()] {
            assert_eq!(named(parameter, "eu-west-3", ACCOUNT), std::slice::from_ref(&arn), "{parameter}");
        }
        assert_eq!(named("alias/payroll", "eu-west-1", ACCOUNT), [], "it is an alias of another region");
        assert_eq!(named("alias/payroll", "eu-west-3", "789012123456"), [], "or account");
        assert_eq!(named(&alias_arn.replace(ACCOUNT, "789012123456"), "eu-west-3", ACCOUNT), []);
        assert_eq!(named("alias/none", "eu-west-3", ACCOUNT), []);
    }
}
