//! Keys of a large installation: a hundred accounts with eight regions each, keys with an alias, tags and a policy in
//! the form that AWS's console writes. Keys of one application share their policy.

use super::{Outcome, REGIONS, added, kms, record, regions_replaced};
use claviger::domain::event::Event;
use claviger::domain::id::KeyId;
use claviger::domain::key::aws_enums::{KeyManager, KeyState, Origin};
use claviger::domain::key::event::{Aspect, KeyEvent};
use claviger::domain::key::metadata::{Algorithms, KeyMetadata, RotationStatus};
use claviger::domain::key::name::{AliasName, AwsKeyId, KeyArn};
use claviger::domain::key::policy::{PolicyContext, PolicyPrincipals};
use claviger::domain::key::policy_text::PolicyText;
use claviger::domain::key::spec::{KeySpec, KeyUsage};
use claviger::domain::key::tag::Tag;
use claviger::domain::place::{AccountId, Partition, Region};
use claviger::domain::time::Time;
use claviger::ledger::Ledger;
use std::sync::Arc;
use uuid::Uuid;

pub(crate) const ACCOUNTS: u64 = 100;
const APPLICATIONS: u64 = 50;
const BATCH: u64 = 100;

/// Records the KMSs, and `keys` keys in them.
pub(crate) async fn fill(ledger: &Ledger, keys: u64) -> Outcome<()> {
    record(ledger, accounts()?).await?;
    for from in (0..keys).step_by(BATCH as usize) {
        let batch = (from..keys.min(from + BATCH)).map(found).collect::<Outcome<_>>()?;
        record(ledger, batch).await?;
    }
    Ok(())
}

/// The events that add the KMSs, each with all regions.
pub(crate) fn accounts() -> Outcome<Vec<Event>> {
    let all = REGIONS.len() as u64 - 1;
    (0..ACCOUNTS).flat_map(|n| [added(n), regions_replaced(n, all)]).collect()
}

/// The event that adds key number `n`.
pub(crate) fn found(n: u64) -> Outcome<Event> {
    let arn = arn(n)?;
    let (account, region) = (arn.account(), arn.region().clone());
    let application = n / ACCOUNTS % APPLICATIONS;
    let metadata = KeyMetadata {
        arn,
        created_at: Some(Time::from_nanos(1_700_000_000_000_000_000 + n as i64 * 1_000_000)),
        description: format!("Key {n} of application {application}"),
        enabled: true,
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        state: KeyState::Enabled,
        origin: Origin::AwsKms,
        manager: KeyManager::Customer,
        multi_region: None,
        deletion_date: None,
        pending_window: None,
        valid_to: None,
        expiration_model: None,
        algorithms: Arc::new(Algorithms { encryption: vec!["SYMMETRIC_DEFAULT".to_owned()], ..Algorithms::default() }),
        current_material: None,
        custom_key_store_id: None,
        cloud_hsm_cluster_id: None,
        xks_key_id: None,
    };
    let learned = vec![
        Aspect::Metadata(Box::new(metadata)),
        Aspect::Aliases(vec![AliasName::parse(&alias(n))?]),
        Aspect::Tags(vec![Tag::new("environment", "production"), Tag::new("application", application.to_string())]),
        Aspect::Policy(policy(account, application)?),
        Aspect::Rotation(RotationStatus::default()),
    ];
    let id = KeyId::new(Uuid::from_u128(u128::from(n) << 64 | 2));
    Ok(Event::Key(id, KeyEvent::Found { kms: kms(n % ACCOUNTS), region, learned }))
}

pub(crate) fn arn(n: u64) -> Outcome<KeyArn> {
    let account = AccountId::parse(&format!("{:012}", n % ACCOUNTS + 1))?;
    let region = Region::parse(REGIONS[(n / ACCOUNTS % REGIONS.len() as u64) as usize])?;
    // The ids are spread over the entire range, as AWS's are.
    let id = Uuid::from_u128(u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    Ok(KeyArn::of(account, region, AwsKeyId::parse(&id.to_string())?))
}

pub(crate) fn alias(n: u64) -> String {
    format!("alias/application/key-{n}")
}

/// A policy with the white space that AWS returns.
fn policy(account: AccountId, application: u64) -> Outcome<PolicyText> {
    let context = PolicyContext { partition: Partition::Aws, account, usage: KeyUsage::EncryptDecrypt };
    let principals = PolicyPrincipals {
        admins: vec!["ann".to_owned()],
        admin_roles: vec!["KeyAdministrators".to_owned()],
        users: vec![],
        user_roles: vec![format!("Application{application}"), "Operations".to_owned()],
        accounts: vec![],
    };
    let policy = principals.policy(&context)?.value();
    Ok(PolicyText::parse(&serde_json::to_string_pretty(&policy)?)?)
}
