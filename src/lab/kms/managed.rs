//! AWS managed keys, such as `alias/aws/ebs`, which exist in every account and region.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::crypto::{self, Slot};
use super::key::{Key, Material, Origin, Placement, Rotation, Standing};
use super::spec::{Spec, Usage};
use super::state::{Alias, State};
use crate::lab::refusal::Refusal;

/// The services whose keys exist from the start.
const IN_USE: [&str; 4] = ["ebs", "rds", "s3", "secretsmanager"];
/// The services whose aliases exist from the start, and whose keys are created by DescribeKey.
const PREDEFINED: [&str; 3] = ["dynamodb", "lambda", "ssm"];
const PERIOD_DAYS: i64 = 365;

/// Creates the managed keys of the account and region at the first call.
///
/// # Errors
/// [`Refusal::Internal`] if they cannot be stored.
pub(super) fn create_managed_keys(call: &Call<'_>) -> Result<(), Refusal> {
    let mut state = call.kms.state()?;
    if state.mark_managed_keys(call.account(), call.region) {
        return Ok(());
    }
    for service in IN_USE {
        let id = create(call, &mut state, service)?;
        state.set_alias(alias(call, service, Some(id)), &call.kms.store)?;
    }
    for service in PREDEFINED {
        state.set_alias(alias(call, service, None), &call.kms.store)?;
    }
    Ok(())
}

/// Creates the key of a predefined alias, if `name` is such an alias without a key.
///
/// # Errors
/// [`Refusal::Internal`] if the key cannot be stored.
pub(super) fn create_predefined(call: &Call<'_>, name: &str) -> Result<(), Refusal> {
    let name = name.rsplit_once(":alias/").map_or(name, |(_, rest)| rest);
    let name = name.strip_prefix("alias/").unwrap_or(name);
    let Some(service) = name.strip_prefix("aws/").filter(|service| PREDEFINED.contains(service)) else {
        return Ok(());
    };
    let mut state = call.kms.state()?;
    let known = state.alias(call.account(), call.region, &format!("alias/aws/{service}"));
    if known.is_some_and(|alias| alias.target.is_none()) {
        let id = create(call, &mut state, service)?;
        state.set_alias(alias(call, service, Some(id)), &call.kms.store)?;
    }
    Ok(())
}

fn create(call: &Call<'_>, state: &mut State, service: &str) -> Result<String, Refusal> {
    let id = Uuid::new_v4().to_string();
    let partition = call.caller.account.partition.as_str();
    let secret = crypto::generate(Spec::SymmetricDefault, partition)?;
    let material = Material {
        id: Material::id_of(&id, &secret),
        secret: Slot::of(secret),
        standing: Standing::First,
        description: None,
    };
    let placement = Placement {
        created: call.now,
        enabled: true,
        description: format!("Default key that protects my {service} data when no other key is defined"),
        policy: policy(call, service).to_string(),
        tags: BTreeMap::new(),
        deletion: None,
        ready: None,
        imports: BTreeMap::new(),
        grants: Vec::new(),
    };
    let key = Key {
        id: id.clone(),
        account: call.account().to_owned(),
        partition: partition.to_owned(),
        spec: Spec::SymmetricDefault,
        usage: Usage::EncryptDecrypt,
        origin: Origin::AwsKms,
        managed_for: Some(service.to_owned()),
        multi_region: false,
        primary: call.region.to_owned(),
        materials: vec![material],
        rotation: Some(Rotation { period_days: PERIOD_DAYS, next: call.now + TimeDelta::days(PERIOD_DAYS) }),
        on_demand_rotations: 0,
        placements: BTreeMap::from([(call.region.to_owned(), placement)]),
        custom_key_store: None,
    };
    state.add(key, &call.kms.store)?;
    Ok(id)
}

fn alias(call: &Call<'_>, service: &str, target: Option<String>) -> Alias {
    let name = format!("alias/aws/{service}");
    Alias {
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        arn: call.arn(&name),
        name,
        target,
        created: call.now,
        updated: call.now,
    }
}

/// The policy of a managed key: the service may use the key for the account, and the account may read its metadata.
fn policy(call: &Call<'_>, service: &str) -> Value {
    let (partition, account) = (call.caller.account.partition, call.account());
    let suffix = call.caller.account.partition.dns_suffix();
    json!({
        "Version": "2012-10-17",
        "Id": format!("auto-{service}-1"),
        "Statement": [
            {
                "Sid": format!("Allow access through {service} for all principals in the account"),
                "Effect": "Allow",
                "Principal": { "AWS": "*" },
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                "Resource": "*",
                "Condition": { "StringEquals": {
                    "kms:CallerAccount": account,
                    "kms:ViaService": format!("{service}.{}.{suffix}", call.region),
                } }
            },
            {
                "Sid": "Allow direct access to key metadata to the account",
                "Effect": "Allow",
                "Principal": { "AWS": format!("arn:{partition}:iam::{account}:root") },
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*"],
                "Resource": "*"
            }
        ]
    })
}
