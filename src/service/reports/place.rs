//! The KMS that a source of a report is about, and the keys in it: which key an event is about, and how it is named.

use super::row::Cell;
use crate::aws::cloudtrail::TrailEvent;
use crate::domain::id::KmsId;
use crate::domain::key::aggregate::Key;
use crate::domain::key::name::{AwsKeyId, KeyArn};
use crate::domain::kms::Kms;
use crate::ledger::Published;
use std::sync::Arc;

/// A KMS as it was when the report began to read it.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) published: Arc<Published>,
    pub(super) kms: Arc<Kms>,
}

/// A key that an event names.
pub(super) struct NamedKey {
    pub(super) arn: KeyArn,
    /// The key, if it is known here.
    pub(super) key: Option<Arc<Key>>,
}

impl Place {
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
        let id = AwsKeyId::parse(&event.key_parameter).ok()?;
        let is_own = event.recipient_account == self.kms.account.to_string();
        let region = self.kms.regions.iter().find(|region| region.as_str() == event.region)?;
        is_own.then(|| KeyArn::of(self.kms.account, region.clone(), id))
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
